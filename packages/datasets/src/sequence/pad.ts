/** Sequences of different lengths as the rows of one array, as Keras' `pad_sequences`. */
import { type Checks, describeValue, oneOf, orNull, readOptions, requireIterable, whole } from '../arguments.js'
import { allocate, isTypedArray, type NDArray, requireNDArray, sizeOf } from '../array.js'
import { DatasetError } from '../errors.js'
import type { SpelledOptions } from '../spelling.js'

/** Element types of padded sequences, and their arrays. */
export interface PadArrays {
  uint8: Uint8Array
  int32: Int32Array
  float32: Float32Array
  float64: Float64Array
}
export type PadType = keyof PadArrays

const arrays: { readonly [D in PadType]: new (length: number) => PadArrays[D] } = {
  uint8: Uint8Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
}

export interface PadOptions<D extends PadType = PadType> {
  /** Length of the rows; that of the longest sequence by default. */
  maxlen?: number | null
  /** 'int32' by default. */
  dtype?: D
  /** The side on which short sequences are filled up; 'pre' by default. */
  padding?: 'pre' | 'post'
  /** The side on which long sequences are cut; 'pre' by default, which keeps the end. */
  truncating?: 'pre' | 'post'
  /** The number that fills short sequences up; 0 by default. */
  value?: number
}

const checks: Checks<PadOptions> = {
  maxlen: orNull(whole({ least: 0 })),
  dtype: oneOf(...Object.keys(arrays)),
  padding: oneOf('pre', 'post'),
  truncating: oneOf('pre', 'post'),
  // Held against dtype below.
  value: () => {},
}

/** Numbers, or vectors of them: lists, typed arrays, or an array of shape [steps, ..]. */
export type PaddedSequence = NestedNumbers | NDArray

/** A list of numbers, or of lists of them. */
export interface NestedNumbers {
  readonly length: number
  readonly [at: number]: number | NestedNumbers
}

const what = 'padSequences'

const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || isTypedArray(value)

/** The shape of a list of lists by its first items: `[[1, 2], [3, 4], [5, 6]]` → [3, 2]. */
function shapeOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...(isTypedArray(value) ? [] : shapeOf(value[0]))] : []
}

/** A sequence as a flat list of the numbers of its steps. */
interface Steps {
  readonly length: number
  /** Of a step: [] for a number; undefined if there are no steps. */
  readonly shape: readonly number[] | undefined
  readonly flat: ArrayLike<unknown>
}

function stepsOf(sequence: unknown, row: number): Steps {
  const name = `sequences[${row}]`
  if (isList(sequence)) {
    const [length, ...shape] = shapeOf(sequence)
    if (length === 0) return { length, shape: undefined, flat: [] }
    if (shape.length === 0) return { length, shape, flat: sequence }
    const flat: unknown[] = []
    for (let i = 0; i < length; i++) flatten(sequence[i], shape, `${name}[${i}]`, flat)
    return { length, shape, flat }
  }
  if (typeof sequence !== 'object' || sequence === null || !('data' in sequence)) {
    throw new DatasetError(`${what}: ${name} must be a list of numbers or of vectors, got ${describeValue(sequence)}.`)
  }
  requireNDArray(what, name, sequence)
  const { shape, data } = sequence as NDArray
  if (shape.length === 0) throw new DatasetError(`${what}: ${name} must be a sequence, got a single number (shape []).`)
  return { length: shape[0], shape: shape[0] === 0 ? undefined : shape.slice(1), flat: data }
}

/** Adds the numbers of a vector of this shape to a list. */
function flatten(value: unknown, shape: readonly number[], name: string, into: unknown[]): void {
  if (shape.length === 0) {
    into.push(value)
    return
  }
  if (!isList(value) || value.length !== shape[0]) {
    const expected = shape.length === 1 ? `${shape[0]} numbers` : `the shape [${shape.join(', ')}]`
    throw new DatasetError(`${what}: ${name} must have ${expected}, as the first step of its sequence, got ${describeValue(value)}.`)
  }
  for (let i = 0; i < value.length; i++) flatten(value[i], shape.slice(1), `${name}[${i}]`, into)
}

/**
 * Brings sequences to one length by cutting and filling up, as Keras' `pad_sequences`. A sequence without elements becomes all `value`.
 *
 * Shape: n sequences of numbers → [n, maxlen]; of vectors [..] → [n, maxlen, ..]. A sequence is a list, a typed array, or an array [steps,
 * ..].
 *
 * @throws DatasetError if `maxlen` is not a whole number, at least 0; an option does not exist; vectors have different shapes; or an
 * element is not a number, or not one that an integer `dtype` can hold. (Fractions are cut off, as NumPy does.)
 * @example
 * ```ts
 * const padded = padSequences([[1, 2, 3, 4, 5], [6, 7]], { maxlen: 3 })   // padded.shape = [2, 3]
 * console.log([...padded.data])   // [3, 4, 5, 0, 6, 7]
 * padSequences([[[1, 2], [3, 4]], [[5, 6]]]).shape   // [2, 2, 2]
 * ```
 */
export function padSequences<D extends PadType = 'int32'>(
  sequences: Iterable<PaddedSequence>,
  options: SpelledOptions<PadOptions<D>> = {},
): NDArray<PadArrays[D]> {
  requireIterable(what, 'sequences', sequences, 'a list of sequences')
  const read = readOptions(what, options, checks as Checks<PadOptions<D>>)
  const { dtype = 'int32' as D, padding = 'pre', truncating = 'pre', value = 0 } = read
  const rows = Array.from(sequences, stepsOf)
  const shape = rows.find((row) => row.shape !== undefined)?.shape ?? []
  const width = sizeOf(shape)
  rows.forEach((row, i) => {
    if (row.shape === undefined || (row.shape.length === shape.length && row.shape.every((size, axis) => size === shape[axis]))) return
    const first = rows.findIndex((other) => other.shape !== undefined)
    const shown = (steps: readonly number[]): string => (steps.length === 0 ? 'numbers' : `vectors of shape [${steps.join(', ')}]`)
    throw new DatasetError(`${what}: sequences[${first}] has ${shown(shape)}, but sequences[${i}] has ${shown(row.shape)}.`)
  })
  const maxlen = read.maxlen ?? rows.reduce((longest, { length }) => Math.max(longest, length), 0)
  if (rows.length * maxlen * width > 2 ** 32) {
    throw new DatasetError(`${what}: ${rows.length} sequences × ${maxlen * width} are more than 2^32 elements`)
  }
  const type = arrays[dtype]
  // Of the types, integers may lose what they are given; what is stored is then not the number without its fraction.
  const wholeNumbers = dtype === 'int32' || dtype === 'uint8'
  const probe = new type(1)
  const holds = (x: unknown): x is number => {
    if (typeof x !== 'number') return false
    probe[0] = x
    return !wholeNumbers || probe[0] === Math.trunc(x)
  }
  if (!holds(value)) throw new DatasetError(`${what}: value is ${describeValue(value)}, which ${dtype} cannot hold`)
  const data = allocate(what, type, rows.length * maxlen * width)
  if (value !== 0) data.fill(value)
  rows.forEach(({ length, flat }, row) => {
    const kept = Math.min(length, maxlen)
    const from = (truncating === 'pre' ? length - kept : 0) * width
    const to = (row * maxlen + (padding === 'pre' ? maxlen - kept : 0)) * width
    const safe = flat instanceof type
    for (let i = 0; i < kept * width; i++) {
      const x = flat[from + i]
      if (!safe && !holds(x)) {
        const at = Math.floor((from + i) / width)
        throw new DatasetError(
          `${what}: sequences[${row}][${at}] ${width > 1 ? 'has' : 'is'} ${describeValue(x)}, which ${dtype} cannot hold`,
        )
      }
      data[to + i] = x as number
    }
  })
  return { shape: [rows.length, maxlen, ...shape], data }
}
