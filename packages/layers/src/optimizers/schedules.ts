/**
 * Learning-rate schedules: the rate as a function of the number of batches so far. Definitions and class names are those of Keras 3
 * (keras/src/optimizers/schedules). An optimizer with a schedule computes its rate before each step; `learningRate` cannot be set to a number then.
 */
import { ValueError } from '@cotangent/core'
import { requireBoolean, requireNumber } from '@cotangent/core/arguments'
import { camelKeys, classNameOf, lookUp, type Rule, readOptions, type SavedObject, type SpelledOptions } from '../spelling/names.js'
import { fromZero, listOf, number, orNull } from '../spelling/rules.js'

/**
 * A learning rate that depends on the step. Extend it for a schedule of your own.
 *
 * @example
 * ```ts
 * const schedule = exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1000, decayRate: 0.5 })
 * const optimizer = sgd({ learningRate: schedule })
 * console.log(optimizer.learningRate, schedule.at(1000))   // 0.1 0.05
 * ```
 */
export abstract class LearningRateSchedule {
  /** Keras' class name: `ExponentialDecay`. */
  abstract readonly className: string
  /** The rate of a step; the first step is 0. */
  abstract at(step: number): number
  /** The options that make an equal schedule. */
  abstract getConfig(): Record<string, unknown>
}

const rules: Readonly<Record<string, Rule>> = {
  initialLearningRate: fromZero,
  decaySteps: number({ above: 0 }),
  decayRate: fromZero,
  staircase: requireBoolean,
  endLearningRate: fromZero,
  power: number({}),
  cycle: requireBoolean,
  boundaries: listOf(fromZero),
  values: listOf(fromZero),
  alpha: fromZero,
  warmupTarget: orNull(fromZero),
  warmupSteps: fromZero,
}

/** The given options over the defaults; options without one must be given. */
function read<Options extends object>(what: string, given: object, required: readonly (keyof Options & string)[], rest: object): Options {
  const blank = Object.fromEntries(required.map((name) => [name, undefined]))
  const example = `${what}({ ${required.join(', ')} })`
  const options = readOptions<object>(what, given ?? {}, { ...blank, ...rest }, rules, example) as Options
  for (const name of required) {
    if (options[name] === undefined) throw new ValueError(`${what}: ${name} is missing. It needs ${required.join(', ')}: ${example}.`)
  }
  return options
}

/** Throws unless a step is a number, at least 0. */
const requireStep = (what: string, step: number): void => requireNumber(`${what}.at`, 'step', step, { least: 0 })

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
    this.options = read(what, options, ['initialLearningRate', 'decaySteps', 'decayRate'], { staircase: false })
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
  override readonly className = 'ExponentialDecay'

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
  override readonly className = 'InverseTimeDecay'

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
  override readonly className = 'PolynomialDecay'
  readonly #options: Required<PolynomialDecayOptions>

  constructor(options: SpelledOptions<PolynomialDecayOptions>) {
    super()
    this.#options = read('polynomialDecay', options, ['initialLearningRate', 'decaySteps'], {
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
  override readonly className = 'PiecewiseConstantDecay'
  readonly #options: PiecewiseConstantDecayOptions

  constructor(options: PiecewiseConstantDecayOptions) {
    super()
    const { boundaries, values } = read<PiecewiseConstantDecayOptions>('piecewiseConstantDecay', options, ['boundaries', 'values'], {})
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

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** η₀, the rate at step 0, at least 0. Required. */
  initialLearningRate: number
  /** The number of steps of the decay, without those of the warm-up; above 0. Required. */
  decaySteps: number
  /** α, the last rate as a share of the highest, at least 0; 0 by default. */
  alpha?: number
  /** The rate at the end of the warm-up, from which the decay then falls. null (default): there is no warm-up. */
  warmupTarget?: number | null
  /** The number of steps of the warm-up; 0 by default. */
  warmupSteps?: number
}

/**
 * First the rate rises in a line from η₀ to the target, during `warmupSteps`. Then η = top·((1 − α)·½(1 + cos πp) + α), with p from 0 to 1
 * (Loshchilov and Hutter 2017); top is the target, or η₀ without a warm-up.
 */
export class CosineDecay extends LearningRateSchedule {
  override readonly className = 'CosineDecay'
  readonly #options: Required<CosineDecayOptions>

  constructor(options: SpelledOptions<CosineDecayOptions>) {
    super()
    this.#options = read('cosineDecay', options, ['initialLearningRate', 'decaySteps'], { alpha: 0, warmupTarget: null, warmupSteps: 0 })
    const { warmupTarget, warmupSteps } = this.#options
    if (warmupTarget === null && warmupSteps > 0) throw new ValueError('cosineDecay: warmupSteps needs a warmupTarget to rise to.')
  }
  override at(step: number): number {
    requireStep(this.className, step)
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this.#options
    if (warmupTarget !== null && step < warmupSteps) {
      return initialLearningRate + ((warmupTarget - initialLearningRate) * step) / warmupSteps
    }
    const p = Math.min(step - warmupSteps, decaySteps) / decaySteps
    return (warmupTarget ?? initialLearningRate) * ((1 - alpha) * 0.5 * (1 + Math.cos(Math.PI * p)) + alpha)
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
/**
 * Makes a `CosineDecay`: the rate falls along half a cosine, after a warm-up if asked for.
 *
 * @throws ValueError for a missing option or one out of range
 * @example
 * ```ts
 * const schedule = cosineDecay({ initialLearningRate: 0, decaySteps: 10, warmupTarget: 1, warmupSteps: 2 })
 * console.log([0, 1, 2, 7, 12].map((step) => schedule.at(step)))   // ≈ [0, 0.5, 1, 0.5, 0]
 * ```
 */
export const cosineDecay = (options: SpelledOptions<CosineDecayOptions>): CosineDecay => new CosineDecay(options)

const table: Readonly<Record<string, new (options: never) => LearningRateSchedule>> = {
  ExponentialDecay,
  InverseTimeDecay,
  PolynomialDecay,
  PiecewiseConstantDecay,
  CosineDecay,
}

/** @internal A schedule itself, or one from a saved model's description. */
export function getSchedule(id: LearningRateSchedule | SavedObject): LearningRateSchedule {
  if (id instanceof LearningRateSchedule) return id
  const { name: _, ...config } = camelKeys(id.config ?? {})
  return new (lookUp('learning-rate schedule', classNameOf('learning-rate schedule', id), table))(config as never)
}
