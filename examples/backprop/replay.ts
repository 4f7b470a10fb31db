/**
 * Central differences of anything on a tape. A record holds the op, its inputs and its options, so the rest of a computation can
 * be run again with one value changed: no formula of a derivative takes part.
 */
import { scope, type Tape, type Tensor, tensor } from '@cotangent/core'

/** Step of the differences: their error is of order STEP², the rounding of the loss enters as 10⁻¹⁶/STEP. */
const STEP = 1e-5

/**
 * Runs the records from `at` on again, and returns the last output, with one tensor moved: argument `input` of record `at` (of that
 * record alone: another use of the tensor keeps the old value), or, without `input`, the record's output.
 */
export function replay(tape: Tape, at: number, moved: Tensor, input?: number): Tensor {
  const { op, inputs, output, options } = tape.records[at]
  let last = input === undefined ? moved : op.call(inputs.with(input, moved), options)
  const now = new Map([[output, last]])
  for (const { op, inputs, output, options } of tape.records.slice(at + 1)) {
    const current = inputs.map((x) => now.get(x) ?? x)
    last = op.call(current, options)
    now.set(output, last)
  }
  return last
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

/** The values of a tensor, at once: a tape and a scope are synchronous, and so is the reference backend's memory. */
export function valuesOf(x: Tensor): number[] {
  const values = x.backend.readSync?.(x.storage)
  if (!values) throw new Error(`The ${x.backend.name} backend cannot be read at once.`)
  return Array.from(values)
}
