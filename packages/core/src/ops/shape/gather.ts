/** Rows picked by index (`gather`), the adjoint, which adds rows at indices (`scatterAdd`), and one-hot rows. */
import { requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample, SampleInput } from '../../autodiff/op.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import { addContext, shapeError, ValueError } from '../../errors.js'
import { type DType, defaultFloat, isFloat, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxis, sizeOf } from '../../tensor/shape.js'
import { requireBackendDType, requireTensor, type Tensor } from '../../tensor/tensor.js'
import { arange } from '../create.js'
import { equal } from '../elementwise/binary.js'
import { cast } from '../elementwise/elementwise.js'
import { type Indices, requireWholeValues, valuesOnHost, wholeIndices } from '../indexing/whole-indices.js'
import { expandDims, reshape, transpose } from './move.js'

const callGather = defineOp({
  name: 'gather',
  rule: 'dX = scatterAdd(dY at the indices)',
  shape: ([x, indices]) => {
    requireDType('gather', 'indices', indices.dtype, ['int32'])
    if (x.shape.length !== 2 || indices.shape.length !== 1) {
      throw shapeError('gather', 'x must be a matrix', [{ name: 'x', shape: x.shape }])
    }
    return { shape: [indices.shape[0], x.shape[1]], dtype: x.dtype }
  },
  forward: (k, out, [x, indices]) => k.gather(out, x, indices),
  vjp: ({ dY }, [x, indices], ops) => [() => ops.scatterAdd(dY, indices, x.shape[0]), null],
  linear: true,
  samples: gatherSamples(),
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
  vjp: ({ dY }, [, indices], ops) => [() => ops.gather(dY, indices), null],
  linear: true,
  samples: scatterAddSamples(),
})

/**
 * The entries of x at the given positions along an axis, by default 0. Positions count from 0; `at` and `takeAlongAxis` also take negative ones, which count
 * from the end as in NumPy.
 *
 * Shape:    x [v, ..rest], indices [..i], a tensor of whole numbers or nested lists of them → [..i, ..rest]
 * Gradient: dX = scatterAdd(dY at the indices); an entry that is picked twice gets the sum
 *
 * @throws ValueError that names the first index that is out of range, negative or no whole number.
 * @example
 * ```ts
 * gather(tensor([[1, 2], [3, 4]]), [1, 1, 0]) // [[3, 4], [3, 4], [1, 2]]
 * ```
 */
export function gather(x: Tensor, indices: Indices, options: { axis?: number } = {}): Tensor {
  requireTensor('gather', 'x', x)
  requireOptions('gather', options, ['axis'], 'gather(x, indices, { axis: 1 })')
  const { axis = 0 } = options
  const at = normalizeAxis('gather', axis, x.rank)
  return scope(() => gatherAlong(x, wholeIndices('gather', indices, x.backend), at))
}

/** Rows of x. The error for a negative index shows the call that takes it. */
function pickRows(x: Tensor, indices: Tensor, axis: number): Tensor {
  try {
    return callGather([x, indices], {})
  } catch (error) {
    const values: ArrayLike<number> | undefined = error instanceof ValueError ? valuesOnHost('gather', indices) : undefined
    if (!values || !Array.from(values).some((index) => index < 0)) throw error
    const call = `x.at(${"':', ".repeat(axis)}indices)`
    throw addContext(error, `gather counts from 0. Negative indices count from the end in ${call}.`)
  }
}

function gatherAlong(x: Tensor, indices: Tensor, at: number): Tensor {
  const order = [at, ...x.shape.map((_, i) => i).filter((i) => i !== at)]
  const front = transpose(x, order) // [v, ..rest]
  const rest = front.shape.slice(1)
  const flat = pickRows(reshape(front, [front.shape[0], sizeOf(rest)]), reshape(indices, [indices.size]), at)
  const picked = reshape(flat, [...indices.shape, ...rest])
  if (at === 0) return picked
  // The index axes move to where `axis` was.
  const lead = indices.rank
  const back = [
    ...rest.slice(0, at).map((_, i) => lead + i),
    ...indices.shape.map((_, i) => i),
    ...rest.slice(at).map((_, i) => lead + at + i),
  ]
  return transpose(picked, back)
}

/**
 * Zeros to which each row of x is added at its index: out[indices[i]] += x[i]. It is the adjoint of `gather`.
 *
 * Shape:    x [..i, ..rest], indices [..i] → [rows, ..rest]
 * Gradient: dX = gather(dY at the indices)
 *
 * @throws ShapeError if the first axes of x are not those of the indices, ValueError for an index out of range.
 * @example
 * ```ts
 * scatterAdd(tensor([[1], [2], [3]]), [0, 2, 2], 3) // [[1], [0], [5]]
 * ```
 */
export function scatterAdd(x: Tensor, indices: Indices, rows: number): Tensor {
  requireTensor('scatterAdd', 'x', x)
  requireWhole('scatterAdd', 'rows', rows, { least: 0 })
  return scope(() => {
    const at = wholeIndices('scatterAdd', indices, x.backend)
    const lead = x.shape.slice(0, at.rank)
    const bad = at.shape.flatMap((n, i) => (lead[i] === n ? [] : [i]))
    if (bad.length > 0) {
      throw shapeError('scatterAdd', 'the first axes of x must be those of the indices', [
        { name: 'x', shape: x.shape, bad: bad.filter((i) => i < x.rank) },
        { name: 'indices', shape: at.shape, bad },
      ])
    }
    const rest = x.shape.slice(at.rank)
    const out = callScatterAdd([reshape(x, [at.size, sizeOf(rest)]), reshape(at, [at.size])], { rows })
    return reshape(out, [rows, ...rest])
  })
}

/** The dtype of the result (the default of the backend unless said otherwise), and where the new axis stands (last unless said otherwise). */
export interface OneHotOptions {
  dtype?: DType
  axis?: number
}

/**
 * Rows that are 1 at the index and 0 elsewhere. An index outside [0, depth) gives a row of zeros. The third argument may be the dtype alone.
 *
 * Shape:    indices [..i], a tensor or nested lists → [..i, depth], or with `depth` at `axis`
 * Gradient: none, a position is piecewise constant
 *
 * @throws ValueError that names the first index that is NaN or a fraction. A gpu backend cannot check its values: there such an index gives zeros.
 * @example
 * ```ts
 * oneHot([0, 2], 3) // [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export function oneHot(indices: Indices, depth: number, options: DType | OneHotOptions = {}): Tensor {
  if (typeof options !== 'string') requireOptions('oneHot', options, ['dtype', 'axis'], 'oneHot(indices, 3, { axis: 0 })')
  const { dtype: asked, axis = -1 } = typeof options === 'string' ? { dtype: options } : options
  requireWhole('oneHot', 'depth', depth, { least: 0 })
  return scope(() => {
    const given = Array.isArray(indices) ? wholeIndices('oneHot', indices) : indices
    requireTensor('oneHot', 'indices', given)
    const dtype = asked ?? defaultFloat(given.backend)
    requireBackendDType('oneHot', given.backend, dtype)
    if (isFloat(given.dtype)) requireWholeValues('oneHot', given)
    const at = normalizeAxis('oneHot', axis, given.rank + 1)
    const classes = arange(0, depth, 1, { dtype: 'int32', backend: given.backend })
    const along = reshape(classes, [depth, ...new Array<number>(given.rank - at).fill(1)])
    return cast(equal(expandDims(given.dtype === 'bool' ? cast(given, 'int32') : given, at), along), dtype)
  })
}

function scatterAddSamples(): Sample<{ rows: number }>[] {
  return [
    sampleWith({ rows: 5 }, [4, 3], { shape: [4], dtype: 'int32', low: 0, high: 5 }),
    sampleWith({ rows: 2 }, [0, 3], { shape: [0], dtype: 'int32', low: 0, high: 5 }),
    sampleWith({ rows: 50 }, [130, 67], { shape: [130], dtype: 'int32', low: 0, high: 50 }),
    sampleWith({ rows: 3 }, [6, 1], { shape: [6], dtype: 'int32', low: 0, high: 2 }),
  ]
}

function gatherSamples(): Sample<object>[] {
  const rows = (count: number, below: number): SampleInput => ({ shape: [count], dtype: 'int32', low: 0, high: below })
  return [
    sample([5, 3], rows(4, 5)),
    sample([5, 3], rows(0, 5)),
    sample([7, 1], rows(9, 7)),
    sample([1, 6], rows(3, 1)),
    sample([50, 67], rows(130, 50)),
    sample({ shape: [5, 3], dtype: 'uint8', low: 0, high: 255 }, rows(4, 5)),
    sample({ shape: [5, 2], dtype: 'int32', low: -9, high: 9 }, rows(4, 5)),
  ]
}
