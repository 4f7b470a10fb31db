/**
 * Central differences of the loss by any value on a tape. The records run again in float64 on the reference backend, with one number moved up and down; no formula of a
 * derivative takes part.
 */
import { type Backend, createReferenceBackend, scope, type Tape, type Tensor, tensor, withBackend } from '@cotangent/core'
import type { Checked } from './data.js'
import { isFloat } from './listen.js'
import { valuesOf } from './values.js'

/** The largest finite size of a number. */
function reach(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) most = Math.max(most, Math.abs(values[i]))
  return most
}

/** The error of a difference is of order STEP²; the rounding error of the loss adds 10⁻¹⁶/STEP. */
const STEP = 1e-5
/** Numbers of a tensor that are moved, evenly spread. */
const MOST = 64
/** Beside the cotangent that arrives, less than this is compared as if it were this. */
const CANCELLED = 1e-3
/** Milliseconds for one tensor. */
const TIME = 400

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
    const copy = this.#tensor(valuesOf(x), x).keep()
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

  /** The exact values of all tensors that do not depend on the output of record `at`. */
  #besides(at: number): Map<Tensor, Tensor> {
    const { records } = this.#tape
    const depends = new Set([records[at].output])
    for (const { inputs, output } of records.slice(at + 1)) if (inputs.some((x) => depends.has(x))) depends.add(output)
    return new Map([...this.#exact].filter(([x]) => !depends.has(x)))
  }

  /**
   * Compares `cotangent` with the differences of the loss by the same numbers.
   *
   * @param arrives the cotangent of the output. What is left of it after a sum that cancels, such as the gradient of a bias before a normalisation, is rounding
   */
  check(cotangent: ArrayLike<number>, at: number, arrives: ArrayLike<number>, input?: number): Checked {
    const record = this.#tape.records[at]
    const x = input === undefined ? record.output : record.inputs[input]
    const values = Float64Array.from(valuesOf(this.#exact.get(x) as Tensor))
    const differences = new Float64Array(values.length).fill(Number.NaN)
    const stride = Math.max(1, Math.ceil(values.length / MOST))
    const end = performance.now() + TIME
    let most = 0
    let largest = 0
    let compared = 0
    const { op, inputs, output, options } = record
    const exact = inputs.map((each) => this.#exact.get(each) as Tensor)
    const besides = this.#besides(at)
    const lossAt = (i: number, value: number): number =>
      withBackend(this.#backend, () =>
        scope(() => {
          const moved = this.#tensor(values.with(i, value), x)
          besides.set(output, input === undefined ? moved : op.call(exact.with(input, moved), options))
          return valuesOf(this.#tape.replay(this.#loss, besides))[0]
        }),
      )
    for (let i = 0; i < values.length && performance.now() < end; i += stride) {
      differences[i] = (lossAt(i, values[i] + STEP) - lossAt(i, values[i] - STEP)) / (2 * STEP)
      most = Math.max(most, Math.abs(differences[i] - cotangent[i]))
      largest = Math.max(largest, Math.abs(differences[i]))
      compared++
    }
    return { differences, error: most === 0 ? 0 : most / Math.max(largest, CANCELLED * reach(arrives), 1e-12), compared }
  }
}
