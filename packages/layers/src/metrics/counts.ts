/** Metrics made of counts of decisions: precision, recall, F1, and the confusion matrix. */
import { matMul, ShapeError, scope, stack, type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { labelsLike, requireTensor, targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, orNull, whole } from '../spelling/rules.js'
import { counted, factorsOf, type Metric, type MetricState, sums } from './state.js'

/** Options of `precision`, `recall` and the four counts. */
export interface ThresholdOptions {
  /** Above it a prediction counts as positive; ½ by default. */
  threshold?: number
  name?: string
}

/** What is true and what is predicted, as 0 and 1, and how much each element counts. */
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

/** Of `chosen` elements, the share that are positive in both: Σ y·[p > threshold] / Σ chosen, 0 over nothing. */
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

/** True positives / predicted positives. */
export const precision = (options: ThresholdOptions = {}): Metric => positives('precision', options, (_, predicted) => predicted)
/** True positives / positives. */
export const recall = (options: ThresholdOptions = {}): Metric => positives('recall', options, (truth) => truth)

/** How many elements are of a kind. */
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
/** Positives that are predicted. */
export const truePositives = (options: ThresholdOptions = {}): Metric =>
  count('truePositives', 'true_positives', options, (t, p) => t.mul(p))
/** Negatives that are predicted positive. */
export const falsePositives = (options: ThresholdOptions = {}): Metric =>
  count('falsePositives', 'false_positives', options, (t, p) => not(t).mul(p))
/** Negatives that are predicted. */
export const trueNegatives = (options: ThresholdOptions = {}): Metric =>
  count('trueNegatives', 'true_negatives', options, (t, p) => not(t).mul(not(p)))
/** Positives that are predicted negative. */
export const falseNegatives = (options: ThresholdOptions = {}): Metric =>
  count('falseNegatives', 'false_negatives', options, (t, p) => t.mul(not(p)))

/** Options of `f1Score`. */
export interface F1ScoreOptions {
  /** Of the classes' scores: the mean ('macro', default), that weighted by how often each class is true ('weighted'); or the score of all counts together ('micro'). */
  average?: 'macro' | 'micro' | 'weighted'
  /** Above it a prediction counts as positive; null: the largest of a row does. By default ½ for one column, and null for several. */
  threshold?: number | null
  /** The score of one class alone. */
  classId?: number | null
  name?: string
}

/**
 * 2·true positives / (positives + predicted positives), 0 over nothing; for each column of the predictions, and then one number of them.
 *
 * Shape: yTrue like yPred, or class numbers; yPred [n, .., classes]
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
    // A row of zeros has no largest element.
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
 * How often class i (row) was taken for class j (column).
 *
 * Shape: class numbers [n], or rows of scores or one-hot rows [n, classes] → int32 [classes, classes]
 * Cost:  2·n·classes² flops; exact up to 2²⁴ samples
 */
export const confusionMatrix = (yTrue: Tensor, yPred: Tensor, classes: number): Tensor =>
  scope(() => matMul(...classRows(yTrue, yPred, classes), { transposeA: true }).cast('int32'))

/** Class numbers, or the positions of the largest scores, as one-hot rows of as many samples. */
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
 * A confusion matrix that is filled batch by batch, as rows of plain numbers. It is no metric of `compile`, since logs hold numbers.
 *
 * @example
 * ```ts
 * const confusion = confusionMatrixOfBatches(4)
 * for (const [x, y] of batches(xTest, yTest)) confusion.update(y, model.apply(x))
 * console.log(await confusion.result())
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
