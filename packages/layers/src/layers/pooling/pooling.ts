/** Layers that take the largest or the mean value of each window. */
import { averagePool2d, maxPool2d, type Tensor } from '@cotangent/core'
import { choice } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import {
  asPair,
  type PerAxis,
  type Rank,
  type Sizes,
  SpatialLayer,
  type SpatialOptions,
  sizesOf,
  spatialOptions,
} from '../spatial-layer.js'

export interface PoolingOptions extends SpatialOptions {
  /** The window; 2 along each axis by default. */
  poolSize?: PerAxis
  /** Steps of the window; the window's size by default. */
  strides?: PerAxis | null
  /** `valid` (default): only whole windows; `same`: windows hang over the edge, and only their cells inside count. */
  padding?: 'valid' | 'same'
}

const poolingOptions = (rank: Rank) =>
  ({
    ...spatialOptions(rank),
    poolSize: sizesOf(rank, 2),
    strides: sizesOf(rank, ({ before }) => before.poolSize as readonly number[]),
    padding: choice<'valid' | 'same'>(['valid', 'same'], 'valid'),
  }) satisfies TableFor<PoolingOptions>

abstract class Pooling extends SpatialLayer implements ValuesOf<ReturnType<typeof poolingOptions>> {
  declare readonly poolSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: 'valid' | 'same'

  constructor(className: string, rank: Rank, options: PoolingOptions) {
    super(className, rank, options, poolingOptions(rank))
  }
  protected abstract readonly pool: typeof maxPool2d

  protected override outputSizes(sizes: Sizes): Sizes {
    return this.windowed(sizes, 'poolSize', { kernel: this.poolSize, strides: this.strides, padding: this.padding })
  }

  protected override transform(x: Tensor): Tensor {
    const options = { strides: asPair(this.strides), padding: this.padding }
    if (this.rank === 2) return this.pool(x, asPair(this.poolSize), options)
    return this.pool(x.expandDims(1), asPair(this.poolSize), options).squeeze(1)
  }

  protected override detail(): string {
    return `poolSize ${this.poolSize.join('×')}`
  }
}

/**
 * The largest value of each window of an image. Shape: [n, h, w, c] → [n, oh, ow, c], sizes as in Conv2D.
 * Gradient: to the first largest cell of each window.
 */
export class MaxPooling2D extends Pooling {
  override readonly className = 'MaxPooling2D'
  protected override readonly pool = maxPool2d
  constructor(options: PoolingOptions = {}) {
    super('MaxPooling2D', 2, options)
  }
  static fromConfig(options: PoolingOptions): MaxPooling2D {
    return new MaxPooling2D(options)
  }
}

/** The largest value of each window of a sequence. Shape: [n, t, c] → [n, ot, c]. */
export class MaxPooling1D extends Pooling {
  override readonly className = 'MaxPooling1D'
  protected override readonly pool = maxPool2d
  constructor(options: PoolingOptions = {}) {
    super('MaxPooling1D', 1, options)
  }
  static fromConfig(options: PoolingOptions): MaxPooling1D {
    return new MaxPooling1D(options)
  }
}

/** The mean of each window of an image, over its cells inside the image. Shape: [n, h, w, c] → [n, oh, ow, c], sizes as in Conv2D. */
export class AveragePooling2D extends Pooling {
  override readonly className = 'AveragePooling2D'
  protected override readonly pool = averagePool2d
  constructor(options: PoolingOptions = {}) {
    super('AveragePooling2D', 2, options)
  }
  static fromConfig(options: PoolingOptions): AveragePooling2D {
    return new AveragePooling2D(options)
  }
}

/** The mean of each window of a sequence. Shape: [n, t, c] → [n, ot, c]. */
export class AveragePooling1D extends Pooling {
  override readonly className = 'AveragePooling1D'
  protected override readonly pool = averagePool2d
  constructor(options: PoolingOptions = {}) {
    super('AveragePooling1D', 1, options)
  }
  static fromConfig(options: PoolingOptions): AveragePooling1D {
    return new AveragePooling1D(options)
  }
}

/**
 * The largest value of each window of an image.
 *
 * @example
 * ```ts
 * const halved = new Sequential([maxPooling2d({ poolSize: [2, 2], inputShape: [28, 28, 1] })])
 * ```
 */
export const maxPooling2d = (options?: PoolingOptions): MaxPooling2D => new MaxPooling2D(options)
/** The largest value of each window of a sequence: `maxPooling1d({ poolSize: 5 })`. */
export const maxPooling1d = (options?: PoolingOptions): MaxPooling1D => new MaxPooling1D(options)
/** The mean of each window of an image: `averagePooling2d({ poolSize: 2 })`. */
export const averagePooling2d = (options?: PoolingOptions): AveragePooling2D => new AveragePooling2D(options)
/** The mean of each window of a sequence: `averagePooling1d({ poolSize: 2 })`. */
export const averagePooling1d = (options?: PoolingOptions): AveragePooling1D => new AveragePooling1D(options)
