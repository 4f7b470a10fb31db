/** Adamax (Kingma and Ba 2015, §7.1): Adam with the infinity norm. Source: Keras 2.3.1, optimizers.py. */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adamax`. */
export interface AdamaxOptions extends OptimizerOptions {
  /** β₁, Keras' `beta_1`: the share of the mean gradient that stays at each step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** β₂, Keras' `beta_2`: the share of the largest gradient that stays at each step, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
}

const program = updateProgram('adamax', { slots: 3, inputs: 1, scalars: 5 }, ([w, m, u], [g], [rate, beta1, rest1, beta2, epsilon]) => {
  const mean = beta1.mul(m).add(rest1.mul(g))
  const top = beta2.mul(u).maximum(g.abs())
  return [w.sub(rate.mul(mean).div(top.add(epsilon))), mean, top]
})

/**
 * m ← β₁m + (1−β₁)g; u ← max(β₂u, |g|); w ← w − η/(1−β₁ᵗ)·m/(u + ε) at update t = 1, 2, … The rate η is 0.002 by default, 0.001 with
 * `variant: 'keras3'`.
 */
export class Adamax extends Optimizer {
  override readonly className = ours(Adamax, 'Adamax')
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

/**
 * Makes an `Adamax` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * adamax(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const adamax = (first?: LearningRate | SpelledOptions<AdamaxOptions>, options?: SpelledOptions<AdamaxOptions>): Adamax =>
  new Adamax(rateFirst('adamax', first, options))
