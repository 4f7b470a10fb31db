/** Reads the options of `compile` from Keras' words: `training_config` of HDF5 files, `compile_config` of `.keras`. */
import { ValueError } from '@cotangent/core'
import { getLoss, type Loss, type LossFunction, type LossIdentifier, type LossOptions } from '../losses/index.js'
import { lossOptionNames, lossTakes, meansCounted } from '../losses/options.js'
import { getMetric, type MetricFunction, type MetricIdentifier } from '../metrics/index.js'
import { getOptimizer, type Optimizer } from '../optimizers/index.js'
import { getSchedule } from '../optimizers/schedules.js'
import { camelCase, camelKeys, entryOf, type SavedObject } from '../spelling/names.js'
import type { CompileOptions, PerOutput } from '../training/compile-options.js'
import { type CustomObjects, customFunction } from './custom.js'
import { isKerasObject, isObject, type Json, type KerasObject, plainClassName } from './keras-object.js'
import type { Origin } from './origin.js'
import { eachThreshold, lossOf, metricOfObject } from './training-words.js'

/** Gets a message about a part of a file that could not be used. */
type Warn = (message: string) => void

/** Options of Keras' optimizers that change the rule or its state in ways not supported here, and the values they must have. */
const onlyDefault: Readonly<Record<string, readonly unknown[]>> = {
  loss_scale_factor: [null, 1],
}
const withoutEffect = ['name', 'jit_compile', 'is_legacy_optimizer', 'exclude_from_weight_decay']
/** Options that null turns off. Elsewhere null means the default. */
const nullCounts = ['weight_decay', 'adam_weight_decay', 'rms_rate']
const ofEma = ['ema_momentum', 'ema_overwrite_frequency']

/**
 * The optimizer of a file.
 *
 * @param beyond options that Keras has no words for, from a file of ours
 * @throws ValueError that names the unsupported part
 */
export function readOptimizer(object: KerasObject, origin: Origin, beyond: Json = {}): Optimizer {
  const className = plainClassName(object.class_name)
  const config: Json = {}
  for (const [key, value] of Object.entries(object.config)) {
    if (withoutEffect.includes(key) || (ofEma.includes(key) && object.config.use_ema !== true)) continue
    if (Object.hasOwn(onlyDefault, key)) {
      if (value === undefined || onlyDefault[key].includes(value)) continue
      throw new ValueError(`optimizer "${className}", config key "${key}": ${JSON.stringify(value)} is not supported.`)
    }
    if (value !== null || nullCounts.includes(key)) config[key] = key === 'learning_rate' ? readRate(className, value) : value
  }
  if (origin.family === 'keras3' || origin.newOptimizers) config.variant = 'keras3'
  else if (origin.family === 'tf2') config.clipScope = 'perVariable'
  if (className === 'Nadam' && config.decay !== undefined) {
    if (origin.family === 'tf2') config.scheduleDecay ??= 0.004
    delete config.decay
  }
  return getOptimizer({ className, config: { ...camelKeys(config), ...beyond } })
}

/** A learning rate: a number, or the schedule described in the file. */
function readRate(className: string, value: unknown): unknown {
  if (!isKerasObject(value)) return value
  const { name: _, ...config } = value.config
  try {
    return getSchedule({ className: plainClassName(value.class_name), config })
  } catch (error) {
    throw new ValueError(`optimizer "${className}", config key "learning_rate": ${message(error)}`)
  }
}

/** The name of a function, which Keras 3 may write as an object. */
const functionName = (value: unknown): unknown =>
  isObject(value) && value.class_name === 'function' && typeof value.config === 'string' ? plainClassName(value.config) : value

/** Values of options of Keras' losses that mean what happens here anyway. */
const usualValues: Readonly<Record<string, readonly unknown[]>> = {
  reduction: ['auto', 'sum_over_batch_size', 'mean', undefined],
  from_logits: [false],
  label_smoothing: [0],
  axis: [-1],
  ignore_class: [null],
  remove_diagonal: [true],
}

/**
 * The loss of an output: by name, or as an object of Keras' classes. Its mean is that of the version that wrote the file.
 *
 * @param beyond options that Keras has no words for, from a file of ours; a reduction of null is the mean of Keras 2.3
 */
export function readLoss(value: unknown, custom: CustomObjects, beyond: Json, origin: Origin): Loss | LossFunction {
  const plain = functionName(value)
  const wrapped = isKerasObject(plain) && plain.class_name === 'LossFunctionWrapper' ? functionName(plain.config.fn) : undefined
  const name = wrapped ?? (isKerasObject(plain) ? plainClassName(plain.class_name) : plain)
  if (typeof name !== 'string') throw new ValueError(`loss: ${JSON.stringify(value)} is not supported.`)
  const given = customFunction(name, custom)
  if (given) return given as LossFunction
  const known = lossOf(name) ?? getLoss(name as LossIdentifier).name
  const options: LossOptions = {}
  if (origin.meansOfCounted && !meansCounted(known)) options.reduction = 'sum_over_batch_size'
  for (const [key, option] of Object.entries(isKerasObject(plain) ? plain.config : {})) {
    if (['name', 'dtype', 'fn'].includes(key)) continue
    if (Object.hasOwn(usualValues, key) && usualValues[key].includes(option)) continue
    const own = lossOptionNames.find((option) => option === camelCase(key))
    if (key === 'reduction' && (option === null || option === 'none')) options.reduction = 'none'
    else if (own && lossTakes(known, own)) Object.assign(options, { [own]: option })
    else throw new ValueError(`loss "${name}", config key "${key}": ${JSON.stringify(option)} is not supported.`)
  }
  if (typeof options.ignoreClass === 'number' && options.reduction === 'sum_over_batch_size') delete options.reduction
  const both = Object.entries({ ...options, ...beyond })
  const set = Object.fromEntries(both.filter(([key, option]) => option !== undefined && !(key === 'reduction' && option === null)))
  return getLoss(known as LossIdentifier, set)
}

/** A metric. tf.keras wraps a function in an object with the name to show and the function's name. */
export function readMetric(value: unknown, custom: CustomObjects): MetricIdentifier {
  const plain = functionName(value)
  const config = isKerasObject(plain) ? plain.config : {}
  const fn = functionName(config.fn)
  const name = isKerasObject(plain) ? (typeof fn === 'string' ? fn : plainClassName(plain.class_name)) : plain
  if (typeof name !== 'string') throw new ValueError(`${JSON.stringify(value)} is not supported`)
  const given = customFunction(name, custom)
  if (given) return given as MetricFunction
  const shown = typeof config.name === 'string' ? config.name : ''
  if (['accuracy', 'acc', 'mae', 'mse'].includes(shown)) return shown as MetricIdentifier
  const id = isKerasObject(plain) && fn === undefined ? metricOfObject(plain) : ((lossOf(name) ?? name) as MetricIdentifier)
  getMetric(id) // throws for one there is not
  return id
}

/** Reads a value for each output: a list or record, in the same form. */
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
 * The options of `compile`. If the optimizer or a loss is not supported, it warns and returns undefined. A metric that is not supported is left out with a
 * warning.
 */
export function readTraining(training: Json, context: TrainingContext): CompileOptions | undefined {
  const { origin, custom, beyond, warn, outputs } = context
  try {
    const given = training.optimizer_config ?? training.optimizer
    const object = typeof given === 'string' ? { class_name: given, config: {} } : given
    if (!isKerasObject(object)) throw new ValueError('the optimizer has no class_name and config')
    const ofLoss = objectOr(beyond.loss)
    const one = (value: unknown, name: string): Loss | LossFunction => readLoss(value, custom, objectOr(entryOf(ofLoss, name)), origin)
    const oneOrNone = (value: unknown, name: string): Loss | LossFunction | null => (value === null ? null : one(value, name))
    // An output that a record leaves out is not trained.
    const named = isObject(training.loss) && typeof training.loss.class_name !== 'string'
    const loss = named ? { ...Object.fromEntries(outputs.map((name) => [name, null])), ...objectOr(training.loss) } : training.loss
    const single = typeof loss === 'string' || (isObject(loss) && !named)
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

/** A metric as we keep it beside Keras' words: a name (also of a user's function), or a description. */
export type KeptMetric = string | SavedObject

/** Metrics for all outputs, or lists for each. */
function readMetrics(value: unknown, kind: 'metrics' | 'weightedMetrics', context: TrainingContext): CompileOptions['metrics'] {
  const { custom, beyond, warn, outputs } = context
  const read = (metric: unknown): MetricIdentifier[] => {
    if (metric === null) return []
    return eachThreshold(metric).flatMap((one) => {
      try {
        return [readMetric(one, custom)]
      } catch (error) {
        warn(`A metric is left out. ${message(error)}`)
        return []
      }
    })
  }
  const kept = objectOr(objectOr(beyond.metrics)[kind])
  const keptOf = (metric: KeptMetric): MetricIdentifier =>
    typeof metric === 'string' ? ((customFunction(metric, custom) as MetricFunction | undefined) ?? (metric as MetricIdentifier)) : metric
  const readList = (list: unknown, output: string): MetricIdentifier[] => {
    const own = entryOf(kept, output)
    if (Array.isArray(own)) return (own as KeptMetric[]).map(keptOf)
    return Array.isArray(list) ? list.flat().flatMap(read) : read(list)
  }
  if (isObject(value) && typeof value.class_name !== 'string') return mapOutputs(value, outputs, readList)
  if (!Array.isArray(value)) return []
  return outputs.length > 1 && value.some(Array.isArray) ? mapOutputs(value, outputs, readList) : readList(value, outputs[0])
}

const objectOr = (value: unknown): Json => (isObject(value) ? value : {})
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))
