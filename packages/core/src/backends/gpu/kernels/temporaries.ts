/** Temporaries: results between the launches of one kernel. They belong to no tensor and are all released once the last launch is on its way. */
import type { Shape } from '../../../tensor/shape.js'
import type { Operand } from '../../backend.js'
import { type Engine, handleOf, type KernelInputs, type KernelOptions, operandOf } from '../device/engine.js'
import type { IndexSpace } from '../source/addressing.js'

/** Runs a kernel over cells with the given axes; the result is a temporary of that shape, or four times as wide if `fours` is `flat`. */
export type Make<R = Operand> = (axes: Shape, inputs: KernelInputs, body: (space: IndexSpace) => string, options?: KernelOptions) => R

/** Makes a temporary that a kernel fills as if it were a tensor. */
export type Slot = (shape: Shape) => Operand

/** Runs `work` with temporaries and releases them. `work` may release one earlier if nothing reads it any more. `like` is any operand of the call. */
export function withTemporaries(
  engine: Engine,
  like: Operand,
  work: (make: Make, release: (x: Operand) => void, slot: Slot) => void,
): void {
  const live = new Set<Operand>()
  const release = (x: Operand): void => {
    if (live.delete(x) && x.storage.handle) engine.release(handleOf(x))
  }
  try {
    work(
      (axes, inputs, body, options) => {
        const shape = options?.fours === 'flat' ? [...axes.slice(0, -1), 4 * axes[axes.length - 1]] : axes
        const made = operandOf(engine.compute(axes, inputs, body, options), like, shape)
        live.add(made)
        return made
      },
      release,
      (shape) => {
        const made = operandOf(null, like, shape)
        live.add(made)
        return made
      },
    )
  } finally {
    for (const x of [...live]) release(x)
  }
}
