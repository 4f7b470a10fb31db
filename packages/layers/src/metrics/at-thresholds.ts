/** The best value of one rate where another is high enough. Source: Keras 3.16, metrics/confusion_metrics.py. */
import { type Tensor, ValueError } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { orNull, share, whole } from '../spelling/rules.js'
import { type Metric, sums } from './state.js'
import { columnOf, countBetween, everyOne, positivesAbove } from './thresholds.js'

/** Options of the four metrics, beside the rate that must be reached. */
export interface AtOptions {
  /** The number of thresholds, spread evenly from 0 to 1, at least 2; 200 by default. */
  numThresholds?: number
  /** Look at this column of the predictions alone, counted from 0; null by default: all columns. */
  classId?: number | null
  /** The name in logs; `sensitivity_at_specificity` and so on by default. */
  name?: string
}

/** Counts at a threshold. */
interface Counts {
  tp: number
  fp: number
  fn: number
  tn: number
}
const rate = (part: number, all: number): number => (all > 0 ? part / all : 0)
const rates = {
  sensitivity: ({ tp, fn }: Counts) => rate(tp, tp + fn),
  specificity: ({ tn, fp }: Counts) => rate(tn, tn + fp),
  precision: ({ tp, fp }: Counts) => rate(tp, tp + fp),
  recall: ({ tp, fn }: Counts) => rate(tp, tp + fn),
}

function best(what: string, wanted: keyof typeof rates, given: keyof typeof rates, options: object): Metric {
  const example = `metrics.${what}({ ${given}: 0.8 })`
  const defaults = {
    [given]: undefined as number | undefined,
    numThresholds: 200,
    classId: null as number | null,
    name: `${wanted}_at_${given}`,
  }
  const config = readOptions<typeof defaults>(
    what,
    options,
    defaults,
    { [given]: share, numThresholds: whole({ least: 2 }), classId: orNull(whole({ least: 0 })) },
    example,
  )
  const { numThresholds, classId, name } = config as Required<AtOptions>
  const least = (config as Record<string, number | undefined>)[given]
  if (least === undefined) throw new ValueError(`${what}: ${given} is missing. Write ${example}.`)
  const column = (x: Tensor): Tensor => columnOf(what, x, classId)
  const measure = (t: Tensor, p: Tensor, mask?: Tensor, weights?: Tensor): Tensor =>
    countBetween(what, { thresholds: numThresholds }, column(t), column(p), mask, weights)
  const result = (totals: ArrayLike<number>): number => {
    const { tp, fp } = positivesAbove(totals)
    const [positives, negatives] = everyOne(totals)
    const counts = tp.map((hits, j): Counts => ({ tp: hits, fp: fp[j], fn: positives - hits, tn: negatives - fp[j] }))
    return Math.max(0, ...counts.filter((each) => rates[given](each) >= least).map(rates[wanted]))
  }
  return { name, savedForm: { className: what, config }, start: () => sums(what, measure, result, Number.NaN) }
}

/**
 * Makes the metric "sensitivity (recall) at specificity": the best TP/(TP+FN) at a threshold where TN/(TN+FP) is at least `specificity`; 0 if there is none.
 *
 * @throws ValueError without specificity
 * @example
 * ```ts
 * const state = metrics.sensitivityAtSpecificity({ specificity: 0.5 }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0.1, 0.6, 0.4, 0.9]))
 * console.log(await state.result())   // 1
 * state.dispose()
 * ```
 */
export const sensitivityAtSpecificity = (options: SpelledOptions<AtOptions & { specificity: number }>): Metric =>
  best('sensitivityAtSpecificity', 'sensitivity', 'specificity', options)
/**
 * Makes the metric "specificity at sensitivity": the best TN/(TN+FP) at a threshold where TP/(TP+FN) is at least `sensitivity`; 0 if there is none.
 *
 * @throws ValueError without sensitivity
 * @example
 * ```ts
 * const state = metrics.specificityAtSensitivity({ sensitivity: 1 }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0.1, 0.6, 0.4, 0.9]))
 * console.log(await state.result())   // 0.5
 * state.dispose()
 * ```
 */
export const specificityAtSensitivity = (options: SpelledOptions<AtOptions & { sensitivity: number }>): Metric =>
  best('specificityAtSensitivity', 'specificity', 'sensitivity', options)
/**
 * Makes the metric "precision at recall": the best TP/(TP+FP) at a threshold where TP/(TP+FN) is at least `recall`; 0 if there is none.
 *
 * @throws ValueError without recall
 * @example
 * ```ts
 * const state = metrics.precisionAtRecall({ recall: 1 }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0.1, 0.6, 0.4, 0.9]))
 * console.log(await state.result())   // ≈ 0.6667
 * state.dispose()
 * ```
 */
export const precisionAtRecall = (options: SpelledOptions<AtOptions & { recall: number }>): Metric =>
  best('precisionAtRecall', 'precision', 'recall', options)
/**
 * Makes the metric "recall at precision": the best TP/(TP+FN) at a threshold where TP/(TP+FP) is at least `precision`; 0 if there is none.
 *
 * @throws ValueError without precision
 * @example
 * ```ts
 * const state = metrics.recallAtPrecision({ precision: 1 }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0.1, 0.6, 0.4, 0.9]))
 * console.log(await state.result())   // 0.5
 * state.dispose()
 * ```
 */
export const recallAtPrecision = (options: SpelledOptions<AtOptions & { precision: number }>): Metric =>
  best('recallAtPrecision', 'recall', 'precision', options)
