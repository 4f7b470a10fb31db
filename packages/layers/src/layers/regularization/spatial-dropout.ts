/** Dropout of whole channels (Tompson et al. 2015). Source: Keras 2.3.1, layers/core.py. */
import type { Tensor } from '@cotangent/core'
import type { CallContext } from '../../layer.js'
import { dropRate } from '../../option-rows.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type Rank, type Sizes, SpatialLayer, type SpatialOptions, spatialOptions } from '../spatial-layer.js'
import { drop } from './drop.js'

const spatialDropoutOptions = (rank: Rank) => ({ ...spatialOptions(rank), rate: positional(dropRate()) })

/**
 * In training, sets whole channels to 0 with probability `rate` and scales the others by 1/(1 − rate). Neighbouring cells are alike, so dropping single
 * ones would hide little.
 */
abstract class SpatialDropout extends SpatialLayer implements ValuesOf<ReturnType<typeof spatialDropoutOptions>> {
  declare readonly rate: number

  constructor(className: string, rank: Rank, rate: number, options: SpatialOptions) {
    super(className, rank, options, spatialDropoutOptions(rank), { rate })
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes
  }
  protected override transform(x: Tensor): Tensor {
    return x
  }
  override call(x: Tensor, { training, key }: CallContext): Tensor {
    this.parts(x.shape)
    if (!training || this.rate === 0 || this.rate >= 1) return x
    const shape = x.shape.map((n, i) => (i === 0 || i === this.channelAxis ? n : 1))
    return drop(this.className, x, this.rate, key, shape)
  }

  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/**
 * Drops whole channels of images in training.
 *
 * Shape: [n, h, w, c] → the same
 *
 * @throws ValueError in training without a key
 */
export class SpatialDropout2D extends SpatialDropout {
  override readonly className = ours(SpatialDropout2D, 'SpatialDropout2D')
  override readonly supportsMasking = true
  constructor(rate: number, options: SpatialOptions = {}) {
    super('SpatialDropout2D', 2, rate, options)
  }
  static fromConfig({ rate, ...options }: SpatialOptions & { rate: number }): SpatialDropout2D {
    return new SpatialDropout2D(rate, options)
  }
}

/**
 * Drops whole channels of sequences in training.
 *
 * Shape: [n, t, c] → the same
 *
 * @throws ValueError in training without a key
 */
export class SpatialDropout1D extends SpatialDropout {
  override readonly className = ours(SpatialDropout1D, 'SpatialDropout1D')
  override readonly supportsMasking = true
  constructor(rate: number, options: SpatialOptions = {}) {
    super('SpatialDropout1D', 1, rate, options)
  }
  static fromConfig({ rate, ...options }: SpatialOptions & { rate: number }): SpatialDropout1D {
    return new SpatialDropout1D(rate, options)
  }
}

/**
 * Drops whole channels of volumes in training.
 *
 * Shape: [n, d, h, w, c] → the same
 *
 * @throws ValueError in training without a key
 */
export class SpatialDropout3D extends SpatialDropout {
  override readonly className = ours(SpatialDropout3D, 'SpatialDropout3D')
  override readonly supportsMasking = true
  constructor(rate: number, options: SpatialOptions = {}) {
    super('SpatialDropout3D', 3, rate, options)
  }
  static fromConfig({ rate, ...options }: SpatialOptions & { rate: number }): SpatialDropout3D {
    return new SpatialDropout3D(rate, options)
  }
}

/**
 * Makes a `SpatialDropout2D`. `rate` is the share of channels to drop, from 0 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([conv2d(8, 3, { inputShape: [28, 28, 1] }), spatialDropout2d(0.3)])
 * console.log(model.output.shape)   // [null, 26, 26, 8]
 * ```
 */
export const spatialDropout2d = (rate: number, options?: SpatialOptions): SpatialDropout2D => new SpatialDropout2D(rate, options)
/**
 * Makes a `SpatialDropout1D`. `rate` is the share of channels to drop, from 0 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([embedding(100, 8, { inputLength: 20 }), spatialDropout1d(0.3)])
 * console.log(model.output.shape)   // [null, 20, 8]
 * ```
 */
export const spatialDropout1d = (rate: number, options?: SpatialOptions): SpatialDropout1D => new SpatialDropout1D(rate, options)
/**
 * Makes a `SpatialDropout3D`. `rate` is the share of channels to drop, from 0 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([conv3d(8, 3, { inputShape: [16, 28, 28, 1] }), spatialDropout3d(0.3)])
 * console.log(model.output.shape)   // [null, 14, 26, 26, 8]
 * ```
 */
export const spatialDropout3d = (rate: number, options?: SpatialOptions): SpatialDropout3D => new SpatialDropout3D(rate, options)
