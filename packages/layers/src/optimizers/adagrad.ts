/** Adagrad (Duchi, Hazan, Singer 2011): gradients divided by the root of the sum of their past squares. Source: Keras 2.3.1, optimizers.py. */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
  /** The first value of the sum of squares, at least 0; 0 by default, 0.1 with `variant: 'keras3'`. */
  initialAccumulatorValue?: number
}

const keras2 = updateProgram('adagrad', { slots: 2, inputs: 1, scalars: 2 }, ([w, a], [g], [rate, epsilon]) => {
  const sum = a.add(g.square())
  return [w.sub(rate.mul(g).div(sum.sqrt().add(epsilon))), sum]
})

const keras3 = updateProgram('adagradKeras3', { slots: 2, inputs: 1, scalars: 2 }, ([w, a], [g], [rate, epsilon]) => {
  const sum = a.add(g.square())
  return [w.sub(rate.mul(g).div(sum.add(epsilon).sqrt())), sum]
})

/** a ← a + g²; w ← w − ηg/(√a + ε). The rate η is 0.01 by default. With `variant: 'keras3'` the divisor is √(a + ε) and η 0.001. */
export class Adagrad extends Optimizer {
  override readonly className = ours(Adagrad, 'Adagrad')
  readonly epsilon: number
  readonly initialAccumulatorValue: number

  constructor(options: SpelledOptions<AdagradOptions> = {}) {
    const settings = readSettings(
      'adagrad',
      options,
      { learningRate: 0.01, epsilon: EPSILON, initialAccumulatorValue: 0 },
      { learningRate: 0.001, initialAccumulatorValue: 0.1 },
    )
    super(settings)
    this.epsilon = settings.epsilon
    this.initialAccumulatorValue = settings.initialAccumulatorValue
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'accumulator', initial: this.initialAccumulatorValue }]
  }

  protected override rule(_t: number, rate: number) {
    return { program: this.variant === 'keras3' ? keras3 : keras2, scalars: [rate, this.epsilon] }
  }

  protected override ownConfig() {
    const { epsilon, initialAccumulatorValue } = this
    const usual = initialAccumulatorValue === (this.variant === 'keras3' ? 0.1 : 0)
    return usual ? { epsilon } : { epsilon, initialAccumulatorValue }
  }
}

/**
 * Makes an `Adagrad` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * adagrad(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const adagrad = (first?: LearningRate | SpelledOptions<AdagradOptions>, options?: SpelledOptions<AdagradOptions>): Adagrad =>
  new Adagrad(rateFirst('adagrad', first, options))
