/** FTRL, "follow the regularized leader" (McMahan et al. 2013), for large and sparse linear models. Source: Keras 3.16, optimizers/ftrl.py. */
import { applyUpdate, updateProgram } from '@cotangent/core'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import type { Rule } from './rule.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `ftrl`. */
export interface FtrlOptions extends OptimizerOptions {
  /** p, at most 0: the rate of an element falls as nᵖ; −0.5 by default, 0: it stays. */
  learningRatePower?: number
  /** n at the start, at least 0; 0.1 by default. */
  initialAccumulatorValue?: number
  /** λ₁, at least 0: elements that the gradients do not hold against it become 0; 0 by default. */
  l1RegularizationStrength?: number
  /** λ₂, at least 0; 0 by default. */
  l2RegularizationStrength?: number
  /** The same penalty, but beside the gradient, at least 0; 0 by default. */
  l2ShrinkageRegularizationStrength?: number
  /** β, at least 0; 0 by default. */
  beta?: number
}

/** `before` and `after` are n⁻ᵖ before and after the step. */
const program = updateProgram(
  'ftrl',
  { slots: 3, inputs: 3, scalars: 5 },
  ([w, n, z], [g, before, after], [rate, shrinkage, l1, minusL1, l2]) => {
    const leader = z.add(g.add(shrinkage.mul(w))).sub(after.sub(before).div(rate).mul(w))
    const held = leader.minimum(l1).maximum(minusL1)
    return [held.sub(leader).div(after.div(rate).add(l2)), n.add(g.square()), leader]
  },
)

/**
 * n' = n + g²; z ← z + g + 2·shrinkage·w − (n'⁻ᵖ − n⁻ᵖ)/η·w; w ← (clip(z, ±λ₁) − z) / (n'⁻ᵖ/η + 2λ₂ + β/η). The rate η is 0.001 by default.
 */
export class Ftrl extends Optimizer {
  override readonly className = ours(Ftrl, 'Ftrl')
  readonly learningRatePower: number
  readonly initialAccumulatorValue: number
  readonly l1RegularizationStrength: number
  readonly l2RegularizationStrength: number
  readonly l2ShrinkageRegularizationStrength: number
  readonly beta: number

  constructor(options: SpelledOptions<FtrlOptions> = {}) {
    const settings = readSettings('ftrl', options, {
      learningRate: 0.001,
      learningRatePower: -0.5,
      initialAccumulatorValue: 0.1,
      l1RegularizationStrength: 0,
      l2RegularizationStrength: 0,
      l2ShrinkageRegularizationStrength: 0,
      beta: 0,
    })
    super(settings)
    this.learningRatePower = settings.learningRatePower
    this.initialAccumulatorValue = settings.initialAccumulatorValue
    this.l1RegularizationStrength = settings.l1RegularizationStrength
    this.l2RegularizationStrength = settings.l2RegularizationStrength
    this.l2ShrinkageRegularizationStrength = settings.l2ShrinkageRegularizationStrength
    this.beta = settings.beta
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'accumulator', initial: this.initialAccumulatorValue }, { name: 'linear' }]
  }

  protected override rule(_t: number, rate: number): Rule {
    const { learningRatePower: power, l1RegularizationStrength: l1, beta } = this
    const [shrinkage, l2] = [2 * this.l2ShrinkageRegularizationStrength, 2 * this.l2RegularizationStrength + beta / rate]
    return {
      numbers: () => [[rate, shrinkage, l1, -l1, l2]],
      change({ w, g, slots: [n, z] }, [numbers]) {
        applyUpdate(program, [w, n, z], [g, n.pow(-power), n.add(g.square()).pow(-power)], numbers)
      },
    }
  }

  protected override ownConfig() {
    const { learningRatePower, initialAccumulatorValue, beta } = this
    const { l1RegularizationStrength, l2RegularizationStrength, l2ShrinkageRegularizationStrength } = this
    return {
      learningRatePower,
      initialAccumulatorValue,
      l1RegularizationStrength,
      l2RegularizationStrength,
      l2ShrinkageRegularizationStrength,
      beta,
    }
  }
}

/**
 * Makes a `Ftrl` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * ftrl(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.7451]
 * ```
 */
export const ftrl = (first?: LearningRate | SpelledOptions<FtrlOptions>, options?: SpelledOptions<FtrlOptions>): Ftrl =>
  new Ftrl(rateFirst('ftrl', first, options))
