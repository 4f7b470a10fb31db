/** Focal losses (Lin et al. 2017): crossentropy that counts well-predicted samples less. Source: Keras 3.16, losses/losses.py. */
import { log, mulNoNaN, pow, sub, type Tensor } from '@cotangent/core'
import { clipped, smoothed } from './formulas.js'
import { type LossOptions, readLossOptions } from './options.js'
import { targetsLike } from './targets.js'

/** x^γ for x ≥ 0. For γ = 0 there is no derivative to take, which would be 0/0 at 0. */
const power = (x: Tensor, gamma: number): Tensor => (gamma === 0 ? x.mul(0).add(1) : pow(x, gamma))

/**
 * −(1 − pₜ)^γ·(t·ln p + (1 − t)·ln(1 − p)), where pₜ = t·p + (1 − t)(1 − p) is the probability of what is true; with `applyClassBalancing` times
 * t·α + (1 − t)(1 − α).
 *
 * Shape: t and p [n, ..] → [n, ..] without the last axis
 *
 * @example
 * ```ts
 * const loss = losses.binaryFocalCrossentropy(tensor([[1]]), tensor([[0.5]]))
 * console.log(await loss.item())   // ≈ 0.1733
 * ```
 */
export function binaryFocalCrossentropy(yTrue: Tensor, yPred: Tensor, options: LossOptions = {}): Tensor {
  const what = 'binaryFocalCrossentropy'
  const { fromLogits, labelSmoothing = 0, applyClassBalancing, alpha = 0.25, gamma = 2 } = readLossOptions(what, options)
  const t = smoothed(targetsLike(what, yPred, yTrue), labelSmoothing, 2)
  const p = fromLogits ? yPred.sigmoid() : yPred
  const [wrong, q] = [sub(1, t), clipped(p)]
  const entropy = mulNoNaN(log(q), t)
    .add(mulNoNaN(log(sub(1, q)), wrong))
    .neg()
  const right = t.mul(p).add(wrong.mul(sub(1, p)))
  const focused = power(sub(1, right), gamma).mul(entropy)
  return (applyClassBalancing ? focused.mul(t.mul(alpha).add(wrong.mul(1 - alpha))) : focused).mean({ axis: -1 })
}

/**
 * −α·Σ (1 − p)^γ·t·ln p, with p divided by its sum and limited to [ε, 1 − ε].
 *
 * Shape: t and p [n, .., classes] → [n, ..]
 *
 * @example
 * ```ts
 * const loss = losses.categoricalFocalCrossentropy(tensor([[1, 0]]), tensor([[0.5, 0.5]]))
 * console.log(await loss.item())   // ≈ 0.0433
 * ```
 */
export function categoricalFocalCrossentropy(yTrue: Tensor, yPred: Tensor, options: LossOptions = {}): Tensor {
  const what = 'categoricalFocalCrossentropy'
  const { fromLogits, labelSmoothing = 0, alpha = 0.25, gamma = 2 } = readLossOptions(what, options)
  const t = smoothed(targetsLike(what, yPred, yTrue), labelSmoothing, yPred.shape[yPred.rank - 1])
  const p = fromLogits ? yPred.softmax() : yPred
  const q = clipped(p.div(p.sum({ axis: -1, keepDims: true })))
  return power(sub(1, q), gamma).mul(log(q)).mul(t).sum({ axis: -1 }).mul(-alpha)
}
