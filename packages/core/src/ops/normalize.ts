/**
 * Normalisation: bringing values to mean 0 and variance 1, over the rows of a batch (Ioffe & Szegedy 2015) or over the features of each
 * row (Ba, Kiros, Hinton 2016). The scale gamma and the shift beta are optional inputs.
 */
import { defineComposed, type Sample } from '../define-op.js'
import { requireDType } from '../dtype.js'
import { shapeError } from '../errors.js'
import type { Shape } from '../shape.js'
import type { Tensor } from '../tensor.js'

/** What normalised values are multiplied by and shifted by, and what keeps the division finite. */
export interface NormalizeOptions {
  /** [c]; 1 if left out. */
  gamma?: Tensor
  /** [c]; 0 if left out. */
  beta?: Tensor
  /** Added to the variance; 0.001 by default. */
  epsilon?: number
}

/** Which of the optional inputs there are, in this order behind the others. */
interface Settings {
  scale: boolean
  center: boolean
  epsilon: number
}

const settings = (scale: boolean, center: boolean, epsilon = 1e-3): Settings => ({ scale, center, epsilon })

/** Inputs behind the first `count`: gamma and beta, where there are any. */
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

const callMoments = defineComposed({
  name: 'moments',
  compose: ([x], _, { mean, square, sub, stack, reshape }) => {
    const rows = reshape(x, [-1, x.shape[x.rank - 1]])
    const average = mean(rows, { axis: 0 })
    return stack([average, mean(square(sub(rows, average)), { axis: 0 })])
  },
  samples: [...shapes, [7]].map((shape) => ({ inputs: [shape] })),
})

/**
 * Mean and variance of each channel, over all axes but the last. The variance divides by n, not n − 1.
 *
 * Shape: [.., c] → [2, c], the means and then the variances
 *
 * @throws ShapeError if there is nothing to average over.
 * @example
 * ```ts
 * const [mean, variance] = split(moments(tensor([[1, 10], [3, 30]])), 2, 0)   // [[2, 20]], [[1, 100]]
 * ```
 */
export function moments(x: Tensor): Tensor {
  requireDType('moments', 'x', x.dtype, ['float32', 'float64'])
  if (x.size === 0 || x.rank === 0) {
    throw shapeError('moments', 'there is nothing to average over', [{ name: 'x', shape: x.shape }])
  }
  return callMoments([x], {})
}

const callBatchNorm = defineComposed<Settings>({
  name: 'batchNorm',
  compose: (inputs, options, { add, sub, mul, rsqrt }) => {
    const [x, mean, variance] = inputs
    const { gamma, beta } = affine(inputs, 3, options)
    const factor = rsqrt(add(variance, options.epsilon))
    const y = mul(sub(x, mean), gamma ? mul(factor, gamma) : factor)
    return beta ? add(y, beta) : y
  },
  samples: shapes.map((shape, i): Sample<Settings> => {
    const channel = shape.slice(-1)
    const [scale, center] = [i !== 1, i !== 2]
    const extra = [...(scale ? [channel] : []), ...(center ? [channel] : [])]
    return { inputs: [shape, channel, { shape: channel, low: 0.3, high: 2 }, ...extra], options: settings(scale, center) }
  }),
})

/**
 * Each channel with the given mean and variance taken out: (x − mean)/√(variance + ε)·gamma + beta. With `moments(x)` this is batch
 * normalisation in training, with moving averages in inference.
 *
 * Shape: x [.., c], mean, variance, gamma and beta [c] → [.., c]
 *
 * @throws ShapeError if a statistic is not one number a channel.
 */
export function batchNorm(x: Tensor, mean: Tensor, variance: Tensor, { gamma, beta, epsilon }: NormalizeOptions = {}): Tensor {
  requireChannels('batchNorm', x, { mean, variance, gamma, beta })
  const inputs = [x, mean, variance, gamma, beta].filter((t) => t !== undefined)
  return callBatchNorm(inputs, settings(gamma !== undefined, beta !== undefined, epsilon))
}

const callLayerNorm = defineComposed<Settings>({
  name: 'layerNorm',
  compose: (inputs, options, { mean, variance, add, sub, mul, rsqrt }) => {
    const [x] = inputs
    const { gamma, beta } = affine(inputs, 1, options)
    const over = { axis: -1, keepDims: true } as const
    const unit = mul(sub(x, mean(x, over)), rsqrt(add(variance(x, over), options.epsilon)))
    const scaled = gamma ? mul(unit, gamma) : unit
    return beta ? add(scaled, beta) : scaled
  },
  samples: [...shapes, [0, 3]].map((shape, i): Sample<Settings> => {
    const channel = shape.slice(-1)
    const [scale, center] = [i !== 1, i !== 2]
    const extra = [...(scale ? [channel] : []), ...(center ? [channel] : [])]
    return { inputs: [shape, ...extra], options: settings(scale, center) }
  }),
})

/**
 * Each row over the last axis with its own mean and variance taken out, times gamma, plus beta.
 *
 * Shape: x [.., c], gamma and beta [c] → [.., c]
 */
export function layerNorm(x: Tensor, { gamma, beta, epsilon }: NormalizeOptions = {}): Tensor {
  requireChannels('layerNorm', x, { gamma, beta })
  const inputs = [x, gamma, beta].filter((t) => t !== undefined)
  return callLayerNorm(inputs, settings(gamma !== undefined, beta !== undefined, epsilon))
}

function requireChannels(op: string, x: Tensor, others: Record<string, Tensor | undefined>): void {
  requireDType(op, 'x', x.dtype, ['float32', 'float64'])
  const channels = x.shape[x.rank - 1]
  for (const [name, t] of Object.entries(others)) {
    if (t === undefined || (t.rank === 1 && t.shape[0] === channels)) continue
    throw shapeError(op, `${name} needs one number for each position of x's last axis`, [
      { name: 'x', shape: x.shape, bad: x.rank > 0 ? [x.rank - 1] : [] },
      { name, shape: t.shape },
    ])
  }
}
