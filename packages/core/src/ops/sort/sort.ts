/**
 * Sorting along an axis. Equal values keep the order of their positions, in both directions. NaN is greater than everything else, so it comes last,
 * or first if descending.
 *
 * Which value comes where is piecewise constant: a cotangent goes back to the position that its value came from.
 */
import { requireBoolean, requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample, TensorSpec } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { HostValues } from '../../backends/backend.js'
import { type DType, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxis, reduceExtent, type Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { scatterAlongAxis, takeAlongAxis } from '../indexing/along-axis.js'
import { eachRow, RowOrder } from './row-order.js'
import { sortValues } from './sort-values.js'

/** Along which axis (the last by default), and whether the greatest comes first. */
export interface SortOptions {
  axis?: number
  descending?: boolean
}

interface Sorting {
  axis: number
  descending: boolean
}

const ordered: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool']

const callSort = defineOp<Sorting>({
  name: 'sort',
  rule: 'dX = dY back at the positions the values came from',
  shape: ([x]) => sortable('sort', x),
  forward: (k, out, [x], { axis, descending }) =>
    k.host(out, [x], (y, [values]) => {
      const extent = reduceExtent(x.shape, axis, axis)
      const column = extent.inner === 1 ? undefined : values.slice(0, extent.length)
      if (!column) y.set(values)
      eachRow(extent, (begin, step) => {
        const row = column ?? y.subarray(begin, begin + extent.length)
        if (column) for (let i = 0; i < extent.length; i++) column[i] = values[begin + i * step]
        sortValues(row)
        if (descending) row.reverse()
        if (column) for (let i = 0; i < extent.length; i++) y[begin + i * step] = column[i]
      })
    }),
  vjp: ({ dY, options }, [x]) => [() => scatterAlongAxis(dY, argSort(x, options), x.shape[options.axis], { axis: options.axis })],
  samples: sortSamples(),
})

const callArgSort = defineOp<Sorting>({
  name: 'argSort',
  rule: '(none)',
  shape: ([x]) => ({ shape: sortable('argSort', x).shape, dtype: 'int32' }),
  forward: (k, out, [x], { axis, descending }) =>
    k.host(out, [x], (y, [values]) => {
      const extent = reduceExtent(x.shape, axis, axis)
      const rows = new RowOrder(extent.length, values instanceof Float64Array)
      eachRow(extent, (begin, step) => write(y, rows.of(values, begin, step, descending), begin, step))
    }),
  vjp: 'a position is piecewise constant.',
  samples: sortSamples(),
})

const callTopKIndices = defineOp<{ axis: number; k: number }>({
  name: 'topKIndices',
  rule: '(none)',
  shape: ([x], { axis, k }) => ({ shape: sortable('topK', x).shape.map((n, i) => (i === axis ? k : n)), dtype: 'int32' }),
  forward: (kernels, out, [x], { axis, k }) =>
    kernels.host(out, [x], (y, [values]) => {
      const extent = reduceExtent(x.shape, axis, axis)
      const rows = new RowOrder(extent.length, values instanceof Float64Array)
      let row = 0
      eachRow(extent, (begin, step) => {
        const [o, i] = [Math.floor(row / extent.inner), row++ % extent.inner]
        write(y, rows.first(k, values, begin, step, true), o * k * extent.inner + i, step)
      })
    }),
  vjp: 'a position is piecewise constant.',
  samples: topKSamples(),
})

function write(y: HostValues, row: ArrayLike<number>, begin: number, step: number): void {
  for (let i = 0; i < row.length; i++) y[begin + i * step] = row[i]
}

function sortable(op: string, x: TensorSpec): TensorSpec {
  requireDType(op, 'x', x.dtype, ordered)
  return x
}

function sorting(op: string, x: unknown, options: SortOptions): Sorting {
  requireTensor(op, 'x', x)
  requireOptions(op, options, ['axis', 'descending'], `x.${op}({ axis: 1 })`)
  const { axis = -1, descending = false } = options
  requireBoolean(op, 'descending', descending)
  return { axis: normalizeAxis(op, axis, x.rank), descending }
}

/**
 * x in order along an axis (the last by default), least first, or greatest first if `descending`. NaN is greater than ∞. Zeros of both signs are
 * equal, and may come in either order.
 *
 * Shape:    [..] → [..]
 * Gradient: dX = dY at the positions that the values came from; the first of equal values counts as the first
 * Cost:     n for each long row of float32 (radix sort), n·log n for others, on the host
 *
 * @example
 * ```ts
 * sort(tensor([3, 1, 2]), { descending: true })   // [3, 2, 1]
 * ```
 */
export function sort<S extends Shape>(x: Tensor<S>, options: SortOptions = {}): Tensor<S> {
  return callSort([x], sorting('sort', x, options)) as Tensor<S>
}

/**
 * The positions of x's values in their order along an axis (the last by default), as int32: `takeAlongAxis(x, argSort(x))` is sorted. Equal values
 * keep the order of their positions, also if `descending`. NaN is greater than ∞.
 *
 * Shape:    [..] → [..]
 * Gradient: none, a position is piecewise constant
 * Cost:     n for each row (radix sort), on the host
 *
 * @example
 * ```ts
 * argSort(tensor([3, 1, 2, 1]))   // [1, 3, 2, 0]
 * ```
 */
export function argSort<S extends Shape>(x: Tensor<S>, options: SortOptions = {}): Tensor<S> {
  return callArgSort([x], sorting('argSort', x, options)) as Tensor<S>
}

/**
 * The k greatest values along an axis (the last by default), greatest first, and their positions as int32. Of equal values the lower position
 * comes first. NaN is greater than ∞.
 *
 * Shape:    [..a, n, ..b] → values and indices [..a, k, ..b]
 * Gradient: dX = dY at the positions
 *
 * @throws ValueError if k is more than the axis has.
 * @example
 * ```ts
 * const { values, indices } = topK(tensor([1, 9, 3, 7]), 2)
 * console.log(await values.array(), await indices.array())   // [9, 7] [1, 3]
 * ```
 */
export function topK(x: Tensor, k: number, options: { axis?: number } = {}): { values: Tensor; indices: Tensor } {
  requireTensor('topK', 'x', x)
  requireOptions('topK', options, ['axis'], 'x.topK(5, { axis: 1 })')
  const { axis: given = -1 } = options
  const axis = normalizeAxis('topK', given, x.rank)
  requireWhole('topK', 'k', k, { least: 0, most: x.shape[axis] })
  return scope(() => {
    const indices = callTopKIndices([x], { axis, k })
    return { values: takeAlongAxis(x, indices, { axis }), indices }
  })
}

function sortSamples(): Sample<Sorting>[] {
  const by = (axis: number, descending = false): Sorting => ({ axis, descending })
  return [
    sampleWith(by(0), [7]),
    sampleWith(by(0), [5, 3]),
    sampleWith(by(1, true), [3, 5]),
    sampleWith(by(1), [2, 29, 3]),
    sampleWith(by(1), [3, 1]),
    sampleWith(by(0), [0, 3]),
    sampleWith(by(1, true), [3, 0]),
    sampleWith(by(0), { shape: [9], dtype: 'int32', low: -3, high: 3 }),
    sampleWith(by(0, true), { shape: [9], dtype: 'uint8', low: 0, high: 255 }),
    sampleWith(by(0), { shape: [9], dtype: 'bool' }),
    sampleWith(by(1), [67, 130]),
  ]
}

function topKSamples(): Sample<{ axis: number; k: number }>[] {
  return [
    sampleWith({ axis: 0, k: 3 }, [7]),
    sampleWith({ axis: 0, k: 2 }, [5, 3]),
    sampleWith({ axis: 1, k: 1 }, [2, 29, 3]),
    sampleWith({ axis: 0, k: 0 }, [4]),
    sampleWith({ axis: 1, k: 30 }, [67, 130]),
  ]
}
