/** Losses of overlap, for segmentation: Dice and Tversky. Source: Keras 3.16, losses/losses.py. */
import { sub, type Tensor } from '@cotangent/core'
import { EPSILON } from './epsilon.js'
import { type LossOptions, readLossOptions } from './options.js'
import { targetsLike } from './targets.js'

/** A sum over the axes of an option `axis`; null: over all. */
const summing =
  (axis: LossOptions['axis']) =>
  (x: Tensor): Tensor =>
    axis === null || axis === undefined ? x.sum() : x.sum({ axis: axis as number | number[] })

/**
 * 1 − 2Σtp / (Σt + Σp + ε), over the whole batch, or over the axes of `axis`, for example `[1, 2, 3]` for a number for each image.
 *
 * Shape: t and p [n, ..] → [], or without the axes of `axis`
 *
 * @example
 * ```ts
 * console.log(await losses.dice(tensor([[1, 0]]), tensor([[0.5, 0.5]])).item())   // ≈ 0.5
 * ```
 */
export function dice(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { axis } = readLossOptions('dice', options)
  const t = targetsLike('dice', p, yTrue)
  const sum = summing(axis)
  return sub(
    1,
    sum(t.mul(p))
      .mul(2)
      .div(sum(t).add(sum(p)).add(EPSILON)),
  )
}

/**
 * 1 − Σtp / (Σtp + α·Σ(1 − t)p + β·Σt(1 − p) + ε): Dice with factors of false positives, α, and false negatives, β (Salehi et al. 2017).
 *
 * Shape: t and p [n, ..] → [], or without the axes of `axis`
 *
 * @example
 * ```ts
 * console.log(await losses.tversky(tensor([[1, 0]]), tensor([[0.5, 0.5]]), { alpha: 1, beta: 0 }).item())   // ≈ 0.5
 * ```
 */
export function tversky(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { axis, alpha = 0.5, beta = 0.5 } = readLossOptions('tversky', options)
  const t = targetsLike('tversky', p, yTrue)
  const sum = summing(axis)
  const both = sum(t.mul(p))
  const [falsePositives, falseNegatives] = [sum(sub(1, t).mul(p)), sum(t.mul(sub(1, p)))]
  return sub(1, both.div(both.add(falsePositives.mul(alpha)).add(falseNegatives.mul(beta)).add(EPSILON)))
}
