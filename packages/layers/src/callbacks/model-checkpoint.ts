/** Saves the model while it trains (keras/callbacks/callbacks.py 2.3.1, ModelCheckpoint). How a model is saved is the caller's business. */
import { ValueError } from '@cotangent/core'
import { requireWhole } from '../checks.js'
import type { Model } from '../model.js'
import { readOptions, type SpelledOptions } from '../names.js'
import { fixed, formatText } from '../python-text.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText, Monitor, type MonitorMode } from './monitor.js'

/** Writes a model, or its weights alone, to a path. */
export type SaveModel = (model: Model, path: string, options: { weightsOnly: boolean }) => void | Promise<void>

/** Options of `ModelCheckpoint`, beside `save`. */
export interface ModelCheckpointOptions {
  /** The value of the logs that says which epoch is best; 'val_loss' by default. */
  monitor?: string
  /** 1: say what is saved. */
  verbose?: 0 | 1
  /** Save only epochs that are better than all before. */
  saveBestOnly?: boolean
  /** Save the weights alone, without layers and optimizer. */
  saveWeightsOnly?: boolean
  mode?: MonitorMode
  /** Epochs from one saving to the next; 1 by default. */
  period?: number
}

/**
 * Saves the model after each epoch, or after those that are the best so far. What is best is kept from one `fit` to the next.
 *
 * The path may have places for the epoch, from 1, and the values of the logs, in Python's formats: `model-{epoch:02d}-{val_loss:.2f}.h5`.
 *
 * @example
 * ```ts
 * const checkpoint = new ModelCheckpoint('best.h5', { saveBestOnly: true, save: (model, path) => upload(path, model) })
 * ```
 */
export class ModelCheckpoint implements Callback {
  /** The best value so far. */
  best: number
  readonly path: string
  readonly #options: Required<ModelCheckpointOptions>
  readonly #save: SaveModel
  readonly #monitor: Monitor
  #context?: TrainContext
  #epochs = 0

  constructor(path: string, { save, ...options }: SpelledOptions<ModelCheckpointOptions> & { save: SaveModel }) {
    if (typeof path !== 'string' || path === '') throw new ValueError('modelCheckpoint: the path to save to must be a text.')
    if (typeof save !== 'function') throw new ValueError('modelCheckpoint: save must be a function (model, path, { weightsOnly }).')
    this.path = path
    this.#save = save
    this.#options = readOptions<Required<ModelCheckpointOptions>>('modelCheckpoint', options, {
      monitor: 'val_loss',
      verbose: 0,
      saveBestOnly: false,
      saveWeightsOnly: false,
      mode: 'auto',
      period: 1,
    })
    requireWhole('modelCheckpoint: period', this.#options.period, 1)
    this.#monitor = new Monitor('modelCheckpoint', this.#options.monitor, this.#options.mode)
    this.best = this.#monitor.worst
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    this.#monitor.begin(context)
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    this.#epochs++
    const { period, saveBestOnly, saveWeightsOnly, monitor, verbose } = this.#options
    if (this.#epochs < period) return
    this.#epochs = 0
    const { model, print } = this.#context as TrainContext
    const say = (what: string): void => {
      if (verbose > 0) print(`\n${epochText(epoch)}: ${what}`)
    }
    const value = saveBestOnly ? this.#monitor.read(logs) : undefined
    if (saveBestOnly && value === undefined) return
    if (value !== undefined && !this.#monitor.isBetter(value, this.best, 0)) {
      say(`${monitor} did not improve from ${fixed(this.best, 5)}`)
      return
    }
    const path = formatText('modelCheckpoint', this.path, { epoch: epoch + 1 }, logs)
    const before = this.best
    say(
      value === undefined
        ? `saving model to ${path}`
        : `${monitor} improved from ${fixed(before, 5)} to ${fixed(value, 5)}, saving model to ${path}`,
    )
    await this.#save(model, path, { weightsOnly: saveWeightsOnly })
    if (value !== undefined) this.best = value
  }
}
