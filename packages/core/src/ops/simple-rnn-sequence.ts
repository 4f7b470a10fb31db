/** The simple recurrent network over whole sequences (Elman 1990). */
import { scope } from '../scope.js'
import type { Tensor } from '../tensor.js'
import { defineRecurrence, type RecurrenceOptions } from './recurrence.js'
import {
  initialStates,
  optionalInputs,
  project,
  requireSequence,
  type SequenceOptions,
  type SequenceResult,
  takeResult,
} from './recurrent-sequence.js'

interface SimpleRnnOptions extends RecurrenceOptions {
  /** Whether dropout factors [n, u] follow the recurrent kernel. */
  dropped: boolean
}

const plain: SimpleRnnOptions = { masked: false, goBackwards: false, dropped: false }

/**
 * inputs: x·W + b [n, t, u], h₀ [n, u], U [u, u], (dropout factors m [n, u]), (mask [n, t])
 * output: [1, t, n, u], which is h
 */
const call = defineRecurrence<SimpleRnnOptions>({
  name: 'simpleRnnSequence',
  rule: 'per step from the last: dZ = dH·(1 − h²), dH₋ = dZ·Uᵀ, dU = Σ h₋ᵀ·dZ',
  states: 1,
  step: (z, [h], [recurrentKernel, dropout], _, { add, mul, matMul, tanh }) => [
    tanh(add(z, matMul(dropout ? mul(h, dropout) : h, recurrentKernel))),
  ],
  samples: [
    {
      inputs: [
        [2, 3, 2],
        [2, 2],
        [2, 2],
      ],
      options: plain,
    },
    {
      inputs: [
        [1, 1, 1],
        [1, 1],
        [1, 1],
      ],
      options: { ...plain, goBackwards: true },
    },
    {
      inputs: [
        [3, 3, 2],
        [3, 2],
        [2, 2],
        [3, 2],
        [3, 3],
      ],
      options: { masked: true, goBackwards: true, dropped: true },
    },
    {
      inputs: [
        [5, 9, 7],
        [5, 7],
        [7, 7],
        [5, 9],
      ],
      options: { ...plain, masked: true },
    },
  ],
})

/**
 * h = tanh(x·W + b + h₋·U) over a sequence.
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
  const { initialState, mask, goBackwards = false, recurrentDropout } = options
  requireSequence('simpleRnnSequence', { x, kernel, recurrentKernel, bias }, (width) => [width], 1, 1, options)
  return scope(() => {
    const states = initialStates(x, recurrentKernel.shape[0], 1, initialState)
    const inputs = [project(x, kernel, bias), ...states, recurrentKernel, ...optionalInputs(x, options)]
    return takeResult(call(inputs, { masked: mask !== undefined, goBackwards, dropped: recurrentDropout !== undefined }), 1, options)
  })
}
