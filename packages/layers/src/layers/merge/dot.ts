/** Inner products of two inputs, sample by sample. */

import { matMul, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape, LayerOptions } from '../../layer.js'
import { unitLength } from '../../losses/unit-length.js'
import { flag } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { MergeLayer } from './merge-layer.js'

/** One axis for both inputs, or one for each. 0 is the batch and refused; negative numbers count from the end. */
export type DotAxes = number | readonly [number, number]

/** Options of `Dot`. */
export interface DotOptions extends LayerOptions {
  /** Whether the vectors along `axes` are scaled to length 1 first, so that the products are cosines. False by default. */
  normalize?: boolean
}

const dotOptions = {
  axes: positional<DotAxes>({
    read(given) {
      const pair = typeof given === 'number' ? [given, given] : given
      if (Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger)) return given as DotAxes
      throw new ValueError(`Dot: axes must be a whole number, or two, e.g. dot(1) or dot([1, 2]); got ${describeValue(given)}.`)
    },
  }),
  normalize: flag(false),
} satisfies TableFor<DotOptions>

/**
 * y = Σₖ a[.., k]·b[.., k] for each sample. The output has the other axes of the first input, then those of the second.
 *
 * Shape:  [n, ..a, k], [n, ..b, k] → [n, ..a, ..b]; [n, k], [n, k] → [n, 1]
 * Source: Keras 2.3.1, layers/merge.py
 *
 * @throws ShapeError if the two axes differ in size, or the inputs do not have them
 * @throws ValueError unless there are two inputs
 */
export class Dot extends MergeLayer implements ValuesOf<typeof dotOptions> {
  override readonly className = ours(Dot, 'Dot')
  /** The axes over which products are summed. */
  declare readonly axes: DotAxes
  declare readonly normalize: boolean

  constructor(axes: DotAxes, options: DotOptions = {}) {
    super('Dot', options, dotOptions, { axes })
  }
  static fromConfig({ axes, ...options }: DotOptions & { axes: DotAxes }): Dot {
    return new Dot(axes, options)
  }

  /** The axis of each input, counted from the front. */
  #axesOf(shapes: readonly BatchShape[]): [number, number] {
    if (shapes.length !== 2) throw new ValueError(`${this.describe()}: takes 2 inputs, in a list; got ${shapes.length}.`)
    const axes = typeof this.axes === 'number' ? [this.axes, this.axes] : this.axes
    const [a, b] = axes.map((axis, i) => (axis < 0 ? axis + shapes[i].length : axis))
    const [ka, kb] = [shapes[0][a], shapes[1][b]]
    const inside = a >= 1 && b >= 1 && ka !== undefined && kb !== undefined
    if (inside && (ka === null || kb === null || ka === kb)) return [a, b]
    const shown = shapes.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`).join(' and ')
    throw new ShapeError(
      inside
        ? `${this.describe()}: axis ${a} of the first input and axis ${b} of the second must have the same size, in ${shown}.`
        : `${this.describe()}: axes ${JSON.stringify(this.axes)} must be axes of the samples in ${shown}.`,
    )
  }

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    const axes = this.#axesOf(inputShapes)
    const [first, second] = inputShapes.map((shape, i) => shape.filter((_, axis) => axis > 0 && axis !== axes[i]))
    const sample = [...first, ...second]
    return [inputShapes[0][0] ?? inputShapes[1][0], ...(sample.length > 0 ? sample : [1])]
  }

  override merge(xs: readonly Tensor[]): Tensor {
    const [n] = xs[0].shape
    const axes = this.#axesOf(xs.map((x) => x.shape))
    const [a, b] = xs.map((x, i) => {
      const rest = x.shape.map((_, axis) => axis).filter((axis) => axis > 0 && axis !== axes[i])
      const size = x.shape[axes[i]]
      return this.#unit(x.transpose([0, ...rest, axes[i]]).reshape([n, x.size / Math.max(1, n * size), size])) // [n, rest, k]
    })
    const sample = this.mergedShape(xs.map((x) => x.shape)).slice(1) as number[]
    return matMul(a, b, { transposeB: true }).reshape([n, ...sample])
  }

  /** Rows of length 1: x/√max(Σx², 1e-12), as TensorFlow's l2_normalize. */
  #unit(x: Tensor): Tensor {
    return this.normalize ? unitLength(x) : x
  }

  /** No mask: the steps that it is about may be summed away. */
  override mergedMask(): undefined {
    return undefined
  }

  protected override detail(): string {
    return `axes ${JSON.stringify(this.axes)}`
  }
}

/**
 * Makes a `Dot`: inner products of its two inputs, sample by sample.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: dot(1).apply([a, b]) })
 * console.log(await net.apply([tensor([[1, 2]]), tensor([[3, 4]])]).array())   // [[11]]
 * ```
 */
export const dot = (axes: DotAxes, options?: DotOptions): Dot => new Dot(axes, options)
