/**
 * Safetensors: the length of a JSON header (u64), the header, the elements of all arrays without gaps. Reference: the format's description at
 * github.com/huggingface/safetensors. Everything the header says is held against the bytes before it is used.
 */
import { ValueError } from '@cotangent/core'
import { isObject, parseObject } from './keras-object.js'

/** An array of a safetensors file. */
export interface NamedArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array | Int32Array
}

/** The reference implementation reads no longer headers. */
const MOST_HEADER_BYTES = 100_000_000

const types: Readonly<Record<string, { bytes: number; of: (buffer: ArrayBuffer) => NamedArray['data'] }>> = {
  F64: { bytes: 8, of: (b) => new Float64Array(b) },
  F32: { bytes: 4, of: (b) => new Float32Array(b) },
  F16: { bytes: 2, of: (b) => Float32Array.from(new Uint16Array(b), fromHalf) },
  BF16: { bytes: 2, of: (b) => new Float32Array(Uint32Array.from(new Uint16Array(b), (bits) => bits << 16).buffer) },
  I32: { bytes: 4, of: (b) => new Int32Array(b) },
}

/** IEEE 754 binary16 as a number. */
function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/**
 * The arrays of a safetensors file by name, in the order of its header, and its metadata.
 *
 * @param name what messages call the file
 * @throws ValueError that names the array for anything that is not whole: lengths beyond the file, overlaps, gaps, types we do not read.
 */
export function readSafetensors(
  bytes: Uint8Array,
  name = 'safetensors data',
): { arrays: Map<string, NamedArray>; metadata: Readonly<Record<string, string>> } {
  const fail = (problem: string): ValueError => new ValueError(`${name}: ${problem}`)
  if (bytes.length < 8) throw fail(`truncated: ${bytes.length} bytes, and the length of the header alone takes 8.`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = Number(view.getBigUint64(0, true))
  if (length > MOST_HEADER_BYTES) throw fail(`the header of ${length} bytes is too long; not a safetensors file?`)
  if (8 + length > bytes.length) throw fail(`the header of ${length} bytes goes beyond the file, which has ${bytes.length}.`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length))
  } catch {
    throw fail('the header is not UTF-8.')
  }
  const { __metadata__: metadata = {}, ...entries } = parseObject(text, `${name}: header`)
  const start = 8 + length
  const arrays = new Map<string, NamedArray>()
  const used: { name: string; begin: number; end: number }[] = []
  for (const [key, entry] of Object.entries(entries)) {
    const { dtype, shape, begin, end } = requireEntry(entry, (problem) => fail(`array "${key}": ${problem}`), bytes.length - start)
    const count = shape.reduce((a, b) => a * b, 1)
    const type = Object.hasOwn(types, dtype) ? types[dtype] : undefined
    if (!type) throw fail(`array "${key}": the type ${dtype} is not supported (${Object.keys(types).join(', ')} are).`)
    if (end - begin !== count * type.bytes) {
      throw fail(
        `array "${key}": ${dtype} of shape [${shape.join(', ')}] takes ${count * type.bytes} bytes, its offsets say ${end - begin}.`,
      )
    }
    used.push({ name: key, begin, end })
    arrays.set(key, { shape, data: type.of(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer) })
  }
  let at = 0
  for (const { name: key, begin, end } of used.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw fail(
        `array "${key}": ${begin < at ? 'overlaps the one before it' : 'there is a gap before it'} (offset ${begin}, expected ${at}).`,
      )
    at = end
  }
  if (start + at !== bytes.length) throw fail(`${bytes.length - start - at} bytes are left over behind the last array.`)
  return { arrays, metadata: isObject(metadata) ? (metadata as Record<string, string>) : {} }
}

function requireEntry(
  entry: unknown,
  fail: (problem: string) => ValueError,
  available: number,
): { dtype: string; shape: number[]; begin: number; end: number } {
  const whole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (!isObject(entry)) throw fail('an object with dtype, shape and data_offsets was expected.')
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string') throw fail('dtype is missing.')
  if (!Array.isArray(shape) || !shape.every(whole)) throw fail(`${JSON.stringify(shape)} is not a shape.`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole) || offsets[1] < offsets[0]) {
    throw fail(`data_offsets ${JSON.stringify(offsets)} are not two offsets.`)
  }
  if (offsets[1] > available) throw fail(`data_offsets [${offsets.join(', ')}] go beyond the file, which has ${available} bytes of data.`)
  return { dtype, shape, begin: offsets[0], end: offsets[1] }
}

/**
 * The bytes of a safetensors file with these arrays, in their order.
 *
 * @param metadata texts to keep beside the arrays
 * @example
 * ```ts
 * const bytes = writeSafetensors([['kernel', { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }]])
 * ```
 */
export function writeSafetensors(
  arrays: Iterable<readonly [string, NamedArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const list = [...arrays]
  let at = 0
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  for (const [name, { shape, data }] of list) {
    if (Object.hasOwn(header, name))
      throw new ValueError(`writeSafetensors: the name "${name}" ${name === '__metadata__' ? 'is taken' : 'comes twice'}.`)
    if (shape.reduce((a, b) => a * b, 1) !== data.length)
      throw new ValueError(`writeSafetensors: "${name}": [${shape.join(', ')}] has not ${data.length} elements.`)
    const dtype = data instanceof Float64Array ? 'F64' : data instanceof Float32Array ? 'F32' : 'I32'
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(text.length / 8) * 8 // padded with blanks, so that elements are aligned
  const bytes = new Uint8Array(8 + length + at)
  bytes.fill(0x20, 8, 8 + length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  let position = 8 + length
  for (const [, { data }] of list) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    position += data.byteLength
  }
  return bytes
}
