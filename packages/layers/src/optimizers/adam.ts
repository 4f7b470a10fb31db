/** Adam (Kingma and Ba 2015), and AMSGrad (Reddi, Kale, Kumar 2018). */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses.js'
import type { SpelledOptions } from '../names.js'
import { Optimizer, type OptimizerOptions, readSettings, type Slot } from './optimizer.js'

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Keras' `beta_1`. */
  beta1?: number
  /** Keras' `beta_2`. */
  beta2?: number
  epsilon?: number
  amsgrad?: boolean
}

const plain = updateProgram('adam', { slots: 3, inputs: 1, scalars: 6 }, ([w, m, v], [g], [rate, beta1, rest1, beta2, rest2, epsilon]) => {
  const mean = beta1.mul(m).add(rest1.mul(g))
  const variance = beta2.mul(v).add(rest2.mul(g.square()))
  return [w.sub(rate.mul(mean).div(variance.sqrt().add(epsilon))), mean, variance]
})

const ams = updateProgram(
  'adamAmsgrad',
  { slots: 4, inputs: 1, scalars: 6 },
  ([w, m, v, top], [g], [rate, beta1, rest1, beta2, rest2, epsilon]) => {
    const mean = beta1.mul(m).add(rest1.mul(g))
    const variance = beta2.mul(v).add(rest2.mul(g.square()))
    const highest = top.maximum(variance)
    return [w.sub(rate.mul(mean).div(highest.sqrt().add(epsilon))), mean, variance, highest]
  },
)

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − ηₜ·m/(√v + ε) with ηₜ = η·√(1−β₂ᵗ)/(1−β₁ᵗ).
 * AMSGrad: v̂ ← max(v̂, v) in place of v under the root.
 */
export class Adam extends Optimizer {
  override readonly className = 'Adam'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly amsgrad: boolean

  constructor(options: SpelledOptions<AdamOptions> = {}) {
    const settings = readSettings('adam', options, { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON, amsgrad: false })
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
    this.amsgrad = settings.amsgrad
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'v' }, { name: 'vhat', unused: this.amsgrad ? undefined : 'single' }]
  }

  protected override rule(t: number, rate: number) {
    const { beta1, beta2, epsilon } = this
    const corrected = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
    return { program: this.amsgrad ? ams : plain, scalars: [corrected, beta1, 1 - beta1, beta2, 1 - beta2, epsilon] }
  }

  protected override ownConfig() {
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
export const adam = (options?: SpelledOptions<AdamOptions>): Adam => new Adam(options)
