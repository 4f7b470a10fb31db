/** Precision and recall: of all elements, of the largest of each row, of one column. Source: Keras 3.16, metrics/confusion_metrics.py. */
import { ShapeError, stack, type Tensor, topK, ValueError } from '@cotangent/core'
import { targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, orNull, whole } from '../spelling/rules.js'
import { counted, factorsOf, type Metric, sums } from './state.js'
import { columnOf } from './thresholds.js'

/** Options of `precision` and `recall`. */
export interface PositivesOptions {
  /** A prediction above it counts as positive; ½ by default, with `topK` none: all of these count. */
  threshold?: number | null
  /** Only the k largest predictions of a row, along the last axis, can count as positive; null by default: all. */
  topK?: number | null
  /** Look at this column alone, counted from 0; null by default: all columns. */
  classId?: number | null
  /** The name in logs; that of the metric, such as `precision`, by default. */
  name?: string
}
/** The same for several thresholds. */
export type ManyThresholds = Omit<PositivesOptions, 'threshold'> & { threshold: readonly number[] }

/** Where a prediction is among the k largest of its row: the first of equal ones. */
function largest(what: string, p: Tensor, k: number): Tensor {
  const columns = p.shape[p.rank - 1]
  if (p.rank < 2)
    throw new ShapeError(`${what}: topK needs an axis of classes, [n, .., classes], got the predictions [${p.shape.join(', ')}].`)
  if (k > columns) throw new ShapeError(`${what}: topK is ${k}, but the predictions have ${columns} columns.`)
  return topK(p, k).indices.oneHot(columns, 'bool').any({ axis: -2 })
}

/** The share of the `chosen` elements that are positive in truth and prediction: Σ y·[p > threshold] / Σ chosen; 0 if nothing is chosen. */
function positives(kind: 'precision' | 'recall', options: object, chosen: (truth: Tensor, predicted: Tensor) => Tensor): Metric {
  const {
    threshold: given,
    topK: k,
    classId,
    name,
  } = readOptions<Required<PositivesOptions> & { threshold?: number | null }>(
    kind,
    options,
    { threshold: null, topK: null, classId: null, name: kind as string },
    { threshold: orNull(number({})), topK: orNull(whole({ least: 1 })), classId: orNull(whole({ least: 0 })) },
    `metrics.${kind}({ threshold: 0.5 })`,
  )
  const threshold = given ?? (k === null ? 0.5 : null)
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    const column = (x: Tensor): Tensor => columnOf(kind, x, classId)
    const among = k === null ? undefined : column(largest(kind, yPred, k))
    const p = column(yPred)
    const truth = column(targetsLike(kind, yPred, yTrue))
      .cast('bool')
      .cast(p.dtype)
    const above = threshold === null ? undefined : p.greater(threshold)
    const predicted = (above && among ? above.logicalAnd(among) : ((above ?? among) as Tensor)).cast(p.dtype)
    const factors = factorsOf(p, mask && columnOfMask(mask, yPred, classId), weights)
    const total = (x: Tensor): Tensor => counted(x, factors).sum()
    return stack([total(truth.mul(predicted)), total(chosen(truth, predicted))])
  }
  const config = { threshold, ...(k !== null && { topK: k }), ...(classId !== null && { classId }), name }
  return {
    name,
    savedForm: { className: kind, config },
    start: () => sums(kind, measure, ({ 0: both, 1: all }) => (all > 0 ? both / all : 0), Number.NaN),
  }
}

/** A mask of all elements in one column; one of samples or steps stays. */
const columnOfMask = (mask: Tensor, p: Tensor, classId: number | null): Tensor =>
  mask.rank === p.rank && mask.shape[mask.rank - 1] === p.shape[p.rank - 1] ? columnOf('mask', mask, classId) : mask

type Positives = {
  (options?: SpelledOptions<PositivesOptions>): Metric
  (options: SpelledOptions<ManyThresholds>): Metric[]
}
/** A metric for each threshold of a list, `precision_0.3`; one metric for one threshold. */
const perThreshold = (kind: 'precision' | 'recall', chosen: (truth: Tensor, predicted: Tensor) => Tensor): Positives =>
  ((options: ManyThresholds = {} as ManyThresholds) => {
    const { threshold, name = kind } = Object(options) as ManyThresholds
    if (!Array.isArray(threshold)) return positives(kind, options, chosen)
    if (threshold.length === 0) throw new ValueError(`${kind}: threshold must be a number, or a list of at least one.`)
    return threshold.map((one) => positives(kind, { ...options, threshold: one, name: `${name}_${one}` }, chosen))
  }) as Positives

/**
 * Makes the metric true positives / predicted positives; 0 without predicted positives. A list of thresholds makes a list of metrics, each with its threshold in its name.
 *
 * @throws ValueError or ShapeError for a class that there is not, or more than all columns
 * @example
 * ```ts
 * const state = metrics.precision().start()
 * state.update(tensor([[1], [0], [1]]), tensor([[0.9], [0.8], [0.2]]))
 * console.log(await state.result())   // 0.5
 * state.dispose()
 * console.log(metrics.precision({ threshold: [0.3, 0.7] }).map(({ name }) => name))   // ['precision_0.3', 'precision_0.7']
 * ```
 */
export const precision: Positives = perThreshold('precision', (_, predicted) => predicted)
/**
 * Makes the metric true positives / actual positives; 0 without positives. A list of thresholds makes a list of metrics, each with its threshold in its name.
 *
 * @throws ValueError or ShapeError for a class that there is not, or more than all columns
 * @example
 * ```ts
 * const state = metrics.recall().start()
 * state.update(tensor([[1], [0], [1], [1]]), tensor([[0.9], [0.8], [0.2], [0.7]]))
 * console.log(await state.result())   // ≈ 0.6667
 * state.dispose()
 * ```
 */
export const recall: Positives = perThreshold('recall', (truth) => truth)
