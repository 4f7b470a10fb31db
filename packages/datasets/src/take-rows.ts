/** Rows of an array picked by their positions or by a condition, as NumPy's `x[indices]` and `x[y < 5]`. */
import { describeValue } from './arguments.js'
import { allocate, isTypedArray, type NDArray, requireNDArray, sizeOf, type TypedArray } from './array.js'
import { DatasetError } from './errors.js'

/** Positions, negative ones counted from the end; a mask, true for each row that is wanted; or a function that tells it of a position. */
export type RowChoice = readonly number[] | TypedArray | readonly boolean[] | ((row: number) => boolean)

/** The positions that a choice means among `count` rows. */
function positions(choice: RowChoice, count: number): readonly number[] {
  const all = Array.from({ length: count }, (_, row) => row)
  if (typeof choice === 'function') {
    return all.filter((row) => {
      const wanted: unknown = choice(row)
      if (typeof wanted === 'boolean') return wanted
      throw new DatasetError(`takeRows: the function must return true or false, got ${describeValue(wanted)} for row ${row}.`)
    })
  }
  const list: readonly unknown[] | undefined = isTypedArray(choice) ? Array.from(choice) : Array.isArray(choice) ? choice : undefined
  if (!list) {
    throw new DatasetError(
      `takeRows: which must be positions, a list of true and false, or a function, got ${describeValue(choice)}. Write takeRows(x, [0, 2]) or takeRows(x, (row) => y.data[row] < 5).`,
    )
  }
  // Truth values of a tensor come as bytes. As positions they would take rows 0 and 1 over and over.
  if (choice instanceof Uint8Array && count > 2 && choice.length === count && choice.every((value) => value <= 1)) {
    throw new DatasetError(
      `takeRows: which has a 0 or 1 for each of ${count} rows, so it seems to be a mask. Write takeRows(x, Array.from(mask, Boolean)), or positions as a list of numbers.`,
    )
  }
  if (typeof list[0] === 'boolean') {
    if (list.length !== count) throw new DatasetError(`takeRows: the mask has ${list.length} entries, and the array ${count} rows.`)
    const wrong = list.findIndex((value) => typeof value !== 'boolean')
    if (wrong >= 0) throw new DatasetError(`takeRows: which[${wrong}] is ${describeValue(list[wrong])}; a mask has true and false alone.`)
    return all.filter((row) => list[row])
  }
  return list.map((value, i) => {
    const row = typeof value === 'number' && value < 0 ? value + count : value
    if (Number.isInteger(row) && (row as number) >= 0 && (row as number) < count) return row as number
    throw new DatasetError(
      `takeRows: which[${i}] is ${describeValue(value)}; positions of ${count} rows are whole numbers from ${-count} to ${count - 1}.`,
    )
  })
}

/**
 * Some rows of an array, in the order of the positions, as a copy.
 *
 * Shape: [n, ..rest] → [rows taken, ..rest]
 *
 * @throws DatasetError if the array has no axes, a position is out of range, or a mask has another length than the array has rows.
 * @example
 * ```ts
 * const x = ndarray(new Uint8Array([1, 2, 3, 4, 5, 6]), [3, 2])
 * const y = ndarray(new Uint8Array([7, 0, 9]), [3])
 * console.log(String(takeRows(x, [2, 0]).data))   // 5,6,1,2
 * console.log(String(takeRows(x, (row) => y.data[row] < 5).data))   // 3,4
 * ```
 */
export function takeRows<T extends TypedArray>(array: NDArray<T>, which: RowChoice): NDArray<T> {
  requireNDArray('takeRows', 'array', array)
  const [count, ...rest] = array.shape
  if (count === undefined) throw new DatasetError('takeRows: the array has no axes (shape [])')
  const rows = positions(which, count)
  const size = sizeOf(rest)
  const data = allocate('takeRows', array.data.constructor as new (length: number) => T, rows.length * size)
  for (const [i, row] of rows.entries()) data.set(array.data.subarray(row * size, row * size + size), i * size)
  return { shape: [rows.length, ...rest], data }
}
