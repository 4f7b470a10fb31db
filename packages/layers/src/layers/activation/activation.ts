/** An activation function as a layer. */
import { type Tensor, ValueError } from '@cotangent/core'
import { activatedShape } from '../../activated-shape.js'
import { type Activation as ActivationFunction, type ActivationIdentifier, finalActivationOf } from '../../activations.js'
import { type BatchShape, type CallContext, type FinalActivation, Layer, type LayerOptions } from '../../layer.js'
import { activationOf } from '../../option-rows.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

const activationOptions = { activation: positional(activationOf()) }

/**
 * y = activation(x).
 *
 * Shape:  any → the same, but `glu` halves the last axis
 * Source: Keras 2.3.1, layers/core.py
 *
 * @throws ValueError if the activation is left out or unknown
 */
export class Activation extends Layer implements ValuesOf<typeof activationOptions> {
  override readonly className = ours(Activation, 'Activation')
  override readonly supportsMasking = true
  declare readonly activation: ActivationFunction

  constructor(identifier: ActivationIdentifier, options: LayerOptions = {}) {
    super('Activation', options, activationOptions, { activation: identifier })
    if (identifier === undefined || identifier === null)
      throw new ValueError(`Activation: which? Write activation('relu'), or activation((x) => x.square()).`)
  }

  override get finalActivation(): FinalActivation {
    return finalActivationOf(this.activation)
  }

  static fromConfig({ activation, ...options }: LayerOptions & { activation: ActivationIdentifier }): Activation {
    return new Activation(activation, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return activatedShape(this, this.activation, inputShape)
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return this.activation.call(x)
  }
  override logits(x: Tensor, _context: CallContext): Tensor {
    return x
  }
  protected override detail(): string {
    return this.activation.name
  }
}

/**
 * Makes an `Activation`: a layer that applies an activation function, given by name or as a function.
 *
 * @example
 * ```ts
 * const model = new Sequential([activation('relu', { inputShape: [3] })])
 * console.log(await model.apply(tensor([[-1, 0, 2]])).array())   // [[0, 0, 2]]
 * ```
 */
export const activation = (identifier: ActivationIdentifier, options?: LayerOptions): Activation => new Activation(identifier, options)
