/** Makes a sequence of one vector. */
import { ShapeError, type Tensor } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

const repeatVectorOptions = { n: positional(count()) }

/**
 * Repeats each sample, a vector, n times.
 *
 * Shape:  [batch, features] → [batch, n, features]
 * Source: Keras 2.3.1, layers/core.py
 *
 * @throws ShapeError if samples are no vectors
 */
export class RepeatVector extends Layer implements ValuesOf<typeof repeatVectorOptions> {
  override readonly className = ours(RepeatVector, 'RepeatVector')
  declare readonly n: number

  constructor(n: number, options: LayerOptions = {}) {
    super('RepeatVector', options, repeatVectorOptions, { n })
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

  protected override detail(): string {
    return `n ${this.n}`
  }
}

/**
 * Makes a `RepeatVector` layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([repeatVector(2, { inputShape: [3] })])
 * console.log(await model.apply(tensor([[1, 2, 3]])).array())   // [[[1, 2, 3], [1, 2, 3]]]
 * ```
 */
export const repeatVector = (n: number, options?: LayerOptions): RepeatVector => new RepeatVector(n, options)
