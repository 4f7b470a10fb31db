/** Normalisation of rows by their root mean square (Zhang & Sennrich: "Root mean square layer normalization", 2019). */
import { requireNumber, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample, Vjp } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { normalizationKernels } from '../../backends/families/normalization.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireChannels } from '../requirements.js'

const overRow = { axis: -1, keepDims: true } as const

/** 1/√(mean x² + ε) of each row. */
const factorOf = (x: Tensor, epsilon: number, ops: Ops): Tensor => ops.rsqrt(ops.add(ops.mean(ops.square(x), overRow), epsilon))

interface Settings {
  epsilon: number
}

const rule = 'with g = dY·gamma: dX = (g − unit·mean(g·unit))·factor, dGamma = Σ dY·unit'
const vjp: Vjp<Settings> = ({ dY, options }, [x, gamma]) => [
  () => callGradient(gamma ? [x, dY, gamma] : [x, dY], options),
  ...(gamma ? [() => callSums([x, dY], options)] : []),
]

const call = defineComposed<Settings>({
  name: 'rmsNorm',
  compose: ([x, gamma], { epsilon }, ops) => {
    const unit = ops.mul(x, factorOf(x, epsilon, ops))
    return gamma ? ops.mul(unit, gamma) : unit
  },
  // Through the composition a tape would keep four tensors of x's size; this keeps x.
  derivative: { rule, vjp },
  fused: {
    family: normalizationKernels,
    kernel: 'rmsNorm',
    rule,
    shape: ([x]) => x,
    forward: (fused, out, [x, gamma], { epsilon }) => fused.rmsNorm(out, x, gamma, epsilon),
  },
  samples: samples(),
})

// The dX of rmsNorm. Inputs: x, dY and optionally gamma.
const callGradient = defineComposed<Settings>({
  name: 'rmsNormGradient',
  compose: ([x, dY, gamma], { epsilon }, ops) => {
    const factor = factorOf(x, epsilon, ops)
    const unit = ops.mul(x, factor)
    const g = gamma ? ops.mul(dY, gamma) : dY
    return ops.mul(ops.sub(g, ops.mul(unit, ops.mean(ops.mul(g, unit), overRow))), factor)
  },
  fused: {
    family: normalizationKernels,
    kernel: 'rmsNormGradient',
    rule: '(through its composition)',
    shape: ([x]) => x,
    forward: (fused, out, [x, dY, gamma], { epsilon }) => fused.rmsNormGradient(out, x, dY, gamma, epsilon),
  },
  samples: samples().map(({ inputs: [x, ...gamma], options }) => ({ inputs: [x, x, ...gamma], options })),
})

// The dGamma of rmsNorm. Inputs: x and dY.
const callSums = defineComposed<Settings>({
  name: 'rmsNormSums',
  compose: ([x, dY], { epsilon }, ops) => ops.sumTo(ops.mul(dY, ops.mul(x, factorOf(x, epsilon, ops))), x.shape.slice(-1)),
  fused: {
    family: normalizationKernels,
    kernel: 'rmsNormSums',
    rule: '(through its composition)',
    shape: ([x]) => ({ shape: x.shape.slice(-1), dtype: x.dtype }),
    forward: (fused, out, [x, dY], { epsilon }) => fused.rmsNormSums(out, x, dY, epsilon),
  },
  samples: samples().map(({ inputs: [x], options }) => ({ inputs: [x, x], options })),
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

function samples(): Sample<Settings>[] {
  const row = (...inputs: Shape[]): Sample<Settings> => sampleWith({ epsilon: 1e-3 }, ...inputs)
  return [row([4, 3], [3]), row([2, 3, 5]), row([1, 1], [1]), row([7], [7]), row([0, 3], [3]), row([67, 130], [130])]
}
