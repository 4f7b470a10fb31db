/**
 * Writes the options of `compile` in Keras' words: `training_config` of HDF5 files as in Keras 2.3.1, `compile_config` of `.keras`. Options that Keras 2.3 has no
 * words for are written as tf.keras and Keras 3 do.
 */

import type { Loss } from '../losses/index.js'
import type { Metric } from '../metrics/index.js'
import { getMetric } from '../metrics/index.js'
import type { Port } from '../models/model.js'
import { Adagrad, CosineDecayRestarts, type Optimizer } from '../optimizers/index.js'
import { InverseTimeDecay, type LearningRateSchedule } from '../optimizers/schedules.js'
import { snakeKeys } from '../spelling/names.js'
import type { CompiledOutput } from '../training/compile-options.js'
import type { Trainer } from '../training/trainer.js'
import type { Json, KerasObject } from './keras-object.js'
import { type Origin, originOf } from './origin.js'
import { type KeptMetric, readLoss, readMetric, readOptimizer } from './read-training.js'
import { lossWords, metricWord } from './training-words.js'

/** Options that Keras' words do not preserve. */
export interface BeyondTraining {
  /** Options of the optimizer. */
  optimizer?: Json
  /** Options of losses, by output. */
  loss?: Json
  /** For `metrics` and `weightedMetrics`, by output. */
  metrics?: Json
}

const filled = (config: Json): Json | undefined => (Object.keys(config).length > 0 ? config : undefined)
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The words of one version of Keras. */
export interface TrainingWords {
  readonly origin: Origin
  optimizer(optimizer: Optimizer): KerasObject
}

const scheduleObject = (schedule: LearningRateSchedule): Json => ({
  module: 'keras.optimizers.schedules',
  class_name: schedule.className,
  config: { ...snakeKeys(schedule.getConfig()), name: schedule instanceof CosineDecayRestarts ? 'SGDRDecay' : schedule.className },
  registered_name: null,
})

/** The options of the rule, without those of all optimizers. */
function ownOptions(optimizer: Optimizer): Json {
  const shared = ['learningRate', 'decay', 'clipnorm', 'clipvalue', 'globalClipnorm', 'gradientAccumulationSteps', 'useEma', 'emaMomentum']
  const rest = ['emaOverwriteFrequency', 'variant', 'clipScope', 'weightDecay', 'excludeFromWeightDecay']
  return Object.fromEntries(Object.entries(optimizer.getConfig()).filter(([key]) => ![...shared, ...rest].includes(key)))
}

/** Keras 2.3.1, with the present learning rate. Options that it does not know are written only if they are set. */
export const keras2Words: TrainingWords = {
  origin: originOf('2.3.1', undefined),
  optimizer(optimizer) {
    const { schedule, decay, clipnorm, clipvalue, globalClipnorm, useEma, emaMomentum, emaOverwriteFrequency } = optimizer
    const { gradientAccumulationSteps, weightDecay } = optimizer
    const own = ownOptions(optimizer)
    // The defaults, which Keras 3 does not know.
    if (own.scheduleDecay === (optimizer.variant === 'keras3' ? 1 : 0.004)) delete own.scheduleDecay
    const config = {
      learningRate: schedule ? scheduleObject(schedule) : optimizer.learningRate,
      ...(decay !== 0 && { decay }),
      ...own,
      ...(weightDecay !== null && { weightDecay }),
      ...(clipnorm !== null && { clipnorm }),
      ...(clipvalue !== null && { clipvalue }),
      ...(globalClipnorm !== null && { globalClipnorm }),
      ...(gradientAccumulationSteps > 1 && { gradientAccumulationSteps }),
      ...(useEma && { useEma, emaMomentum, emaOverwriteFrequency }),
    }
    return { class_name: optimizer.className, config: snakeKeys(config) }
  },
}

/** Keras 3: every option. `decay` is written as a schedule. */
export const keras3Words: TrainingWords = {
  origin: originOf('3.16.0', undefined),
  optimizer(optimizer) {
    const {
      decay,
      clipnorm,
      clipvalue,
      globalClipnorm,
      useEma,
      emaMomentum,
      emaOverwriteFrequency,
      gradientAccumulationSteps: n,
    } = optimizer
    const initialLearningRate = optimizer.learningRate
    const decaying = { initialLearningRate, decaySteps: n, decayRate: decay, staircase: n > 1 }
    const schedule = optimizer.schedule ?? (decay > 0 ? new InverseTimeDecay(decaying) : undefined)
    const { scheduleDecay: _, ...own } = ownOptions(optimizer)
    const config = {
      name: optimizer.className.toLowerCase(),
      learningRate: schedule ? scheduleObject(schedule) : optimizer.learningRate,
      weightDecay: optimizer.weightDecay,
      // Keras 3 allows one way of clipping.
      clipnorm: globalClipnorm === null ? clipnorm : null,
      globalClipnorm,
      clipvalue: globalClipnorm === null && clipnorm === null ? clipvalue : null,
      useEma,
      emaMomentum,
      emaOverwriteFrequency,
      lossScaleFactor: null,
      gradientAccumulationSteps: n > 1 ? n : null,
      ...(optimizer.className === 'RMSprop' && { momentum: 0, centered: false }),
      ...own,
      ...(optimizer instanceof Adagrad && { initialAccumulatorValue: optimizer.initialAccumulatorValue }),
    }
    return { module: 'keras.optimizers', class_name: optimizer.className, config: snakeKeys(config), registered_name: null }
  },
}

/** The optimizer, and its options that would be read differently from these words. */
function writeOptimizer(optimizer: Optimizer, words: TrainingWords): { object: KerasObject; beyond: Json } {
  const object = words.optimizer(optimizer)
  const { variant, clipScope } = optimizer
  const own: Json = { ...optimizer.getConfig(), variant, clipScope }
  const read = readOptimizer(object, words.origin)
  const back: Json = { ...read.getConfig(), variant: read.variant, clipScope: read.clipScope }
  const options = Object.keys({ ...back, ...own }).map((key): [string, unknown] => [key, own[key] ?? optimizer[key as keyof Optimizer]])
  return { object, beyond: Object.fromEntries(options.filter(([key, value]) => !same(value, back[key]))) }
}

/** Values of options that need no word. */
const usual: Json = { fromLogits: false, labelSmoothing: 0, delta: 1, axis: -1, ignoreClass: null }

/** The name of a loss; if it has options, Keras' object. A user's function keeps its name. */
function lossWord({ name, options = {} }: Loss, { origin }: TrainingWords): unknown {
  const words = Object.hasOwn(lossWords, name) ? lossWords[name as keyof typeof lossWords] : undefined
  if (!words) return name
  const said = Object.entries(options).filter(([key, value]) => key !== 'form' && value !== undefined && !same(value, usual[key]))
  const set = snakeKeys(Object.fromEntries(said))
  if (origin.meansOfCounted && Object.keys(set).length === 1 && set.reduction === 'sum_over_batch_size') return words.name
  if (Object.keys(set).length === 0) return words.name
  const config = { name: words.name, reduction: 'sum_over_batch_size', ...set }
  return { module: 'keras.losses', class_name: words.className, config, registered_name: null }
}

/** The options of a loss that its word does not preserve. */
function lossBeyond(loss: Loss, word: unknown, origin: Origin): Json | undefined {
  if (!Object.hasOwn(lossWords, loss.name)) return undefined
  const back = readLoss(word, {}, {}, origin)
  const options: Json = Object.fromEntries(Object.entries(loss.options ?? {}).filter(([, value]) => value !== undefined))
  const read: Json = { ...(typeof back === 'object' && back.options) }
  // Keras 3 reads its own mean from a word without one.
  if (read.reduction !== undefined && options.reduction === undefined) options.reduction = null
  const keys = Object.keys({ ...read, ...options })
  return keys.every((key) => same(read[key], options[key])) ? undefined : filled(options)
}

/** The form in which we keep a metric. */
const keptForm = ({ name, savedForm }: Metric): KeptMetric => savedForm ?? name

/** Whether a word preserves a metric's name and options. A user's function is found by its name anyway. */
function comesBack(metric: Metric, word: unknown): boolean {
  if (word === metric.name) return true
  try {
    const { name, savedForm } = getMetric(readMetric(word, {}))
    return name === metric.name && same(savedForm, metric.savedForm)
  } catch {
    return false
  }
}

/**
 * The options of `compile`, and separately those that Keras has no words for.
 *
 * @param ports all outputs of the model, also those without a loss
 */
export function writeTraining(
  { optimizer, outputs }: Trainer,
  ports: readonly Port[],
  words: TrainingWords,
): { optimizer: KerasObject; training: Json; beyond: BeyondTraining } {
  const { object, beyond } = writeOptimizer(optimizer, words)
  const several = ports.length > 1
  const each = (value: (output: CompiledOutput) => unknown): unknown =>
    several ? Object.fromEntries(outputs.map((output) => [output.name, value(output)])) : value(outputs[0])
  const has = (what: (output: CompiledOutput) => boolean): boolean => outputs.some(what)
  const wordOf = (metric: Metric, { index, loss }: CompiledOutput) =>
    metricWord(metric, loss.name, ports[index].shape, words === keras3Words)
  const listed = ({ metrics }: CompiledOutput, weighted: boolean): Metric[] =>
    metrics.flatMap((given) => (given.weighted === weighted ? [given.metric] : []))
  const metrics = (weighted: boolean): unknown =>
    each((output) =>
      listed(output, weighted).flatMap((metric) => {
        const word = wordOf(metric, output)
        return word === undefined ? [] : [word]
      }),
    )
  /** The lists that Keras' words do not fully preserve. */
  const kept = (weighted: boolean): Json | undefined =>
    filled(
      Object.fromEntries(
        outputs.flatMap((output) => {
          const list = listed(output, weighted)
          return list.every((metric) => comesBack(metric, wordOf(metric, output))) ? [] : [[output.name, list.map(keptForm)]]
        }),
      ),
    )
  const untrained = ports.flatMap(({ name }) => (has((output) => output.name === name) ? [] : [[name, null]]))
  const training = {
    loss: several
      ? { ...(each(({ loss }) => lossWord(loss, words)) as Json), ...Object.fromEntries(untrained) }
      : each(({ loss }) => lossWord(loss, words)),
    loss_weights: has(({ weight }) => weight !== 1) ? (several ? each(({ weight }) => weight) : [outputs[0].weight]) : null,
    metrics: metrics(false),
    weighted_metrics: has((output) => output.metrics.some(({ weighted }) => weighted)) ? metrics(true) : null,
  }
  const ofLoss = outputs.flatMap(({ name, loss }) => {
    const options = lossBeyond(loss, lossWord(loss, words), words.origin)
    return options ? [[name, options]] : []
  })
  const ofMetrics = Object.entries({ metrics: kept(false), weightedMetrics: kept(true) }).filter(([, lists]) => lists !== undefined)
  return {
    optimizer: object,
    training,
    beyond: {
      optimizer: filled(beyond),
      loss: filled(Object.fromEntries(ofLoss)),
      metrics: filled(Object.fromEntries(ofMetrics)),
    },
  }
}
