/** Layers that reduce each window to its largest value or its mean. Source: Keras 2.3.1, layers/pooling.py. */
import { averagePool2d, averagePool3d, maxPool2d, maxPool3d, type Tensor } from '@cotangent/core'
import { choice } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import {
  asPair,
  asTriple,
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

const largest = { two: maxPool2d, three: maxPool3d }
const means = { two: averagePool2d, three: averagePool3d }

abstract class Pooling extends SpatialLayer implements ValuesOf<ReturnType<typeof poolingOptions>> {
  declare readonly poolSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: 'valid' | 'same'

  constructor(className: string, rank: Rank, options: PoolingOptions) {
    super(className, rank, options, poolingOptions(rank))
  }
  /** The reduction, of images and of volumes. */
  protected abstract readonly pools: { readonly two: typeof maxPool2d; readonly three: typeof maxPool3d }

  protected override outputSizes(sizes: Sizes): Sizes {
    return this.windowed(sizes, 'poolSize', { kernel: this.poolSize, strides: this.strides, padding: this.padding })
  }

  protected override transform(x: Tensor): Tensor {
    const { poolSize, strides, padding } = this
    if (this.rank === 3) return this.pools.three(x, asTriple(poolSize), { strides: asTriple(strides), padding })
    const options = { strides: asPair(strides), padding }
    if (this.rank === 2) return this.pools.two(x, asPair(poolSize), options)
    return this.pools.two(x.expandDims(1), asPair(poolSize), options).squeeze(1)
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
  override readonly className = ours(MaxPooling2D, 'MaxPooling2D')
  protected override readonly pools = largest
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
  override readonly className = ours(MaxPooling1D, 'MaxPooling1D')
  protected override readonly pools = largest
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
  override readonly className = ours(AveragePooling2D, 'AveragePooling2D')
  protected override readonly pools = means
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
  override readonly className = ours(AveragePooling1D, 'AveragePooling1D')
  protected override readonly pools = means
  constructor(options: PoolingOptions = {}) {
    super('AveragePooling1D', 1, options)
  }
  static fromConfig(options: PoolingOptions): AveragePooling1D {
    return new AveragePooling1D(options)
  }
}

/**
 * The largest value of each window of a volume. The gradient goes to the first largest cell of each window.
 *
 * Shape: [n, d, h, w, c] → [n, od, oh, ow, c]; sizes as in `Conv3D`
 *
 * @throws ShapeError if the window is larger than the input
 */
export class MaxPooling3D extends Pooling {
  override readonly className = ours(MaxPooling3D, 'MaxPooling3D')
  protected override readonly pools = largest
  constructor(options: PoolingOptions = {}) {
    super('MaxPooling3D', 3, options)
  }
  static fromConfig(options: PoolingOptions): MaxPooling3D {
    return new MaxPooling3D(options)
  }
}

/**
 * The mean of each window of a volume, over its cells inside the volume.
 *
 * Shape: [n, d, h, w, c] → [n, od, oh, ow, c]; sizes as in `Conv3D`
 *
 * @throws ShapeError if the window is larger than the input
 */
export class AveragePooling3D extends Pooling {
  override readonly className = ours(AveragePooling3D, 'AveragePooling3D')
  protected override readonly pools = means
  constructor(options: PoolingOptions = {}) {
    super('AveragePooling3D', 3, options)
  }
  static fromConfig(options: PoolingOptions): AveragePooling3D {
    return new AveragePooling3D(options)
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
/**
 * Makes a `MaxPooling3D`: the largest value of each window of a volume.
 *
 * @example
 * ```ts
 * const halved = new Sequential([maxPooling3d({ inputShape: [16, 28, 28, 1] })])
 * console.log(halved.output.shape)   // [null, 8, 14, 14, 1]
 * ```
 */
export const maxPooling3d = (options?: PoolingOptions): MaxPooling3D => new MaxPooling3D(options)
/**
 * Makes an `AveragePooling3D`: the mean of each window of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([averagePooling3d({ poolSize: [1, 2, 2], inputShape: [16, 28, 28, 1] })])
 * console.log(model.output.shape)   // [null, 16, 14, 14, 1]
 * ```
 */
export const averagePooling3d = (options?: PoolingOptions): AveragePooling3D => new AveragePooling3D(options)
