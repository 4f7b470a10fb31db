/** Sequences of different lengths as the rows of one array, as Keras' `pad_sequences`. */
import { type NDArray, ndarray } from '../array.js'
import { DatasetError } from '../errors.js'

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
  /** On which side short sequences are filled up; 'pre' by default. */
  padding?: 'pre' | 'post'
  /** On which side long sequences are cut; 'pre' by default, which keeps the end. */
  truncating?: 'pre' | 'post'
  /** What fills them up; 0 by default. */
  value?: number
}

/**
 * Cuts and fills up sequences to one length. A sequence without elements becomes all `value`.
 *
 * Shape: n sequences → [n, maxlen]
 *
 * Errors: `maxlen` that is not a whole number ≥ 0; an unknown option; an element that is not a number, or not one that an integer
 * `dtype` can hold (fractions are cut off, as NumPy does).
 *
 * ```ts
 * padSequences([[1, 2, 3, 4, 5], [6, 7]], { maxlen: 3 }).data // Int32Array [3, 4, 5,  0, 6, 7]
 * ```
 */
export function padSequences<D extends PadType = 'int32'>(
  sequences: readonly ArrayLike<number>[],
  options: PadOptions<D> = {},
): NDArray<PadArrays[D]> {
  const { dtype = 'int32' as D, padding = 'pre', truncating = 'pre', value = 0 } = options
  sequences.forEach((sequence, row) => {
    if (Number.isInteger(sequence?.length) && typeof sequence !== 'string') return
    throw new DatasetError(`padSequences: sequences[${row}] is ${String(sequence)}, not a sequence`)
  })
  const maxlen = options.maxlen ?? sequences.reduce((longest, { length }) => Math.max(longest, length), 0)
  if (!(Number.isSafeInteger(maxlen) && maxlen >= 0)) {
    throw new DatasetError(`padSequences: maxlen is ${maxlen}; it must be a whole number ≥ 0`)
  }
  for (const [name, side] of Object.entries({ padding, truncating })) {
    if (side !== 'pre' && side !== 'post') throw new DatasetError(`padSequences: ${name} is "${side}"; expected 'pre' or 'post'`)
  }
  const type = arrays[dtype]
  if (!type) throw new DatasetError(`padSequences: dtype is "${dtype}"; expected ${Object.keys(arrays).join(', ')}`)
  if (sequences.length * maxlen > 2 ** 32) {
    throw new DatasetError(`padSequences: ${sequences.length} sequences × ${maxlen} are more than 2^32 elements`)
  }
  // Of the types, integers may lose what they are given; what is stored is then not the number without its fraction.
  const whole = dtype === 'int32' || dtype === 'uint8'
  const probe = new type(1)
  const holds = (x: number): boolean => {
    probe[0] = x
    return typeof x === 'number' && (!whole || probe[0] === Math.trunc(x))
  }
  if (!holds(value)) throw new DatasetError(`padSequences: value is ${value}, which ${dtype} cannot hold`)
  const data = new type(sequences.length * maxlen)
  if (value !== 0) data.fill(value)
  sequences.forEach((sequence, row) => {
    const { length } = sequence
    const kept = Math.min(length, maxlen)
    const from = truncating === 'pre' ? length - kept : 0
    const to = row * maxlen + (padding === 'pre' ? maxlen - kept : 0)
    const safe = sequence instanceof type
    for (let i = 0; i < kept; i++) {
      const x = sequence[from + i]
      if (!safe && !holds(x)) throw new DatasetError(`padSequences: sequences[${row}][${from + i}] is ${x}, which ${dtype} cannot hold`)
      data[to + i] = x
    }
  })
  return ndarray(data, [sequences.length, maxlen])
}
