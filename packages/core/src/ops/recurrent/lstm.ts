/**
 * A long short-term memory over whole sequences (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates in
 * Keras' order i, f, c̃, o.
 */
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { requireGateActivation } from '../requirements.js'
import { defineRecurrenceGradient, sequenceVjp } from './back-through-time.js'
import {
  initialStates,
  optionalInputs,
  project,
  requireSequence,
  type SequenceOptions,
  type SequenceResult,
  takeResult,
} from './sequence-options.js'
import { defineRecurrence, type RecurrenceOptions } from './through-time.js'

/** The squashing function of gates: 1/(1 + e⁻ˣ), or Keras' straight line, 0.2x + ½ within [0, 1]. */
export type GateActivation = 'sigmoid' | 'hardSigmoid'

interface LstmOptions extends RecurrenceOptions {
  recurrentActivation: GateActivation
  /** Whether dropout factors [n, u] follow the recurrent kernel. */
  dropped: boolean
}

const plain: LstmOptions = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', dropped: false }

const rule =
  'per step from the last: dO = dH·tanh c, dC += dH·o·(1 − tanh² c), dI = dC·c̃, dF = dC·c₋, dC̃ = dC·i; dZ = those by the gates; dH₋ = dZ·Uᵀ, dC₋ = dC·f; dU = Σ h₋ᵀ·dZ'

/** dY and y [6, t, n, u], c₀, U, (m), (mask) → [t + 1, n, 4u], which is dZ and then dH₀, dC₀ */
const callGradient = defineRecurrenceGradient<LstmOptions>({
  name: 'lstmSequenceGradient',
  states: 2,
  gates: 4,
  back: ([dH, dC], dParts, [, c, i, f, g, o], [before], { recurrentActivation }, ops) => {
    const inside = (x: Tensor): Tensor => ops.mul(x, ops.sub(1, x))
    const dGate = (d: Tensor, gate: Tensor): Tensor =>
      recurrentActivation === 'sigmoid' ? ops.mul(d, inside(gate)) : ops.where(ops.greater(inside(gate), 0), ops.mul(d, 0.2), 0)
    const squashed = ops.tanh(c)
    const dCell = ops.add(dC, ops.mul(ops.mul(dH, o), ops.sub(1, ops.square(squashed))))
    const dI = dGate(ops.add(dParts[2], ops.mul(dCell, g)), i)
    const dF = dGate(ops.add(dParts[3], ops.mul(dCell, before)), f)
    const dG = ops.mul(ops.add(dParts[4], ops.mul(dCell, i)), ops.sub(1, ops.square(g)))
    const dO = dGate(ops.add(dParts[5], ops.mul(dH, squashed)), o)
    return { dZ: ops.concat([dI, dF, dG, dO], -1), dBefore: [ops.mul(dCell, f)] }
  },
  kernel: 'lstmSequenceGradient',
  samples: [
    {
      inputs: [
        [6, 2, 2, 2],
        [6, 2, 2, 2],
        [2, 2],
        [2, 8],
      ],
      options: plain,
    },
    {
      inputs: [
        [6, 1, 1, 1],
        [6, 1, 1, 1],
        [1, 1],
        [1, 4],
      ],
      options: { ...plain, recurrentActivation: 'hardSigmoid' },
    },
    {
      inputs: [
        [6, 2, 2, 1],
        [6, 2, 2, 1],
        [2, 1],
        [1, 4],
        [2, 1],
      ],
      options: { ...plain, dropped: true, goBackwards: true },
    },
    {
      inputs: [[6, 4, 5, 7], [6, 4, 5, 7], [5, 7], { shape: [7, 28], low: -0.4, high: 0.4 }, [5, 7], [5, 4]],
      options: { ...plain, dropped: true, masked: true, goBackwards: true },
      skipGradient: 'a mask has none; the other samples check the rest',
    },
  ],
})

/**
 * inputs: z [n, t, 4u], h₀ [n, u], c₀ [n, u], U [u, 4u], (dropout factors m [n, u]), (mask [n, t])
 * output: [6, t, n, u], which is h, c, i, f, c̃, o
 */
const call = defineRecurrence<LstmOptions>({
  name: 'lstmSequence',
  rule,
  states: 2,
  step: (z, [h, c], [recurrentKernel, dropout], { recurrentActivation }, ops) => {
    const gate = recurrentActivation === 'sigmoid' ? ops.sigmoid : (x: Tensor) => ops.clip(ops.add(ops.mul(x, 0.2), 0.5), 0, 1)
    const [zi, zf, zc, zo] = ops.split(ops.add(z, ops.matMul(dropout ? ops.mul(h, dropout) : h, recurrentKernel)), 4, -1) // [n, u] each
    const [i, f, g, o] = [gate(zi), gate(zf), ops.tanh(zc), gate(zo)]
    const next = ops.add(ops.mul(f, c), ops.mul(i, g))
    return [ops.mul(o, ops.tanh(next)), next, i, f, g, o]
  },
  fused: {
    kernel: 'lstmSequence',
    rule,
    shape: ([z, h]) => ({ shape: [6, z.shape[1], ...h.shape], dtype: z.dtype }),
    forward: (fused, out, inputs, options) => fused.lstmSequence(out, inputs, options),
    vjp: sequenceVjp(callGradient, 2),
  },
  samples: [
    {
      inputs: [
        [2, 2, 8],
        [2, 2],
        [2, 2],
        [2, 8],
      ],
      options: plain,
    },
    {
      inputs: [
        [1, 1, 4],
        [1, 1],
        [1, 1],
        [1, 4],
      ],
      options: { ...plain, recurrentActivation: 'hardSigmoid' },
    },
    {
      inputs: [
        [2, 3, 4],
        [2, 1],
        [2, 1],
        [1, 4],
        [2, 3],
      ],
      options: { ...plain, masked: true, goBackwards: true },
    },
    {
      inputs: [
        [2, 2, 4],
        [2, 1],
        [2, 1],
        [1, 4],
        [2, 1],
      ],
      options: { ...plain, dropped: true },
    },
    {
      inputs: [
        [3, 2, 4],
        [3, 1],
        [3, 1],
        [1, 4],
        [3, 1],
        [3, 2],
      ],
      options: { ...plain, dropped: true, masked: true },
    },
    {
      inputs: [
        [5, 7, 24],
        [5, 6],
        [5, 6],
        [6, 24],
        [5, 7],
      ],
      options: { ...plain, masked: true },
    },
  ],
})

/** Options of `lstmSequence`: `initialState` is [h, c]. */
export interface LstmSequenceOptions extends SequenceOptions {
  /** Of the gates i, f, o; `sigmoid` by default. */
  recurrentActivation?: GateActivation
}

/**
 * An LSTM over a sequence. With z = x·W + h₋·U + b split into i, f, c̃, o: c = σ(f)·c₋ + σ(i)·tanh(c̃), h = σ(o)·tanh(c).
 *
 * Shape:    x [n, t, in], kernel [in, 4u], recurrentKernel [u, 4u], bias [4u] → outputs [n, t, u] and states [h, c], each [n, u]
 * Gradient: through time, to everything but the mask; what the forward pass keeps is h, c and the gates of each step
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
  const { initialState, mask, goBackwards = false, recurrentDropout, recurrentActivation = 'sigmoid' } = options
  requireGateActivation('lstmSequence', recurrentActivation)
  return scope(() => {
    const states = initialStates(x, recurrentKernel.shape[0], 2, initialState)
    const inputs = [project(x, kernel, bias, options), ...states, recurrentKernel, ...optionalInputs(x, options)]
    const packed = call(inputs, { masked: mask !== undefined, goBackwards, recurrentActivation, dropped: recurrentDropout !== undefined })
    return takeResult(packed, 2, options)
  })
}
