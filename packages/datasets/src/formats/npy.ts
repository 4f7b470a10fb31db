/**
 * NumPy's .npy: a magic word, a version, a header that is a Python dictionary, the elements. An array of objects is a pickle.
 *
 * Reference: numpy/lib/format.py. Every size is held against the bytes that are there before anything is allocated.
 */
import { type NDArray, ndarray, sizeOf, type TypedArray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { type IntegerLists, unpickleLists } from './pickle.js'

interface Header {
  readonly descr: string
  readonly shape: readonly number[]
  /** Where the elements start. */
  readonly at: number
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

function parseHeader(bytes: Uint8Array): Header {
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte)) throw new DatasetError('not a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const long = bytes[6] > 1
  const start = long ? 12 : 10
  const at = start + (long ? view.getUint32(8, true) : view.getUint16(8, true))
  if (at > bytes.length) throw new DatasetError(`truncated in its header: ${bytes.length} bytes`)
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, at))
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const sizes = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || sizes === undefined)
    throw new DatasetError(`unknown header ${text.trim().slice(0, 120)}`)
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number.parseInt(size, 10)]))
  if (order === 'True' && shape.length > 1) throw new DatasetError('its elements are in column-major (Fortran) order; save it in C order')
  if (!Number.isSafeInteger(sizeOf(shape))) throw new DatasetError(`the shape [${shape.join(', ')}] is absurd`)
  return { descr, shape, at }
}

/** 64-bit integers as int32, if they fit. */
function narrowed(wide: BigInt64Array): Int32Array {
  return Int32Array.from(wide, (value, i) => {
    const number = Number(value)
    if (number === (number | 0)) return number
    throw new DatasetError(`element ${i} is ${value}, which int32 cannot hold`)
  })
}

const types: Readonly<Record<string, { bytes: number; of: (buffer: ArrayBuffer) => TypedArray }>> = {
  '|u1': { bytes: 1, of: (b) => new Uint8Array(b) },
  '|b1': { bytes: 1, of: (b) => new Uint8Array(b) },
  '|i1': { bytes: 1, of: (b) => new Int8Array(b) },
  '<u2': { bytes: 2, of: (b) => new Uint16Array(b) },
  '<i2': { bytes: 2, of: (b) => new Int16Array(b) },
  '<u4': { bytes: 4, of: (b) => new Uint32Array(b) },
  '<i4': { bytes: 4, of: (b) => new Int32Array(b) },
  '<i8': { bytes: 8, of: (b) => narrowed(new BigInt64Array(b)) },
  '<f4': { bytes: 4, of: (b) => new Float32Array(b) },
  '<f8': { bytes: 8, of: (b) => new Float64Array(b) },
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
 * Errors: not a .npy file, another element type than whole numbers of 8 to 64 bits, float32 and float64, little-endian; int64 beyond int32;
 * Fortran order; fewer or more bytes than the header announces.
 *
 * ```ts
 * const labels = parseNpy(unzip(bytes).get('y_train.npy')!, 'y_train.npy')
 * ```
 */
export function parseNpy(bytes: Uint8Array, name = '.npy data'): NDArray {
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
    return ndarray(type.of(new Uint8Array(bytes.subarray(at)).buffer), shape)
  })
}

/**
 * Reads an array of Python lists of whole numbers: a .npy file of objects, which is a pickle. Nothing in it is ever executed.
 *
 * Errors: not such a file; a pickle that is truncated, asks for anything to be called or imported, or holds anything else.
 */
export function parseNpyLists(bytes: Uint8Array, name = '.npy data'): IntegerLists {
  return named(name, () => {
    const { descr, shape, at } = parseHeader(bytes)
    if (descr !== '|O' || shape.length !== 1)
      throw new DatasetError(`expected a list of lists ('|O', one axis), found ${descr} of shape [${shape.join(', ')}]`)
    const lists = unpickleLists(bytes.subarray(at))
    if (lists.length === shape[0]) return lists
    throw new DatasetError(`its header announces ${shape[0]} lists, its pickle holds ${lists.length}`)
  })
}
