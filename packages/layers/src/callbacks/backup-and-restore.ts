/**
 * Saves the state of a training while it runs, and goes on from there when `fit` is called again. A store keeps it; node/callbacks.ts binds it to a disk.
 * Source: Keras 3.16, callbacks/backup_and_restore.py, which puts back neither the batch nor the random draws.
 */
import { ValueError } from '@cotangent/core'
import { describeValue, requireWhole } from '@cotangent/core/arguments'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import type { Callback, TrainContext } from './callback.js'
import { restoreTraining, saveTraining, type TrainingState } from './training-state.js'

/** Keeps the state of a training. */
export interface BackupStore {
  /** The state that was written last, undefined if there is none. It is called before training: it throws if nothing could be written. */
  read(): Promise<TrainingState | undefined>
  /** Replaces the state, wholly or not at all. */
  write(state: TrainingState): Promise<void>
  /** Forgets the state. */
  remove(): Promise<void>
}

/** Options of `backupAndRestore`. */
export interface BackupAndRestoreOptions {
  /** 'epoch' (default) saves at the end of each epoch; a number n saves whenever n batches are done. */
  saveFreq?: 'epoch' | number
  /** Remove the backup when training has come to its end; true by default. */
  deleteCheckpoint?: boolean
}

const frequency: Rule = (what, name, value) => {
  if (value !== 'epoch') requireWhole(what, `${name}, if it is not 'epoch',`, value as number, { least: 1 })
}

/**
 * Lets a training that was cut off go on where it was saved last, with the bits of one that was not.
 *
 * Saved are: the weights and optimizers of the model, and of the layers, models and optimizers among its own properties; the states of stateful layers; epoch and batch;
 * the model's seed, from which dropout and the order of samples follow; sums of the loss and of this package's metrics. Not saved are the counts of other callbacks and
 * fields that a class hides (`#critic`).
 *
 * @throws ValueError in `fit` if the backup is damaged or of another model
 */
export class BackupAndRestore implements Callback {
  readonly #store: BackupStore
  readonly #options: Required<BackupAndRestoreOptions>
  #context?: TrainContext
  /** The batches done since the last save. */
  #batches = 0

  constructor(store: BackupStore, options: SpelledOptions<BackupAndRestoreOptions> = {}) {
    const { read, write, remove } = Object(store) as Record<string, unknown>
    if ([read, write, remove].some((part) => typeof part !== 'function')) {
      throw new ValueError(
        `backupAndRestore: the store must be an object with functions read, write and remove, got ${describeValue(store)}. For files there is backupAndRestore of @cotangent/layers/node.`,
      )
    }
    this.#store = store
    this.#options = readOptions<Required<BackupAndRestoreOptions>>(
      'backupAndRestore',
      options,
      { saveFreq: 'epoch', deleteCheckpoint: true },
      { saveFreq: frequency },
      "backupAndRestore('backup', { saveFreq: 100 })",
    )
  }

  async onTrainBegin(context: TrainContext): Promise<void> {
    this.#context = context
    this.#batches = 0
    const state = await this.#store.read()
    if (state) context.resume(restoreTraining(context.model, state))
  }

  /** Before a batch and not after one, since then the epoch before it is over, with its validation. */
  async onBatchBegin(): Promise<void> {
    const { saveFreq } = this.#options
    if (saveFreq === 'epoch') return
    if (this.#batches >= saveFreq) await this.#save()
    this.#batches++
  }

  async onEpochEnd(): Promise<void> {
    if (this.#options.saveFreq === 'epoch') await this.#save()
  }

  async onTrainEnd(): Promise<void> {
    if (this.#options.deleteCheckpoint) await this.#store.remove()
  }

  async #save(): Promise<void> {
    const { model, place } = this.#context as TrainContext
    await this.#store.write(await saveTraining(model, await place()))
    this.#batches = 0
  }
}
