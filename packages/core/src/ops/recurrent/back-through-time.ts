/**
 * The fast way back through a sequence, as one op: from the states and gates that came out and from their cotangents, without doing the steps again.
 * A backend has kernels for it.
 *
 * Inputs: dY and y [parts, t, n, u] of the sequence op; the states before the first step that the step back needs, [n, u] each; U [u, g·u]; optionally
 * dropout factors m [n, u] and a mask [n, t].
 *
 * Output: [t + 1, n, g·u]. The first t entries are dZ, in the order the steps were taken. The last one holds the cotangents of the states before the
 * first step, side by side, then zeros.
 *
 * Derivative: through the composition.
 */

import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample, Vjp } from '../../autodiff/op.js'
import type { FusedKernels } from '../../backends/backend.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import type { Tensor } from '../../tensor/tensor.js'
import { stepsByRow } from './steps-by-row.js'
import type { RecurrenceOptions } from './through-time.js'

/** The options of a gradient op. `dropped` says whether dropout factors follow the recurrent kernel. */
export type GradientOptions = RecurrenceOptions & { dropped: boolean }

/** The arguments of one step back. All tensors but the weights are [n, u]. */
export interface StepBack {
  /** Cotangents of the states after the step; 0 in rows where the mask kept the states. */
  dStates: readonly Tensor[]
  /** Cotangents of all parts of the output at this step. */
  dParts: readonly Tensor[]
  /** The parts of the output at this step: states, then gates. */
  parts: readonly Tensor[]
  /** The states before the step, from state `needsFrom` on. */
  before: readonly Tensor[]
  /** U [u, g·u], cut into blocks of columns if the cell names any. */
  weights: readonly Tensor[]
  /** x∘m, or x where there is no dropout. */
  drop: (x: Tensor) => Tensor
}

/** A cell, seen backwards. */
interface RecurrenceGradient<O extends GradientOptions> {
  name: string
  /** How many states there are. */
  states: number
  /** The first state whose value before the step is needed: 0 for h₋ and the others, 1 if the step back does not use h₋. */
  needsFrom: 0 | 1
  /** The width of dZ, in units. */
  columns: number
  /** Widths, in units, of the blocks of U that the step multiplies by separately; by default U is one block. */
  blocks?: readonly number[]
  /** One step back: dZ [n, g·u], and the cotangents of all states before the step. */
  back(at: StepBack, options: O, ops: Ops): { dZ: Tensor; dBefore: readonly Tensor[] }
  kernel: keyof FusedKernels & `${string}SequenceGradient`
  samples: readonly Sample<O>[]
}

/** The inputs after dY and y by name; the first `count` of them are states. */
export function divide(inputs: readonly Tensor[], count: number, { dropped, masked }: GradientOptions) {
  const [weights, ...rest] = inputs.slice(count)
  return {
    initial: inputs.slice(0, count),
    weights,
    dropout: dropped ? rest[0] : undefined,
    mask: masked ? rest[rest.length - 1] : undefined,
  }
}

/** The call of an op, as `defineComposed` returns it. */
export type Call<O> = (inputs: readonly Tensor[], options: O) => Tensor

/** Registers the gradient op of a cell: `cell.back` in a loop, from the last step to the first. */
export function defineRecurrenceGradient<O extends GradientOptions>(cell: RecurrenceGradient<O>): Call<O> {
  const { states: count, needsFrom, columns, blocks } = cell
  return defineComposed<O>({
    name: cell.name,
    compose: ([dY, y, ...others], options, ops) => {
      const { initial, weights, dropout, mask } = divide(others, count - needsFrom, options)
      const [dParts, parts] = [dY, y].map((x) => ops.unstack(x).map((part) => ops.unstack(part))) // [part][step], each [n, u]
      const masks = mask && ops.unstack(mask, 1)
      if (options.goBackwards) masks?.reverse()
      const units = weights.shape[0]
      const byBlocks = blocks
        ? ops.split(
            weights,
            blocks.map((width) => width * units),
            -1,
          )
        : [weights]
      const drop = (x: Tensor): Tensor => (dropout ? ops.mul(x, dropout) : x)
      const dZ: Tensor[] = []
      let carried: Tensor[] | undefined
      for (let s = parts[0].length - 1; s >= 0; s--) {
        const at = (all: Tensor[][]): Tensor[] => all.map((part) => part[s])
        const dStates = at(dParts.slice(0, count)).map((d, i) => (carried ? ops.add(d, carried[i]) : d))
        const counts = masks && ops.expandDims(ops.greater(masks[s], 0), 1) // [n, 1]
        const own = counts ? dStates.map((d) => ops.where(counts, d, 0)) : dStates
        const before = initial.map((state, i) => (s === 0 ? state : parts[i + needsFrom][s - 1]))
        const step = cell.back({ dStates: own, dParts: at(dParts), parts: at(parts), before, weights: byBlocks, drop }, options, ops)
        carried = [...step.dBefore]
        if (counts) carried = carried.map((d, i) => ops.add(d, ops.where(counts, 0, dStates[i])))
        dZ.unshift(step.dZ)
      }
      const last = ops.pad(ops.concat(carried ?? [], -1), [
        [0, 0],
        [0, (columns - count) * units],
      ])
      return ops.stack([...dZ, last])
    },
    fused: {
      family: recurrentKernels,
      kernel: cell.kernel,
      rule: '(through its composition)',
      shape: ([, y]) => ({ shape: [y.shape[1] + 1, y.shape[2], columns * y.shape[3]], dtype: y.dtype }),
      forward: (fused, out, inputs, options) => fused[cell.kernel](out, inputs, options),
    },
    samples: cell.samples,
  })
}

/**
 * The rule of a sequence op, made of its gradient op.
 *
 * The gradient op gives dZ of all steps. Then dU = Σ (h₋∘m)ᵀ·dZ and dm = Σ h₋∘(dZ·Uᵀ), over rows and steps. h₋ is h₀ at the first step and an output at the
 * others, so each sum is one product over the outputs plus a small one for h₀.
 */
export function sequenceVjp<O extends GradientOptions>(call: Call<O>, count: number): Vjp<O> {
  return ({ dY, y, options }, inputs, ops) => {
    const { initial, weights, dropout, mask } = divide(inputs.slice(1), count, options)
    const [parts, t, n, u] = y.shape
    const width = weights.shape[1]
    const { goBackwards } = options
    let packed: Tensor | undefined
    const all = (): Tensor => {
      packed ??= call([dY, y, ...inputs.slice(2)], options)
      return packed
    }
    let byRows: Tensor | undefined
    /** dZ of all steps in the order of z, [n, t, g·u]. */
    const dz = (): Tensor => {
      byRows ??= stepsByRow(all(), 0, t, goBackwards)
      return byRows
    }
    const flat = (x: Tensor): Tensor => ops.reshape(x, [n * t, x.shape[2]])
    /** h before each step in the order of z, [n, t, u]; zeros before the first step. */
    const before = (): Tensor => stepsByRow(ops.reshape(y, [parts * t, n, u]), -1, t, goBackwards)
    /** Some columns of one step of the output of the gradient op, [n, size]. */
    const columns = (step: number, from: number, size: number): Tensor =>
      ops.reshape(ops.slice(all(), [step, 0, from], [1, n, size]), [n, size])
    const h = initial[0]
    const dWeights = (): Tensor => {
      const a = dropout ? ops.mul(before(), ops.expandDims(dropout, 1)) : before()
      const later = ops.matMul(flat(a), flat(dz()), { transposeA: true })
      return ops.add(later, ops.matMul(dropout ? ops.mul(h, dropout) : h, columns(0, 0, width), { transposeA: true }))
    }
    const dDropout = (): Tensor => {
      const product = ops.reshape(ops.matMul(flat(dz()), weights, { transposeB: true }), [n, t, u])
      const first = ops.reshape(ops.slice(product, [0, goBackwards ? t - 1 : 0, 0], [n, 1, u]), [n, u])
      return ops.add(ops.sum(ops.mul(before(), product), { axis: 1 }), ops.mul(h, first))
    }
    return [dz, ...initial.map((_, i) => () => columns(t, i * u, u)), dWeights, ...(dropout ? [dDropout] : []), ...(mask ? [null] : [])]
  }
}
