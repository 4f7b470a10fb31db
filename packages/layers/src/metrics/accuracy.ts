/** The accuracy family: whether predictions are right, sample by sample. */
import { isFinite, type Tensor, where } from '@cotangent/core'
import { requireText, requireWhole } from '@cotangent/core/arguments'
import { labelsLike, targetsLike } from '../losses/targets.js'
import { readOptions } from '../spelling/names.js'
import { whole } from '../spelling/rules.js'
import { builtInMean, type MeanMetric } from './state.js'

/** Class numbers [..b] of [..b] or [..b, 1], in the dtype of p. */
const classNumbers = (what: string, yTrue: Tensor, p: Tensor): Tensor => labelsLike(what, p, yTrue).cast(p.dtype)

/** Whether y = p rounded (½ goes to 0), over the last axis; another threshold than ½ asks whether y = (p > threshold). */
export function binaryAccuracy(yTrue: Tensor, yPred: Tensor, options: { threshold?: number } = {}): Tensor {
  const { threshold } = readOptions('binaryAccuracy', options, { threshold: 0.5 })
  const t = targetsLike('binaryAccuracy', yPred, yTrue)
  const decided = threshold === 0.5 ? yPred.round() : yPred.greater(threshold).cast(yPred.dtype)
  return t.equal(decided).cast(yPred.dtype).mean({ axis: -1 })
}

/** Whether the largest prediction is at the largest target. */
export const categoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  targetsLike('categoricalAccuracy', yPred, yTrue).argMax().equal(yPred.argMax()).cast(yPred.dtype)

/** Whether the largest prediction is at the class number. */
export const sparseCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  classNumbers('sparseCategoricalAccuracy', yTrue, yPred).equal(yPred.argMax().cast(yPred.dtype)).cast(yPred.dtype)

/** Whether fewer than k predictions are above that of the class; a prediction that is not finite is not among the top. */
function inTopK(classes: Tensor, p: Tensor, k: number): Tensor {
  const chosen = where(classes.oneHot(p.shape[p.rank - 1], 'bool'), p, 0).sum({ axis: -1, keepDims: true }) // [..b, 1]
  const above = p.greater(chosen).sum({ axis: -1 }) // [..b]
  return above.less(k).logicalAnd(isFinite(chosen).reshape(above.shape)).cast(p.dtype)
}

/** Whether the target is among the k largest predictions. */
export function topKCategoricalAccuracy(yTrue: Tensor, yPred: Tensor, k = 5): Tensor {
  requireWhole('topKCategoricalAccuracy', 'k', k, { least: 1 })
  return inTopK(targetsLike('topKCategoricalAccuracy', yPred, yTrue).argMax(), yPred, k)
}

/** Whether the class number is among the k largest predictions. */
export function sparseTopKCategoricalAccuracy(yTrue: Tensor, yPred: Tensor, k = 5): Tensor {
  requireWhole('sparseTopKCategoricalAccuracy', 'k', k, { least: 1 })
  return inTopK(classNumbers('sparseTopKCategoricalAccuracy', yTrue, yPred), yPred, k)
}

/** Options of `thresholdAccuracy`. */
export interface ThresholdAccuracyOptions {
  /** Above it a prediction counts as 1; ½ by default. */
  threshold?: number
  name?: string
}

/** `binaryAccuracy` for a threshold. */
export function thresholdAccuracy(options: ThresholdAccuracyOptions = {}): MeanMetric {
  const { threshold, name } = readOptions(
    'thresholdAccuracy',
    options,
    { threshold: 0.5, name: 'binary_accuracy' },
    {},
    'thresholdAccuracy({ threshold: 0.7 })',
  )
  return {
    ...builtInMean(name, (t, p) => binaryAccuracy(t, p, { threshold })),
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
  const given = readOptions<Required<Omit<TopKAccuracyOptions, 'name'>> & Pick<TopKAccuracyOptions, 'name'>>(
    'topKAccuracy',
    options,
    { k: 5, sparse: false, name: undefined },
    { k: whole({ least: 1 }), name: requireText },
    'topKAccuracy({ k: 5 })',
  )
  const { k, sparse } = given
  const name = given.name ?? `${sparse ? 'sparse_' : ''}top_k_categorical_accuracy`
  return {
    ...builtInMean(name, (t, p) => (sparse ? sparseTopKCategoricalAccuracy : topKCategoricalAccuracy)(t, p, k)),
    savedForm: { className: 'topKAccuracy', config: { k, sparse, name } },
  }
}
