/**
 * Layers that cut each axis into a given number of windows, of nearly equal sizes, and reduce each to its largest value or its mean. Source: Keras 3.16,
 * ops/nn.py, adaptive_average_pool and adaptive_max_pool; PyTorch's AdaptiveAvgPool has the same rule.
 */
import { sizeOf, stack, type Tensor } from '@cotangent/core'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type PerAxis, type Rank, type Sizes, SpatialLayer, type SpatialOptions, sizesOf, spatialOptions } from '../spatial-layer.js'

/** The options, with the argument before them. */
type Config = SpatialOptions & { outputSize: PerAxis }

const adaptiveOptions = (rank: Rank) =>
  ({ outputSize: positional(sizesOf(rank)), ...spatialOptions(rank) }) satisfies TableFor<SpatialOptions>

/** Reduces an axis. */
type Reduce = (x: Tensor, axis: number) => Tensor
const largest: Reduce = (x, axis) => x.max({ axis })
const mean: Reduce = (x, axis) => x.mean({ axis })

/** Window i of an axis of n cells in m windows: from ⌊i·n/m⌋ to below ⌈(i + 1)·n/m⌉. Neighbours share cells where m does not divide n. */
function pooled(x: Tensor, axis: number, m: number, reduce: Reduce): Tensor {
  const { shape } = x
  const n = shape[axis]
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)]
  if (n === m) return x
  if (n % m === 0) return reduce(x.reshape([...before, m, n / m, ...after]), axis + 1)
  const rows = x.reshape([sizeOf(before), n, sizeOf(after)])
  const windows = Array.from({ length: m }, (_, i) => {
    const begin = Math.floor((i * n) / m)
    return reduce(rows.slice([0, begin, 0], [rows.shape[0], Math.ceil(((i + 1) * n) / m) - begin, rows.shape[2]]), 1)
  })
  return stack(windows, 1).reshape([...before, m, ...after])
}

abstract class AdaptivePooling extends SpatialLayer implements ValuesOf<ReturnType<typeof adaptiveOptions>> {
  declare readonly outputSize: readonly number[]

  constructor(className: string, rank: Rank, outputSize: PerAxis, options: SpatialOptions) {
    super(className, rank, options, adaptiveOptions(rank), { outputSize })
  }
  protected abstract readonly reduce: Reduce

  protected override outputSizes(_sizes: Sizes): Sizes {
    return this.outputSize
  }
  protected override transform(x: Tensor): Tensor {
    return this.outputSize.reduce((t, m, axis) => pooled(t, axis + 1, m, this.reduce), x)
  }
  protected override detail(): string {
    return `outputSize ${this.outputSize.join('×')}`
  }
}

/**
 * The mean of each of `outputSize` windows of a sequence, whatever its size.
 *
 * Shape: [n, t, c] → [n, ot, c], the sizes of `outputSize`
 */
export class AdaptiveAveragePooling1D extends AdaptivePooling {
  override readonly className = ours(AdaptiveAveragePooling1D, 'AdaptiveAveragePooling1D')
  protected override readonly reduce = mean
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveAveragePooling1D', 1, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveAveragePooling1D {
    return new AdaptiveAveragePooling1D(outputSize, options)
  }
}

/**
 * The mean of each of `outputSize` windows of an image, whatever its size.
 *
 * Shape: [n, h, w, c] → [n, oh, ow, c], the sizes of `outputSize`
 */
export class AdaptiveAveragePooling2D extends AdaptivePooling {
  override readonly className = ours(AdaptiveAveragePooling2D, 'AdaptiveAveragePooling2D')
  protected override readonly reduce = mean
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveAveragePooling2D', 2, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveAveragePooling2D {
    return new AdaptiveAveragePooling2D(outputSize, options)
  }
}

/**
 * The mean of each of `outputSize` windows of a volume, whatever its size.
 *
 * Shape: [n, d, h, w, c] → [n, od, oh, ow, c], the sizes of `outputSize`
 */
export class AdaptiveAveragePooling3D extends AdaptivePooling {
  override readonly className = ours(AdaptiveAveragePooling3D, 'AdaptiveAveragePooling3D')
  protected override readonly reduce = mean
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveAveragePooling3D', 3, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveAveragePooling3D {
    return new AdaptiveAveragePooling3D(outputSize, options)
  }
}

/**
 * The largest value of each of `outputSize` windows of a sequence, whatever its size.
 *
 * Shape: [n, t, c] → [n, ot, c], the sizes of `outputSize`
 */
export class AdaptiveMaxPooling1D extends AdaptivePooling {
  override readonly className = ours(AdaptiveMaxPooling1D, 'AdaptiveMaxPooling1D')
  protected override readonly reduce = largest
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveMaxPooling1D', 1, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveMaxPooling1D {
    return new AdaptiveMaxPooling1D(outputSize, options)
  }
}

/**
 * The largest value of each of `outputSize` windows of an image, whatever its size.
 *
 * Shape: [n, h, w, c] → [n, oh, ow, c], the sizes of `outputSize`
 */
export class AdaptiveMaxPooling2D extends AdaptivePooling {
  override readonly className = ours(AdaptiveMaxPooling2D, 'AdaptiveMaxPooling2D')
  protected override readonly reduce = largest
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveMaxPooling2D', 2, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveMaxPooling2D {
    return new AdaptiveMaxPooling2D(outputSize, options)
  }
}

/**
 * The largest value of each of `outputSize` windows of a volume, whatever its size.
 *
 * Shape: [n, d, h, w, c] → [n, od, oh, ow, c], the sizes of `outputSize`
 */
export class AdaptiveMaxPooling3D extends AdaptivePooling {
  override readonly className = ours(AdaptiveMaxPooling3D, 'AdaptiveMaxPooling3D')
  protected override readonly reduce = largest
  constructor(outputSize: PerAxis, options: SpatialOptions = {}) {
    super('AdaptiveMaxPooling3D', 3, outputSize, options)
  }
  static fromConfig({ outputSize, ...options }: Config): AdaptiveMaxPooling3D {
    return new AdaptiveMaxPooling3D(outputSize, options)
  }
}

/**
 * Makes an `AdaptiveAveragePooling1D`: the mean of each of `outputSize` windows of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveAveragePooling1d(2, { inputShape: [3, 1] })])
 * console.log(await model.apply(tensor([[[1], [1], [7]]])).array())   // [[[1], [4]]]
 * ```
 */
export const adaptiveAveragePooling1d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveAveragePooling1D =>
  new AdaptiveAveragePooling1D(outputSize, options)

/**
 * Makes an `AdaptiveAveragePooling2D`: the mean of each of `outputSize` windows of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveAveragePooling2d(7, { inputShape: [30, 20, 3] })])
 * console.log(model.output.shape)   // [null, 7, 7, 3]
 * ```
 */
export const adaptiveAveragePooling2d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveAveragePooling2D =>
  new AdaptiveAveragePooling2D(outputSize, options)

/**
 * Makes an `AdaptiveAveragePooling3D`: the mean of each of `outputSize` windows of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveAveragePooling3d([4, 7, 7], { inputShape: [9, 30, 20, 3] })])
 * console.log(model.output.shape)   // [null, 4, 7, 7, 3]
 * ```
 */
export const adaptiveAveragePooling3d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveAveragePooling3D =>
  new AdaptiveAveragePooling3D(outputSize, options)

/**
 * Makes an `AdaptiveMaxPooling1D`: the largest value of each of `outputSize` windows of a sequence.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveMaxPooling1d(2, { inputShape: [3, 1] })])
 * console.log(await model.apply(tensor([[[1], [1], [7]]])).array())   // [[[1], [7]]]
 * ```
 */
export const adaptiveMaxPooling1d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveMaxPooling1D =>
  new AdaptiveMaxPooling1D(outputSize, options)

/**
 * Makes an `AdaptiveMaxPooling2D`: the largest value of each of `outputSize` windows of an image.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveMaxPooling2d(7, { inputShape: [30, 20, 3] })])
 * console.log(model.output.shape)   // [null, 7, 7, 3]
 * ```
 */
export const adaptiveMaxPooling2d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveMaxPooling2D =>
  new AdaptiveMaxPooling2D(outputSize, options)

/**
 * Makes an `AdaptiveMaxPooling3D`: the largest value of each of `outputSize` windows of a volume.
 *
 * @example
 * ```ts
 * const model = new Sequential([adaptiveMaxPooling3d([4, 7, 7], { inputShape: [9, 30, 20, 3] })])
 * console.log(model.output.shape)   // [null, 4, 7, 7, 3]
 * ```
 */
export const adaptiveMaxPooling3d = (outputSize: PerAxis, options?: SpatialOptions): AdaptiveMaxPooling3D =>
  new AdaptiveMaxPooling3D(outputSize, options)
