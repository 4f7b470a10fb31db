/** NumPy's files of numbers both ways: .npy, one array, and .npz, a zip archive of them. */
import { type Checks, describeValue, readOptions, requireBytes, requireIterable, requireText } from '../arguments.js'
import { type NDArray, requireNDArray, type TypedArray } from '../array.js'
import { DatasetError } from '../errors.js'
import { parseNpy } from './npy.js'
import { type UnzipOptions, unzip, zip, zipLimit } from './zip.js'

export { parseNpy } from './npy.js'

/** An array and what it is called. */
export type NpzEntry = readonly [name: string, array: NDArray]

const descriptions: readonly (readonly [new (length: number) => TypedArray, string])[] = [
  [Int8Array, '|i1'],
  [Uint8Array, '|u1'],
  [Uint8ClampedArray, '|u1'],
  [Int16Array, '<i2'],
  [Uint16Array, '<u2'],
  [Int32Array, '<i4'],
  [Uint32Array, '<u4'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
]

/**
 * The bytes of a .npy file, as `numpy.save` writes them: version 1.0, C order.
 *
 * @throws DatasetError if the data have another number of elements than the shape, or are no typed array of numbers. (64-bit integers are
 * not written.)
 * @example
 * ```ts
 * const bytes = writeNpy({ shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) })
 * console.log(bytes.length)   // 144
 * ```
 */
export const writeNpy = (array: NDArray): Uint8Array => npyOf('writeNpy', 'array', array)

function npyOf(what: string, name: string, array: NDArray): Uint8Array {
  requireNDArray(what, name, array)
  const { shape, data } = array
  const descr = descriptions.find(([type]) => data instanceof type)?.[1] as string
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`
  // Elements begin at a multiple of 64, after ten bytes of magic, version and length, and a header that ends in a newline.
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  bytes.set(new TextEncoder().encode(header), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}

export type NpzOptions = Pick<UnzipOptions, 'maxBytes'>

const npzChecks: Checks<NpzOptions> = { maxBytes: zipLimit }

/**
 * The arrays of a .npz file by name, in the order of the archive.
 *
 * @throws DatasetError as `unzip` and `parseNpy` do, and if two arrays have one name.
 * @example
 * ```ts
 * const bytes = writeNpz([['dense_1/kernel', ndarray(Float32Array.of(1, 2), [2, 1])]])
 * const weights = parseNpz(bytes, 'weights.npz')
 * console.log(weights.get('dense_1/kernel')?.shape)   // [2, 1]
 * ```
 */
export function parseNpz(bytes: Uint8Array, name = '.npz data', options: NpzOptions = {}): Map<string, NDArray> {
  requireBytes('parseNpz', bytes)
  requireText('parseNpz', 'name', name)
  const { maxBytes } = readOptions('parseNpz', options, npzChecks)
  const arrays = new Map<string, NDArray>()
  for (const [entry, content] of unzip(bytes, { name, maxBytes })) {
    const key = entry.replace(/\.npy$/, '')
    if (arrays.has(key)) throw new DatasetError(`${name}: there are two arrays "${key}"`)
    arrays.set(key, parseNpy(content, `${name}: ${entry}`))
  }
  return arrays
}

/**
 * The bytes of a .npz file, as `numpy.savez` writes them: not compressed.
 *
 * @throws DatasetError if a name comes twice.
 * @example
 * ```ts
 * const bytes = writeNpz([['w', ndarray(Float32Array.of(1, 2), [2])], ['b', ndarray(Float32Array.of(0), [1])]])
 * console.log([...parseNpz(bytes).keys()])   // ['w', 'b']
 * ```
 */
export function writeNpz(arrays: Iterable<NpzEntry>): Uint8Array {
  const what = 'writeNpz'
  requireIterable(what, 'arrays', arrays, 'a list of [name, array]')
  const names = new Set<string>()
  return zip(
    Array.from(arrays, (entry) => {
      if (!Array.isArray(entry))
        throw new DatasetError(`${what}: arrays must be a list of [name, array], but holds ${describeValue(entry)}.`)
      const [name, array] = entry as unknown as NpzEntry
      requireText(what, 'the name of an array', name)
      if (names.has(name)) throw new DatasetError(`${what}: there are two arrays "${name}"`)
      names.add(name)
      return [`${name}.npy`, npyOf(what, `"${name}"`, array)] as const
    }),
  )
}
