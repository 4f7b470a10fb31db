/**
 * Optimizer steps on those rows of an embedding that a batch has touched.
 *
 * `scatterAdd` makes an embedding's gradient, so it knows which rows are not zero. Some rules leave parameter and state as they are
 * when the gradient is zero (gradient descent without momentum, Adagrad); their update runs over the touched rows only. Rules whose state
 * fades by itself (momentum, RMSprop, Adam) must update all rows.
 */
import type { Storage, UpdateProgram, UpdateValue } from '../../backend.js'

export class TouchedRows {
  readonly #of = new WeakMap<Storage, { indices: Int32Array; rows: number }>()
  readonly #expected = new WeakSet<Storage>()

  /** Records that all rows of a matrix except those at the indices are zero. With as many indices as rows it is not worth it, and nothing is recorded. */
  note(matrix: Storage, indices: Int32Array, rows: number): void {
    if (indices.length < rows) this.#of.set(matrix, { indices: indices.slice(), rows })
    else this.forget(matrix)
  }

  /** Says, while calls are collected, that a matrix will get rows noted. */
  expect(matrix: Storage): void {
    this.#expected.add(matrix)
  }

  /** Whether rows of a matrix may be noted by the time that a collected call runs. */
  expects(matrix: Storage): boolean {
    return this.#expected.has(matrix)
  }

  /** Whether rows of a matrix are noted. */
  notes(matrix: Storage): boolean {
    return this.#of.has(matrix)
  }

  /** Call this when the values of the matrix change in another way. */
  forget(matrix: Storage): void {
    this.#of.delete(matrix)
  }

  /**
   * The touched rows as runs of neighbours, [first, count, first, count …], and the width of a row. Undefined if at least half of the rows are touched, or
   * if nothing is recorded.
   */
  runsOf(matrix: Storage): { runs: Int32Array; width: number } | undefined {
    const noted = this.#of.get(matrix)
    if (!noted) return undefined
    const { indices, rows } = noted
    const touched = new Uint8Array(rows)
    let count = 0
    for (let i = 0; i < indices.length; i++) {
      count += 1 - touched[indices[i]]
      touched[indices[i]] = 1
    }
    if (count * 2 >= rows) return undefined
    const runs = new Int32Array(2 * count)
    let length = 0
    for (let row = 0; row < rows; row++) {
      if (touched[row] === 0) continue
      if (row > 0 && touched[row - 1] === 1) runs[length - 1]++
      else {
        runs[length++] = row
        runs[length++] = 1
      }
    }
    return { runs: runs.subarray(0, length), width: matrix.size / rows }
  }
}

/** A fact about a value when all inputs are zero: zero, an unchanged slot, finite, above zero, not below zero, or nothing known (`any`). */
type Known = 'zero' | 'finite' | 'positive' | 'notNegative' | 'any' | { slot: number }

/**
 * Whether a program leaves every slot as it is when its inputs are zero, whatever the slots hold. It follows from the formula and the scalars of
 * this call. A slot under a root is assumed to be a sum of squares, so not below 0.
 */
export function keepsSlots(program: UpdateProgram, scalars: readonly number[]): boolean {
  const steps: Known[] = []
  const known = (value: UpdateValue): Known => {
    if ('step' in value) return steps[value.step]
    if ('input' in value) return 'zero'
    if ('slot' in value) return { slot: value.slot }
    const scalar = scalars[value.scalar]
    if (!Number.isFinite(scalar)) return 'any'
    return scalar > 0 ? 'positive' : 'finite'
  }
  for (const { kernel, arguments: values } of program.steps) {
    const [a, b = a] = values.map(known)
    steps.push(combined(kernel, a, b))
  }
  return program.results.every((step, slot) => {
    const result = steps[step]
    return typeof result === 'object' && result.slot === slot
  })
}

const finite = (x: Known): boolean => x === 'zero' || x === 'finite' || x === 'positive'
const notNegative = (x: Known): boolean => x === 'zero' || x === 'positive' || x === 'notNegative'

function combined(kernel: UpdateProgram['steps'][number]['kernel'], a: Known, b: Known): Known {
  switch (kernel) {
    case 'add':
      if (b === 'zero') return a
      if (a === 'zero') return b
      if (notNegative(a) && notNegative(b)) return a === 'positive' || b === 'positive' ? 'positive' : 'notNegative'
      return 'any'
    case 'sub':
      return b === 'zero' ? a : 'any'
    case 'mul':
      return (a === 'zero' && finite(b)) || (b === 'zero' && finite(a)) ? 'zero' : 'any'
    case 'div':
      return a === 'zero' && b === 'positive' ? 'zero' : 'any'
    case 'maximum':
    case 'minimum': // a program keeps a slot by taking the minimum of the slot and itself
      return typeof a === 'object' && typeof b === 'object' && a.slot === b.slot ? a : 'any'
    case 'sqrt': // the root of a slot: the slot is a sum of squares
      return a === 'zero' || a === 'positive' ? a : 'notNegative'
    case 'square':
    case 'abs':
      return a === 'zero' ? 'zero' : 'notNegative'
    case 'neg':
    case 'sign':
      return a === 'zero' ? 'zero' : 'any'
  }
}
