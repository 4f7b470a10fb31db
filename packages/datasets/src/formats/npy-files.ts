/** NumPy's files of numbers both ways: .npy, one array, and .npz, a zip archive of them. */
import { type NDArray, sizeOf, type TypedArray } from '../array.js'
import { DatasetError } from '../errors.js'
import { parseNpy } from './npy.js'
import { unzip, zip } from './zip.js'

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
 * Errors: data that have not as many elements as the shape says.
 *
 * ```ts
 * const bytes = writeNpy({ shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) })
 * ```
 */
export function writeNpy({ shape, data }: NDArray): Uint8Array {
  if (sizeOf(shape) !== data.length) throw new DatasetError(`writeNpy: the shape [${shape.join(', ')}] has not ${data.length} elements`)
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

/**
 * The arrays of a .npz file by name, in the order of the archive.
 *
 * Errors: those of `unzip` and `parseNpy`.
 *
 * ```ts
 * const weights = parseNpz(bytes, 'weights.npz').get('dense_1/kernel')
 * ```
 */
export function parseNpz(bytes: Uint8Array, name = '.npz data'): Map<string, NDArray> {
  const entries = unzip(bytes, { name })
  return new Map([...entries].map(([entry, content]) => [entry.replace(/\.npy$/, ''), parseNpy(content, `${name}: ${entry}`)]))
}

/**
 * The bytes of a .npz file, as `numpy.savez` writes them: not compressed.
 *
 * Errors: a name that comes twice.
 */
export function writeNpz(arrays: Iterable<NpzEntry>): Uint8Array {
  return zip([...arrays].map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const))
}
