/** The gated recurrent unit over whole sequences (Cho et al. 2014), gates in Keras' order z, r, h̃. */

import { requireBoolean } from '../../arguments.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import { scope } from '../../tensor/scope.js'
import type { Shape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { zeros } from '../create.js'
import { reshape, slice } from '../shape/move.js'
import { type GateActivation, gate, requireGateActivation } from './gates.js'
import { gruResetAfterVjp, gruVjp } from './gru-gradient.js'
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

interface GruOptions extends RecurrenceOptions {
  recurrentActivation: GateActivation
  /** Whether the reset gate acts after the recurrent product, which then has a bias. */
  resetAfter: boolean
  /** Whether dropout factors [n, u] are among the inputs. */
  dropped: boolean
}

const plain: GruOptions = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', resetAfter: false, dropped: false }

const rule =
  'per step from the last: dZ = dH·(h₋ − h̃), dH̃ = dH·(1 − z), dR = (dH̃·(1 − h̃²))·q, or ((dH̃·(1 − h̃²))·U_hᵀ)·h₋ with the reset before the product; dH₋ = dH·z + the cotangents of z, r and h̃ times Uᵀ'

/**
 * Inputs: x·W + b [n, t, 3u]; h₀ [n, u]; U [u, 3u]; with resetAfter a recurrent bias [3u]; optionally dropout factors m [n, u] and a mask [n, t].
 * Output: [4, t, n, u]: h, z, r, h̃. With resetAfter [5, t, n, u]: the fifth part is q = h₋·U_h + b_h.
 */
const call = defineRecurrence<GruOptions>({
  name: 'gruSequence',
  rule,
  states: 1,
  step: (x, [h], [recurrentKernel, ...rest], { recurrentActivation, resetAfter, dropped }, ops) => {
    const squash = (x: Tensor): Tensor => gate(x, recurrentActivation, ops)
    const before = dropped ? ops.mul(h, rest[rest.length - 1]) : h
    const [xz, xr, xh] = ops.split(x, 3, -1) // [n, u] each
    const mix = (z: Tensor, candidate: Tensor): Tensor => ops.add(ops.mul(z, h), ops.mul(ops.sub(1, z), candidate))
    if (resetAfter) {
      const [qz, qr, q] = ops.split(ops.add(ops.matMul(before, recurrentKernel), rest[0]), 3, -1)
      const [z, r] = [squash(ops.add(xz, qz)), squash(ops.add(xr, qr))]
      const candidate = ops.tanh(ops.add(xh, ops.mul(r, q)))
      return [mix(z, candidate), z, r, candidate, q]
    }
    const units = h.shape[1]
    const [ofGates, ofCandidate] = ops.split(recurrentKernel, [2 * units, units], -1)
    const [qz, qr] = ops.split(ops.matMul(before, ofGates), 2, -1)
    const [z, r] = [squash(ops.add(xz, qz)), squash(ops.add(xr, qr))]
    const candidate = ops.tanh(ops.add(xh, ops.matMul(ops.mul(r, before), ofCandidate)))
    return [mix(z, candidate), z, r, candidate]
  },
  fused: {
    family: recurrentKernels,
    kernel: ({ resetAfter }) => (resetAfter ? 'gruResetAfterSequence' : 'gruSequence'),
    rule,
    shape: ([x, h], { resetAfter }) => ({ shape: [resetAfter ? 5 : 4, x.shape[1], ...h.shape], dtype: x.dtype }),
    forward: (fused, out, inputs, options) =>
      options.resetAfter ? fused.gruResetAfterSequence(out, inputs, options) : fused.gruSequence(out, inputs, options),
    vjp: (at, inputs, ops) => (at.options.resetAfter ? gruResetAfterVjp : gruVjp)(at, inputs, ops),
  },
  samples: gruSequenceSamples(),
})

/** Options of `gruSequence`. `initialState` is [h]. */
export interface GruSequenceOptions extends SequenceOptions {
  /** The squashing function of the gates z and r; `sigmoid` by default. */
  recurrentActivation?: GateActivation
  /**
   * Whether the reset gate acts after the recurrent product; false by default, as in Keras 2. If it does, a bias is [2, 3u]: that of the input, then that
   * of the recurrent product.
   */
  resetAfter?: boolean
}

/**
 * A GRU over a sequence (Cho et al. 2014, gates in Keras' order z, r, h̃). With (x_z, x_r, x_h) = x·W + b, each step is
 *
 * ```
 * z = σ(x_z + h₋·U_z)    r = σ(x_r + h₋·U_r)    h̃ = tanh(x_h + (r∘h₋)·U_h)    h = z∘h₋ + (1 − z)∘h̃
 * ```
 *
 * With `resetAfter`, h̃ = tanh(x_h + r∘(h₋·U_h + b'_h)).
 *
 * Recurrent dropout changes h₋ in the products, not in z∘h₋. (Keras 2 with implementation 2 changes both, and its states grow without bound.)
 *
 * Shape:    x [n, t, in], kernel [in, 3u], recurrentKernel [u, 3u], bias [3u] or [2, 3u] → outputs [n, t, u] and states [h], [n, u]
 * Gradient: through time, to everything but the mask
 * Cost:     6·n·t·u·(in + u) flops forward
 *
 * @throws ShapeError that names the tensor that does not fit.
 * @example
 * ```ts
 * const { outputs } = gruSequence(ones([2, 5, 3]), ones([3, 12]), zeros([4, 12]), zeros([2, 12]), { resetAfter: true })
 * console.log(outputs?.shape)   // [2, 5, 4]
 * ```
 */
export function gruSequence(
  x: Tensor,
  kernel: Tensor,
  recurrentKernel: Tensor,
  bias?: Tensor,
  options: GruSequenceOptions = {},
): SequenceResult {
  const biasShape = (width: number): Shape => (options.resetAfter ? [2, width] : [width])
  requireSequence('gruSequence', { x, kernel, recurrentKernel, bias }, biasShape, 3, 1, options, ['recurrentActivation', 'resetAfter'])
  const { initialState, mask, goBackwards = false, recurrentDropout, recurrentActivation = 'sigmoid', resetAfter = false } = options
  requireGateActivation('gruSequence', recurrentActivation)
  requireBoolean('gruSequence', 'resetAfter', resetAfter)
  return scope(() => {
    const width = kernel.shape[1]
    const row = (i: number): Tensor | undefined => bias && reshape(slice(bias, [i, 0], [1, width]), [width])
    const inputBias = resetAfter ? row(0) : bias
    const recurrentBias = resetAfter ? [row(1) ?? zeros([width], { dtype: x.dtype, backend: x.backend })] : []
    const states = initialStates(x, recurrentKernel.shape[0], 1, initialState)
    const inputs = [project(x, kernel, inputBias, options), ...states, recurrentKernel, ...recurrentBias, ...optionalInputs(x, options)]
    const dropped = recurrentDropout !== undefined
    const packed = call(inputs, { masked: mask !== undefined, goBackwards, recurrentActivation, resetAfter, dropped, statesOnly: true })
    return takeResult(packed, 1, options)
  })
}

function gruSequenceSamples(): Sample<GruOptions>[] {
  return [
    sampleWith(plain, [2, 2, 6], [2, 2], [2, 6]),
    sampleWith({ ...plain, resetAfter: true }, [2, 2, 6], [2, 2], [2, 6], [6]),
    sampleWith({ ...plain, recurrentActivation: 'hardSigmoid' }, [1, 1, 3], [1, 1], [1, 3]),
    sampleWith({ ...plain, masked: true, goBackwards: true }, [2, 3, 3], [2, 1], [1, 3], [2, 3]),
    sampleWith({ ...plain, dropped: true }, [2, 2, 3], [2, 1], [1, 3], [2, 1]),
    sampleWith({ ...plain, dropped: true, resetAfter: true, masked: true }, [2, 2, 3], [2, 1], [1, 3], [3], [2, 1], [2, 2]),
    sampleWith({ ...plain, resetAfter: true, masked: true }, [5, 7, 18], [5, 6], [6, 18], [18], [5, 7]),
    sampleWith(plain, [5, 7, 18], [5, 6], [6, 18]),
  ]
}
