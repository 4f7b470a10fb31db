/**
 * A recurrent layer with the products of its inputs, as one op: an LSTM or a simple RNN over x instead of z = x·W + b. A backend has kernels for it, in which z and
 * its cotangents stay in the caches. They are for layers with few weights; for others, each product by itself is as fast (`fits`).
 *
 * Inputs: x [n, t, in]; W [in, g·u]; with `biased` b [g·u]; then those of the sequence op after z: the states before the first step, U, optionally dropout factors m
 * and a mask.
 *
 * Output: that of the sequence op, [parts, t, n, u].
 *
 * Derivative: one op for all inputs. Its output is a list of numbers: dX (if `wantsX`), dW, dU, db, and the cotangents of the states, side by side [n, states·u].
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { ComposedOp, Ops, Sample, Vjp } from '../../autodiff/op.js'
import type { FusedKernels } from '../../backends/backend.js'
import { recurrentKernels } from '../../backends/families/recurrent.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Call, GradientOptions } from './back-through-time.js'
import { countedSteps, optionalInputs, project, type SequenceOptions } from './sequence-options.js'

/**
 * The options of the sequence op; whether there is a bias, whether the gradient op gives dX, and whether only the states after the last step are used of the output, so
 * that all other cotangents are 0.
 */
export type FromInputsOptions<O> = O & { biased: boolean; wantsX?: boolean; lastOnly?: boolean }

/** A sequence op whose inputs begin with z. */
interface OverZ<O extends GradientOptions> {
  name: `${string}FromInputs` & keyof FusedKernels
  gradient: `${string}FromInputsGradient` & keyof FusedKernels
  /** How many gates, states and parts of the output there are. */
  gates: number
  states: number
  parts: number
  /** The sequence op, and its derivative through the fast way back. */
  call: Call<O>
  vjp: Vjp<O>
  rule: string
  samples: readonly Sample<FromInputsOptions<O>>[]
  samplesOfGradient: readonly Sample<FromInputsOptions<O>>[]
}

/** The most bytes of W and U. On the way back each group of rows has sums of as many bytes, which go through the caches once a chunk. */
const MOST_BYTES = 2 * 1024 * 1024

/** Whether a layer is one for this op: few weights, and no size is 0. */
const fits = (x: Tensor, kernel: Tensor, recurrentKernel: Tensor): boolean =>
  x.size > 0 && recurrentKernel.size > 0 && 4 * (kernel.size + recurrentKernel.size) <= MOST_BYTES

/** Runs a layer over x: by its op over inputs where that fits, else by the sequence op over z. `own` are the options of that op. */
export function runOverInputs<O extends GradientOptions>(
  ops: { overInputs: Call<FromInputsOptions<O>>; overZ: Call<O> },
  x: Tensor,
  { kernel, recurrentKernel, bias }: { kernel: Tensor; recurrentKernel: Tensor; bias?: Tensor },
  states: readonly Tensor[],
  options: SequenceOptions,
  own: Omit<O, keyof GradientOptions>,
): Tensor {
  const { mask, goBackwards = false, returnSequences = true, recurrentDropout } = options
  const rest = [...states, recurrentKernel, ...optionalInputs(x, options)]
  const all = { ...own, masked: mask !== undefined, goBackwards, dropped: recurrentDropout !== undefined, statesOnly: true } as O
  if (!fits(x, kernel, recurrentKernel)) return ops.overZ([project(x, kernel, bias, options), ...rest], all)
  const biased = bias !== undefined
  return ops.overInputs([countedSteps(x, options), kernel, ...(bias ? [bias] : []), ...rest], {
    ...all,
    biased,
    lastOnly: !returnSequences,
  })
}

/** Registers the op for a cell, and that of its derivative. */
export function defineFromInputs<O extends GradientOptions>(cell: OverZ<O>): Call<FromInputsOptions<O>> {
  const { gates, states: count, parts } = cell
  const flat = (x: Tensor, ops: Ops): Tensor => ops.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number])

  const callGradient = defineComposed<FromInputsOptions<O>>({
    name: cell.gradient,
    compose: ([dY, y, x, kernel, ...rest], options, ops) => {
      const [dz, ...thunks] = cell.vjp({ dY, y, options }, [x, ...rest], ops) // the rule does not read z
      const dZ = flat((dz as () => Tensor)(), ops) // [n·t, g·u]
      const [dU, ...dStates] = [thunks[count], ...thunks.slice(0, count)].map((thunk) => (thunk as () => Tensor)())
      const all = [
        ...(options.wantsX ? [ops.matMul(dZ, kernel, { transposeB: true })] : []),
        ops.matMul(flat(x, ops), dZ, { transposeA: true }),
        dU,
        ops.sum(dZ, { axis: 0 }),
        ops.concat(dStates, -1),
      ]
      return ops.concat(
        all.map((part) => ops.reshape(part, [part.size])),
        0,
      )
    },
    fused: {
      family: recurrentKernels,
      kernel: cell.gradient,
      rule: '(through its composition)',
      shape: ([, y, x, kernel], { wantsX }) => {
        const [, , n, u] = y.shape
        const size = (wantsX ? sizeOf(x.shape) : 0) + (kernel.shape[0] + u + 1) * gates * u + count * n * u
        return { shape: [size], dtype: y.dtype }
      },
      forward: (fused, out, inputs, options) => fused[cell.gradient](out, inputs, { ...options, biased: false }),
    } as ComposedOp<FromInputsOptions<O>>['fused'],
    samples: cell.samplesOfGradient,
  })

  const vjp: Vjp<FromInputsOptions<O>> = ({ dY, y, options }, inputs, ops) => {
    const [x, kernel, ...others] = inputs
    const rest = options.biased ? others.slice(1) : others
    const [, , n, u] = y.shape
    const width = gates * u
    let packed: { all: Tensor; wantsX: boolean } | undefined
    /** The output of the gradient op. The cotangent of x is asked for first, if at all; so one call does. */
    const all = (wantsX: boolean): { all: Tensor; wantsX: boolean } => {
      if (!packed || (wantsX && !packed.wantsX)) packed = { all: callGradient([dY, y, x, kernel, ...rest], { ...options, wantsX }), wantsX }
      return packed
    }
    /** The part that begins behind dX and `from` more numbers. */
    const part = (from: number, shape: Shape): Tensor => {
      const { all: numbers, wantsX } = all(false)
      return ops.reshape(ops.slice(numbers, [(wantsX ? x.size : 0) + from], [sizeOf(shape)]), shape)
    }
    const [afterW, afterU] = [kernel.size, kernel.size + u * width]
    const dState = (i: number): Tensor => {
      const dStates = part(afterU + width, [n, count * u])
      return count === 1 ? dStates : ops.slice(dStates, [0, i * u], [n, u])
    }
    const dDropout = (): Tensor => (cell.vjp({ dY, y, options }, [x, ...rest], ops)[2 + count] as () => Tensor)()
    return [
      () => ops.reshape(ops.slice(all(true).all, [0], [x.size]), x.shape),
      () => part(0, kernel.shape),
      ...(options.biased ? [() => part(afterU, [width])] : []),
      ...Array.from({ length: count }, (_, i) => () => dState(i)),
      () => part(afterW, [u, width]),
      ...(options.dropped ? [dDropout] : []),
      ...(options.masked ? [null] : []),
    ]
  }

  return defineComposed<FromInputsOptions<O>>({
    name: cell.name,
    compose: ([x, kernel, ...others], options, ops) => {
      const [n, t] = x.shape
      const z = options.biased ? ops.affine(flat(x, ops), kernel, others[0]) : ops.matMul(flat(x, ops), kernel)
      return cell.call([ops.reshape(z, [n, t, kernel.shape[1]]), ...others.slice(options.biased ? 1 : 0)], options)
    },
    fused: {
      family: recurrentKernels,
      kernel: cell.name,
      rule: cell.rule,
      shape: ([x, , ...others], { biased }) => {
        const [n, u] = others[biased ? 1 : 0].shape
        return { shape: [parts, x.shape[1], n, u], dtype: x.dtype }
      },
      forward: (fused, out, inputs, options) => fused[cell.name](out, inputs, options),
      vjp,
    } as ComposedOp<FromInputsOptions<O>>['fused'],
    samples: cell.samples,
  })
}
