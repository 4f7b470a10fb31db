/** Layers that reduce each window to its largest value or its mean. Source: Keras 2.3.1, layers/pooling.py. */
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

/** Options of the pooling layers. */
export interface PoolingOptions extends SpatialOptions {
  /** The size of the window, at least 1 along each axis; 2 by default. */
  poolSize?: PerAxis
  /** How many cells the window moves along each axis; the size of the window by default. */
  strides?: PerAxis | null
  /** `valid` (default) takes whole windows only. With `same` windows may reach over the edge; only their cells inside count. */
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
 * The largest value of each window of an image. The gradient goes to the first largest cell of each window.
 *
 * Shape: [n, h, w, c] → [n, oh, ow, c]; oh and ow as in `Conv2D`
 *
 * @throws ShapeError if the window is larger than the input
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

/**
 * The largest value of each window of a sequence. The gradient goes to the first largest cell of each window.
 *
 * Shape: [n, t, c] → [n, ot, c]; ot as in `Conv2D`
 *
 * @throws ShapeError if the window is larger than the input
 */
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

/**
 * The mean of each window of an image, over its cells inside the image.
 *
 * Shape: [n, h, w, c] → [n, oh, ow, c]; oh and ow as in `Conv2D`
 *
 * @throws ShapeError if the window is larger than the input
 */
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

/**
 * The mean of each window of a sequence, over its steps inside the sequence.
 *
 * Shape: [n, t, c] → [n, ot, c]; ot as in `Conv2D`
 *
 * @throws ShapeError if the window is larger than the input
 */
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
 * Makes a `MaxPooling2D`: the largest value of each window of an image.
 *
 * @example
 * ```ts
 * const halved = new Sequential([maxPooling2d({ poolSize: [2, 2], inputShape: [28, 28, 1] })])
 * console.log(halved.output.shape)   // [null, 14, 14, 1]
 * ```
 */
export const maxPooling2d = (options?: PoolingOptions): MaxPooling2D => new MaxPooling2D(options)
/**
 * Makes a `MaxPooling1D`: the largest value of each window of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([maxPooling1d({ poolSize: 2, inputShape: [4, 1] })])
 * console.log(await model.apply(tensor([[[1], [7], [3], [5]]])).array())   // [[[7], [5]]]
 * ```
 */
export const maxPooling1d = (options?: PoolingOptions): MaxPooling1D => new MaxPooling1D(options)
/**
 * Makes an `AveragePooling2D`: the mean of each window of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([averagePooling2d({ poolSize: 2, inputShape: [28, 28, 3] })])
 * console.log(model.output.shape)   // [null, 14, 14, 3]
 * ```
 */
export const averagePooling2d = (options?: PoolingOptions): AveragePooling2D => new AveragePooling2D(options)
/**
 * Makes an `AveragePooling1D`: the mean of each window of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([averagePooling1d({ poolSize: 2, inputShape: [4, 1] })])
 * console.log(await model.apply(tensor([[[1], [7], [3], [5]]])).array())   // [[[4], [4]]]
 * ```
 */
export const averagePooling1d = (options?: PoolingOptions): AveragePooling1D => new AveragePooling1D(options)
