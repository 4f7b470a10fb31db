/** Running products, extremes and sums of exponentials. Running sums are in ../reduce/cum-sum.ts. */
import { defineComposed, defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { scope } from '../../tensor/scope.js'
import { reduceExtent, type Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { takeAlongAxis } from '../indexing/along-axis.js'
import { requireFloats } from '../requirements.js'
import { eachRow } from '../sort/row-order.js'
import { type Direction, directionOf, linearRecurrence, shifted } from './linear-recurrence.js'

/** Along which axis (the last by default), whether from the end, and whether the element itself is left out. */
export interface CumulativeOptions extends Partial<Direction> {
  exclusive?: boolean
}

const ALL = ['axis', 'exclusive', 'reverse']

const callCumProd = defineComposed<Direction & { exclusive: boolean }>({
  name: 'cumProd',
  // Products of the elements before, Pₜ = xₜ₋₁·Pₜ₋₁ from P₀ = 1, then times the element itself.
  compose: ([x], { axis, reverse, exclusive }, ops) => {
    const start = shifted(ops.zerosLike(x), { axis, reverse }, 1)
    const before = linearRecurrence(shifted(x, { axis, reverse }, 0), start, { axis, reverse })
    return exclusive ? before : ops.mul(before, x)
  },
  samples: [
    ...directions({ exclusive: false }),
    sampleWith({ axis: 0, reverse: false, exclusive: true }, [3, 5]),
    sampleWith({ axis: 0, reverse: true, exclusive: true }, [4]),
  ],
})

/**
 * Running product along an axis (the last by default): y[i] = Π x[j] for j ≤ i, j < i if exclusive, from the end if reverse.
 *
 * Shape:    [..] → [..]
 * Gradient: sums of products that never divide, so it holds where x is 0
 *
 * @example
 * ```ts
 * cumProd(tensor([2, 3, 4]))   // [2, 6, 24]
 * ```
 */
export function cumProd<S extends Shape>(x: Tensor<S>, options: CumulativeOptions = {}): Tensor<S> {
  requireFloats('cumProd', 'x', x)
  const direction = directionOf('cumProd', x, options, ALL)
  const { exclusive = false } = options
  return callCumProd([x], { ...direction, exclusive }) as Tensor<S>
}

const callRunningPosition = defineOp<Direction & { sign: 1 | -1 }>({
  name: 'runningPosition',
  rule: '(none)',
  shape: ([x]) => ({ shape: x.shape, dtype: 'int32' }),
  forward: (k, out, [x], { axis, reverse, sign }) =>
    k.host(out, [x], (y, [values]) => {
      const extent = reduceExtent(x.shape, axis, axis)
      eachRow(extent, (begin, step) => {
        let best = reverse ? extent.length - 1 : 0
        for (let i = 0; i < extent.length; i++) {
          const place = reverse ? extent.length - 1 - i : i
          const [value, most] = [values[begin + place * step], values[begin + best * step]]
          // A NaN stays, as it wins `max`.
          if (!Number.isNaN(most) && (Number.isNaN(value) || sign * value > sign * most)) best = place
          y[begin + place * step] = best
        }
      })
    }),
  vjp: 'a position is piecewise constant.',
  samples: directions({ sign: -1 as const }),
})

function runningExtreme(op: string, x: Tensor, options: Partial<Direction>, sign: 1 | -1): Tensor {
  requireFloats(op, 'x', x)
  const direction = directionOf(op, x, options)
  return scope(() => takeAlongAxis(x, callRunningPosition([x], { ...direction, sign }), { axis: direction.axis }))
}

/**
 * The greatest value so far along an axis (the last by default): y[i] = max x[j] for j ≤ i, from the end if reverse; NaN from the first NaN on.
 *
 * Shape:    [..] → [..]
 * Gradient: dY goes to where the greatest value stood first
 *
 * @example
 * ```ts
 * cumMax(tensor([1, 3, 2]))   // [1, 3, 3]
 * ```
 */
export function cumMax<S extends Shape>(x: Tensor<S>, options: Partial<Direction> = {}): Tensor<S> {
  return runningExtreme('cumMax', x, options, 1) as Tensor<S>
}

/**
 * The least value so far along an axis (the last by default): y[i] = min x[j] for j ≤ i, from the end if reverse; NaN from the first NaN on.
 *
 * Shape:    [..] → [..]
 * Gradient: dY goes to where the least value stood first
 *
 * @example
 * ```ts
 * cumMin(tensor([3, 1, 2]))   // [3, 1, 1]
 * ```
 */
export function cumMin<S extends Shape>(x: Tensor<S>, options: Partial<Direction> = {}): Tensor<S> {
  return runningExtreme('cumMin', x, options, -1) as Tensor<S>
}

const callLogCumSumExp = defineOp<Direction>({
  name: 'logCumSumExp',
  rule: 'dX = e^(x − y)·g with gₜ = dYₜ + e^(yₜ − yₜ₊₁)·gₜ₊₁',
  shape: ([x]) => x,
  forward: (k, out, [x], { axis, reverse }) =>
    k.host(out, [x], (y, [values]) => {
      const extent = reduceExtent(x.shape, axis, axis)
      eachRow(extent, (begin, step) => {
        let sum = -Infinity
        for (let i = 0; i < extent.length; i++) {
          const at = begin + (reverse ? extent.length - 1 - i : i) * step
          const [most, least] = values[at] > sum ? [values[at], sum] : [sum, values[at]]
          // ln(eᵃ + eᵇ) by the greater, which may be infinite.
          sum = most === least ? most + Math.LN2 : least === -Infinity ? most : most + Math.log1p(Math.exp(least - most))
          y[at] = sum
        }
      })
    }),
  // Both exponents are at most 0. A sum of nothing but −∞ is taken for 0, so that no ∞ − ∞ occurs.
  vjp: ({ dY, y, options: { axis, reverse } }, [x], ops) => [
    () => {
      const sums = ops.where(ops.equal(y, Number.NEGATIVE_INFINITY), 0, y)
      const before = shifted(y, { axis, reverse }, Number.NEGATIVE_INFINITY)
      const carried = ops.exp(ops.sub(before, sums))
      const back = { axis, reverse: !reverse }
      return ops.mul(ops.exp(ops.sub(x, sums)), linearRecurrence(shifted(carried, back, 0), dY, back))
    },
  ],
  samples: directions({}),
})

/**
 * Running ln Σ eˣ along an axis (the last by default), without overflow: y[i] = ln Σ e^x[j] for j ≤ i, j < i if exclusive, from the end if reverse.
 *
 * Shape:    [..] → [..]
 * Gradient: dX = Σ dY[i]·e^(x − y[i]) over the sums that x is in
 *
 * @example
 * ```ts
 * logCumSumExp(tensor([0, 0, -Infinity]))   // ≈ [0, 0.6931, 0.6931]
 * ```
 */
export function logCumSumExp<S extends Shape>(x: Tensor<S>, options: CumulativeOptions = {}): Tensor<S> {
  requireFloats('logCumSumExp', 'x', x)
  const direction = directionOf('logCumSumExp', x, options, ALL)
  return scope(() => {
    const y = callLogCumSumExp([x], direction)
    return (options.exclusive ? shifted(y, direction, Number.NEGATIVE_INFINITY) : y) as Tensor<S>
  })
}

function directions<O>(more: O): Sample<Direction & O>[] {
  const by = (axis: number, reverse: boolean) => ({ axis, reverse, ...more })
  return [
    sampleWith(by(0, false), [7]),
    sampleWith(by(0, true), [3, 5]),
    sampleWith(by(1, false), [2, 3, 4]),
    sampleWith(by(1, false), [3, 1]),
    sampleWith(by(0, false), [0, 3]),
    sampleWith(by(1, true), { shape: [67, 30], low: -1.2, high: 1.2 }),
  ]
}
