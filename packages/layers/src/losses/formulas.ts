/**
 * The formulas of the losses, with Keras 2.3's definitions (keras/losses.py 2.3.1, tf.keras backend of TensorFlow 1.15): functions of targets t and
 * predictions p that give one value for each sample. A formula without Σ is averaged over the last axis; ε = 1e-7.
 *
 * Shape: t [n, ..], p [n, ..] → [n, ..] without the last axis
 */
import { add, log, mul, mulNoNaN, neg, relu, softmaxCrossEntropy, softplus, square, sub, type Tensor, where } from '@cotangent/core'
import { EPSILON } from './epsilon.js'
import { type LossOptions, readLossOptions } from './options.js'
import { labelsLike, targetsLike } from './targets.js'
import { unitLength } from './unit-length.js'

const last = { axis: -1 } as const
const kept = { axis: -1, keepDims: true } as const

/** p − t */
const deviation = (what: string, yTrue: Tensor, p: Tensor): Tensor => {
  const t = targetsLike(what, p, yTrue)
  return p.sub(t)
}

/** @internal p limited to [ε, 1 − ε]. */
export const clipped = (p: Tensor): Tensor => p.clip(EPSILON, 1 - EPSILON)

/** @internal Targets of which a share is spread evenly over the classes. */
export const smoothed = (t: Tensor, share: number, classes: number): Tensor => (share === 0 ? t : t.mul(1 - share).add(share / classes))

/** (p − t)² */
export const meanSquaredError = (yTrue: Tensor, p: Tensor): Tensor => deviation('meanSquaredError', yTrue, p).square().mean(last)

/** |p − t| */
export const meanAbsoluteError = (yTrue: Tensor, p: Tensor): Tensor => deviation('meanAbsoluteError', yTrue, p).abs().mean(last)

/** 100·|(t − p) / max(|t|, ε)| */
export function meanAbsolutePercentageError(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('meanAbsolutePercentageError', p, yTrue)
  return t.sub(p).div(t.abs().maximum(EPSILON)).abs().mean(last).mul(100)
}

/** (ln(max(p, ε) + 1) − ln(max(t, ε) + 1))² */
export function meanSquaredLogarithmicError(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('meanSquaredLogarithmicError', p, yTrue)
  const log1 = (x: Tensor): Tensor => x.maximum(EPSILON).add(1).log()
  return square(sub(log1(p), log1(t))).mean(last)
}

/** ln cosh(p − t), as |d| + softplus(−2|d|) − ln 2, which does not overflow. */
export function logcosh(yTrue: Tensor, p: Tensor): Tensor {
  const d = deviation('logcosh', yTrue, p).abs()
  const y = add(d, softplus(d.mul(-2))).sub(Math.LN2)
  return y.mean(last)
}

/** ½d² for |d| ≤ δ, δ·(|d| − ½δ) beyond (Huber 1964). */
export function huber(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { delta = 1 } = readLossOptions('huber', options)
  const d = deviation('huber', yTrue, p).abs()
  const inner = d.minimum(delta)
  return inner.square().mul(0.5).add(d.sub(inner).mul(delta)).mean(last)
}

/** 2.3 takes targets that are all 0 or 1 as −1 and +1. */
function signs(t: Tensor, form: LossOptions['form']): Tensor {
  if (form === '2.2') return t
  return where(t.equal(0).logicalOr(t.equal(1)).all(), t.mul(2).sub(1), t)
}

/** 1 − t·p, where that is above 0. */
function missing(what: string, yTrue: Tensor, p: Tensor, options: LossOptions): Tensor {
  const { form } = readLossOptions(what, options)
  return sub(1, signs(targetsLike(what, p, yTrue), form).mul(p)).maximum(0)
}

/** max(1 − t·p, 0) for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const hinge = (yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor => missing('hinge', yTrue, p, options).mean(last)

/** max(1 − t·p, 0)² for t = ±1; targets 0 and 1 are taken as −1 and 1. */
export const squaredHinge = (yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor =>
  square(missing('squaredHinge', yTrue, p, options)).mean(last)

/** max(0, max((1 − t)·p) − Σ t·p + 1) */
export function categoricalHinge(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('categoricalHinge', p, yTrue)
  const right = mulNoNaN(p, t).sum(last)
  const wrong = mulNoNaN(p, sub(1, t)).max(last)
  return relu(wrong.sub(right).add(1))
}

/** p − t·ln(p + ε) */
export function poisson(yTrue: Tensor, p: Tensor): Tensor {
  const t = targetsLike('poisson', p, yTrue)
  return p.sub(mulNoNaN(p.add(EPSILON).log(), t)).mean(last)
}

/** Σ t·ln(t/p), both limited to [ε, 1]. */
export function kullbackLeiblerDivergence(yTrue: Tensor, yPred: Tensor): Tensor {
  const [t, p] = [targetsLike('kullbackLeiblerDivergence', yPred, yTrue).clip(EPSILON, 1), yPred.clip(EPSILON, 1)]
  return t.mul(t.div(p).log()).sum(last)
}

/** −cos of the angle between t and p, vectors along `axis`. */
export function cosineProximity(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { axis } = readLossOptions('cosineProximity', options)
  const t = targetsLike('cosineProximity', p, yTrue)
  const along = { axis: (axis ?? -1) as number }
  return unitLength(t, along).mul(unitLength(p, along)).sum(along).neg()
}

/** −Σ t·ln(p/Σp), the quotient limited to [ε, 1 − ε]; from logits z: −Σ t·ln softmax(z). */
export function categoricalCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits, labelSmoothing = 0 } = readLossOptions('categoricalCrossentropy', options)
  const t = smoothed(targetsLike('categoricalCrossentropy', p, yTrue), labelSmoothing, p.shape[p.rank - 1])
  if (fromLogits) return softmaxCrossEntropy(p, t)
  return neg(mul(t, log(clipped(p.div(p.sum(kept))))).sum(last))
}

/** categoricalCrossentropy for class numbers. From probabilities, their clipped logarithms count as logits, as in TensorFlow 1. */
export function sparseCategoricalCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits } = readLossOptions('sparseCategoricalCrossentropy', options)
  // Places of `ignoreClass` need be no class: their losses are left out of the mean, see index.ts.
  const t = labelsLike('sparseCategoricalCrossentropy', p, yTrue) // [..b]
  return softmaxCrossEntropy(fromLogits ? p : clipped(p).log(), t, { check: false })
}

/**
 * −t·ln(p + ε) − (1 − t)·ln(1 − p + ε), p limited to [ε, 1 − ε]; from logits z: t·softplus(−z) + (1 − t)·softplus(z).
 * Keras 2.2: the latter with z = ln(p/(1 − p)). Keras 3: without the ε in the logarithms.
 */
export function binaryCrossentropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { fromLogits, form, labelSmoothing = 0 } = readLossOptions('binaryCrossentropy', options)
  const t = smoothed(targetsLike('binaryCrossentropy', p, yTrue), labelSmoothing, 2)
  // The other class's loss may be infinite, and does not count.
  const weighed = (right: Tensor, wrong: Tensor): Tensor => add(mulNoNaN(right, t), mulNoNaN(wrong, sub(1, t))).mean(last)
  const ofLogits = (z: Tensor): Tensor => weighed(softplus(z.neg()), softplus(z))
  if (fromLogits) return ofLogits(p)
  const q = clipped(p)
  if (form === '2.2') return ofLogits(log(q.div(sub(1, q))))
  const within = form === '3' ? 0 : EPSILON
  return neg(weighed(log(q.add(within)), log(sub(1, q).add(within))))
}
