/**
 * The walk backwards: the chain rule, from the last record of a tape to the first.
 *
 * Griewank & Walther, "Evaluating Derivatives" (2008), chapter 3.
 */
import { shapeError } from '../errors.js'
import { scopeOfFresh } from '../tensor/scope.js'
import { sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Cotangents } from './cotangents.js'
import { ops } from './op.js'
import { labelled, pathOfDerivative } from './recording.js'
import type { Tape, TapeRecord } from './tape.js'

/** Called after each record, with the cotangent of its output and those of its inputs (null for an input that has none). */
export type Visit = (record: TapeRecord, dY: Tensor, dInputs: readonly (Tensor | null)[]) => void

/**
 * The cotangents of `sources`, given `seed`, the cotangent of `output`. A source that the output does not depend on gets undefined.
 *
 * A record says y = op(inputs). When the walk comes to it, all later records are done, and with them every use of y. So dY is complete. The rule of the op
 * turns dY into a cotangent for each input. An input that is used several times gets the sum.
 */
export function walkBackwards(tape: Tape, output: Tensor, seed: Tensor, sources: readonly Tensor[], visit?: Visit): (Tensor | undefined)[] {
  const cotangents = new Cotangents(output, seed, sources, visit === undefined)
  for (let r = tape.records.length - 1; r >= 0; r--) {
    const record = tape.records[r]
    const { op, inputs, output: y, options } = record
    const dY = cotangents.get(y)
    if (!dY) continue // the output does not depend on y
    const { result: dInputs, fresh } = scopeOfFresh(() =>
      labelled(pathOfDerivative(record), () => {
        const thunks = op.vjp({ dY, y, options }, inputs, ops) // the rule of the op: one function for each input
        return inputs.map((input, i) => (tape.tracks(input) ? (thunks[i]?.() ?? null) : null))
      }),
    )
    dInputs.forEach((dInput, i) => {
      if (!dInput) return
      requireShapeOfInput(record, i, dInput)
      cotangents.add(inputs[i], dInput, fresh.includes(dInput))
    })
    visit?.(record, dY, dInputs)
    cotangents.release(y) // earlier records cannot use y, so dY is no longer needed
  }
  return sources.map((source) => cotangents.get(source))
}

function requireShapeOfInput({ op, inputs }: TapeRecord, i: number, dInput: Tensor): void {
  if (sameShape(inputs[i].shape, dInput.shape)) return
  throw shapeError(`derivative of ${op.name}`, `the cotangent of input ${i} has another shape than the input: the rule is wrong`, [
    { name: 'input', shape: inputs[i].shape },
    { name: 'cotangent', shape: dInput.shape },
  ])
}
