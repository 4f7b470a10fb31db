/**
 * Safetensors: the length of a JSON header (u64), the header, then the elements of all arrays without gaps. Everything in the header is checked against the bytes
 * before it is used. Source: the format's description at github.com/huggingface/safetensors.
 */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { isObject, parseAnyObject, repeatedKey } from './keras-object.js'

/** An array of a safetensors file. */
export interface NamedArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array | Int32Array
}

/** The longest header that the reference implementation reads. */
const MOST_HEADER_BYTES = 100_000_000

/** Reads elements from their bytes, which may not be aligned. */
interface ElementType {
  readonly bytes: number
  of(bytes: Uint8Array): NamedArray['data']
}

const types: Readonly<Record<string, ElementType>> = {
  F64: { bytes: 8, of: (bytes) => new Float64Array(new Uint8Array(bytes).buffer) },
  F32: { bytes: 4, of: (bytes) => new Float32Array(new Uint8Array(bytes).buffer) },
  F16: { bytes: 2, of: fromHalves },
  BF16: { bytes: 2, of: fromBrainFloats },
  I32: { bytes: 4, of: (bytes) => new Int32Array(new Uint8Array(bytes).buffer) },
}

// Both are loops: `Float32Array.from` with a function makes a JavaScript array first, and the process dies at some hundred million elements.

/** @internal IEEE 754 binary16 as float32, bit by bit. Subnormal numbers are multiples of 2⁻²⁴. */
export function fromHalves(bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length / 2)
  const bits = new Uint32Array(out.buffer)
  for (let i = 0; i < out.length; i++) {
    const half = bytes[2 * i] | (bytes[2 * i + 1] << 8)
    const [sign, exponent, fraction] = [half & 0x8000, (half >> 10) & 31, half & 1023]
    if (exponent === 0) out[i] = (sign ? -1 : 1) * fraction * 2 ** -24
    else bits[i] = (sign << 16) | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13)
  }
  return out
}

/** bfloat16, the upper half of float32, as float32. */
function fromBrainFloats(bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length / 2)
  const bits = new Uint32Array(out.buffer)
  for (let i = 0; i < out.length; i++) bits[i] = (bytes[2 * i] | (bytes[2 * i + 1] << 8)) << 16
  return out
}

const isShape = (shape: unknown): shape is number[] =>
  Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0)

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The fault of metadata, which may hold texts only; undefined if there is none. */
function metadataProblem(metadata: unknown): string | undefined {
  if (!isObject(metadata)) return `must be an object of texts, got ${describeValue(metadata)}`
  const wrong = Object.entries(metadata).find(([, value]) => typeof value !== 'string')
  return wrong && `"${wrong[0]}" must be text, got ${describeValue(wrong[1])}`
}

/**
 * The arrays of a safetensors file by name, in the order of its header, and its metadata.
 *
 * @param name the name of the file in messages
 * @throws ValueError that names the array for any fault: lengths beyond the file, overlaps, gaps, a repeated name, an unsupported type. All is checked before
 * anything is copied, so the result is no larger than the file; for numbers of 16 bits, twice that.
 * @example
 * ```ts
 * const bytes = writeSafetensors([['kernel', { shape: [2], data: new Float32Array([1, 2]) }]])
 * console.log([...readSafetensors(bytes).arrays.keys()])   // ['kernel']
 * ```
 */
export function readSafetensors(
  bytes: Uint8Array,
  name = 'safetensors data',
): { arrays: Map<string, NamedArray>; metadata: Readonly<Record<string, string>> } {
  const fail = (problem: string): ValueError => new ValueError(`${name}: ${problem}`)
  if (!(bytes instanceof Uint8Array)) throw new ValueError(`readSafetensors: bytes must be a Uint8Array, got ${describeValue(bytes)}.`)
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
  const { __metadata__: metadata = {}, ...entries } = parseAnyObject(text, `${name}: header`)
  const twice = repeatedKey(text)
  if (twice !== undefined) throw fail(`the header has the name "${twice}" twice.`)
  const problem = metadataProblem(metadata)
  if (problem) throw fail(`__metadata__ ${problem}.`)
  const start = 8 + length
  const used: { name: string; begin: number; end: number; type: ElementType; shape: readonly number[] }[] = []
  for (const [key, entry] of Object.entries(entries)) {
    const { dtype, shape, begin, end } = requireEntry(entry, (problem) => fail(`array "${key}": ${problem}`), bytes.length - start)
    const count = sizeOf(shape)
    const type = Object.hasOwn(types, dtype) ? types[dtype] : undefined
    if (!type) throw fail(`array "${key}": the type ${dtype} is not supported (${Object.keys(types).join(', ')} are).`)
    if (end - begin !== count * type.bytes) {
      throw fail(
        `array "${key}": ${dtype} of shape [${shape.join(', ')}] takes ${count * type.bytes} bytes, its offsets say ${end - begin}.`,
      )
    }
    used.push({ name: key, begin, end, type, shape })
  }
  let at = 0
  for (const { name: key, begin, end } of used.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw fail(
        `array "${key}": ${begin < at ? 'overlaps the one before it' : 'there is a gap before it'} (offset ${begin}, expected ${at}).`,
      )
    at = end
  }
  if (start + at !== bytes.length) throw fail(`${bytes.length - start - at} bytes are left over behind the last array.`)
  const arrays = new Map<string, NamedArray>()
  for (const { name: key, begin, end, type, shape } of used) {
    arrays.set(key, { shape, data: type.of(bytes.subarray(start + begin, start + end)) })
  }
  return { arrays, metadata: metadata as Record<string, string> }
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
  if (!isShape(shape)) throw fail(`${JSON.stringify(shape)} is not a shape.`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole) || offsets[1] < offsets[0]) {
    throw fail(`data_offsets ${JSON.stringify(offsets)} are not two offsets.`)
  }
  if (offsets[1] > available) throw fail(`data_offsets [${offsets.join(', ')}] go beyond the file, which has ${available} bytes of data.`)
  return { dtype, shape, begin: offsets[0], end: offsets[1] }
}

const written: Readonly<Record<string, new (length: number) => NamedArray['data']>> = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
}

/**
 * The bytes of a safetensors file with these arrays, in their order.
 *
 * @param metadata texts to keep beside the arrays
 * @throws ValueError for arrays of other types than float32, float64 and int32, a shape that does not fit, a repeated name, or metadata that are no texts
 * @example
 * ```ts
 * const bytes = writeSafetensors([['kernel', { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }]])
 * console.log(bytes.length % 8)   // 0
 * ```
 */
export function writeSafetensors(
  arrays: Iterable<readonly [string, NamedArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const list = [...arrays]
  let at = 0
  const problem = metadataProblem(metadata)
  if (problem) throw new ValueError(`writeSafetensors: metadata ${problem}.`)
  // No prototype, so that an array may have any name.
  const header: Record<string, unknown> = Object.create(null)
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata
  for (const [name, { shape, data }] of list) {
    const taken = name === '__metadata__'
    if (taken || Object.hasOwn(header, name))
      throw new ValueError(`writeSafetensors: the name "${name}" ${taken ? 'is taken' : 'comes twice'}.`)
    const dtype = Object.keys(written).find((type) => data instanceof written[type])
    if (!dtype) {
      throw new ValueError(`writeSafetensors: "${name}" must be a Float32Array, Float64Array or Int32Array, got ${describeValue(data)}.`)
    }
    if (!isShape(shape)) throw new ValueError(`writeSafetensors: "${name}": ${JSON.stringify(shape)} is not a shape.`)
    if (sizeOf(shape) !== data.length)
      throw new ValueError(`writeSafetensors: "${name}": [${shape.join(', ')}] has not ${data.length} elements.`)
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
