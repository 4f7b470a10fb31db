/** The value of the logs that a callback watches, and whether it is to fall or to rise. */
import { warn } from '../platform.js'
import { oneOf } from '../spelling/rules.js'
import type { Logs, TrainContext } from './callback.js'

/** Whether a value is to fall (`min`) or to rise (`max`). `auto` decides by its name. */
export type MonitorMode = 'auto' | 'min' | 'max'

/** The check of the option `mode`. */
export const modeRule = oneOf('auto', 'min', 'max')

/**
 * Names of values that are to rise. Keras 2.3 knows only those with "acc" and those that start with "fmeasure"; there, the others of this list would have
 * to fall.
 */
const RISING = /acc|fmeasure|auc|precision|recall|f1|f_?beta|top_?k|io_?u|r2_?score|correlation|sensitivity|specificity/i

/** Reads the watched value from the logs of each epoch, and compares it. */
export class Monitor {
  readonly name: string
  /** Whether larger is better. */
  readonly rises: boolean
  readonly #what: string
  #metrics: readonly string[] = []
  #warned = false

  /** @param what the callback, for messages */
  constructor(what: string, name: string, mode: MonitorMode) {
    this.#what = what
    this.name = name
    this.rises = mode === 'max' || (mode === 'auto' && RISING.test(name))
  }

  /** A value that every other is better than. */
  get worst(): number {
    return this.rises ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  /** Whether `value` is better than `than` by more than `by`. */
  isBetter(value: number, than: number, by: number): boolean {
    return this.rises ? value - by > than : value + by < than
  }

  begin({ metrics }: TrainContext): void {
    this.#metrics = metrics
    this.#warned = false
  }

  /** The value of an epoch; undefined if there is none. If there can never be one, a warning says so, once for each training. */
  read(logs: Logs): number | undefined {
    if (Object.hasOwn(logs, this.name)) return logs[this.name]
    if (!this.#warned && !this.#metrics.includes(this.name)) {
      this.#warned = true
      const hint = this.name.startsWith('val_') ? ' For values of validation give fit validationData or validationSplit.' : ''
      warn(`${this.#what}: there is no "${this.name}" to watch, so it does nothing. There are: ${Object.keys(logs).join(', ')}.${hint}`)
    }
    return undefined
  }
}

/** An epoch's number as Keras prints it. */
export const epochText = (epoch: number): string => `Epoch ${String(epoch + 1).padStart(5, '0')}`
