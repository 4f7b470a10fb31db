/** The fully connected layer. */

import type { Parameter, Tensor } from '@cotangent/core'
import { affine, shapeError } from '@cotangent/core'
import { activatedShape } from '../../activated-shape.js'
import { type Activation, type ActivationIdentifier, finalActivationOf } from '../../activations.js'
import {
  type BatchShape,
  type BuildContext,
  type CallContext,
  type FinalActivation,
  Layer,
  type LayerOptions,
  requireSize,
} from '../../layer.js'
import { activationOf, count, flag, regularizer, weightsOf } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { Regularizer, RegularizerIdentifier } from '../../weights/regularizers.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'

/** Options of `Dense`. By default the kernel starts as `glorotUniform`, the bias as `zeros`. */
export interface DenseOptions extends LayerOptions, WeightOptions<'kernel' | 'bias'> {
  /** The activation, by name or as a function; `linear` by default. */
  activation?: ActivationIdentifier
  /** Whether a bias is added; true by default. */
  useBias?: boolean
  /** A penalty on the output, which is added to the loss; none by default. */
  activityRegularizer?: RegularizerIdentifier
}

const denseOptions = {
  units: positional(count()),
  activation: activationOf(),
  useBias: flag(true),
  settings: weightsOf({ kernel: 'glorotUniform', bias: 'zeros' }),
  activityRegularizer: regularizer(),
} satisfies TableFor<DenseOptions>

/**
 * y = activation(x·W + b), over the last axis.
 *
 * Shape:   [n, .., in] → [n, .., units]; half of it with the activation `glu`
 * Weights: kernel [in, units], bias [units]
 * Source:  Keras 2.3.1, layers/core.py
 */
export class Dense extends Layer implements ValuesOf<typeof denseOptions> {
  override readonly className = ours(Dense, 'Dense')
  override readonly supportsMasking = true
  declare readonly activityRegularizer?: Regularizer
  declare readonly units: number
  declare readonly activation: Activation
  declare readonly useBias: boolean
  declare protected readonly settings: WeightSettings<'kernel' | 'bias'>
  #kernel?: Parameter
  #bias?: Parameter

  constructor(units: number, options: DenseOptions = {}) {
    super('Dense', options, denseOptions, { units })
  }

  override get finalActivation(): FinalActivation {
    return finalActivationOf(this.activation)
  }

  static fromConfig({ units, ...options }: DenseOptions & { units: number }): Dense {
    return new Dense(units, options)
  }

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const inputs = requireSize(this, inputShape, -1)
    const [kernel, bias] = [this.settings.of('kernel'), this.settings.of('bias')]
    this.#kernel = this.addWeight('kernel', [inputs, this.units], kernel.initializer, context, kernel)
    if (this.useBias) this.#bias = this.addWeight('bias', [this.units], bias.initializer, context, bias)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return activatedShape(this, this.activation, [...inputShape.slice(0, -1), this.units])
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const { name, builtIn } = this.activation
    return builtIn && name === 'relu' ? this.#affine(x, true) : this.activation.call(this.logits(x, context))
  }

  override logits(x: Tensor, _context: CallContext): Tensor {
    return this.#affine(x, false)
  }

  /** x·W + b, with relu in the same op if asked for. */
  #affine(x: Tensor, relu: boolean): Tensor {
    const kernel = this.#kernel as Parameter
    if (x.rank < 2) {
      throw shapeError('Dense', 'the input has no batch axis', [{ name: 'x', shape: x.shape }], 'Add one: x.expandDims(0).')
    }
    if (this.#bias) return affine(x, kernel, this.#bias, { relu })
    const z = x.matMul(kernel)
    return relu ? z.relu() : z
  }

  protected override detail(): string {
    return `units ${this.units}`
  }
}

/**
 * Makes a `Dense` layer: fully connected, with `units` outputs.
 *
 * @example
 * ```ts
 * const model = new Sequential([dense(512, { activation: 'relu', inputShape: [784] })])
 * console.log(model.output.shape, model.countParams())   // [null, 512] 401920
 * ```
 */
export const dense = (units: number, options?: DenseOptions): Dense => new Dense(units, options)
