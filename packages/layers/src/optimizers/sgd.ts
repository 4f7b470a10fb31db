/** Stochastic gradient descent, with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013). Source: Keras 2.3.1, optimizers.py. */
import { updateProgram } from '@cotangent/core'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `sgd`. */
export interface SGDOptions extends OptimizerOptions {
  /** μ, the share of the last step that is repeated, from 0 to 1; 0 by default. */
  momentum?: number
  /** Use Nesterov's momentum, which looks one step ahead. False by default. */
  nesterov?: boolean
}

const plain = updateProgram('sgd', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [rate]) => [w.sub(rate.mul(g))])

const heavyBall = updateProgram('sgdMomentum', { slots: 2, inputs: 1, scalars: 2 }, ([w, v], [g], [rate, momentum]) => {
  const velocity = momentum.mul(v).sub(rate.mul(g))
  return [w.add(velocity), velocity]
})

const nesterovs = updateProgram('sgdNesterov', { slots: 2, inputs: 1, scalars: 2 }, ([w, v], [g], [rate, momentum]) => {
  const descent = rate.mul(g)
  const velocity = momentum.mul(v).sub(descent)
  return [w.add(momentum.mul(velocity)).sub(descent), velocity]
})

/** v ← μv − ηg; w ← w + v. With `nesterov`, w ← w + μv − ηg. The rate η is 0.01 by default. */
export class SGD extends Optimizer {
  override readonly className = ours(SGD, 'SGD')
  readonly momentum: number
  readonly nesterov: boolean

  constructor(options: SpelledOptions<SGDOptions> = {}) {
    const settings = readSettings('sgd', options, { learningRate: 0.01, momentum: 0, nesterov: false })
    super(settings)
    this.momentum = settings.momentum
    this.nesterov = settings.nesterov
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'moment', unused: this.momentum === 0 ? 'shape' : undefined }]
  }

  protected override rule(_t: number, rate: number) {
    if (this.momentum === 0) return { program: plain, scalars: [rate] }
    return { program: this.nesterov ? nesterovs : heavyBall, scalars: [rate, this.momentum] }
  }

  protected override ownConfig() {
    return { momentum: this.momentum, nesterov: this.nesterov }
  }
}

/**
 * Makes an `SGD` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1, 2]))
 * sgd(0.5).step([w], [tensor([1, -1])])
 * console.log(await w.array())   // [0.5, 2.5]
 * ```
 */
export const sgd = (first?: LearningRate | SpelledOptions<SGDOptions>, options?: SpelledOptions<SGDOptions>): SGD =>
  new SGD(rateFirst('sgd', first, options))
