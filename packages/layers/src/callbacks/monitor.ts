/** A value of the logs that a callback goes by, and which way it is to go. */
import { warn } from '../platform.js'
import { oneOf } from '../spelling/rules.js'
import type { Logs, TrainContext } from './callback.js'

/** Whether a value is to fall or to rise; 'auto' knows by its name. */
export type MonitorMode = 'auto' | 'min' | 'max'

/** What a `mode` must be. */
export const modeRule = oneOf('auto', 'min', 'max')

/**
 * Names of values that are to rise. Keras 2.3 knows those with "acc" and those that start with "fmeasure"; by it the others of this list would
 * have to fall.
 */
const RISING = /acc|fmeasure|auc|precision|recall|f1|top_?k/i

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

  /** What every value is better than. */
  get worst(): number {
    return this.rises ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  /** Whether a value is better than another by more than `by`. */
  isBetter(value: number, than: number, by: number): boolean {
    return this.rises ? value - by > than : value + by < than
  }

  begin({ metrics }: TrainContext): void {
    this.#metrics = metrics
    this.#warned = false
  }

  /** The value of an epoch. Where there is none, and none was to come, says so once a training. */
  read(logs: Logs): number | undefined {
    if (Object.hasOwn(logs, this.name)) return logs[this.name]
    if (!this.#warned && !this.#metrics.includes(this.name)) {
      this.#warned = true
      const hint = this.name.startsWith('val_') ? ' For values of validation give fit validationData or validationSplit.' : ''
      warn(`${this.#what}: there is no "${this.name}" to go by, so nothing is done. There are: ${Object.keys(logs).join(', ')}.${hint}`)
    }
    return undefined
  }
}

/** Keras' way to write an epoch's number. */
export const epochText = (epoch: number): string => `Epoch ${String(epoch + 1).padStart(5, '0')}`
