/** Picking elements by index along one axis, a list of indices for each row, and its adjoint. Both are a gather and a scatterAdd by flat positions. */
import { requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { broadcastShapes, normalizeAxis, reduceExtent, type Shape, sameShape, sizeOf } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { requireFloats } from '../requirements.js'
import { gather, scatterAdd } from '../shape/gather.js'
import { flatten, reshape } from '../shape/move.js'
import { type Indices, wholeIndices } from './whole-indices.js'

interface PositionOptions {
  /** The function that was called, for messages. */
  op: string
  axis: number
  /** Elements of x along the axis. */
  size: number
}

const callPositions = defineOp<PositionOptions>({
  name: 'positionsAlongAxis',
  rule: '(none)',
  shape: ([indices]) => indices,
  forward: (k, out, [indices], { op, axis, size }) =>
    k.host(out, [indices], (y, [values]) => {
      const { outer, length, inner } = reduceExtent(indices.shape, axis, axis)
      for (let o = 0, at = 0; o < outer; o++) {
        for (let l = 0; l < length; l++) {
          for (let i = 0; i < inner; i++, at++) {
            const index = values[at] < 0 ? values[at] + size : values[at]
            if (!(index >= 0 && index < size)) throw outOfRange(op, values[at], at, axis, size)
            y[at] = (o * size + index) * inner + i
          }
        }
      }
    }),
  vjp: 'a position is piecewise constant.',
  samples: [
    sampleWith({ op: 'sample', axis: 1, size: 5 }, { shape: [3, 2], dtype: 'int32', low: -5, high: 5 }),
    sampleWith({ op: 'sample', axis: 0, size: 2 }, { shape: [0, 3], dtype: 'int32', low: 0, high: 2 }),
    sampleWith({ op: 'sample', axis: 1, size: 4 }, { shape: [2, 67, 3], dtype: 'int32', low: 0, high: 4 }),
  ],
})

/** The error for an index that an axis does not have. */
export const outOfRange = (op: string, index: number, position: number, axis: number, size: number): ValueError =>
  new ValueError(
    `${op}: index ${index} at position ${position} is out of range: axis ${axis} has ${size} elements${size > 0 ? ` (${-size} to ${size - 1})` : ''}.`,
  )

/**
 * Elements of x picked by index along an axis (the last by default): y[i, j] = x[i, indices[i, j]] along the last axis. Negative indices count
 * from the end.
 *
 * Shape:    [..a, n, ..b], indices [..a, m, ..b], other axes broadcast → [..a, m, ..b]
 * Gradient: dX = dY added up at the indices
 *
 * @throws ValueError naming the first index out of range, or that is no whole number; ShapeError if the shapes don't fit.
 * @example
 * ```ts
 * const x = tensor([[3, 1, 2], [5, 9, 7]])
 * takeAlongAxis(x, argSort(x))   // [[1, 2, 3], [5, 7, 9]]
 * ```
 */
export function takeAlongAxis(x: Tensor, indices: Indices, options: { axis?: number } = {}): Tensor {
  requireTensor('takeAlongAxis', 'x', x)
  requireOptions('takeAlongAxis', options, ['axis'], 'takeAlongAxis(x, indices, { axis: 1 })')
  const { axis: given = -1 } = options
  const axis = normalizeAxis('takeAlongAxis', given, x.rank)
  return scope(() => {
    const at = wholeIndices('takeAlongAxis', indices, x.backend)
    if (at.rank !== x.rank) {
      throw shapeError('takeAlongAxis', `x and the indices need the same number of axes (${x.rank} and ${at.rank})`, [
        { name: 'x', shape: x.shape },
        { name: 'indices', shape: at.shape },
      ])
    }
    const one = (shape: Shape): Shape => shape.map((n, i) => (i === axis ? 1 : n))
    const common = broadcastShapes('takeAlongAxis', one(x.shape), one(at.shape))
    const withAxis = (n: number): Shape => common.map((size, i) => (i === axis ? n : size))
    const from = broadcastTo(x, withAxis(x.shape[axis]))
    const wanted = broadcastTo(at, withAxis(at.shape[axis]))
    return gather(flatten(from), callPositions([wanted], { op: 'takeAlongAxis', axis, size: x.shape[axis] }))
  })
}

/**
 * Zeros with `size` elements along an axis (the last by default), to which the elements of x are added at their indices; the adjoint of
 * `takeAlongAxis`.
 *
 * Shape:    x and indices [..a, m, ..b] → [..a, size, ..b]
 * Gradient: dX = dY at the indices
 *
 * @throws ValueError naming the first index out of range, or that is no whole number; ShapeError if the shapes differ.
 * @example
 * ```ts
 * scatterAlongAxis(tensor([[1, 2, 4]]), [[0, 2, 2]], 3)   // [[1, 0, 6]]
 * ```
 */
export function scatterAlongAxis(x: Tensor, indices: Indices, size: number, options: { axis?: number } = {}): Tensor {
  requireFloats('scatterAlongAxis', 'x', x)
  requireWhole('scatterAlongAxis', 'size', size, { least: 0 })
  requireOptions('scatterAlongAxis', options, ['axis'], 'scatterAlongAxis(x, indices, 5, { axis: 1 })')
  const { axis: given = -1 } = options
  const axis = normalizeAxis('scatterAlongAxis', given, x.rank)
  return scope(() => {
    const at = wholeIndices('scatterAlongAxis', indices, x.backend)
    if (!sameShape(x.shape, at.shape)) {
      throw shapeError('scatterAlongAxis', 'x and the indices have different shapes', [
        { name: 'x', shape: x.shape },
        { name: 'indices', shape: at.shape },
      ])
    }
    const shape = x.shape.map((n, i) => (i === axis ? size : n))
    const positions = callPositions([at], { op: 'scatterAlongAxis', axis, size })
    return reshape(scatterAdd(flatten(x), flatten(positions), sizeOf(shape)), shape)
  })
}
