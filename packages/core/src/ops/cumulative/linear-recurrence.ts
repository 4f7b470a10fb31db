/**
 * The recurrence yₜ = aₜ·yₜ₋₁ + bₜ along an axis: running products, decaying sums, linear filters. Its derivative is the same recurrence from the other
 * end, so everything made of it has derivatives of any order, and none divides.
 */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { normalizeAxis, reduceExtent, type Shape, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { mul } from '../elementwise/binary.js'
import { requireFloats } from '../requirements.js'
import { pad, slice } from '../shape/move.js'
import { eachRow } from '../sort/row-order.js'

/** Along which axis, and from which end. */
export interface Direction {
  axis: number
  reverse: boolean
}

const call = defineOp<Direction>({
  name: 'linearRecurrence',
  rule: 'dB = the recurrence of dY with the next a from the other end, dA = dB·y before',
  shape: ([, b]) => b,
  forward: (k, out, [a, b], { axis, reverse }) =>
    k.host(out, [a, b], (y, [factors, terms]) => {
      const extent = reduceExtent(b.shape, axis, axis)
      eachRow(extent, (begin, step) => {
        let sum = 0
        for (let i = 0; i < extent.length; i++) {
          const at = begin + (reverse ? extent.length - 1 - i : i) * step
          sum = i === 0 ? terms[at] : factors[at] * sum + terms[at]
          y[at] = sum
        }
      })
    }),
  vjp: ({ dY, y, options: { axis, reverse } }, [a]) => {
    const back = (): Tensor => call([shifted(a, { axis, reverse: !reverse }, 0), dY], { axis, reverse: !reverse })
    return [() => mul(back(), shifted(y, { axis, reverse }, 0)), back]
  },
  samples: recurrenceSamples(),
})

/**
 * The linear recurrence yₜ = aₜ·yₜ₋₁ + bₜ along an axis (the last by default), from y = 0; from the end if `reverse`.
 *
 * Shape:    a and b [..] → [..]
 * Gradient: gₜ = dYₜ + aₜ₊₁·gₜ₊₁ is dB, and dAₜ = gₜ·yₜ₋₁
 * Cost:     one pass on the host
 *
 * @throws ShapeError if the shapes differ.
 * @example
 * ```ts
 * linearRecurrence(tensor([0, 0.5, 0.5]), tensor([8, 0, 1]))   // [8, 4, 3]
 * ```
 */
export function linearRecurrence<S extends Shape>(a: Tensor<S>, b: Tensor<S>, options: Partial<Direction> = {}): Tensor<S> {
  requireFloats('linearRecurrence', 'a', a)
  requireFloats('linearRecurrence', 'b', b)
  const direction = directionOf('linearRecurrence', b, options)
  if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) {
    throw shapeError('linearRecurrence', 'a and b must have one shape and one dtype', [
      { name: 'a', shape: a.shape },
      { name: 'b', shape: b.shape },
    ])
  }
  return call([a, b], direction) as Tensor<S>
}

/** The options of a cumulative op, checked. */
export function directionOf(
  op: string,
  x: Tensor,
  options: Partial<Direction> & { exclusive?: boolean },
  names = ['axis', 'reverse'],
): Direction {
  requireTensor(op, 'x', x)
  requireOptions(op, options, names, `${op}(x, { axis: 1 })`)
  const { axis = -1, reverse = false, exclusive = false } = options
  requireBoolean(op, 'reverse', reverse)
  requireBoolean(op, 'exclusive', exclusive)
  return { axis: normalizeAxis(op, axis, x.rank), reverse }
}

/** Each element moved one place on in the direction of the walk; `first` comes in, and the last element leaves. */
export function shifted(x: Tensor, { axis, reverse }: Direction, first: number): Tensor {
  if (x.shape[axis] === 0) return x
  const along = (one: readonly [number, number]) => x.shape.map((_, i) => (i === axis ? one : ([0, 0] as const)))
  const wide = pad(x, along(reverse ? [0, 1] : [1, 0]), first)
  return slice(
    wide,
    x.shape.map((_, i) => (i === axis && reverse ? 1 : 0)),
    x.shape,
  )
}

function recurrenceSamples(): Sample<Direction>[] {
  return [
    sampleWith({ axis: 0, reverse: false }, [5], [5]),
    sampleWith({ axis: 0, reverse: true }, [3, 5], [3, 5]),
    sampleWith({ axis: 1, reverse: false }, [2, 3, 4], [2, 3, 4]),
    sampleWith({ axis: 0, reverse: false }, [1, 4], [1, 4]),
    sampleWith({ axis: 0, reverse: false }, [0, 3], [0, 3]),
    sampleWith({ axis: 1, reverse: true }, { shape: [67, 130], low: -0.9, high: 0.9 }, [67, 130]),
  ]
}
