/** Ends a training that no longer improves (keras/callbacks/callbacks.py 2.3.1, EarlyStopping). */

import type { HostArray } from '../host-data.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, orNull, saysSo, whole } from '../spelling/rules.js'
import type { Callback, Logs, TrainContext } from './callback.js'
import { epochText, Monitor, type MonitorMode, modeRule } from './monitor.js'

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** The value of the logs to go by; 'val_loss' by default. */
  monitor?: string
  /** By how much a value must be better to count; 0 by default. */
  minDelta?: number
  /** Epochs without improvement after which training ends; 0 by default: the first one. */
  patience?: number
  /** 1: say so when training ends. */
  verbose?: 0 | 1
  mode?: MonitorMode
  /** What the first epoch must be better than. */
  baseline?: number | null
  /** Put the weights of the best epoch back when training is ended here; as in Keras 2.3 a training that runs to its end keeps its last. */
  restoreBestWeights?: boolean
  /**
   * 'keras3': the best weights are also put back when training runs to its end or another callback ends it. 'keras2' by default.
   * An epoch whose value is NaN is never the best; in a training of such epochs alone 'keras3' puts back those of the first.
   */
  variant?: 'keras2' | 'keras3'
}

/**
 * Ends training when a value has not improved for `patience` epochs.
 *
 * @example
 * ```ts
 * await model.fit(x, y, { epochs: 100, validationSplit: 0.2, callbacks: [earlyStopping({ patience: 3, restoreBestWeights: true })] })
 * ```
 */
export class EarlyStopping implements Callback {
  /** The best value so far. */
  best: number
  /** The epoch it is of, from 0; undefined before the first improvement. */
  bestEpoch?: number
  /** Epochs since then. */
  wait = 0
  /** The epoch that was the last, from 0; undefined if training was not ended here. */
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
        variant: 'keras2',
      },
      { patience: whole({ least: 0 }), verbose: saysSo, mode: modeRule, baseline: orNull(number({})), variant: oneOf('keras2', 'keras3') },
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
    if (value === undefined) return
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

  /** Puts the best weights back, if they are kept. */
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

/** Ends training when a value has not improved for some epochs. */
export const earlyStopping = (options?: SpelledOptions<EarlyStoppingOptions>): EarlyStopping => new EarlyStopping(options)
