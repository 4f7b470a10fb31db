/** Lowers the learning rate when a value no longer improves. Source: Keras 2.3.1, callbacks/callbacks.py. */
import { ValueError } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { floatText } from '../spelling/python-text.js'
import { fromZero, number, saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Options of `reduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** The name of the value to watch; 'val_loss' by default. */
  monitor?: string
  /** The rate is multiplied by this, from 0 to below 1; 0.1 by default. */
  factor?: number
  /** The number of epochs without improvement after which the rate is lowered; 10 by default. */
  patience?: number
  /** 1 prints a line when the rate is lowered; 0 (default) prints none. */
  verbose?: 0 | 1
  /** Whether the value is to fall (`min`) or to rise (`max`). `auto` (default) decides by the name. */
  mode?: MonitorMode
  /** A smaller change than this is no improvement; 0.0001 by default. */
  minDelta?: number
  /** The number of epochs after a change that do not count; 0 by default. */
  cooldown?: number
  /** The lowest rate, at least 0; 0 by default. */
  minLr?: number
}

/**
 * Multiplies the learning rate by `factor` when a value has not improved for `patience` epochs. It logs the rate of each epoch as `lr`.
 *
 * @throws ValueError in `fit` if the optimizer's rate follows a schedule
 */
export class ReduceLROnPlateau implements Callback {
  readonly #options: Required<ReduceLROnPlateauOptions>
  readonly #monitor: Monitor
  #context?: TrainContext
  #best = 0
  #wait = 0
  #cooldown = 0

  constructor(options: SpelledOptions<ReduceLROnPlateauOptions> = {}) {
    this.#options = readOptions<Required<ReduceLROnPlateauOptions>>(
      'reduceLROnPlateau',
      options,
      { monitor: 'val_loss', factor: 0.1, patience: 10, verbose: 0, mode: 'auto', minDelta: 1e-4, cooldown: 0, minLr: 0 },
      {
        factor: number({ least: 0, below: 1 }),
        patience: whole({ least: 0 }),
        verbose: saysSo,
        mode: modeRule,
        cooldown: whole({ least: 0 }),
        minLr: fromZero,
      },
      "reduceLROnPlateau({ monitor: 'val_loss', factor: 0.1 })",
    )
    const { monitor, mode } = this.#options
    this.#monitor = new Monitor('reduceLROnPlateau', monitor, mode)
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    this.#monitor.begin(context)
    this.#best = this.#monitor.worst
    this.#wait = 0
    this.#cooldown = 0
    requireSettable('reduceLROnPlateau', context)
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    const { model, print } = this.#context as TrainContext
    const { optimizer } = model
    const value = this.#monitor.read(logs)
    logs.lr = optimizer.learningRate
    if (value === undefined) return
    const { factor, patience, verbose, minDelta, cooldown, minLr } = this.#options
    if (this.#cooldown > 0) {
      this.#cooldown--
      this.#wait = 0
    }
    if (this.#monitor.isBetter(value, this.#best, Math.abs(minDelta))) {
      this.#best = value
      this.#wait = 0
      return
    }
    if (this.#cooldown > 0) return
    this.#wait++
    if (this.#wait < patience || optimizer.learningRate <= minLr) return
    optimizer.learningRate = Math.max(optimizer.learningRate * factor, minLr)
    if (verbose > 0) print(`\n${epochText(epoch)}: ReduceLROnPlateau reducing learning rate to ${floatText(optimizer.learningRate)}.`)
    this.#cooldown = cooldown
    this.#wait = 0
  }
}

/** Throws, before the first epoch, if the rate follows a schedule. */
export function requireSettable(what: string, { model }: TrainContext): void {
  const { schedule } = model.optimizer
  if (schedule) {
    throw new ValueError(
      `${what}: the optimizer's learning rate follows ${schedule.className}, so it cannot be set. Give the optimizer a number, or leave out the callback.`,
    )
  }
}

/**
 * Makes a `ReduceLROnPlateau`.
 *
 * @throws ValueError for an unknown option or one out of range
 * @example
 * ```ts
 * const halving = reduceLROnPlateau({ monitor: 'loss', minDelta: 100, patience: 1, factor: 0.5 })
 * const { history } = await model.fit(x, y, { epochs: 3, verbose: 0, callbacks: [halving] })
 * console.log(history.lr)   // [0.01, 0.01, 0.005]
 * ```
 */
export const reduceLROnPlateau = (options?: SpelledOptions<ReduceLROnPlateauOptions>): ReduceLROnPlateau => new ReduceLROnPlateau(options)
