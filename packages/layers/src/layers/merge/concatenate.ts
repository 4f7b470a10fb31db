/** Puts tensors side by side. */

import { concat, ones, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import type { BatchShape, LayerOptions } from '../../layer.js'
import { axisNumber } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { MergeLayer } from './merge-layer.js'

/** Options of `concatenate`. */
export interface ConcatenateOptions extends LayerOptions {
  /** The axis that grows: −1, the last, by default. 0 is the batch and refused. */
  axis?: number
}

const concatenateOptions = { axis: axisNumber(-1) } satisfies TableFor<ConcatenateOptions>

/**
 * Puts the inputs side by side along one axis.
 *
 * Shape:  [n, .., a, ..], [n, .., b, ..], … → [n, .., a + b + …, ..]
 * Source: Keras 2.3.1, layers/merge.py
 *
 * @throws ShapeError if the inputs differ in size along another axis
 * @throws ValueError for fewer than two inputs
 */
export class Concatenate extends MergeLayer implements ValuesOf<typeof concatenateOptions> {
  override readonly className = ours(Concatenate, 'Concatenate')
  declare readonly axis: number

  constructor(options: ConcatenateOptions = {}) {
    super('Concatenate', options, concatenateOptions)
  }
  static fromConfig(options: ConcatenateOptions): Concatenate {
    return new Concatenate(options)
  }

  /** The axis counted from the front. */
  #axisOf(shape: BatchShape): number {
    const axis = this.axis < 0 ? this.axis + shape.length : this.axis
    if (Number.isInteger(axis) && axis >= 1 && axis < shape.length) return axis
    throw new ShapeError(`${this.describe()}: axis ${this.axis} is no axis of a sample in [${shape.map((n) => n ?? '?').join(', ')}].`)
  }

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    if (inputShapes.length < 2) throw new ValueError(`${this.describe()}: takes at least 2 inputs, in a list; got ${inputShapes.length}.`)
    const [first, ...others] = inputShapes
    const axis = this.#axisOf(first)
    return others.reduce((merged, shape) => {
      const fits = shape.length === merged.length && merged.every((n, i) => i === axis || n === null || shape[i] === null || shape[i] === n)
      if (!fits) {
        const shown = inputShapes.map((sizes) => `[${sizes.map((n) => n ?? '?').join(', ')}]`)
        throw new ShapeError(`${this.describe()}: the inputs ${shown.join(' and ')} must have the same sizes on all axes but ${axis}.`)
      }
      return merged.map((n, i) => (i !== axis ? (n ?? shape[i]) : n === null || shape[i] === null ? null : n + shape[i]))
    }, first)
  }

  override merge(xs: readonly Tensor[]): Tensor {
    return concat([...xs], this.#axisOf(xs[0].shape))
  }

  /** Along the steps the masks are put side by side, too. Along other axes a step counts if it counts in every input. */
  override mergedMask(xs: readonly Tensor[], masks: readonly (Tensor | undefined)[]): Tensor | undefined {
    if (this.#axisOf(xs[0].shape) > 1 || masks.every((mask) => mask === undefined)) return super.mergedMask(xs, masks)
    return concat(
      masks.map((mask, i) => mask ?? ones(xs[i].shape.slice(0, 2), { dtype: 'bool', backend: xs[i].backend })),
      1,
    )
  }

  protected override detail(): string {
    return `axis ${this.axis}`
  }
}

/**
 * Makes a `Concatenate`: it puts its inputs side by side.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [5, 3] }), input({ shape: [5, 4] })]
 * console.log(concatenate().apply([a, b]).shape)   // [null, 5, 7]
 * ```
 */
export const concatenate = (options?: ConcatenateOptions): Concatenate => new Concatenate(options)
