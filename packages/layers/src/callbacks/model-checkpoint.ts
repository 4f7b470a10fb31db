/**
 * Saves the model while it trains. A function given by the caller does the saving; node/callbacks.ts binds it to a disk. Source: Keras 2.3.1,
 * callbacks/callbacks.py.
 */
import { requireFunction, requireObject, requireText } from '@cotangent/core/arguments'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { fixed, formatText } from '../spelling/python-text.js'
import { saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext, TrainedModel } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Writes a model, or only its weights, to a path. */
export type SaveModel = (model: TrainedModel, path: string, options: { weightsOnly: boolean }) => void | Promise<void>

/** Throws if nothing can be saved at a path. The path may have places for epoch and logs. */
export type PrepareSave = (path: string, options: { weightsOnly: boolean; model: TrainedModel }) => void | Promise<void>

/** Options of `ModelCheckpoint`, in addition to `save`. */
export interface ModelCheckpointOptions {
  /** The name of the value that says which epoch is best; 'val_loss' by default. */
  monitor?: string
  /** 1 prints a line for each file saved; 0 (default) prints none. */
  verbose?: 0 | 1
  /** Save only epochs that are better than all before. False by default. */
  saveBestOnly?: boolean
  /** Save only the weights, without layers and optimizer. False by default. */
  saveWeightsOnly?: boolean
  /** Whether the value is to fall (`min`) or to rise (`max`). `auto` (default) decides by the name. */
  mode?: MonitorMode
  /** The number of epochs from one save to the next, at least 1; 1 by default. */
  period?: number
}

/**
 * Saves the model after each epoch, or after each epoch that is the best so far. The best value is remembered from one `fit` to the next.
 *
 * The path may have places for the epoch, counted from 1, and for logs, in Python's formats: `model-{epoch:02d}-{val_loss:.2f}.h5`.
 *
 * @throws ValueError in `fit` for a place that no log fills
 * @example
 * ```ts
 * const saved: string[] = []
 * const checkpoint = new ModelCheckpoint('model-{epoch:02d}.h5', { save: (model, path) => void saved.push(path) })
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [checkpoint] })
 * console.log(saved)   // ['model-01.h5', 'model-02.h5']
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

  /** @param given.prepare called before training: an error comes then, not when the first epoch is saved */
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
    await this.#prepare?.(this.path, { weightsOnly: this.#options.saveWeightsOnly, model: context.model })
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
