/** Losses for class numbers: circle loss, and generalised crossentropy. Source: Keras 3.16, losses/losses.py. */
import { arange, logSumExp, matMul, pow, ShapeError, showShape, softplus, sub, type Tensor, where } from '@cotangent/core'
import { LOWEST } from './epsilon.js'
import { type LossOptions, readLossOptions } from './options.js'
import { labelsLike } from './targets.js'

/**
 * Circle loss (Sun et al. 2020) between all pairs of a batch: embeddings of one class are drawn together, others apart. With distances d = max(0, 1 − pᵢ·pⱼ)
 * of the embeddings, which must have length 1: softplus(ln Σ exp(γ·(m + d)·(d − m)) over the class + ln Σ exp(γ·(1 + m − d)₊·(1 − m − d)) over the others).
 * Samples without a partner have the loss 0, and the mean leaves losses of 0 out.
 *
 * Shape: class numbers [n], p [n, d] → [n]
 *
 * @example
 * ```ts
 * const p = tensor([[1, 0], [1, 0], [0, 1]])
 * console.log(await losses.circle(tensor([0, 0, 1]), p, { gamma: 1 }).array())   // ≈ [0.5459, 0.5459, 0]
 * ```
 */
export function circle(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const { gamma = 80, margin = 0.4 } = readLossOptions('circle', options)
  const labels = labelsLike('circle', p, yTrue).cast('int32')
  if (p.rank !== 2) throw new ShapeError(`circle: embeddings [n, d] are needed, got ${showShape(p.shape)}.`)
  const alike = labels.expandDims(1).equal(labels.expandDims(0)) // [n, n]
  const others = alike.logicalNot()
  const places = arange(0, p.shape[0], 1, { dtype: 'int32', backend: p.backend })
  const partners = alike.logicalAnd(places.expandDims(1).notEqual(places.expandDims(0)))
  const distance = sub(1, matMul(p, p, { transposeB: true })).maximum(0)
  const near = distance.add(margin).mul(distance.sub(margin)).mul(gamma)
  const far = sub(1 + margin, distance)
    .maximum(0)
    .mul(sub(1 - margin, distance))
    .mul(gamma)
  const total = (exponents: Tensor, pairs: Tensor): Tensor => logSumExp(where(pairs, exponents, LOWEST), { axis: 1 })
  return softplus(total(near, partners).add(total(far, others)))
}

/**
 * (1 − p^q)/q for the probability p of the true class (Zhang and Sabuncu 2018): it bears wrong labels better than crossentropy.
 *
 * Shape: class numbers [n, ..], p [n, .., classes] → [n, ..]
 *
 * @example
 * ```ts
 * const loss = losses.categoricalGeneralizedCrossEntropy(tensor([0]), tensor([[0.25, 0.75]]), { q: 0.5 })
 * console.log(await loss.array())   // ≈ [1]
 * ```
 */
export function categoricalGeneralizedCrossEntropy(yTrue: Tensor, p: Tensor, options: LossOptions = {}): Tensor {
  const what = 'categoricalGeneralizedCrossEntropy'
  const { q = 0.5 } = readLossOptions(what, options)
  const t = labelsLike(what, p, yTrue).oneHot(p.shape[p.rank - 1], p.dtype)
  return sub(1, pow(p.mul(t).sum({ axis: -1 }), q)).div(q)
}
