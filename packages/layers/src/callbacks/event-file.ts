/**
 * TensorBoard's event files: TFRecord framing around protocol buffers, as far as scalars need them. Source: tensorflow/core/lib/io/record_writer.h,
 * core/util/event.proto, core/framework/summary.proto.
 */
import { utf8 } from '../platform.js'

/** CRC-32C by bytes (Castagnoli's polynomial, reflected). */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** The rotated and shifted checksum that TFRecord uses, since its data may hold checksums themselves. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** uint64 length, its checksum, the data, their checksum; little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length, true)
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true)
  bytes.set(data, 12)
  view.setUint32(12 + data.length, maskedCrc(data), true)
  return bytes
}

const concat = (...parts: readonly ArrayLike<number>[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => Array.from(part)))

/** A whole number from 0 to 2⁵³, seven bits in a byte, the low bits first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** A field's number and the form of its value: 0 a varint, 1 eight bytes, 2 a length and bytes, 5 four bytes. */
const field = (number: number, type: 0 | 1 | 2 | 5): number[] => varint(number * 8 + type)
const whole = (number: number, value: number): Uint8Array => concat(field(number, 0), varint(value))
const double = (number: number, value: number): Uint8Array => concat(field(number, 1), new Uint8Array(Float64Array.of(value).buffer))
const float = (number: number, value: number): Uint8Array => concat(field(number, 5), new Uint8Array(Float32Array.of(value).buffer))
const message = (number: number, bytes: Uint8Array): Uint8Array => concat(field(number, 2), varint(bytes.length), bytes)

/** The first record of a file. @param wallTime seconds since 1970 */
export const versionEvent = (wallTime: number): Uint8Array => record(concat(double(1, wallTime), message(3, utf8('brain.Event:2'))))

/** Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } … } } */
export function scalarsEvent(wallTime: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const summary = Object.entries(values).map(([tag, value]) => message(1, concat(message(1, utf8(tag)), float(2, value))))
  return record(concat(double(1, wallTime), whole(2, step), message(5, concat(...summary))))
}
