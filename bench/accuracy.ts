/**
 * How exact our operations are: all values of a result beside those that NumPy computes in float64 from the same operands. On wasm they are float32, on the
 * reference float64.
 */
import { createReferenceBackend, createWasmBackend } from '@cotangent/core'
import { startContestant } from './contestant.js'
import { resultsOf } from './libraries/cotangent-operations.js'
import { type OperationWorkload, operations } from './operations.js'
import { aligned } from './report.js'

/** The rows, whose results NumPy has, too. */
export const accuracyRows = operations.filter(({ op }) => ['solve', 'inverse', 'cholesky', 'eigh', 'svd', 'fft'].includes(op))

/** The largest difference, relative to the largest value, that is right in each dtype. */
const limits = { float32: 1e-4, float64: 1e-10 } as const
type Precision = keyof typeof limits

export interface Accuracy {
  name: string
  dtype: Precision
  /** The largest |ours − theirs| by the largest |theirs|, of the worst part of the result. */
  error: number
  limit: number
}

/** The largest difference of two results, relative to the largest value of theirs. Vectors are compared without their signs if `eitherSign`. */
export function relativeError(ours: readonly number[], theirs: readonly number[], eitherSign = false): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY
  const value = eitherSign ? Math.abs : (x: number): number => x
  let [difference, largest] = [0, 0]
  for (let i = 0; i < ours.length; i++) {
    difference = Math.max(difference, Math.abs(value(ours[i]) - value(theirs[i])))
    largest = Math.max(largest, Math.abs(theirs[i]))
  }
  return difference / (largest || 1)
}

/** Compares rows with NumPy, which must be installed. */
export async function accuracyOf(rows: readonly OperationWorkload[], seed: number): Promise<Accuracy[]> {
  const backends = { float32: createWasmBackend(), float64: createReferenceBackend() }
  const numpy = await startContestant('numpy')
  try {
    const found: Accuracy[] = []
    for (const row of rows) {
      await numpy.prepare(row, seed)
      const theirs = (await numpy.results?.()) ?? []
      for (const dtype of ['float32', 'float64'] as const) {
        const ours = await resultsOf(row, seed, dtype, backends[dtype])
        const errors = theirs.map((part, i) => relativeError(ours[i], part, row.eitherSign))
        found.push({ name: row.name, dtype, error: Math.max(...errors), limit: limits[dtype] })
      }
    }
    return found
  } finally {
    numpy.close()
  }
}

export const isExact = ({ error, limit }: Accuracy): boolean => error <= limit

/** A line for each row: the error on each backend. */
export function accuracyTable(found: readonly Accuracy[]): string {
  const lines = found.map((each) => [
    each.name,
    each.dtype === 'float32' ? 'wasm, float32' : 'reference, float64',
    each.error.toExponential(1),
    each.limit.toExponential(0),
    isExact(each) ? '' : 'TOO LARGE',
  ])
  return aligned([['row', 'ours', 'error', 'limit', ''], ...lines]).join('\n')
}
