/** Transposed convolution: it makes images larger, where convolution with strides makes them smaller. */
import {
  type ConvFinish,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type Parameter,
  ShapeError,
  type Tensor,
  transposedExtent,
  ValueError,
} from '@cotangent/core'
import type { BuildContext } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { asPair, asTriple, type PerAxis, type Rank, type Sizes, sizesOrNone } from '../spatial-layer.js'
import { Convolution, type ConvWeightOptions, convolutionOptions, finished } from './convolution.js'

/** Options of the transposed convolutions. */
export interface ConvTransposeOptions extends ConvWeightOptions {
  /** Cells added at the end of each axis, fewer than its stride. If left out, the size follows from the first formula on the class. */
  outputPadding?: PerAxis | null
}

const transposeOptions = (rank: Rank) =>
  convolutionOptions(rank, ['kernel'], {
    filters: positional(count()),
    outputPadding: sizesOrNone(rank),
  }) satisfies TableFor<ConvTransposeOptions>

/** Each input cell adds its filter, scaled by the cell, to the output. Neighbours are `strides` apart. */
abstract class ConvTranspose extends Convolution implements ValuesOf<ReturnType<typeof transposeOptions>> {
  declare readonly filters: number
  declare readonly outputPadding?: readonly number[]
  #kernel?: Parameter

  constructor(className: string, rank: Rank, filters: number, kernelSize: PerAxis, options: ConvTransposeOptions) {
    super(className, rank, options, transposeOptions(rank), { filters, kernelSize })
    if (this.outputPadding?.some((extra, i) => extra >= this.strides[i])) {
      throw new ValueError(
        `${className}: outputPadding [${this.outputPadding.join(', ')}] must be smaller than the strides [${this.strides.join(', ')}].`,
      )
    }
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
      const extra = this.outputPadding?.[i]
      const padding = this.padding as 'valid' | 'same'
      const { out } = transposedExtent(n, this.kernelSize[i], this.strides[i], this.dilationRate[i], padding, extra)
      if (out > 0) return out
      throw new ShapeError(
        `${this.describe()}: with outputPadding ${extra} nothing would be left of axis ${i}, which has ${n} cells. Leave it out.`,
      )
    })
  }

  protected override products(x: Tensor, finish: ConvFinish): Tensor {
    const kernel = this.#kernel as Parameter
    const { strides, dilationRate, outputPadding } = this
    const padding = this.padding as 'valid' | 'same'
    this.outputSizes(x.shape.slice(1, -1))
    if (this.rank === 1) {
      const along = { stride: strides[0], padding, dilation: dilationRate[0], outputPadding: outputPadding?.[0] }
      return finished(convTranspose1d(x, kernel, along), finish)
    }
    const options = <Each>(of: (sizes: readonly number[]) => Each) => ({
      ...{ strides: of(strides), padding, dilation: of(dilationRate) },
      outputPadding: outputPadding && of(outputPadding),
    })
    const y = this.rank === 2 ? convTranspose2d(x, kernel, options(asPair)) : convTranspose3d(x, kernel, options(asTriple))
    return finished(y, finish)
  }

  protected override detail(): string {
    return `filters ${this.filters}, ${super.detail()}`
  }
}

interface Filters {
  filters: number
  kernelSize: PerAxis
}

/**
 * Transposed convolution of images: each input cell adds its filter, scaled by the cell, to the output. Neighbours are `strides` apart.
 *
 * Shape:   [n, h, w, c] → [n, oh, ow, filters]; reach = (kh − 1)·dilation + 1
 *          without outputPadding: `same` oh = h·stride; `valid` oh = h·stride + max(reach − stride, 0)
 *          with outputPadding p: oh = (h − 1)·stride + p + (`same` reach − 2⌊reach/2⌋; `valid` reach)
 * Weights: kernel [kh, kw, filters, c], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ValueError if outputPadding is not smaller than the stride
 * @throws ShapeError if nothing would be left
 */
export class Conv2DTranspose extends ConvTranspose {
  override readonly className = ours(Conv2DTranspose, 'Conv2DTranspose')
  constructor(filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}) {
    super('Conv2DTranspose', 2, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvTransposeOptions & Filters): Conv2DTranspose {
    return new Conv2DTranspose(filters, kernelSize, options)
  }
}

/**
 * Transposed convolution of sequences.
 *
 * Shape:   [n, t, c] → [n, ot, filters]; ot as oh of `Conv2DTranspose`
 * Weights: kernel [k, filters, c], bias [filters]
 * Source:  Keras 3, layers/convolutional/base_conv_transpose.py
 *
 * @throws ValueError if outputPadding is not smaller than the stride
 * @throws ShapeError if nothing would be left
 */
export class Conv1DTranspose extends ConvTranspose {
  override readonly className = ours(Conv1DTranspose, 'Conv1DTranspose')
  constructor(filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}) {
    super('Conv1DTranspose', 1, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvTransposeOptions & Filters): Conv1DTranspose {
    return new Conv1DTranspose(filters, kernelSize, options)
  }
}

/**
 * Transposed convolution of volumes.
 *
 * Shape:   [n, d, h, w, c] → [n, od, oh, ow, filters]; each size as oh of `Conv2DTranspose`
 * Weights: kernel [kd, kh, kw, filters, c], bias [filters]
 * Source:  Keras 2.3.1, layers/convolutional.py
 *
 * @throws ValueError if outputPadding is not smaller than the stride
 * @throws ShapeError if nothing would be left
 */
export class Conv3DTranspose extends ConvTranspose {
  override readonly className = ours(Conv3DTranspose, 'Conv3DTranspose')
  constructor(filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}) {
    super('Conv3DTranspose', 3, filters, kernelSize, options)
  }
  static fromConfig({ filters, kernelSize, ...options }: ConvTransposeOptions & Filters): Conv3DTranspose {
    return new Conv3DTranspose(filters, kernelSize, options)
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
export const conv2dTranspose = (filters: number, kernelSize: PerAxis, options?: ConvTransposeOptions): Conv2DTranspose =>
  new Conv2DTranspose(filters, kernelSize, options)
/**
 * Makes a `Conv1DTranspose` with `filters` filters of `kernelSize` steps.
 *
 * @example
 * ```ts
 * const model = new Sequential([conv1dTranspose(4, 3, { strides: 2, padding: 'same', inputShape: [10, 8] })])
 * console.log(model.output.shape)   // [null, 20, 4]
 * ```
 */
export const conv1dTranspose = (filters: number, kernelSize: PerAxis, options?: ConvTransposeOptions): Conv1DTranspose =>
  new Conv1DTranspose(filters, kernelSize, options)
/**
 * Makes a `Conv3DTranspose` with `filters` filters; `kernelSize` is a number or [depth, height, width].
 *
 * @example
 * ```ts
 * const model = new Sequential([conv3dTranspose(2, 2, { strides: 2, inputShape: [4, 4, 4, 8] })])
 * console.log(model.output.shape)   // [null, 8, 8, 8, 2]
 * ```
 */
export const conv3dTranspose = (filters: number, kernelSize: PerAxis, options?: ConvTransposeOptions): Conv3DTranspose =>
  new Conv3DTranspose(filters, kernelSize, options)
