/**
 * Normalisation: values with mean 0 and variance 1. `batchNorm` normalises each channel over the rows of a batch (Ioffe & Szegedy 2015), `layerNorm` each
 * row over its features (Ba, Kiros, Hinton 2016).
 */

import { requireNumber, requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { normalizationKernels } from '../../backends/families/normalization.js'
import { shapeError } from '../../errors.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireChannels, requireFloats, requireNoMore } from '../requirements.js'

/** A factor and a shift for the normalised values, and a number that keeps the division finite. */
export interface NormalizeOptions {
  /** The factor, [c]; 1 by default. */
  gamma?: Tensor
  /** The shift, [c]; 0 by default. */
  beta?: Tensor
  /** Added to the variance; 0.001 by default. */
  epsilon?: number
}

/** Which of the optional inputs there are: gamma if `scale`, then beta if `center`. They follow the other inputs. */
interface Settings {
  scale: boolean
  center: boolean
  epsilon: number
}

const settings = (scale: boolean, center: boolean, epsilon = 1e-3): Settings => ({ scale, center, epsilon })

/** Gamma and beta, if there are any, behind the first `count` inputs. */
const affine = (inputs: readonly Tensor[], count: number, { scale, center }: Settings): { gamma?: Tensor; beta?: Tensor } => ({
  gamma: scale ? inputs[count] : undefined,
  beta: center ? inputs[count + (scale ? 1 : 0)] : undefined,
})

const shapes: Shape[] = [
  [4, 3],
  [2, 3, 5],
  [1, 4],
  [67, 130],
]

/** Row i of a pair [2, c], as [c]. */
const rowOf = (pair: Tensor, i: number, ops: Ops): Tensor => ops.reshape(ops.slice(pair, [i, 0], [1]), [pair.shape[1]])
const asRows = (x: Tensor, ops: Ops): Tensor => ops.reshape(x, [-1, x.shape[x.rank - 1]])

const callChannelSums = defineComposed({
  name: 'channelSums',
  compose: ([x, dY, center], _, ops) => {
    const [rows, cotangents] = [asRows(x, ops), asRows(dY, ops)]
    const products = ops.mul(cotangents, ops.sub(rows, center))
    return ops.stack([ops.sum(cotangents, { axis: 0 }), ops.sum(products, { axis: 0 })])
  },
  fused: {
    family: normalizationKernels,
    kernel: 'channelSums',
    rule: '(through its composition)',
    shape: ([x, , center]) => ({ shape: [2, center.shape[0]], dtype: x.dtype }),
    forward: (fused, out, [x, dY, center]) => fused.channelSums(out, x, dY, center),
  },
  samples: [...shapes, [7]].map((shape) => ({ inputs: [shape, shape, shape.slice(-1)] })),
})

// (x − center)·scale + shift. Inputs: x [.., c]; center, scale and optionally shift [c]. batchNorm and the derivative of moments use it.
const callNormalize: (inputs: readonly Tensor[], options: object) => Tensor = defineComposed({
  name: 'normalize',
  compose: ([x, center, scale, shift], _, ops) => {
    const y = ops.mul(ops.sub(x, center), scale)
    return shift ? ops.add(y, shift) : y
  },
  fused: {
    family: normalizationKernels,
    kernel: 'normalize',
    rule: 'dX = dY·scale, dCenter = −scale·Σ dY, dScale = Σ dY·(x − center), dShift = Σ dY',
    shape: ([x]) => x,
    forward: (fused, out, [x, center, scale, shift]) => fused.normalize(out, x, center, scale, shift),
    vjp: ({ dY }, [x, center, scale, shift], ops) => {
      let pair: Tensor | undefined
      const sums = (i: number): Tensor => {
        pair ??= callChannelSums([x, dY, center], {})
        return rowOf(pair, i, ops)
      }
      return [() => ops.mul(dY, scale), () => ops.neg(ops.mul(scale, sums(0))), () => sums(1), ...(shift ? [() => sums(0)] : [])]
    },
  },
  samples: [...shapes, [0, 3]].map((shape, i) => {
    const channel = shape.slice(-1)
    return { inputs: [shape, channel, channel, ...(i % 2 === 0 ? [channel] : [])] }
  }),
})

const callMoments = defineComposed({
  name: 'moments',
  compose: ([x], _, ops) => {
    const rows = asRows(x, ops)
    const average = ops.mean(rows, { axis: 0 })
    return ops.stack([average, ops.mean(ops.square(ops.sub(rows, average)), { axis: 0 })])
  },
  fused: {
    family: normalizationKernels,
    kernel: 'moments',
    rule: 'dX = (dMean + 2·(x − mean)·dVariance)/n',
    shape: ([x]) => ({ shape: [2, x.shape[x.shape.length - 1]], dtype: x.dtype }),
    forward: (fused, out, [x]) => fused.moments(out, x),
    vjp: ({ dY, y }, [x], ops) => [
      () => {
        const rows = x.size / y.shape[1]
        const [dMean, dVariance] = [0, 1].map((i) => rowOf(dY, i, ops))
        return callNormalize([x, rowOf(y, 0, ops), ops.mul(dVariance, 2 / rows), ops.div(dMean, rows)], {})
      },
    ],
  },
  samples: [...shapes, [7], [2100, 5]].map((shape) => ({ inputs: [shape] })),
})

/**
 * Mean and variance of each channel, over all axes but the last. The variance divides by n, not by n − 1.
 *
 * Shape:    [.., c] → [2, c]: the means, then the variances
 * Gradient: dX = (dMean + 2·(x − mean)·dVariance)/n
 *
 * @throws ShapeError if there is nothing to average over.
 * @example
 * ```ts
 * moments(tensor([[1, 10], [3, 30]])) // [[2, 20], [1, 100]]
 * ```
 */
export function moments(x: Tensor): Tensor
export function moments(x: Tensor, ...more: unknown[]): Tensor {
  if (more.length > 0) requireNoMore('moments', x, more, 'one tensor and goes over all its axes but the last')
  requireFloats('moments', 'x', x)
  if (x.size === 0 || x.rank === 0) {
    throw shapeError('moments', 'there is nothing to average over', [{ name: 'x', shape: x.shape }])
  }
  return callMoments([x], {})
}

const callBatchNorm = defineComposed<Settings>({
  name: 'batchNorm',
  compose: (inputs, options, ops) => {
    const [x, mean, variance] = inputs
    const { gamma, beta } = affine(inputs, 3, options)
    const factor = ops.rsqrt(ops.add(variance, options.epsilon))
    return callNormalize([x, mean, gamma ? ops.mul(factor, gamma) : factor, ...(beta ? [beta] : [])], {})
  },
  samples: shapes.map((shape, i): Sample<Settings> => {
    const channel = shape.slice(-1)
    const [scale, center] = [i !== 1, i !== 2]
    const extra = [...(scale ? [channel] : []), ...(center ? [channel] : [])]
    return { inputs: [shape, channel, { shape: channel, low: 0.3, high: 2 }, ...extra], options: settings(scale, center) }
  }),
})

/**
 * (x − mean)/√(variance + ε)·gamma + beta, with one mean and one variance for each channel (Ioffe & Szegedy 2015). With `moments(x)` this is batch
 * normalisation in training, with moving averages in inference.
 *
 * Shape:    x [.., c], mean, variance, gamma and beta [c] → [.., c]
 * Gradient: dX = dY·gamma/√(variance + ε); also to mean, variance, gamma and beta
 *
 * @throws ShapeError unless mean, variance, gamma and beta have one number for each channel.
 * @example
 * ```ts
 * batchNorm(tensor([[1], [3]]), tensor([2]), tensor([4]), { epsilon: 0 }) // ≈ [[-0.5], [0.5]]
 * ```
 */
export function batchNorm(x: Tensor, mean: Tensor, variance: Tensor, options: NormalizeOptions = {}): Tensor {
  const { gamma, beta, epsilon } = requireNormalize('batchNorm', options)
  requireTensor('batchNorm', 'mean', mean)
  requireTensor('batchNorm', 'variance', variance)
  requireChannels('batchNorm', x, { mean, variance, gamma, beta })
  const inputs = [x, mean, variance, gamma, beta].filter((t) => t !== undefined)
  return callBatchNorm(inputs, settings(gamma !== undefined, beta !== undefined, epsilon))
}

const rowSamples = (more: (shape: Shape) => Shape[]): Sample<Settings>[] =>
  [...shapes, [0, 3]].map((shape, i) => {
    const [scale, center] = [i !== 1, i !== 2]
    const channel = shape.slice(-1)
    return { inputs: [shape, ...more(shape), ...(scale ? [channel] : []), ...(center ? [channel] : [])], options: settings(scale, center) }
  })

const overRow = { axis: -1, keepDims: true } as const
/** Each row with mean 0 and variance 1, and the factor 1/√(variance + ε) of the row. */
function unitRows(x: Tensor, epsilon: number, ops: Ops): { unit: Tensor; factor: Tensor } {
  const factor = ops.rsqrt(ops.add(ops.variance(x, overRow), epsilon))
  return { unit: ops.mul(ops.sub(x, ops.mean(x, overRow)), factor), factor }
}

const callLayerNorm: (inputs: readonly Tensor[], options: Settings) => Tensor = defineComposed<Settings>({
  name: 'layerNorm',
  compose: (inputs, options, ops) => {
    const { gamma, beta } = affine(inputs, 1, options)
    const { unit } = unitRows(inputs[0], options.epsilon, ops)
    const scaled = gamma ? ops.mul(unit, gamma) : unit
    return beta ? ops.add(scaled, beta) : scaled
  },
  fused: {
    family: normalizationKernels,
    kernel: 'layerNorm',
    rule: 'dX = layerNormGradient(X, dY, gamma), [dGamma, dBeta] = layerNormSums(X, dY) = [Σ dY·u, Σ dY], where u = (x − mean)/√(variance + ε)',
    shape: ([x]) => x,
    forward: (fused, out, inputs, options) => {
      const { gamma, beta } = affine(inputs, 1, options)
      fused.layerNorm(out, inputs[0], gamma, beta, options.epsilon)
    },
    vjp: ({ dY, options }, inputs, ops) => {
      const [x] = inputs
      const { gamma, beta } = affine(inputs, 1, options)
      let pair: Tensor | undefined
      const sums = (i: number): Tensor => {
        pair ??= callLayerNormSums([x, dY], options)
        return rowOf(pair, i, ops)
      }
      return [
        () => callLayerNormGradient([x, dY, ...(gamma ? [gamma] : [])], options),
        ...(gamma ? [() => sums(0)] : []),
        ...(beta ? [() => sums(1)] : []),
      ]
    },
  },
  samples: rowSamples(() => []),
})

// The dX of layerNorm. Inputs: x, dY and optionally gamma.
const callLayerNormGradient = defineComposed<Settings>({
  name: 'layerNormGradient',
  compose: (inputs, options, ops) => {
    const [x, dY] = inputs
    const { gamma } = affine(inputs, 2, options)
    const { unit, factor } = unitRows(x, options.epsilon, ops)
    const g = gamma ? ops.mul(dY, gamma) : dY
    const along = ops.mul(unit, ops.mean(ops.mul(g, unit), overRow))
    return ops.mul(factor, ops.sub(ops.sub(g, ops.mean(g, overRow)), along))
  },
  fused: {
    family: normalizationKernels,
    kernel: 'layerNormGradient',
    rule: '(through its composition)',
    shape: ([x]) => x,
    forward: (fused, out, inputs, options) =>
      fused.layerNormGradient(out, inputs[0], inputs[1], affine(inputs, 2, options).gamma, options.epsilon),
  },
  samples: rowSamples((shape) => [shape]).map((sample, i) => ({
    inputs: sample.inputs.slice(0, i === 1 ? 2 : 3),
    options: settings(i !== 1, false),
  })),
})

// The dGamma and dBeta of layerNorm, [2, c]. Inputs: x and dY.
const callLayerNormSums = defineComposed<Settings>({
  name: 'layerNormSums',
  compose: ([x, dY], { epsilon }, ops) => {
    const center = ops.zeros(x.shape.slice(-1), { dtype: x.dtype, backend: x.backend })
    const pair = callChannelSums([callLayerNorm([x], settings(false, false, epsilon)), dY, center], {})
    return ops.stack([rowOf(pair, 1, ops), rowOf(pair, 0, ops)])
  },
  fused: {
    family: normalizationKernels,
    kernel: 'layerNormSums',
    rule: '(through its composition)',
    shape: ([x]) => ({ shape: [2, x.shape[x.shape.length - 1]], dtype: x.dtype }),
    forward: (fused, out, [x, dY], { epsilon }) => fused.layerNormSums(out, x, dY, epsilon),
  },
  samples: [...shapes, [0, 3]].map((shape) => ({ inputs: [shape, shape], options: settings(false, false) })),
})

/**
 * (x − mean)/√(variance + ε)·gamma + beta, with the mean and variance of each row over the last axis (Ba, Kiros, Hinton 2016).
 *
 * Shape:    x [.., c], gamma and beta [c] → [.., c]
 * Gradient: with u = (x − mean)/σ and g = dY·gamma: dX = (g − mean(g) − u·mean(g·u))/σ, dGamma = Σ dY·u, dBeta = Σ dY
 *
 * @throws ShapeError unless gamma and beta have one number for each position of the last axis.
 * @example
 * ```ts
 * layerNorm(tensor([[1, 3], [10, 30]]), { epsilon: 0 }) // ≈ [[-1.000, 1.000], [-1.000, 1.000]]
 * ```
 */
export function layerNorm(x: Tensor, options: NormalizeOptions = {}): Tensor {
  const { gamma, beta, epsilon } = requireNormalize('layerNorm', options)
  requireChannels('layerNorm', x, { gamma, beta })
  const inputs = [x, gamma, beta].filter((t) => t !== undefined)
  return callLayerNorm(inputs, settings(gamma !== undefined, beta !== undefined, epsilon))
}

/** Throws unless these are options of a normalisation; returns them. */
function requireNormalize(op: string, options: NormalizeOptions): NormalizeOptions {
  requireOptions(op, options, ['gamma', 'beta', 'epsilon'])
  if (options.epsilon !== undefined) requireNumber(op, 'epsilon', options.epsilon, { least: 0 })
  return options
}
