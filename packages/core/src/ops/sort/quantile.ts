/** Quantiles and the median, from sorted values. */
import { describeValue, requireBoolean, requireChoice, requireNumber, requireOptions } from '../../arguments.js'
import { shapeError, ValueError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { normalizeAxes } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { add, mul } from '../elementwise/binary.js'
import { isNaN as isNaNOp } from '../elementwise/elementwise.js'
import { where } from '../elementwise/select.js'
import type { ReduceOptions } from '../reduce/reduce.js'
import { requireFloats } from '../requirements.js'
import { stack } from '../shape/join.js'
import { reshape, slice, squeeze, transpose } from '../shape/move.js'
import { sort } from './sort.js'

/** Between two values, `linear` weights them, the others take the lower, the higher, the nearer (the even one of two as near), or the middle. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint'

const METHODS: readonly QuantileMethod[] = ['linear', 'lower', 'higher', 'nearest', 'midpoint']

/** Which axes (all by default), and how to go between two values. */
export interface QuantileOptions extends ReduceOptions {
  method?: QuantileMethod
}

/**
 * The value below which a share q of the values lies: the one at position q·(n − 1) of the sorted values. NaN if any is.
 *
 * Shape:    the reduced axes go, or stay with size 1 under `keepDims`; a list of q is a new first axis
 * Gradient: to the two values around the position, by their weights
 *
 * @throws ValueError for q outside [0, 1]; ShapeError over an axis of size 0.
 * @example
 * ```ts
 * quantile(tensor([4, 1, 3, 2]), [0, 0.5])   // [1, 2.5]
 * ```
 */
export function quantile(x: Tensor, q: number | readonly number[], options: QuantileOptions = {}): Tensor {
  return quantiles('quantile', x, q, options)
}

/**
 * The middle of the values, or the mean of the two in the middle; NaN if any is.
 *
 * Shape:    the reduced axes go, or stay with size 1 under `keepDims`
 * Gradient: to the value or the two values in the middle
 *
 * @throws ShapeError over an axis of size 0.
 * @example
 * ```ts
 * median(tensor([[1, 9, 2], [4, 3, 5]]), { axis: 1 })   // [2, 4]
 * ```
 */
export function median(x: Tensor, options: ReduceOptions = {}): Tensor {
  requireFloats('median', 'x', x)
  requireOptions('median', options, ['axis', 'keepDims'], 'median(x, { axis: 1 })')
  return quantiles('median', x, 0.5, options)
}

function quantiles(op: string, x: Tensor, q: number | readonly number[], options: QuantileOptions): Tensor {
  requireFloats(op, 'x', x)
  requireOptions(op, options, ['axis', 'keepDims', 'method'], 'quantile(x, 0.5, { axis: 1 })')
  const { axis, keepDims = false, method = 'linear' } = options
  requireBoolean(op, 'keepDims', keepDims)
  requireChoice(op, 'method', method, METHODS)
  const shares = typeof q === 'number' ? [q] : q
  if (!Array.isArray(shares) || shares.length === 0)
    throw new ValueError(`${op}: q must be a number or a list of numbers, got ${describeValue(q)}.`)
  for (const share of shares) requireNumber(op, 'q', share, { least: 0, most: 1 })
  const axes = normalizeAxes(op, axis, x.rank)
  const others = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  const n = axes.reduce((size, i) => size * x.shape[i], 1)
  if (n === 0) throw shapeError(op, 'there is no value over an axis of size 0', [{ name: 'x', shape: x.shape, bad: axes }])
  return scope(() => {
    const kept = others.map((i) => x.shape[i])
    const sorted = sort(reshape(transpose(x, [...others, ...axes]), [...kept, n]))
    const value = (i: number): Tensor => squeeze(slice(sorted, [...kept.map(() => 0), i], [...kept, 1]), -1)
    const missing = isNaNOp(value(n - 1)) // NaN comes last
    const parts = shares.map((share) => {
      const { lower, weight } = positionOf(share * (n - 1), method)
      // Weight by weight, not lower + weight·(difference), which would be NaN between equal infinities.
      const y = weight === 0 ? value(lower) : add(mul(value(lower), 1 - weight), mul(value(lower + 1), weight))
      const shape = keepDims ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size)) : kept
      return reshape(where(missing, Number.NaN, y), shape)
    })
    return typeof q === 'number' ? parts[0] : stack(parts)
  })
}

/** The value at or below a position, and the weight of the next one. */
function positionOf(position: number, method: QuantileMethod): { lower: number; weight: number } {
  const lower = Math.floor(position)
  const part = position - lower
  if (part === 0 || method === 'lower') return { lower, weight: 0 }
  if (method === 'higher') return { lower: lower + 1, weight: 0 }
  if (method === 'midpoint') return { lower, weight: 0.5 }
  if (method === 'linear') return { lower, weight: part }
  return { lower: part < 0.5 || (part === 0.5 && lower % 2 === 0) ? lower : lower + 1, weight: 0 }
}
