/** The accuracy family: whether predictions are right, sample by sample. */
import { isFinite, type Tensor, ValueError, where } from '@cotangent/core'
import { readOptions } from '../names.js'
import { type MeanMetric, meanMetric } from './state.js'

/** Class numbers [..b] of [..b] or [..b, 1], in the dtype of p. */
const classNumbers = (yTrue: Tensor, p: Tensor): Tensor => yTrue.reshape(p.shape.slice(0, -1)).cast(p.dtype)

/** Whether y = p rounded (½ goes to 0), over the last axis; another threshold than ½ asks whether y = (p > threshold). */
export function binaryAccuracy(yTrue: Tensor, yPred: Tensor, { threshold = 0.5 }: { threshold?: number } = {}): Tensor {
  const decided = threshold === 0.5 ? yPred.round() : yPred.greater(threshold).cast(yPred.dtype)
  return yTrue.reshape(yPred.shape).cast(yPred.dtype).equal(decided).cast(yPred.dtype).mean({ axis: -1 })
}

/** Whether the largest prediction is at the largest target. */
export const categoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor => yTrue.argMax().equal(yPred.argMax()).cast(yPred.dtype)

/** Whether the largest prediction is at the class number. */
export const sparseCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  classNumbers(yTrue, yPred).equal(yPred.argMax().cast(yPred.dtype)).cast(yPred.dtype)

/** Whether fewer than k predictions are above that of the class; a prediction that is not finite is not among the top. */
function inTopK(classes: Tensor, p: Tensor, k: number): Tensor {
  const chosen = where(classes.oneHot(p.shape[p.rank - 1], 'bool'), p, 0).sum({ axis: -1, keepDims: true }) // [..b, 1]
  const above = p.greater(chosen).sum({ axis: -1 }) // [..b]
  return above.less(k).logicalAnd(isFinite(chosen).reshape(above.shape)).cast(p.dtype)
}

/** Whether the target is among the k largest predictions. */
export const topKCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor, k = 5): Tensor => inTopK(yTrue.argMax(), yPred, k)
/** Whether the class number is among the k largest predictions. */
export const sparseTopKCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor, k = 5): Tensor => inTopK(classNumbers(yTrue, yPred), yPred, k)

/** Options of `thresholdAccuracy`. */
export interface ThresholdAccuracyOptions {
  /** Above it a prediction counts as 1; ½ by default. */
  threshold?: number
  name?: string
}

/** `binaryAccuracy` for a threshold. */
export function thresholdAccuracy(options: ThresholdAccuracyOptions = {}): MeanMetric {
  const { threshold, name } = readOptions('thresholdAccuracy', options, { threshold: 0.5, name: 'binary_accuracy' })
  return {
    ...meanMetric(name, (t, p) => binaryAccuracy(t, p, { threshold })),
    savedForm: { className: 'thresholdAccuracy', config: { threshold, name } },
  }
}

/** Options of `topKAccuracy`. */
export interface TopKAccuracyOptions {
  /** 5 by default. */
  k?: number
  /** Whether targets are class numbers. */
  sparse?: boolean
  name?: string
}

/** Whether the target is among the k largest predictions. */
export function topKAccuracy(options: TopKAccuracyOptions = {}): MeanMetric {
  const { k, sparse, name } = readOptions('topKAccuracy', options, {
    k: 5,
    sparse: false,
    name: `${options.sparse ? 'sparse_' : ''}top_k_categorical_accuracy`,
  })
  if (!(Number.isInteger(k) && k >= 1)) throw new ValueError(`topKAccuracy: k must be a whole number from 1, got ${k}.`)
  return {
    ...meanMetric(name, (t, p) => (sparse ? sparseTopKCategoricalAccuracy : topKCategoricalAccuracy)(t, p, k)),
    savedForm: { className: 'topKAccuracy', config: { k, sparse, name } },
  }
}
