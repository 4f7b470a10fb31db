/** Vectors scaled to length 1. */
import { type Tensor, where } from '@cotangent/core'

const kept = { axis: -1, keepDims: true } as const

/** @internal x / √max(Σx², 1e-12) over the last axis, as Keras' l2_normalize. Rows whose squares exceed float32 are scaled by 2⁻⁷² first. */
export function unitLength(x: Tensor): Tensor {
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
