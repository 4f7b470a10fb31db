/** Layers that combine several tensors element by element. Source: Keras 2.3.1, layers/merge.py. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import type { BatchShape, LayerOptions } from '../../layer.js'
import { ours } from '../../own-classes.js'
import { MergeLayer } from './merge-layer.js'

/** The size of two axes when one broadcasts to the other; null if one is open, undefined if they do not fit. */
function broadcastSize(a: number | null, b: number | null): number | null | undefined {
  if (a === null || b === null) return null
  if (a === 1 || a === b) return b
  return b === 1 ? a : undefined
}

/** Inputs with fewer axes get axes of size 1 right after the batch, as in Keras. Then sizes of 1 are broadcast. */
abstract class ElementwiseMerge extends MergeLayer {
  /** The number of inputs, where it is fixed. */
  protected readonly arity?: number
  /** Combines two of the inputs. */
  protected abstract pair(a: Tensor, b: Tensor): Tensor

  constructor(className: string, options: LayerOptions = {}) {
    super(className, options, [])
  }

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    const { length } = inputShapes
    if (this.arity === undefined ? length < 2 : length !== this.arity)
      throw new ValueError(`${this.describe()}: takes ${this.arity ?? 'at least 2'} inputs, in a list; got ${length}.`)
    const rank = Math.max(...inputShapes.map((shape) => shape.length))
    return inputShapes
      .map((shape) => widened(shape, rank))
      .reduce((merged, shape) => merged.map((size, axis) => this.#size(inputShapes, axis, size, shape[axis])))
  }

  #size(shapes: readonly BatchShape[], axis: number, a: number | null, b: number | null): number | null {
    // Where one batch size is open, the other one is taken.
    const size = axis > 0 ? broadcastSize(a, b) : a === null || b === null ? (a ?? b) : a === b ? a : undefined
    if (size !== undefined) return size
    const shown = shapes.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`)
    throw new ShapeError(`${this.describe()}: the inputs ${shown.join(' and ')} do not fit: ${a} and ${b} differ.`)
  }

  override merge(xs: readonly Tensor[]): Tensor {
    const rank = Math.max(...xs.map((x) => x.rank))
    return xs.map((x) => (x.rank === rank ? x : x.reshape(widened(x.shape, rank)))).reduce((merged, x) => this.pair(merged, x))
  }
}

const widened = <Size>([batch, ...sample]: readonly Size[], rank: number): (Size | 1)[] => [
  batch,
  ...Array.from<1>({ length: rank - 1 - sample.length }).fill(1),
  ...sample,
]

/**
 * y = a + b + …
 *
 * Shape: [n, ..s], [n, ..s], … → [n, ..s]; sizes of 1 are broadcast
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Add extends ElementwiseMerge {
  override readonly className = ours(Add, 'Add')
  constructor(options?: LayerOptions) {
    super('Add', options)
  }
  static fromConfig(options: LayerOptions): Add {
    return new Add(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.add(b)
  }
}

/**
 * y = a − b.
 *
 * Shape: as `Add`, with two inputs
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Subtract extends ElementwiseMerge {
  override readonly className = ours(Subtract, 'Subtract')
  protected override readonly arity = 2
  constructor(options?: LayerOptions) {
    super('Subtract', options)
  }
  static fromConfig(options: LayerOptions): Subtract {
    return new Subtract(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.sub(b)
  }
}

/**
 * y = a · b · …, element by element.
 *
 * Shape: as `Add`
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Multiply extends ElementwiseMerge {
  override readonly className = ours(Multiply, 'Multiply')
  constructor(options?: LayerOptions) {
    super('Multiply', options)
  }
  static fromConfig(options: LayerOptions): Multiply {
    return new Multiply(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.mul(b)
  }
}

/**
 * y = (a + b + …)/count: the mean of the inputs.
 *
 * Shape: as `Add`
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Average extends ElementwiseMerge {
  override readonly className = ours(Average, 'Average')
  constructor(options?: LayerOptions) {
    super('Average', options)
  }
  static fromConfig(options: LayerOptions): Average {
    return new Average(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.add(b)
  }
  override merge(xs: readonly Tensor[]): Tensor {
    return super.merge(xs).mul(1 / xs.length)
  }
}

/**
 * y = max(a, b, …), element by element.
 *
 * Shape: as `Add`
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Maximum extends ElementwiseMerge {
  override readonly className = ours(Maximum, 'Maximum')
  constructor(options?: LayerOptions) {
    super('Maximum', options)
  }
  static fromConfig(options: LayerOptions): Maximum {
    return new Maximum(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.maximum(b)
  }
}

/**
 * y = min(a, b, …), element by element.
 *
 * Shape: as `Add`
 *
 * @throws ShapeError if the shapes do not fit
 */
export class Minimum extends ElementwiseMerge {
  override readonly className = ours(Minimum, 'Minimum')
  constructor(options?: LayerOptions) {
    super('Minimum', options)
  }
  static fromConfig(options: LayerOptions): Minimum {
    return new Minimum(options)
  }
  protected override pair(a: Tensor, b: Tensor): Tensor {
    return a.minimum(b)
  }
}

/**
 * Makes an `Add`: the sum of its inputs.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [3] }), input({ shape: [3] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: add().apply([a, b]) })
 * console.log(await net.apply([tensor([[1, 2, 3]]), tensor([[10, 20, 30]])]).array())   // [[11, 22, 33]]
 * ```
 */
export const add = (options?: LayerOptions): Add => new Add(options)
/**
 * Makes a `Subtract`: the first input minus the second.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: subtract().apply([a, b]) })
 * console.log(await net.apply([tensor([[5, 6]]), tensor([[1, 4]])]).array())   // [[4, 2]]
 * ```
 */
export const subtract = (options?: LayerOptions): Subtract => new Subtract(options)
/**
 * Makes a `Multiply`: the product of its inputs, element by element.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: multiply().apply([a, b]) })
 * console.log(await net.apply([tensor([[5, 6]]), tensor([[2, 3]])]).array())   // [[10, 18]]
 * ```
 */
export const multiply = (options?: LayerOptions): Multiply => new Multiply(options)
/**
 * Makes an `Average`: the mean of its inputs.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: average().apply([a, b]) })
 * console.log(await net.apply([tensor([[5, 6]]), tensor([[1, 4]])]).array())   // [[3, 5]]
 * ```
 */
export const average = (options?: LayerOptions): Average => new Average(options)
/**
 * Makes a `Maximum`: the largest of its inputs, element by element.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: maximum().apply([a, b]) })
 * console.log(await net.apply([tensor([[5, 6]]), tensor([[1, 8]])]).array())   // [[5, 8]]
 * ```
 */
export const maximum = (options?: LayerOptions): Maximum => new Maximum(options)
/**
 * Makes a `Minimum`: the smallest of its inputs, element by element.
 *
 * @example
 * ```ts
 * const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
 * const net = new GraphModel({ inputs: [a, b], outputs: minimum().apply([a, b]) })
 * console.log(await net.apply([tensor([[5, 6]]), tensor([[1, 8]])]).array())   // [[1, 6]]
 * ```
 */
export const minimum = (options?: LayerOptions): Minimum => new Minimum(options)
