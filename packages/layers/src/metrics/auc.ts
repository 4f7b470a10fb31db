/** The area under a curve of decisions at many thresholds. Source: Keras 3.16, metrics/confusion_metrics.py, AUC. */
import { ShapeError, type Tensor } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { fromZero, listOf, oneOf, orNull, whole } from '../spelling/rules.js'
import { type Metric, sums } from './state.js'
import { countBetween, everyOne, positivesAbove } from './thresholds.js'

/** Options of `auc`. */
export interface AUCOptions {
  /** The number of thresholds, spread evenly from 0 to 1, at least 2; 200 by default. */
  numThresholds?: number
  /**
   * `ROC` (default): true positive rate over false positive rate. `PR`: precision over recall. `PRGAIN`: the gains of precision and recall over a guess that is always
   * positive (Flach and Kull 2015).
   */
  curve?: 'ROC' | 'PR' | 'PRGAIN'
  /**
   * The height between two thresholds: `interpolation` (default) takes a line, or for PR a line between the counts (Davis and Goadrich 2006); `minoring`
   * takes the lower value, `majoring` the higher.
   */
  summationMethod?: 'interpolation' | 'minoring' | 'majoring'
  /** Whether each column of the predictions [n, labels] has an area of its own, whose mean is the result; false by default: all elements count alike. */
  multiLabel?: boolean
  /** A weight for each column: in that mean, or without `multiLabel` for its elements; null by default, all count alike. */
  labelWeights?: readonly number[] | null
  /** Whether the predictions are logits, of which the sigmoid is taken; false by default. */
  fromLogits?: boolean
  /** The name in logs; `auc` by default. */
  name?: string
}

/**
 * Makes the metric "area under a curve", for predictions from 0 to 1: the receiver operating characteristic, the precision–recall curve, or that of their gains. All elements
 * count alike, whatever their column, unless `multiLabel` says otherwise. A prediction that is not finite counts as 0.
 *
 * Shape: yTrue and yPred of the same shape; with `multiLabel` [n, labels]
 *
 * @example
 * ```ts
 * const state = metrics.auc().start()
 * state.update(tensor([[0], [0], [1], [1]]), tensor([[0.1], [0.6], [0.4], [0.9]]))
 * console.log(await state.result())   // ≈ 0.75
 * state.dispose()
 * ```
 */
export function auc(options: SpelledOptions<AUCOptions> = {}): Metric {
  const config = readOptions<Required<AUCOptions>>(
    'auc',
    options,
    {
      ...{ numThresholds: 200, curve: 'ROC', summationMethod: 'interpolation' },
      ...{ multiLabel: false, labelWeights: null, fromLogits: false, name: 'auc' },
    },
    {
      numThresholds: whole({ least: 2 }),
      curve: oneOf('ROC', 'PR', 'PRGAIN'),
      summationMethod: oneOf('interpolation', 'minoring', 'majoring'),
      labelWeights: orNull(listOf(fromZero)),
    },
    "metrics.auc({ curve: 'PR' })",
  )
  const { numThresholds, curve, summationMethod, multiLabel, labelWeights, fromLogits, name } = config
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    if (multiLabel && yPred.rank !== 2)
      throw new ShapeError(`auc: with multiLabel the predictions are [n, labels], got [${yPred.shape.join(', ')}].`)
    const columns = yPred.shape[yPred.rank - 1] ?? 1
    if (labelWeights && labelWeights.length !== columns)
      throw new ShapeError(`auc: there are ${labelWeights.length} labelWeights for ${columns} columns of predictions.`)
    const counting = {
      thresholds: numThresholds,
      byColumn: multiLabel,
      columnWeights: multiLabel ? undefined : (labelWeights ?? undefined),
    }
    return countBetween('auc', counting, yTrue, fromLogits ? yPred.sigmoid() : yPred, mask, weights)
  }
  const areaOf = (totals: ArrayLike<number>): number => {
    const { tp, fp } = positivesAbove(totals)
    // As in Keras, the lowest threshold is below all predictions.
    const [positives, negatives] = everyOne(totals)
    tp[0] = positives
    fp[0] = negatives
    if (curve === 'PR' && summationMethod === 'interpolation') return interpolatedPrecision(tp, fp)
    const height = { interpolation: (a: number, b: number) => (a + b) / 2, minoring: Math.min, majoring: Math.max }[summationMethod]
    const area = (x: readonly number[], y: readonly number[]): number =>
      x.slice(1).reduce((sum, right, j) => sum + (x[j] - right) * height(y[j], y[j + 1]), 0)
    if (curve === 'PRGAIN') return area(...gains(tp, fp))
    const rate = (hits: number, all: number): number => (all > 0 ? hits / all : 0)
    const recall = tp.map((hits) => rate(hits, tp[0]))
    const x = curve === 'ROC' ? fp.map((misses) => rate(misses, fp[0])) : recall
    const y = curve === 'ROC' ? recall : tp.map((hits, j) => rate(hits, hits + fp[j]))
    return area(x, y)
  }
  const result = (totals: ArrayLike<number>): number => {
    if (!multiLabel) return areaOf(totals)
    const size = 2 * numThresholds
    const areas = Array.from({ length: totals.length / size }, (_, i) => areaOf(Array.from(totals).slice(i * size, (i + 1) * size)))
    const all = areas.reduce((sum, _, i) => sum + (labelWeights?.[i] ?? 1), 0)
    return all > 0 ? areas.reduce((sum, area, i) => sum + area * (labelWeights?.[i] ?? 1), 0) / all : 0
  }
  const own = { numThresholds, curve, summationMethod, name }
  const more = { ...(multiLabel && { multiLabel }), ...(labelWeights && { labelWeights }), ...(fromLogits && { fromLogits }) }
  return { name, savedForm: { className: 'auc', config: { ...own, ...more } }, start: () => sums('auc', measure, result, Number.NaN) }
}

/**
 * 1 − π·FN/TP and 1 − π·FP/TP, where π = positives/negatives. As in Keras, without true positives they are 0 and 1, and a gain of recall is at least 0.
 */
function gains(tp: readonly number[], fp: readonly number[]): [recall: number[], precision: number[]] {
  const odds = fp[0] > 0 ? tp[0] / fp[0] : 0
  const recall = tp.map((hits) => (hits > 0 ? Math.max(0, 1 - (odds * (tp[0] - hits)) / hits) : 0))
  return [recall, tp.map((hits, j) => (hits > 0 ? 1 - (odds * fp[j]) / hits : 1))]
}

/** ∫ precision d recall, with counts that change linearly between thresholds: slope·(ΔTP + b·ln(P₁/P₂)) / positives, where P = TP + FP. */
function interpolatedPrecision(tp: readonly number[], fp: readonly number[]): number {
  let area = 0
  for (let j = 0; j + 1 < tp.length; j++) {
    const gained = tp[j] - tp[j + 1]
    const [more, fewer] = [tp[j] + fp[j], tp[j + 1] + fp[j + 1]]
    if (more === fewer) continue
    const slope = gained / (more - fewer)
    const intercept = tp[j + 1] - slope * fewer
    area += slope * (gained + (fewer > 0 ? intercept * Math.log(more / fewer) : 0))
  }
  return tp[0] > 0 ? area / tp[0] : 0
}
