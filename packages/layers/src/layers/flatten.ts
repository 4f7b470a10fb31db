/** Flattening a sample to one axis. */
import type { Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../layer.js'

/** All axes but the first on one. Shape: [n, ..rest] → [n, Π rest], row-major. */
export class Flatten extends Layer {
  override readonly className = 'Flatten'

  constructor(options: LayerOptions = {}) {
    super('Flatten', options, [])
  }

  static fromConfig(options: LayerOptions): Flatten {
    return new Flatten(options)
  }

  override outputShape([batch, ...rest]: BatchShape): BatchShape {
    return [batch, rest.reduce<number | null>((product, n) => (product === null || n === null ? null : product * n), 1)]
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    return x.reshape([x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)])
  }
}

/** Flattens each sample to one axis. */
export const flatten = (options?: LayerOptions): Flatten => new Flatten(options)
