/**
 * What a mask does to values behind it. A mask, bool [n, t], says which steps of a sequence count. Layers get it beside their input
 * (`CallContext.mask`) and say what goes on with their output (`Layer.outputMask`); at the end losses and metrics leave out what it does.
 */
import { shapeError, type Tensor } from '@cotangent/core'

/** @internal A mask as factors for values of at least as many axes: [n, t] → [n, t, 1, ..]. */
export function maskFactors(mask: Tensor, value: Tensor): Tensor {
  if (mask.rank > value.rank || mask.shape.some((n, i) => n !== value.shape[i])) {
    throw shapeError(
      'mask',
      'the values to be masked must begin with the axes of the mask',
      [
        { name: 'mask', shape: mask.shape },
        { name: 'values', shape: value.shape },
      ],
      'A loss or metric of your own must give a value for each step.',
    )
  }
  return mask.cast(value.dtype).reshape([...mask.shape, ...value.shape.slice(mask.rank).map(() => 1)])
}

/** @internal Any number of values a sample, averaged to one; a scalar counts for every sample. What is masked counts as 0. */
export function perSample(values: Tensor, samples: number, mask?: Tensor): Tensor {
  const value = mask ? values.mul(maskFactors(mask, values)) : values
  if (value.rank === 0) return value.broadcastTo([samples])
  return value.rank === 1 ? value : value.mean({ axis: value.shape.map((_, axis) => axis).slice(1) })
}
