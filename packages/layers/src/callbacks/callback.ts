/** What `fit` tells while it runs. */
import type { Model } from '../model.js'

/** Values by name: loss, metrics, and with validation the same with `val_`. */
export type Logs = Record<string, number>

/** What a training is about to do. */
export interface TrainContext {
  model: Model
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

/** Values by epoch, and the numbers of the epochs. */
export class History implements Callback {
  readonly history: Record<string, number[]> = {}
  readonly epoch: number[] = []

  onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= []
      this.history[name].push(value)
    }
  }
}
