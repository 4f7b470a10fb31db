/**
 * NumPy's .npy: a magic word, a version, a header that is a Python dictionary, the elements. An array of objects is a pickle.
 *
 * Reference: numpy/lib/format.py. Every size is held against the bytes that are there before anything is allocated.
 */
import { type Checks, readOptions, requireBytes, requireText, whole } from '../arguments.js'
import { type NDArray, sizeOf, type TypedArray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { type IntegerLists, unpickleLists } from './pickle.js'

interface Header {
  readonly descr: string
  readonly shape: readonly number[]
  /** The offset of the elements. */
  readonly at: number
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** The entries of a header, in any order. There may be no others. */
const entries = [/'descr':\s*'([^']*)'/, /'fortran_order':\s*(True|False)/, /'shape':\s*\(([^)]*)\)/]

/** The whole numbers of a Python tuple, without its brackets: `2, 3`, `2,` or nothing, with Python 2's `2L`. Undefined if it is none. */
function tuple(text: string): number[] | undefined {
  if (text.trim() === '') return []
  const items = text.split(',').map((item) => item.trim())
  // One number without a comma is no tuple.
  if (items.length === 1) return undefined
  if (items.at(-1) === '') items.pop()
  return items.every((item) => /^\d+L?$/.test(item)) ? items.map((item) => Number.parseInt(item, 10)) : undefined
}

function parseHeader(bytes: Uint8Array): Header {
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte)) throw new DatasetError('not a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes[6] < 1 || bytes[6] > 3) throw new DatasetError(`version ${bytes[6]}.${bytes[7]} of the format; 1.0 to 3.0 are read`)
  const long = bytes[6] > 1
  if (long && bytes.length < 12) throw new DatasetError(`truncated in its header: ${bytes.length} bytes`)
  const start = long ? 12 : 10
  const at = start + (long ? view.getUint32(8, true) : view.getUint16(8, true))
  if (at > bytes.length) throw new DatasetError(`truncated in its header: ${bytes.length} bytes`)
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, at))
  const [descr, order, sizes] = entries.map((entry) => entry.exec(text)?.[1])
  const rest = entries.reduce((left, entry) => left.replace(entry, ''), text)
  const shape = sizes === undefined ? undefined : tuple(sizes)
  if (descr === undefined || order === undefined || shape === undefined || !/^\s*\{[\s,]*\}\s*$/.test(rest))
    throw new DatasetError(`unknown header ${text.trim().slice(0, 120)}`)
  if (order === 'True' && shape.length > 1) throw new DatasetError('its elements are in column-major (Fortran) order; save it in C order')
  if (!Number.isSafeInteger(sizeOf(shape))) throw new DatasetError(`the shape [${shape.join(', ')}] is absurd`)
  return { descr, shape, at }
}

/** 64-bit integers as int32, if they fit: the upper half is then the sign of the lower. */
function narrowed(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const out = new Int32Array(bytes.length / 8)
  for (let i = 0; i < out.length; i++) {
    out[i] = view.getInt32(8 * i, true)
    if (view.getInt32(8 * i + 4, true) === out[i] >> 31) continue
    throw new DatasetError(`element ${i} is ${view.getBigInt64(8 * i, true)}, which int32 cannot hold`)
  }
  return out
}

/** A reader of elements that have a typed array of their own: a copy, since bytes need not lie where elements may. */
const copied =
  (type: new (buffer: ArrayBuffer) => TypedArray) =>
  (bytes: Uint8Array): TypedArray =>
    new type(new Uint8Array(bytes).buffer)

const types: Readonly<Record<string, { bytes: number; of: (bytes: Uint8Array) => TypedArray }>> = {
  '|u1': { bytes: 1, of: copied(Uint8Array) },
  '|b1': { bytes: 1, of: copied(Uint8Array) },
  '|i1': { bytes: 1, of: copied(Int8Array) },
  '<u2': { bytes: 2, of: copied(Uint16Array) },
  '<i2': { bytes: 2, of: copied(Int16Array) },
  '<u4': { bytes: 4, of: copied(Uint32Array) },
  '<i4': { bytes: 4, of: copied(Int32Array) },
  '<i8': { bytes: 8, of: narrowed },
  '<f4': { bytes: 4, of: copied(Float32Array) },
  '<f8': { bytes: 8, of: copied(Float64Array) },
}

const named = <T>(name: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw new DatasetError(`${name}: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * Reads an array of numbers from the bytes of a .npy file. int64 becomes int32.
 *
 * Source: numpy/lib/format.py.
 *
 * Shape: the header's
 *
 * @throws DatasetError if it is not a .npy file; the element type is none of whole numbers of 8 to 64 bits, float32 and float64,
 * little-endian; an int64 does not fit int32; the order is Fortran's; or there are fewer or more bytes than the header announces.
 * @example
 * ```ts
 * const array = parseNpy(writeNpy(ndarray(Float32Array.of(1, 2, 3), [3])), 'three.npy')
 * console.log(array.shape, [...array.data])   // [3] [1, 2, 3]
 * ```
 */
export function parseNpy(bytes: Uint8Array, name = '.npy data'): NDArray {
  requireBytes('parseNpy', bytes)
  requireText('parseNpy', 'name', name)
  return named(name, () => {
    const { descr, shape, at } = parseHeader(bytes)
    if (descr === '|O') throw new DatasetError('it holds Python objects; parseNpyLists reads lists of whole numbers')
    const type = Object.hasOwn(types, descr) ? types[descr] : undefined
    if (!type) throw new DatasetError(`unknown element type ${descr} (known: ${Object.keys(types).join(', ')})`)
    const expected = at + sizeOf(shape) * type.bytes
    if (bytes.length !== expected) {
      const problem = bytes.length < expected ? 'truncated' : 'trailing bytes'
      throw new DatasetError(
        `${problem}: ${descr} of shape [${shape.join(', ')}] is ${expected} bytes with its header, found ${bytes.length}`,
      )
    }
    return { shape, data: type.of(bytes.subarray(at)) }
  })
}

export interface NpyListsOptions {
  /** Largest number of lists; 2^20 by default. A list takes a hundred bytes of memory, but may take only one byte of the file. */
  maxLists?: number
}

const listsChecks: Checks<NpyListsOptions> = { maxLists: whole({ least: 0 }) }

/**
 * Reads an array of Python lists of whole numbers from the bytes of a .npy file of objects, which is a pickle. Nothing in it is ever
 * executed.
 *
 * @throws DatasetError if it is not such a file; the pickle is truncated, asks for anything to be called or imported, or holds anything
 * else; or there are more than `maxLists` lists.
 * @example
 * ```ts no-run="needs the archive of IMDB"
 * const reviews = parseNpyLists(unzip(bytes, { name: 'imdb.npz' }).get('x_train.npy')!, 'x_train.npy')
 * ```
 */
export function parseNpyLists(bytes: Uint8Array, name = '.npy data', options: NpyListsOptions = {}): IntegerLists {
  requireBytes('parseNpyLists', bytes)
  requireText('parseNpyLists', 'name', name)
  const { maxLists = 2 ** 20 } = readOptions('parseNpyLists', options, listsChecks)
  return named(name, () => {
    const { descr, shape, at } = parseHeader(bytes)
    if (descr !== '|O' || shape.length !== 1)
      throw new DatasetError(`expected a list of lists ('|O', one axis), found ${descr} of shape [${shape.join(', ')}]`)
    if (shape[0] > maxLists) {
      throw new DatasetError(
        `it holds ${shape[0]} lists, more than the ${maxLists} expected at most; if you trust it, pass a larger maxLists`,
      )
    }
    const lists = unpickleLists(bytes.subarray(at), shape[0])
    if (lists.length === shape[0]) return lists
    throw new DatasetError(`its header announces ${shape[0]} lists, its pickle holds ${lists.length}`)
  })
}
