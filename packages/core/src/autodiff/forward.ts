/**
 * The walk forwards: the chain rule from the first record of a tape to the last. A record says y = op(inputs); the tangent of y is Σ Jᵢ·vᵢ over the inputs
 * that move.
 *
 * Reference: Griewank & Walther, "Evaluating Derivatives" (2008), section 3.1.
 */
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { ops } from './op.js'
import { labelled, pathOfDerivative } from './recording.js'
import type { Tape } from './tape.js'

type Tangent = Tensor | undefined

/** The tangents of `outputs` while each source moves along its tangent; undefined for an output that does not move. */
export function walkForwards(tape: Tape, outputs: readonly Tensor[], sources: readonly Tensor[], tangents: readonly Tensor[]): Tangent[] {
  const along = new Map<Tensor, Tensor>()
  const plus = (a: Tangent, b: Tangent): Tangent => (a && b ? ops.add(a, b) : (a ?? b))
  // A source that is given twice moves along both.
  for (const [i, source] of sources.entries()) along.set(source, plus(along.get(source), tangents[i]) as Tensor)
  for (const record of tape.records) {
    const { op, inputs, output: y, options } = record
    if (!inputs.some((input) => along.has(input))) continue // y does not move
    const tangent = scope(() =>
      labelled(pathOfDerivative(record), () => {
        const parts = op.jvp({ y, options }, inputs, ops) // the rule of the op: one function for each input
        return inputs.reduce((sum: Tangent, input, i) => {
          const v = along.get(input)
          return plus(sum, v && parts[i]?.(v))
        }, undefined)
      }),
    )
    if (tangent) along.set(y, tangent)
  }
  return outputs.map((output) => along.get(output))
}
