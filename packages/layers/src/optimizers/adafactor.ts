/** Adafactor (Shazeer and Stern 2018): the squares of a matrix' gradients are kept as a column and a row. Source: Keras 3.16, optimizers/adafactor.py. */
import { applyUpdate, type Parameter, type Shape, type Tensor, updateProgram } from '@cotangent/core'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { Optimizer, type Slot } from './optimizer.js'
import { descent, type Rule } from './rule.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `adafactor`. */
export interface AdafactorOptions extends OptimizerOptions {
  /** d: the share of the old squares that stays at update t is 1 − tᵈ; at most 0, −0.8 by default. */
  beta2Decay?: number
  /** ε₁, added to squared gradients, at least 0; 1e-30 by default. */
  epsilon1?: number
  /** ε₂, the least size of a parameter that a step is scaled to, at least 0; 0.001 by default. */
  epsilon2?: number
  /** The root mean square that a step may have before it is scaled, above 0; 1 by default. */
  clipThreshold?: number
  /** Kept for files. As in Keras 3.16 it changes nothing: the rate is at most 1/√t in either case. True by default. */
  relativeStep?: boolean
}

const blend = updateProgram('blend', { slots: 1, inputs: 1, scalars: 2 }, ([old], [fresh], [share, rest]) => [
  share.mul(old).add(rest.mul(fresh)),
])

const rootMeanSquare = (x: Tensor): Tensor => x.square().mean().sqrt()

/**
 * Squares g² + ε₁ are averaged with β = 1 − tᵈ. For parameters of two axes and more only their means by row and by column are kept, r and c, and v = r·c/mean(r);
 * for others v itself. u = g/√v, divided by max(1, rms(u)/threshold); w ← w − max(ε₂, rms(w))·min(η, 1/√t)·u. The rate η is 0.001 by default.
 */
export class Adafactor extends Optimizer {
  override readonly className = ours(Adafactor, 'Adafactor')
  readonly beta2Decay: number
  readonly epsilon1: number
  readonly epsilon2: number
  readonly clipThreshold: number
  readonly relativeStep: boolean

  constructor(options: SpelledOptions<AdafactorOptions> = {}) {
    const settings = readSettings('adafactor', options, {
      learningRate: 0.001,
      beta2Decay: -0.8,
      epsilon1: 1e-30,
      epsilon2: 1e-3,
      clipThreshold: 1,
      relativeStep: true,
    })
    super(settings)
    this.beta2Decay = settings.beta2Decay
    this.epsilon1 = settings.epsilon1
    this.epsilon2 = settings.epsilon2
    this.clipThreshold = settings.clipThreshold
    this.relativeStep = settings.relativeStep
  }

  /** r and c have one axis less than a matrix, and are single numbers, unused, for vectors. Keras keeps v too. */
  protected override slots(): readonly Slot[] {
    const shapeWithout =
      (axis: number) =>
      ({ shape }: Parameter): Shape =>
        shape.length < 2 ? [] : shape.filter((_, i) => i !== shape.length - axis)
    return [{ name: 'r', shapeFor: shapeWithout(1) }, { name: 'c', shapeFor: shapeWithout(2) }, { name: 'v' }]
  }

  protected override rule(t: number, rate: number): Rule {
    const { epsilon1, epsilon2, clipThreshold } = this
    const share = 1 - t ** this.beta2Decay
    return {
      numbers: () => [[share, 1 - share], [Math.min(rate, 1 / Math.sqrt(t))]],
      change({ w, g, slots: [r, c, v] }, [shares, rates]) {
        const average = (slot: Parameter, x: Tensor): void => applyUpdate(blend, [slot], [x], shares)
        const squares = g.square().add(epsilon1)
        if (w.rank < 2) average(v, squares)
        else {
          average(r, squares.mean({ axis: -1 }))
          average(c, squares.mean({ axis: -2 }))
          v.assign(
            r
              .div(r.mean({ axis: -1, keepDims: true }))
              .expandDims(-1)
              .mul(c.expandDims(-2)),
          )
        }
        const u = g.div(v.sqrt())
        const scale = rootMeanSquare(w).maximum(epsilon2).div(rootMeanSquare(u).div(clipThreshold).maximum(1))
        applyUpdate(descent, [w], [u.mul(scale)], rates)
      },
    }
  }

  protected override ownConfig() {
    const { beta2Decay, epsilon1, epsilon2, clipThreshold, relativeStep } = this
    return { beta2Decay, epsilon1, epsilon2, clipThreshold, relativeStep }
  }
}

/**
 * Makes a `Adafactor` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([1]))
 * adafactor(0.1).step([w], [tensor([2])])
 * console.log(await w.array())   // ≈ [0.9]
 * ```
 */
export const adafactor = (first?: LearningRate | SpelledOptions<AdafactorOptions>, options?: SpelledOptions<AdafactorOptions>): Adafactor =>
  new Adafactor(rateFirst('adafactor', first, options))
