/** The simple recurrent network over whole sequences (Elman 1990). */

import type { Sample } from '../../autodiff/op.js'
import { sampleWith, withoutGradient } from '../../autodiff/samples.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'
import { defineRecurrenceGradient, sequenceVjp } from './back-through-time.js'
import { defineFromInputs, type FromInputsOptions, runOverInputs } from './from-inputs.js'
import { initialStates, requireSequence, type SequenceOptions, type SequenceResult, takeResult } from './sequence-options.js'
import { defineRecurrence, type RecurrenceOptions } from './through-time.js'

interface SimpleRnnOptions extends RecurrenceOptions {
  /** Whether dropout factors [n, u] are among the inputs. */
  dropped: boolean
}

const plain: SimpleRnnOptions = { masked: false, goBackwards: false, dropped: false }

const rule = 'per step from the last: dZ = dH·(1 − h²), dH₋ = dZ·Uᵀ, dU = Σ h₋ᵀ·dZ'

/**
 * Inputs: dY and y [1, t, n, u], U [u, u], optionally m [n, u] and a mask [n, t].
 * Output: [t + 1, n, u]: dZ of each step in the order taken, then dH₀.
 */
const callGradient = defineRecurrenceGradient<SimpleRnnOptions>({
  name: 'simpleRnnSequenceGradient',
  states: 1,
  needsFrom: 1,
  columns: 1,
  back: ({ dStates: [dH], parts: [h], weights: [U], drop }, _, ops) => {
    const dZ = ops.mul(dH, ops.sub(1, ops.square(h)))
    return { dZ, dBefore: [drop(ops.matMul(dZ, U, { transposeB: true }))] }
  },
  kernel: 'simpleRnnSequenceGradient',
  samples: simpleRnnSequenceGradientSamples(),
})

const vjp = sequenceVjp(callGradient, 1)

/**
 * Inputs: z = x·W + b [n, t, u]; h₀ [n, u]; U [u, u]; optionally dropout factors m [n, u] and a mask [n, t].
 * Output: [1, t, n, u]: h.
 */
const call = defineRecurrence<SimpleRnnOptions>({
  name: 'simpleRnnSequence',
  rule,
  states: 1,
  step: (z, [h], [recurrentKernel, dropout], _, ops) => [
    ops.tanh(ops.add(z, ops.matMul(dropout ? ops.mul(h, dropout) : h, recurrentKernel))),
  ],
  fused: {
    family: recurrentKernels,
    kernel: 'simpleRnnSequence',
    rule,
    shape: ([z, h]) => ({ shape: [1, z.shape[1], ...h.shape], dtype: z.dtype }),
    forward: (fused, out, inputs, options) => fused.simpleRnnSequence(out, inputs, options),
    vjp,
  },
  samples: simpleRnnSequenceSamples(),
})

/** The same with x, W and b in the place of z. */
const callFromInputs = defineFromInputs<SimpleRnnOptions>({
  name: 'simpleRnnFromInputs',
  gradient: 'simpleRnnFromInputsGradient',
  gates: 1,
  states: 1,
  parts: 1,
  call,
  vjp,
  rule: `${rule}, dX = dZ·Wᵀ, dW = Xᵀ·dZ, dB = Σ dZ`,
  samples: simpleRnnFromInputsSamples(),
  samplesOfGradient: simpleRnnFromInputsGradientSamples(),
})

/**
 * A simple recurrent network over a sequence (Elman 1990): each step is h = tanh(x·W + b + h₋·U).
 *
 * Shape:    x [n, t, in], kernel [in, u], recurrentKernel [u, u], bias [u] → outputs [n, t, u] and states [h], [n, u]
 * Gradient: through time, to everything but the mask
 * Cost:     2·n·t·u·(in + u) flops forward
 *
 * @throws ShapeError that names the tensor that does not fit.
 * @example
 * ```ts
 * const { states } = simpleRnnSequence(ones([2, 5, 3]), ones([3, 4]), zeros([4, 4]), zeros([4]), { returnSequences: false })
 * console.log(states[0].shape)   // [2, 4]
 * ```
 */
export function simpleRnnSequence(
  x: Tensor,
  kernel: Tensor,
  recurrentKernel: Tensor,
  bias?: Tensor,
  options: SequenceOptions = {},
): SequenceResult {
  requireSequence('simpleRnnSequence', { x, kernel, recurrentKernel, bias }, (width) => [width], 1, 1, options)
  const { initialState } = options
  return scope(() => {
    const states = initialStates(x, recurrentKernel.shape[0], 1, initialState)
    const weights = { kernel, recurrentKernel, bias }
    const packed = runOverInputs({ overInputs: callFromInputs, overZ: call }, x, weights, states, options, {})
    return takeResult(packed, 1, options)
  })
}

function simpleRnnSequenceGradientSamples(): Sample<SimpleRnnOptions>[] {
  const everything = { dropped: true, masked: true, goBackwards: true }
  const y = [1, 4, 5, 7]
  const U = { shape: [7, 7], low: -0.4, high: 0.4 }
  return [
    sampleWith(plain, [1, 3, 2, 2], [1, 3, 2, 2], [2, 2]),
    sampleWith({ ...plain, dropped: true, goBackwards: true }, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1], [2, 1]),
    withoutGradient('a mask has none; the other samples check the rest', sampleWith(everything, y, y, U, [5, 7], [5, 4])),
  ]
}

function simpleRnnSequenceSamples(): Sample<SimpleRnnOptions>[] {
  return [
    sampleWith(plain, [2, 3, 2], [2, 2], [2, 2]),
    sampleWith({ ...plain, goBackwards: true }, [1, 1, 1], [1, 1], [1, 1]),
    sampleWith({ masked: true, goBackwards: true, dropped: true }, [3, 3, 2], [3, 2], [2, 2], [3, 2], [3, 3]),
    sampleWith({ ...plain, masked: true }, [5, 9, 7], [5, 7], [7, 7], [5, 9]),
  ]
}

function simpleRnnFromInputsGradientSamples(): Sample<FromInputsOptions<SimpleRnnOptions>>[] {
  const everything = { dropped: true, masked: true, goBackwards: true, biased: false, wantsX: true }
  const y = [1, 4, 9, 7]
  const [W, U] = [
    { shape: [5, 7], low: -0.4, high: 0.4 },
    { shape: [7, 7], low: -0.4, high: 0.4 },
  ]
  return [
    sampleWith({ ...plain, biased: false, wantsX: true }, [1, 3, 2, 2], [1, 3, 2, 2], [2, 3, 3], [3, 2], [2, 2], [2, 2]),
    sampleWith(
      { ...plain, biased: false, dropped: true, goBackwards: true, wantsX: true },
      [1, 2, 2, 1],
      [1, 2, 2, 1],
      [2, 2, 1],
      [1, 1],
      [2, 1],
      [1, 1],
      [2, 1],
    ),
    withoutGradient(
      'W is not read',
      sampleWith({ ...plain, biased: false }, [1, 3, 2, 2], [1, 3, 2, 2], [2, 3, 3], [3, 2], [2, 2], [2, 2]),
    ),
    withoutGradient(
      'a mask has none; the other samples check the rest',
      sampleWith(everything, y, y, [9, 4, 5], W, [9, 7], U, [9, 7], [9, 4]),
    ),
  ]
}

function simpleRnnFromInputsSamples(): Sample<FromInputsOptions<SimpleRnnOptions>>[] {
  return [
    sampleWith({ ...plain, biased: true }, [2, 3, 3], [3, 2], [2], [2, 2], [2, 2]),
    sampleWith({ masked: true, goBackwards: true, dropped: true, biased: false }, [3, 3, 1], [1, 2], [3, 2], [2, 2], [3, 2], [3, 3]),
    sampleWith({ ...plain, masked: true, biased: true }, [5, 9, 6], [6, 7], [7], [5, 7], [7, 7], [5, 9]),
  ]
}
