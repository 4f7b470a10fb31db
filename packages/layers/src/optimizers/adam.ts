/** Adam (Kingma and Ba 2015) and AMSGrad (Reddi, Kale, Kumar 2018). Source: Keras 2.3.1, optimizers.py. */
import { type UpdateProgram, updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Rule, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** β₁, Keras' `beta_1`: the share of the mean gradient that stays at each step, from 0 to below 1; 0.9 by default. */
  beta1?: number
  /** β₂, Keras' `beta_2`: the share of the mean squared gradient that stays at each step, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
  /** Divide by the root of the largest v so far, not of the present one. False by default. */
  amsgrad?: boolean
}

const program = (name: string, amsgrad: boolean): UpdateProgram =>
  updateProgram(
    name,
    { slots: amsgrad ? 4 : 3, inputs: 1, scalars: 6 },
    ([w, m, v, top], [g], [rate, beta1, rest1, beta2, rest2, epsilon]) => {
      const mean = beta1.mul(m).add(rest1.mul(g))
      const variance = beta2.mul(v).add(rest2.mul(g.square()))
      const highest = amsgrad ? top.maximum(variance) : variance
      return [w.sub(rate.mul(mean).div(highest.sqrt().add(epsilon))), mean, variance, ...(amsgrad ? [highest] : [])]
    },
  )

const plain = program('adam', false)
const ams = program('adamAmsgrad', true)

/** Adam's rule for update t. */
export function adamRule(
  t: number,
  rate: number,
  { beta1, beta2, epsilon, amsgrad }: Required<Pick<AdamOptions, 'beta1' | 'beta2' | 'epsilon' | 'amsgrad'>>,
) {
  const corrected = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
  return { program: amsgrad ? ams : plain, scalars: [corrected, beta1, 1 - beta1, beta2, 1 - beta2, epsilon] }
}

/** The defaults of Adam's own options, as in Keras. */
export const adamDefaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON, amsgrad: false }

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − ηₜ·m/(√v + ε), where ηₜ = η·√(1−β₂ᵗ)/(1−β₁ᵗ) at update t = 1, 2, … The rate η is 0.001 by default.
 * With `amsgrad`, v̂ ← max(v̂, v) stands under the root in place of v.
 */
export class Adam extends Optimizer {
  override readonly className: string = ours(Adam, 'Adam')
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly amsgrad: boolean

  constructor(options: SpelledOptions<AdamOptions> = {}) {
    const settings = readSettings('adam', options, adamDefaults)
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
    this.amsgrad = settings.amsgrad
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'v' }, { name: 'vhat', unused: this.amsgrad ? undefined : 'single' }]
  }

  protected override rule(t: number, rate: number): Rule {
    return adamRule(t, rate, this)
  }

  protected override ownConfig(): Record<string, unknown> {
    const { beta1, beta2, epsilon, amsgrad } = this
    return { beta1, beta2, epsilon, amsgrad }
  }
}

/**
 * Makes an `Adam` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * model.compile({ optimizer: adam({ learningRate: 1e-4 }), loss: 'mse' })
 *
 * const w = new Parameter(tensor([1]))
 * adam(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const adam = (first?: LearningRate | SpelledOptions<AdamOptions>, options?: SpelledOptions<AdamOptions>): Adam =>
  new Adam(rateFirst('adam', first, options))
