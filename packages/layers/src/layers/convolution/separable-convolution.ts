/** Convolution of each channel by itself, and the same with a mixing of channels after it (Chollet, "Xception", 2017). */
import { type ConvFinish, conv2d, depthwiseConv2d as convolve, type Parameter, type Tensor } from '@cotangent/core'
import type { BuildContext } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import type { WeightOptions } from '../../weights/settings.js'
import { asPair, type PerAxis } from '../spatial-layer.js'
import { Convolution, type ConvolutionOptions, convolutionOptions, finished } from './convolution.js'

/** Options of `depthwiseConv2d`. By default the kernel starts as `glorotUniform`, the bias as `zeros`. */
export interface DepthwiseConv2DOptions extends ConvolutionOptions, WeightOptions<'depthwise' | 'bias'> {
  /** The number of filters, and so of output channels, for each input channel; 1 by default. */
  depthMultiplier?: number
}

/** Options of `separableConv2d`. By default both kernels start as `glorotUniform`, the bias as `zeros`. */
export interface SeparableConv2DOptions extends DepthwiseConv2DOptions, WeightOptions<'pointwise'> {}

const depthMultiplier = count(1)
const depthwiseOptions = convolutionOptions(2, ['depthwise'], { depthMultiplier }) satisfies TableFor<DepthwiseConv2DOptions>
const separableOptions = convolutionOptions(2, ['depthwise', 'pointwise'], {
  depthMultiplier,
  filters: positional(count()),
}) satisfies TableFor<SeparableConv2DOptions>

abstract class Depthwise<Weights extends string> extends Convolution<Weights | 'depthwise'> implements ValuesOf<typeof depthwiseOptions> {
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
    return finished(convolve(x, this.#kernel as Parameter, options), finish)
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
export class DepthwiseConv2D extends Depthwise<never> {
  override readonly className = 'DepthwiseConv2D'
  constructor(kernelSize: PerAxis, options: DepthwiseConv2DOptions = {}) {
    super('DepthwiseConv2D', 2, options, depthwiseOptions, { kernelSize })
  }
  static fromConfig({ kernelSize, ...options }: DepthwiseConv2DOptions & { kernelSize: PerAxis }): DepthwiseConv2D {
    return new DepthwiseConv2D(kernelSize, options)
  }
  protected override outputChannels(channels: number | null): number | null {
    return channels === null ? null : channels * this.depthMultiplier
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
export class SeparableConv2D extends Depthwise<'pointwise'> implements ValuesOf<typeof separableOptions> {
  override readonly className = 'SeparableConv2D'
  declare readonly filters: number
  #pointwise?: Parameter

  constructor(filters: number, kernelSize: PerAxis, options: SeparableConv2DOptions = {}) {
    super('SeparableConv2D', 2, options, separableOptions, { filters, kernelSize })
  }
  static fromConfig({
    filters,
    kernelSize,
    ...options
  }: SeparableConv2DOptions & { filters: number; kernelSize: PerAxis }): SeparableConv2D {
    return new SeparableConv2D(filters, kernelSize, options)
  }

  protected override makeKernels(channels: number, context: BuildContext): void {
    super.makeKernels(channels, context)
    const setting = this.settings.of('pointwise')
    const shape = [1, 1, channels * this.depthMultiplier, this.filters]
    this.#pointwise = this.addWeight('pointwise_kernel', shape, setting.initializer, context, setting)
  }
  protected override outputChannels(): number {
    return this.filters
  }
  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    return conv2d(super.products(x, {}), this.#pointwise as Parameter, finish)
  }
  protected override detail(): string {
    return `filters ${this.filters}, ${super.detail()}`
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
export const depthwiseConv2d = (kernelSize: PerAxis, options?: DepthwiseConv2DOptions): DepthwiseConv2D =>
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
export const separableConv2d = (filters: number, kernelSize: PerAxis, options?: SeparableConv2DOptions): SeparableConv2D =>
  new SeparableConv2D(filters, kernelSize, options)
