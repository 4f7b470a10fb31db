/** Vectors scaled to length 1. */
import { type Tensor, where } from '@cotangent/core'

/** @internal x / √max(Σx², 1e-12) over an axis, the last by default, as Keras' l2_normalize. Rows whose squares exceed float32 are scaled by 2⁻⁷² first. */
export function unitLength(x: Tensor, { axis }: { axis: number } = { axis: -1 }): Tensor {
  const kept = { axis, keepDims: true }
  const scaled = x.mul(
    where(
      x
        .abs()
        .max(kept)
        .greater(2 ** 60),
      2 ** -72,
      1,
    ),
  )
  return scaled.mul(scaled.square().sum(kept).maximum(1e-12).rsqrt())
}
