/** Nadam (Dozat 2016; Sutskever et al. 2013): Adam with Nesterov's momentum, which warms up. Source: Keras 2.3.1, optimizers.py. */
import { updateProgram, ValueError } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `nadam`. There is no `decay`: its momentum has a schedule of its own. */
export interface NadamOptions extends Omit<OptimizerOptions, 'decay'> {
  /** β₁, Keras' `beta_1`: the share of the mean gradient that stays at each step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** β₂, Keras' `beta_2`: the share of the mean squared gradient that stays at each step, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
  /** How fast the momentum warms up, at least 0; 0.004 a step by default, 1 with `variant: 'keras3'`. */
  scheduleDecay?: number
}

const program = updateProgram(
  'nadam',
  { slots: 3, inputs: 1, scalars: 8 },
  ([w, m, v], [g], [rateOfG, rateOfM, beta1, rest1, beta2, rest2, correction, epsilon]) => {
    const mean = beta1.mul(m).add(rest1.mul(g))
    const variance = beta2.mul(v).add(rest2.mul(g.square()))
    const step = rateOfG.mul(g).add(rateOfM.mul(mean))
    return [w.sub(step.div(correction.mul(variance).sqrt().add(epsilon))), mean, variance]
  },
)

/**
 * m and v as in Adam; w ← w − η·[(1−μₜ)·g/(1−Πμ₁…μₜ) + μₜ₊₁·m/(1−Πμ₁…μₜ₊₁)] / (√(v/(1−β₂ᵗ)) + ε), with the momentum
 * μₜ = β₁·(1 − ½·0.96^(t·scheduleDecay)). The rate η is 0.002 by default, 0.001 with `variant: 'keras3'`.
 */
export class Nadam extends Optimizer {
  override readonly className = ours(Nadam, 'Nadam')
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly scheduleDecay: number
  /** Πμ₁…μₜ after step t. */
  #product = 1

  constructor(options: SpelledOptions<NadamOptions> = {}) {
    const settings = readSettings(
      'nadam',
      options,
      { learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: EPSILON, scheduleDecay: 0.004 },
      { learningRate: 0.001, scheduleDecay: 1 },
    )
    if (settings.decay !== 0) throw new ValueError('nadam: it has no decay, since its momentum has a schedule of its own.')
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
    this.scheduleDecay = settings.scheduleDecay
  }

  #momentum(t: number): number {
    return this.beta1 * (1 - 0.5 * 0.96 ** (t * this.scheduleDecay))
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'v' }]
  }

  protected override rule(t: number, rate: number) {
    const { beta1, beta2, epsilon } = this
    const [now, next] = [this.#momentum(t), this.#momentum(t + 1)]
    this.#product *= now
    const rateOfG = (rate * (1 - now)) / (1 - this.#product)
    const rateOfM = (rate * next) / (1 - this.#product * next)
    return { program, scalars: [rateOfG, rateOfM, beta1, 1 - beta1, beta2, 1 - beta2, 1 / (1 - beta2 ** t), epsilon] }
  }

  protected override extras() {
    return { mSchedule: this.#product }
  }

  /** Keras before 2.3 did not save the product. Then it is computed from the number of steps. */
  protected override restoreExtras({ mSchedule }: Record<string, number | undefined>): void {
    this.#product = mSchedule ?? 1
    if (mSchedule === undefined) for (let t = 1; t <= this.iterations; t++) this.#product *= this.#momentum(t)
  }

  /** The options that make an equal optimizer. `decay` is left out, since Keras' Nadam does not know it. */
  override getConfig(): Record<string, unknown> {
    const { decay: _, ...config } = super.getConfig()
    return config
  }

  protected override ownConfig() {
    const { beta1, beta2, epsilon, scheduleDecay } = this
    return { beta1, beta2, epsilon, scheduleDecay }
  }
}

/**
 * Makes a `Nadam` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * nadam(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.89]
 * ```
 */
export const nadam = (first?: LearningRate | SpelledOptions<NadamOptions>, options?: SpelledOptions<NadamOptions>): Nadam =>
  new Nadam(rateFirst('nadam', first, options))
