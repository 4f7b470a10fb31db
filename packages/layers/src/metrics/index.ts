/**
 * Metrics, with the definitions and names of Keras 2.3.1 (keras/metrics.py). A metric given by name is reported under the name as typed. AUC, F1 and the
 * root mean squared error, which Keras 2.3 has not, follow tf.keras and Keras 3.
 *
 * Shape: yTrue [n, ..], yPred [n, ..] → [n]
 */
import { type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireObject } from '@cotangent/core/arguments'
import {
  getLoss,
  type Loss,
  type LossIdentifier,
  type LossName,
  type LossOptions,
  lossAliases,
  lossNames,
  lossValues,
} from '../losses/index.js'
import {
  camelKeys,
  classNameOf,
  lookUp,
  readOptions,
  requireCalled,
  type SavedObject,
  type SpelledOptions,
  type Spelling,
} from '../spelling/names.js'
import {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  thresholdAccuracy,
  topKAccuracy,
  topKCategoricalAccuracy,
} from './accuracy.js'
import { precisionAtRecall, recallAtPrecision, sensitivityAtSpecificity, specificityAtSensitivity } from './at-thresholds.js'
import { auc } from './auc.js'
import { falseNegatives, falsePositives, trueNegatives, truePositives } from './counts.js'
import { f1Score, fBetaScore } from './f-scores.js'
import { binaryIoU, iou, meanIoU, oneHotIoU, oneHotMeanIoU } from './iou.js'
import { precision, recall } from './precision-recall.js'
import { concordanceCorrelation, pearsonCorrelation, r2Score } from './regression.js'
import { builtInMean, type MeanMetric, type Metric, type MetricFunction, meanMetric } from './state.js'

export * from './accuracy.js'
export * from './at-thresholds.js'
export { type AUCOptions, auc } from './auc.js'
export * from './counts.js'
export * from './f-scores.js'
export * from './iou.js'
export { type ManyThresholds, type PositivesOptions, precision, recall } from './precision-recall.js'
export * from './regression.js'
export { type MeanMetric, type Metric, type MetricFunction, type MetricState, meanMetric } from './state.js'

/** The cosine of the angle between target and prediction. As a metric, Keras 2.3 reports it with the positive sign. */
const cosineProximity: MetricFunction = (yTrue, yPred) => lossValues('cosineProximity')(yTrue, yPred).neg()

/**
 * Makes the metric √(mean of all squared errors), over all samples of an epoch. `name` is the name in logs.
 *
 * @example
 * ```ts
 * const state = metrics.rootMeanSquaredError().start()
 * state.update(tensor([[0], [0]]), tensor([[3], [4]]))
 * console.log(await state.result())   // ≈ 3.5355
 * state.dispose()
 * ```
 */
export function rootMeanSquaredError(options: { name?: string } = {}): MeanMetric {
  const config = readOptions('rootMeanSquaredError', options, { name: 'root_mean_squared_error' })
  return {
    ...builtInMean(config.name, lossValues('meanSquaredError'), Math.sqrt),
    savedForm: { className: 'rootMeanSquaredError', config },
  }
}

/**
 * Makes a metric of a loss with options: the mean of its values. `name` is the name in logs, that of the loss by default.
 *
 * @throws ValueError for an unknown loss, or options that it does not take
 * @example
 * ```ts
 * const metric = metrics.ofLoss({ loss: 'binaryCrossentropy', labelSmoothing: 0.1 })
 * console.log(metric.name)   // binaryCrossentropy
 * ```
 */
export function ofLoss(options: SpelledOptions<LossOptions> & { loss: LossIdentifier; name?: string }): MeanMetric {
  requireObject('ofLoss', options, ['loss'], "metrics.ofLoss({ loss: 'huber', delta: 2 })")
  const { loss, name, ...rest } = options
  if (loss === undefined) throw new ValueError("ofLoss: loss is missing. Write metrics.ofLoss({ loss: 'huber', delta: 2 }).")
  const { name: own, options: given } = getLoss(loss, rest as LossOptions)
  if (!given) throw new ValueError('ofLoss: the loss must be one of ours, by its name. A function is a metric as it is.')
  const config = { loss: own, name: name ?? own, ...given }
  const values = lossValues(own as LossName) as (t: Tensor, p: Tensor, options: LossOptions) => Tensor
  // As a metric, Keras reports the cosine with the positive sign.
  const measure: MetricFunction = own === 'cosineProximity' ? (t, p) => values(t, p, given).neg() : (t, p) => values(t, p, given)
  return { ...builtInMean(config.name, measure), savedForm: { className: 'ofLoss', config } }
}

/** Metrics made by a call, with names of their own. */
const counted = {
  precision,
  recall,
  truePositives,
  falsePositives,
  trueNegatives,
  falseNegatives,
  f1Score,
  fBetaScore,
  auc,
  rootMeanSquaredError,
  binaryIoU,
  r2Score,
  pearsonCorrelation,
  concordanceCorrelation,
}

/** All metrics made by a call. */
const made = {
  ...counted,
  thresholdAccuracy,
  topKAccuracy,
  ofLoss,
  iou,
  meanIoU,
  oneHotIoU,
  oneHotMeanIoU,
  sensitivityAtSpecificity,
  specificityAtSensitivity,
  precisionAtRecall,
  recallAtPrecision,
}

const accuracies = {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
} satisfies Record<string, MetricFunction>

const byOutput = <Name>(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
  [binary, sparse, other]: readonly [Name, Name, Name],
): Name =>
  outputShape.at(-1) === 1 || outputShape.length === 1 || loss === 'binaryCrossentropy'
    ? binary
    : loss === 'sparseCategoricalCrossentropy'
      ? sparse
      : other

/** Throws unless `loss` is a loss or its name, and `outputShape` a shape. */
function requireOutput(what: string, loss: unknown, outputShape: unknown): void {
  const isLoss =
    loss === undefined || typeof loss === 'string' || typeof (Object(loss) as { call?: unknown; name?: unknown }).name === 'string'
  if (!isLoss || typeof loss === 'function') throw new ValueError(`${what}: loss must be a loss or its name, got ${describeValue(loss)}.`)
  if (Array.isArray(outputShape) && outputShape.every((n) => n === null || Number.isSafeInteger(n))) return
  throw new ValueError(`${what}: outputShape must be a list of sizes, null where one is open, got ${describeValue(outputShape)}.`)
}

/**
 * The accuracy that `'accuracy'` stands for: binary if the output has one value for each sample ([n, .., 1] or [n]) or the loss is `binaryCrossentropy`,
 * sparse for the sparse loss, else categorical.
 *
 * @example
 * ```ts
 * console.log(resolveAccuracy('categoricalCrossentropy', [null, 10]))   // categoricalAccuracy
 * ```
 */
export function resolveAccuracy(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
): 'binaryAccuracy' | 'sparseCategoricalAccuracy' | 'categoricalAccuracy' {
  requireOutput('resolveAccuracy', loss, outputShape)
  return byOutput(loss, outputShape, ['binaryAccuracy', 'sparseCategoricalAccuracy', 'categoricalAccuracy'])
}

/** Functions of this package; they check shapes themselves. */
const builtIn: ReadonlySet<unknown> = new Set([...Object.values(accuracies), ...lossNames.map((name) => lossValues(name))])
/**
 * The crossentropy that `'crossentropy'` stands for, by the rule of `resolveAccuracy`.
 *
 * @example
 * ```ts
 * console.log(resolveCrossentropy('mse', [null, 1]))   // binaryCrossentropy
 * ```
 */
export function resolveCrossentropy(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
): 'binaryCrossentropy' | 'sparseCategoricalCrossentropy' | 'categoricalCrossentropy' {
  requireOutput('resolveCrossentropy', loss, outputShape)
  return byOutput(loss, outputShape, ['binaryCrossentropy', 'sparseCategoricalCrossentropy', 'categoricalCrossentropy'])
}

type Maker = (name: string, loss: string | undefined, outputShape: readonly (number | null)[]) => Metric

const makers: Readonly<Record<string, Maker>> = {
  accuracy: (name, loss, outputShape) => builtInMean(name, accuracies[resolveAccuracy(loss, outputShape)]),
  crossentropy: (name, loss, outputShape) => builtInMean(name, lossValues(resolveCrossentropy(loss, outputShape))),
  ...Object.fromEntries(Object.entries(counted).map(([key, make]): [string, Maker] => [key, (name) => make({ name })])),
  ...Object.fromEntries(Object.entries(accuracies).map(([key, measure]): [string, Maker] => [key, (name) => builtInMean(name, measure)])),
  ...Object.fromEntries(lossNames.map((key): [string, Maker] => [key, (name) => builtInMean(name, lossValues(key))])),
  cosineProximity: (name) => builtInMean(name, cosineProximity),
}
const aliases = { acc: 'accuracy', ce: 'crossentropy', ...lossAliases } as const

/** Names of the metrics: accuracies, counts, and every loss. */
export type MetricName = 'accuracy' | 'crossentropy' | keyof typeof counted | keyof typeof accuracies | LossName | keyof typeof aliases
/** A metric by name, as an object, in the form that saved models hold, or as a function. */
export type MetricIdentifier = Spelling<MetricName> | Metric | SavedObject | MetricFunction

/**
 * A metric by name, as an object, from a function, or from a saved model's description.
 *
 * @param loss the model's loss, which decides what `'accuracy'` stands for
 * @param outputShape the shape of the model's output
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * const metric = getMetric('acc', getLoss('binaryCrossentropy'), [null, 1])   // binaryAccuracy
 * console.log(metric.name)   // acc
 * ```
 */
export function getMetric(id: MetricIdentifier, loss?: Loss | string, outputShape: readonly (number | null)[] = []): Metric {
  requireCalled('metrics', id, made)
  requireOutput('getMetric', loss, outputShape)
  if (typeof id === 'function') return builtIn.has(id) ? builtInMean(id.name, id) : meanMetric(id.name || 'metric', id)
  if (typeof id === 'object' && id !== null) {
    if ('start' in id) return requireMetric(id)
    return lookUp<(config: never) => Metric>('metric', classNameOf('metric', id), made)(camelKeys(id.config ?? {}) as never)
  }
  return lookUp('metric', id, makers, aliases)(id, typeof loss === 'object' ? loss.name : loss, outputShape)
}

/** A user's object, checked to be a metric. */
function requireMetric(metric: Metric): Metric {
  if (typeof metric.start === 'function' && typeof metric.name === 'string') return metric
  throw new ValueError(`metrics: a metric that is an object needs a name and a function start(), got ${describeValue(metric)}.`)
}
