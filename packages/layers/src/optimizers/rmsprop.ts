/** RMSprop (Tieleman and Hinton 2012, lecture 6.5): gradients divided by their running root mean square. Source: Keras 2.3.1, optimizers.py; Keras 3.16, optimizers/rmsprop.py. */
import { type UpdateExpression as E, type UpdateProgram, updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `rmsprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** ρ, the share of the running mean that stays at each step, from 0 to 1; 0.9 by default. */
  rho?: number
  /** ε, at least 0, which keeps the divisor from 0; 1e-7 by default. */
  epsilon?: number
  /** The share of the last change that is added to the next one, from 0 to 1; 0 by default. */
  momentum?: number
  /** Whether the gradients are divided by their running standard deviation in place of the root mean square; false by default. */
  centered?: boolean
}

const keras2 = updateProgram('rmsprop', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  return [w.sub(rate.mul(g).div(mean.sqrt().add(epsilon))), mean]
})

const keras3 = updateProgram('rmspropKeras3', { slots: 2, inputs: 1, scalars: 4 }, ([w, a], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  return [w.sub(rate.mul(g).div(mean.add(epsilon).sqrt())), mean]
})

const programs = new Map<string, UpdateProgram>()
/** The same with a momentum, or centered: the slots after the parameter are the mean of squares, then the momentum and the mean of gradients, if there are. */
function further(hasMomentum: boolean, centered: boolean, inside: boolean): UpdateProgram {
  const name = `rmsprop${hasMomentum ? ' with momentum' : ''}${centered ? ' centered' : ''}${inside ? ' under the root' : ''}`
  const slots = 2 + Number(hasMomentum) + Number(centered)
  const build = ([w, a, ...others]: E[], [g]: E[], [rate, rho, rest, epsilon, momentum, zero]: E[]): E[] => {
    const squares = rho.mul(a).add(rest.mul(g.square()))
    const mean = centered ? rho.mul(others[others.length - 1]).add(rest.mul(g)) : undefined
    // Rounding must not make a variance negative.
    const variance = mean ? squares.sub(mean.square()).maximum(zero) : squares
    const divisor = inside ? variance.add(epsilon).sqrt() : variance.sqrt().add(epsilon)
    const step = rate.mul(g).div(divisor)
    const change = hasMomentum ? momentum.mul(others[0]).add(step) : step
    return [w.sub(change), squares, ...(hasMomentum ? [change] : []), ...(mean ? [mean] : [])]
  }
  const program = programs.get(name) ?? updateProgram(name, { slots, inputs: 1, scalars: 6 }, build)
  programs.set(name, program)
  return program
}

/**
 * a ← ρa + (1−ρ)g²; w ← w − ηg/(√a + ε). The rate η is 0.001 by default. With `variant: 'keras3'`, and with a momentum, the divisor is √(a + ε).
 *
 * `centered`: m ← ρm + (1−ρ)g, and a − m² in the place of a in the divisor. `momentum` μ: c ← μc + that step; w ← w − c.
 */
export class RMSprop extends Optimizer {
  override readonly className = ours(RMSprop, 'RMSprop')
  readonly rho: number
  readonly epsilon: number
  readonly momentum: number
  readonly centered: boolean

  constructor(options: SpelledOptions<RMSpropOptions> = {}) {
    const settings = readSettings('rmsprop', options, {
      ...{ learningRate: 0.001, rho: 0.9, epsilon: EPSILON },
      momentum: 0,
      centered: false,
    })
    super(settings)
    this.rho = settings.rho
    this.epsilon = settings.epsilon
    this.momentum = settings.momentum
    this.centered = settings.centered
  }

  protected override slots(): readonly Slot[] {
    const { momentum, centered } = this
    return [{ name: 'accumulator' }, ...(momentum > 0 ? [{ name: 'lastChange' }] : []), ...(centered ? [{ name: 'meanGradient' }] : [])]
  }

  protected override rule(_t: number, rate: number) {
    const { momentum, centered } = this
    if (momentum > 0 || centered) {
      const program = further(momentum > 0, centered, momentum > 0 || this.variant === 'keras3')
      return { program, scalars: [rate, this.rho, 1 - this.rho, this.epsilon, momentum, 0] }
    }
    const program = this.variant === 'keras3' ? keras3 : keras2
    return { program, scalars: [rate, this.rho, 1 - this.rho, this.epsilon] }
  }

  protected override ownConfig() {
    const { rho, epsilon, momentum, centered } = this
    return { rho, epsilon, ...(momentum > 0 && { momentum }), ...(centered && { centered }) }
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
