/** Adamax: Adam with the infinity norm (Kingma and Ba 2015, §7.1). */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adamax`. */
export interface AdamaxOptions extends OptimizerOptions {
  /** Keras' `beta_1`. */
  beta1?: number
  /** Keras' `beta_2`. */
  beta2?: number
  epsilon?: number
}

const program = updateProgram('adamax', { slots: 3, inputs: 1, scalars: 5 }, ([w, m, u], [g], [rate, beta1, rest1, beta2, epsilon]) => {
  const mean = beta1.mul(m).add(rest1.mul(g))
  const top = beta2.mul(u).maximum(g.abs())
  return [w.sub(rate.mul(mean).div(top.add(epsilon))), mean, top]
})

/** m ← β₁m + (1−β₁)g; u ← max(β₂u, |g|); w ← w − η/(1−β₁ᵗ)·m/(u + ε). η is 0.002, in Keras 3 0.001. */
export class Adamax extends Optimizer {
  override readonly className = 'Adamax'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number

  constructor(options: SpelledOptions<AdamaxOptions> = {}) {
    const settings = readSettings(
      'adamax',
      options,
      { learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: EPSILON },
      { learningRate: 0.001 },
    )
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'u' }]
  }

  protected override rule(t: number, rate: number) {
    const { beta1, beta2, epsilon } = this
    return { program, scalars: [rate / (1 - beta1 ** t), beta1, 1 - beta1, beta2, epsilon] }
  }

  protected override ownConfig() {
    const { beta1, beta2, epsilon } = this
    return { beta1, beta2, epsilon }
  }
}

/** Adamax. */
export const adamax = (first?: LearningRate | SpelledOptions<AdamaxOptions>, options?: SpelledOptions<AdamaxOptions>): Adamax =>
  new Adamax(rateFirst('adamax', first, options))
