/** `Convolution`, the base of all convolutional layers, and the plain ones: `Conv1D` for sequences, `Conv2D` for images, `Conv3D` for volumes. */

import {
  type ConvFinish,
  conv2d as convolve,
  conv3d as convolve3d,
  type Padding,
  type Parameter,
  ShapeError,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import { type Activation, type ActivationIdentifier, finalActivationOf } from '../../activations.js'
import { type BatchShape, type BuildContext, type CallContext, type FinalActivation, requireSize } from '../../layer.js'
import { activationOf, choice, count, flag, regularizer, weightsOf } from '../../option-rows.js'
import { listedLast, type OptionTable, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { InitializerIdentifier } from '../../weights/initializers.js'
import type { Regularizer, RegularizerIdentifier } from '../../weights/regularizers.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import {
  asPair,
  asTriple,
  type PerAxis,
  type Rank,
  type Sizes,
  SpatialLayer,
  type SpatialOptions,
  sizesOf,
  spatialOptions,
} from '../spatial-layer.js'

/** Options of every convolution. By default kernels start as `glorotUniform`, the bias as `zeros`. */
export interface ConvolutionOptions extends SpatialOptions {
  /** How many cells the window moves along each axis; 1 by default. */
  strides?: PerAxis
  /**
   * `valid` (default) takes whole windows only. `same` adds zeros around, so that stride 1 keeps the size. `causal`, in `conv1d` only, adds them before.
   */
  padding?: Padding
  /** The distance between neighbouring cells of a window; 1 by default. */
  dilationRate?: PerAxis
  /** The activation, by name or as a function; `linear` by default. */
  activation?: ActivationIdentifier
  /** Whether a bias is added; true by default. */
  useBias?: boolean
  /** A penalty on the output, which is added to the loss; none by default. */
  activityRegularizer?: RegularizerIdentifier
}

/** Options of the transposed convolutions. */
export interface ConvWeightOptions extends ConvolutionOptions, WeightOptions<'kernel' | 'bias'> {}

/** Options of the plain convolutions. */
export interface ConvOptions extends ConvWeightOptions {
  /**
   * The number of groups, 1 by default. Channels and filters are divided into as many groups of neighbours, and each group of filters sees its own group of
   * channels alone.
   */
  groups?: number
}

/** Adds a bias and applies relu, each by its own op, where `finish` asks for it. */
export function finished(y: Tensor, { bias, relu }: ConvFinish): Tensor {
  const z = bias ? y.add(bias) : y
  return relu ? z.relu() : z
}

/** The rows of options that all convolutions have, and after them those of one kind. */
export const convolutionOptions = <Weights extends string, Own extends OptionTable>(
  rank: Rank,
  kernels: readonly Weights[],
  own: Own,
  paddings: readonly Padding[] = ['valid', 'same'],
) => ({
  ...spatialOptions(rank),
  kernelSize: positional(sizesOf(rank)),
  strides: sizesOf(rank, 1),
  padding: choice<Padding>(paddings, 'valid'),
  dilationRate: sizesOf(rank, 1),
  activation: activationOf(),
  useBias: flag(true),
  settings: listedLast(
    weightsOf(
      Object.fromEntries([...kernels.map((kernel) => [kernel, 'glorotUniform']), ['bias', 'zeros']]) as Record<
        Weights | 'bias',
        InitializerIdentifier
      >,
    ),
  ),
  activityRegularizer: regularizer(),
  ...own,
})

/** The properties that the rows of `convolutionOptions` make. */
type ConvolutionValues = ValuesOf<ReturnType<typeof convolutionOptions<'kernel', Record<never, never>>>>

/** y = activation(products + bias). A subclass computes the products of its windows and kernels. */
export abstract class Convolution<Weights extends string = 'kernel' | 'bias'> extends SpatialLayer implements ConvolutionValues {
  declare readonly activityRegularizer?: Regularizer
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Padding
  declare readonly dilationRate: readonly number[]
  declare readonly activation: Activation
  declare readonly useBias: boolean
  declare protected readonly settings: WeightSettings<Weights | 'bias'>
  #bias?: Parameter

  override get finalActivation(): FinalActivation {
    return finalActivationOf(this.activation)
  }

  /** Makes the kernels for inputs with `channels` channels. */
  protected abstract makeKernels(channels: number, context: BuildContext): void
  /** The products with channels last, then the bias and relu that `finish` asks for. */
  protected abstract products(x: Tensor, finish: ConvFinish): Tensor

  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.parts(inputShape)
    const channels = requireSize(this, inputShape, this.channelAxis)
    this.makeKernels(channels, context)
    if (!this.useBias) return
    const bias = this.settings.of('bias')
    this.#bias = this.addWeight('bias', [this.outputChannels(channels) as number], bias.initializer, context, bias)
  }

  protected override outputSizes(sizes: Sizes): Sizes {
    const { kernelSize: kernel, strides, padding, dilationRate: dilation } = this
    return this.windowed(sizes, 'kernelSize', { kernel, strides, padding, dilation })
  }

  protected override transform(x: Tensor): Tensor {
    return this.products(x, { bias: this.#bias })
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const { name, builtIn } = this.activation
    if (builtIn && name === 'relu') return this.channelsLast(x, (t) => this.products(t, { bias: this.#bias, relu: true }))
    return this.activation.call(this.logits(x, context))
  }
  override logits(x: Tensor, context: CallContext): Tensor {
    return super.call(x, context)
  }

  protected override detail(): string {
    return `kernelSize ${this.kernelSize.join('×')}`
  }
}

const convOptions = (rank: Rank, paddings?: readonly Padding[]) =>
  convolutionOptions(rank, ['kernel'], { filters: positional(count()), groups: count(1) }, paddings) satisfies TableFor<ConvOptions>

/** Convolution with one filter for each output channel. */
abstract class Conv extends Convolution implements ValuesOf<ReturnType<typeof convOptions>> {
  declare readonly filters: number
  declare readonly groups: number
  #kernel?: Parameter

  constructor(className: string, rank: Rank, filters: number, kernelSize: PerAxis, options: ConvOptions, paddings?: readonly Padding[]) {
    super(className, rank, options, convOptions(rank, paddings), { filters, kernelSize })
    if (this.filters % this.groups !== 0)
      throw new ValueError(`${className}: ${this.filters} filters do not divide into groups: ${this.groups}.`)
  }
  protected override makeKernels(channels: number, context: BuildContext): void {
    const kernel = this.settings.of('kernel')
    const seen = channels / this.groups
    this.#kernel = this.addWeight('kernel', [...this.kernelSize, seen, this.filters], kernel.initializer, context, kernel)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    this.#requireGroups(inputShape)
    return super.outputShape(inputShape)
  }
  protected override makeWeights(inputShape: BatchShape, context: BuildContext): void {
    this.#requireGroups(inputShape)
    super.makeWeights(inputShape, context)
  }
  #requireGroups(inputShape: BatchShape): void {
    const { channels } = this.parts(inputShape)
    if (channels !== null && channels % this.groups !== 0)
      throw new ShapeError(`${this.describe()}: the ${channels} channels of the input do not divide into groups: ${this.groups}.`)
  }
  protected override outputChannels(): number {
    return this.filters
  }

  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    const kernel = this.#kernel as Parameter
    const { padding, groups } = this
    if (this.rank === 3) {
      const sliding = { strides: asTriple(this.strides), dilation: asTriple(this.dilationRate), padding: padding as 'valid' | 'same' }
      return convolve3d(x, kernel, { ...sliding, groups, ...finish })
    }
    const options = { strides: asPair(this.strides), padding, dilation: asPair(this.dilationRate), groups, ...finish }
    if (this.rank === 2) return convolve(x, kernel, options)
    const y = convolve(x.expandDims(1), kernel.expandDims(0), options) // [n, 1, ot, f]
    return y.squeeze(1)
  }
  protected override detail(): string {
    return `filters ${this.filters}, ${super.detail()}`
  }
}

/**
 * Convolution over images: y = activation(x ∗ W + b). It is a correlation: the filters are not flipped.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, filters]; with `channelsFirst` [n, c, h, w] → [n, filters, oh, ow]
 *          valid: oh = ⌈(h − (kh − 1)·dilation)/stride⌉; same: oh = ⌈h/stride⌉, and an odd row of zeros stands at the end
 * Weights: kernel [kh, kw, c/groups, filters] in both data formats, bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError that names layer and sizes if the window is larger than the input, or channels do not divide into groups
 */
export class Conv2D extends Conv {
  override readonly className = ours(Conv2D, 'Conv2D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super('Conv2D', 2, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvOptions & { filters: number; kernelSize: PerAxis }): Conv2D {
    return new Conv2D(filters, kernelSize, options)
  }
}

/**
 * Convolution over sequences: y = activation(x ∗ W + b). With `causal` padding no output sees later steps.
 *
 * Shape:   [n, t, c] → [n, ot, filters]; causal: ot = ⌈t/stride⌉, else as in `Conv2D`
 * Weights: kernel [k, c/groups, filters], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError that names layer and sizes if the window is larger than the input, or channels do not divide into groups
 */
export class Conv1D extends Conv {
  override readonly className = ours(Conv1D, 'Conv1D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super('Conv1D', 1, filters, kernelSize, options, ['valid', 'same', 'causal'])
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvOptions & { filters: number; kernelSize: PerAxis }): Conv1D {
    return new Conv1D(filters, kernelSize, options)
  }
}

/**
 * Convolution over volumes, or over frames of images.
 *
 * Shape:   [n, d, h, w, c] → [n, od, oh, ow, filters]; sizes as in `Conv2D`
 * Weights: kernel [kd, kh, kw, c/groups, filters], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError that names layer and sizes if the window is larger than the input, or channels do not divide into groups
 */
export class Conv3D extends Conv {
  override readonly className = ours(Conv3D, 'Conv3D')
  constructor(filters: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super('Conv3D', 3, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvOptions & { filters: number; kernelSize: PerAxis }): Conv3D {
    return new Conv3D(filters, kernelSize, options)
  }
}

/**
 * Makes a `Conv2D` with `filters` filters; `kernelSize` is a number or [height, width].
 *
 * @example
 * ```ts
 * const cnn = new Sequential([conv2d(32, [5, 5], { activation: 'relu', inputShape: [28, 28, 1] })])
 * console.log(cnn.output.shape, cnn.countParams())   // [null, 24, 24, 32] 832
 * ```
 */
export const conv2d = (filters: number, kernelSize: PerAxis, options?: ConvOptions): Conv2D => new Conv2D(filters, kernelSize, options)

/**
 * Makes a `Conv1D` with `filters` filters of `kernelSize` steps.
 *
 * @example
 * ```ts
 * const weather = new Sequential([conv1d(32, 7, { activation: 'relu', padding: 'causal', inputShape: [240, 14] })])
 * console.log(weather.output.shape)   // [null, 240, 32]
 * ```
 */
export const conv1d = (filters: number, kernelSize: PerAxis, options?: ConvOptions): Conv1D => new Conv1D(filters, kernelSize, options)

/**
 * Makes a `Conv3D` with `filters` filters; `kernelSize` is a number or [depth, height, width].
 *
 * @example
 * ```ts
 * const video = new Sequential([conv3d(8, 3, { padding: 'same', inputShape: [16, 32, 32, 3] })])
 * console.log(video.output.shape, video.countParams())   // [null, 16, 32, 32, 8] 656
 * ```
 */
export const conv3d = (filters: number, kernelSize: PerAxis, options?: ConvOptions): Conv3D => new Conv3D(filters, kernelSize, options)
