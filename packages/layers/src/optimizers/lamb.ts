/** LAMB (You et al. 2020): Adam's steps, each scaled to the length of its parameter. Source: Keras 3.16, optimizers/lamb.py. */
import { applyUpdate, numberOfStep, updateProgram, where } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { descent, type Rule } from './rule.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `lamb`. */
export interface LambOptions extends OptimizerOptions {
  /** β₁, Keras' `beta_1`: the share of the mean gradient that stays at each step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** β₂, Keras' `beta_2`: the share of the mean squared gradient that stays at each step, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
}

const moments = updateProgram('moments', { slots: 2, inputs: 1, scalars: 4 }, ([m, v], [g], [beta1, rest1, beta2, rest2]) => [
  beta1.mul(m).add(rest1.mul(g)),
  beta2.mul(v).add(rest2.mul(g.square())),
])

/**
 * m and v as in Adam; u = m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε); w ← w − η·‖w‖/‖u‖·u, or η·u if one of the two norms is 0. The rate η is 0.001 by default.
 */
export class Lamb extends Optimizer {
  override readonly className = ours(Lamb, 'Lamb')
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number

  constructor(options: SpelledOptions<LambOptions> = {}) {
    const settings = readSettings('lamb', options, { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON })
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'v' }]
  }

  protected override rule(t: number, rate: number): Rule {
    const { beta1, beta2, epsilon } = this
    return {
      numbers: () => [[1 - beta1 ** t, 1 - beta2 ** t], [rate]],
      change({ w, g, slots: [m, v] }, [corrections, rates]) {
        applyUpdate(moments, [m, v], [g], [beta1, 1 - beta1, beta2, 1 - beta2])
        const root = v.div(numberOfStep(corrections, 1, v)).sqrt()
        const u = m.div(numberOfStep(corrections, 0, m)).div(root.add(epsilon))
        const [ofW, ofU] = [w, u].map((x) => x.square().sum().sqrt())
        const ratio = where(ofW.greater(0).logicalAnd(ofU.greater(0)), ofW.div(ofU), 1)
        applyUpdate(descent, [w], [u.mul(ratio)], rates)
      },
    }
  }

  protected override ownConfig() {
    const { beta1, beta2, epsilon } = this
    return { beta1, beta2, epsilon }
  }
}

/**
 * Makes a `Lamb` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * lamb(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const lamb = (first?: LearningRate | SpelledOptions<LambOptions>, options?: SpelledOptions<LambOptions>): Lamb =>
  new Lamb(rateFirst('lamb', first, options))
