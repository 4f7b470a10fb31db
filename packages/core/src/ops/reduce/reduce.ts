/**
 * Reductions: one value over some axes, such as `sum` and `max`. The adjoint of a sum, `broadcastTo`, is in broadcast.ts.
 *
 * The reduced axes are removed; with `keepDims` they stay with size 1. A kernel reduces neighbouring axes, so [0, 2] of three axes takes two steps.
 *
 * The file is long because every function has a comment of its own.
 */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed, defineOp } from '../../autodiff/dispatch.js'
import type { Ops, PrimitiveOp, Sample } from '../../autodiff/op.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import type { ReduceKernel } from '../../backends/backend.js'
import { shapeError, ValueError } from '../../errors.js'
import { type DType, floatOf, isFloat, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxes, normalizeAxis, reduceExtent } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { reshape, transpose } from '../shape/move.js'

/** The options of a reduction. */
export interface ReduceOptions {
  /** The axes to reduce, by default all. A negative one counts from the end. */
  axis?: number | readonly number[]
  /** Whether the reduced axes stay with size 1. */
  keepDims?: boolean
}

const REDUCE_OPTIONS = ['axis', 'keepDims'] as const

/** Throws unless these are arguments of a reduction. */
function requireReduction(op: string, x: unknown, options: unknown): void {
  requireTensor(op, 'x', x)
  requireOptions(op, options, REDUCE_OPTIONS, `x.${op}({ axis: ${Number.isInteger(options) ? options : 1} })`)
  const { keepDims } = (options ?? {}) as ReduceOptions
  if (keepDims !== undefined) requireBoolean(op, 'keepDims', keepDims)
}

/** The axes first to last, which are neighbours, are reduced. */
type Run = { first: number; last: number }

interface ReduceRow {
  rule: string
  derivative: Pick<PrimitiveOp<Run>, 'vjp' | 'jvp' | 'linear'>
  dtypes: readonly DType[]
  /** The dtype of the output; by default that of the input. */
  dtype?: DType | ((x: DType) => DType)
  /** Whether a reduction over an axis of size 0 has a value. */
  identity?: boolean
  samples: readonly Sample<Run>[]
}

function reduction(
  kernel: ReduceKernel,
  { rule, derivative, dtypes, dtype, identity, samples }: ReduceRow,
): (x: Tensor, options?: ReduceOptions) => Tensor {
  const call = defineOp<Run>({
    name: kernel,
    rule,
    shape: ([x], { first, last }) => {
      requireDType(kernel, 'x', x.dtype, dtypes)
      const extent = reduceExtent(x.shape, first, last)
      if (extent.length === 0 && extent.outer * extent.inner > 0 && !identity) {
        throw shapeError(kernel, 'there is no value over an axis of size 0', [{ name: 'x', shape: x.shape, bad: [first] }])
      }
      return {
        shape: [...x.shape.slice(0, first), ...x.shape.slice(last + 1)],
        dtype: typeof dtype === 'function' ? dtype(x.dtype) : (dtype ?? x.dtype),
      }
    },
    forward: (k, out, [x], { first, last }) => k.reduce(out, x, kernel, reduceExtent(x.shape, first, last)),
    ...derivative,
    samples,
  })
  return (x, options = {}) => {
    requireReduction(kernel, x, options)
    const { axis, keepDims = false } = options
    const axes = normalizeAxes(kernel, axis, x.rank)
    if (axes.length > 1 && dtype === 'int32')
      throw new ValueError(`${kernel}: takes one axis, got [${axes.join(', ')}]. Flatten the axes first.`)
    if (axes.length > 0 && axes[axes.length - 1] - axes[0] === axes.length - 1 && !keepDims) {
      return call([x], { first: axes[0], last: axes[axes.length - 1] })
    }
    return scope(() => {
      let y = x
      if ((kernel === 'max' || kernel === 'min') && !keepDims && axes.length > 1) {
        // The axes are brought together and reduced in one step. In two steps, equal extremes would not share the derivative equally.
        const others = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
        return call([transpose(x, [...others, ...axes])], { first: others.length, last: x.rank - 1 })
      }
      for (let last = axes.length - 1; last >= 0; ) {
        let first = last
        while (first > 0 && axes[first - 1] === axes[first] - 1) first--
        y = call([y], { first: axes[first], last: axes[last] })
        last = first - 1
      }
      return keepDims
        ? reshape(
            y,
            x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
          )
        : y
    })
  }
}

/** y with the reduced axes back at size 1, so that it broadcasts against x. */
const withReducedAxes = (y: Tensor, x: Tensor, { first, last }: Run, ops: Ops): Tensor => {
  const shape = x.shape.map((n, i) => (i >= first && i <= last ? 1 : n))
  return ops.reshape(y, shape)
}

/** The axes that go. */
const axesOf = ({ first, last }: Run): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** ∂y/∂x for each element of x, in the shape of x: an element has a part in one result only. */
type Slope = (x: Tensor, y: Tensor, run: Run, ops: Ops) => Tensor

/** dX = slope·dY, and the tangent of y is Σ slope·v over the axes. */
const bySlope = (slope: Slope): ReduceRow['derivative'] => ({
  vjp: ({ dY, y, options }, [x], ops) => [() => ops.mul(slope(x, y, options, ops), withReducedAxes(dY, x, options, ops))],
  jvp: ({ y, options }, [x], ops) => [(v) => ops.sum(ops.mul(slope(x, y, options, ops), v), { axis: axesOf(options) })],
})

/** max and min: 1, shared equally among equal extremes. */
const slopeOfExtreme: Slope = (x, y, run, ops) => {
  const hit = ops.cast(ops.equal(x, withReducedAxes(y, x, run, ops)), x.dtype)
  return ops.div(hit, ops.sum(hit, { axis: axesOf(run), keepDims: true }))
}

const reduceSum = reduction('sum', {
  rule: 'dX = broadcast(dY)',
  derivative: { linear: true, vjp: ({ dY, options }, [x], ops) => [() => ops.broadcastTo(withReducedAxes(dY, x, options, ops), x.shape)] },
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'bool'],
  dtype: (x) => (isFloat(x) ? x : 'int32'),
  identity: true,
  samples: [
    ...runSamples(),
    ...empty(),
    ...wholes(),
    ...bools(),
    { inputs: [{ shape: [3, 7], dtype: 'uint8', low: 0, high: 255 }], options: { first: 0, last: 1 } },
  ],
})
/**
 * Σ x over the axes; 0 over nothing. Whole numbers (int32, uint8, bool) are summed exactly, as int32.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY, repeated along the reduced axes
 *
 * @throws ValueError if a sum of whole numbers is beyond int32, or beyond 2²⁴ on a gpu. `mean(x)` and `sum(cast(x, 'float32'))` take such numbers.
 * @example
 * ```ts
 * sum(tensor([[1, 2], [3, 4]])) // 10
 * sum(tensor([[1, 2], [3, 4]]), { axis: 0 }) // [4, 6]
 * ```
 */
export function sum(x: Tensor, options?: ReduceOptions): Tensor {
  return reduceSum(x, options)
}

const reduceProd = reduction('prod', {
  rule: 'dX = dY · the product of the other elements',
  // The slope at x[i] is the product of all elements but x[i]. It must not divide by x[i], which may be 0. So row i of an [n, n] table is x with 1 at i.
  derivative: bySlope((x, _, { first, last }, ops) => {
    const { outer, length, inner } = reduceExtent(x.shape, first, last)
    const table = ops.where(
      ops.reshape(ops.identityMask(length, x.backend), [1, length, length, 1]),
      1,
      ops.reshape(x, [outer, 1, length, inner]),
    )
    return ops.reshape(ops.prod(table, { axis: 2 }), x.shape) // [outer, length, inner] before
  }),
  dtypes: ['float32', 'float64', 'int32'],
  identity: true,
  samples: [
    ...runSamples().slice(0, 6),
    ...empty(),
    ...wholes(),
    { inputs: [{ shape: [3, 4], low: 0, high: 2 }], options: { first: 1, last: 1 } },
  ],
})
/**
 * Π x over the axes; 1 over nothing.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY times the product of the other elements
 * Cost:     the derivative takes n² memory for an axis of n elements
 *
 * @throws ValueError if a product of int32 is beyond int32.
 * @example
 * ```ts
 * prod(tensor([2, 3, 4])) // 24
 * ```
 */
export function prod(x: Tensor, options?: ReduceOptions): Tensor {
  return reduceProd(x, options)
}

const ordered: readonly DType[] = ['float32', 'float64', 'int32', 'bool']
const reduceMax = reduction('max', {
  rule: 'dX = dY where x = y, shared equally',
  derivative: bySlope(slopeOfExtreme),
  dtypes: ordered,
  samples: [...runSamples(), ...wholes(), ...bools()],
})
/**
 * The largest value over the axes; NaN if one of them is.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY where x = y, in equal shares if there are several
 *
 * @throws ShapeError over an axis of size 0.
 * @example
 * ```ts
 * max(tensor([[1, 4], [3, 2]])) // 4
 * max(tensor([[1, 4], [3, 2]]), { axis: 1 }) // [4, 3]
 * ```
 */
export function max(x: Tensor, options?: ReduceOptions): Tensor {
  return reduceMax(x, options)
}
const reduceMin = reduction('min', {
  rule: 'dX = dY where x = y, shared equally',
  derivative: bySlope(slopeOfExtreme),
  dtypes: ordered,
  samples: [...runSamples(), ...wholes(), ...bools()],
})
/**
 * The smallest value over the axes; NaN if one of them is.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY where x = y, in equal shares if there are several
 *
 * @throws ShapeError over an axis of size 0.
 * @example
 * ```ts
 * min(tensor([[1, 4], [3, 2]])) // 1
 * min(tensor([[1, 4], [3, 2]]), { axis: 1 }) // [1, 2]
 * ```
 */
export function min(x: Tensor, options?: ReduceOptions): Tensor {
  return reduceMin(x, options)
}

const position = {
  rule: '(none)',
  derivative: { vjp: 'a position is piecewise constant.' },
  dtypes: ['float32', 'float64', 'int32'],
  dtype: 'int32',
  samples: runSamples(),
} as const
const reduceArgMax = reduction('argMax', position)
/**
 * The position of the first largest value along one axis, by default the last, as int32.
 *
 * Shape:    any → without the reduced axis
 * Gradient: none, a position is piecewise constant
 *
 * @throws ShapeError over an axis of size 0.
 * @example
 * ```ts
 * argMax(tensor([[1, 4, 2], [3, 2, 1]])) // [1, 0]
 * ```
 */
export function argMax(x: Tensor, options: { axis?: number; keepDims?: boolean } = {}): Tensor {
  requireReduction('argMax', x, options)
  const { axis = -1, keepDims } = options
  return reduceArgMax(x, { axis: normalizeAxis('argMax', axis, x.rank), keepDims })
}
const reduceArgMin = reduction('argMin', position)
/**
 * The position of the first smallest value along one axis, by default the last, as int32.
 *
 * Shape:    any → without the reduced axis
 * Gradient: none, a position is piecewise constant
 *
 * @throws ShapeError over an axis of size 0.
 * @example
 * ```ts
 * argMin(tensor([[1, 4, 2], [3, 2, 1]])) // [0, 2]
 * ```
 */
export function argMin(x: Tensor, options: { axis?: number; keepDims?: boolean } = {}): Tensor {
  requireReduction('argMin', x, options)
  const { axis = -1, keepDims } = options
  return reduceArgMin(x, { axis: normalizeAxis('argMin', axis, x.rank), keepDims })
}

/**
 * Whether at least one element is true, over the axes of a bool tensor.
 *
 * Shape:    any → without the reduced axes
 * Gradient: none, truth values have no derivative
 *
 * @throws DTypeError unless x is bool, ShapeError over an axis of size 0.
 * @example
 * ```ts
 * any(tensor([[true, false], [false, false]]), { axis: 1 }) // [1, 0]
 * ```
 */
export function any(x: Tensor, options?: ReduceOptions): Tensor {
  requireReduction('any', x, options)
  normalizeAxes('any', options?.axis, x.rank)
  requireDType('any', 'x', x.dtype, ['bool'])
  return reduceMax(x, options)
}
/**
 * Whether all elements are true, over the axes of a bool tensor.
 *
 * Shape:    any → without the reduced axes
 * Gradient: none, truth values have no derivative
 *
 * @throws DTypeError unless x is bool, ShapeError over an axis of size 0.
 * @example
 * ```ts
 * all(tensor([[true, true], [true, false]]), { axis: 1 }) // [1, 0]
 * ```
 */
export function all(x: Tensor, options?: ReduceOptions): Tensor {
  requireReduction('all', x, options)
  normalizeAxes('all', options?.axis, x.rank)
  requireDType('all', 'x', x.dtype, ['bool'])
  return reduceMin(x, options)
}

const reducedSize = (x: Tensor, axis: ReduceOptions['axis']): number =>
  normalizeAxes('mean', axis, x.rank).reduce((n, i) => n * x.shape[i], 1)

const callMean = defineComposed<ReduceOptions>({
  name: 'mean',
  // Whole numbers are averaged as float32: their sum may be beyond int32.
  compose: ([x], options, ops) => ops.div(ops.sum(ops.cast(x, floatOf(x.dtype, x.backend)), options), reducedSize(x, options.axis)),
  samples: meanSamples(),
})
/**
 * The average Σ x / n over the axes. Whole numbers are averaged as float32.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY / n
 *
 * @throws ValueError if an axis is out of range.
 * @example
 * ```ts
 * mean(tensor([[1, 2], [3, 6]]), { axis: 1 }) // [1.5, 4.5]
 * ```
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  requireReduction('mean', x, options)
  normalizeAxes('mean', options.axis, x.rank)
  return callMean([x], options)
}

const callVariance = defineComposed<ReduceOptions>({
  name: 'variance',
  compose: ([x], options, ops) => ops.mean(ops.square(ops.sub(x, ops.mean(x, { ...options, keepDims: true }))), options),
  samples: varianceSamples(),
})
/**
 * The mean squared distance from the mean, over the axes. It divides by n, not by n − 1.
 *
 * Shape:    any → without the reduced axes
 * Gradient: dX = dY·2·(x − mean)/n
 *
 * @throws ValueError if an axis is out of range.
 * @example
 * ```ts
 * variance(tensor([1, 3])) // 1
 * ```
 */
export function variance(x: Tensor, options: ReduceOptions = {}): Tensor {
  requireReduction('variance', x, options)
  normalizeAxes('variance', options.axis, x.rank)
  return callVariance([x], options)
}

function runSamples(): Sample<Run>[] {
  return [
    sampleWith({ first: 0, last: 0 }, [7]),
    sampleWith({ first: 0, last: 0 }, [3, 5]),
    sampleWith({ first: 1, last: 1 }, [3, 5]),
    sampleWith({ first: 1, last: 2 }, [2, 3, 4, 5]),
    sampleWith({ first: 0, last: 0 }, [1, 6]),
    sampleWith({ first: 0, last: 1 }, [3, 1]),
    sampleWith({ first: 1, last: 1 }, [67, 130]),
  ]
}

function empty(): Sample<Run>[] {
  return [sampleWith({ first: 0, last: 0 }, [0, 3])]
}

function wholes(): Sample<Run>[] {
  return [sampleWith({ first: 0, last: 0 }, { shape: [4, 5], dtype: 'int32', low: -9, high: 9 })]
}

function bools(): Sample<Run>[] {
  return [sampleWith({ first: 1, last: 1 }, { shape: [4, 5], dtype: 'bool' })]
}

function meanSamples(): Sample<ReduceOptions>[] {
  return [
    sample([]),
    sampleWith({ axis: 1 }, [3, 5]),
    sampleWith({ axis: [0, 2], keepDims: true }, [2, 3, 4]),
    sample([67, 130]),
    sampleWith({ axis: 0 }, { shape: [5, 3], dtype: 'uint8', low: 0, high: 255 }),
  ]
}

function varianceSamples(): Sample<ReduceOptions>[] {
  return [sampleWith({ axis: 0 }, [3, 5]), sampleWith({ axis: [0, 2], keepDims: true }, [2, 3, 4]), sample([6])]
}
