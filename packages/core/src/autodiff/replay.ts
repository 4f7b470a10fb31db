/** Running the records of a tape again with other values. */
import { CotangentError, shapeError } from '../errors.js'
import { sameShape } from '../tensor/shape.js'
import { requireTensor, type Tensor } from '../tensor/tensor.js'
import type { TapeRecord } from './tape.js'

/** The value of `output` with `values` in the place of their keys. A record that depends on none of them does not run, nor does one behind `output`. */
export function replayRecords(records: readonly TapeRecord[], output: Tensor, values: ReadonlyMap<Tensor, Tensor>): Tensor {
  for (const [before, value] of values) {
    requireTensor('replay', 'a value to replace', before)
    requireTensor('replay', 'a value', value)
    if (sameShape(before.shape, value.shape)) continue
    throw shapeError('replay', 'a value has another shape than the tensor that it replaces', [
      { name: 'before', shape: before.shape },
      { name: 'value', shape: value.shape },
    ])
  }
  const now = new Map(values)
  for (const { op, inputs, output: y, options } of records) {
    if (values.has(y) || !inputs.some((x) => now.has(x))) continue
    now.set(
      y,
      op.call(
        inputs.map((x) => now.get(x) ?? x),
        options,
      ),
    )
    if (y === output) break
  }
  return now.get(output) ?? output
}

/** Runs the function of a record again. It takes tensors from outside, so that other inputs would change nothing: those are refused. */
export function runAgain(name: string, given: readonly Tensor[], inputs: readonly Tensor[], run: () => Tensor): Tensor {
  if (given.every((x, i) => x === inputs[i])) return run()
  throw new CotangentError(
    `${name}: its record cannot run again with other values, because its function takes tensors from outside. Replay without ${name}.`,
  )
}
