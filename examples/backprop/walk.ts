/**
 * The tape of one forward pass and the walk backwards over it, as plain data. For each record: its output, the cotangent that arrives at
 * it, the cotangents that it sends on, and beside each the central difference of the loss.
 *
 * It runs in float64 on the reference backend, so the two can be compared to about nine digits.
 */
import { createReferenceBackend, onesLike, record, type Shape, scope, type Tensor, withBackend } from '@cotangent/core'
import { data, initialWeights, network, type Weights } from './network.js'
import { centralDifferences, valuesOf } from './replay.js'

/** A tensor's name, shape and values. */
export interface Value {
  name: string
  shape: Shape
  values: number[]
}

/** One record of the tape. */
export interface Row {
  op: string
  rule: string
  /** The names of the layers and composed ops around the call. */
  path: string
  inputs: Value[]
  output: Value
}

/** A cotangent, with the central differences of the loss by the same numbers. */
export interface Checked extends Value {
  differences: number[]
  /** The largest difference between the two, relative to the largest central difference. */
  error: number
}

/** The work of `Tape.backward` at one record. */
export interface Step {
  /** The record's position on the tape. */
  index: number
  /** The cotangent of the record's output. */
  arrives: Checked
  /** The number of parts it is a sum of: one for each use of the output by a later record. */
  parts: number
  /** The cotangents that the record adds to its inputs; null for a constant. */
  sends: (Checked | null)[]
}

export interface Walk {
  weights: Value[]
  rows: Row[]
  steps: Step[]
  /** `tape.toString()` and `tape.toJSON()`: the library's own views of the same records. */
  text: string
  json: unknown
}

/** Records the loss of the network with this seed and walks back over it. */
export function walk(seed: number): Walk {
  const backend = createReferenceBackend()
  const weights = initialWeights(seed, 'float64', backend)
  const parameters = Object.values(weights)
  try {
    return withBackend(backend, () => scope(() => walkWith(weights)))
  } finally {
    for (const parameter of parameters) parameter.dispose()
  }
}

function walkWith(weights: Weights): Walk {
  const { x, t } = data('float64')
  const parameters = Object.values(weights)
  const { result, tape } = record(parameters, () => network(x, t, weights))

  const names = new Map<Tensor, string>(Object.entries({ x, t, ...weights, ...result }).map(([name, tensor]) => [tensor, name]))
  tape.records.forEach(({ output }, i) => {
    if (!names.has(output)) names.set(output, `r${i}`) // made inside a composed op
  })
  const show = (tensor: Tensor): Value => {
    const values = valuesOf(tensor)
    return { name: names.get(tensor) ?? String(values[0]), shape: tensor.shape, values }
  }

  const rows = tape.records.map(({ op, inputs, output, path }): Row => {
    return { op: op.name, rule: op.rule, path, inputs: inputs.map(show), output: show(output) }
  })

  const steps: Step[] = []
  const parts = new Map<Tensor, number>([[result.loss, 1]])
  tape.backward(result.loss, onesLike(result.loss), parameters, (record, dY, dInputs) => {
    const index = tape.records.indexOf(record)
    const check = (tensor: Tensor, cotangent: Tensor, input?: number): Checked => {
      const values = valuesOf(cotangent)
      const differences = centralDifferences(tape, index, input)
      return { ...show(tensor), values, differences, error: relativeError(values, differences) }
    }
    const sends = dInputs.map((dInput, i) => dInput && check(record.inputs[i], dInput, i))
    steps.push({ index, arrives: check(record.output, dY), parts: parts.get(record.output) ?? 0, sends })
    record.inputs.forEach((input, i) => {
      if (dInputs[i]) parts.set(input, (parts.get(input) ?? 0) + 1)
    })
  })
  return { weights: parameters.map(show), rows, steps, text: tape.toString(), json: tape.toJSON() }
}

/** max |a − b| / max |b| */
function relativeError(a: readonly number[], b: readonly number[]): number {
  const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs))
  return largest(a.map((value, i) => value - b[i])) / largest(b)
}
