/** Kernels that choose rows by index: `gather` and its adjoint `scatterAdd`. host.ts checks the indices first. */
import type { Kernels, Operand } from '../../backend.js'
import type { Engine } from '../device/engine.js'
import { address } from '../source/addressing.js'
import { sumInto } from '../source/rules.js'
import { checkIndices } from './host.js'
import { type Make, type Slot, withTemporaries } from './temporaries.js'

/** The number of rows that one thread adds up. */
const PART = 64
/** With at least this many reads of an index by all rows together, a plan is worth its launches and uploads. */
const MANY = 2 ** 17

/** Rows to add up by parts: where each part begins in a list of rows, and its number of rows. Array sizes depend only on the sizes of the inputs, since kernels are bound to them. */
interface Parts {
  readonly first: Float32Array
  readonly length: Float32Array
}

/** Cuts runs of rows of one kind into parts. `counts` is the number of rows of each kind, and becomes the number of its parts. */
function cut(counts: Int32Array, size: number): Parts {
  const parts = { first: new Float32Array(size), length: new Float32Array(size) }
  let part = 0
  let place = 0
  counts.forEach((count, kind) => {
    for (let taken = 0; taken < count; taken += PART) {
      parts.first[part] = place + taken
      parts.length[part++] = Math.min(PART, count - taken)
    }
    place += count
    counts[kind] = Math.ceil(count / PART)
  })
  return parts
}

/** Counting sort: the positions of `indices`, ordered by the row they name, and how many name each row. */
function sortByRow(indices: Float32Array, rows: number): { order: Float32Array; counts: Int32Array } {
  const counts = new Int32Array(rows)
  for (const row of indices) counts[row]++
  const next = new Int32Array(rows)
  for (let row = 1; row < rows; row++) next[row] = next[row - 1] + counts[row - 1]
  const order = new Float32Array(indices.length)
  indices.forEach((row, position) => {
    order[next[row]++] = position
  })
  return { order, counts }
}

export function rowKernels(engine: Engine): Pick<Kernels, 'gather' | 'scatterAdd'> {
  /** Adds rows of x up by parts: [parts, inner]. With `order`, x's rows are taken in that order. */
  function addParts(
    make: Make,
    put: (values: Float32Array) => Operand,
    x: Operand,
    { first, length }: Parts,
    inner: number,
    order?: Operand,
  ): Operand {
    const arrays = { x, first: put(first), lengths: put(length), ...(order && { order }) }
    return make(
      [first.length, inner],
      { arrays },
      ({ at: [part, j] }) => `
const start = first[${part}];
const length = lengths[${part}];
let sum = 0;
for (let l = 0; l < ${PART}; l++) {
  const step = l;
  const inside = step < length ? step : 0;
  const from = ${order ? 'order[start + inside]' : 'start + inside'};
  const value = x[${address(['from', j], [inner, 1])}];
  sum += step < length ? value : 0;
}
return sum;`,
      { floatAddresses: true },
    )
  }

  /** Sorts the indices by row on the host, then adds each row's cells up by parts. The number of rounds is that for a single row that all indices name. */
  function scatterByPlan(out: Operand, x: Operand, indices: Float32Array): void {
    const [rows, inner] = out.shape
    const { order, counts } = sortByRow(indices, rows)
    withTemporaries(engine, x, (make: Make, release, slot: Slot) => {
      const put = (values: Float32Array): Operand => {
        const made = slot([values.length])
        engine.put(made, values)
        return made
      }
      let size = indices.length
      let sums = x
      for (let most = indices.length; most > 1 || sums === x; most = Math.ceil(most / PART)) {
        size = Math.min(rows, indices.length) + Math.floor(size / PART)
        const before = sums
        sums = addParts(make, put, before, cut(counts, size), inner, before === x ? put(order) : undefined)
        if (before !== x) release(before)
      }
      // In the end there is one part for each row that an index names.
      let part = 0
      const places = put(Float32Array.from(counts, (count) => (count > 0 ? part++ : -1)))
      engine.run(
        out,
        [rows, inner],
        { arrays: { sums, places } },
        ({ at: [row, j] }) => `
const place = places[${row}];
const inside = place < 0 ? 0 : place;
const value = sums[${address(['inside', j], [inner, 1])}];
return place < 0 ? 0 : value;`,
        { floatAddresses: true },
      )
    })
  }

  return {
    gather(out, x, indices) {
      const [rows, inner] = x.shape
      checkIndices(engine, 'gather', indices, rows)
      engine.run(
        out,
        [indices.size, inner],
        { arrays: { x, indices } },
        ({ at: [i, j] }) => `
const row = indices[${i}];
return x[${address(['row', j], [inner, 1])}];`,
        { floatAddresses: true },
      )
    },

    // If the host does not know the indices, every output cell looks at all of them: O(rows · count · inner) instead of O((rows + count) · inner).
    scatterAdd(out, x, indices) {
      const [rows, inner] = out.shape
      const known = checkIndices(engine, 'scatterAdd', indices, rows)
      if (known && rows * known.length > MANY && inner > 0) return scatterByPlan(out, x, known)
      engine.run(
        out,
        [rows, inner],
        { arrays: { x, indices } },
        ({ at: [row, j] }) => `
const here = ${row};
${sumInto('sum', indices.size, (l) => `(indices[${l}] === here ? x[${address([l, j], [inner, 1])}] : 0)`)}
return sum;`,
        { floatAddresses: true },
      )
    },
  }
}
