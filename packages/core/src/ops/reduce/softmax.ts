/**
 * Softmax and its logarithm. Kernels go over the last axis; another axis is moved there and back. All subtract the maximum
 * of the row first, so that no exponential overflows (Goodfellow, Bengio, Courville: "Deep Learning", 2016, §4.1).
 *
 * Edges: a logit of −∞ is a class of probability 0. A row of only −∞ has the softmax NaN and the ln Σ −∞; a row with ∞ has the softmax NaN and the ln Σ ∞.
 * A row of no classes has the softmax [], the ln Σ −∞ and the cross-entropy (cross-entropy.ts) 0.
 */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops } from '../../autodiff/op.js'
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxes, normalizeAxis, type Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireNoMore } from '../requirements.js'
import { reshape, transpose } from '../shape/move.js'
import type { ReduceOptions } from './reduce.js'

/** Over the last axis, which stays. */
export const last = { axis: -1, keepDims: true } as const

/** Throws unless x has floats and a last axis. */
export const requireLastAxis = (op: string, x: Tensor): void => {
  requireFloats(op, op === 'softmaxCrossEntropy' ? 'logits' : 'x', x)
  if (x.rank === 0) throw shapeError(op, 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
}

/** The size of the last axis. */
export const classesOf = ({ shape }: Tensor): number => shape[shape.length - 1]

/** The maximum of each row, [.., 1], limited to finite numbers. So x minus it is never ∞ − ∞, and a row of −∞ has the ln Σ −∞. */
function finiteMaximum(x: Tensor, ops: Ops): Tensor {
  if (classesOf(x) === 0) return ops.zeros([...x.shape.slice(0, -1), 1], { dtype: x.dtype, backend: x.backend })
  const largest = x.dtype === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38
  return ops.stopGradient(ops.minimum(ops.maximum(ops.max(x, last), -largest), largest))
}

const callSoftmax = defineComposed({
  name: 'softmax',
  compose: ([x], _, ops) => {
    if (classesOf(x) === 0) return ops.exp(x)
    const e = ops.exp(ops.sub(x, ops.stopGradient(ops.max(x, last))))
    return ops.div(e, ops.sum(e, last))
  },
  fused: {
    kernel: 'softmax',
    rule: 'dX = y·(dY − Σ dY·y)',
    shape: ([x]) => x,
    forward: (fused, out, [x]) => fused.softmax(out, x),
    vjp: ({ dY, y }, _, ops) => [() => ops.mul(y, ops.sub(dY, ops.sum(ops.mul(dY, y), last)))],
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape] })),
})
/** Options of `softmax` and `logSoftmax`. */
export interface SoftmaxOptions {
  /** The axis whose values sum to 1, by default the last. */
  axis?: number
}

/** The axis, from 0. What `tensors.map(softmax)` passes is no options. */
function axisOf(op: string, x: Tensor, options: unknown, more: readonly unknown[]): number {
  requireLastAxis(op, x)
  if (more.length > 0) {
    requireNoMore(op, x, [options, ...more], 'one tensor and options')
    return x.rank - 1
  }
  requireOptions(op, options, ['axis'], `${op}(x, { axis: 0 })`)
  const { axis = -1 } = (options ?? {}) as SoftmaxOptions
  return normalizeAxis(op, axis, x.rank)
}

/** f of x with an axis moved to the end, and back. */
function overAxis(x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor {
  if (axis === x.rank - 1) return f(x)
  // Swapping two axes is its own inverse.
  const order = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i === x.rank - 1 ? axis : i))
  return scope(() => transpose(f(transpose(x, order)), order))
}

/**
 * eˣ / Σ eˣ over an axis, by default the last: positive values that sum to 1.
 *
 * Shape:    [..] → [..]
 * Gradient: dX = y·(dY − Σ dY·y)
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * softmax(tensor([[0, 0], [0, 0]]), { axis: 0 })   // [[0.5, 0.5], [0.5, 0.5]]
 * ```
 */
export function softmax<S extends Shape>(x: Tensor<S>, options?: SoftmaxOptions): Tensor<S>
export function softmax(x: Tensor, options?: unknown, ...more: unknown[]): Tensor {
  return overAxis(x, axisOf('softmax', x, options, more), (y) => callSoftmax([y], {}))
}

const callLogSumExp = defineComposed<{ keepDims: boolean }>({
  name: 'logSumExp',
  compose: ([x], { keepDims }, ops) => {
    const top = finiteMaximum(x, ops)
    const y = ops.add(ops.log(ops.sum(ops.exp(ops.sub(x, top)), last)), top)
    return keepDims ? y : ops.reshape(y, x.shape.slice(0, -1))
  },
  samples: sampleShapes().map((shape, i) => ({ inputs: [shape], options: { keepDims: i % 2 === 0 } })),
})
/**
 * ln Σ eˣ over one or several axes, by default the last, without overflow; −∞ over nothing. A row of only −∞ gives −∞, and its derivative is NaN.
 *
 * Shape:    the axes go, or stay with size 1 under `keepDims`
 * Gradient: dX = dY·softmax(x)
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * logSumExp(tensor([[0, 1], [0, 1]]), { axis: 0 })   // ≈ [0.6931, 1.693]
 * ```
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  requireOptions('logSumExp', options, ['axis', 'keepDims'], 'x.logSumExp({ axis: 1 })')
  const { axis = -1, keepDims = false } = options
  requireBoolean('logSumExp', 'keepDims', keepDims)
  requireLastAxis('logSumExp', x)
  const axes = normalizeAxes('logSumExp', axis, x.rank)
  if (axes.length === 1 && axes[0] === x.rank - 1) return callLogSumExp([x], { keepDims })
  const others = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  return scope(() => {
    const kept = others.map((i) => x.shape[i])
    const rows = reshape(transpose(x, [...others, ...axes]), [...kept, axes.reduce((n, i) => n * x.shape[i], 1)])
    const shape = keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : kept
    return reshape(callLogSumExp([rows], { keepDims: false }), shape)
  })
}

const callLogSoftmax = defineComposed({
  name: 'logSoftmax',
  // The maximum is subtracted first, so that the differences of large logits keep their digits.
  compose: ([x], _, ops) => {
    const shifted = ops.sub(x, finiteMaximum(x, ops))
    return ops.sub(shifted, ops.log(ops.sum(ops.exp(shifted), last)))
  },
  samples: sampleShapes().map((shape) => ({ inputs: [shape] })),
})
/**
 * ln softmax(x) over an axis, by default the last. It is exact even where softmax itself rounds to 0.
 *
 * Shape:    [..] → [..]
 * Gradient: dX = dY − softmax(x)·Σ dY
 *
 * @throws ShapeError if x is a scalar.
 * @example
 * ```ts
 * logSoftmax(tensor([0, 200])) // [-200, 0]
 * ```
 */
export function logSoftmax<S extends Shape>(x: Tensor<S>, options?: SoftmaxOptions): Tensor<S>
export function logSoftmax(x: Tensor, options?: unknown, ...more: unknown[]): Tensor {
  return overAxis(x, axisOf('logSoftmax', x, options, more), (y) => callLogSoftmax([y], {}))
}

/** Rows of all kinds, for the sweep. */
export function sampleShapes(): Shape[] {
  return [[4], [3, 5], [2, 3, 4], [1, 1], [0, 3], [3, 0], [130, 67]]
}
