/** Counts of decisions at many thresholds, spread evenly from 0 to 1. */
import { isFinite, scatterAdd, stack, type Tensor, tensor, ValueError, where } from '@cotangent/core'
import { targetsLike } from '../losses/targets.js'
import { counted, factorsOf } from './state.js'

/** One column of the last axis, which stays; all if there is no class. */
export function columnOf(what: string, x: Tensor, classId: number | null): Tensor {
  if (classId === null) return x
  const classes = x.shape[x.rank - 1] ?? 1
  if (classId >= classes) throw new ValueError(`${what}: there is no class ${classId} among ${classes} columns.`)
  const [from, size] = [x.shape.map(() => 0), [...x.shape]]
  from[x.rank - 1] = classId
  size[x.rank - 1] = 1
  return x.slice(from, size)
}

/** The sums to make. */
export interface Counting {
  readonly thresholds: number
  /** Whether each column has sums of its own. */
  readonly byColumn?: boolean
  /** A factor for each column. */
  readonly columnWeights?: readonly number[]
}

/**
 * Sums of the weights of positives and negatives, by the number of thresholds below their prediction: [2·thresholds], or those of each column one after the other. A prediction
 * that is not finite counts as 0.
 */
export function countBetween(
  what: string,
  { thresholds, byColumn = false, columnWeights }: Counting,
  yTrue: Tensor,
  yPred: Tensor,
  mask?: Tensor,
  weights?: Tensor,
): Tensor {
  const last = thresholds - 1
  const columns = byColumn ? yPred.shape[yPred.rank - 1] : 1
  const bySample = factorsOf(yPred, mask, weights)
  const byLabel = columnWeights && tensor([...columnWeights], { dtype: yPred.dtype, backend: yPred.backend })
  const factors = bySample && byLabel ? bySample.mul(byLabel) : (bySample ?? byLabel)
  const each = (x: Tensor): Tensor => counted(x, factors).reshape([x.size])
  const truth = targetsLike(what, yPred, yTrue).cast('bool').cast(yPred.dtype)
  const below = where(isFinite(yPred), yPred, 0).mul(last).ceil().clip(0, last)
  const first = tensor(
    Array.from({ length: columns }, (_, column) => column * thresholds),
    { dtype: yPred.dtype, backend: yPred.backend },
  )
  const place = below.add(first).cast('int32')
  const both = stack([each(truth), each(truth.mul(-1).add(1))], 1) // [elements, 2]
  return scatterAdd(both, place.reshape([place.size]), columns * thresholds).reshape([2 * columns * thresholds])
}

/** From such sums: true and false positives at each threshold. A prediction must be above it. */
export function positivesAbove(totals: ArrayLike<number>): { tp: number[]; fp: number[] } {
  const thresholds = totals.length / 2
  const above = Array.from({ length: thresholds }, () => [0, 0])
  for (let j = thresholds - 2; j >= 0; j--) above[j] = [0, 1].map((side) => above[j + 1][side] + totals[2 * (j + 1) + side])
  return { tp: above.map(([hits]) => hits), fp: above.map(([, misses]) => misses) }
}

/** All positives and all negatives. */
export function everyOne(totals: ArrayLike<number>): [positives: number, negatives: number] {
  const sum = (side: number): number =>
    Array.from(totals)
      .filter((_, i) => i % 2 === side)
      .reduce((a, b) => a + b, 0)
  return [sum(0), sum(1)]
}
