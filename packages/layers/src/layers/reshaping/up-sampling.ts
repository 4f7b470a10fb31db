/** Layers that repeat each cell. */
import type { Tensor } from '@cotangent/core'
import { type PerAxis, readSizes, type Sizes, SpatialLayer, type SpatialOptions } from '../spatial-layer.js'

export interface UpSamplingOptions extends SpatialOptions {
  /** How often each cell is repeated along each axis; 2 by default. */
  size?: PerAxis
}

abstract class UpSampling extends SpatialLayer {
  readonly size: readonly number[]

  constructor(className: string, dimensions: 1 | 2, options: UpSamplingOptions) {
    super(className, dimensions, options, ['size'])
    this.size = readSizes(className, 'size', options.size ?? 2, dimensions)
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
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), size: this.size }
  }
}

/** Each cell of an image as a block of equal cells (the nearest neighbour). Shape: [n, h, w, c] → [n, h·size, w·size, c]. */
export class UpSampling2D extends UpSampling {
  override readonly className = 'UpSampling2D'
  constructor(options: UpSamplingOptions = {}) {
    super('UpSampling2D', 2, options)
  }
  static fromConfig(options: UpSamplingOptions): UpSampling2D {
    return new UpSampling2D(options)
  }
}

/** Each step of a sequence several times. Shape: [n, t, c] → [n, t·size, c]. */
export class UpSampling1D extends UpSampling {
  override readonly className = 'UpSampling1D'
  constructor(options: UpSamplingOptions = {}) {
    super('UpSampling1D', 1, options)
  }
  static fromConfig(options: UpSamplingOptions): UpSampling1D {
    return new UpSampling1D(options)
  }
}

/** Repeats rows and columns of an image: `upSampling2d({ size: [2, 3] })`. */
export const upSampling2d = (options?: UpSamplingOptions): UpSampling2D => new UpSampling2D(options)
/** Repeats the steps of a sequence: `upSampling1d({ size: 3 })`. */
export const upSampling1d = (options?: UpSamplingOptions): UpSampling1D => new UpSampling1D(options)
