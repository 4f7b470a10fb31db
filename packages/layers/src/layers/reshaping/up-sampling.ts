/** Layers that repeat each cell. Source: Keras 2.3.1, layers/convolutional.py. */
import type { Tensor } from '@cotangent/core'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { type PerAxis, type Rank, type Sizes, SpatialLayer, type SpatialOptions, sizesOf, spatialOptions } from '../spatial-layer.js'

/** Options of `upSampling1d` and `upSampling2d`. */
export interface UpSamplingOptions extends SpatialOptions {
  /** How often each cell is repeated along each axis, at least 1; 2 by default. */
  size?: PerAxis
}

const upSamplingOptions = (rank: Rank) => ({ ...spatialOptions(rank), size: sizesOf(rank, 2) }) satisfies TableFor<UpSamplingOptions>

abstract class UpSampling extends SpatialLayer implements ValuesOf<ReturnType<typeof upSamplingOptions>> {
  declare readonly size: readonly number[]

  constructor(className: string, rank: Rank, options: UpSamplingOptions) {
    super(className, rank, options, upSamplingOptions(rank))
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes.map((n, i) => (n === null ? null : n * this.size[i]))
  }
  protected override transform(x: Tensor): Tensor {
    const [batch, ...rest] = x.shape
    const channels = rest.pop() as number
    const apart = x.reshape([batch, ...rest.flatMap((n) => [n, 1]), channels]) // [n, h, 1, w, 1, c]
    const repeated = apart.broadcastTo([batch, ...rest.flatMap((n, i) => [n, this.size[i]]), channels])
    return repeated.reshape([batch, ...rest.map((n, i) => n * this.size[i]), channels])
  }
}

/**
 * Repeats each cell of an image as a block of equal cells (nearest neighbour; Keras' bilinear interpolation is not here).
 *
 * Shape: [n, h, w, c] → [n, h·size, w·size, c]
 */
export class UpSampling2D extends UpSampling {
  override readonly className = 'UpSampling2D'
  constructor(options: UpSamplingOptions = {}) {
    super('UpSampling2D', 2, options)
  }
  static fromConfig(options: UpSamplingOptions): UpSampling2D {
    return new UpSampling2D(options)
  }
}

/**
 * Repeats each step of a sequence.
 *
 * Shape: [n, t, c] → [n, t·size, c]
 */
export class UpSampling1D extends UpSampling {
  override readonly className = 'UpSampling1D'
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
export const upSampling2d = (options?: UpSamplingOptions): UpSampling2D => new UpSampling2D(options)
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
