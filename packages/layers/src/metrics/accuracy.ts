/** Accuracies: for each sample, whether the prediction is right. Source: Keras 2.3.1, metrics.py. */
import { isFinite, type Tensor, where } from '@cotangent/core'
import { requireText, requireWhole } from '@cotangent/core/arguments'
import { labelsLike, targetsLike } from '../losses/targets.js'
import { readOptions } from '../spelling/names.js'
import { whole } from '../spelling/rules.js'
import { builtInMean, type MeanMetric } from './state.js'

/** Class numbers [..b] or [..b, 1] as [..b], in the dtype of p. */
const classNumbers = (what: string, yTrue: Tensor, p: Tensor): Tensor => labelsLike(what, p, yTrue).cast(p.dtype)

/**
 * The share of elements with y = round(p), over the last axis; ½ rounds to 0. With another threshold than ½, the share with y = (p > threshold).
 *
 * Shape: [n, .., c], [n, .., c] → [n, ..]
 *
 * @throws ShapeError if the shapes differ
 * @example
 * ```ts
 * console.log(await binaryAccuracy(tensor([[1], [0]]), tensor([[0.9], [0.6]])).array())   // [1, 0]
 * ```
 */
export function binaryAccuracy(yTrue: Tensor, yPred: Tensor, options: { threshold?: number } = {}): Tensor {
  const { threshold } = readOptions('binaryAccuracy', options, { threshold: 0.5 })
  const t = targetsLike('binaryAccuracy', yPred, yTrue)
  const decided = threshold === 0.5 ? yPred.round() : yPred.greater(threshold).cast(yPred.dtype)
  return t.equal(decided).cast(yPred.dtype).mean({ axis: -1 })
}

/**
 * 1 where the largest prediction is at the largest target, else 0.
 *
 * Shape: [n, .., c], [n, .., c] → [n, ..]
 *
 * @throws ShapeError if the shapes differ
 * @example
 * ```ts
 * console.log(await categoricalAccuracy(tensor([[0, 1], [1, 0]]), tensor([[0.2, 0.8], [0.3, 0.7]])).array())   // [1, 0]
 * ```
 */
export const categoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  targetsLike('categoricalAccuracy', yPred, yTrue).argMax().equal(yPred.argMax()).cast(yPred.dtype)

/**
 * 1 where the largest prediction is at the class number, else 0.
 *
 * Shape: class numbers [n, ..] or [n, .., 1], predictions [n, .., c] → [n, ..]
 *
 * @throws ShapeError if there is not one class number for each row of predictions
 * @example
 * ```ts
 * console.log(await sparseCategoricalAccuracy(tensor([1, 0]), tensor([[0.2, 0.8], [0.3, 0.7]])).array())   // [1, 0]
 * ```
 */
export const sparseCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  classNumbers('sparseCategoricalAccuracy', yTrue, yPred).equal(yPred.argMax().cast(yPred.dtype)).cast(yPred.dtype)

/** 1 where fewer than k predictions are above that of the class. A prediction that is not finite is never among the top. */
function inTopK(classes: Tensor, p: Tensor, k: number): Tensor {
  const chosen = where(classes.oneHot(p.shape[p.rank - 1], 'bool'), p, 0).sum({ axis: -1, keepDims: true }) // [..b, 1]
  const above = p.greater(chosen).sum({ axis: -1 }) // [..b]
  return above.less(k).logicalAnd(isFinite(chosen).reshape(above.shape)).cast(p.dtype)
}

/**
 * 1 where the largest target is among the k largest predictions, else 0.
 *
 * Shape: [n, .., c], [n, .., c] → [n, ..]
 *
 * @throws ShapeError if the shapes differ
 * @example
 * ```ts
 * const scores = tensor([[0.5, 0.2, 0.3]])
 * console.log(await topKCategoricalAccuracy(tensor([[0, 0, 1]]), scores, 2).array())   // [1]
 * ```
 */
export function topKCategoricalAccuracy(yTrue: Tensor, yPred: Tensor, k = 5): Tensor {
  requireWhole('topKCategoricalAccuracy', 'k', k, { least: 1 })
  return inTopK(targetsLike('topKCategoricalAccuracy', yPred, yTrue).argMax(), yPred, k)
}

/**
 * 1 where the class number is among the k largest predictions, else 0.
 *
 * Shape: class numbers [n, ..] or [n, .., 1], predictions [n, .., c] → [n, ..]
 *
 * @throws ShapeError if there is not one class number for each row of predictions
 * @example
 * ```ts
 * console.log(await sparseTopKCategoricalAccuracy(tensor([1]), tensor([[0.5, 0.2, 0.3]]), 2).array())   // [0]
 * ```
 */
export function sparseTopKCategoricalAccuracy(yTrue: Tensor, yPred: Tensor, k = 5): Tensor {
  requireWhole('sparseTopKCategoricalAccuracy', 'k', k, { least: 1 })
  return inTopK(classNumbers('sparseTopKCategoricalAccuracy', yTrue, yPred), yPred, k)
}

/** Options of `thresholdAccuracy`. */
export interface ThresholdAccuracyOptions {
  /** A prediction above it counts as 1; ½ by default. */
  threshold?: number
  /** The name in logs; `binary_accuracy` by default. */
  name?: string
}

/**
 * Makes a metric of `binaryAccuracy` with a threshold.
 *
 * @example
 * ```ts
 * const metric = metrics.thresholdAccuracy({ threshold: 0.7 })
 * console.log(await metric.perSample(tensor([[1], [1]]), tensor([[0.6], [0.8]])).array())   // [0, 1]
 * ```
 */
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
  /** How many of the largest predictions count, at least 1; 5 by default. */
  k?: number
  /** Whether targets are class numbers. False by default: they are one-hot. */
  sparse?: boolean
  /** The name in logs; `top_k_categorical_accuracy` by default, with `sparse` `sparse_top_k_categorical_accuracy`. */
  name?: string
}

/**
 * Makes a metric of `topKCategoricalAccuracy`, or of `sparseTopKCategoricalAccuracy`.
 *
 * @throws ValueError if k is no whole number, at least 1
 * @example
 * ```ts
 * const metric = metrics.topKAccuracy({ k: 2, sparse: true })
 * console.log(await metric.perSample(tensor([2]), tensor([[0.5, 0.2, 0.3]])).array())   // [1]
 * ```
 */
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
