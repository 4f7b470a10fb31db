import { type Tensor, where } from '@cotangent/core'

const kept = { axis: -1, keepDims: true } as const

/** @internal x / √max(Σx², 1e-12) over the last axis (Keras' l2_normalize); rows whose squares are beyond float32 by way of x·2⁻⁷². */
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
