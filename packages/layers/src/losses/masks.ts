/**
 * Masks in losses and metrics. A mask, bool [n, t], says which steps of a sequence count. Layers get it beside their input (`CallContext.mask`) and make
 * the mask of their output (`Layer.outputMask`). At the end, losses and metrics leave masked steps out.
 *
 * Values that do not count are selected away, not multiplied by 0: a masked step, or a sample of weight 0, may hold NaN, and NaN · 0 is NaN.
 */
import { shapeError, type Tensor, where } from '@cotangent/core'

const fits = (factors: Tensor, value: Tensor): boolean => factors.rank <= value.rank && factors.shape.every((n, i) => n === value.shape[i])

/** [n, t] → [n, t, 1, ..], with as many axes as the value. */
const spread = (factors: Tensor, value: Tensor): Tensor =>
  factors.reshape([...factors.shape, ...value.shape.slice(factors.rank).map(() => 1)])

/** True where a factor is not 0. */
const nonZero = (factors: Tensor): Tensor => (factors.dtype === 'bool' ? factors : factors.notEqual(0))

/** @internal A mask or weights as factors for values with at least as many axes: [n, t] → [n, t, 1, ..]. */
export function maskFactors(mask: Tensor, value: Tensor): Tensor {
  if (!fits(mask, value)) {
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
  return spread(mask.cast(value.dtype), value)
}

/** @internal Values times factors (a mask or weights). Where the factor is 0 the result is 0, whatever the value. */
export function weighed(values: Tensor, factors: Tensor): Tensor {
  const spreadFactors = maskFactors(factors, values)
  const counted = where(spread(nonZero(factors), values), values, 0)
  return factors.dtype === 'bool' ? counted : counted.mul(spreadFactors)
}

const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32' || dtype === 'float64'

/**
 * @internal Targets and predictions with harmless values where the factors are 0. Without it, a NaN there would reach the gradient: the gradient of the
 * selected loss is 0 there, and 0 times a derivative of NaN is NaN.
 */
export function hideUncounted(t: Tensor, p: Tensor, factors: Tensor): [t: Tensor, p: Tensor] {
  const counts = nonZero(factors)
  const hide = (x: Tensor, harmless: number): Tensor => (isFloat(x) && fits(factors, x) ? where(spread(counts, x), x, harmless) : x)
  return [hide(t, 0), hide(p, 0.5)]
}

/** @internal The mean of each sample's values; a scalar counts for every sample. Masked values count as 0. */
export function perSample(values: Tensor, samples: number, mask?: Tensor): Tensor {
  const value = mask ? weighed(values, mask) : values
  if (value.rank === 0) return value.broadcastTo([samples])
  return value.rank === 1 ? value : value.mean({ axis: value.shape.map((_, axis) => axis).slice(1) })
}
