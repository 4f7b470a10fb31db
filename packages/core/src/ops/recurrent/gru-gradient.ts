/**
 * Backpropagation through time of a GRU with the reset before the product, as one op; back-through-time.ts says what such an op is for.
 *
 * With a = h₋∘m (m: dropout factors, if any) and h̃ = tanh(x_h + (r∘a)·U_h):
 *
 * ```
 *   dz = (dH∘(h₋ − h̃) + dY_z)∘z(1 − z)          dh̃ = (dH∘(1 − z) + dY_h̃)∘(1 − h̃²)          B = dh̃·U_hᵀ
 *   dr = (B∘a + dY_r)∘r(1 − r)                  dH₋ = dH∘z + m∘(B∘r + (dz, dr)·U_zrᵀ)
 *   dU_zr = Σ aᵀ·(dz, dr)                       dU_h = Σ (r∘a)ᵀ·dh̃
 * ```
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Vjp } from '../../autodiff/op.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { RecurrenceOptions } from './through-time.js'

type Options = RecurrenceOptions & { dropped: boolean; recurrentActivation: 'sigmoid' | 'hardSigmoid' }

/** h₀, U, (m), (mask) */
function divide([h, weights, ...rest]: readonly Tensor[], { dropped, masked }: Options) {
  return { h, weights, dropout: dropped ? rest[0] : undefined, mask: masked ? rest[rest.length - 1] : undefined }
}

/** Columns [from, to) of the last axis, in units. */
function gates(x: Tensor, from: number, to: number, units: number, ops: Ops): Tensor {
  const lead = x.shape.slice(0, -1)
  return ops.slice(x, [...lead.map(() => 0), from * units], [...lead, (to - from) * units])
}

const plain: Options = { masked: false, goBackwards: false, recurrentActivation: 'sigmoid', dropped: false }

/** dY and y [4, t, n, u], h₀ [n, u], U [u, 3u], (m [n, u]), (mask [n, t]) → [t + 1, n, 3u], which is dZ in order of the steps, then dH₀ and zeros */
const callGradient = defineComposed<Options>({
  name: 'gruSequenceGradient',
  compose: ([dY, y, ...others], options, ops) => {
    const { h: initial, weights, dropout, mask } = divide(others, options)
    const [t, , u] = y.shape.slice(1)
    const [dParts, parts] = [dY, y].map((x) => ops.unstack(x).map((part) => ops.unstack(part))) // [part][step], each [n, u]
    const masks = mask && ops.unstack(mask, 1)
    if (options.goBackwards) masks?.reverse()
    const [ofGates, ofCandidate] = [gates(weights, 0, 2, u, ops), gates(weights, 2, 3, u, ops)]
    const drop = (x: Tensor): Tensor => (dropout ? ops.mul(x, dropout) : x)
    const inside = (x: Tensor): Tensor => ops.mul(x, ops.sub(1, x))
    const dGate = (d: Tensor, gate: Tensor): Tensor =>
      options.recurrentActivation === 'sigmoid' ? ops.mul(d, inside(gate)) : ops.where(ops.greater(inside(gate), 0), ops.mul(d, 0.2), 0)
    const dZ: Tensor[] = []
    let carried: Tensor | undefined
    for (let s = t - 1; s >= 0; s--) {
      const [z, r, candidate] = [1, 2, 3].map((p) => parts[p][s])
      const before = s === 0 ? initial : parts[0][s - 1]
      const dH = carried ? ops.add(dParts[0][s], carried) : dParts[0][s]
      const counts = masks && ops.expandDims(ops.greater(masks[s], 0), 1) // [n, 1]
      const own = counts ? ops.where(counts, dH, 0) : dH
      const dUpdate = dGate(ops.add(dParts[1][s], ops.mul(own, ops.sub(before, candidate))), z)
      const dCandidate = ops.mul(ops.add(dParts[3][s], ops.mul(own, ops.sub(1, z))), ops.sub(1, ops.square(candidate)))
      const dOperand = ops.matMul(dCandidate, ofCandidate, { transposeB: true })
      const dReset = dGate(ops.add(dParts[2][s], ops.mul(dOperand, drop(before))), r)
      const product = ops.add(ops.mul(dOperand, r), ops.matMul(ops.concat([dUpdate, dReset], -1), ofGates, { transposeB: true }))
      carried = ops.add(drop(product), ops.mul(own, z))
      if (counts) carried = ops.add(carried, ops.where(counts, 0, dH))
      dZ.unshift(ops.concat([dUpdate, dReset, dCandidate], -1))
    }
    const last = ops.pad(carried as Tensor, [
      [0, 0],
      [0, 2 * u],
    ])
    return ops.stack([...dZ, last])
  },
  fused: {
    kernel: 'gruSequenceGradient',
    rule: '(through its composition)',
    shape: ([, y]) => ({ shape: [y.shape[1] + 1, y.shape[2], 3 * y.shape[3]], dtype: y.dtype }),
    forward: (fused, out, inputs, options) => fused.gruSequenceGradient(out, inputs, options),
  },
  samples: [
    {
      inputs: [
        [4, 2, 2, 2],
        [4, 2, 2, 2],
        [2, 2],
        [2, 6],
      ],
      options: plain,
    },
    {
      inputs: [
        [4, 1, 1, 1],
        [4, 1, 1, 1],
        [1, 1],
        [1, 3],
      ],
      options: { ...plain, recurrentActivation: 'hardSigmoid' },
    },
    {
      inputs: [
        [4, 2, 2, 1],
        [4, 2, 2, 1],
        [2, 1],
        [1, 3],
        [2, 1],
      ],
      options: { ...plain, dropped: true, goBackwards: true },
    },
    {
      inputs: [[4, 4, 5, 7], [4, 4, 5, 7], [5, 7], { shape: [7, 21], low: -0.4, high: 0.4 }, [5, 7], [5, 4]],
      options: { ...plain, dropped: true, masked: true, goBackwards: true },
      skipGradient: 'a mask has none; the other samples check the rest',
    },
  ],
})

/** The derivative of `gruSequence` by it. */
export const gruVjp: Vjp<Options> = ({ dY, y, options }, inputs, ops) => {
  const { h, weights, dropout, mask } = divide(inputs.slice(1), options)
  const [, t, n, u] = y.shape
  let packed: Tensor | undefined
  let walked: Tensor | undefined
  const all = (): Tensor => {
    packed ??= callGradient([dY, y, ...inputs.slice(1)], options)
    return packed
  }
  /** dZ of all steps, [t, n, 3u]. */
  const dZ = (): Tensor => {
    walked ??= ops.slice(all(), [0, 0, 0], [t, n, 3 * u])
    return walked
  }
  const flat = (x: Tensor): Tensor => ops.reshape(x, [t * n, x.shape[2]])
  const part = (p: number): Tensor => ops.reshape(ops.slice(y, [p, 0, 0, 0], [1, t, n, u]), [t, n, u])
  /** h before each step, [t, n, u]. */
  const before = (): Tensor => ops.concat([ops.expandDims(h, 0), ops.slice(part(0), [0, 0, 0], [t - 1, n, u])], 0)
  const dWeights = (): Tensor => {
    const a = dropout ? ops.mul(before(), dropout) : before()
    const ofGates = ops.matMul(flat(a), flat(gates(dZ(), 0, 2, u, ops)), { transposeA: true })
    const ofCandidate = ops.matMul(flat(ops.mul(part(2), a)), flat(gates(dZ(), 2, 3, u, ops)), { transposeA: true })
    return ops.concat([ofGates, ofCandidate], -1)
  }
  const dDropout = (): Tensor => {
    const back = (from: number, to: number): Tensor => {
      const product = ops.matMul(flat(gates(dZ(), from, to, u, ops)), gates(weights, from, to, u, ops), { transposeB: true })
      return ops.reshape(product, [t, n, u])
    }
    return ops.sum(ops.mul(before(), ops.add(back(0, 2), ops.mul(part(2), back(2, 3)))), { axis: 0 })
  }
  const dz = (): Tensor => {
    const byRows = ops.transpose(dZ(), [1, 0, 2])
    return options.goBackwards ? ops.flip(byRows, 1) : byRows
  }
  const dInitial = (): Tensor => ops.reshape(ops.slice(all(), [t, 0, 0], [1, n, u]), [n, u])
  return [dz, dInitial, dWeights, ...(dropout ? [dDropout] : []), ...(mask ? [null] : [])]
}
