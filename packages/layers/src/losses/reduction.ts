/** How the losses of a batch become one number, as in Keras 3 (losses/loss.py, reduce_weighted_values). */
import { type Tensor, where } from '@cotangent/core'
import { maskFactors, weighed } from './masks.js'

export const reductions = ['sum_over_batch_size', 'sum', 'mean', 'mean_with_sample_weight', 'none'] as const

/** A way to make one number of losses. `mean` is another word for `sum_over_batch_size`. */
export type Reduction = (typeof reductions)[number]

/**
 * The losses of a batch as one number; with `none` the weighted losses.
 *
 * Shape: values [n, ..]; mask and weights begin like the values
 *
 * @param masks bool: losses that they leave out are 0, and do not count in a mean
 * @param weights factors of the losses; they count in the divisor of `mean_with_sample_weight` alone
 */
export function reduced(values: Tensor, reduction: Reduction, masks: readonly Tensor[], weights?: Tensor): Tensor {
  const factors = weights ? [...masks, weights] : masks
  const weighted = factors.reduce((losses, factor) => weighed(losses, factor), values)
  if (reduction === 'none') return weighted
  const sum = weighted.sum()
  if (reduction === 'sum') return sum
  const counting = (reduction === 'mean_with_sample_weight' ? factors : masks).map((factor) => maskFactors(factor, values))
  if (counting.length === 0) return sum.div(values.size)
  const count = counting
    .reduce((a, b) => a.mul(b))
    .broadcastTo(values.shape)
    .sum()
  return sum.div(where(count.notEqual(0), count, 1))
}
