/**
 * Metrics made of counts of decisions: precision, recall, F1, and the confusion matrix. Source: Keras 2.3.1, metrics.py; F1: Keras 3, f_score_metrics.py.
 */
import { matMul, ShapeError, scope, stack, type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { labelsLike, requireTensor, targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, orNull, whole } from '../spelling/rules.js'
import { counted, factorsOf, type Metric, type MetricState, sums } from './state.js'

/** Options of `precision`, `recall` and the four counts. */
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

/** The share of the `chosen` elements that are positive in truth and prediction: Σ y·[p > threshold] / Σ chosen; 0 if nothing is chosen. */
function positives(kind: 'precision' | 'recall', options: ThresholdOptions, chosen: (truth: Tensor, predicted: Tensor) => Tensor): Metric {
  const { threshold, name } = readOptions(
    kind,
    options,
    { threshold: 0.5, name: kind as string },
    {},
    `metrics.${kind}({ threshold: 0.5 })`,
  )
  return {
    name,
    savedForm: { className: kind, config: { threshold, name } },
    start: () =>
      sums(
        kind,
        (yTrue, yPred, mask, weights) => {
          const { truth, predicted, total } = decisions(kind, yTrue, yPred, threshold, mask, weights)
          return stack([total(truth.mul(predicted)), total(chosen(truth, predicted))])
        },
        ({ 0: both, 1: all }) => (all > 0 ? both / all : 0),
        Number.NaN,
      ),
  }
}

/**
 * Makes the metric true positives / predicted positives; 0 without predicted positives.
 *
 * @example
 * ```ts
 * const state = metrics.precision().start()
 * state.update(tensor([[1], [0], [1]]), tensor([[0.9], [0.8], [0.2]]))
 * console.log(await state.result())   // 0.5
 * state.dispose()
 * ```
 */
export const precision = (options: ThresholdOptions = {}): Metric => positives('precision', options, (_, predicted) => predicted)
/**
 * Makes the metric true positives / actual positives; 0 without positives.
 *
 * @example
 * ```ts
 * const state = metrics.recall().start()
 * state.update(tensor([[1], [0], [1], [1]]), tensor([[0.9], [0.8], [0.2], [0.7]]))
 * console.log(await state.result())   // ≈ 0.6667
 * state.dispose()
 * ```
 */
export const recall = (options: ThresholdOptions = {}): Metric => positives('recall', options, (truth) => truth)

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

/** Options of `f1Score`. */
export interface F1ScoreOptions {
  /**
   * `macro` (default): the mean of the classes' scores. `weighted`: that mean, weighted by how often each class is true. `micro`: one score, from the counts
   * of all classes together.
   */
  average?: 'macro' | 'micro' | 'weighted'
  /** A prediction above it counts as positive; with null the largest of each row does. By default ½ for one column, and null for several. */
  threshold?: number | null
  /** Report only the score of this class, counted from 0; null by default. */
  classId?: number | null
  /** The name in logs; `f1_score` by default. */
  name?: string
}

/**
 * Makes the metric 2·true positives / (positives + predicted positives), 0 if there are none. Each column of the predictions has its score; `average` makes
 * one number of them.
 *
 * Shape: yTrue like yPred, or class numbers; yPred [n, .., classes]
 *
 * @throws ValueError for `average: null`, or a class that there is not
 * @example
 * ```ts
 * const state = metrics.f1Score().start()
 * state.update(tensor([0, 1, 1]), tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]))
 * console.log(await state.result())   // ≈ 0.6667
 * state.dispose()
 * ```
 */
export function f1Score(options: SpelledOptions<F1ScoreOptions> = {}): Metric {
  const { average, threshold, classId, name } = readOptions<
    Omit<Required<F1ScoreOptions>, 'threshold'> & Pick<F1ScoreOptions, 'threshold'>
  >(
    'f1Score',
    options,
    { average: 'macro', threshold: undefined, classId: null, name: 'f1_score' },
    { average: orNull(oneOf('macro', 'micro', 'weighted')), threshold: orNull(number({})), classId: orNull(whole({ least: 0 })) },
    "metrics.f1Score({ average: 'micro' }), or of one class metrics.f1Score({ classId: 1 })",
  )
  if (average === null) throw new ValueError('f1Score: the scores of all classes are no one number. For one class give its classId.')
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    const classes = yPred.shape[yPred.rank - 1]
    if (yPred.rank < 2)
      throw new ShapeError(`f1Score: the predictions [${yPred.shape.join(', ')}] have no axis of classes: [n, .., classes].`)
    if (classId !== null && classId >= classes) {
      throw new ValueError(`f1Score: there is no class ${classId} among ${classes} columns.`)
    }
    const truth =
      yTrue.size === yPred.size
        ? targetsLike('f1Score', yPred, yTrue).cast('bool')
        : labelsLike('f1Score', yPred, yTrue).oneHot(classes, 'bool')
    const limit = threshold === undefined && classes === 1 ? 0.5 : (threshold ?? null)
    // In a row of zeros nothing is predicted.
    const predicted =
      limit === null
        ? yPred.greaterEqual(yPred.max({ axis: -1, keepDims: true })).logicalAnd(yPred.abs().greater(1e-9))
        : yPred.greater(limit)
    const factors = factorsOf(yPred, mask, weights)
    const byClass = (x: Tensor): Tensor => {
      return counted(x.cast(yPred.dtype), factors).sum({ axis: yPred.shape.map((_, axis) => axis).slice(0, -1) }) // [classes]
    }
    return stack([byClass(truth.logicalAnd(predicted)), byClass(truth), byClass(predicted)]).reshape([3 * classes])
  }
  const result = (totals: ArrayLike<number>): number => {
    const classes = totals.length / 3
    const [both, truth, predicted] = [0, 1, 2].map((row) => Array.from({ length: classes }, (_, c) => totals[row * classes + c]))
    const total = (row: readonly number[]): number => row.reduce((sum, x) => sum + x, 0)
    const f1 = (hits: number, chosen: number): number => (chosen > 0 ? (2 * hits) / chosen : 0)
    if (average === 'micro' && classId === null) return f1(total(both), total(truth) + total(predicted))
    const scores = both.map((hits, c) => f1(hits, truth[c] + predicted[c]))
    if (classId !== null) return scores[classId]
    if (average === 'macro') return total(scores) / classes
    return total(truth) > 0 ? total(scores.map((score, c) => score * truth[c])) / total(truth) : 0
  }
  const savedForm = { className: 'f1Score', config: { average, threshold, classId, name } }
  return { name, savedForm, start: () => sums('f1Score', measure, result, Number.NaN) }
}

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
