/**
 * Learning-rate schedules: the rate as a function of the number of batches so far. Definitions and class names are those of Keras 3
 * (keras/src/optimizers/schedules). An optimizer with a schedule computes its rate before each step; `learningRate` cannot be set to a number then.
 */
import { ValueError } from '@cotangent/core'
import { ours } from '../own-classes.js'
import { camelKeys, classNameOf, lookUp, type SavedObject, type SpelledOptions } from '../spelling/names.js'
import { CosineDecay, CosineDecayRestarts } from './cosine-schedules.js'
import { LearningRateSchedule, readSchedule, requireStep } from './schedule.js'

export { LearningRateSchedule } from './schedule.js'

/** Options of `exponentialDecay` and `inverseTimeDecay`. */
export interface DecayOptions {
  /** η₀, the rate at step 0, at least 0. Required. */
  initialLearningRate: number
  /** The length of a period in steps (batches), above 0. Required. */
  decaySteps: number
  /** r, at least 0. Required. */
  decayRate: number
  /** Change the rate at the end of each period only. False by default. */
  staircase?: boolean
}

/** The base of the two decays by a rate. They count periods p = step/decaySteps, rounded down with `staircase`. */
abstract class RateDecay extends LearningRateSchedule {
  protected readonly options: Required<DecayOptions>

  constructor(what: string, options: SpelledOptions<DecayOptions>) {
    super()
    this.options = readSchedule(what, options, ['initialLearningRate', 'decaySteps', 'decayRate'], { staircase: false })
  }
  protected periods(step: number): number {
    const { decaySteps, staircase } = this.options
    return staircase ? Math.floor(step / decaySteps) : step / decaySteps
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.options }
  }
}

/** η = η₀·rᵖ with p = step/decaySteps. */
export class ExponentialDecay extends RateDecay {
  override readonly className = ours(ExponentialDecay, 'ExponentialDecay')

  constructor(options: SpelledOptions<DecayOptions>) {
    super('exponentialDecay', options)
  }
  override at(step: number): number {
    requireStep(this.className, step)
    return this.options.initialLearningRate * this.options.decayRate ** this.periods(step)
  }
}

/** η = η₀/(1 + r·p) with p = step/decaySteps. */
export class InverseTimeDecay extends RateDecay {
  override readonly className = ours(InverseTimeDecay, 'InverseTimeDecay')

  constructor(options: SpelledOptions<DecayOptions>) {
    super('inverseTimeDecay', options)
  }
  override at(step: number): number {
    requireStep(this.className, step)
    return this.options.initialLearningRate / (1 + this.options.decayRate * this.periods(step))
  }
}

/** Options of `polynomialDecay`. */
export interface PolynomialDecayOptions {
  /** η₀, the rate at step 0, at least 0. Required. */
  initialLearningRate: number
  /** The number of steps until the end rate is reached, above 0. Required. */
  decaySteps: number
  /** η₁, the rate at the end, at least 0; 0.0001 by default. */
  endLearningRate?: number
  /** The exponent; 1, a straight line, by default. */
  power?: number
  /** Start again when the end is reached, each time with a longer decay. False by default. */
  cycle?: boolean
}

/**
 * η = (η₀ − η₁)·(1 − step/n)^power + η₁ up to step n = decaySteps, then η₁. With `cycle`, n is the first multiple of decaySteps that is not below step.
 */
export class PolynomialDecay extends LearningRateSchedule {
  override readonly className = ours(PolynomialDecay, 'PolynomialDecay')
  readonly #options: Required<PolynomialDecayOptions>

  constructor(options: SpelledOptions<PolynomialDecayOptions>) {
    super()
    this.#options = readSchedule('polynomialDecay', options, ['initialLearningRate', 'decaySteps'], {
      endLearningRate: 1e-4,
      power: 1,
      cycle: false,
    })
  }
  override at(step: number): number {
    requireStep(this.className, step)
    const { initialLearningRate, decaySteps, endLearningRate, power, cycle } = this.#options
    const whole = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps
    return (initialLearningRate - endLearningRate) * (1 - Math.min(step, whole) / whole) ** power + endLearningRate
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.#options }
  }
}

/** Options of `piecewiseConstantDecay`. */
export interface PiecewiseConstantDecayOptions {
  /** The last step of each value except the final one, in ascending order. Required. */
  boundaries: readonly number[]
  /** The rates, at least 0; one more than there are boundaries. Required. */
  values: readonly number[]
}

/** η = values[i] up to step boundaries[i] (included), then the last value. */
export class PiecewiseConstantDecay extends LearningRateSchedule {
  override readonly className = ours(PiecewiseConstantDecay, 'PiecewiseConstantDecay')
  readonly #options: PiecewiseConstantDecayOptions

  constructor(options: PiecewiseConstantDecayOptions) {
    super()
    const { boundaries, values } = readSchedule<PiecewiseConstantDecayOptions>(
      'piecewiseConstantDecay',
      options,
      ['boundaries', 'values'],
      {},
    )
    if (values.length !== boundaries.length + 1) {
      throw new ValueError('piecewiseConstantDecay: boundaries and values must be lists, values one longer than boundaries.')
    }
    const bad = boundaries.findIndex((step, i) => i > 0 && !(step > boundaries[i - 1]))
    if (bad >= 0)
      throw new ValueError(`piecewiseConstantDecay: boundaries must ascend, but ${boundaries[bad]} follows ${boundaries[bad - 1]}.`)
    this.#options = { boundaries: [...boundaries], values: [...values] }
  }
  override at(step: number): number {
    requireStep(this.className, step)
    const { boundaries, values } = this.#options
    const i = boundaries.findIndex((boundary) => step <= boundary)
    return values[i < 0 ? boundaries.length : i]
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.#options }
  }
}

/**
 * Makes an `ExponentialDecay`: each period multiplies the rate by `decayRate`.
 *
 * @throws ValueError for a missing option or one out of range
 * @example
 * ```ts
 * const schedule = exponentialDecay({ initialLearningRate: 1, decaySteps: 10, decayRate: 0.5 })
 * console.log([0, 10, 20].map((step) => schedule.at(step)))   // [1, 0.5, 0.25]
 * ```
 */
export const exponentialDecay = (options: SpelledOptions<DecayOptions>): ExponentialDecay => new ExponentialDecay(options)
/**
 * Makes an `InverseTimeDecay`: the rate falls as 1/(1 + r·p).
 *
 * @throws ValueError for a missing option or one out of range
 * @example
 * ```ts
 * const schedule = inverseTimeDecay({ initialLearningRate: 1, decaySteps: 10, decayRate: 1 })
 * console.log([0, 10, 30].map((step) => schedule.at(step)))   // [1, 0.5, 0.25]
 * ```
 */
export const inverseTimeDecay = (options: SpelledOptions<DecayOptions>): InverseTimeDecay => new InverseTimeDecay(options)
/**
 * Makes a `PolynomialDecay`: the rate falls to `endLearningRate`, in a line or along a power.
 *
 * @throws ValueError for a missing option or one out of range
 * @example
 * ```ts
 * const schedule = polynomialDecay({ initialLearningRate: 1, decaySteps: 10, endLearningRate: 0 })
 * console.log([0, 5, 10, 20].map((step) => schedule.at(step)))   // [1, 0.5, 0, 0]
 * ```
 */
export const polynomialDecay = (options: SpelledOptions<PolynomialDecayOptions>): PolynomialDecay => new PolynomialDecay(options)
/**
 * Makes a `PiecewiseConstantDecay`: the rate changes at given steps.
 *
 * @throws ValueError unless boundaries ascend, and values has one entry more
 * @example
 * ```ts
 * const schedule = piecewiseConstantDecay({ boundaries: [100], values: [0.1, 0.01] })
 * console.log([0, 100, 101].map((step) => schedule.at(step)))   // [0.1, 0.1, 0.01]
 * ```
 */
export const piecewiseConstantDecay = (options: PiecewiseConstantDecayOptions): PiecewiseConstantDecay =>
  new PiecewiseConstantDecay(options)
const table: Readonly<Record<string, new (options: never) => LearningRateSchedule>> = {
  ExponentialDecay,
  InverseTimeDecay,
  PolynomialDecay,
  PiecewiseConstantDecay,
  CosineDecay,
  CosineDecayRestarts,
}

/** @internal A schedule itself, or one from a saved model's description. */
export function getSchedule(id: LearningRateSchedule | SavedObject): LearningRateSchedule {
  if (id instanceof LearningRateSchedule) return id
  const { name: _, ...config } = camelKeys(id.config ?? {})
  return new (lookUp('learning-rate schedule', classNameOf('learning-rate schedule', id), table))(config as never)
}
