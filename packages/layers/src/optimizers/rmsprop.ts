/** RMSprop (Tieleman and Hinton 2012, lecture 6.5): gradients divided by their running root mean square. Source: Keras 2.3.1, optimizers.py. */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `rmsprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** ρ, the share of the running mean that stays at each step, from 0 to 1; 0.9 by default. */
  rho?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
}

const keras2 = updateProgram('rmsprop', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  return [w.sub(rate.mul(g).div(mean.sqrt().add(epsilon))), mean]
})

const keras3 = updateProgram('rmspropKeras3', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  return [w.sub(rate.mul(g).div(mean.add(epsilon).sqrt())), mean]
})

/** a ← ρa + (1−ρ)g²; w ← w − ηg/(√a + ε). The rate η is 0.001 by default. With `variant: 'keras3'` the divisor is √(a + ε). */
export class RMSprop extends Optimizer {
  override readonly className = 'RMSprop'
  readonly rho: number
  readonly epsilon: number

  constructor(options: SpelledOptions<RMSpropOptions> = {}) {
    const settings = readSettings('rmsprop', options, { learningRate: 0.001, rho: 0.9, epsilon: EPSILON })
    super(settings)
    this.rho = settings.rho
    this.epsilon = settings.epsilon
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'accumulator' }]
  }

  protected override rule(_t: number, rate: number) {
    const program = this.variant === 'keras3' ? keras3 : keras2
    return { program, scalars: [rate, this.rho, 1 - this.rho, this.epsilon] }
  }

  protected override ownConfig() {
    return { rho: this.rho, epsilon: this.epsilon }
  }
}

/**
 * Makes an `RMSprop` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * rmsprop(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.6838]
 * ```
 */
export const rmsprop = (first?: LearningRate | SpelledOptions<RMSpropOptions>, options?: SpelledOptions<RMSpropOptions>): RMSprop =>
  new RMSprop(rateFirst('rmsprop', first, options))
