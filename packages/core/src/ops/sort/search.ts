/** Finding places in sorted values, counting, and distinct values. */
import { requireChoice, requireOptions, requireWhole } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { hostArray, promote, requireDType } from '../../tensor/dtype.js'
import { scope } from '../../tensor/scope.js'
import { sameShape } from '../../tensor/shape.js'
import { fromHost, requireTensor, type Tensor } from '../../tensor/tensor.js'
import { onesLike } from '../create.js'
import { cast } from '../elementwise/elementwise.js'
import { addRows } from '../indexing/add-rows.js'
import { type Indices, wholeIndices } from '../indexing/whole-indices.js'
import { flatten } from '../shape/move.js'
import { RowOrder } from './row-order.js'

type Side = 'left' | 'right'

/** Whether a comes before b; NaN is greater than everything else. */
const before = (a: number, b: number): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a))

const callSearchSorted = defineOp<{ side: Side }>({
  name: 'searchSorted',
  rule: '(none)',
  shape: ([, values]) => ({ shape: values.shape, dtype: 'int32' }),
  forward: (k, out, [sorted, values], { side }) =>
    k.host(out, [sorted, values], (y, [row, wanted]) => {
      for (let i = 0; i < y.length; i++) {
        let [low, high] = [0, row.length]
        while (low < high) {
          const middle = (low + high) >> 1
          if (side === 'left' ? before(row[middle], wanted[i]) : !before(wanted[i], row[middle])) low = middle + 1
          else high = middle
        }
        y[i] = low
      }
    }),
  vjp: 'a position is piecewise constant.',
  samples: searchSamples(),
})

/**
 * The position before which each value would stand in a sorted row: before equal values (`left`, the default) or behind them (`right`).
 *
 * Shape:    sorted [n], values [..] → [..], int32
 * Gradient: none, a position is piecewise constant
 *
 * @throws ShapeError unless `sorted` has one axis. Whether it is sorted is not checked.
 * @example
 * ```ts
 * searchSorted(tensor([1, 3, 5]), tensor([3, 9]))   // [1, 3]
 * ```
 */
export function searchSorted(sorted: Tensor, values: Tensor, options: { side?: Side } = {}): Tensor {
  requireOptions('searchSorted', options, ['side'], "searchSorted(sorted, values, { side: 'right' })")
  const { side = 'left' } = options
  requireChoice('searchSorted', 'side', side, ['left', 'right'])
  return search('searchSorted', sorted, values, side)
}

/**
 * The bin of each value: i where bins[i − 1] ≤ x < bins[i], for bins in ascending order.
 *
 * Shape:    x [..], bins [n] → [..], int32 from 0 to n
 * Gradient: none, a position is piecewise constant
 *
 * @throws ShapeError unless `bins` has one axis.
 * @example
 * ```ts
 * digitize(tensor([-3, 0.5, 7]), tensor([0, 1]))   // [0, 1, 2]
 * ```
 */
export function digitize(x: Tensor, bins: Tensor): Tensor {
  return search('digitize', bins, x, 'right')
}

function search(op: string, sorted: Tensor, values: Tensor, side: Side): Tensor {
  requireTensor(op, op === 'digitize' ? 'bins' : 'sorted', sorted)
  requireTensor(op, op === 'digitize' ? 'x' : 'values', values)
  if (sorted.rank !== 1) throw shapeError(op, 'the sorted values need one axis', [{ name: 'sorted', shape: sorted.shape }])
  return scope(() => {
    const common = promote(sorted.dtype, values.dtype)
    return callSearchSorted([cast(sorted, common), cast(values, common)], { side })
  })
}

/**
 * How often each whole number from 0 to length − 1 occurs in x, or the sum of its weights. The length is an argument, because no shape may depend on
 * values: `1 + (await x.max().item())` has room for all.
 *
 * Shape:    x [..], weights [..] → [length]; int32, or the dtype of the weights
 * Gradient: dWeights = dY at the numbers
 *
 * @throws ValueError for a number out of range, or that is no whole number.
 * @example
 * ```ts
 * binCount([1, 2, 2], 4)   // [0, 1, 2, 0]
 * ```
 */
export function binCount(x: Indices, length: number, options: { weights?: Tensor } = {}): Tensor {
  requireWhole('binCount', 'length', length, { least: 0 })
  requireOptions('binCount', options, ['weights'], 'binCount(x, 5, { weights })')
  const { weights } = options
  if (weights !== undefined) requireTensor('binCount', 'weights', weights)
  return scope(() => {
    const backend = weights?.backend ?? (Array.isArray(x) ? undefined : (x as Tensor).backend)
    const numbers = wholeIndices('binCount', x, backend)
    if (!weights) return cast(addRows('binCount', cast(onesLike(flatten(numbers)), 'float32'), flatten(numbers), length), 'int32')
    requireDType('binCount', 'weights', weights.dtype, ['float32', 'float64'])
    if (!sameShape(weights.shape, numbers.shape)) {
      throw shapeError('binCount', 'x and the weights have different shapes', [
        { name: 'x', shape: numbers.shape },
        { name: 'weights', shape: weights.shape },
      ])
    }
    return addRows('binCount', flatten(weights), flatten(numbers), length)
  })
}

/** The distinct values of a tensor. */
export interface UniqueResult {
  /** The values, least first; NaN last, once. */
  values: Tensor
  /** Where each value stands first in x, counted over all its elements. */
  firstIndices: Tensor
  /** For each element of x the position of its value in `values`. */
  inverse: Tensor
  /** How often each value occurs. */
  counts: Tensor
}

/**
 * The distinct values of x in ascending order. How many there are depends on the values, so this waits for them; it is no op, and tapes don't see it.
 *
 * Shape:    x [..] → values, firstIndices, counts [u], inverse [..]
 * Gradient: none
 *
 * @example
 * ```ts
 * const { values, counts } = await unique(tensor([3, 1, 3]))
 * console.log(await values.array(), await counts.array())   // [1, 3] [1, 2]
 * ```
 */
export async function unique(x: Tensor): Promise<UniqueResult> {
  requireTensor('unique', 'x', x)
  const { backend, dtype, shape, size } = x
  const given = await x.data()
  const order = new RowOrder(size, given instanceof Float64Array).of(given, 0, 1, false)
  const inverse = new Int32Array(size)
  const first: number[] = []
  const counts: number[] = []
  let last: number | undefined
  for (const position of order) {
    const value = given[position]
    if (last === undefined || before(last, value)) {
      first.push(position)
      counts.push(0)
      last = value
    }
    counts[counts.length - 1]++
    inverse[position] = counts.length - 1
  }
  const values = hostArray(dtype, first.length)
  for (let i = 0; i < first.length; i++) values[i] = given[first[i]]
  const row = (numbers: readonly number[]): Tensor => fromHost(backend, Int32Array.from(numbers), [numbers.length], 'int32')
  return {
    values: fromHost(backend, values, [first.length], dtype),
    firstIndices: row(first),
    inverse: fromHost(backend, inverse, shape, 'int32'),
    counts: row(counts),
  }
}

function searchSamples(): Sample<{ side: Side }>[] {
  return [
    sampleWith({ side: 'left' }, { shape: [5], dtype: 'int32', low: 0, high: 1 }, { shape: [2, 3], dtype: 'int32', low: -1, high: 3 }),
    sampleWith({ side: 'right' }, { shape: [1], low: 0, high: 1 }, { shape: [7], low: -1, high: 2 }),
    sampleWith({ side: 'right' }, [0], []),
  ]
}
