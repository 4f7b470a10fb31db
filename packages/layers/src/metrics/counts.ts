/**
 * Metrics made of counts of decisions: true and false positives and negatives, and the confusion matrix. Source: Keras 2.3.1, metrics.py.
 */
import { matMul, ShapeError, scope, type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { requireTensor, targetsLike } from '../losses/targets.js'
import { readOptions } from '../spelling/names.js'
import { counted, factorsOf, type Metric, type MetricState, sums } from './state.js'

/** Options of the four counts. */
export interface ThresholdOptions {
  /** A prediction above it counts as positive; ½ by default. */
  threshold?: number
  /** The name in logs; that of the metric, such as `precision`, by default. */
  name?: string
}

/** Truth and prediction of each element as 0 or 1, and a weighted sum over elements. */
function decisions(
  what: string,
  yTrue: Tensor,
  yPred: Tensor,
  threshold: number,
  mask: Tensor | undefined,
  weights: Tensor | undefined,
): { truth: Tensor; predicted: Tensor; total: (x: Tensor) => Tensor } {
  const truth = targetsLike(what, yPred, yTrue).cast('bool').cast(yPred.dtype)
  const factors = factorsOf(yPred, mask, weights)
  return { truth, predicted: yPred.greater(threshold).cast(yPred.dtype), total: (x) => counted(x, factors).sum() }
}

/** The metric that counts elements of one kind. */
function count(kind: string, name: string, options: ThresholdOptions, of: (truth: Tensor, predicted: Tensor) => Tensor): Metric {
  const settings = readOptions(kind, options, { threshold: 0.5, name }, {}, `metrics.${kind}({ threshold: 0.5 })`)
  return {
    name: settings.name,
    savedForm: { className: kind, config: settings },
    start: () =>
      sums(
        kind,
        (yTrue, yPred, mask, weights) => {
          const { truth, predicted, total } = decisions(kind, yTrue, yPred, settings.threshold, mask, weights)
          return total(of(truth, predicted)).reshape([1])
        },
        ({ 0: hits }) => hits,
        Number.NaN,
      ),
  }
}

const not = (x: Tensor): Tensor => x.mul(-1).add(1)
/**
 * Makes a count of positives that are predicted positive.
 *
 * @example
 * ```ts
 * const state = metrics.truePositives().start()
 * state.update(tensor([[1], [0], [1]]), tensor([[0.9], [0.8], [0.2]]))
 * console.log(await state.result())   // 1
 * state.dispose()
 * ```
 */
export const truePositives = (options: ThresholdOptions = {}): Metric =>
  count('truePositives', 'true_positives', options, (t, p) => t.mul(p))
/**
 * Makes a count of negatives that are predicted positive.
 *
 * @example
 * ```ts
 * const state = metrics.falsePositives().start()
 * state.update(tensor([[1], [0], [0]]), tensor([[0.9], [0.8], [0.7]]))
 * console.log(await state.result())   // 2
 * state.dispose()
 * ```
 */
export const falsePositives = (options: ThresholdOptions = {}): Metric =>
  count('falsePositives', 'false_positives', options, (t, p) => not(t).mul(p))
/**
 * Makes a count of negatives that are predicted negative.
 *
 * @example
 * ```ts
 * const state = metrics.trueNegatives().start()
 * state.update(tensor([[1], [0], [0]]), tensor([[0.9], [0.1], [0.2]]))
 * console.log(await state.result())   // 2
 * state.dispose()
 * ```
 */
export const trueNegatives = (options: ThresholdOptions = {}): Metric =>
  count('trueNegatives', 'true_negatives', options, (t, p) => not(t).mul(not(p)))
/**
 * Makes a count of positives that are predicted negative.
 *
 * @example
 * ```ts
 * const state = metrics.falseNegatives().start()
 * state.update(tensor([[1], [0], [1]]), tensor([[0.9], [0.1], [0.2]]))
 * console.log(await state.result())   // 1
 * state.dispose()
 * ```
 */
export const falseNegatives = (options: ThresholdOptions = {}): Metric =>
  count('falseNegatives', 'false_negatives', options, (t, p) => t.mul(not(p)))

/**
 * Counts how often class i (row) was predicted as class j (column).
 *
 * Shape: class numbers [n], or rows of scores or one-hot rows [n, classes] → int32 [classes, classes]
 * Cost:  2·n·classes² flops; exact up to 2²⁴ samples
 *
 * @throws ShapeError if yTrue and yPred differ in samples
 * @example
 * ```ts
 * const matrix = confusionMatrix(tensor([0, 1, 1]), tensor([0, 1, 0]), 2)
 * console.log(await matrix.array())   // [[1, 0], [1, 1]]
 * ```
 */
export const confusionMatrix = (yTrue: Tensor, yPred: Tensor, classes: number): Tensor =>
  scope(() => matMul(...classRows(yTrue, yPred, classes), { transposeA: true }).cast('int32'))

/** Class numbers, or the positions of the largest scores, as one-hot rows. */
function classRows(yTrue: Tensor, yPred: Tensor, classes: number): [truth: Tensor, predicted: Tensor] {
  requireWhole('confusionMatrix', 'classes', classes, { least: 1 })
  const rows = (name: string, y: Tensor): Tensor => {
    requireTensor('confusionMatrix', name, y)
    if (y.rank === 0 || y.rank > 2 || (y.rank === 2 && y.shape[1] !== classes && y.shape[1] !== 1)) {
      throw new ValueError(`confusionMatrix: class numbers [n] or rows [n, ${classes}] are needed, ${name} is [${y.shape.join(', ')}].`)
    }
    return (y.rank === 2 && y.shape[1] > 1 ? y.argMax() : y.reshape([y.size])).oneHot(classes)
  }
  const [truth, predicted] = [rows('yTrue', yTrue), rows('yPred', yPred)]
  if (truth.shape[0] === predicted.shape[0]) return [truth, predicted]
  throw new ShapeError(`confusionMatrix: yTrue has ${truth.shape[0]} samples and yPred has ${predicted.shape[0]}.`)
}

/**
 * A confusion matrix filled batch by batch; its result is rows of plain numbers. It is no metric for `compile`, since logs hold single numbers.
 *
 * @example
 * ```ts
 * const confusion = confusionMatrixOfBatches(4)
 * for (const [x, y] of batches(xTest, yTest)) confusion.update(y, model.apply(x))
 * const rows = await confusion.result()
 * console.log(rows.flat().reduce((sum, n) => sum + n, 0))   // 16
 * confusion.dispose()
 * ```
 */
export function confusionMatrixOfBatches(classes: number): MetricState<number[][]> {
  requireWhole('confusionMatrixOfBatches', 'classes', classes, { least: 1 })
  const square = (totals?: ArrayLike<number>): number[][] =>
    Array.from({ length: classes }, (_, i) => Array.from({ length: classes }, (_, j) => totals?.[i * classes + j] ?? 0))
  return sums(
    'confusionMatrixOfBatches',
    (yTrue, yPred, mask, weights) => {
      const [truth, predicted] = classRows(yTrue, yPred, classes)
      return matMul(counted(truth, factorsOf(truth, mask, weights)), predicted, { transposeA: true }).reshape([classes * classes])
    },
    square,
    square(),
  )
}
