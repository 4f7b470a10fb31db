/**
 * Metrics, with Keras 2.3's definitions (keras/metrics.py 2.3.1) and names: a metric given by name is reported under the name as typed. Those
 * that 2.3 does not have are tf.keras' and Keras 3's: AUC and F1.
 *
 * Shape: yTrue [n, ..], yPred [n, ..] → [n]
 */
import { type Loss, type LossName, lossAliases, lossNames, lossValues } from './losses.js'
import {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  thresholdAccuracy,
  topKAccuracy,
  topKCategoricalAccuracy,
} from './metrics/accuracy.js'
import { auc } from './metrics/auc.js'
import { f1Score, falseNegatives, falsePositives, precision, recall, trueNegatives, truePositives } from './metrics/counts.js'
import { type MeanMetric, type Metric, type MetricFunction, meanMetric } from './metrics/state.js'
import { camelKeys, classNameOf, lookUp, type SavedObject, type Spelling } from './names.js'

export * from './metrics/accuracy.js'
export { type AUCOptions, auc } from './metrics/auc.js'
export * from './metrics/counts.js'
export { type MeanMetric, type Metric, type MetricFunction, type MetricState, meanMetric } from './metrics/state.js'

/** cos of the angle between target and prediction: as a metric Keras 2.3 reports it with the positive sign. */
const cosineProximity: MetricFunction = (yTrue, yPred) => lossValues('cosineProximity')(yTrue, yPred).neg()

/** √ of the mean of all squared errors. */
export const rootMeanSquaredError = ({ name = 'root_mean_squared_error' }: { name?: string } = {}): MeanMetric => ({
  ...meanMetric(name, lossValues('meanSquaredError'), Math.sqrt),
  savedForm: { className: 'rootMeanSquaredError', config: { name } },
})

/** Metrics that are made by a call. */
const counted = { precision, recall, truePositives, falsePositives, trueNegatives, falseNegatives, f1Score, auc, rootMeanSquaredError }

/** The same, and those that have no name of their own. */
const made = { ...counted, thresholdAccuracy, topKAccuracy }

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
): Name => (outputShape.at(-1) === 1 || loss === 'binaryCrossentropy' ? binary : loss === 'sparseCategoricalCrossentropy' ? sparse : other)

/**
 * Which accuracy `'accuracy'` means: binary for an output of one value or the loss binaryCrossentropy (then element by element), sparse for the
 * sparse loss, else categorical.
 */
export function resolveAccuracy(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
): 'binaryAccuracy' | 'sparseCategoricalAccuracy' | 'categoricalAccuracy' {
  return byOutput(loss, outputShape, ['binaryAccuracy', 'sparseCategoricalAccuracy', 'categoricalAccuracy'])
}

type Maker = (name: string, loss: string | undefined, outputShape: readonly (number | null)[]) => Metric

const makers: Readonly<Record<string, Maker>> = {
  accuracy: (name, loss, outputShape) => meanMetric(name, accuracies[resolveAccuracy(loss, outputShape)]),
  crossentropy: (name, loss, outputShape) =>
    meanMetric(
      name,
      lossValues(byOutput(loss, outputShape, ['binaryCrossentropy', 'sparseCategoricalCrossentropy', 'categoricalCrossentropy'])),
    ),
  ...Object.fromEntries(Object.entries(counted).map(([key, make]): [string, Maker] => [key, (name) => make({ name })])),
  ...Object.fromEntries(Object.entries(accuracies).map(([key, measure]): [string, Maker] => [key, (name) => meanMetric(name, measure)])),
  ...Object.fromEntries(lossNames.map((key): [string, Maker] => [key, (name) => meanMetric(name, lossValues(key))])),
  cosineProximity: (name) => meanMetric(name, cosineProximity),
}
const aliases = { acc: 'accuracy', ce: 'crossentropy', ...lossAliases } as const

/** Names of the metrics: accuracies, counts, and every loss. */
export type MetricName = 'accuracy' | 'crossentropy' | keyof typeof counted | keyof typeof accuracies | LossName | keyof typeof aliases
/** How a metric may be given. */
export type MetricIdentifier = Spelling<MetricName> | Metric | SavedObject | MetricFunction

/**
 * A metric by name, object, function, or as saved models describe it.
 *
 * @param loss the model's loss, by which `'accuracy'` is resolved
 * @param outputShape the model's output shape
 * @throws ValueError for an unknown name.
 * @example
 * ```ts
 * const metric = getMetric('acc', getLoss('binaryCrossentropy'), [null, 1])   // binaryAccuracy, reported as "acc"
 * ```
 */
export function getMetric(id: MetricIdentifier, loss?: Loss | string, outputShape: readonly (number | null)[] = []): Metric {
  if (typeof id === 'function') return meanMetric(id.name || 'metric', id)
  if (typeof id === 'object' && id !== null) {
    if ('start' in id) return id
    return lookUp<(config: never) => Metric>('metric', classNameOf('metric', id), made)(camelKeys(id.config ?? {}) as never)
  }
  return lookUp('metric', id, makers, aliases)(id, typeof loss === 'object' ? loss.name : loss, outputShape)
}
