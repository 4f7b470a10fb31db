/** What `fit` tells while it runs. */
import type { Model } from '../model.js'

/** Values by name: loss, metrics, and with validation the same with `val_`. */
export type Logs = Record<string, number>

/** Called at the stages of `fit`; each may be async and is awaited. Leave out what you do not need. */
export interface Callback {
  /** The model and the plan, before anything else; steps and samples of an epoch as far as they are known. */
  onTrainBegin?(context: { model: Model; epochs: number; steps: number | undefined; samples: number | undefined }): void | Promise<void>
  /** @param epoch from 0 */
  onEpochBegin?(epoch: number): void | Promise<void>
  onBatchBegin?(batch: number): void | Promise<void>
  /** After the update; the running means of the epoch so far. Reading them costs a wait on the device. */
  onBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /** @param epoch from 0 */
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
