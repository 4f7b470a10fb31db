/** Puts the axes of samples in another order. */

import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { requireWholeList } from '../../layer-options.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

const permuteOptions = {
  dims: positional<readonly number[]>({
    read(given, { className, name }) {
      const dims = given as readonly number[]
      requireWholeList(className, name, dims, 'such as [2, 1]')
      if ([...dims].sort((a, b) => a - b).every((axis, i) => axis === i + 1)) return dims
      throw new ValueError(`${className}: ${name} must name each axis of a sample once, counted from 1, got [${dims.join(', ')}].`)
    },
  }),
}

/**
 * Puts the axes of a sample in the order `dims`. Axes count from 1; the batch stays first.
 *
 * Shape:  with dims [2, 1]: [n, a, b] → [n, b, a]
 * Source: Keras 2.3.1, layers/core.py
 *
 * @throws ShapeError if samples have another number of axes
 * @throws ValueError unless dims names each axis once
 */
export class Permute extends Layer implements ValuesOf<typeof permuteOptions> {
  override readonly className = ours(Permute, 'Permute')
  declare readonly dims: readonly number[]

  constructor(dims: readonly number[], options: LayerOptions = {}) {
    super('Permute', options, permuteOptions, { dims })
  }

  static fromConfig({ dims, ...options }: LayerOptions & { dims: readonly number[] }): Permute {
    return new Permute(dims, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== this.dims.length + 1) {
      throw new ShapeError(
        `${this.describe()}: orders ${this.dims.length} axes, but a sample of [${inputShape.map((n) => n ?? '?').join(', ')}] has ${inputShape.length - 1}.`,
      )
    }
    return [inputShape[0], ...this.dims.map((axis) => inputShape[axis])]
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    this.outputShape(x.shape)
    return x.transpose([0, ...this.dims])
  }

  protected override detail(): string {
    return `dims ${JSON.stringify(this.dims)}`
  }
}

/**
 * Makes a `Permute` layer.
 *
 * @example
 * ```ts
 * const model = new Sequential([permute([2, 1], { inputShape: [10, 64] })])
 * console.log(model.output.shape)   // [null, 64, 10]
 * ```
 */
export const permute = (dims: readonly number[], options?: LayerOptions): Permute => new Permute(dims, options)
