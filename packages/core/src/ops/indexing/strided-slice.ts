/** Every s-th element along each axis, forwards or backwards, and its adjoint: elements spread out among zeros. */
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { type Shape, sameShape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { zeros } from '../create.js'
import { flip, pad, reshape, slice } from '../shape/move.js'

/** Element i of the result along axis a is element start[a] + i·step[a] of the tensor; steps are not 0. */
export interface Strides {
  readonly start: readonly number[]
  readonly step: readonly number[]
  /** Elements along each axis of the result. */
  readonly count: readonly number[]
}

const callStridedSlice = defineOp<Strides>({
  name: 'stridedSlice',
  rule: 'dX = dY spread out among zeros',
  shape: ([x], { count }) => ({ shape: count, dtype: x.dtype }),
  forward: (k, out, [x], { start, step }) => k.copy(out, x, { axis: x.shape.map((_, i) => i), start, step, fill: 0 }),
  vjp: ({ dY, options }, [x]) => [() => spread(dY, options, x.shape)],
  samples: stridedSliceSamples(),
})

/** The elements of x at start + i·step; the caller has checked that they exist. */
export function stridedSlice(x: Tensor, strides: Strides): Tensor {
  const { start, step, count } = strides
  const whole = sameShape(count, x.shape) && start.every((s) => s === 0) && step.every((s) => s === 1)
  return whole ? x : callStridedSlice([x], strides)
}

/** Zeros of `shape` that hold y at start + i·step: the adjoint of `stridedSlice`. */
export function spread(y: Tensor, { start, step }: Omit<Strides, 'count'>, shape: Shape): Tensor {
  if (y.size === 0) return zeros(shape, { dtype: y.dtype, backend: y.backend })
  const backwards = step.flatMap((s, i) => (s < 0 ? [i] : []))
  const forwards = backwards.length > 0 ? flip(y, backwards) : y
  const gaps = step.map(Math.abs)
  const first = start.map((s, i) => (step[i] < 0 ? s + step[i] * (y.shape[i] - 1) : s))
  let wide = forwards
  if (gaps.some((gap) => gap > 1)) {
    // [n] → [n, 1] → [n, s] → [n·s], whose last s − 1 zeros go.
    const columns = reshape(
      forwards,
      y.shape.flatMap((n) => [n, 1]),
    )
    const filled = pad(
      columns,
      gaps.flatMap((gap) => [[0, 0] as const, [0, gap - 1] as const]),
    )
    const rows = reshape(
      filled,
      y.shape.map((n, i) => n * gaps[i]),
    )
    wide = slice(
      rows,
      y.shape.map(() => 0),
      y.shape.map((n, i) => (n - 1) * gaps[i] + 1),
    )
  }
  return pad(
    wide,
    shape.map((n, i) => [first[i], n - first[i] - wide.shape[i]] as const),
  )
}

function stridedSliceSamples(): Sample<Strides>[] {
  const by = (start: number[], step: number[], count: number[]): Strides => ({ start, step, count })
  return [
    sampleWith(by([1], [2], [3]), [7]),
    sampleWith(by([6], [-1], [7]), [7]),
    sampleWith(by([5, 3], [-2, -3], [3, 2]), [7, 4]),
    sampleWith(by([0, 1, 1], [1, 2, 3], [2, 2, 2]), [3, 4, 5]),
    sampleWith(by([0, 0], [1, 2], [1, 1]), [1, 2]),
    sampleWith(by([2, 0], [1, 1], [0, 3]), [4, 3]),
    sampleWith(by([1], [2], [2]), { shape: [5], dtype: 'uint8', low: 0, high: 255 }),
    sampleWith(by([1, 128], [2, -3], [33, 43]), [67, 130]),
  ]
}
