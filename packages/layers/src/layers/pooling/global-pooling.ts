/** Layers that reduce each channel to its largest value or its mean. Source: Keras 2.3.1, layers/pooling.py; `keepdims` is from tf.keras. */
import { max, mean, ShapeError, type Tensor, where } from '@cotangent/core'
import type { BatchShape, CallContext } from '../../layer.js'
import { flag } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type Rank, type Sizes, SpatialLayer, type SpatialOptions, spatialOptions } from '../spatial-layer.js'

/** Options of the global pooling layers. */
export interface GlobalPoolingOptions extends SpatialOptions {
  /** Keep the pooled axes with size 1: [n, h, w, c] → [n, 1, 1, c]. False by default. */
  keepdims?: boolean
}

const globalPoolingOptions = (rank: Rank) => ({ ...spatialOptions(rank), keepdims: flag(false) }) satisfies TableFor<GlobalPoolingOptions>

abstract class GlobalPooling extends SpatialLayer implements ValuesOf<ReturnType<typeof globalPoolingOptions>> {
  protected abstract readonly pool: typeof max
  declare readonly keepdims: boolean

  constructor(className: string, rank: Rank, options: GlobalPoolingOptions) {
    super(className, rank, options, globalPoolingOptions(rank))
  }
  protected override outputSizes(): Sizes {
    return []
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    const { batch, sizes, channels } = this.parts(inputShape)
    if (sizes.includes(0)) throw new ShapeError(`${this.describe()}: there is nothing to pool in [${inputShape.join(', ')}].`)
    if (!this.keepdims) return [batch, channels]
    return inputShape.map((_, axis) => (axis === 0 ? batch : axis === this.channelAxis ? channels : 1))
  }
  protected override transform(x: Tensor): Tensor {
    return x
  }
  /** Pools over all axes but batch and channels, so the data need not be moved for `channelsFirst`. */
  override call(x: Tensor, _context: CallContext): Tensor {
    this.parts(x.shape)
    const axis = x.shape.map((_, i) => i).filter((i) => i !== 0 && i !== this.channelAxis)
    return this.pool(x, { axis, keepDims: this.keepdims })
  }
}

/**
 * The largest value of each channel of an image. Equal largest values share the gradient.
 *
 * Shape: [n, h, w, c] → [n, c]; with keepdims [n, 1, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalMaxPooling2D extends GlobalPooling {
  override readonly className = ours(GlobalMaxPooling2D, 'GlobalMaxPooling2D')
  protected override readonly pool = max
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalMaxPooling2D', 2, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalMaxPooling2D {
    return new GlobalMaxPooling2D(options)
  }
}

/**
 * The largest value of each channel of a sequence. Equal largest values share the gradient.
 *
 * Shape: [n, t, c] → [n, c]; with keepdims [n, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalMaxPooling1D extends GlobalPooling {
  override readonly className = ours(GlobalMaxPooling1D, 'GlobalMaxPooling1D')
  protected override readonly pool = max
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalMaxPooling1D', 1, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalMaxPooling1D {
    return new GlobalMaxPooling1D(options)
  }
}

/**
 * The mean of each channel of an image.
 *
 * Shape: [n, h, w, c] → [n, c]; with keepdims [n, 1, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalAveragePooling2D extends GlobalPooling {
  override readonly className = ours(GlobalAveragePooling2D, 'GlobalAveragePooling2D')
  protected override readonly pool = mean
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalAveragePooling2D', 2, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalAveragePooling2D {
    return new GlobalAveragePooling2D(options)
  }
}

/**
 * The mean of each channel of a sequence, over the steps that the mask lets through. A sequence without any such step gives 0 (in Keras NaN).
 *
 * Shape: [n, t, c] → [n, c]; with keepdims [n, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalAveragePooling1D extends GlobalPooling {
  override readonly className = ours(GlobalAveragePooling1D, 'GlobalAveragePooling1D')
  override readonly supportsMasking = true
  protected override readonly pool = mean
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalAveragePooling1D', 1, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalAveragePooling1D {
    return new GlobalAveragePooling1D(options)
  }
  override outputMask(): undefined {
    return undefined
  }
  override call(x: Tensor, context: CallContext): Tensor {
    const { mask } = context
    if (!mask) return super.call(x, context)
    this.parts(x.shape)
    const axis = this.dataFormat === 'channelsLast' ? 1 : 2
    const counts = mask.expandDims(this.channelAxis) // [n, t, 1] or [n, 1, t]
    // Selected, not multiplied by 0: a masked step may hold NaN.
    const sumOf = (t: Tensor): Tensor => t.sum({ axis, keepDims: this.keepdims })
    return sumOf(where(counts, x, 0)).div(sumOf(counts.cast(x.dtype)).maximum(1))
  }
}

/**
 * The largest value of each channel of a volume. Equal largest values share the gradient.
 *
 * Shape: [n, d, h, w, c] → [n, c]; with keepdims [n, 1, 1, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalMaxPooling3D extends GlobalPooling {
  override readonly className = ours(GlobalMaxPooling3D, 'GlobalMaxPooling3D')
  protected override readonly pool = max
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalMaxPooling3D', 3, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalMaxPooling3D {
    return new GlobalMaxPooling3D(options)
  }
}

/**
 * The mean of each channel of a volume.
 *
 * Shape: [n, d, h, w, c] → [n, c]; with keepdims [n, 1, 1, 1, c]
 *
 * @throws ShapeError if there is nothing to pool
 */
export class GlobalAveragePooling3D extends GlobalPooling {
  override readonly className = ours(GlobalAveragePooling3D, 'GlobalAveragePooling3D')
  protected override readonly pool = mean
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalAveragePooling3D', 3, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalAveragePooling3D {
    return new GlobalAveragePooling3D(options)
  }
}

/**
 * Makes a `GlobalMaxPooling2D`: the largest value of each channel of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalMaxPooling2d({ inputShape: [2, 2, 1] })])
 * console.log(await model.apply(tensor([[[[1], [2]], [[5], [4]]]])).array())   // [[5]]
 * ```
 */
export const globalMaxPooling2d = (options?: GlobalPoolingOptions): GlobalMaxPooling2D => new GlobalMaxPooling2D(options)
/**
 * Makes a `GlobalMaxPooling1D`: the largest value of each channel of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalMaxPooling1d({ inputShape: [2, 2] })])
 * console.log(await model.apply(tensor([[[1, 8], [3, 4]]])).array())   // [[3, 8]]
 * ```
 */
export const globalMaxPooling1d = (options?: GlobalPoolingOptions): GlobalMaxPooling1D => new GlobalMaxPooling1D(options)
/**
 * Makes a `GlobalAveragePooling2D`: the mean of each channel of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalAveragePooling2d({ inputShape: [2, 2, 1] })])
 * console.log(await model.apply(tensor([[[[1], [2]], [[5], [4]]]])).array())   // [[3]]
 * ```
 */
export const globalAveragePooling2d = (options?: GlobalPoolingOptions): GlobalAveragePooling2D => new GlobalAveragePooling2D(options)
/**
 * Makes a `GlobalAveragePooling1D`: the mean of each channel of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalAveragePooling1d({ inputShape: [2, 2] })])
 * console.log(await model.apply(tensor([[[1, 8], [3, 4]]])).array())   // [[2, 6]]
 * ```
 */
export const globalAveragePooling1d = (options?: GlobalPoolingOptions): GlobalAveragePooling1D => new GlobalAveragePooling1D(options)
/**
 * Makes a `GlobalMaxPooling3D`: the largest value of each channel of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalMaxPooling3d({ inputShape: [4, 8, 8, 3] })])
 * console.log(model.output.shape)   // [null, 3]
 * ```
 */
export const globalMaxPooling3d = (options?: GlobalPoolingOptions): GlobalMaxPooling3D => new GlobalMaxPooling3D(options)
/**
 * Makes a `GlobalAveragePooling3D`: the mean of each channel of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([globalAveragePooling3d({ keepdims: true, inputShape: [4, 8, 8, 3] })])
 * console.log(model.output.shape)   // [null, 1, 1, 1, 3]
 * ```
 */
export const globalAveragePooling3d = (options?: GlobalPoolingOptions): GlobalAveragePooling3D => new GlobalAveragePooling3D(options)
