/** Nadam: Adam with Nesterov's momentum and a momentum that warms up (Dozat 2016; Sutskever et al. 2013). */
import { updateProgram, ValueError } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `nadam`. */
export interface NadamOptions extends Omit<OptimizerOptions, 'decay'> {
  /** Keras' `beta_1`. */
  beta1?: number
  /** Keras' `beta_2`. */
  beta2?: number
  epsilon?: number
  /** How fast the momentum warms up: 0.004 a step, in Keras 3 1. */
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
 * m and v as in Adam; w ← w − η·[(1−μₜ)·g/(1−Πμ₁…μₜ) + μₜ₊₁·m/(1−Πμ₁…μₜ₊₁)] / (√(v/(1−β₂ᵗ)) + ε) with the momentum
 * μₜ = β₁·(1 − ½·0.96^(t·scheduleDecay)). η is 0.002, in Keras 3 0.001.
 */
export class Nadam extends Optimizer {
  override readonly className = 'Nadam'
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
    if (settings.decay !== 0) throw new ValueError('nadam: there is no decay beside its own momentum schedule.')
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

  /** Keras before 2.3 did not save the product; it follows from the number of steps. */
  protected override restoreExtras({ mSchedule }: Record<string, number | undefined>): void {
    this.#product = mSchedule ?? 1
    if (mSchedule === undefined) for (let t = 1; t <= this.iterations; t++) this.#product *= this.#momentum(t)
  }

  /** Without `decay`, which Keras' Nadam does not know. */
  override getConfig(): Record<string, unknown> {
    const { decay: _, ...config } = super.getConfig()
    return config
  }

  protected override ownConfig() {
    const { beta1, beta2, epsilon, scheduleDecay } = this
    return { beta1, beta2, epsilon, scheduleDecay }
  }
}

/** Nadam. */
export const nadam = (first?: LearningRate | SpelledOptions<NadamOptions>, options?: SpelledOptions<NadamOptions>): Nadam =>
  new Nadam(rateFirst('nadam', first, options))
