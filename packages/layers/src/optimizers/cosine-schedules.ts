/** Rates that fall along half a cosine (Loshchilov and Hutter 2017): once, after a warm-up, or again and again. */
import { ValueError } from '@cotangent/core'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { LearningRateSchedule, readSchedule, requireStep } from './schedule.js'

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
  override readonly className = ours(CosineDecay, 'CosineDecay')
  readonly #options: Required<CosineDecayOptions>

  constructor(options: SpelledOptions<CosineDecayOptions>) {
    super()
    this.#options = readSchedule('cosineDecay', options, ['initialLearningRate', 'decaySteps'], {
      alpha: 0,
      warmupTarget: null,
      warmupSteps: 0,
    })
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

/** Options of `cosineDecayRestarts`. */
export interface CosineDecayRestartsOptions {
  /** η₀, the rate at step 0, at least 0. Required. */
  initialLearningRate: number
  /** The number of steps of the first period, above 0. Required. */
  firstDecaySteps: number
  /** A period is this many times as long as the one before, at least 1; 2 by default. */
  tMul?: number
  /** A period starts at this share of the rate that the one before started at, at least 0; 1 by default. */
  mMul?: number
  /** α, the last rate of a period as a share of η₀, at least 0; 0 by default. */
  alpha?: number
}

/**
 * η = η₀·((1 − α)·mMulⁱ·½(1 + cos πp) + α) in period i = 0, 1, …, with p from 0 to 1 inside it. Then the rate starts again ("warm restarts").
 */
export class CosineDecayRestarts extends LearningRateSchedule {
  override readonly className = ours(CosineDecayRestarts, 'CosineDecayRestarts')
  readonly #options: Required<CosineDecayRestartsOptions>

  constructor(options: SpelledOptions<CosineDecayRestartsOptions>) {
    super()
    this.#options = readSchedule('cosineDecayRestarts', options, ['initialLearningRate', 'firstDecaySteps'], { tMul: 2, mMul: 1, alpha: 0 })
  }
  override at(step: number): number {
    requireStep(this.className, step)
    const { initialLearningRate, firstDecaySteps, tMul, mMul, alpha } = this.#options
    let [period, start, length] = [0, 0, firstDecaySteps]
    if (tMul === 1) {
      period = Math.floor(step / firstDecaySteps)
      start = period * firstDecaySteps
    } else {
      for (; step >= start + length; period++) {
        start += length
        length *= tMul
      }
    }
    const cosine = 0.5 * mMul ** period * (1 + Math.cos((Math.PI * (step - start)) / length))
    return initialLearningRate * ((1 - alpha) * cosine + alpha)
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.#options }
  }
}

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
/**
 * Makes a `CosineDecayRestarts`: the rate falls along half a cosine, starts again, and falls over a longer period.
 *
 * @throws ValueError for a missing option or one out of range
 * @example
 * ```ts
 * const schedule = cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 10 })
 * console.log([0, 5, 10, 20, 30].map((step) => schedule.at(step)))   // ≈ [1, 0.5, 1, 0.5, 1]
 * ```
 */
export const cosineDecayRestarts = (options: SpelledOptions<CosineDecayRestartsOptions>): CosineDecayRestarts =>
  new CosineDecayRestarts(options)
