/** The arithmetic that all kinds of dropout share. */
import { bernoulli, dropout, type Key, type Shape, type Tensor, ValueError } from '@cotangent/core'

/**
 * Sets elements to 0 with probability `rate` and scales the others by 1/(1 − rate). Along an axis of size 1 in `shape`, all elements share one draw.
 */
export function drop(className: string, x: Tensor, rate: number, key: Key | undefined, shape: Shape = x.shape): Tensor {
  if (!key) throw new ValueError(`${className}: training needs a key. Pass { training: true, key } to apply.`)
  if (shape === x.shape) return dropout(key, x, rate)
  const kept = bernoulli(key, shape, 1 - rate, { dtype: x.dtype, backend: x.backend })
  return x.mul(kept.mul(1 / (1 - rate)))
}
