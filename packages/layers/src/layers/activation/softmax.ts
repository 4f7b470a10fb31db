/** Softmax as a layer, over any axes. Source: Keras 2.3.1, layers/advanced_activations.py; lists of axes and masks are from Keras 3. */
import { logSumExp, softmax as softmaxOf, type Tensor, where } from '@cotangent/core'
import { type BatchShape, type CallContext, type FinalActivation, Layer, type LayerOptions } from '../../layer.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { axesOf, axisOrAxes } from '../axes.js'

/** Options of the layer `softmax`. */
export interface SoftmaxOptions extends LayerOptions {
  /** The axis or axes whose values add up to 1: −1, the last, by default. 0 is the batch and refused. */
  axis?: number | readonly number[]
}

const softmaxOptions = { axis: axisOrAxes() } satisfies TableFor<SoftmaxOptions>

/** e to this is 0, and a number plus this is still a number. */
const NEVER = -1e9

/**
 * y = eˣ / Σ eˣ, the sum taken over one axis or several together.
 *
 * A mask of the shape of the input says which values count: the others are 0 and not part of the sum. So are masked steps, if the sum goes over the steps. The mask is
 * passed on.
 *
 * Shape: any → the same
 *
 * @throws ShapeError if `axis` names no axis of a sample, or one twice
 */
export class Softmax extends Layer implements ValuesOf<typeof softmaxOptions> {
  override readonly className = ours(Softmax, 'Softmax')
  override readonly supportsMasking = true
  declare readonly axis: number | readonly number[]

  constructor(options: SoftmaxOptions = {}) {
    super('Softmax', options, softmaxOptions)
  }
  override get finalActivation(): FinalActivation {
    return this.axis === -1 ? 'softmax' : undefined
  }
  static fromConfig(options: SoftmaxOptions): Softmax {
    return new Softmax(options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    axesOf(this, this.axis, inputShape)
    return inputShape
  }
  /** The mask in the form of x, if it says something about the sum. */
  #counts(x: Tensor, mask: Tensor | undefined): Tensor | undefined {
    if (!mask || mask.shape.join() === x.shape.join()) return mask
    const overSteps = mask.rank === 2 && axesOf(this, this.axis, x.shape).includes(1)
    return overSteps ? mask.reshape([...mask.shape, ...x.shape.slice(2).map(() => 1)]) : undefined // [n, t, 1, ..]
  }
  override call(x: Tensor, context: CallContext): Tensor {
    const axes = axesOf(this, this.axis, x.shape)
    const z = this.logits(x, context)
    const y = axes.length === 1 ? softmaxOf(z, { axis: axes[0] }) : z.sub(logSumExp(z, { axis: axes, keepDims: true })).exp()
    const counts = this.#counts(x, context.mask)
    return counts ? where(counts, y, 0) : y
  }
  override logits(x: Tensor, { mask }: CallContext): Tensor {
    const counts = this.#counts(x, mask)
    return counts ? where(counts, x, NEVER) : x
  }
}

/**
 * Makes a `Softmax` layer: the values along one axis become positive and add up to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([softmax({ inputShape: [2] })])
 * console.log(await model.apply(tensor([[0, Math.log(3)]])).array())   // ≈ [[0.25, 0.75]]
 * ```
 */
export const softmax = (options?: SoftmaxOptions): Softmax => new Softmax(options)
