/** Layers that repeat each cell, or draw images larger. Source: Keras 2.3.1, layers/convolutional.py; cubic and Lanczos kernels are from Keras 3. */
import { resize, type Tensor, upSample } from '@cotangent/core'
import { choice } from '../../option-rows.js'
import type { OptionTable, TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type PerAxis, type Rank, type Sizes, SpatialLayer, type SpatialOptions, sizesOf, spatialOptions } from '../spatial-layer.js'

/** Options of `upSampling1d` and `upSampling3d`. */
export interface UpSamplingOptions extends SpatialOptions {
  /** How often each cell is repeated along each axis, at least 1; 2 by default. */
  size?: PerAxis
}

/** How the values between cells are made. */
export type UpSamplingInterpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5'

/** Options of `upSampling2d`. */
export interface UpSampling2DOptions extends UpSamplingOptions {
  /** `nearest` (default) repeats the cells. The others are as in core's `resize`. */
  interpolation?: UpSamplingInterpolation
}

const upSamplingOptions = (rank: Rank) => ({ ...spatialOptions(rank), size: sizesOf(rank, 2) }) satisfies TableFor<UpSamplingOptions>

const upSampling2dOptions = {
  ...upSamplingOptions(2),
  interpolation: choice<UpSamplingInterpolation>(['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'], 'nearest'),
} satisfies TableFor<UpSampling2DOptions>

abstract class UpSampling extends SpatialLayer implements ValuesOf<ReturnType<typeof upSamplingOptions>> {
  declare readonly size: readonly number[]

  constructor(className: string, rank: Rank, options: UpSamplingOptions, own: OptionTable = upSamplingOptions(rank)) {
    super(className, rank, options, own)
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes.map((n, i) => (n === null ? null : n * this.size[i]))
  }
  protected override transform(x: Tensor): Tensor {
    return upSample(x, this.size)
  }
}

/**
 * Makes an image larger: repeats each cell as a block of equal cells, or draws values between the cells by `interpolation`.
 *
 * Shape: [n, h, w, c] → [n, h·size, w·size, c]
 */
export class UpSampling2D extends UpSampling implements ValuesOf<typeof upSampling2dOptions> {
  override readonly className = ours(UpSampling2D, 'UpSampling2D')
  declare readonly interpolation: UpSamplingInterpolation
  constructor(options: UpSampling2DOptions = {}) {
    super('UpSampling2D', 2, options, upSampling2dOptions)
  }
  static fromConfig(options: UpSampling2DOptions): UpSampling2D {
    return new UpSampling2D(options)
  }
  protected override transform(x: Tensor): Tensor {
    const { interpolation } = this
    if (interpolation === 'nearest') return super.transform(x)
    const [height, width] = this.outputSizes(x.shape.slice(1, 3)) as [number, number]
    return resize(x, [height, width], { interpolation })
  }
}

/**
 * Repeats each cell of a volume.
 *
 * Shape: [n, d, h, w, c] → [n, d·size, h·size, w·size, c]
 */
export class UpSampling3D extends UpSampling {
  override readonly className = ours(UpSampling3D, 'UpSampling3D')
  constructor(options: UpSamplingOptions = {}) {
    super('UpSampling3D', 3, options)
  }
  static fromConfig(options: UpSamplingOptions): UpSampling3D {
    return new UpSampling3D(options)
  }
}

/**
 * Repeats each step of a sequence.
 *
 * Shape: [n, t, c] → [n, t·size, c]
 */
export class UpSampling1D extends UpSampling {
  override readonly className = ours(UpSampling1D, 'UpSampling1D')
  constructor(options: UpSamplingOptions = {}) {
    super('UpSampling1D', 1, options)
  }
  static fromConfig(options: UpSamplingOptions): UpSampling1D {
    return new UpSampling1D(options)
  }
}

/**
 * Makes an `UpSampling2D`: it repeats rows and columns of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([upSampling2d({ size: [2, 3], inputShape: [14, 14, 1] })])
 * console.log(model.output.shape)   // [null, 28, 42, 1]
 * ```
 */
export const upSampling2d = (options?: UpSampling2DOptions): UpSampling2D => new UpSampling2D(options)
/**
 * Makes an `UpSampling1D`: it repeats the steps of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([upSampling1d({ size: 2, inputShape: [2, 1] })])
 * console.log(await model.apply(tensor([[[5], [6]]])).array())   // [[[5], [5], [6], [6]]]
 * ```
 */
export const upSampling1d = (options?: UpSamplingOptions): UpSampling1D => new UpSampling1D(options)
/**
 * Makes an `UpSampling3D`: it repeats the cells of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([upSampling3d({ size: [1, 2, 2], inputShape: [4, 8, 8, 1] })])
 * console.log(model.output.shape)   // [null, 4, 16, 16, 1]
 * ```
 */
export const upSampling3d = (options?: UpSamplingOptions): UpSampling3D => new UpSampling3D(options)
