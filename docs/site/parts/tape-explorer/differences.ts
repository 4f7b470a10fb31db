/**
 * Central differences of the loss by any value on a tape. The records run again in float64 on the reference backend, with one number moved up and down; no formula of a
 * derivative takes part.
 */
import { type Backend, createReferenceBackend, scope, type Tape, type Tensor, tensor, withBackend } from '@cotangent/core'
import type { Checked } from './data.js'
import { isFloat } from './listen.js'

/** The error of a difference is of order STEP²; the rounding error of the loss adds 10⁻¹⁶/STEP. */
const STEP = 1e-5
/** Numbers of a tensor that are moved, evenly spread. */
const MOST = 64
/** Milliseconds for one tensor. */
const TIME = 400

const read = (x: Tensor): ArrayLike<number> => {
  const values = x.backend.readSync?.(x.storage)
  if (!values) throw new Error(`The ${x.backend.name} backend cannot be read at once.`)
  return values
}

export class Replay {
  readonly #tape: Tape
  readonly #loss: Tensor
  readonly #backend: Backend = createReferenceBackend({ dtype: 'float64' })
  /** Every tensor of the tape in float64. */
  readonly #exact = new Map<Tensor, Tensor>()
  /** Why the tape cannot run again. */
  readonly why: string | undefined

  constructor(tape: Tape, loss: Tensor) {
    this.#tape = tape
    this.#loss = loss
    try {
      withBackend(this.#backend, () => {
        for (const { op, inputs, output, options } of tape.records) {
          const again = op
            .call(
              inputs.map((x) => this.#copy(x)),
              options,
            )
            .keep()
          if (again.backend !== this.#backend)
            throw new Error(`${op.name} runs a function again that has its own tensors, so nothing can be moved`)
          if (again.shape.join() !== output.shape.join()) throw new Error(`${op.name} gives another shape when it runs again`)
          this.#exact.set(output, again)
        }
      })
    } catch (error) {
      this.why = `The tape does not run again in float64: ${(error as Error).message}`
    }
  }

  #copy(x: Tensor): Tensor {
    const known = this.#exact.get(x)
    if (known) return known
    const copy = this.#tensor(read(x), x).keep()
    this.#exact.set(x, copy)
    return copy
  }

  #tensor(values: ArrayLike<number>, like: Tensor): Tensor {
    return tensor(Float64Array.from(values), {
      shape: like.shape,
      dtype: isFloat(like.dtype) ? 'float64' : like.dtype,
      backend: this.#backend,
    })
  }

  /** The loss with `moved` in the place of input `input` of record `at`, or of its output if `input` is left out. Only what depends on it runs. */
  #lossWith(at: number, moved: Tensor, input?: number): number {
    const now = new Map<Tensor, Tensor>()
    const { op, inputs, output, options } = this.#tape.records[at]
    const exact = inputs.map((x) => this.#exact.get(x) as Tensor)
    now.set(output, input === undefined ? moved : op.call(exact.with(input, moved), options))
    for (const later of this.#tape.records.slice(at + 1)) {
      if (!later.inputs.some((x) => now.has(x))) continue
      now.set(
        later.output,
        later.op.call(
          later.inputs.map((x) => now.get(x) ?? (this.#exact.get(x) as Tensor)),
          later.options,
        ),
      )
    }
    return read(now.get(this.#loss) ?? (this.#exact.get(this.#loss) as Tensor))[0]
  }

  /** Compares `cotangent` with the differences of the loss by the same numbers. */
  check(cotangent: ArrayLike<number>, at: number, input?: number): Checked {
    const record = this.#tape.records[at]
    const x = input === undefined ? record.output : record.inputs[input]
    const values = Float64Array.from(read(this.#exact.get(x) as Tensor))
    const differences = new Float64Array(values.length).fill(Number.NaN)
    const stride = Math.max(1, Math.ceil(values.length / MOST))
    const end = performance.now() + TIME
    let most = 0
    let largest = 0
    let compared = 0
    const lossAt = (i: number, value: number): number =>
      withBackend(this.#backend, () => scope(() => this.#lossWith(at, this.#tensor(values.with(i, value), x), input)))
    for (let i = 0; i < values.length && performance.now() < end; i += stride) {
      differences[i] = (lossAt(i, values[i] + STEP) - lossAt(i, values[i] - STEP)) / (2 * STEP)
      most = Math.max(most, Math.abs(differences[i] - cotangent[i]))
      largest = Math.max(largest, Math.abs(differences[i]))
      compared++
    }
    return { differences, error: most === 0 ? 0 : most / Math.max(largest, 1e-12), compared }
  }
}
