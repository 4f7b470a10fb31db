/** The interface of callbacks: functions that `fit` calls while it runs. */
import { type Parameter, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireFunction, unknownOption } from '@cotangent/core/arguments'
import type { HostArray } from '../host-data.js'
import type { Layer } from '../layer.js'
import type { Optimizer } from '../optimizers/index.js'

/** Values by name: loss and metrics, and those of validation with the prefix `val_`. */
export type Logs = Record<string, number>

/**
 * The model that callbacks get: a `Model`. This interface has the members that the callbacks of this folder use. models/model.ts adds the others by declaration
 * merging, so neither callbacks nor training import that class.
 */
export interface TrainedModel extends Pick<Layer, 'name' | 'weights' | 'trainableWeights' | 'getWeights' | 'setWeights'> {
  readonly optimizer: Optimizer
  /** The layers inside. */
  readonly inner: readonly Layer[]
  /** Set it to true to end `fit` after the epoch. */
  stopTraining: boolean
}

/** The plan of a training, given to `onTrainBegin`. */
export interface TrainContext {
  model: TrainedModel
  epochs: number
  /** Batches in an epoch; undefined if that is not known. */
  steps: number | undefined
  /** Samples in an epoch; undefined if that is not known. */
  samples: number | undefined
  /** The names in the logs of an epoch: loss and metrics, and those of validation. */
  metrics: readonly string[]
  /** Prints a line to the output of `fit`. */
  print(line: string): void
  /** The place of the training now: its next batch, and what random draws and the logs of the epoch depend on beside the weights and the optimizer. */
  place(): Promise<TrainPlace>
  /** Goes on from a place instead of the first epoch. It is for `onTrainBegin`, and the caller puts weights and optimizer back. */
  resume(place: TrainPlace): void
  /**
   * Has a function see the gradients of the last batch of each epoch, before they are clipped and change the weights. It runs inside the step: it calls ops, keeps what they
   * give, and frees nothing. That step runs as a program, so the bits of the training stay the same. It is not called where the number of batches is not known
   * beforehand, and for a `trainStep` of the user's. It is for `onTrainBegin`.
   */
  watchGradients(see: GradientWatcher): void
  /** Puts a function between `fit` and its output, for what stands beside the progress bar. It is for `onTrainBegin`. */
  wrapOutput(wrap: (output: TrainOutput) => TrainOutput): void
}

/** Sees the gradient of each parameter, in the same order. */
export type GradientWatcher = (parameters: readonly Parameter[], grads: readonly Tensor[]) => void

/** The destination of progress lines. */
export interface TrainOutput {
  write(text: string): void
  /** Whether lines can be redrawn in place. */
  isTerminal?: boolean
}

/** A place in a training. */
export interface TrainPlace {
  /** Among them `epoch` and `batch`, the next one, counted from 0. */
  readonly numbers: Readonly<Record<string, number>>
  /** The sums of the epoch that has begun. */
  readonly arrays: Readonly<Record<string, HostArray>>
}

/** The plan of a test or a prediction, given to `onTestBegin` and `onPredictBegin`. */
export interface TestContext {
  model: TrainedModel
  /** Batches; undefined if that is not known. */
  steps: number | undefined
  /** Samples; undefined if that is not known. */
  samples: number | undefined
}

/**
 * Functions that `fit` calls at its stages, and some of them `evaluate` and `predict`. Each may be async; `fit` waits for it. All are optional. Several callbacks are called in the order of their list.
 */
export interface Callback {
  /** Called once, before anything else. */
  onTrainBegin?(context: TrainContext): void | Promise<void>
  /** @param epoch counted from 0 */
  onEpochBegin?(epoch: number): void | Promise<void>
  /** @param batch counted from 0 in each epoch */
  onBatchBegin?(batch: number): void | Promise<void>
  /** Called after the update, with the means over the epoch so far. With this function, `fit` waits for the device after every batch. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /**
   * It may add values to the logs. Later callbacks and the history see them.
   *
   * @param epoch counted from 0
   */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  /** Called once, at the end. */
  onTrainEnd?(): void | Promise<void>
  /** Called once in the place of `onTrainEnd`, if `fit` throws after `onTrainBegin`. An error of this function is dropped; `fit` throws the first one. */
  onTrainError?(error: unknown): void | Promise<void>
  /** Keras 3's name of `onBatchBegin`. A callback with both has this one called. */
  onTrainBatchBegin?(batch: number): void | Promise<void>
  /** Keras 3's name of `onBatchEnd`. A callback with both has this one called. */
  onTrainBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /** Called before `evaluate`, and before each validation of `fit`. */
  onTestBegin?(context: TestContext): void | Promise<void>
  onTestBatchBegin?(batch: number): void | Promise<void>
  /** Called with the means so far. With this function, each batch waits for the device. */
  onTestBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /** Called after each `onTestBegin`, also if the test failed; then there are no logs. */
  onTestEnd?(logs: Logs): void | Promise<void>
  /** Called before `predict` and its relatives. */
  onPredictBegin?(context: TestContext): void | Promise<void>
  onPredictBatchBegin?(batch: number): void | Promise<void>
  onPredictBatchEnd?(batch: number): void | Promise<void>
  /** Called after each `onPredictBegin`, also if the prediction failed. */
  onPredictEnd?(): void | Promise<void>
}

/** The names of the stages. */
export const stages = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
  'onTrainError',
  'onTrainBatchBegin',
  'onTrainBatchEnd',
  'onTestBegin',
  'onTestBatchBegin',
  'onTestBatchEnd',
  'onTestEnd',
  'onPredictBegin',
  'onPredictBatchBegin',
  'onPredictBatchEnd',
  'onPredictEnd',
] as const satisfies readonly (keyof Callback)[]

/** Names of an object's and its classes' members that look like stages. */
function stageNames(callback: object): string[] {
  const names: string[] = []
  for (let level: object | null = callback; level && level !== Object.prototype; level = Object.getPrototypeOf(level))
    names.push(...Object.getOwnPropertyNames(level).filter((name) => /^on(_|[A-Z])/.test(name)))
  return names
}

/** The callbacks given to `fit`. Throws for something that is no callback, and for a stage that does not exist, which `fit` would never call. */
export function requireCallbacks(given: readonly Callback[] = [], caller = 'fit'): readonly Callback[] {
  const hint = 'Give a list of what earlyStopping() and the like return, or of objects such as { onEpochEnd(epoch, logs) { … } }.'
  if (!Array.isArray(given)) throw new ValueError(`${caller}: callbacks must be a list, got ${describeValue(given)}. ${hint}`)
  for (const [i, callback] of given.entries()) {
    const where = `${caller}: callbacks[${i}]`
    if (typeof callback !== 'object' || callback === null)
      throw new ValueError(`${where} is ${describeValue(callback)}, not a callback. ${hint}`)
    const names = stageNames(callback)
    if (names.length === 0) throw new ValueError(`${where} is ${describeValue(callback)}, which has no stage to call. ${hint}`)
    for (const name of names) {
      if (!stages.includes(name as keyof Callback)) throw unknownOption(where, name, stages)
      const call = callback[name as keyof Callback]
      if (call !== undefined) requireFunction(where, name, call)
    }
  }
  return given
}

/**
 * The values of each epoch, by name, and the numbers of the epochs. `fit` returns it.
 *
 * @example
 * ```ts
 * const { history, epoch } = await model.fit(x, y, { epochs: 2, verbose: 0 })
 * console.log(Object.keys(history), epoch)   // ['loss', 'accuracy'] [0, 1]
 * ```
 */
export class History implements Callback {
  readonly history: Record<string, number[]> = {}
  readonly epoch: number[] = []

  onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) {
      if (!Object.hasOwn(this.history, name)) this.history[name] = []
      this.history[name].push(value)
    }
  }
}
