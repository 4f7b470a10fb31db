/** Layers that take the largest or the mean value of each channel. */
import { max, mean, ShapeError, type Tensor, where } from '@cotangent/core'
import type { BatchShape, CallContext } from '../../layer.js'
import { flag } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { type Rank, type Sizes, SpatialLayer, type SpatialOptions, spatialOptions } from '../spatial-layer.js'

export interface GlobalPoolingOptions extends SpatialOptions {
  /** Leave the axes that are pooled, with size 1: [n, h, w, c] → [n, 1, 1, c]. */
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
  /** Where the channels stand does not matter to what is taken over all else. */
  override call(x: Tensor, _context: CallContext): Tensor {
    this.parts(x.shape)
    const axis = x.shape.map((_, i) => i).filter((i) => i !== 0 && i !== this.channelAxis)
    return this.pool(x, { axis, keepDims: this.keepdims })
  }
}

/** The largest value of each channel of an image; equal ones share the gradient. Shape: [n, h, w, c] → [n, c]. */
export class GlobalMaxPooling2D extends GlobalPooling {
  override readonly className = 'GlobalMaxPooling2D'
  protected override readonly pool = max
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalMaxPooling2D', 2, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalMaxPooling2D {
    return new GlobalMaxPooling2D(options)
  }
}

/** The largest value of each channel of a sequence; equal ones share the gradient. Shape: [n, t, c] → [n, c]. */
export class GlobalMaxPooling1D extends GlobalPooling {
  override readonly className = 'GlobalMaxPooling1D'
  protected override readonly pool = max
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalMaxPooling1D', 1, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalMaxPooling1D {
    return new GlobalMaxPooling1D(options)
  }
}

/** The mean of each channel of an image. Shape: [n, h, w, c] → [n, c]. */
export class GlobalAveragePooling2D extends GlobalPooling {
  override readonly className = 'GlobalAveragePooling2D'
  protected override readonly pool = mean
  constructor(options: GlobalPoolingOptions = {}) {
    super('GlobalAveragePooling2D', 2, options)
  }
  static fromConfig(options: GlobalPoolingOptions): GlobalAveragePooling2D {
    return new GlobalAveragePooling2D(options)
  }
}

/**
 * The mean of each channel of a sequence, over the steps that a mask lets through. Shape: [n, t, c] → [n, c].
 *
 * A sequence of which no step counts gives 0 (Keras: not a number).
 */
export class GlobalAveragePooling1D extends GlobalPooling {
  override readonly className = 'GlobalAveragePooling1D'
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
    // Chosen rather than multiplied: what is masked may be no number.
    const sum = where(counts, x, 0).sum({ axis })
    return sum.div(mask.cast(x.dtype).sum({ axis: 1, keepDims: true }).maximum(1))
  }
}

/** The largest value of each channel of an image: `globalMaxPooling2d()`. */
export const globalMaxPooling2d = (options?: GlobalPoolingOptions): GlobalMaxPooling2D => new GlobalMaxPooling2D(options)
/** The largest value of each channel of a sequence: `globalMaxPooling1d()`. */
export const globalMaxPooling1d = (options?: GlobalPoolingOptions): GlobalMaxPooling1D => new GlobalMaxPooling1D(options)
/** The mean of each channel of an image: `globalAveragePooling2d()`. */
export const globalAveragePooling2d = (options?: GlobalPoolingOptions): GlobalAveragePooling2D => new GlobalAveragePooling2D(options)
/** The mean of each channel of a sequence: `globalAveragePooling1d()`. */
export const globalAveragePooling1d = (options?: GlobalPoolingOptions): GlobalAveragePooling1D => new GlobalAveragePooling1D(options)
