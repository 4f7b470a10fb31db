/**
 * Runs a recurrent cell over a whole sequence, as one op. `lstmSequence`, `gruSequence` and `simpleRnnSequence` share it: a cell defines one step, and this
 * file has the loop over the steps, forward and backward.
 *
 * The part that does not depend on the state, z = x·W + b, is an input: it is computed for all steps at once. So a kernel for a whole sequence
 * contains only the recurrent part, and dX, dW and db each come from one large product.
 *
 * Inputs: z [n, t, g·u]; the states before the first step, [n, u] each; the tensors that all steps share (recurrent weights); if `options.masked`,
 * a mask [n, t] of floats. At steps where the mask is not above 0, the states stay as they are.
 *
 * Output: one tensor [parts, t, n, u]. The steps are in the order taken (with `goBackwards` from the last). The first parts are the states after each
 * step; the others are values that a backward pass needs (gates after their activations). A part is contiguous, and so is each step in it, so [t·n, u] and
 * [n, u] are operands of products without a copy. At a masked step the states are those before it; the other parts are computed all the same.
 *
 * Derivative: backpropagation through time (Werbos, "Backpropagation through time", Proc. IEEE 78, 1990). From the last step to the first, a step is
 * done again from the states in the output, recorded, and walked back. The tape keeps nothing but the output.
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { ComposedOp, Ops, Sample } from '../../autodiff/op.js'
import { Tape } from '../../autodiff/tape.js'
import { scope } from '../../tensor/scope.js'
import type { Tensor } from '../../tensor/tensor.js'

/** Options that every sequence op has. */
export interface RecurrenceOptions {
  /** Whether the last input is a mask. */
  masked: boolean
  /** Whether the steps go from the last to the first. */
  goBackwards: boolean
  /** Whether only the states are used of the output, so that the cotangents of the other parts are 0. False by default. */
  statesOnly?: boolean
}

/** A cell: one step, and what the op around it must state. */
export interface Recurrence<O extends RecurrenceOptions> {
  name: string
  /** The derivative as a formula. */
  rule: string
  /** How many states there are. */
  states: number
  /**
   * One step, from z [n, g·u], the states before it, and the tensors that all steps share. It gives the states after it, then the other parts of the
   * output, each [n, u].
   */
  step(z: Tensor, states: readonly Tensor[], shared: readonly Tensor[], options: O, ops: Ops): Tensor[]
  fused?: ComposedOp<O>['fused']
  samples: readonly Sample<O>[]
}

/** Registers the op that runs a cell over a sequence. */
export function defineRecurrence<O extends RecurrenceOptions>(cell: Recurrence<O>): (inputs: readonly Tensor[], options: O) => Tensor {
  const { states: count } = cell
  const divide = (inputs: readonly Tensor[], { masked }: O) => ({
    z: inputs[0],
    initial: inputs.slice(1, 1 + count),
    shared: inputs.slice(1 + count, masked ? -1 : undefined),
    mask: masked ? inputs[inputs.length - 1] : undefined,
  })

  /** One step with its mask [n]: in rows where the mask is not above 0, the states stay. */
  const maskedStep = (
    z: Tensor,
    states: readonly Tensor[],
    shared: readonly Tensor[],
    mask: Tensor | undefined,
    options: O,
    ops: Ops,
  ): Tensor[] => {
    const parts = cell.step(z, states, shared, options, ops)
    if (!mask) return parts
    const counts = ops.greater(ops.expandDims(mask, 1), 0) // [n, 1]
    return parts.map((part, p) => (p < count ? ops.where(counts, part, states[p]) : part))
  }

  return defineComposed<O>({
    name: cell.name,
    compose: (inputs, options, ops) => {
      const { z, initial, shared, mask } = divide(inputs, options)
      const order = <T>(steps: T[]): T[] => (options.goBackwards ? steps.reverse() : steps)
      const masks = mask && order(ops.unstack(mask, 1))
      const steps: Tensor[][] = []
      for (const [s, at] of order(ops.unstack(z, 1)).entries()) {
        steps.push(maskedStep(at, steps[s - 1]?.slice(0, count) ?? initial, shared, masks?.[s], options, ops))
      }
      const parts = steps[0].map((_, p) => steps.map((step) => step[p]))
      return ops.reshape(ops.stack(parts.flat()), [parts.length, steps.length, ...initial[0].shape])
    },
    derivative: {
      rule: cell.rule,
      vjp: ({ dY, y, options }, inputs, ops) => {
        const { z, initial, shared, mask } = divide(inputs, options)
        const [[parts, t, n, u], width] = [y.shape, z.shape[2]]

        /** Does step s again and walks back over it. Gives the cotangents of z at this step, of the states before it, and of the shared tensors. */
        const stepBack = (s: number, dStates: readonly Tensor[]): { dZ: Tensor; before: Tensor[]; dShared: Tensor[] } =>
          scope(() => {
            const at = options.goBackwards ? t - 1 - s : s
            const states = initial.map((state, p) =>
              s === 0 ? ops.viewOf(state) : ops.reshape(ops.slice(y, [p, s - 1, 0, 0], [1, 1, n, u]), [n, u]),
            )
            const zs = ops.reshape(ops.slice(z, [0, at, 0], [n, 1, width]), [n, width])
            const counts = mask && ops.reshape(ops.slice(mask, [0, at], [n, 1]), [n])
            const sources = [zs, ...states, ...shared.map((x) => ops.viewOf(x))]
            const tape = new Tape(sources)
            const step = tape.run(() => ops.stack(maskedStep(zs, states, sources.slice(1 + count), counts, options, ops))) // [parts, n, u]
            const own = ops.reshape(ops.slice(dY, [0, s, 0, 0], [parts, 1, n, u]), [parts, n, u])
            const later =
              dStates.length > 0 &&
              ops.pad(ops.stack(dStates), [
                [0, parts - count],
                [0, 0],
                [0, 0],
              ])
            const grads = tape.backward(step, later ? ops.add(own, later) : own, sources)
            const [dZ, ...rest] = grads.map((grad, i) => grad ?? ops.zerosLike(sources[i]))
            return { dZ, before: rest.slice(0, count), dShared: rest.slice(count) }
          })

        const walk = (): readonly Tensor[] => {
          const dZ: Tensor[] = []
          let dStates: Tensor[] = []
          let dShared: Tensor[] = []
          for (let s = t - 1; s >= 0; s--) {
            const passed = [...dStates, ...dShared]
            const step = stepBack(s, dStates)
            dZ.push(step.dZ)
            dStates = step.before
            dShared = dShared.length > 0 ? dShared.map((sum, i) => ops.add(sum, step.dShared[i])) : step.dShared
            for (const tensor of passed) tensor.dispose()
          }
          return [ops.stack(options.goBackwards ? dZ : dZ.reverse(), 1), ...dStates, ...dShared]
        }
        let walked: readonly Tensor[] | undefined
        return inputs.map((_, i) => {
          if (mask && i === inputs.length - 1) return null
          return () => {
            walked ??= walk()
            return walked[i]
          }
        })
      },
    },
    fused: cell.fused,
    samples: cell.samples,
  })
}
