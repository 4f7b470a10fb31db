/** Running sums. */
import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { requireDType } from '../../tensor/dtype.js'
import { normalizeAxis, reduceExtent, type Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'

const callCumSum = defineOp<{ axis: number; exclusive: boolean; reverse: boolean }>({
  name: 'cumSum',
  rule: 'dX = cumSum(dY) from the other end',
  shape: ([x]) => {
    requireDType('cumSum', 'x', x.dtype, ['float32', 'float64', 'int32'])
    return x
  },
  forward: (k, out, [x], { axis, exclusive, reverse }) => k.scan(out, x, reduceExtent(x.shape, axis, axis), exclusive, reverse),
  vjp: ({ dY, options }, _, ops) => [() => ops.cumSum(dY, { ...options, reverse: !options.reverse })],
  linear: true,
  samples: cumSumSamples(),
})
/**
 * The running sum along an axis, by default the last: y[i] = Σ x[j] over j ≤ i. With `exclusive` it is over j < i; with `reverse` the sum starts at
 * the end.
 *
 * Shape:    any → the same
 * Gradient: dX = cumSum(dY) from the other end
 *
 * @throws ValueError if a sum of int32 is beyond int32.
 * @example
 * ```ts
 * cumSum(tensor([1, 2, 3])) // [1, 3, 6]
 * cumSum(tensor([1, 2, 3]), { exclusive: true, reverse: true }) // [5, 3, 0]
 * ```
 */
export function cumSum<S extends Shape>(x: Tensor<S>, options: { axis?: number; exclusive?: boolean; reverse?: boolean } = {}): Tensor<S> {
  requireTensor('cumSum', 'x', x)
  requireOptions('cumSum', options, ['axis', 'exclusive', 'reverse'], 'x.cumSum({ axis: 1 })')
  const { axis = -1, exclusive = false, reverse = false } = options
  requireBoolean('cumSum', 'exclusive', exclusive)
  requireBoolean('cumSum', 'reverse', reverse)
  return callCumSum([x], { axis: normalizeAxis('cumSum', axis, x.rank), exclusive, reverse }) as Tensor<S>
}

function cumSumSamples(): Sample<{ axis: number; exclusive: boolean; reverse: boolean }>[] {
  return [
    sampleWith({ axis: 0, exclusive: false, reverse: false }, [7]),
    sampleWith({ axis: 0, exclusive: true, reverse: false }, [3, 5]),
    sampleWith({ axis: 1, exclusive: false, reverse: true }, [3, 5]),
    sampleWith({ axis: 1, exclusive: true, reverse: true }, [2, 1, 4]),
    sampleWith({ axis: 0, exclusive: false, reverse: false }, [0, 3]),
    sampleWith({ axis: 1, exclusive: false, reverse: false }, [67, 130]),
    sampleWith({ axis: 0, exclusive: false, reverse: false }, { shape: [6], dtype: 'int32', low: -9, high: 9 }),
  ]
}
