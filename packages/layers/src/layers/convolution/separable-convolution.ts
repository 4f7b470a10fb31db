/** Convolution of each channel by itself, and the same with a mixing of channels after it (Chollet, "Xception", 2017). */
import { type ConvFinish, conv1d, conv2d, depthwiseConv2d as convolve, type Padding, type Parameter, type Tensor } from '@cotangent/core'
import type { BuildContext } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { WeightOptions } from '../../weights/settings.js'
import { asPair, type PerAxis, type Rank } from '../spatial-layer.js'
import { Convolution, type ConvolutionOptions, convolutionOptions, finished } from './convolution.js'

/** Options of `depthwiseConv1d` and `depthwiseConv2d`. By default the kernel starts as `glorotUniform`, the bias as `zeros`. */
export interface DepthwiseConvOptions extends ConvolutionOptions, WeightOptions<'depthwise' | 'bias'> {
  /** The number of filters, and so of output channels, for each input channel; 1 by default. */
  depthMultiplier?: number
}

/** Options of `separableConv1d` and `separableConv2d`. By default both kernels start as `glorotUniform`, the bias as `zeros`. */
export interface SeparableConvOptions extends DepthwiseConvOptions, WeightOptions<'pointwise'> {}

const depthMultiplier = count(1)
const depthwiseOptions = (rank: Rank) =>
  convolutionOptions(rank, ['depthwise'], { depthMultiplier }) satisfies TableFor<DepthwiseConvOptions>
const separableOptions = (rank: Rank, paddings?: readonly Padding[]) =>
  convolutionOptions(
    rank,
    ['depthwise', 'pointwise'],
    { depthMultiplier, filters: positional(count()) },
    paddings,
  ) satisfies TableFor<SeparableConvOptions>

abstract class Depthwise<Weights extends string>
  extends Convolution<Weights | 'depthwise'>
  implements ValuesOf<ReturnType<typeof depthwiseOptions>>
{
  declare readonly depthMultiplier: number
  #kernel?: Parameter

  protected override makeKernels(channels: number, context: BuildContext): void {
    const setting = this.settings.of('depthwise')
    const shape = [...this.kernelSize, channels, this.depthMultiplier]
    this.#kernel = this.addWeight('depthwise_kernel', shape, setting.initializer, context, setting)
  }
  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    const options = {
      strides: asPair(this.strides),
      padding: this.padding,
      dilation: asPair(this.dilationRate),
    }
    const kernel = this.#kernel as Parameter
    const y = this.rank === 1 ? convolve(x.expandDims(1), kernel.expandDims(0), options).squeeze(1) : convolve(x, kernel, options)
    return finished(y, finish)
  }
}

/** Each channel by itself. */
abstract class DepthwiseConv extends Depthwise<never> {
  constructor(className: string, rank: Rank, kernelSize: PerAxis, options: DepthwiseConvOptions) {
    super(className, rank, options, depthwiseOptions(rank), { kernelSize })
  }
  protected override outputChannels(channels: number | null): number | null {
    return channels === null ? null : channels * this.depthMultiplier
  }
}

/**
 * Convolution of each channel with filters of its own: output channel c·m + j is filter j on channel c, for m = depthMultiplier.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, c·depthMultiplier]; oh and ow as in `Conv2D`
 * Weights: depthwise_kernel [kh, kw, c, depthMultiplier], bias [c·depthMultiplier]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError if the window is larger than the input
 */
export class DepthwiseConv2D extends DepthwiseConv {
  override readonly className = ours(DepthwiseConv2D, 'DepthwiseConv2D')
  constructor(kernelSize: PerAxis, options: DepthwiseConvOptions = {}) {
    super('DepthwiseConv2D', 2, kernelSize, options)
  }
  static fromConfig({ kernelSize, ...options }: DepthwiseConvOptions & { kernelSize: PerAxis }): DepthwiseConv2D {
    return new DepthwiseConv2D(kernelSize, options)
  }
}

/**
 * Convolution of each channel of a sequence with filters of its own.
 *
 * Shape:   [n, t, c] → [n, ot, c·depthMultiplier]; ot as in `Conv1D`
 * Weights: depthwise_kernel [k, c, depthMultiplier], bias [c·depthMultiplier]
 * Source:  Keras 3, layers/convolutional/base_depthwise_conv.py
 *
 * @throws ShapeError if the window is larger than the input
 */
export class DepthwiseConv1D extends DepthwiseConv {
  override readonly className = ours(DepthwiseConv1D, 'DepthwiseConv1D')
  constructor(kernelSize: PerAxis, options: DepthwiseConvOptions = {}) {
    super('DepthwiseConv1D', 1, kernelSize, options)
  }
  static fromConfig({ kernelSize, ...options }: DepthwiseConvOptions & { kernelSize: PerAxis }): DepthwiseConv1D {
    return new DepthwiseConv1D(kernelSize, options)
  }
}

/** Depthwise, then a convolution of one cell. */
abstract class SeparableConv extends Depthwise<'pointwise'> implements ValuesOf<ReturnType<typeof separableOptions>> {
  declare readonly filters: number
  #pointwise?: Parameter

  constructor(
    className: string,
    rank: Rank,
    filters: number,
    kernelSize: PerAxis,
    options: SeparableConvOptions,
    paddings?: readonly Padding[],
  ) {
    super(className, rank, options, separableOptions(rank, paddings), { filters, kernelSize })
  }
  protected override makeKernels(channels: number, context: BuildContext): void {
    super.makeKernels(channels, context)
    const setting = this.settings.of('pointwise')
    const shape = [...this.kernelSize.map(() => 1), channels * this.depthMultiplier, this.filters]
    this.#pointwise = this.addWeight('pointwise_kernel', shape, setting.initializer, context, setting)
  }
  protected override outputChannels(): number {
    return this.filters
  }
  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    return (this.rank === 1 ? conv1d : conv2d)(super.products(x, {}), this.#pointwise as Parameter, finish)
  }
  protected override detail(): string {
    return `filters ${this.filters}, ${super.detail()}`
  }
}

/**
 * A depthwise convolution, then a 1×1 convolution that mixes channels, then bias and activation. It needs far fewer weights than `Conv2D`.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, filters]; oh and ow as in `Conv2D`
 * Weights: depthwise_kernel [kh, kw, c, m], pointwise_kernel [1, 1, c·m, filters], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError if the window is larger than the input
 */
export class SeparableConv2D extends SeparableConv {
  override readonly className = ours(SeparableConv2D, 'SeparableConv2D')
  constructor(filters: number, kernelSize: PerAxis, options: SeparableConvOptions = {}) {
    super('SeparableConv2D', 2, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: SeparableConvOptions & { filters: number; kernelSize: PerAxis }): SeparableConv2D {
    return new SeparableConv2D(filters, kernelSize, options)
  }
}

/**
 * A depthwise convolution of sequences, then one of one step that mixes channels, then bias and activation.
 *
 * Shape:   [n, t, c] → [n, ot, filters]; ot as in `Conv1D`
 * Weights: depthwise_kernel [k, c, m], pointwise_kernel [1, c·m, filters], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ShapeError if the window is larger than the input
 */
export class SeparableConv1D extends SeparableConv {
  override readonly className = ours(SeparableConv1D, 'SeparableConv1D')
  constructor(filters: number, kernelSize: PerAxis, options: SeparableConvOptions = {}) {
    super('SeparableConv1D', 1, filters, kernelSize, options, ['valid', 'same', 'causal'])
  }
  static fromConfig({ filters, kernelSize, ...options }: SeparableConvOptions & { filters: number; kernelSize: PerAxis }): SeparableConv1D {
    return new SeparableConv1D(filters, kernelSize, options)
  }
}

/**
 * Makes a `DepthwiseConv2D`, which convolves each channel by itself; `kernelSize` is a number or [height, width].
 *
 * @example
 * ```ts
 * const model = new Sequential([depthwiseConv2d([3, 3], { depthMultiplier: 2, inputShape: [28, 28, 8] })])
 * console.log(model.output.shape)   // [null, 26, 26, 16]
 * ```
 */
export const depthwiseConv2d = (kernelSize: PerAxis, options?: DepthwiseConvOptions): DepthwiseConv2D =>
  new DepthwiseConv2D(kernelSize, options)

/**
 * Makes a `SeparableConv2D` with `filters` output channels; `kernelSize` is a number or [height, width].
 *
 * @example
 * ```ts
 * const model = new Sequential([separableConv2d(64, [3, 3], { padding: 'same', inputShape: [28, 28, 8] })])
 * console.log(model.output.shape, model.countParams())   // [null, 28, 28, 64] 648
 * ```
 */
export const separableConv2d = (filters: number, kernelSize: PerAxis, options?: SeparableConvOptions): SeparableConv2D =>
  new SeparableConv2D(filters, kernelSize, options)

/**
 * Makes a `DepthwiseConv1D`, which convolves each channel of a sequence by itself.
 *
 * @example
 * ```ts
 * const model = new Sequential([depthwiseConv1d(3, { depthMultiplier: 2, inputShape: [10, 4] })])
 * console.log(model.output.shape)   // [null, 8, 8]
 * ```
 */
export const depthwiseConv1d = (kernelSize: PerAxis, options?: DepthwiseConvOptions): DepthwiseConv1D =>
  new DepthwiseConv1D(kernelSize, options)

/**
 * Makes a `SeparableConv1D` with `filters` output channels.
 *
 * @example
 * ```ts
 * const model = new Sequential([separableConv1d(16, 3, { padding: 'causal', inputShape: [10, 4] })])
 * console.log(model.output.shape, model.countParams())   // [null, 10, 16] 92
 * ```
 */
export const separableConv1d = (filters: number, kernelSize: PerAxis, options?: SeparableConvOptions): SeparableConv1D =>
  new SeparableConv1D(filters, kernelSize, options)
