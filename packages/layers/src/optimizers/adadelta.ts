/** Adadelta: steps as large as past steps were, in units of the parameter (Zeiler 2012). */
import { updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  rho?: number
  epsilon?: number
}

const program = updateProgram('adadelta', { slots: 3, inputs: 1, scalars: 4 }, ([w, a, d], [g], [rate, rho, rest, epsilon]) => {
  const mean = rho.mul(a).add(rest.mul(g.square()))
  const step = g.mul(d.add(epsilon).sqrt()).div(mean.add(epsilon).sqrt())
  return [w.sub(rate.mul(step)), mean, rho.mul(d).add(rest.mul(step.square()))]
})

/** a ← ρa + (1−ρ)g²; u = g·√(d + ε)/√(a + ε); w ← w − ηu; d ← ρd + (1−ρ)u². η is 1, in Keras 3 0.001. */
export class Adadelta extends Optimizer {
  override readonly className = 'Adadelta'
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

/** Adadelta. */
export const adadelta = (first?: LearningRate | SpelledOptions<AdadeltaOptions>, options?: SpelledOptions<AdadeltaOptions>): Adadelta =>
  new Adadelta(rateFirst('adadelta', first, options))
