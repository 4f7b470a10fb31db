/** Grey images of 28 × 28 as convolutions take them. */
import { type NDArray, normalize, reshape } from '@cotangent/datasets'

export interface Images {
  x: NDArray<Float32Array> // [n, 28, 28, 1], 0 … 1
  y: NDArray<Uint8Array> // [n]
}

type Bytes = NDArray<Uint8Array>

/** Images of bytes, [n, 28, 28], with their classes. */
export const imagesOf = (x: Bytes, y: Bytes): Images => ({ x: normalize(reshape(x, [-1, 28, 28, 1]), 255), y })
