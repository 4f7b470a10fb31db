/** The layer that makes images larger as convolution with strides makes them smaller. */
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

export interface Conv2DTransposeOptions extends ConvOptions {
  /** Rows and columns more at the end, fewer than the stride; by default the size is as described on the class. */
  outputPadding?: PerAxis | null
}

const transposeOptions = convolutionOptions(2, ['kernel'], {
  filters: positional(count()),
  outputPadding: sizesOrNone(2),
}) satisfies TableFor<Conv2DTransposeOptions>

/**
 * Transposed convolution: each input cell adds its filter, scaled, to the output, `strides` apart.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, filters]; same: oh = h·stride, valid: oh = h·stride + max(reach − stride, 0), reach = (kh − 1)·dilation + 1;
 *          with outputPadding p: oh = (h − 1)·stride + p + (same: reach − 2⌊reach/2⌋; valid: reach)
 * Weights: kernel [kh, kw, filters, c], bias [filters]
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

/** A transposed convolution: `conv2dTranspose(16, [3, 3], { strides: 2, padding: 'same' })` doubles height and width. */
export const conv2dTranspose = (filters: number, kernelSize: PerAxis, options?: Conv2DTransposeOptions): Conv2DTranspose =>
  new Conv2DTranspose(filters, kernelSize, options)
