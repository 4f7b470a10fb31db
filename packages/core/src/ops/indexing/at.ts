/** Parts of a tensor as NumPy writes them, `x[1:5, ..., -1]`, and a tensor with other values there. */
import { describeValue } from '../../arguments.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { broadcastShapes, type Shape } from '../../tensor/shape.js'
import { requireTensor, Tensor } from '../../tensor/tensor.js'
import { arange } from '../create.js'
import { cast } from '../elementwise/elementwise.js'
import { toTensor } from '../elementwise/operands.js'
import { broadcastTo } from '../reduce/broadcast.js'
import { stack } from '../shape/join.js'
import { reshape, transpose } from '../shape/move.js'
import { gatherTuples, scatterUpdate } from './gather-nd.js'
import { stridedSlice } from './strided-slice.js'
import { type IndexList, type Indices, wholeIndices } from './whole-indices.js'

/**
 * An index of `at`: a number (the axis goes), a slice `'begin:end:step'` as in Python, indices, `'...'` for all axes that are not named, or null
 * for a new axis of size 1.
 */
export type AtIndex = number | string | null | Tensor | IndexList

/** How one axis of x is read. */
interface AxisRead {
  start: number
  step: number
  count: number
  /** The axis goes. */
  single?: boolean
  /** Indices into the axis, which is read whole first. */
  indices?: Indices | number
}

const whole = (n: number): AxisRead => ({ start: 0, step: 1, count: n })

/**
 * A part of x, as NumPy writes it: `x.at('1:5', '...', -1)` is `x[1:5, ..., -1]`.
 *
 * - A number picks one position, and the axis goes. Negative numbers count from the end.
 * - `'begin:end:step'` is a slice, of which each part may be missing: `':'`, `'2:'`, `'::-1'`.
 * - A tensor of whole numbers, or nested lists of them, picks positions; negative ones count from the end here, too, while `gather` refuses them. Its axes
 *   take the axis' place. Several of them broadcast, pick together, and their axes come first unless they stand side by side; numbers count as such then.
 * - `'...'` stands for the axes that are not named, null for a new axis of size 1.
 *
 * Shape:    the axes as the items say
 * Gradient: dX = dY at the places that were read, zeros elsewhere; places read twice add up
 *
 * @throws ValueError for what is no index, or an index out of range; ShapeError for more indices than axes.
 * @example
 * ```ts
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * x.at(-1)           // [4, 5, 6]
 * x.at(':', '::2')   // [[1, 3], [4, 6]]
 * x.at('...', [2, 0])   // [[3, 1], [6, 4]]
 * ```
 */
export function at(x: Tensor, ...index: readonly AtIndex[]): Tensor {
  requireTensor('at', 'x', x)
  return scope(() => read('at', x, index))
}

/**
 * x with `value` in the place of what `at` reads by the same indices. Where a place is named twice, the last value counts.
 *
 * Shape:    value broadcasts to the shape of x.at(...index) → that of x
 * Gradient: dX = dY, 0 at the places; dValue = dY at the places
 *
 * @throws ValueError and ShapeError as `at`; ShapeError if the value does not fit.
 * @example
 * ```ts
 * updateAt(tensor([[1, 2], [3, 4]]), [':', 0], 9)   // [[9, 2], [9, 4]]
 * ```
 */
export function updateAt(x: Tensor, index: readonly AtIndex[], value: Tensor | number): Tensor {
  requireTensor('updateAt', 'x', x)
  if (!Array.isArray(index)) {
    throw new ValueError(
      `updateAt: the index must be an array, one item an axis, got ${describeValue(index)}. Write updateAt(x, [0, ':'], value).`,
    )
  }
  return scope(() => {
    const places = read('updateAt', reshape(arange(0, x.size, 1, { dtype: 'int32', backend: x.backend }), x.shape), index)
    const given = cast(toTensor('updateAt', value, x), x.dtype)
    const bad = given.shape.findIndex((n, i) => n !== 1 && n !== places.shape[i + places.rank - given.rank])
    if (bad >= 0 || given.rank > places.rank) {
      throw shapeError('updateAt', 'the value does not fit the places', [
        { name: 'value', shape: given.shape, bad: bad < 0 ? [] : [bad] },
        { name: 'places', shape: places.shape },
      ])
    }
    const values = reshape(broadcastTo(given, places.shape), [places.size])
    return reshape(scatterUpdate(reshape(x, [x.size]), reshape(places, [places.size, 1]), values), x.shape)
  })
}

function read(op: string, x: Tensor, index: readonly AtIndex[]): Tensor {
  const items = withoutEllipsis(op, x, index)
  const listed = items.some(isIndices)
  let axis = 0
  const reads = items.map((item) => (item === null ? undefined : readAxis(op, item, x.shape[axis], axis++, listed)))
  const axes = reads.filter((one) => one !== undefined)
  const part = stridedSlice(x, {
    start: axes.map(({ start }) => start),
    step: axes.map(({ step }) => step),
    count: axes.map(({ count }) => count),
  })
  const kept = reads.filter((one) => !one?.single) // undefined is a new axis
  const y = reshape(
    part,
    kept.map((one) => one?.count ?? 1),
  )
  return listed ? pick(op, y, kept) : y
}

const isIndices = (item: AtIndex): item is Indices => Array.isArray(item) || item instanceof Tensor

/** The items, one for each axis of x and each new axis. */
function withoutEllipsis(op: string, x: Tensor, index: readonly AtIndex[]): AtIndex[] {
  const dots = index.indexOf('...')
  if (dots !== index.lastIndexOf('...')) throw new ValueError(`${op}: '...' occurs twice.`)
  const named = index.filter((item) => item !== null && item !== '...').length
  if (named > x.rank) throw shapeError(op, `${named} axes are named, x has ${x.rank}`, [{ name: 'x', shape: x.shape }])
  const rest = new Array<string>(x.rank - named).fill(':')
  return dots < 0 ? [...index, ...rest] : [...index.slice(0, dots), ...rest, ...index.slice(dots + 1)]
}

function readAxis(op: string, item: AtIndex, n: number, axis: number, listed: boolean): AxisRead {
  if (typeof item === 'string') return readSlice(op, item, n)
  if (isIndices(item)) return { ...whole(n), indices: item }
  if (!Number.isSafeInteger(item)) {
    throw new ValueError(
      `${op}: an index is a whole number, a slice such as '1:5' or '::-1', a tensor or list of whole numbers, '...' or null, got ${describeValue(item)}.`,
    )
  }
  const position = item as number
  const start = position < 0 ? position + n : position
  if (start < 0 || start >= n) {
    throw new ValueError(`${op}: index ${position} is out of range: axis ${axis} has ${n} elements${n > 0 ? ` (${-n} to ${n - 1})` : ''}.`)
  }
  return listed ? { ...whole(n), indices: start } : { start, step: 1, count: 1, single: true }
}

const SLICE = /^(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?$/

/** A Python slice of an axis of n elements: bounds beyond the axis are those of the axis. */
function readSlice(op: string, text: string, n: number): AxisRead {
  const [match, from, to, by] = SLICE.exec(text.replaceAll(' ', '')) ?? []
  if (match === undefined)
    throw new ValueError(`${op}: '${text}' is no slice. Write 'begin:end:step', where each may be missing: '1:5', '::-1'.`)
  const step = by === undefined ? 1 : Number(by)
  if (step === 0) throw new ValueError(`${op}: the step of '${text}' must not be 0.`)
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1]
  const bound = (given: string | undefined, missing: number): number => {
    if (given === undefined) return missing
    const i = Number(given)
    return Math.min(high, Math.max(low, i < 0 ? i + n : i))
  }
  const start = bound(from, step > 0 ? low : high)
  const end = bound(to, step > 0 ? high : low)
  const count = Math.max(0, Math.ceil((end - start) / step))
  return { start: count === 0 ? 0 : start, step, count }
}

/** Picks by the indices of all axes that have some. */
function pick(op: string, y: Tensor, reads: readonly (AxisRead | undefined)[]): Tensor {
  const axes = reads.flatMap((one, i) => (one?.indices === undefined ? [] : [i]))
  const lists = axes.map((i) => {
    const indices = reads[i]?.indices as Indices | number
    return wholeIndices(op, typeof indices === 'number' ? [indices] : indices, y.backend)
  })
  const scalar = (i: number): boolean => typeof reads[axes[i]]?.indices === 'number'
  const shape = lists.reduce<Shape>((common, list, i) => (scalar(i) ? common : broadcastShapes(op, common, list.shape)), [])
  const tuples = stack(
    lists.map((list, i) => broadcastTo(scalar(i) ? reshape(list, []) : list, shape)),
    -1,
  )
  const others = reads.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  const picked = gatherTuples(op, transpose(y, [...axes, ...others]), tuples) // [..shape, ..others]
  const adjacent = axes[axes.length - 1] - axes[0] === axes.length - 1
  const before = adjacent ? axes[0] : 0
  const order = [...others.keys()].map((i) => shape.length + i)
  return transpose(picked, [...order.slice(0, before), ...shape.keys(), ...order.slice(before)])
}
