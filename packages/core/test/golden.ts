/**
 * Golden vectors: reads the files of test/golden, makes tensors of them, and compares results with the tolerances in README.md.
 * The tests of all packages use this loader.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Backend, showShape, type Tensor } from '../src/index.js'
import { convert, type DType, isFloat } from '../src/tensor/dtype.js'
import { fromHost } from '../src/tensor/tensor.js'

const folder = new URL('./golden/', import.meta.url)

/** An array in a file: row-major, bools as 0 and 1. */
export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly dtype: 'float64' | 'int32' | 'bool'
  readonly data: readonly number[]
}

/** One case. The `note` of its file states the conventions. */
export interface GoldenCase<P = Record<string, unknown>, I = Record<string, GoldenTensor>, X = Record<string, GoldenTensor>> {
  readonly name: string
  readonly seed?: number
  readonly case_kind?: string
  readonly params: P
  readonly inputs: I
  readonly expected: X
}

export interface GoldenFile<C = GoldenCase> {
  readonly schema: 1
  readonly kind: string
  readonly note?: string
  /** Files in wave2/ say how close results must be. */
  readonly tolerance?: { readonly float64: Tolerance; readonly float32: Tolerance }
  readonly cases: readonly C[]
}

/** JSON has no words for these, so files hold text. */
const numbersAsText: Readonly<Record<string, number>> = { Infinity: Infinity, '-Infinity': -Infinity, NaN: Number.NaN }

/** Reads a file by its name without `.json`, such as `lstm` or `wave2/sort`. */
export function loadGolden<P = Record<string, unknown>, I = Record<string, GoldenTensor>, X = Record<string, GoldenTensor>>(
  file: string,
): GoldenFile<GoldenCase<P, I, X>> {
  const text = readFileSync(new URL(`${file}.json`, folder), 'utf8')
  const parsed = JSON.parse(text, (_, value) => numbersAsText[value as string] ?? value) as GoldenFile<GoldenCase<P, I, X>>
  if (parsed.schema !== 1 || !Array.isArray(parsed.cases)) throw new Error(`golden/${file}.json is not of schema 1`)
  return parsed
}

/** The path of a file that is not JSON, such as `h5/weights_lstm.h5`. */
export const goldenPath = (name: string): string => fileURLToPath(new URL(name, folder))

/** Every file in the folder, h5/ included, as relative paths. */
export const goldenFiles = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(folder).length).replace(/^\/+/, ''))
    .sort()

/** An array of a file as a tensor; `floats` is the dtype for floats. */
export function tensorOf({ shape, dtype, data }: GoldenTensor, backend: Backend, floats: DType = 'float32'): Tensor {
  const type = isFloat(dtype) ? floats : dtype
  return fromHost(backend, convert(data, type), shape, type)
}

/** A result a is close to an expected value b if |a − b| ≤ atol + rtol·|b|. */
export interface Tolerance {
  readonly atol: number
  readonly rtol: number
}

/** The tolerances for the golden vectors. `loose` is for recurrent layers, batch normalisation and fit in float32. */
export const tolerances = {
  float64: { atol: 1e-8, rtol: 1e-7 },
  float32: { atol: 1e-5, rtol: 1e-4 },
  loose: { atol: 1e-4, rtol: 1e-3 },
} as const satisfies Record<string, Tolerance>

/** Throws unless a tensor has the expected shape and values; the error names the worst element. */
export async function expectClose(got: Tensor, want: GoldenTensor, { atol, rtol }: Tolerance, what = 'result'): Promise<void> {
  if (showShape(got.shape) !== showShape(want.shape)) {
    throw new Error(`${what}: shape ${showShape(got.shape)}, expected ${showShape(want.shape)}`)
  }
  const values = await got.data()
  let worst = -1
  let excess = 0
  want.data.forEach((b, i) => {
    if (Object.is(values[i], b) || values[i] === b) return
    const over = Math.abs(values[i] - b) - (atol + rtol * Math.abs(b))
    if (!(over <= 0) && (worst < 0 || !(over <= excess))) {
      worst = i
      excess = over
    }
  })
  if (worst >= 0)
    throw new Error(`${what}: element ${worst} is ${values[worst]}, expected ${want.data[worst]} (atol ${atol}, rtol ${rtol})`)
}
