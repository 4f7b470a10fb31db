/** A dense layer whose product is written as an equation of axes. */
import { einsum, type Parameter, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { activatedShape } from '../../activated-shape.js'
import { type Activation, type ActivationIdentifier, finalActivationOf } from '../../activations.js'
import { type BatchShape, type BuildContext, type CallContext, type FinalActivation, Layer, type LayerOptions } from '../../layer.js'
import { activationOf, regularizer, weightsOf } from '../../option-rows.js'
import { named, type Option, positional, type TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { Regularizer, RegularizerIdentifier } from '../../weights/regularizers.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import { type DenseShapes, denseShapes, readDenseEquation } from './dense-equation.js'

/** Options of `einsumDense`. By default the kernel starts as `glorotUniform`, the bias as `zeros`. */
export interface EinsumDenseOptions extends LayerOptions, WeightOptions<'kernel' | 'bias'> {
  /** The activation, by name or as a function; `linear` by default. */
  activation?: ActivationIdentifier
  /** The letters of the output along which there is a bias, such as 'd'; no bias by default. */
  biasAxes?: string | null
  /** A penalty on the output, which is added to the loss; none by default. */
  activityRegularizer?: RegularizerIdentifier
}

/** Sizes of the output without the batch, or its only size; null copies the size from the input. */
export type EinsumOutputShape = number | readonly (number | null)[]

const sizesRow: Option<readonly (number | null)[]> = {
  read(given, { className, name }): readonly (number | null)[] {
    const sizes = Array.isArray(given) ? given : [given]
    const wrong = sizes.find((n) => n !== null && !(Number.isSafeInteger(n) && n >= 1))
    if (wrong === undefined && (Array.isArray(given) || typeof given === 'number')) return sizes
    throw new ValueError(
      `${className}: ${name} must be a whole number, at least 1, or a list of them, with null for a size of the input, got ${describeValue(Array.isArray(given) ? wrong : given)}.`,
    )
  },
}

const einsumDenseOptions = {
  sizes: { ...named('outputShape', sizesRow), names: [] }, // outputShape is a method
  equation: positional<string>({
    read(given, { className, name }) {
      readDenseEquation(className, name, given)
      return given as string
    },
  }),
  activation: activationOf(),
  biasAxes: {
    read(given, { className, name, before }): string | undefined {
      if (given === null || given === undefined) return undefined
      requireText(className, name, given)
      const { output } = readDenseEquation(className, 'equation', before.equation)
      const other = [...(given as string)].find((letter) => !output.includes(letter))
      if (given !== '' && other === undefined) return given as string
      throw new ValueError(`${className}: ${name} must be letters of the output "${output}", got ${describeValue(given)}.`)
    },
  } as Option<string | undefined>,
  settings: weightsOf({ kernel: 'glorotUniform', bias: 'zeros' }),
  activityRegularizer: regularizer(),
} satisfies TableFor<EinsumDenseOptions>

/**
 * y = activation(einsum(equation, x, W) + b). The first letter of the input is the batch; an ellipsis stands for axes that stay: '...x,xy->...y'.
 *
 * Shape:   as the equation says; sizes that the output shares with the input are the input's
 * Weights: kernel, of the sizes of its letters; bias, from the first letter of `biasAxes` to the end, 1 along the others
 * Source:  Keras 3, layers/core/einsum_dense.py
 *
 * @throws ValueError for an equation that is none, or with a letter of no known size
 * @throws ShapeError if the input has other axes than the equation
 */
export class EinsumDense extends Layer {
  override readonly className = ours(EinsumDense, 'EinsumDense')
  override readonly supportsMasking = true
  declare readonly activityRegularizer?: Regularizer
  declare readonly equation: string
  declare readonly activation: Activation
  declare readonly biasAxes?: string
  declare protected readonly sizes: readonly (number | null)[]
  declare protected readonly settings: WeightSettings<'kernel' | 'bias'>
  #kernel?: Parameter
  #bias?: Parameter

  constructor(equation: string, outputShape: EinsumOutputShape, options: EinsumDenseOptions = {}) {
    super('EinsumDense', options, einsumDenseOptions, { equation, outputShape })
  }
  static fromConfig({
    equation,
    outputShape,
    ...options
  }: EinsumDenseOptions & { equation: string; outputShape: EinsumOutputShape }): EinsumDense {
    return new EinsumDense(equation, outputShape, options)
  }

  override get finalActivation(): FinalActivation {
    return finalActivationOf(this.activation)
  }

  #shapes(inputShape: BatchShape): DenseShapes {
    return denseShapes(this, this.equation, this.sizes, this.biasAxes, inputShape)
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    const { kernel: kernelShape, bias: biasShape } = this.#shapes(inputShape)
    const [kernel, bias] = [this.settings.of('kernel'), this.settings.of('bias')]
    this.#kernel = this.addWeight('kernel', kernelShape, kernel.initializer, context, kernel)
    if (biasShape) this.#bias = this.addWeight('bias', biasShape, bias.initializer, context, bias)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return activatedShape(this, this.activation, this.#shapes(inputShape).output)
  }
  override call(x: Tensor, context: CallContext): Tensor {
    return this.activation.call(this.logits(x, context))
  }
  override logits(x: Tensor, _context: CallContext): Tensor {
    const y = einsum(this.equation, x, this.#kernel as Parameter)
    return this.#bias ? y.add(this.#bias) : y
  }
  protected override detail(): string {
    return this.equation
  }
}

/**
 * Makes an `EinsumDense`: a dense layer over any axes, written as an equation.
 *
 * @param outputShape the sizes of the output without the batch; null copies the input's
 * @example
 * ```ts
 * const heads = new Sequential([einsumDense('abc,cde->abde', [null, 2, 8], { biasAxes: 'de', inputShape: [5, 16] })])
 * console.log(heads.output.shape, heads.weights.map((w) => w.shape))   // [null, 5, 2, 8] [[16, 2, 8], [2, 8]]
 * ```
 */
export const einsumDense = (equation: string, outputShape: EinsumOutputShape, options?: EinsumDenseOptions): EinsumDense =>
  new EinsumDense(equation, outputShape, options)
