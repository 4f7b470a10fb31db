/** A sequence made of one vector. */
import { ShapeError, type Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions, requireCount } from '../../layer.js'

/** Each sample, a vector, n times. Shape: [batch, features] → [batch, n, features]. */
export class RepeatVector extends Layer {
  override readonly className = 'RepeatVector'
  readonly n: number

  constructor(n: number, options: LayerOptions = {}) {
    super('RepeatVector', options, [])
    this.n = n
    requireCount('RepeatVector', 'n', n)
  }

  static fromConfig({ n, ...options }: LayerOptions & { n: number }): RepeatVector {
    return new RepeatVector(n, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 2) {
      throw new ShapeError(
        `${this.describe()}: takes [batch, features], got [${inputShape.map((n) => n ?? '?').join(', ')}]. Put flatten() before it.`,
      )
    }
    return [inputShape[0], this.n, inputShape[1]]
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    return x.expandDims(1).broadcastTo(this.outputShape(x.shape) as number[])
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), n: this.n }
  }
  protected override detail(): string {
    return `n ${this.n}`
  }
}

/** Repeats each vector: `repeatVector(3)`. */
export const repeatVector = (n: number, options?: LayerOptions): RepeatVector => new RepeatVector(n, options)
