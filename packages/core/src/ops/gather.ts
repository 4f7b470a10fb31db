/** Picking rows by index and its adjoint, adding rows at indices; one-hot rows. */
import { defineOp, type Sample } from '../define-op.js'
import { type DType, requireDType } from '../dtype.js'
import { shapeError, ValueError } from '../errors.js'
import { scope } from '../scope.js'
import { normalizeAxis, sizeOf } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { equal } from './binary.js'
import { arange } from './create.js'
import { cast } from './elementwise.js'
import { expandDims, reshape, transpose } from './move.js'

const gatherSamples: Sample<object>[] = [
  { inputs: [[5, 3], { shape: [4], dtype: 'int32', low: 0, high: 5 }] },
  { inputs: [[5, 3], { shape: [0], dtype: 'int32', low: 0, high: 5 }] },
  { inputs: [[7, 1], { shape: [9], dtype: 'int32', low: 0, high: 7 }] },
  { inputs: [[1, 6], { shape: [3], dtype: 'int32', low: 0, high: 1 }] },
  { inputs: [[50, 67], { shape: [130], dtype: 'int32', low: 0, high: 50 }] },
  {
    inputs: [
      { shape: [5, 3], dtype: 'uint8', low: 0, high: 255 },
      { shape: [4], dtype: 'int32', low: 0, high: 5 },
    ],
  },
  {
    inputs: [
      { shape: [5, 2], dtype: 'int32', low: -9, high: 9 },
      { shape: [4], dtype: 'int32', low: 0, high: 5 },
    ],
  },
]

const callGather = defineOp({
  name: 'gather',
  rule: 'dX = scatterAdd(dY at the indices)',
  shape: ([x, indices]) => {
    requireDType('gather', 'indices', indices.dtype, ['int32'])
    return { shape: [indices.shape[0], x.shape[1]], dtype: x.dtype }
  },
  forward: (k, out, [x, indices]) => k.gather(out, x, indices),
  vjp: ({ dY }, [x, indices], { scatterAdd: back }) => [() => back(dY, indices, x.shape[0]), null],
  samples: gatherSamples,
})

const callScatterAdd = defineOp<{ rows: number }>({
  name: 'scatterAdd',
  rule: 'dX = gather(dY at the indices)',
  shape: ([x, indices], { rows }) => {
    requireDType('scatterAdd', 'indices', indices.dtype, ['int32'])
    requireDType('scatterAdd', 'x', x.dtype, ['float32', 'float64'])
    if (x.shape[0] !== indices.shape[0]) {
      throw shapeError('scatterAdd', `${x.shape[0]} rows but ${indices.shape[0]} indices`, [
        { name: 'x', shape: x.shape, bad: [0] },
        { name: 'indices', shape: indices.shape, bad: [0] },
      ])
    }
    return { shape: [rows, x.shape[1]], dtype: x.dtype }
  },
  forward: (k, out, [x, indices]) => k.scatterAdd(out, x, indices),
  vjp: ({ dY }, [, indices], { gather: back }) => [() => back(dY, indices), null],
  samples: [
    { inputs: [[4, 3], { shape: [4], dtype: 'int32', low: 0, high: 5 }], options: { rows: 5 } },
    { inputs: [[0, 3], { shape: [0], dtype: 'int32', low: 0, high: 5 }], options: { rows: 2 } },
    { inputs: [[130, 67], { shape: [130], dtype: 'int32', low: 0, high: 50 }], options: { rows: 50 } },
    { inputs: [[6, 1], { shape: [6], dtype: 'int32', low: 0, high: 2 }], options: { rows: 3 } },
  ],
})

/**
 * Entries of x picked by index along an axis (0 by default).
 *
 * Shape:    [v, ..rest], indices [..i] (int32) → [..i, ..rest]
 * Gradient: rows that were picked twice add up.
 *
 * @throws ValueError naming the first index out of range.
 */
export function gather(x: Tensor, indices: Tensor, { axis = 0 }: { axis?: number } = {}): Tensor {
  const at = normalizeAxis('gather', axis, x.rank)
  return scope(() => gatherAlong(x, indices, at))
}

function gatherAlong(x: Tensor, indices: Tensor, at: number): Tensor {
  const order = [at, ...x.shape.map((_, i) => i).filter((i) => i !== at)]
  const front = transpose(x, order) // [v, ..rest]
  const rest = front.shape.slice(1)
  const flat = callGather([reshape(front, [front.shape[0], sizeOf(rest)]), reshape(indices, [indices.size])], {})
  const picked = reshape(flat, [...indices.shape, ...rest])
  if (at === 0) return picked
  // Move the index axes to where `axis` was.
  const lead = indices.rank
  const back = [
    ...rest.slice(0, at).map((_, i) => lead + i),
    ...indices.shape.map((_, i) => i),
    ...rest.slice(at).map((_, i) => lead + at + i),
  ]
  return transpose(picked, back)
}

/** Zeros [rows, ..rest] to which row i of x is added at indices[i]; the adjoint of `gather`. */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number): Tensor {
  if (!Number.isInteger(rows) || rows < 0) throw new ValueError(`scatterAdd: rows must be a whole number from 0, got ${rows}.`)
  const lead = x.shape.slice(0, indices.rank)
  const bad = indices.shape.flatMap((n, i) => (lead[i] === n ? [] : [i]))
  if (bad.length > 0) {
    throw shapeError('scatterAdd', 'the first axes of x must be those of the indices', [
      { name: 'x', shape: x.shape, bad: bad.filter((i) => i < x.rank) },
      { name: 'indices', shape: indices.shape, bad },
    ])
  }
  const rest = x.shape.slice(indices.rank)
  return scope(() => {
    const out = callScatterAdd([reshape(x, [indices.size, sizeOf(rest)]), reshape(indices, [indices.size])], { rows })
    return reshape(out, [rows, ...rest])
  })
}

/**
 * Rows that are 1 at the index and 0 elsewhere. An index outside [0, depth) gives a row of zeros.
 *
 * Shape: indices [..i] → [..i, depth]
 */
export function oneHot(indices: Tensor, depth: number, dtype: DType = 'float32'): Tensor {
  if (!Number.isInteger(depth) || depth < 0) throw new ValueError(`oneHot: depth must be a whole number from 0, got ${depth}.`)
  return scope(() => {
    const classes = arange(0, depth, 1, { dtype: 'int32', backend: indices.backend })
    return cast(equal(expandDims(cast(indices, 'int32'), -1), classes), dtype)
  })
}
