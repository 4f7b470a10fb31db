/**
 * Connectionist temporal classification (Graves et al. 2006): the loss of a text whose letters are not aligned with the steps of a recording. It sums over all
 * alignments by the forward algorithm, in logarithms. Its gradient is that of the composition.
 */
import {
  arange,
  concat,
  logAddExp,
  logSumExp,
  ShapeError,
  scan,
  showShape,
  stack,
  type Tensor,
  takeAlongAxis,
  transpose,
  where,
  zeros,
} from '@cotangent/core'
import { LOWEST } from './epsilon.js'
import { type LossOptions, readLossOptions } from './options.js'
import { requireTensor } from './targets.js'

/**
 * −ln Σ over alignments of Π softmax(z) along the alignment. An alignment has one class a step; without repeats and blanks it reads as the label. Class 0 is the
 * blank, and labels are padded with 0. A label that is too long for the steps has the loss ∞ and no gradient.
 *
 * Shape: class numbers [n, length], logits z [n, steps, classes] → [n]
 * Cost:  3 · steps passes over [n, 2·length + 1]
 *
 * @throws ShapeError for other shapes
 * @example
 * ```ts
 * const z = zeros([1, 2, 3])   // two steps, three equal classes: of the nine alignments 11, 01 and 10 read as 1
 * console.log(await losses.ctc(tensor([[1]]), z).array())   // ≈ [1.0986]
 * ```
 */
export function ctc(yTrue: Tensor, yPred: Tensor, options: LossOptions = {}): Tensor {
  readLossOptions('ctc', options)
  requireTensor('ctc', 'yTrue', yTrue)
  requireTensor('ctc', 'yPred', yPred)
  if (yTrue.rank !== 2 || yPred.rank !== 3 || yTrue.shape[0] !== yPred.shape[0]) {
    const shapes = `${showShape(yTrue.shape)} and ${showShape(yPred.shape)}`
    throw new ShapeError(`ctc: targets [n, length] and logits [n, steps, classes] are needed, got ${shapes}.`)
  }
  const [n, steps] = yPred.shape
  const { dtype, backend } = yPred
  const labels = yTrue.cast('int32')
  const { shape } = labels
  const places = 2 * shape[1] + 1
  const blank = (columns: number): Tensor => zeros([n, columns], { dtype: 'int32', backend })
  // A blank stands before, between and behind the labels: [n, places].
  const path = concat([stack([blank(shape[1]), labels], 2).reshape([n, places - 1]), blank(1)], 1)
  const wide = path.expandDims(1).broadcastTo([n, steps, places])
  const emitted = transpose(takeAlongAxis(yPred.logSoftmax(), wide, { axis: 2 }), [1, 0, 2]) // [steps, n, places]

  const low = (columns: number): Tensor => zeros([n, columns], { dtype, backend }).add(LOWEST)
  const before = (x: Tensor, by: number): Tensor => concat([low(by), x.slice([0, 0], [n, places - by])], 1)
  // A label may follow another one without the blank between them, unless it is the same.
  const two = Math.min(2, places)
  const earlier = concat([blank(two), path.slice([0, 0], [n, places - two])], 1)
  const skips = where(path.notEqual(0).logicalAnd(path.notEqual(earlier)), 0, LOWEST).cast(dtype)
  const step = (alpha: Tensor, now: Tensor) => ({
    carry: logAddExp(logAddExp(alpha, before(alpha, 1)), before(alpha, two).add(skips)).add(now),
  })
  // The first step leads to the first two places.
  const start = concat([zeros([n, 1], { dtype, backend }), low(places - 1)], 1)
  const { carry } = scan(step, start, emitted)

  const lengths = labels.notEqual(0).cast('int32').sum({ axis: 1, keepDims: true }) // [n, 1]
  const at = arange(0, places, 1, { dtype: 'int32', backend })
  const ends = at.equal(lengths.mul(2)).logicalOr(at.equal(lengths.mul(2).sub(1)))
  const loss = logSumExp(where(ends, carry, LOWEST), { axis: 1 }).neg()
  return where(loss.greater(-LOWEST / 2), Infinity, loss)
}
