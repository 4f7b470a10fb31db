/** The options of `compile`, and what follows from them for each output of a model: its loss, the weight of the loss, and its metrics. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireBoolean, requireNumber, requireObject } from '@cotangent/core/arguments'
import type { FinalActivation } from '../layer.js'
import { getLoss, type Loss, type LossIdentifier } from '../losses/index.js'
import { getMetric, type Metric, type MetricIdentifier } from '../metrics/index.js'
import { getOptimizer, type Optimizer, type OptimizerIdentifier } from '../optimizers/index.js'
import { freeName } from '../spelling/automatic-names.js'
import { entryOf, readOptions, type SpelledOptions, unknownName } from '../spelling/names.js'
import type { Trainable } from './trainable.js'

/** A value for each output of a model: a list in their order, or a record by their names. */
export type PerOutput<Value> = readonly Value[] | Readonly<Record<string, Value>>

/** Options of `compile`. */
export interface CompileOptions {
  /** An optimizer, by name (with its defaults) or as an object. Required. */
  optimizer: OptimizerIdentifier
  /**
   * A loss, by name, as an object, or as a function (yTrue, yPred) → one value for each sample. Required, but for a model with a `trainStep` of its own. For several
   * outputs: one for all, or one for each; an output whose loss is null is not trained and has no targets.
   */
  loss?: LossIdentifier | PerOutput<LossIdentifier | null>
  /** The factor of each output's loss in the sum that is minimised; 1 by default. */
  lossWeights?: PerOutput<number>
  /**
   * Metrics reported beside the loss; none by default. `'accuracy'` stands for the accuracy that fits loss and output. A plain list is for every output.
   */
  metrics?: MetricIdentifier | readonly MetricIdentifier[] | PerOutput<MetricIdentifier | readonly MetricIdentifier[]>
  /** Metrics in which sample and class weights are factors; none by default. */
  weightedMetrics?: MetricIdentifier | readonly MetricIdentifier[] | PerOutput<MetricIdentifier | readonly MetricIdentifier[]>
  /**
   * Whether every step of training runs the code of the layers. By default only the first do, and then the recorded step is done again, with the same bits
   * (`compileStep` of core); but a model with code of your own (a layer, a loss, a metric) runs it in every step. False promises that this code
   * does nothing but call ops, and records it, too.
   */
  runEagerly?: boolean
}

/** A metric of an output. */
export interface CompiledMetric {
  metric: Metric
  /** Its name in logs and history: with several outputs `out_accuracy`. */
  label: string
  /** Whether sample weights are factors in it. */
  weighted: boolean
}

/** An output that is trained. */
export interface CompiledOutput {
  name: string
  /** Its place among the model's outputs. */
  index: number
  loss: Loss
  /** The factor of its loss in the sum that is minimised. */
  weight: number
  metrics: readonly CompiledMetric[]
  /** The activation that the output ends in. */
  finalActivation: FinalActivation
  /** Whether the loss bypasses the final activation: it takes logits. */
  fromLogits: boolean
}

type Given<Value> = Value | PerOutput<Value> | undefined

/** Loss and metrics of each output that has a loss, with Keras 2.3's names. */
export function readOutputs(model: Trainable, options: CompileOptions): CompiledOutput[] {
  if (options.loss === undefined) return []
  const names = model.outputPorts.map((port) => port.name)
  const losses = perOutput<LossIdentifier | null>('loss', names, options.loss, isLoss)
  const weights = perOutput<number>('lossWeights', names, options.lossWeights, (given) => given === undefined)
  const metrics = metricsPerOutput('metrics', names, options.metrics)
  const weightedMetrics = metricsPerOutput('weightedMetrics', names, options.weightedMetrics)
  const labels = new Set(['loss', ...(names.length > 1 ? names.map((name) => `${name}_loss`) : [])])
  for (const weight of weights) if (weight !== undefined) requireNumber('compile', 'lossWeights', weight)
  if (losses.every((loss) => loss === null)) throw new ValueError('compile: at least one output needs a loss.')
  return model.outputPorts.flatMap(({ name, shape }, i) => {
    const identifier = losses[i]
    if (identifier === null) return []
    if (identifier === undefined)
      throw new ValueError(`compile: there is no loss for the output "${name}"; null says that it is not trained.`)
    const loss = getLoss(identifier)
    if (loss.options?.reduction === 'none')
      throw new ValueError(
        `compile: the loss "${loss.name}" has the reduction "none", but training needs one number. Leave the option out, or write "sum".`,
      )
    const finalActivation = model.finalActivations[i]
    const read = (identifiers: readonly MetricIdentifier[], weighted: boolean): CompiledMetric[] =>
      identifiers.map((id) => {
        const metric = getMetric(id, loss, shape)
        const label = freeName(labels, names.length > 1 ? `${name}_${metric.name}` : metric.name)
        if (label === '__proto__') throw new ValueError('compile: a metric cannot be called "__proto__".')
        return { metric, label, weighted }
      })
    return {
      name,
      index: i,
      loss,
      weight: weights[i] ?? 1,
      metrics: [...read(metrics[i], false), ...read(weightedMetrics[i], true)],
      finalActivation,
      fromLogits: finalActivation !== undefined && loss.fromLogits?.activation === finalActivation,
    }
  })
}

const isLoss = (given: unknown): boolean =>
  typeof given !== 'object' || (given !== null && 'call' in given && typeof given.call === 'function')

const isMetric = (given: unknown): boolean =>
  typeof given === 'string' || typeof given === 'function' || (typeof given === 'object' && given !== null && 'start' in given)

/** One value for all outputs, or one for each by place or name. */
function perOutput<Value>(
  what: string,
  names: readonly string[],
  given: Given<Value>,
  isOne: (given: Given<Value>) => boolean,
): (Value | undefined)[] {
  if (isOne(given)) return names.map(() => given as Value | undefined)
  if (Array.isArray(given)) {
    if (given.length === names.length) return given
    throw new ValueError(`compile: ${what} has ${given.length} entries for ${names.length} outputs (${names.join(', ')}).`)
  }
  if (typeof given !== 'object' || given === null)
    throw new ValueError(
      `compile: ${what} must be a list in the order of the outputs, or a record by their names, got ${describeValue(given)}.`,
    )
  const record = given as Readonly<Record<string, Value>>
  const unknown = Object.keys(record).find((name) => !names.includes(name))
  if (unknown !== undefined) throw unknownName(`output in ${what} called`, unknown, names)
  return names.map((name) => entryOf(record, name))
}

/** The metrics of each output. One metric or a flat list is for every output. A list of lists, or a record, has those of each. */
function metricsPerOutput(what: string, names: readonly string[], given: CompileOptions['metrics']): MetricIdentifier[][] {
  if (isMetric(given)) return names.map(() => [given as MetricIdentifier])
  const flat = Array.isArray(given) && !given.some((entry) => Array.isArray(entry))
  if (given === undefined || flat) return names.map(() => [...((given as readonly MetricIdentifier[]) ?? [])])
  const each = perOutput<MetricIdentifier | readonly MetricIdentifier[]>(
    what,
    names,
    given as PerOutput<MetricIdentifier | readonly MetricIdentifier[]>,
    () => false,
  )
  return each.map((entry) => (entry === undefined ? [] : Array.isArray(entry) ? [...entry] : [entry as MetricIdentifier]))
}

const compileDefaults: { [Key in keyof Required<CompileOptions>]: CompileOptions[Key] | undefined } = {
  optimizer: undefined,
  loss: undefined,
  lossWeights: undefined,
  metrics: undefined,
  weightedMetrics: undefined,
  runEagerly: undefined,
}

/**
 * The options of `compile` in our spelling, with the optimizer looked up. It reports every error that can be seen without the model's outputs, so that errors
 * come before the model has weights.
 *
 * @param ownStep whether the model has a training step of its own, which needs no loss
 */
export function readCompileOptions(given: SpelledOptions<CompileOptions>, ownStep: boolean): CompileOptions & { optimizer: Optimizer } {
  const example = "model.compile({ optimizer: 'adam', loss: 'mse' })"
  requireObject('compile', given, [], example)
  const options = readOptions<typeof compileDefaults>('compile', given, compileDefaults, {}, example)
  const { optimizer, loss, metrics, weightedMetrics, ...others } = options
  if (others.runEagerly !== undefined) requireBoolean('compile', 'runEagerly', others.runEagerly)
  if (optimizer === undefined) throw new ValueError(`compile: optimizer is missing. Write ${example}.`)
  if (loss === undefined && !ownStep) throw new ValueError(`compile: loss is missing. Write ${example}.`)
  if (loss === undefined && (metrics ?? weightedMetrics) !== undefined)
    throw new ValueError('compile: metrics need a loss beside them. Without one, trainStep returns all that is reported.')
  const found = getOptimizer(optimizer)
  if (loss !== undefined && isLoss(loss)) getLoss(loss as LossIdentifier)
  for (const list of [metrics, weightedMetrics]) {
    if (isMetric(list)) getMetric(list as MetricIdentifier)
    else if (Array.isArray(list)) for (const id of list.flat()) getMetric(id)
  }
  return { ...others, optimizer: found, loss, metrics, weightedMetrics }
}
