/**
 * The fast way back through a GRU (back-through-time.ts says what that is): one op for each place of the reset gate.
 *
 * Let a = h₋∘m, where m are dropout factors, if any. Both ops have
 *
 * ```
 *   dz = (dH∘(h₋ − h̃) + dY_z)∘z(1 − z)          dh̃ = (dH∘(1 − z) + dY_h̃)∘(1 − h̃²)
 * ```
 *
 * Reset before the product, h̃ = tanh(x_h + (r∘a)·U_h):
 *
 * ```
 *   B = dh̃·U_hᵀ                                 dr = (B∘a + dY_r)∘r(1 − r)
 *   dH₋ = dH∘z + m∘(B∘r + (dz, dr)·U_zrᵀ)       dU_zr = Σ aᵀ·(dz, dr)            dU_h = Σ (r∘a)ᵀ·dh̃
 * ```
 *
 * Reset after it, q = a·U_h + b_h and h̃ = tanh(x_h + r∘q):
 *
 * ```
 *   dr = (dh̃∘q + dY_r)∘r(1 − r)                 dq = dh̃∘r + dY_q
 *   dH₋ = dH∘z + m∘((dz, dr, dq)·Uᵀ)            dU = Σ aᵀ·(dz, dr, dq)           db = Σ (dz, dr, dq)
 * ```
 */
import type { Ops, Sample, Vjp } from '../../autodiff/op.js'
import { sampleWith, withoutGradient } from '../../autodiff/samples.js'
import type { Tensor } from '../../tensor/tensor.js'
import { type Call, defineRecurrenceGradient, divide, type GradientOptions, type StepBack } from './back-through-time.js'
import { type GateActivation, gateVjp } from './gates.js'

type Options = GradientOptions & { recurrentActivation: GateActivation }

const plain: Options = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', dropped: false }

/** dz and dh̃, the same for both places of the reset gate. */
function mixBack({ dStates: [dH], dParts, parts, before: [before] }: StepBack, { recurrentActivation }: Options, ops: Ops): Tensor[] {
  const [, z, , candidate] = parts
  const dUpdate = gateVjp(ops.add(dParts[1], ops.mul(dH, ops.sub(before, candidate))), z, recurrentActivation, ops)
  const dCandidate = ops.mul(ops.add(dParts[3], ops.mul(dH, ops.sub(1, z))), ops.sub(1, ops.square(candidate)))
  return [dUpdate, dCandidate]
}

/**
 * Inputs: dY and y [4, t, n, u], h₀ [n, u], U [u, 3u], optionally m [n, u] and a mask [n, t].
 * Output: [t + 1, n, 3u]: dz, dr, dh̃ of each step in the order taken, then dH₀ and zeros.
 */
const callGradient = defineRecurrenceGradient<Options>({
  name: 'gruSequenceGradient',
  states: 1,
  needsFrom: 0,
  columns: 3,
  blocks: [2, 1],
  back: (at, options, ops) => {
    const { dStates, dParts, parts, before, weights, drop } = at
    const [, z, r] = parts
    const [ofGates, ofCandidate] = weights
    const [dUpdate, dCandidate] = mixBack(at, options, ops)
    const dOperand = ops.matMul(dCandidate, ofCandidate, { transposeB: true })
    const dReset = gateVjp(ops.add(dParts[2], ops.mul(dOperand, drop(before[0]))), r, options.recurrentActivation, ops)
    const product = ops.add(ops.mul(dOperand, r), ops.matMul(ops.concat([dUpdate, dReset], -1), ofGates, { transposeB: true }))
    const dBefore = ops.add(drop(product), ops.mul(dStates[0], z))
    return { dZ: ops.concat([dUpdate, dReset, dCandidate], -1), dBefore: [dBefore] }
  },
  kernel: 'gruSequenceGradient',
  samples: gradientSamples(4),
})

/**
 * Inputs: the same, with dY and y [5, t, n, u].
 * Output: [t + 1, n, 4u]: dz, dr, dh̃, dq of each step in the order taken, then dH₀ and zeros.
 */
const callResetAfterGradient = defineRecurrenceGradient<Options>({
  name: 'gruResetAfterSequenceGradient',
  states: 1,
  needsFrom: 0,
  columns: 4,
  back: (at, options, ops) => {
    const { dStates, dParts, parts, weights, drop } = at
    const [, z, r, , q] = parts
    const [U] = weights
    const [dUpdate, dCandidate] = mixBack(at, options, ops)
    const dReset = gateVjp(ops.add(dParts[2], ops.mul(dCandidate, q)), r, options.recurrentActivation, ops)
    const dProduct = ops.add(dParts[4], ops.mul(dCandidate, r))
    const product = ops.matMul(ops.concat([dUpdate, dReset, dProduct], -1), U, { transposeB: true })
    const dBefore = ops.add(drop(product), ops.mul(dStates[0], z))
    return { dZ: ops.concat([dUpdate, dReset, dCandidate, dProduct], -1), dBefore: [dBefore] }
  },
  kernel: 'gruResetAfterSequenceGradient',
  samples: gradientSamples(5),
})

/** The common part of both rules: the columns of the output of the gradient op, and the states before each step, both in the order the steps were taken. */
function inOrder(call: Call<Options>, { dY, y, options }: Parameters<Vjp<Options>>[0], inputs: readonly Tensor[], ops: Ops) {
  const [, t, n, u] = y.shape
  let packed: Tensor | undefined
  const all = (): Tensor => {
    packed ??= call([dY, y, ...inputs], options)
    return packed
  }
  /** Columns [from, to) of all steps, in units: [t, n, (to − from)·u]. */
  const columns = (from: number, to: number): Tensor => ops.slice(all(), [0, 0, from * u], [t, n, (to - from) * u])
  /** h before each step, [t, n, u]. */
  const before = (): Tensor => {
    const later = ops.reshape(ops.slice(y, [0, 0, 0, 0], [1, t - 1, n, u]), [t - 1, n, u])
    return ops.concat([ops.expandDims(inputs[0], 0), later], 0)
  }
  const dz = (): Tensor => {
    const byRows = ops.transpose(columns(0, 3), [1, 0, 2])
    return options.goBackwards ? ops.flip(byRows, 1) : byRows
  }
  const dInitial = (): Tensor => ops.reshape(ops.slice(all(), [t, 0, 0], [1, n, u]), [n, u])
  return { columns, before, dz, dInitial }
}

/** The rule of `gruSequence` with the reset before the product. Inputs: z, h₀, U, optionally m and a mask. */
export const gruVjp: Vjp<Options> = (at, [, ...inputs], ops) => {
  const { weights, dropout, mask } = divide(inputs, 1, at.options)
  const [, t, n, u] = at.y.shape
  const { columns, before, dz, dInitial } = inOrder(callGradient, at, inputs, ops)
  const flat = (x: Tensor): Tensor => ops.reshape(x, [t * n, x.shape[2]])
  const reset = (): Tensor => ops.reshape(ops.slice(at.y, [2, 0, 0, 0], [1, t, n, u]), [t, n, u])
  const dWeights = (): Tensor => {
    const a = dropout ? ops.mul(before(), dropout) : before()
    const ofGates = ops.matMul(flat(a), flat(columns(0, 2)), { transposeA: true })
    const ofCandidate = ops.matMul(flat(ops.mul(reset(), a)), flat(columns(2, 3)), { transposeA: true })
    return ops.concat([ofGates, ofCandidate], -1)
  }
  const dDropout = (): Tensor => {
    const [ofGates, ofCandidate] = ops.split(weights, [2 * u, u], -1)
    const back = (d: Tensor, w: Tensor): Tensor => ops.reshape(ops.matMul(flat(d), w, { transposeB: true }), [t, n, u])
    const dOperands = ops.add(back(columns(0, 2), ofGates), ops.mul(reset(), back(columns(2, 3), ofCandidate)))
    return ops.sum(ops.mul(before(), dOperands), { axis: 0 })
  }
  return [dz, dInitial, dWeights, ...(dropout ? [dDropout] : []), ...(mask ? [null] : [])]
}

/** The rule of `gruSequence` with the reset after the product. Inputs: z, h₀, U, bias, optionally m and a mask. */
export const gruResetAfterVjp: Vjp<Options> = (at, [, h, weights, , ...rest], ops) => {
  const { dropout, mask } = divide([h, weights, ...rest], 1, at.options)
  const [, t, n, u] = at.y.shape
  const { columns, before, dz, dInitial } = inOrder(callResetAfterGradient, at, [h, weights, ...rest], ops)
  /** Takes (dz, dr, dq) out of (dz, dr, dh̃, dq) along the last axis. */
  const ofProduct = (x: Tensor): Tensor => {
    const [gates, , last] = ops.split(x, [2 * u, u, u], -1)
    return ops.concat([gates, last], -1)
  }
  let steps: Tensor | undefined
  /** All columns of all steps, [t·n, 4u]. */
  const rows = (): Tensor => {
    steps ??= ops.reshape(columns(0, 4), [t * n, 4 * u])
    return steps
  }
  const dWeights = (): Tensor => {
    const a = dropout ? ops.mul(before(), dropout) : before()
    return ofProduct(ops.matMul(ops.reshape(a, [t * n, u]), rows(), { transposeA: true }))
  }
  const dDropout = (): Tensor => {
    const product = ops.reshape(ops.matMul(ofProduct(rows()), weights, { transposeB: true }), [t, n, u])
    return ops.sum(ops.mul(before(), product), { axis: 0 })
  }
  const dBias = (): Tensor => ofProduct(ops.sum(rows(), { axis: 0 }))
  return [dz, dInitial, dWeights, dBias, ...(dropout ? [dDropout] : []), ...(mask ? [null] : [])]
}

/** Samples of dY and y of `parts` parts, h₀, U, and optionally m and a mask. */
function gradientSamples(parts: number): Sample<Options>[] {
  const everything = { ...plain, dropped: true, masked: true, goBackwards: true }
  const y = [parts, 4, 5, 7]
  const U = { shape: [7, 21], low: -0.4, high: 0.4 }
  return [
    sampleWith(plain, [parts, 2, 2, 2], [parts, 2, 2, 2], [2, 2], [2, 6]),
    sampleWith({ ...plain, recurrentActivation: 'hardSigmoid' }, [parts, 1, 1, 1], [parts, 1, 1, 1], [1, 1], [1, 3]),
    sampleWith({ ...plain, dropped: true, goBackwards: true }, [parts, 2, 2, 1], [parts, 2, 2, 1], [2, 1], [1, 3], [2, 1]),
    withoutGradient('a mask has none; the other samples check the rest', sampleWith(everything, y, y, [5, 7], U, [5, 7], [5, 4])),
  ]
}
