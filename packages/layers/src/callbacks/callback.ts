/** What `fit` tells while it runs. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireFunction, unknownOption } from '@cotangent/core/arguments'
import type { Layer } from '../layer.js'
import type { Optimizer } from '../optimizers/index.js'

/** Values by name: loss, metrics, and with validation the same with `val_`. */
export type Logs = Record<string, number>

/**
 * The model that callbacks are given: a `Model`. Here is what the callbacks of this folder use; models/model.ts declares the rest, so that neither callbacks
 * nor training import that class.
 */
export interface TrainedModel extends Pick<Layer, 'name' | 'weights' | 'trainableWeights' | 'getWeights' | 'setWeights'> {
  readonly optimizer: Optimizer
  /** Set it to end `fit` after the epoch. */
  stopTraining: boolean
}

/** What a training is about to do. */
export interface TrainContext {
  model: TrainedModel
  epochs: number
  /** Batches in an epoch, where that is known. */
  steps: number | undefined
  /** Samples in an epoch, where that is known. */
  samples: number | undefined
  /** What the logs of an epoch will hold: loss and metrics, and those of validation. */
  metrics: readonly string[]
  /** Prints a line where `fit` prints. */
  print(line: string): void
}

/** Called at the stages of `fit`, in the order of the list; each may be async and is awaited. Leave out what you do not need. */
export interface Callback {
  /** The model and the plan, before anything else. */
  onTrainBegin?(context: TrainContext): void | Promise<void>
  /** @param epoch from 0 */
  onEpochBegin?(epoch: number): void | Promise<void>
  onBatchBegin?(batch: number): void | Promise<void>
  /** After the update; the running means of the epoch so far. Reading them costs a wait on the device. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /**
   * May add to the logs: what it adds, later callbacks and the history see.
   *
   * @param epoch from 0
   */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  onTrainEnd?(): void | Promise<void>
}

/** The stages of `fit`. */
export const stages = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
] as const satisfies readonly (keyof Callback)[]

/** Names of an object and its classes that look like stages. */
function stageNames(callback: object): string[] {
  const names: string[] = []
  for (let level: object | null = callback; level && level !== Object.prototype; level = Object.getPrototypeOf(level))
    names.push(...Object.getOwnPropertyNames(level).filter((name) => /^on(_|[A-Z])/.test(name)))
  return names
}

/** The callbacks that `fit` was given; throws for what is none, and for a stage that does not exist, which nobody would call. */
export function requireCallbacks(given: readonly Callback[] = []): readonly Callback[] {
  const hint = 'Give a list of what earlyStopping() and the like return, or of objects such as { onEpochEnd(epoch, logs) { … } }.'
  if (!Array.isArray(given)) throw new ValueError(`fit: callbacks must be a list, got ${describeValue(given)}. ${hint}`)
  for (const [i, callback] of given.entries()) {
    const where = `fit: callbacks[${i}]`
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

/** Values by epoch, and the numbers of the epochs. */
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
