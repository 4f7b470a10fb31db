/** Lion (Chen et al. 2023): steps of one size along the sign of a mean gradient. Source: Keras 3.16, optimizers/lion.py. */
import { updateProgram } from '@cotangent/core'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Rule, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `lion`. */
export interface LionOptions extends OptimizerOptions {
  /** β₁, the share of the mean gradient in the direction of a step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** β₂, the share of the mean gradient that stays at each step, from 0 to below 1; 0.99 by default. */
  beta2?: number
}

const program = updateProgram('lion', { slots: 2, inputs: 1, scalars: 5 }, ([w, m], [g], [rate, beta1, rest1, beta2, rest2]) => {
  const direction = beta1.mul(m).add(rest1.mul(g)).sign()
  return [w.sub(rate.mul(direction)), beta2.mul(m).add(rest2.mul(g))]
})

/** w ← w − η·sign(β₁m + (1−β₁)g); m ← β₂m + (1−β₂)g. The rate η is 0.001 by default; a tenth of Adam's is usual. */
export class Lion extends Optimizer {
  override readonly className = ours(Lion, 'Lion')
  readonly beta1: number
  readonly beta2: number

  constructor(options: SpelledOptions<LionOptions> = {}) {
    const settings = readSettings('lion', options, { learningRate: 0.001, beta1: 0.9, beta2: 0.99 })
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }]
  }

  protected override rule(_t: number, rate: number): Rule {
    const { beta1, beta2 } = this
    return { program, scalars: [rate, beta1, 1 - beta1, beta2, 1 - beta2] }
  }

  protected override ownConfig() {
    return { beta1: this.beta1, beta2: this.beta2 }
  }
}

/**
 * Makes a `Lion` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * lion(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const lion = (first?: LearningRate | SpelledOptions<LionOptions>, options?: SpelledOptions<LionOptions>): Lion =>
  new Lion(rateFirst('lion', first, options))
