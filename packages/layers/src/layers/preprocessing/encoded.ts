/** Whole numbers as rows of zeros and ones, or of counts: what layers that make categories give. */
import { oneHot, type Tensor } from '@cotangent/core'
import type { BatchShape } from '../../layer.js'

export type EncodingMode = 'one_hot' | 'multi_hot' | 'count'

/** The shape of `encoded`. */
export function encodedShape(shape: BatchShape, size: number, mode: EncodingMode): BatchShape {
  if (mode === 'one_hot') return shape.at(-1) === 1 && shape.length > 1 ? [...shape.slice(0, -1), size] : [...shape, size]
  return shape.length <= 1 ? [size] : [...shape.slice(0, 1), ...shape.slice(2), size]
}

/**
 * `one_hot` has a row for each number, in the place of a last axis of 1. The others have one for each sample, over axis 1 (or axis 0, if there is no other):
 * `multi_hot` has a 1 for each number that is there, `count` how often, or the sum of the weights.
 */
export function encoded(indices: Tensor, size: number, mode: EncodingMode, weights?: Tensor): Tensor {
  const whole = indices.cast('int32')
  if (mode === 'one_hot') {
    const rows = whole.shape.at(-1) === 1 && whole.rank > 1 ? whole.reshape(whole.shape.slice(0, -1)) : whole
    return oneHot(rows, size)
  }
  const rows = oneHot(whole, size) // [n, k, .., size]
  const axis = whole.rank <= 1 ? 0 : 1
  if (mode === 'multi_hot') return rows.max({ axis })
  return (weights ? rows.mul(weights.reshape([...weights.shape, 1])) : rows).sum({ axis })
}
