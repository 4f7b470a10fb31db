/** Saves the model while it trains (keras/callbacks/callbacks.py 2.3.1, ModelCheckpoint). How a model is saved is the caller's business. */
import { requireFunction, requireObject, requireText } from '@cotangent/core/arguments'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { fixed, formatText } from '../spelling/python-text.js'
import { saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext, TrainedModel } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Writes a model, or its weights alone, to a path. */
export type SaveModel = (model: TrainedModel, path: string, options: { weightsOnly: boolean }) => void | Promise<void>

/** Throws if nothing can be saved at a path, which may have places for the epoch and the logs. */
export type PrepareSave = (path: string, options: { weightsOnly: boolean }) => void | Promise<void>

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
  readonly #prepare?: PrepareSave
  readonly #monitor: Monitor
  #context?: TrainContext
  #epochs = 0

  /** @param given.prepare called before training, to say early what would go wrong when the first epoch is saved */
  constructor(path: string, given: SpelledOptions<ModelCheckpointOptions> & { save: SaveModel; prepare?: PrepareSave }) {
    requireText('modelCheckpoint', 'the path to save to', path)
    requireObject('modelCheckpoint', given, [], "new ModelCheckpoint('best.h5', { save: (model, path, { weightsOnly }) => … })")
    const { save, prepare, ...options } = given
    requireFunction('modelCheckpoint', 'save', save, "new ModelCheckpoint('best.h5', { save: (model, path, { weightsOnly }) => … })")
    if (prepare !== undefined) requireFunction('modelCheckpoint', 'prepare', prepare)
    this.path = path
    this.#save = save
    this.#prepare = prepare
    this.#options = readOptions<Required<ModelCheckpointOptions>>(
      'modelCheckpoint',
      options,
      { monitor: 'val_loss', verbose: 0, saveBestOnly: false, saveWeightsOnly: false, mode: 'auto', period: 1 },
      { verbose: saysSo, mode: modeRule, period: whole({ least: 1 }) },
    )
    this.#monitor = new Monitor('modelCheckpoint', this.#options.monitor, this.#options.mode)
    this.best = this.#monitor.worst
  }

  async onTrainBegin(context: TrainContext): Promise<void> {
    this.#context = context
    this.#monitor.begin(context)
    await this.#prepare?.(this.path, { weightsOnly: this.#options.saveWeightsOnly })
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
