/** Repeating a tensor along axes, and the adjoint: summing along them. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError, showShape } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { broadcastAxes, checkShape, type Shape, sameShape } from '../../tensor/shape.js'
import type { Made } from '../../tensor/static-shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { reshape } from '../shape/move.js'
import { sum } from './reduce.js'

const callBroadcastTo = defineOp<{ shape: Shape }>({
  name: 'broadcastTo',
  rule: 'dX = Σ dY over the repeated axes',
  shape: ([x], { shape }) => {
    const lead = shape.length - x.shape.length
    const bad = x.shape.findIndex((n, i) => n !== 1 && n !== shape[i + lead])
    if (lead < 0 || bad >= 0) {
      throw shapeError(
        'broadcastTo',
        `${showShape(x.shape)} does not broadcast to ${showShape(shape)}`,
        [
          { name: 'x', shape: x.shape, bad: bad >= 0 ? [bad] : [] },
          { name: 'to', shape, bad: bad >= 0 ? [bad + lead] : [] },
        ],
        'Only axes of size 1 are repeated, and new axes appear on the left.',
      )
    }
    return { shape, dtype: x.dtype }
  },
  forward: (k, out, [x]) => {
    const lead = out.rank - x.rank
    const axis = out.shape.map((n, i) => (i < lead || (x.shape[i - lead] === 1 && n !== 1) ? -1 : i - lead))
    k.copy(out, x, { axis, start: axis.map(() => 0), step: axis.map(() => 1), fill: 0 })
  },
  vjp: ({ dY }, [x], ops) => [() => ops.sumTo(dY, x.shape)],
  linear: true,
  samples: broadcastToSamples(),
})
/**
 * x repeated to a larger shape by NumPy's rule: axes of size 1 are repeated, and new axes appear on the left.
 *
 * Shape:    [.., 1, ..] → the given shape
 * Gradient: dX = Σ dY over the repeated axes
 *
 * @throws ShapeError if x does not broadcast to the shape.
 * @example
 * ```ts
 * broadcastTo(tensor([1, 2]), [3, 2]) // [[1, 2], [1, 2], [1, 2]]
 * ```
 */
export function broadcastTo<N extends number, S extends readonly N[] | readonly []>(x: Tensor, shape: S): Made<S> {
  requireTensor('broadcastTo', 'x', x)
  checkShape('broadcastTo', shape)
  return (sameShape(x.shape, shape) ? x : callBroadcastTo([x], { shape })) as Made<S>
}

/**
 * x summed over the axes along which `broadcastTo` would repeat the given shape: the adjoint of `broadcastTo`.
 *
 * Shape:    the broadcast shape → the given shape
 * Gradient: dX = broadcast(dY)
 *
 * @throws ShapeError if the shape does not broadcast to that of x.
 * @example
 * ```ts
 * sumTo(ones([3, 2]), [2]) // [3, 3]
 * ```
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  requireTensor('sumTo', 'x', x)
  checkShape('sumTo', shape)
  if (sameShape(x.shape, shape)) return x
  const lead = x.rank - shape.length
  if (lead < 0 || shape.some((n, i) => n !== 1 && n !== x.shape[i + lead])) {
    throw shapeError('sumTo', `${showShape(shape)} does not broadcast to ${showShape(x.shape)}`, [
      { name: 'x', shape: x.shape },
      { name: 'to', shape },
    ])
  }
  const axis = broadcastAxes(shape, x.shape)
  return scope(() => reshape(axis.length > 0 ? sum(x, { axis }) : x, shape))
}

function broadcastToSamples(): Sample<{ shape: Shape }>[] {
  return [
    sampleWith({ shape: [3] }, []),
    sampleWith({ shape: [3, 4] }, [4]),
    sampleWith({ shape: [2, 3, 5, 2] }, [3, 1, 2]),
    sampleWith({ shape: [0, 3] }, [1, 3]),
    sampleWith({ shape: [67, 130] }, [1, 130]),
    sampleWith({ shape: [2, 5] }, { shape: [2, 1], dtype: 'uint8', low: 0, high: 255 }),
  ]
}
