import { requireBoolean, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import { sample, sampleWith } from '../../autodiff/samples.js'
import { normalizeAxes } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'
import type { ReduceOptions } from './reduce.js'

const call = defineComposed<ReduceOptions>({
  name: 'std',
  compose: ([x], options, ops) => ops.sqrt(ops.variance(x, options)),
  samples: [
    sample([6]),
    sampleWith({ axis: 0 }, [3, 5]),
    sampleWith({ axis: [0, 2], keepDims: true }, [2, 3, 4]),
    sampleWith({ axis: 1 }, [67, 130]),
  ],
})

/**
 * The standard deviation over the axes: the root of `variance`, which divides by n, not n − 1. Where all values are equal it has no derivative (NaN).
 *
 * Shape:    the axes go, or stay with size 1 under `keepDims`
 * Gradient: dX = dY·(x − mean)/(n·y)
 *
 * @example
 * ```ts
 * std(tensor([1, 3, 1, 3]))   // 1
 * ```
 */
export function std(x: Tensor, options: ReduceOptions = {}): Tensor {
  requireFloats('std', 'x', x)
  requireOptions('std', options, ['axis', 'keepDims'], 'x.std({ axis: 1 })')
  const { axis, keepDims = false } = options
  requireBoolean('std', 'keepDims', keepDims)
  return call([x], { axis: normalizeAxes('std', axis, x.rank), keepDims })
}
