/**
 * Central differences for any value on a tape. A record holds the op, its inputs and its options. So the rest of a computation can
 * run again with one value changed, and no formula of a derivative takes part.
 */
import { scope, type Tape, type Tensor, tensor } from '@cotangent/core'

/** The step of the differences. Their error is of order STEP²; the rounding error of the loss adds 10⁻¹⁶/STEP. */
const STEP = 1e-5

/**
 * Runs the records from `at` on again, with one tensor moved, and returns the last output. The tensor is argument `input` of record `at` (of that
 * record alone: other uses of the tensor keep the old value), or the record's output if `input` is left out.
 */
export function replay(tape: Tape, at: number, moved: Tensor, input?: number): Tensor {
  const { op, inputs, output, options } = tape.records[at]
  const y = input === undefined ? moved : op.call(inputs.with(input, moved), options)
  const last = tape.records[tape.records.length - 1].output
  return tape.replay(last, new Map([[output, y]]))
}

/** d(last output)/d(each element of the tensor that `replay` moves), as (f(x + step) − f(x − step)) / 2·step. */
export function centralDifferences(tape: Tape, at: number, input?: number): number[] {
  const record = tape.records[at]
  const x = input === undefined ? record.output : record.inputs[input]
  const values = valuesOf(x)
  const lossAt = (i: number, value: number): number =>
    scope(() => {
      const moved = tensor(Float64Array.from(values.with(i, value)), { shape: x.shape, dtype: x.dtype, backend: x.backend })
      return valuesOf(replay(tape, at, moved, input))[0]
    })
  return values.map((value, i) => (lossAt(i, value + STEP) - lossAt(i, value - STEP)) / (2 * STEP))
}

/** The values of a tensor, read at once. A tape and a scope are synchronous, and so is the memory of the reference backend. */
export function valuesOf(x: Tensor): number[] {
  const values = x.backend.readSync?.(x.storage)
  if (!values) throw new Error(`The ${x.backend.name} backend cannot be read at once.`)
  return Array.from(values)
}
