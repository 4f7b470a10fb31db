/** Layers that make one tensor of several, element by element. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import type { BatchShape, LayerOptions } from '../../layer.js'
import { MergeLayer } from './merge-layer.js'

/** Two sizes as one: where one is 1 or open, it is the other's. */
function broadcastSize(a: number | null, b: number | null): number | null | undefined {
  if (a === null || b === null) return null
  if (a === 1 || a === b) return b
  return b === 1 ? a : undefined
}

/** Samples of fewer axes get axes of size 1 behind the batch, as in Keras. */
abstract class ElementwiseMerge extends MergeLayer {
  /** How many inputs it takes, where that is fixed. */
  protected readonly arity?: number
  /** Two of the inputs as one. */
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
    // A known batch size is that of an open one.
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

/** a + b + … Shape: [n, ..s], [n, ..s], … → [n, ..s], sizes of 1 spread */
export class Add extends ElementwiseMerge {
  override readonly className = 'Add'
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

/** a − b. Shape: as Add, of two inputs */
export class Subtract extends ElementwiseMerge {
  override readonly className = 'Subtract'
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

/** a · b · …, element by element. Shape: as Add */
export class Multiply extends ElementwiseMerge {
  override readonly className = 'Multiply'
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

/** The mean of the inputs. Shape: as Add */
export class Average extends ElementwiseMerge {
  override readonly className = 'Average'
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

/** The largest of the inputs, element by element. Shape: as Add */
export class Maximum extends ElementwiseMerge {
  override readonly className = 'Maximum'
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

/** The smallest of the inputs, element by element. Shape: as Add */
export class Minimum extends ElementwiseMerge {
  override readonly className = 'Minimum'
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

/** Adds its inputs: `add().apply([a, b])`. */
export const add = (options?: LayerOptions): Add => new Add(options)
/** The first input less the second: `subtract().apply([a, b])`. */
export const subtract = (options?: LayerOptions): Subtract => new Subtract(options)
/** Multiplies its inputs element by element: `multiply().apply([a, b])`. */
export const multiply = (options?: LayerOptions): Multiply => new Multiply(options)
/** The mean of its inputs: `average().apply([a, b])`. */
export const average = (options?: LayerOptions): Average => new Average(options)
/** The largest of its inputs: `maximum().apply([a, b])`. */
export const maximum = (options?: LayerOptions): Maximum => new Maximum(options)
/** The smallest of its inputs: `minimum().apply([a, b])`. */
export const minimum = (options?: LayerOptions): Minimum => new Minimum(options)
