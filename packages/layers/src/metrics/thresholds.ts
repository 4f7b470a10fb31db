/** Counts of decisions at many thresholds, spread evenly from 0 to 1. */
import { isFinite, scatterAdd, stack, type Tensor, where } from '@cotangent/core'
import { targetsLike } from '../losses/targets.js'
import { counted, factorsOf } from './state.js'

/**
 * Sums of the weights of positives and negatives, by the number of thresholds below their prediction: [2·thresholds]. A prediction that is not finite counts as 0.
 */
export function countBetween(what: string, thresholds: number, yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor {
  const last = thresholds - 1
  const factors = factorsOf(yPred, mask, weights)
  const each = (x: Tensor): Tensor => counted(x, factors).reshape([x.size])
  const truth = targetsLike(what, yPred, yTrue).cast('bool').cast(yPred.dtype)
  const below = where(isFinite(yPred), yPred, 0).mul(last).ceil().clip(0, last).cast('int32')
  const both = stack([each(truth), each(truth.mul(-1).add(1))], 1) // [elements, 2]
  return scatterAdd(both, below.reshape([below.size]), thresholds).reshape([2 * thresholds])
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
