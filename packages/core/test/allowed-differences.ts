/** The differences from the reference that are allowed at the edges, each with its reason. A row that no comparison needs fails the test, so a mended difference leaves the table. */
import type { Allowed } from './extremes.js'

const depthwise = ['depthwise', 'depthwiseConv2d', 'depthwiseInputGradient', 'depthwiseFilterGradient']
const convolutions = ['conv2d', 'conv2dTranspose', 'conv2dFilterGradient', 'groupedConv2d', 'conv3d', 'conv3dTranspose', ...depthwise]
const normalizing = ['batchNorm', 'normalize', 'layerNorm', 'layerNormSums', 'moments']
const attention = ['attentionWeights', 'scaledDotProductAttention', 'scaledDotProductAttentionGradient']
const fromInputs = ['lstmFromInputs', 'simpleRnnFromInputs']
const backFromInputs = ['lstmFromInputsGradient', 'simpleRnnFromInputsGradient']
const backward = [
  'lstmSequenceGradient',
  'gruSequenceGradient',
  'gruResetAfterSequenceGradient',
  'simpleRnnSequenceGradient',
  ...backFromInputs,
]
const recurrent = ['lstmCell', 'lstmSequence', 'gruSequence', 'simpleRnnSequence', ...fromInputs, ...backward]

const all = ['wasm', 'gpu']
const infinities = ['infinity', 'minusInfinity'] as const
const beyond = ['largest', 'minusLargest'] as const

const notFinite = (x: number): boolean => !Number.isFinite(x)

export const allowed: readonly Allowed[] = [
  {
    ops: [
      ...convolutions,
      ...normalizing,
      ...recurrent,
      ...attention,
      'groupNorm',
      'affineTransform',
      'affine',
      'einsum',
      'matMul',
      'matrixPower',
      'channelSums',
      'layerNormGradient',
      'rmsNormGradient',
      'rmsNormSums',
      'classCrossEntropyGradient',
      'averagePool2d',
    ],
    backends: all,
    kinds: beyond,
    reason:
      'Sums are taken in float32, where a product of the largest numbers is ∞ before the sum is complete. The reference adds in float64.',
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
    ops: [...recurrent, 'layerNorm', 'layerNormGradient', 'matrixPower', 'cofactors'],
    backends: all,
    kinds: ['large'],
    reason: 'The same for squares and products of 1e20 and 1e25, which are beyond float32. The sign of ∞ depends on the order of the sum.',
  },
  {
    ops: attention,
    backends: ['wasm'],
    kinds: ['large'],
    of: 'gradient',
    reason: 'The cotangent of the scores is a difference of nearly equal numbers. Keys of 1e20 multiply what rounding leaves of it.',
  },
  {
    ops: convolutions,
    backends: all,
    kinds: [...infinities, 'nan'],
    where: (_, want) => Number.isNaN(want),
    reason:
      'The definition multiplies the filter by zeros around the image, and 0·∞ is NaN. Kernels do not visit cells outside the image, so an infinite or NaN weight counts only where it meets a pixel.',
  },
  {
    ops: normalizing,
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got, want) => notFinite(got) && Number.isNaN(want),
    reason: 'Kernels take a factor out of a sum: ∞·Σ dY is ±∞. Where dY has both signs, Σ ∞·dY is NaN. Neither is a derivative.',
  },
  {
    ops: ['lstmSequence', 'lstmFromInputs'],
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got, want) => Number.isNaN(got) && notFinite(want),
    reason:
      'An infinite cell state: its cotangent is ∞·0 if it is computed from the kept gates, and ∞ if the step is computed again. Neither is a derivative.',
  },
  {
    ops: ['lstmSequence', 'simpleRnnSequence', ...fromInputs],
    backends: all,
    kinds: ['nan', ...infinities],
    of: 'gradient',
    where: (_, want) => Number.isNaN(want),
    reason:
      'At a masked step the cotangent bypasses the cell in kernels. The definition pulls 0 through the cell, and 0·NaN is NaN. The public functions set x to 0 at masked steps, so neither meets a NaN.',
  },
  {
    ops: ['simpleRnnSequence', 'simpleRnnFromInputs'],
    backends: all,
    kinds: infinities,
    of: 'gradient',
    where: (got) => Number.isNaN(got),
    reason:
      'An infinite initial state at a masked first step: kernels compute 1 − h² from the state that the step left, which is ∞. No cell makes such a state.',
  },
  {
    ops: backward,
    backends: ['wasm'],
    kinds: [...infinities, 'nan'],
    of: 'value',
    where: (got) => Number.isNaN(got),
    reason:
      'Infinite and NaN dropout factors: the kernel multiplies them by the product of the step after the last one, which is 0. Real factors are 0 or 1/(1 − rate).',
  },
  {
    ops: backFromInputs,
    backends: ['wasm'],
    kinds: [...infinities, 'nan'],
    of: 'gradient',
    where: (got) => Number.isNaN(got),
    reason: 'The same, in the op of the sequence that the composition calls.',
  },
  {
    ops: backFromInputs,
    backends: ['wasm'],
    kinds: infinities,
    where: (_, want) => Number.isNaN(want),
    reason:
      'The definition takes the sum of dU over the outputs, with zeros before the first step, and adds the part of the first state. Where dZ is infinite, 0·∞ is NaN. The kernel multiplies no zeros.',
  },
  {
    ops: ['atan2', 'pow'],
    backends: ['gpu'],
    kinds: ['zeros', 'pairs'],
    reason: 'Devices do not tell −0 from 0, so they give the angle π for −π, and ∞ for −∞.',
  },
  {
    ops: ['maxPool2d', 'maxPool2dGradient'],
    backends: ['gpu'],
    kinds: ['minusInfinity'],
    where: (got, want) => got !== 0 && want === 0,
    reason:
      'A window of nothing but −∞ at the border: in the definition, and in the wasm kernel, the cotangent goes to the border, which is −∞, too.',
  },
]
