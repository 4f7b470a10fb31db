/** Adadelta (Zeiler 2012): the size of a step follows from past steps and past gradients. Source: Keras 2.3.1, optimizers.py. */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** ρ, the share of both running means that stays at each step, from 0 to 1; 0.95 by default. */
  rho?: number
  /** ε, at least 0; 1e-7 by default. It makes the first steps possible, since both means start at 0. */
  epsilon?: number
}

const program = updateProgram('adadelta', { slots: 3, inputs: 1, scalars: 4 }, ([w, a, d], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  const step = g.mul(d.add(epsilon).sqrt()).div(mean.add(epsilon).sqrt())
  return [w.sub(rate.mul(step)), mean, rho.mul(d).add(rest.mul(step.square()))]
})

/**
 * a ← ρa + (1−ρ)g²; u = g·√(d + ε)/√(a + ε); w ← w − ηu; d ← ρd + (1−ρ)u². The rate η is 1 by default, as in Keras 2; 0.001 with `variant: 'keras3'`.
 */
export class Adadelta extends Optimizer {
  override readonly className = ours(Adadelta, 'Adadelta')
  readonly rho: number
  readonly epsilon: number

  constructor(options: SpelledOptions<AdadeltaOptions> = {}) {
    const settings = readSettings('adadelta', options, { learningRate: 1, rho: 0.95, epsilon: EPSILON }, { learningRate: 0.001 })
    super(settings)
    this.rho = settings.rho
    this.epsilon = settings.epsilon
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'accumulator' }, { name: 'deltaAccumulator' }]
  }

  protected override rule(_t: number, rate: number) {
    return { program, scalars: [rate, this.rho, 1 - this.rho, this.epsilon] }
  }

  protected override ownConfig() {
    return { rho: this.rho, epsilon: this.epsilon }
  }
}

/**
 * Makes an `Adadelta` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * adadelta().step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9986]
 * ```
 */
export const adadelta = (first?: LearningRate | SpelledOptions<AdadeltaOptions>, options?: SpelledOptions<AdadeltaOptions>): Adadelta =>
  new Adadelta(rateFirst('adadelta', first, options))
