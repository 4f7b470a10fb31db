/** Adam (Kingma and Ba 2015), and AMSGrad (Reddi, Kale, Kumar 2018). */
import { type UpdateProgram, updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Rule, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Keras' `beta_1`. */
  beta1?: number
  /** Keras' `beta_2`. */
  beta2?: number
  epsilon?: number
  amsgrad?: boolean
}

/** Adam's formula: with AMSGrad's maximum, and with the weight decay of AdamW. */
export const adamProgram = (name: string, { amsgrad, decays }: { amsgrad: boolean; decays: boolean }): UpdateProgram =>
  updateProgram(
    name,
    { slots: amsgrad ? 4 : 3, inputs: 1, scalars: decays ? 7 : 6 },
    ([w, m, v, top], [g], [rate, beta1, rest1, beta2, rest2, epsilon, decay]) => {
      const mean = beta1.mul(m).add(rest1.mul(g))
      const variance = beta2.mul(v).add(rest2.mul(g.square()))
      const highest = amsgrad ? top.maximum(variance) : variance
      const kept = decays ? w.sub(decay.mul(w)) : w
      return [kept.sub(rate.mul(mean).div(highest.sqrt().add(epsilon))), mean, variance, ...(amsgrad ? [highest] : [])]
    },
  )

const plain = adamProgram('adam', { amsgrad: false, decays: false })
const ams = adamProgram('adamAmsgrad', { amsgrad: true, decays: false })

/** Adam's own options, as Keras has them. */
export const adamDefaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON, amsgrad: false }

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − ηₜ·m/(√v + ε) with ηₜ = η·√(1−β₂ᵗ)/(1−β₁ᵗ).
 * AMSGrad: v̂ ← max(v̂, v) in place of v under the root.
 */
export class Adam extends Optimizer {
  override readonly className: string = 'Adam'
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
    const { beta1, beta2, epsilon } = this
    const corrected = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
    return { program: this.amsgrad ? ams : plain, scalars: [corrected, beta1, 1 - beta1, beta2, 1 - beta2, epsilon] }
  }

  protected override ownConfig(): Record<string, unknown> {
    const { beta1, beta2, epsilon, amsgrad } = this
    return { beta1, beta2, epsilon, amsgrad }
  }
}

/**
 * Adam.
 *
 * @example
 * ```ts
 * model.compile({ optimizer: adam({ learningRate: 1e-4 }), loss: 'mse' })
 * ```
 */
export const adam = (first?: LearningRate | SpelledOptions<AdamOptions>, options?: SpelledOptions<AdamOptions>): Adam =>
  new Adam(rateFirst('adam', first, options))
