/** Normalisation of rows by their root mean square (Zhang & Sennrich: "Root mean square layer normalization", 2019). */
import { requireNumber, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireChannels } from '../requirements.js'

const overRow = { axis: -1, keepDims: true } as const

/** 1/√(mean x² + ε) of each row. */
const factorOf = (x: Tensor, epsilon: number, ops: Ops): Tensor => ops.rsqrt(ops.add(ops.mean(ops.square(x), overRow), epsilon))

const call = defineComposed<{ epsilon: number }>({
  name: 'rmsNorm',
  compose: ([x, gamma], { epsilon }, ops) => {
    const unit = ops.mul(x, factorOf(x, epsilon, ops))
    return gamma ? ops.mul(unit, gamma) : unit
  },
  // Through the composition a tape would keep four tensors of x's size; this keeps x.
  derivative: {
    rule: 'with g = dY·gamma: dX = (g − unit·mean(g·unit))·factor, dGamma = Σ dY·unit',
    vjp: ({ dY, options: { epsilon } }, [x, gamma], ops) => {
      const factor = factorOf(x, epsilon, ops)
      const unit = ops.mul(x, factor)
      return [
        () => {
          const g = gamma ? ops.mul(dY, gamma) : dY
          return ops.mul(ops.sub(g, ops.mul(unit, ops.mean(ops.mul(g, unit), overRow))), factor)
        },
        ...(gamma ? [() => ops.sumTo(ops.mul(dY, unit), gamma.shape)] : []),
      ]
    },
  },
  samples: samples(),
})

/**
 * x/√(mean x² + ε)·gamma, for each row over the last axis.
 *
 * Shape:    x [.., c], gamma [c] → [.., c]
 * Gradient: with g = dY·gamma, dX = (g − unit·mean(g·unit))·factor and dGamma = Σ dY·unit, unit being y without gamma, and factor 1/√(mean x² + ε)
 *
 * @throws ShapeError if gamma is not one number for each position of the last axis.
 * @example
 * ```ts
 * rmsNorm(tensor([[3, 4, 0, 0]]), { epsilon: 0 })   // ≈ [[1.2, 1.6, 0, 0]]
 * ```
 */
export function rmsNorm(x: Tensor, options: { gamma?: Tensor; epsilon?: number } = {}): Tensor {
  requireOptions('rmsNorm', options, ['gamma', 'epsilon'], 'rmsNorm(x, { gamma })')
  const { gamma, epsilon = 1e-6 } = options
  requireNumber('rmsNorm', 'epsilon', epsilon, { least: 0 })
  requireChannels('rmsNorm', x, { gamma })
  return call(gamma ? [x, gamma] : [x], { epsilon })
}

function samples(): Sample<{ epsilon: number }>[] {
  const row = (...inputs: Shape[]): Sample<{ epsilon: number }> => sampleWith({ epsilon: 1e-3 }, ...inputs)
  return [row([4, 3], [3]), row([2, 3, 5]), row([1, 1], [1]), row([7], [7]), row([0, 3], [3]), row([67, 130], [130])]
}
