/** Schedule-free AdamW (Defazio et al. 2024): a mean of the weights takes the place of a falling rate. Source: Keras 3.16, optimizers/schedule_free_adamw.py. */
import { updateProgram } from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Rule, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `scheduleFreeAdamW`. */
export interface ScheduleFreeAdamWOptions extends OptimizerOptions {
  /** β₁: gradients are taken at (1−β₁)z + β₁x; from 0 to below 1, 0.9 by default. 0 is refused. */
  beta1?: number
  /** β₂, the share of the mean squared gradient that stays at each step, from 0 to below 1; 0.999 by default. */
  beta2?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-8 by default. */
  epsilon?: number
  /** The number of updates in which the rate rises in a line; 0 by default. */
  warmupSteps?: number
}

const program = updateProgram(
  'scheduleFreeAdamW',
  { slots: 3, inputs: 1, scalars: 9 },
  ([w, z, v], [g], [rate, beta1, rest1, beta2, rest2, correction, epsilon, weight, rest]) => {
    const variance = beta2.mul(v).add(rest2.mul(g.square()))
    const fast = z.sub(rate.mul(g).div(correction.mul(variance).sqrt().add(epsilon)))
    const mean = w.sub(rest1.mul(z)).div(beta1)
    const moved = rest.mul(mean).add(weight.mul(fast))
    return [rest1.mul(fast).add(beta1.mul(moved)), fast, variance]
  },
)

/**
 * v as in Adam; z ← z − η·g/(√(v/(1−β₂ᵗ)) + ε) from z = w; x, the mean of all z so far; w = (1−β₁)z + β₁x. As in Keras, `evaluate` and `predict` take w. The
 * rate η is 0.0025 by default.
 */
export class ScheduleFreeAdamW extends Optimizer {
  override readonly className = ours(ScheduleFreeAdamW, 'ScheduleFreeAdamW')
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly warmupSteps: number

  constructor(options: SpelledOptions<ScheduleFreeAdamWOptions> = {}) {
    const settings = readSettings('scheduleFreeAdamW', options, {
      learningRate: 0.0025,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      warmupSteps: 0,
    })
    requireNumber('scheduleFreeAdamW', 'beta1', settings.beta1, { above: 0 })
    super(settings)
    this.beta1 = settings.beta1
    this.beta2 = settings.beta2
    this.epsilon = settings.epsilon
    this.warmupSteps = settings.warmupSteps
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'z', initial: 'parameter' }, { name: 'v' }]
  }

  protected override rule(t: number, rate: number): Rule {
    const { beta1, beta2, epsilon, warmupSteps } = this
    const warm = warmupSteps > 0 ? rate * Math.min(1, t / warmupSteps) : rate
    return { program, scalars: [warm, beta1, 1 - beta1, beta2, 1 - beta2, 1 / (1 - beta2 ** t), epsilon, 1 / t, 1 - 1 / t] }
  }

  protected override ownConfig() {
    const { beta1, beta2, epsilon, warmupSteps } = this
    return { beta1, beta2, epsilon, warmupSteps }
  }
}

/**
 * Makes a `ScheduleFreeAdamW` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * scheduleFreeAdamW(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const scheduleFreeAdamW = (
  first?: LearningRate | SpelledOptions<ScheduleFreeAdamWOptions>,
  options?: SpelledOptions<ScheduleFreeAdamWOptions>,
): ScheduleFreeAdamW => new ScheduleFreeAdamW(rateFirst('scheduleFreeAdamW', first, options))
