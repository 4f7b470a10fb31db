/**
 * Reading and writing by tuples of indices. The last axis of the indices holds one tuple, which addresses the leading axes of a tensor; negative
 * indices count from the end. Tuples become row numbers, and with these everything is a gather, a scatterAdd or a choice.
 */
import { defineOp } from '../../autodiff/dispatch.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { checkShape, requireWholes, type Shape, sizeOf } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { ones } from '../create.js'
import { greaterEqual, maximum } from '../elementwise/binary.js'
import { where } from '../elementwise/select.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { requireFloats } from '../requirements.js'
import { gather, scatterAdd } from '../shape/gather.js'
import { pad, reshape } from '../shape/move.js'
import { outOfRange } from './along-axis.js'
import { type Indices, wholeIndices } from './whole-indices.js'

const callRowNumbers = defineOp<{ op: string; sizes: Shape }>({
  name: 'rowNumbers',
  rule: '(none)',
  shape: ([indices]) => ({ shape: indices.shape.slice(0, -1), dtype: 'int32' }),
  forward: (k, out, [indices], { op, sizes }) =>
    k.host(out, [indices], (y, [values]) => {
      const depth = sizes.length
      for (let i = 0; i < y.length; i++) {
        let row = 0
        for (let axis = 0; axis < depth; axis++) {
          const given = values[i * depth + axis]
          const index = given < 0 ? given + sizes[axis] : given
          if (!(index >= 0 && index < sizes[axis])) throw outOfRange(op, given, i * depth + axis, axis, sizes[axis])
          row = row * sizes[axis] + index
        }
        y[i] = row
      }
    }),
  vjp: 'a position is piecewise constant.',
  samples: [
    sampleWith({ op: 'sample', sizes: [3, 4] }, { shape: [5, 2], dtype: 'int32', low: -3, high: 3 }),
    sampleWith({ op: 'sample', sizes: [3] }, { shape: [2, 0, 1], dtype: 'int32', low: 0, high: 3 }),
    sampleWith({ op: 'sample', sizes: [40, 50] }, { shape: [67, 2], dtype: 'int32', low: 0, high: 40 }),
  ],
})

const callLastWriter = defineOp<{ rows: number }>({
  name: 'lastWriter',
  rule: '(none)',
  shape: (_, { rows }) => ({ shape: [rows], dtype: 'int32' }),
  forward: (k, out, [rows]) =>
    k.host(out, [rows], (y, [values]) => {
      y.fill(-1)
      for (let i = 0; i < values.length; i++) y[values[i]] = i
    }),
  vjp: 'a position is piecewise constant.',
  samples: [
    sampleWith({ rows: 5 }, { shape: [4], dtype: 'int32', low: 0, high: 5 }),
    sampleWith({ rows: 3 }, { shape: [0], dtype: 'int32', low: 0, high: 3 }),
    sampleWith({ rows: 90 }, { shape: [67], dtype: 'int32', low: 0, high: 90 }),
  ],
})

/** Tuples [..i, d] into tensors of `shape`, as row numbers [..i]; a row has the sizes of the other axes. */
function rowsOf(op: string, indices: Tensor, shape: Shape): { rows: Tensor; lead: Shape; rest: Shape } {
  const depth = indices.rank === 0 ? Infinity : indices.shape[indices.rank - 1]
  if (depth > shape.length) {
    throw shapeError(
      op,
      `the last axis of the indices holds tuples of at most ${shape.length} indices`,
      [
        { name: 'indices', shape: indices.shape, bad: indices.rank === 0 ? [] : [-1] },
        { name: 'x', shape },
      ],
      'For single indices write [[2], [0]], or use gather.',
    )
  }
  const sizes = shape.slice(0, depth)
  return { rows: callRowNumbers([indices], { op, sizes }), lead: sizes, rest: shape.slice(depth) }
}

/** Updates broadcast to one row for each tuple. */
function updatesFor(op: string, updates: Tensor, rows: Shape, rest: Shape): Tensor {
  requireTensor(op, 'updates', updates)
  const wanted = [...rows, ...rest]
  const bad = updates.shape.findIndex((n, i) => n !== 1 && n !== wanted[i + wanted.length - updates.rank])
  if (bad < 0 && updates.rank <= wanted.length) return broadcastTo(updates, wanted)
  throw shapeError(op, 'the updates do not fit the indices', [
    { name: 'updates', shape: updates.shape, bad: bad < 0 ? [] : [bad] },
    { name: 'wanted', shape: wanted },
  ])
}

/**
 * Elements or slices of x, by tuples of indices to its leading axes: y[i] = x[indices[i, 0], …, indices[i, d − 1]].
 *
 * Shape:    [..d axes, ..rest], indices [..i, d] → [..i, ..rest]
 * Gradient: dX = dY added up at the indices
 *
 * @throws ValueError naming the first index out of range, or that is no whole number.
 * @example
 * ```ts
 * gatherNd(tensor([[1, 2], [3, 4]]), [[0, 1], [1, 0]])   // [2, 3]
 * ```
 */
export function gatherNd(x: Tensor, indices: Indices): Tensor {
  requireTensor('gatherNd', 'x', x)
  return scope(() => gatherTuples('gatherNd', x, wholeIndices('gatherNd', indices, x.backend)))
}

/** `gatherNd` by int32 indices, for the op that messages name. */
export function gatherTuples(op: string, x: Tensor, indices: Tensor): Tensor {
  const { rows, lead, rest } = rowsOf(op, indices, x.shape)
  return gather(reshape(x, [sizeOf(lead), ...rest]), rows)
}

/**
 * Zeros of `shape` to which updates are added at tuples of indices to its leading axes; the adjoint of `gatherNd`.
 *
 * Shape:    indices [..i, d], updates [..i, ..rest] (they broadcast) → shape
 * Gradient: dUpdates = dY at the indices
 *
 * @throws ValueError naming the first index out of range, or that is no whole number; ShapeError if the updates don't fit.
 * @example
 * ```ts
 * scatterNd([[0], [2], [0]], tensor([1, 2, 4]), [3])   // [5, 0, 2]
 * ```
 */
export function scatterNd(indices: Indices, updates: Tensor, shape: Shape): Tensor {
  requireFloats('scatterNd', 'updates', updates)
  checkShape('scatterNd', shape)
  return scope(() => {
    const { rows, lead, rest } = rowsOf('scatterNd', wholeIndices('scatterNd', indices, updates.backend), shape)
    const fitting = updatesFor('scatterNd', updates, rows.shape, rest)
    return reshape(scatterAdd(fitting, rows, sizeOf(lead)), shape)
  })
}

/**
 * x with updates in the place of what stands at tuples of indices to its leading axes. Where a tuple occurs twice, the last update counts.
 *
 * Shape:    x [..d axes, ..rest], indices [..i, d], updates [..i, ..rest] (they broadcast) → that of x
 * Gradient: dX = dY, 0 at the indices; dUpdates = dY at the indices, 0 for updates that a later one replaced
 *
 * @throws ValueError naming the first index out of range, or that is no whole number; ShapeError if the updates don't fit.
 * @example
 * ```ts
 * scatterUpdate(tensor([1, 2, 3]), [[2], [0]], tensor([30, 10]))   // [10, 2, 30]
 * ```
 */
export function scatterUpdate(x: Tensor, indices: Indices, updates: Tensor): Tensor {
  requireTensor('scatterUpdate', 'x', x)
  requireTensor('scatterUpdate', 'updates', updates)
  return scope(() => {
    const { rows, lead, rest } = rowsOf('scatterUpdate', wholeIndices('scatterUpdate', indices, x.backend), x.shape)
    const fitting = updatesFor('scatterUpdate', updates, rows.shape, rest)
    if (rows.size === 0) return x
    const writer = callLastWriter([reshape(rows, [rows.size])], { rows: sizeOf(lead) })
    const written = gather(reshape(fitting, [rows.size, ...rest]), maximum(writer, 0))
    const whole = reshape(greaterEqual(writer, 0), [sizeOf(lead), ...rest.map(() => 1)])
    return reshape(where(whole, written, reshape(x, [sizeOf(lead), ...rest])), x.shape)
  })
}

/**
 * x with a block of other values from `start` on.
 *
 * Shape:    x [..n], updates [..m] of the same rank → [..n]
 * Gradient: dX = dY outside the block, dUpdates = dY inside
 *
 * @throws ShapeError if the block does not lie in x.
 * @example
 * ```ts
 * sliceUpdate(tensor([1, 2, 3, 4]), [1], tensor([0, 9]))   // [1, 0, 9, 4]
 * ```
 */
export function sliceUpdate(x: Tensor, start: readonly number[], updates: Tensor): Tensor {
  requireTensor('sliceUpdate', 'x', x)
  requireTensor('sliceUpdate', 'updates', updates)
  requireWholes('sliceUpdate', 'start', start, x.rank)
  const begin = start.map((s, i) => (s < 0 ? s + x.shape[i] : s))
  const bad = x.shape.findIndex((n, i) => begin[i] < 0 || begin[i] + (updates.shape[i] ?? 0) > n)
  if (updates.rank !== x.rank || bad >= 0) {
    throw shapeError('sliceUpdate', `no block of ${updates.rank} axes stands in x at [${start.join(', ')}]`, [
      { name: 'x', shape: x.shape, bad: bad < 0 ? [] : [bad] },
      { name: 'updates', shape: updates.shape, bad: bad < 0 || bad >= updates.rank ? [] : [bad] },
    ])
  }
  const pads = x.shape.map((n, i) => [begin[i], n - begin[i] - updates.shape[i]] as const)
  return scope(() => where(pad(ones(updates.shape, { dtype: 'bool', backend: x.backend }), pads), pad(updates, pads), x))
}
