/**
 * IDX, the format of MNIST and its relatives: two zero bytes, an element type, the number of axes, the sizes as big-endian
 * uint32, then the elements, big-endian and row-major.
 *
 * Bytes may come from anywhere: every size is held against the bytes that are there before anything is allocated.
 * Reference: "The IDX file format" on the page of the MNIST database, Y. LeCun, C. Cortes, C. Burges.
 */

import { requireBytes, requireText } from '../arguments.js'
import type { NDArray, TypedArray } from '../array.js'
import { sizeOf } from '../array.js'
import { DatasetError } from '../errors.js'
import { type GunzipOptions, gunzip, isGzip, readGunzipOptions } from './gzip.js'

interface ElementType {
  readonly name: string
  readonly bytes: number
  /** Elements at `offset`: a view where bytes need no swapping, otherwise a copy. */
  readonly read: (bytes: Uint8Array, offset: number, count: number) => TypedArray
}

/** Copies big-endian elements out, one `DataView` getter at a time. */
const swapped =
  <T extends TypedArray>(make: (count: number) => T, size: number, get: (view: DataView, at: number) => number) =>
  (bytes: Uint8Array, offset: number, count: number): T => {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * size)
    const out = make(count)
    for (let i = 0; i < count; i++) out[i] = get(view, i * size)
    return out
  }

const elementTypes: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [0x08, { name: 'uint8', bytes: 1, read: (b, offset, count) => new Uint8Array(b.buffer, b.byteOffset + offset, count) }],
  [0x09, { name: 'int8', bytes: 1, read: (b, offset, count) => new Int8Array(b.buffer, b.byteOffset + offset, count) }],
  [
    0x0b,
    {
      name: 'int16',
      bytes: 2,
      read: swapped(
        (n) => new Int16Array(n),
        2,
        (v, at) => v.getInt16(at),
      ),
    },
  ],
  [
    0x0c,
    {
      name: 'int32',
      bytes: 4,
      read: swapped(
        (n) => new Int32Array(n),
        4,
        (v, at) => v.getInt32(at),
      ),
    },
  ],
  [
    0x0d,
    {
      name: 'float32',
      bytes: 4,
      read: swapped(
        (n) => new Float32Array(n),
        4,
        (v, at) => v.getFloat32(at),
      ),
    },
  ],
  [
    0x0e,
    {
      name: 'float64',
      bytes: 8,
      read: swapped(
        (n) => new Float64Array(n),
        8,
        (v, at) => v.getFloat64(at),
      ),
    },
  ],
])

const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ')

/**
 * Reads an unpacked IDX file from its bytes.
 *
 * uint8 and int8 elements are a view of `bytes`. The other types (int16, int32, float32, float64) are copied into the machine's byte
 * order.
 *
 * Source: "The IDX file format" on the page of the MNIST database.
 *
 * Shape: the header's, one axis or more
 *
 * @throws DatasetError if it is not an IDX file, the element type is unknown, there are no axes, or there are fewer or more bytes than the
 * header announces.
 * @example
 * ```ts
 * const labels = parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))   // labels.shape = [3]
 * console.log([...labels.data])   // [5, 0, 4]
 * ```
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX data'): NDArray {
  requireBytes('parseIdx', bytes)
  requireText('parseIdx', 'name', name)
  const fail = (problem: string): never => {
    throw new DatasetError(`${name}: ${problem}`)
  }
  if (isGzip(bytes)) fail('is packed with gzip; read it with readIdx, or unpack it first')
  if (bytes.length < 4) fail(`truncated: an IDX file starts with 4 bytes, found ${bytes.length}`)
  const [zero, nil, code, rank] = bytes
  const type = elementTypes.get(code)
  if (zero !== 0 || nil !== 0) return fail(`not an IDX file: expected it to start with the bytes 00 00, found ${hex(bytes.subarray(0, 4))}`)
  if (!type) {
    const known = [...elementTypes].map(([c, t]) => `${hex(new Uint8Array([c]))} ${t.name}`).join(', ')
    return fail(`not an IDX file: unknown element type ${hex(bytes.subarray(2, 3))} (known: ${known})`)
  }
  if (rank === 0) fail('an IDX file has one axis or more, found 0')
  const header = 4 + 4 * rank
  if (bytes.length < header) fail(`truncated: ${rank} axes need a header of ${header} bytes, found ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, header)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const count = sizeOf(shape)
  const expected = header + count * type.bytes
  if (bytes.length !== expected) {
    const problem = bytes.length < expected ? 'truncated' : 'trailing bytes'
    fail(`${problem}: ${type.name} of shape [${shape.join(', ')}] is ${expected} bytes with its header, found ${bytes.length}`)
  }
  return { shape, data: type.read(bytes, header, count) }
}

/**
 * Reads an IDX file from its bytes, packed with gzip or not.
 *
 * Shape: the header's, one axis or more
 *
 * @throws DatasetError as `parseIdx` does, and if gzip data are truncated or damaged.
 * @example
 * ```ts
 * import { gzipSync } from 'node:zlib'
 * import { readIdx } from '@cotangent/datasets'
 *
 * const labels = await readIdx(gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4)))
 * console.log(labels.shape, [...labels.data])   // [3] [5, 0, 4]
 * ```
 */
export async function readIdx(bytes: Uint8Array, options: GunzipOptions = {}): Promise<NDArray> {
  requireBytes('readIdx', bytes)
  const read = readGunzipOptions('readIdx', options)
  return parseIdx(isGzip(bytes) ? await gunzip(bytes, read) : bytes, read.name)
}
