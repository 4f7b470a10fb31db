/** Lowers the learning rate when a value no longer improves (keras/callbacks/callbacks.py 2.3.1, ReduceLROnPlateau). */
import { ValueError } from '@cotangent/core'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { floatText } from '../spelling/python-text.js'
import { fromZero, number, saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Options of `reduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** The value of the logs to go by; 'val_loss' by default. */
  monitor?: string
  /** What the rate is multiplied by; 0.1 by default. */
  factor?: number
  /** Epochs without improvement before that; 10 by default. */
  patience?: number
  /** 1: say so when the rate is lowered. */
  verbose?: 0 | 1
  mode?: MonitorMode
  /** By how much a value must be better to count; 0.0001 by default. */
  minDelta?: number
  /** Epochs after a change that do not count; 0 by default. */
  cooldown?: number
  /** The rate goes no lower; 0 by default. */
  minLr?: number
}

/** Multiplies the learning rate by a factor when a value has not improved for `patience` epochs; logs the rate of each epoch as `lr`. */
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

/** Throws before the first epoch if the rate follows a schedule. */
export function requireSettable(what: string, { model }: TrainContext): void {
  const { schedule } = model.optimizer
  if (schedule) {
    throw new ValueError(
      `${what}: the optimizer's learning rate follows ${schedule.className}, so it cannot be set. Give the optimizer a number, or leave out the callback.`,
    )
  }
}

/** Lowers the learning rate when a value no longer improves. */
export const reduceLROnPlateau = (options?: SpelledOptions<ReduceLROnPlateauOptions>): ReduceLROnPlateau => new ReduceLROnPlateau(options)
