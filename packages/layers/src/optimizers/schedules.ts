/**
 * Learning-rate schedules: the rate as a function of the number of batches gone before. Definitions and class names are those of Keras 3
 * (keras/src/optimizers/schedules). An optimizer whose rate follows one computes it before each step; its `learningRate` cannot be set.
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
 * const optimizer = sgd({ learningRate: exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1000, decayRate: 0.5 }) })
 * ```
 */
export abstract class LearningRateSchedule {
  /** Keras' class name: `ExponentialDecay`. */
  abstract readonly className: string
  /** The rate of a step, counted from 0. */
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
  initialLearningRate: number
  decaySteps: number
  decayRate: number
  /** Whether the rate falls at every `decaySteps` only. */
  staircase?: boolean
}

/** What the two decays by a rate have in common: periods p = step/decaySteps, whole ones with `staircase`. */
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

/** η₀·rᵖ with p = step/decaySteps. */
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

/** η₀/(1 + r·p) with p = step/decaySteps. */
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
  initialLearningRate: number
  decaySteps: number
  /** 0.0001 by default. */
  endLearningRate?: number
  /** 1 by default: a line. */
  power?: number
  /** Begin again when the end is reached, each time over a longer way. */
  cycle?: boolean
}

/** (η₀ − η₁)·(1 − step/n)^power + η₁ up to n = decaySteps, then η₁; with `cycle`, n is the multiple of decaySteps that step has not passed. */
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
  /** The last step of each value but the last, ascending. */
  boundaries: readonly number[]
  /** One more than there are boundaries. */
  values: readonly number[]
}

/** values[i] up to and with step boundaries[i]. */
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
  initialLearningRate: number
  /** Steps of the decay, those of the warm-up not counted. */
  decaySteps: number
  /** The last rate, as a share of the rate from which it falls; 0 by default. */
  alpha?: number
  /** The rate to which the warm-up rises, and from which the decay then falls. Without it there is no warm-up. */
  warmupTarget?: number | null
  warmupSteps?: number
}

/** A line from η₀ to the target in `warmupSteps`, then η·((1 − α)·½(1 + cos πp) + α) with p from 0 to 1 (Loshchilov and Hutter 2017). */
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

/** A rate that falls by a factor in every period. */
export const exponentialDecay = (options: SpelledOptions<DecayOptions>): ExponentialDecay => new ExponentialDecay(options)
/** A rate that falls as one over the time. */
export const inverseTimeDecay = (options: SpelledOptions<DecayOptions>): InverseTimeDecay => new InverseTimeDecay(options)
/** A rate that falls to another along a power of the time that is left. */
export const polynomialDecay = (options: SpelledOptions<PolynomialDecayOptions>): PolynomialDecay => new PolynomialDecay(options)
/** A rate that changes at given steps. */
export const piecewiseConstantDecay = (options: PiecewiseConstantDecayOptions): PiecewiseConstantDecay =>
  new PiecewiseConstantDecay(options)
/** A rate that falls along half a cosine, after a warm-up if asked for. */
export const cosineDecay = (options: SpelledOptions<CosineDecayOptions>): CosineDecay => new CosineDecay(options)

const table: Readonly<Record<string, new (options: never) => LearningRateSchedule>> = {
  ExponentialDecay,
  InverseTimeDecay,
  PolynomialDecay,
  PiecewiseConstantDecay,
  CosineDecay,
}

/** @internal A schedule itself, or as saved models describe it. */
export function getSchedule(id: LearningRateSchedule | SavedObject): LearningRateSchedule {
  if (id instanceof LearningRateSchedule) return id
  const { name: _, ...config } = camelKeys(id.config ?? {})
  return new (lookUp('learning-rate schedule', classNameOf('learning-rate schedule', id), table))(config as never)
}
