/** Transposed convolution: it makes images larger, where convolution with strides makes them smaller. */
import {
  type ConvFinish,
  conv2dTranspose as convolve,
  type Parameter,
  ShapeError,
  type Tensor,
  ValueError,
  windowExtent,
} from '@cotangent/core'
import type { BuildContext } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { asPair, type PerAxis, type Sizes, sizesOrNone } from '../spatial-layer.js'
import { type ConvOptions, Convolution, convolutionOptions, finished } from './convolution.js'

/** Options of `conv2dTranspose`. */
export interface Conv2DTransposeOptions extends ConvOptions {
  /** Rows and columns added at the end, each less than the stride of its axis. If left out, the size follows from the first formula on the class. */
  outputPadding?: PerAxis | null
}

const transposeOptions = convolutionOptions(2, ['kernel'], {
  filters: positional(count()),
  outputPadding: sizesOrNone(2),
}) satisfies TableFor<Conv2DTransposeOptions>

/**
 * Transposed convolution: each input cell adds its filter, scaled by the cell, to the output. Neighbours are `strides` apart.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, filters]; reach = (kh − 1)·dilation + 1
 *          without outputPadding: `same` oh = h·stride; `valid` oh = h·stride + max(reach − stride, 0)
 *          with outputPadding p: oh = (h − 1)·stride + p + (`same` reach − 2⌊reach/2⌋; `valid` reach)
 * Weights: kernel [kh, kw, filters, c], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ValueError if outputPadding is not smaller than the stride
 * @throws ShapeError if no convolution leads from the size that outputPadding asks for back to that of the input
 */
export class Conv2DTranspose extends Convolution implements ValuesOf<typeof transposeOptions> {
  override readonly className = 'Conv2DTranspose'
  declare readonly filters: number
  declare readonly outputPadding?: readonly number[]
  #kernel?: Parameter

  constructor(filters: number, kernelSize: PerAxis, options: Conv2DTransposeOptions = {}) {
    super('Conv2DTranspose', 2, options, transposeOptions, { filters, kernelSize })
    if (this.outputPadding?.some((extra, i) => extra >= this.strides[i])) {
      throw new ValueError(
        `Conv2DTranspose: outputPadding [${this.outputPadding.join(', ')}] must be smaller than the strides [${this.strides.join(', ')}].`,
      )
    }
  }
  static fromConfig({
    filters,
    kernelSize,
    ...options
  }: Conv2DTransposeOptions & { filters: number; kernelSize: PerAxis }): Conv2DTranspose {
    return new Conv2DTranspose(filters, kernelSize, options)
  }

  protected override makeKernels(channels: number, context: BuildContext): void {
    const kernel = this.settings.of('kernel')
    this.#kernel = this.addWeight('kernel', [...this.kernelSize, this.filters, channels], kernel.initializer, context, kernel)
  }
  protected override outputChannels(): number {
    return this.filters
  }

  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes.map((n, i) => {
      if (n === null) return null
      const stride = this.strides[i]
      const reach = (this.kernelSize[i] - 1) * this.dilationRate[i] + 1
      const extra = this.outputPadding?.[i]
      if (extra === undefined) return n * stride + (this.padding === 'same' ? 0 : Math.max(reach - stride, 0))
      const size = (n - 1) * stride + extra + (this.padding === 'same' ? reach - 2 * Math.floor(reach / 2) : reach)
      if (size > 0 && windowExtent(size, this.kernelSize[i], stride, this.dilationRate[i], this.padding).out === n) return size
      throw new ShapeError(
        `${this.describe()}: with outputPadding ${extra} the ${n} cells of axis ${i} would become ${size}, which a convolution does not take ` +
          `back to ${n}. Leave outputPadding out, or use another from 0 to ${stride - 1}.`,
      )
    })
  }

  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    const size = asPair(this.outputSizes(x.shape.slice(1, -1)) as number[])
    const options = { strides: asPair(this.strides), padding: this.padding, dilation: asPair(this.dilationRate) }
    return finished(convolve(x, this.#kernel as Parameter, size, options), finish)
  }

  protected override detail(): string {
    return `filters ${this.filters}, ${super.detail()}`
  }
}

/**
 * Makes a `Conv2DTranspose` with `filters` filters; `kernelSize` is a number or [height, width].
 *
 * @example
 * ```ts
 * const model = new Sequential([conv2dTranspose(16, [3, 3], { strides: 2, padding: 'same', inputShape: [14, 14, 8] })])
 * console.log(model.output.shape)   // [null, 28, 28, 16]
 * ```
 */
export const conv2dTranspose = (filters: number, kernelSize: PerAxis, options?: Conv2DTransposeOptions): Conv2DTranspose =>
  new Conv2DTranspose(filters, kernelSize, options)
