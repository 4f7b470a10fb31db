/**
 * The long short-term memory over whole sequences (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates in Keras' order
 * i, f, c̃, o.
 */

import type { Sample } from '../../autodiff/op.js'
import { sampleWith, withoutGradient } from '../../autodiff/samples.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { defineRecurrenceGradient, sequenceVjp } from './back-through-time.js'
import { defineFromInputs, type FromInputsOptions, runOverInputs } from './from-inputs.js'
import { type GateActivation, gateVjp, requireGateActivation } from './gates.js'
import { lstmStep } from './lstm-cell.js'
import { initialStates, requireSequence, type SequenceOptions, type SequenceResult, takeResult } from './sequence-options.js'
import { defineRecurrence, type RecurrenceOptions } from './through-time.js'

interface LstmOptions extends RecurrenceOptions {
  recurrentActivation: GateActivation
  /** Whether dropout factors [n, u] are among the inputs. */
  dropped: boolean
}

const plain: LstmOptions = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', dropped: false }

const rule =
  'per step from the last: dO = dH·tanh c, dC += dH·o·(1 − tanh² c), dI = dC·c̃, dF = dC·c₋, dC̃ = dC·i; dZ = these times the slopes of the gates; dH₋ = dZ·Uᵀ, dC₋ = dC·f; dU = Σ h₋ᵀ·dZ'

/**
 * Inputs: dY and y [6, t, n, u], c₀ [n, u], U [u, 4u], optionally m [n, u] and a mask [n, t].
 * Output: [t + 1, n, 4u]: dZ of each step in the order taken, then dH₀, dC₀ and zeros.
 */
const callGradient = defineRecurrenceGradient<LstmOptions>({
  name: 'lstmSequenceGradient',
  states: 2,
  needsFrom: 1,
  columns: 4,
  back: ({ dStates: [dH, dC], dParts, parts: [, c, i, f, g, o], before: [before], weights: [U], drop }, { recurrentActivation }, ops) => {
    const squashed = ops.tanh(c)
    const dCell = ops.add(dC, ops.mul(ops.mul(dH, o), ops.sub(1, ops.square(squashed))))
    const dI = gateVjp(ops.add(dParts[2], ops.mul(dCell, g)), i, recurrentActivation, ops)
    const dF = gateVjp(ops.add(dParts[3], ops.mul(dCell, before)), f, recurrentActivation, ops)
    const dG = ops.mul(ops.add(dParts[4], ops.mul(dCell, i)), ops.sub(1, ops.square(g)))
    const dO = gateVjp(ops.add(dParts[5], ops.mul(dH, squashed)), o, recurrentActivation, ops)
    const dZ = ops.concat([dI, dF, dG, dO], -1)
    return { dZ, dBefore: [drop(ops.matMul(dZ, U, { transposeB: true })), ops.mul(dCell, f)] }
  },
  kernel: 'lstmSequenceGradient',
  samples: lstmSequenceGradientSamples(),
})

const vjp = sequenceVjp(callGradient, 2)

/**
 * Inputs: z = x·W + b [n, t, 4u]; h₀ and c₀ [n, u]; U [u, 4u]; optionally dropout factors m [n, u] and a mask [n, t].
 * Output: [6, t, n, u]: h, c, i, f, c̃, o.
 */
const call = defineRecurrence<LstmOptions>({
  name: 'lstmSequence',
  rule,
  states: 2,
  step: (z, [h, c], [recurrentKernel, dropout], { recurrentActivation }, ops) =>
    lstmStep(ops.add(z, ops.matMul(dropout ? ops.mul(h, dropout) : h, recurrentKernel)), c, recurrentActivation, ops),
  fused: {
    family: recurrentKernels,
    kernel: 'lstmSequence',
    rule,
    shape: ([z, h]) => ({ shape: [6, z.shape[1], ...h.shape], dtype: z.dtype }),
    forward: (fused, out, inputs, options) => fused.lstmSequence(out, inputs, options),
    vjp,
  },
  samples: lstmSequenceSamples(),
})

/** The same with x, W and b in the place of z. */
const callFromInputs = defineFromInputs<LstmOptions>({
  name: 'lstmFromInputs',
  gradient: 'lstmFromInputsGradient',
  gates: 4,
  states: 2,
  parts: 6,
  call,
  vjp,
  rule: `${rule}, dX = dZ·Wᵀ, dW = Xᵀ·dZ, dB = Σ dZ`,
  samples: lstmFromInputsSamples(),
  samplesOfGradient: lstmFromInputsGradientSamples(),
})

/** Options of `lstmSequence`. `initialState` is [h, c]. */
export interface LstmSequenceOptions extends SequenceOptions {
  /** The squashing function of the gates i, f and o; `sigmoid` by default. */
  recurrentActivation?: GateActivation
}

/**
 * An LSTM over a sequence (Hochreiter & Schmidhuber 1997, gates in Keras' order i, f, c̃, o). With (z_i, z_f, z_c, z_o) = x·W + h₋·U + b, each step is
 *
 * ```
 * i = σ(z_i)    f = σ(z_f)    c̃ = tanh(z_c)    o = σ(z_o)    c = f∘c₋ + i∘c̃    h = o∘tanh(c)
 * ```
 *
 * Shape:    x [n, t, in], kernel [in, 4u], recurrentKernel [u, 4u], bias [4u] → outputs [n, t, u] and states [h, c], each [n, u]
 * Gradient: through time, to everything but the mask; a tape keeps h, c and the gates of every step
 * Cost:     8·n·t·u·(in + u) flops forward
 *
 * @throws ShapeError that names the tensor that does not fit.
 * @example
 * ```ts
 * const { outputs, states } = lstmSequence(ones([2, 5, 3]), ones([3, 16]), zeros([4, 16]), zeros([16]), { goBackwards: true })
 * console.log(outputs?.shape, states[0].shape)   // [2, 5, 4] [2, 4]
 * ```
 */
export function lstmSequence(
  x: Tensor,
  kernel: Tensor,
  recurrentKernel: Tensor,
  bias?: Tensor,
  options: LstmSequenceOptions = {},
): SequenceResult {
  requireSequence('lstmSequence', { x, kernel, recurrentKernel, bias }, (width) => [width], 4, 2, options, ['recurrentActivation'])
  const { initialState, recurrentActivation = 'sigmoid' } = options
  requireGateActivation('lstmSequence', recurrentActivation)
  return scope(() => {
    const states = initialStates(x, recurrentKernel.shape[0], 2, initialState)
    const weights = { kernel, recurrentKernel, bias }
    const packed = runOverInputs({ overInputs: callFromInputs, overZ: call }, x, weights, states, options, { recurrentActivation })
    return takeResult(packed, 2, options)
  })
}

function lstmSequenceGradientSamples(): Sample<LstmOptions>[] {
  const everything = { ...plain, dropped: true, masked: true, goBackwards: true }
  const y = [6, 4, 5, 7]
  const U = { shape: [7, 28], low: -0.4, high: 0.4 }
  return [
    sampleWith(plain, [6, 2, 2, 2], [6, 2, 2, 2], [2, 2], [2, 8]),
    sampleWith({ ...plain, recurrentActivation: 'hardSigmoid' }, [6, 1, 1, 1], [6, 1, 1, 1], [1, 1], [1, 4]),
    sampleWith({ ...plain, dropped: true, goBackwards: true }, [6, 2, 2, 1], [6, 2, 2, 1], [2, 1], [1, 4], [2, 1]),
    withoutGradient('a mask has none; the other samples check the rest', sampleWith(everything, y, y, [5, 7], U, [5, 7], [5, 4])),
  ]
}

function lstmSequenceSamples(): Sample<LstmOptions>[] {
  return [
    sampleWith(plain, [2, 2, 8], [2, 2], [2, 2], [2, 8]),
    sampleWith({ ...plain, recurrentActivation: 'hardSigmoid' }, [1, 1, 4], [1, 1], [1, 1], [1, 4]),
    sampleWith({ ...plain, masked: true, goBackwards: true }, [2, 3, 4], [2, 1], [2, 1], [1, 4], [2, 3]),
    sampleWith({ ...plain, dropped: true }, [2, 2, 4], [2, 1], [2, 1], [1, 4], [2, 1]),
    sampleWith({ ...plain, dropped: true, masked: true }, [3, 2, 4], [3, 1], [3, 1], [1, 4], [3, 1], [3, 2]),
    sampleWith({ ...plain, masked: true }, [5, 7, 24], [5, 6], [5, 6], [6, 24], [5, 7]),
  ]
}

function lstmFromInputsGradientSamples(): Sample<FromInputsOptions<LstmOptions>>[] {
  const [simple, everything] = [
    { ...plain, biased: false },
    { ...plain, biased: false, dropped: true, masked: true, goBackwards: true, wantsX: true },
  ]
  const y = [6, 4, 9, 7]
  const [W, U] = [
    { shape: [5, 28], low: -0.4, high: 0.4 },
    { shape: [7, 28], low: -0.4, high: 0.4 },
  ]
  return [
    sampleWith({ ...simple, wantsX: true }, [6, 2, 2, 2], [6, 2, 2, 2], [2, 2, 3], [3, 8], [2, 2], [2, 2], [2, 8]),
    sampleWith(
      { ...simple, dropped: true, goBackwards: true, wantsX: true },
      [6, 2, 2, 1],
      [6, 2, 2, 1],
      [2, 2, 1],
      [1, 4],
      [2, 1],
      [2, 1],
      [1, 4],
      [2, 1],
    ),
    withoutGradient('W is not read', sampleWith(simple, [6, 2, 2, 2], [6, 2, 2, 2], [2, 2, 3], [3, 8], [2, 2], [2, 2], [2, 8])),
    withoutGradient(
      'a mask has none; the other samples check the rest',
      sampleWith(everything, y, y, [9, 4, 5], W, [9, 7], [9, 7], U, [9, 7], [9, 4]),
    ),
  ]
}

function lstmFromInputsSamples(): Sample<FromInputsOptions<LstmOptions>>[] {
  const [W, U] = [
    { shape: [5, 24], low: -0.5, high: 0.5 },
    { shape: [6, 24], low: -0.5, high: 0.5 },
  ]
  return [
    sampleWith({ ...plain, biased: true }, [2, 2, 3], [3, 8], [8], [2, 2], [2, 2], [2, 8]),
    sampleWith(
      { ...plain, biased: false, goBackwards: true, recurrentActivation: 'hardSigmoid' },
      [1, 2, 1],
      [1, 4],
      [1, 1],
      [1, 1],
      [1, 4],
    ),
    sampleWith({ ...plain, biased: true, dropped: true, masked: true }, [3, 2, 2], [2, 4], [4], [3, 1], [3, 1], [1, 4], [3, 1], [3, 2]),
    sampleWith({ ...plain, biased: true, masked: true }, [9, 7, 5], W, [24], [9, 6], [9, 6], U, [9, 7]),
  ]
}
