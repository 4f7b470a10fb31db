/**
 * A byte array that grows, and the number encodings of the WebAssembly binary format: LEB128 for integers, IEEE 754
 * little-endian for floats (WebAssembly Core Specification 2.0, section 5.2).
 */

const scratch = new DataView(new ArrayBuffer(8))

/** Bytes appended one after the other; doubles when full. */
export class ByteBuffer {
  private bytes = new Uint8Array(256)
  private used = 0

  get length(): number {
    return this.used
  }

  byte(value: number): void {
    if (this.used === this.bytes.length) this.reserve(1)
    this.bytes[this.used++] = value
  }

  /** Unsigned LEB128 of a whole number below 2^32: seven bits a byte, lowest first; the top bit is set if more bytes follow. */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit integer. Bit 6 of the last byte is the sign, so one byte holds −64 … 63. */
  signed(value: number): void {
    let rest = value | 0
    while (rest < -0x40 || rest >= 0x40) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.byte(rest & 0x7f)
  }

  /** Signed LEB128 of a 64-bit integer. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    while (rest < -0x40n || rest >= 0x40n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest & 0x7fn))
  }

  float32(value: number): void {
    scratch.setFloat32(0, value, true)
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i))
  }

  float64(value: number): void {
    scratch.setFloat64(0, value, true)
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i))
  }

  /** A name: its length in bytes, then its bytes. All names here are ASCII. */
  name(text: string): void {
    this.unsigned(text.length)
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  append(other: ByteBuffer): void {
    this.reserve(other.used)
    this.bytes.set(other.bytes.subarray(0, other.used), this.used)
    this.used += other.used
  }

  /** The bytes so far, as a view that is valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.used)
  }

  private reserve(count: number): void {
    if (this.used + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + count))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }
}
