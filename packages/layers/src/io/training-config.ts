/** What a model was compiled with, in Keras' words: `training_config` of HDF5 files, `compile_config` of `.keras`. */
import { ValueError } from '@cotangent/core'
import type { Compiled, CompileOptions, PerOutput } from '../compiled.js'
import type { CompiledOutput } from '../compiled-output.js'
import { getLoss, type Loss, type LossFunction, type LossIdentifier, lossNames } from '../losses.js'
import { getMetric, type Metric, type MetricFunction, type MetricIdentifier } from '../metrics.js'
import { camelKeys, entryOf, type SavedObject, snakeCase, snakeKeys } from '../names.js'
import { getOptimizer, type Optimizer } from '../optimizers/index.js'
import { getSchedule } from '../optimizers/schedules.js'
import { type CustomObjects, customFunction } from './custom.js'
import { isKerasObject, isObject, type Json, type KerasObject, plainClassName } from './keras-object.js'
import type { Origin } from './origin.js'

/** What is said about a part of a file that could not be used. */
type Warn = (message: string) => void

/** Options of Keras' optimizers that change the rule or its state in ways we do not follow, and what they must be. */
const onlyDefault: Readonly<Record<string, readonly unknown[]>> = {
  weight_decay: [null, 0],
  use_ema: [false],
  loss_scale_factor: [null, 1],
  gradient_accumulation_steps: [null, 1],
  centered: [false],
}
const withoutEffect = ['name', 'ema_momentum', 'ema_overwrite_frequency', 'jit_compile', 'is_legacy_optimizer', 'exclude_from_weight_decay']

/**
 * The optimizer of a file.
 *
 * @param beyond options that Keras has no words for, from a file of ours
 * @throws ValueError that names what is not supported.
 */
function readOptimizer(object: KerasObject, origin: Origin, beyond: Json = {}): Optimizer {
  const className = plainClassName(object.class_name)
  const config: Json = {}
  for (const [key, value] of Object.entries(object.config)) {
    if (withoutEffect.includes(key)) continue
    if (key === 'momentum' && className === 'RMSprop' && value === 0) continue
    if (Object.hasOwn(onlyDefault, key) && !(key === 'weight_decay' && className === 'AdamW')) {
      if (value === undefined || onlyDefault[key].includes(value)) continue
      throw new ValueError(`optimizer "${className}", config key "${key}": ${JSON.stringify(value)} is not supported.`)
    }
    if (value !== null) config[key] = key === 'learning_rate' ? readRate(className, value) : value
  }
  if (origin.family === 'keras3' || origin.newOptimizers) config.variant = 'keras3'
  else if (origin.family === 'tf2') config.clipScope = 'perVariable'
  if (className === 'Nadam' && config.decay !== undefined) {
    if (origin.family === 'tf2') config.scheduleDecay ??= 0.004
    delete config.decay
  }
  return getOptimizer({ className, config: { ...camelKeys(config), ...beyond } })
}

/** A learning rate: a number, or the schedule that a file describes. */
function readRate(className: string, value: unknown): unknown {
  if (!isKerasObject(value)) return value
  const { name: _, ...config } = value.config
  try {
    return getSchedule({ className: plainClassName(value.class_name), config })
  } catch (error) {
    throw new ValueError(`optimizer "${className}", config key "learning_rate": ${message(error)}`)
  }
}

/** The loss of an output in a file: a name, or an object of Keras' classes. */
function readLoss(value: unknown, custom: CustomObjects, beyond: Json): Loss | LossFunction {
  const wrapped = isKerasObject(value) && value.class_name === 'LossFunctionWrapper' ? value.config.fn : undefined
  const name = wrapped ?? (isKerasObject(value) ? plainClassName(value.class_name) : value)
  if (typeof name !== 'string') throw new ValueError(`loss: ${JSON.stringify(value)} is not supported.`)
  const given = customFunction(name, custom)
  if (given) return given as LossFunction
  const { from_logits, label_smoothing } = isKerasObject(value) ? value.config : ({} as Json)
  return getLoss(name as LossIdentifier, {
    ...(from_logits ? { fromLogits: true } : {}),
    ...(label_smoothing ? { labelSmoothing: Number(label_smoothing) } : {}),
    ...beyond,
  })
}

/** A metric of a file. tf.keras wraps functions in an object that holds the name shown and the function's. */
function readMetric(value: unknown, custom: CustomObjects, typed: Json): MetricIdentifier {
  const config = isKerasObject(value) ? value.config : {}
  const name = isKerasObject(value) ? (typeof config.fn === 'string' ? config.fn : plainClassName(value.class_name)) : value
  if (typeof name !== 'string') throw new ValueError(`${JSON.stringify(value)} is not supported`)
  const given = customFunction(name, custom)
  if (given) return given as MetricFunction
  const shown = typeof config.name === 'string' ? config.name : ''
  const id = (['accuracy', 'acc', 'mae', 'mse'].includes(shown) ? shown : (entryOf(typed, name) ?? name)) as MetricIdentifier
  getMetric(id) // throws for one there is not
  return id
}

/** Something for each output: a list or a record of the same form. */
function mapOutputs<Value>(value: unknown, names: readonly string[], read: (value: unknown, name: string) => Value): PerOutput<Value> {
  if (Array.isArray(value)) return value.map((item, i) => read(item, names[i] ?? ''))
  return Object.fromEntries(Object.entries(value as Json).map(([name, item]) => [name, read(item, name)]))
}

interface TrainingContext {
  readonly origin: Origin
  readonly custom: CustomObjects
  readonly beyond: Json
  readonly warn: Warn
  /** The names of the model's outputs. */
  readonly outputs: readonly string[]
}

/**
 * What to compile with; undefined, after a warning, if the optimizer or a loss cannot be had. Metrics that cannot are left out with a warning.
 */
export function readTraining(training: Json, context: TrainingContext): CompileOptions | undefined {
  const { origin, custom, beyond, warn, outputs } = context
  try {
    const given = training.optimizer_config ?? training.optimizer
    const object = typeof given === 'string' ? { class_name: given, config: {} } : given
    if (!isKerasObject(object)) throw new ValueError('the optimizer has no class_name and config')
    const ofLoss = objectOr(beyond.loss)
    const one = (value: unknown, name: string): Loss | LossFunction => readLoss(value, custom, objectOr(entryOf(ofLoss, name)))
    const oneOrNone = (value: unknown, name: string): Loss | LossFunction | null => (value === null ? null : one(value, name))
    // An output that a record leaves out is not trained.
    const named = isObject(training.loss) && !isKerasObject(training.loss)
    const loss = named ? { ...Object.fromEntries(outputs.map((name) => [name, null])), ...objectOr(training.loss) } : training.loss
    const single = typeof loss === 'string' || isKerasObject(loss)
    if (!single && !Array.isArray(loss) && !isObject(loss)) throw new ValueError(`loss: ${JSON.stringify(loss)} is not supported.`)
    const weights = training.loss_weights
    return {
      optimizer: readOptimizer(object, origin, objectOr(beyond.optimizer)),
      loss: single ? one(loss, outputs[0]) : mapOutputs(loss, outputs, oneOrNone),
      metrics: readMetrics(training.metrics, 'metrics', context),
      weightedMetrics: readMetrics(training.weighted_metrics, 'weightedMetrics', context),
      ...((Array.isArray(weights) || isObject(weights)) && { lossWeights: mapOutputs(weights, outputs, Number) }),
    }
  } catch (error) {
    warn(`The model is loaded without its training configuration; call compile before training it. ${message(error)}`)
    return undefined
  }
}

/** Metrics for all outputs, or lists for each. */
function readMetrics(
  value: unknown,
  kind: 'metrics' | 'weightedMetrics',
  { custom, beyond, warn, outputs }: TrainingContext,
): CompileOptions['metrics'] {
  const forms = objectOr(objectOr(beyond.metricForms)[kind]) as Record<string, (SavedObject | null)[]>
  const read = (metric: unknown, form?: SavedObject | null): MetricIdentifier[] => {
    if (metric === null) return []
    try {
      return [form ? getMetric(form) : readMetric(metric, custom, objectOr(beyond.metrics))]
    } catch (error) {
      warn(`A metric is left out. ${message(error)}`)
      return []
    }
  }
  const readList = (list: unknown, output: string): MetricIdentifier[] =>
    Array.isArray(list) ? list.flat().flatMap((metric, i) => read(metric, entryOf(forms, output)?.[i])) : read(list)
  if (isObject(value) && !isKerasObject(value)) return mapOutputs(value, outputs, readList)
  if (!Array.isArray(value)) return []
  return outputs.length > 1 && value.some(Array.isArray) ? mapOutputs(value, outputs, readList) : readList(value, outputs[0])
}

const objectOr = (value: unknown): Json => (isObject(value) ? value : {})
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Options of optimizers that Keras 2.3 does not know. */
const beyondKeras = [
  'variant',
  'clipScope',
  'globalClipnorm',
  'gradientAccumulationSteps',
  'useEma',
  'emaMomentum',
  'emaOverwriteFrequency',
  'weightDecay',
  'excludeFromWeightDecay',
]

/** The optimizer in the words of Keras 2.3.1, with its learning rate of now; what Keras has no words for apart. */
function writeOptimizer(optimizer: Optimizer): { object: KerasObject; beyond: Json } {
  const { learningRate } = optimizer
  const entries = Object.entries(optimizer.getConfig())
  const known = entries.filter(([key]) => !beyondKeras.includes(key))
  const beyond = Object.fromEntries(
    entries.filter(([key, value]) => beyondKeras.includes(key) || (key === 'learningRate' && value !== learningRate)),
  )
  return { object: { class_name: optimizer.className, config: snakeKeys({ ...Object.fromEntries(known), learningRate }) }, beyond }
}

/** What `training_config` has no words for. */
export interface BeyondTraining {
  optimizer?: Json
  /** Options of losses, by output. */
  loss?: Json
  /** Names of metrics as they were typed, by Keras' spelling. */
  metrics?: Json
  /** For `metrics` and `weightedMetrics` by output: what makes those that have options, at their places in the list. */
  metricForms?: Json
}

/** What Keras calls a metric: names of the user's own stay as they are, so that customObjects finds them. */
function metricName({ name, savedForm }: Metric): string {
  try {
    getMetric(name as MetricIdentifier)
    return snakeCase(name)
  } catch {
    return savedForm?.className ? snakeCase(savedForm.className) : name
  }
}

/**
 * `training_config` as Keras 2.3.1 wrote it, and apart what it has no words for.
 *
 * @param names of all outputs of the model, also of those without a loss
 */
export function writeTraining({ optimizer, outputs }: Compiled, names: readonly string[]): { training: Json; beyond: BeyondTraining } {
  const { object, beyond } = writeOptimizer(optimizer)
  const several = names.length > 1
  const each = (value: (output: CompiledOutput) => unknown): unknown =>
    several ? Object.fromEntries(outputs.map((output) => [output.name, value(output)])) : value(outputs[0])
  const listed = ({ metrics }: CompiledOutput, weighted: boolean): Metric[] =>
    metrics.flatMap((given) => (given.weighted === weighted ? [given.metric] : []))
  const metrics = (weighted: boolean): unknown => each((output) => listed(output, weighted).map(metricName))
  const has = (what: (output: CompiledOutput) => boolean): boolean => outputs.some(what)
  const lossName = ({ loss: { name } }: CompiledOutput): string => (lossNames.some((known) => known === name) ? snakeCase(name) : name)
  const untrained = Object.fromEntries(names.flatMap((name) => (has((output) => output.name === name) ? [] : [[name, null]])))
  const training = {
    optimizer_config: object,
    loss: several ? { ...(each(lossName) as Json), ...untrained } : each(lossName),
    metrics: metrics(false),
    weighted_metrics: has((output) => output.metrics.some(({ weighted }) => weighted)) ? metrics(true) : null,
    sample_weight_mode: null,
    loss_weights: has(({ weight }) => weight !== 1) ? (several ? each(({ weight }) => weight) : [outputs[0].weight]) : null,
  }
  const filled = (config: Json): Json | undefined => (Object.keys(config).length > 0 ? config : undefined)
  const ofLoss = outputs.flatMap(({ name, loss }) => (loss.options && filled({ ...loss.options }) ? [[name, loss.options]] : []))
  const typed = outputs.flatMap(({ metrics: list }) =>
    list.flatMap(({ metric }) => (metricName(metric) === metric.name ? [] : [[metricName(metric), metric.name]])),
  )
  const forms = (weighted: boolean): Json | undefined =>
    filled(
      Object.fromEntries(
        outputs.flatMap((output) => {
          const list = listed(output, weighted).map(({ savedForm }) => savedForm ?? null)
          return list.some((form) => form !== null) ? [[output.name, list]] : []
        }),
      ),
    )
  const [ofMetrics, ofWeighted] = [forms(false), forms(true)]
  return {
    training,
    beyond: {
      optimizer: filled(beyond),
      loss: filled(Object.fromEntries(ofLoss)),
      metrics: filled(Object.fromEntries(typed)),
      metricForms: filled({ ...(ofMetrics && { metrics: ofMetrics }), ...(ofWeighted && { weightedMetrics: ofWeighted }) }),
    },
  }
}
