/** Ends a training that no longer improves. Source: Keras 2.3.1, callbacks/callbacks.py. */

import type { HostArray } from '../host-data.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, orNull, saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** The name of the value to watch; 'val_loss' by default. */
  monitor?: string
  /** A smaller change than this is no improvement; 0 by default. */
  minDelta?: number
  /** The number of epochs without improvement after which training ends; 0 by default: the first such epoch ends it. */
  patience?: number
  /** 1 prints a line when training ends; 0 (default) prints none. */
  verbose?: 0 | 1
  /** Whether the value is to fall (`min`) or to rise (`max`). `auto` (default) decides by the name. */
  mode?: MonitorMode
  /** The first epoch must be better than this; null (default): any value will do. */
  baseline?: number | null
  /**
   * Restore the weights of the best epoch when this callback ends training. False by default. As in Keras 2.3, a training that runs to its end keeps its last
   * weights.
   */
  restoreBestWeights?: boolean
  /** The first epoch that is watched, counted from 0: earlier ones are neither best nor a reason to end; 0 by default. */
  startFromEpoch?: number
  /**
   * `keras3` restores the best weights also if training runs to its end, or another callback ends it. `keras2` (default) does not. An epoch whose value is NaN
   * is never the best; if all are NaN, `keras3` restores the weights of the first.
   */
  variant?: 'keras2' | 'keras3'
}

/**
 * Ends training when a value has not improved for `patience` epochs.
 *
 * @example
 * ```ts
 * const stopping = earlyStopping({ monitor: 'loss', minDelta: 100, patience: 3 })
 * await model.fit(x, y, { epochs: 100, verbose: 0, callbacks: [stopping] })
 * console.log(stopping.bestEpoch, stopping.stoppedEpoch)   // 0 3
 * ```
 */
export class EarlyStopping implements Callback {
  /** The best value so far. */
  best: number
  /** The epoch of the best value, counted from 0; undefined before the first improvement. */
  bestEpoch?: number
  /** The number of epochs since then. */
  wait = 0
  /** The epoch after which this callback ended training, counted from 0; undefined if it did not. */
  stoppedEpoch?: number
  readonly #options: Required<EarlyStoppingOptions>
  readonly #monitor: Monitor
  #context?: TrainContext
  #bestWeights?: HostArray[]

  constructor(options: SpelledOptions<EarlyStoppingOptions> = {}) {
    this.#options = readOptions<Required<EarlyStoppingOptions>>(
      'earlyStopping',
      options,
      {
        monitor: 'val_loss',
        minDelta: 0,
        patience: 0,
        verbose: 0,
        mode: 'auto',
        baseline: null,
        restoreBestWeights: false,
        startFromEpoch: 0,
        variant: 'keras2',
      },
      {
        startFromEpoch: whole({ least: 0 }),
        patience: whole({ least: 0 }),
        verbose: saysSo,
        mode: modeRule,
        baseline: orNull(number({})),
        variant: oneOf('keras2', 'keras3'),
      },
      "earlyStopping({ monitor: 'val_loss', patience: 3 })",
    )
    this.#monitor = new Monitor('earlyStopping', this.#options.monitor, this.#options.mode)
    this.best = this.#monitor.worst
  }

  onTrainBegin(context: TrainContext): void {
    this.#context = context
    this.#monitor.begin(context)
    this.best = this.#options.baseline ?? this.#monitor.worst
    this.wait = 0
    this.bestEpoch = undefined
    this.stoppedEpoch = undefined
    this.#bestWeights = undefined
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const value = this.#monitor.read(logs)
    if (value === undefined || epoch < this.#options.startFromEpoch) return
    const { model } = this.#context as TrainContext
    const { minDelta, patience, restoreBestWeights, variant } = this.#options
    if (this.#monitor.isBetter(value, this.best, Math.abs(minDelta))) {
      this.best = value
      this.bestEpoch = epoch
      this.wait = 0
      if (restoreBestWeights) this.#bestWeights = await model.getWeights()
      return
    }
    if (restoreBestWeights && variant === 'keras3' && !this.#bestWeights) {
      this.bestEpoch = epoch
      this.#bestWeights = await model.getWeights()
    }
    this.wait++
    if (this.wait < patience) return
    this.stoppedEpoch = epoch
    model.stopTraining = true
    this.#restore()
  }

  /** Restores the best weights, if there are any. */
  #restore(): void {
    if (!this.#bestWeights) return
    const { model, print } = this.#context as TrainContext
    if (this.#options.verbose > 0) print('Restoring model weights from the end of the best epoch')
    model.setWeights(this.#bestWeights)
    this.#bestWeights = undefined
  }

  onTrainEnd(): void {
    if (this.#options.variant === 'keras3') this.#restore()
    this.#bestWeights = undefined
    if (this.stoppedEpoch !== undefined && this.#options.verbose > 0)
      this.#context?.print(`${epochText(this.stoppedEpoch)}: early stopping`)
  }
}

/**
 * Makes an `EarlyStopping`: it ends training when a value has not improved for some epochs.
 *
 * @throws ValueError for an unknown option or one out of range
 * @example
 * ```ts
 * const stopping = earlyStopping({ patience: 3, restoreBestWeights: true })
 * const { epoch } = await model.fit(x, y, { epochs: 2, validationSplit: 0.2, verbose: 0, callbacks: [stopping] })
 * console.log(epoch)   // [0, 1]
 * ```
 */
export const earlyStopping = (options?: SpelledOptions<EarlyStoppingOptions>): EarlyStopping => new EarlyStopping(options)
