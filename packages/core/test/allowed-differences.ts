/** Where a backend may differ from the reference at the edges, and why. A row that no comparison needs fails the test: what is mended leaves the table. */
import type { Allowed } from './extremes.js'

const depthwise = ['depthwise', 'depthwiseConv2d', 'depthwiseInputGradient', 'depthwiseFilterGradient']
const convolutions = ['conv2d', 'conv2dTranspose', 'conv2dFilterGradient', ...depthwise]
const normalizing = ['batchNorm', 'normalize', 'layerNorm', 'moments']
const backward = ['lstmSequenceGradient', 'gruSequenceGradient', 'gruResetAfterSequenceGradient', 'simpleRnnSequenceGradient']
const recurrent = ['lstmCell', 'lstmSequence', 'gruSequence', 'simpleRnnSequence', ...backward]

const all = ['wasm', 'gpu']
const infinities = ['infinity', 'minusInfinity'] as const
const beyond = ['largest', 'minusLargest'] as const

const notFinite = (x: number): boolean => !Number.isFinite(x)

export const allowed: readonly Allowed[] = [
  {
    ops: [...convolutions, ...normalizing, ...recurrent, 'affine', 'matMul', 'channelSums', 'layerNormGradient', 'averagePool2d'],
    backends: all,
    kinds: beyond,
    reason:
      'Sums are taken in float32, where products of the largest numbers are ∞ before the sum is complete; the reference adds in float64.',
  },
  {
    ops: ['mul', 'mulNoNaN', 'prod'],
    backends: all,
    kinds: beyond,
    of: 'gradient',
    where: (got) => notFinite(got),
    reason: 'The same, in the sum over the axes along which an input was repeated.',
  },
  {
    ops: [...recurrent, 'layerNorm', 'layerNormGradient'],
    backends: all,
    kinds: ['large'],
    reason: 'The same for squares and products of 1e20 and 1e25, which are beyond float32; signs of ∞ go with the order of the sum.',
  },
  {
    ops: convolutions,
    backends: all,
    kinds: [...infinities, 'nan'],
    where: (_, want) => Number.isNaN(want),
    reason:
      'The definition multiplies zeros around the image with the filter, and 0·∞ is NaN. Kernels do not visit cells outside the image, so an infinite or NaN weight counts only where it meets a pixel.',
  },
  {
    ops: normalizing,
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got, want) => notFinite(got) && Number.isNaN(want),
    reason: 'Kernels take a factor out of a sum: ∞·Σ dY is ±∞ where Σ ∞·dY has both signs and is NaN. Neither is a derivative.',
  },
  {
    ops: ['lstmSequence'],
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got, want) => Number.isNaN(got) && notFinite(want),
    reason:
      'An infinite cell state: its cotangent is ∞·0 by way of the kept gates, and ∞ where the step is done again. Neither is a derivative.',
  },
  {
    ops: ['lstmSequence', 'simpleRnnSequence'],
    backends: all,
    kinds: ['nan', ...infinities],
    of: 'gradient',
    where: (_, want) => Number.isNaN(want),
    reason:
      'At a masked step kernels pass the cotangent by the cell; the definition pulls 0 through it, and 0·NaN stays. The public functions put 0 for x at masked steps, so that neither meets a NaN.',
  },
  {
    ops: ['simpleRnnSequence'],
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got) => Number.isNaN(got),
    reason: 'An infinite initial state at a masked first step: kernels take 1 − h² of what the step left, ∞. No cell makes such a state.',
  },
  {
    ops: backward,
    backends: ['wasm'],
    kinds: [...infinities, 'nan'],
    of: 'value',
    where: (got) => Number.isNaN(got),
    reason:
      'Infinite and NaN dropout factors: the kernel multiplies them with the product of the step after the last, 0. Factors are 0 or 1/(1 − rate).',
  },
  {
    ops: ['atan2', 'pow'],
    backends: ['gpu'],
    kinds: ['zeros', 'pairs'],
    reason: 'Devices do not tell −0 from 0: the angle π for −π, ∞ for −∞.',
  },
  {
    ops: ['maxPool2d', 'maxPool2dGradient'],
    backends: ['gpu'],
    kinds: ['minusInfinity'],
    where: (got, want) => got !== 0 && want === 0,
    reason:
      'A window of nothing but −∞ at the border: the definition, and the wasm kernel after it, give the cotangent to the border, which is −∞, too.',
  },
]
