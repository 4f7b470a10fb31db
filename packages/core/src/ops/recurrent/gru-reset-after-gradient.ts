/**
 * Backpropagation through time of a GRU with the reset after the product, as one op; back-through-time.ts says what such an op is for.
 *
 * With a = h₋∘m (m: dropout factors, if any), q = a·U_h + b_h and h̃ = tanh(x_h + r∘q):
 *
 * ```
 *   dz = (dH∘(h₋ − h̃) + dY_z)∘z(1 − z)          dh̃ = (dH∘(1 − z) + dY_h̃)∘(1 − h̃²)
 *   dr = (dh̃∘q + dY_r)∘r(1 − r)                 dq = dh̃∘r + dY_q
 *   dH₋ = dH∘z + m∘((dz, dr, dq)·Uᵀ)            dU = Σ aᵀ·(dz, dr, dq)            db = Σ (dz, dr, dq)
 * ```
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Vjp } from '../../autodiff/op.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { RecurrenceOptions } from './through-time.js'

type Options = RecurrenceOptions & { dropped: boolean; resetAfter: boolean; recurrentActivation: 'sigmoid' | 'hardSigmoid' }

/** (m), (mask) */
function divide(rest: readonly Tensor[], { dropped, masked }: Options) {
  return { dropout: dropped ? rest[0] : undefined, mask: masked ? rest[rest.length - 1] : undefined }
}

const plain: Options = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', resetAfter: true, dropped: false }

/**
 * dY and y [5, t, n, u], h₀ [n, u], U [u, 3u], (m [n, u]), (mask [n, t]) → [t + 1, n, 4u], which is dz, dr, dh̃, dq in order of the steps, then dH₀
 * and zeros
 */
const callGradient = defineComposed<Options>({
  name: 'gruResetAfterSequenceGradient',
  compose: ([dY, y, initial, weights, ...rest], options, ops) => {
    const { dropout, mask } = divide(rest, options)
    const [t, , u] = y.shape.slice(1)
    const [dParts, parts] = [dY, y].map((x) => ops.unstack(x).map((part) => ops.unstack(part))) // [part][step], each [n, u]
    const masks = mask && ops.unstack(mask, 1)
    if (options.goBackwards) masks?.reverse()
    const inside = (x: Tensor): Tensor => ops.mul(x, ops.sub(1, x))
    const dGate = (d: Tensor, gate: Tensor): Tensor =>
      options.recurrentActivation === 'sigmoid' ? ops.mul(d, inside(gate)) : ops.where(ops.greater(inside(gate), 0), ops.mul(d, 0.2), 0)
    const dZ: Tensor[] = []
    let carried: Tensor | undefined
    for (let s = t - 1; s >= 0; s--) {
      const [z, r, candidate, q] = [1, 2, 3, 4].map((p) => parts[p][s])
      const before = s === 0 ? initial : parts[0][s - 1]
      const dH = carried ? ops.add(dParts[0][s], carried) : dParts[0][s]
      const counts = masks && ops.expandDims(ops.greater(masks[s], 0), 1) // [n, 1]
      const own = counts ? ops.where(counts, dH, 0) : dH
      const dUpdate = dGate(ops.add(dParts[1][s], ops.mul(own, ops.sub(before, candidate))), z)
      const dCandidate = ops.mul(ops.add(dParts[3][s], ops.mul(own, ops.sub(1, z))), ops.sub(1, ops.square(candidate)))
      const dReset = dGate(ops.add(dParts[2][s], ops.mul(dCandidate, q)), r)
      const dProduct = ops.add(dParts[4][s], ops.mul(dCandidate, r))
      const product = ops.matMul(ops.concat([dUpdate, dReset, dProduct], -1), weights, { transposeB: true })
      carried = ops.add(dropout ? ops.mul(product, dropout) : product, ops.mul(own, z))
      if (counts) carried = ops.add(carried, ops.where(counts, 0, dH))
      dZ.unshift(ops.concat([dUpdate, dReset, dCandidate, dProduct], -1))
    }
    const last = ops.pad(carried as Tensor, [
      [0, 0],
      [0, 3 * u],
    ])
    return ops.stack([...dZ, last])
  },
  fused: {
    kernel: 'gruResetAfterSequenceGradient',
    rule: '(through its composition)',
    shape: ([, y]) => ({ shape: [y.shape[1] + 1, y.shape[2], 4 * y.shape[3]], dtype: y.dtype }),
    forward: (fused, out, inputs, options) => fused.gruResetAfterSequenceGradient(out, inputs, options),
  },
  samples: [
    {
      inputs: [
        [5, 2, 2, 2],
        [5, 2, 2, 2],
        [2, 2],
        [2, 6],
      ],
      options: plain,
    },
    {
      inputs: [
        [5, 1, 1, 1],
        [5, 1, 1, 1],
        [1, 1],
        [1, 3],
      ],
      options: { ...plain, recurrentActivation: 'hardSigmoid' },
    },
    {
      inputs: [
        [5, 2, 2, 1],
        [5, 2, 2, 1],
        [2, 1],
        [1, 3],
        [2, 1],
      ],
      options: { ...plain, dropped: true, goBackwards: true },
    },
    {
      inputs: [[5, 4, 5, 7], [5, 4, 5, 7], [5, 7], { shape: [7, 21], low: -0.4, high: 0.4 }, [5, 7], [5, 4]],
      options: { ...plain, dropped: true, masked: true, goBackwards: true },
      skipGradient: 'a mask has none; the other samples check the rest',
    },
  ],
})

/** The derivative of `gruSequence` by it. Inputs: z, h₀, U, bias, (m), (mask). */
export const gruResetAfterVjp: Vjp<Options> = ({ dY, y, options }, [, h, weights, , ...rest], ops) => {
  const { dropout, mask } = divide(rest, options)
  const [, t, n, u] = y.shape
  let packed: Tensor | undefined
  const all = (): Tensor => {
    packed ??= callGradient([dY, y, h, weights, ...rest], options)
    return packed
  }
  /** Columns [from, to) of all steps, in units: [t, n, (to − from)·u]. */
  const columns = (from: number, to: number): Tensor => ops.slice(all(), [0, 0, from * u], [t, n, (to - from) * u])
  /** (dz, dr, dq) of a tensor that has dz, dr, dh̃, dq along its last axis. */
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
  /** h before each step, [t, n, u]. */
  const before = (): Tensor => {
    const later = ops.reshape(ops.slice(y, [0, 0, 0, 0], [1, t - 1, n, u]), [t - 1, n, u])
    return ops.concat([ops.expandDims(h, 0), later], 0)
  }
  const dWeights = (): Tensor => {
    const a = dropout ? ops.mul(before(), dropout) : before()
    return ofProduct(ops.matMul(ops.reshape(a, [t * n, u]), rows(), { transposeA: true }))
  }
  const dDropout = (): Tensor => {
    const product = ops.reshape(ops.matMul(ofProduct(rows()), weights, { transposeB: true }), [t, n, u])
    return ops.sum(ops.mul(before(), product), { axis: 0 })
  }
  const dz = (): Tensor => {
    const byRows = ops.transpose(columns(0, 3), [1, 0, 2])
    return options.goBackwards ? ops.flip(byRows, 1) : byRows
  }
  const dInitial = (): Tensor => ops.reshape(ops.slice(all(), [t, 0, 0], [1, n, u]), [n, u])
  const dBias = (): Tensor => ofProduct(ops.sum(rows(), { axis: 0 }))
  return [dz, dInitial, dWeights, dBias, ...(dropout ? [dDropout] : []), ...(mask ? [null] : [])]
}
