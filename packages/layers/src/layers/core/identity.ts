/** A layer that changes nothing. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { ours } from '../../own-classes.js'

/**
 * y = x: a place holder, or a name for a tensor in a graph.
 *
 * Shape:  any → the same
 * Source: Keras 3, layers/core/identity.py
 */
export class Identity extends Layer {
  override readonly className = ours(Identity, 'Identity')
  override readonly supportsMasking = true

  constructor(options: LayerOptions = {}) {
    super('Identity', options, [])
  }
  static fromConfig(options: LayerOptions): Identity {
    return new Identity(options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return x
  }
}

/**
 * Makes an `Identity` layer, which gives its input back.
 *
 * @example
 * ```ts
 * const model = new Sequential([identity({ inputShape: [2] })])
 * console.log(await model.apply(tensor([[1, 2]])).array())   // [[1, 2]]
 * ```
 */
export const identity = (options?: LayerOptions): Identity => new Identity(options)
