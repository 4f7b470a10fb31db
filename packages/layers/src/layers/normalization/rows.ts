/** Normalisation over any axes, by ops that work on rows. */
import type { Tensor } from '@cotangent/core'

/** f on x with `axes` as one last axis, and the axes of the result where they were. */
export function asRows(x: Tensor, axes: readonly number[], f: (rows: Tensor) => Tensor): Tensor {
  const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes]
  const moved = x.transpose(order)
  const size = axes.reduce((n, axis) => n * x.shape[axis], 1)
  const rows = moved.reshape([x.size / Math.max(1, size), size])
  return f(rows)
    .reshape(moved.shape)
    .transpose(order.map((_, i) => order.indexOf(i)))
}
