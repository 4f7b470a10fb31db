/**
 * The names of losses and metrics in files. If there is a name that Keras 2.3, tf.keras and Keras 3 all read, it is used. `logcosh`, `huber` and
 * `kullbackLeiblerDivergence` have the name of the latter two.
 */
import { canonical } from '@cotangent/core/arguments'
import type { BatchShape } from '../layer.js'
import { type LossName, lossAliases } from '../losses/index.js'
import { getMetric, type Metric, type MetricIdentifier, resolveCrossentropy } from '../metrics/index.js'
import { camelCase, camelKeys, type SavedObject, snakeCase, snakeKeys } from '../spelling/names.js'
import { isKerasObject, isObject, type Json, type KerasObject, plainClassName } from './keras-object.js'

/** The names of a loss in files: of its function, of its class, and of its class as a metric. */
interface LossWords {
  readonly name: string
  readonly className: string
  /** Keras' word for the metric, if it is not `name`. */
  readonly metric?: KerasObject
}

const plain = (name: string, className: string, metric?: KerasObject): LossWords => ({ name, className, metric })
const metricClass = (class_name: string, name: string): KerasObject => ({
  module: 'keras.metrics',
  class_name,
  config: { name },
  registered_name: null,
})

/** The losses of this package. */
export const lossWords: Readonly<Record<LossName, LossWords>> = {
  meanSquaredError: plain('mean_squared_error', 'MeanSquaredError'),
  meanAbsoluteError: plain('mean_absolute_error', 'MeanAbsoluteError'),
  meanAbsolutePercentageError: plain('mean_absolute_percentage_error', 'MeanAbsolutePercentageError'),
  meanSquaredLogarithmicError: plain('mean_squared_logarithmic_error', 'MeanSquaredLogarithmicError'),
  logcosh: plain('log_cosh', 'LogCosh', metricClass('LogCoshError', 'logcosh')),
  huber: plain('huber', 'Huber', {
    module: 'keras.losses',
    class_name: 'function',
    config: 'huber' as unknown as Json,
    registered_name: 'huber',
  }),
  hinge: plain('hinge', 'Hinge'),
  squaredHinge: plain('squared_hinge', 'SquaredHinge'),
  categoricalHinge: plain('categorical_hinge', 'CategoricalHinge'),
  poisson: plain('poisson', 'Poisson'),
  kullbackLeiblerDivergence: plain('kl_divergence', 'KLDivergence', metricClass('KLDivergence', 'kullback_leibler_divergence')),
  cosineProximity: plain('cosine_similarity', 'CosineSimilarity'),
  categoricalCrossentropy: plain('categorical_crossentropy', 'CategoricalCrossentropy'),
  sparseCategoricalCrossentropy: plain('sparse_categorical_crossentropy', 'SparseCategoricalCrossentropy'),
  binaryCrossentropy: plain('binary_crossentropy', 'BinaryCrossentropy'),
  binaryFocalCrossentropy: plain('binary_focal_crossentropy', 'BinaryFocalCrossentropy'),
  categoricalFocalCrossentropy: plain('categorical_focal_crossentropy', 'CategoricalFocalCrossentropy'),
  categoricalGeneralizedCrossEntropy: plain('categorical_generalized_cross_entropy', 'CategoricalGeneralizedCrossEntropy'),
  dice: plain('dice', 'Dice'),
  tversky: plain('tversky', 'Tversky'),
  circle: plain('circle', 'Circle'),
  ctc: plain('ctc', 'CTC'),
}

/** A metric made by a call: Keras' class and options, and ours with the values they must have. */
interface MadeMetric {
  readonly className: string
  /** Our options in Keras' words; undefined if Keras has none for them. */
  write(options: Json, columns: number | null | undefined): Json | undefined
  /** Options that Keras writes and that have no effect here; they must have these values. */
  readonly only?: Json
  /** Keras' options in ours. */
  read?(options: Json): Json
}

/** Numbers as Keras 3 writes its tensors, or as a list. */
const plainList = (value: unknown): unknown => (isObject(value) && isObject(value.config) ? value.config.value : (value ?? null))

/** ½, [½] and null are the same threshold. */
const oneThreshold = (value: unknown): unknown =>
  value === null || value === undefined ? 0.5 : Array.isArray(value) && value.length === 1 ? value[0] : value

const counted = (className: string): MadeMetric => ({
  className,
  only: {},
  write: ({ threshold, name }) => ({ name, thresholds: threshold }),
  read: ({ thresholds, ...rest }) => ({ ...rest, threshold: oneThreshold(thresholds) }),
})

/** Precision and recall, of the largest of each row and of one column, too. */
const positives = (className: string): MadeMetric => ({
  className,
  write: ({ threshold, topK: k, classId, name }) => ({ name, thresholds: threshold, top_k: k ?? null, class_id: classId ?? null }),
  read: ({ thresholds, ...rest }) => {
    const options = { ...rest, threshold: Array.isArray(thresholds) ? oneThreshold(thresholds) : thresholds }
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== undefined))
  },
})

const topK = (className: string, sparse: boolean): MadeMetric => ({
  className,
  write: (options) => (options.sparse === sparse ? { name: options.name, k: options.k } : undefined),
  read: (options) => ({ ...options, sparse }),
})

/** The entries by our class names. `topKAccuracy` has two classes in Keras. */
const madeMetrics: readonly (readonly [string, MadeMetric])[] = [
  ['precision', positives('Precision')],
  ['recall', positives('Recall')],
  ['truePositives', counted('TruePositives')],
  ['falsePositives', counted('FalsePositives')],
  ['trueNegatives', counted('TrueNegatives')],
  ['falseNegatives', counted('FalseNegatives')],
  [
    'auc',
    {
      className: 'AUC',
      only: { thresholds: null },
      write: (options) => snakeKeys(options),
      // The number of labels is that of the columns.
      read: ({ num_labels: _, label_weights: weights, ...options }) => ({ ...options, label_weights: plainList(weights) }),
    },
  ],
  [
    'f1Score',
    {
      className: 'F1Score',
      write: ({ average, threshold, classId, name }, columns) =>
        classId === null ? { name, average, threshold: threshold === undefined && columns === 1 ? 0.5 : (threshold ?? null) } : undefined,
    },
  ],
  [
    'fBetaScore',
    {
      className: 'FBetaScore',
      write: ({ average, threshold, classId, name, beta }, columns) =>
        classId === null
          ? { name, average, beta, threshold: threshold === undefined && columns === 1 ? 0.5 : (threshold ?? null) }
          : undefined,
    },
  ],
  [
    'r2Score',
    {
      className: 'R2Score',
      write: ({ classId, ...options }) => (classId === null ? snakeKeys(options) : undefined),
    },
  ],
  ...(
    [
      ['iou', 'IoU'],
      ['meanIoU', 'MeanIoU'],
      ['binaryIoU', 'BinaryIoU'],
      ['oneHotIoU', 'OneHotIoU'],
      ['oneHotMeanIoU', 'OneHotMeanIoU'],
      ['sensitivityAtSpecificity', 'SensitivityAtSpecificity'],
      ['specificityAtSensitivity', 'SpecificityAtSensitivity'],
      ['precisionAtRecall', 'PrecisionAtRecall'],
      ['recallAtPrecision', 'RecallAtPrecision'],
      ['pearsonCorrelation', 'PearsonCorrelation'],
      ['concordanceCorrelation', 'ConcordanceCorrelation'],
    ] as const
  ).map(([ours, className]): readonly [string, MadeMetric] => [
    ours,
    { className, only: { axis: -1 }, write: (options) => snakeKeys(options) },
  ]),
  ['rootMeanSquaredError', { className: 'RootMeanSquaredError', write: (options) => options }],
  ['thresholdAccuracy', { className: 'BinaryAccuracy', write: (options) => options }],
  ['topKAccuracy', topK('TopKCategoricalAccuracy', false)],
  ['topKAccuracy', topK('SparseTopKCategoricalAccuracy', true)],
]

/** Names of the metrics that are no losses, as all versions of Keras read them. */
const metricNames: Readonly<Record<string, string>> = {
  accuracy: 'accuracy',
  acc: 'acc',
  mae: 'mae',
  mse: 'mse',
  mape: 'mape',
  msle: 'msle',
  binaryAccuracy: 'binary_accuracy',
  categoricalAccuracy: 'categorical_accuracy',
  sparseCategoricalAccuracy: 'sparse_categorical_accuracy',
  topKCategoricalAccuracy: 'top_k_categorical_accuracy',
  sparseTopKCategoricalAccuracy: 'sparse_top_k_categorical_accuracy',
}

/** The loss of this package that a name in a file means, in any version of Keras. */
export function lossOf(name: string): LossName | undefined {
  const found = Object.entries(lossWords).find(
    ([, words]) => words.name === name || words.className === name || words.metric?.class_name === name,
  )
  return found?.[0] as LossName | undefined
}

/**
 * Keras' name of a metric; undefined if it has none. A user's name stays as it is, so that customObjects finds it.
 *
 * @param shape the shape of the output
 */
export function metricWord(
  { name, savedForm }: Metric,
  loss: string,
  shape: BatchShape,
  isKeras3: boolean,
): string | KerasObject | undefined {
  const columns = shape.at(-1)
  if (savedForm?.className) {
    for (const [ours, { className, write }] of madeMetrics) {
      const config = ours === savedForm.className ? write({ ...savedForm.config }, columns) : undefined
      if (config) return { module: 'keras.metrics', class_name: className, config, registered_name: null }
    }
    return savedForm.className === 'ofLoss' ? lossMetricWord({ ...savedForm.config }, name) : undefined
  }
  const known = Object.hasOwn(metricNames, name) ? metricNames[name] : undefined
  if (known) return known
  const own = canonicalName(name)
  if (own === undefined) return name
  if (own === 'huber' && !isKeras3) return undefined // a function, which only `.keras` has a form for
  if (own === 'crossentropy') return lossWords[resolveCrossentropy(loss, shape)].name // Keras 3 wants to know which
  const words = Object.hasOwn(lossWords, own) ? lossWords[own as LossName] : undefined
  return words?.metric ?? words?.name ?? (Object.hasOwn(metricNames, own) ? metricNames[own] : snakeCase(own))
}

/** Crossentropies have a class for metrics that takes these options. */
const ofCrossentropies: Readonly<Record<string, readonly string[]>> = {
  binaryCrossentropy: ['fromLogits', 'labelSmoothing'],
  categoricalCrossentropy: ['fromLogits', 'labelSmoothing'],
  sparseCategoricalCrossentropy: ['fromLogits'],
}

/** Keras' metric of a loss with options; undefined if it has none with these. */
function lossMetricWord({ loss, name: _, ...options }: Json, name: string): KerasObject | undefined {
  const own = Object.hasOwn(ofCrossentropies, String(loss)) ? ofCrossentropies[String(loss)] : undefined
  if (!own || Object.keys(options).some((option) => !own.includes(option))) return undefined
  return { ...metricClass(lossWords[loss as LossName].className, name), config: { name, ...snakeKeys(options) } }
}

/** A crossentropy with options, as a metric of ours; undefined for any other metric. */
function lossWithOptions(className: string, { name, ...given }: Json): MetricIdentifier | undefined {
  const loss = lossOf(className)
  const names = loss && Object.hasOwn(ofCrossentropies, loss) ? ofCrossentropies[loss] : []
  const isOption = (key: string): boolean => names.includes(camelCase(key))
  const set = Object.entries(given).filter(([key, value]) => isOption(key) && value !== null && value !== false && value !== 0)
  if (set.length === 0) return undefined
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !isOption(key)))
  metricOfObject({ class_name: className, config: rest }) // throws for an option that is not supported
  return { className: 'ofLoss', config: { loss, ...(name !== undefined && { name }), ...camelKeys(Object.fromEntries(set)) } }
}

/** An object with a list of thresholds as one for each, since a metric here is one number. */
export function eachThreshold(metric: unknown): unknown[] {
  const thresholds = isKerasObject(metric) ? metric.config.thresholds : undefined
  if (!isKerasObject(metric) || !Array.isArray(thresholds) || thresholds.length < 2 || plainClassName(metric.class_name) === 'AUC')
    return [metric]
  const { name = snakeCase(plainClassName(metric.class_name)) } = metric.config
  return thresholds.map((one) => ({ ...metric, config: { ...metric.config, name: `${name}_${one}`, thresholds: one } }))
}

/** Our name of a metric, from a name in any spelling. */
function canonicalName(name: string): string | undefined {
  try {
    getMetric(name as MetricIdentifier)
  } catch {
    return undefined
  }
  const wanted = canonical(name)
  const alias = Object.entries({ ...lossAliases, ce: 'crossentropy' }).find(([other]) => canonical(other) === wanted)?.[1]
  return alias ?? [...Object.keys(lossWords), ...Object.keys(metricNames), 'crossentropy'].find((own) => canonical(own) === wanted) ?? name
}

/** Options that any metric of Keras has, and that have no effect here. */
const withoutEffect = ['name', 'dtype', 'reduction', 'fn']

/**
 * The metric that an object of Keras' classes means.
 *
 * @returns an argument for `getMetric`
 * @throws Error that names the option that is not supported
 */
export function metricOfObject({ class_name, config }: KerasObject): MetricIdentifier {
  const className = plainClassName(class_name)
  if (className === 'Accuracy') throw new Error('the class Accuracy, whether predictions equal targets, is not supported')
  const { dtype: _, ...given } = config
  const withOptions = lossWithOptions(className, given)
  if (withOptions) return withOptions
  const made = madeMetrics.find(([, { className: known }]) => known === className)
  const options = Object.entries(given).filter(([key, value]) => {
    const only = made ? made[1].only : {}
    const harmless = made ? only && Object.hasOwn(only, key) : !withoutEffect.includes(key)
    if (!harmless) return made !== undefined
    const usual = made ? [only?.[key]] : [null, false, 0, -1]
    if (!usual.includes(value)) throw new Error(`${className}: "${key}": ${JSON.stringify(value)} is not supported`)
    return false
  })
  if (!made) return (lossOf(className) ?? className) as MetricIdentifier
  const [ours, { read }] = made
  const own = Object.fromEntries(options)
  const saved: SavedObject = { className: ours, config: camelKeys(read ? read(own) : own) }
  return className === 'BinaryAccuracy' && (own.threshold ?? 0.5) === 0.5 && own.name === 'binary_accuracy' ? 'binaryAccuracy' : saved
}
