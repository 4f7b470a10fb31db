/**
 * The bytes of an HDF5 file, read in order from a position. Every length and address is checked against the bytes that are there.
 *
 * Source: HDF5 File Format Specification 3.0, The HDF Group.
 */
import { ValueError } from '@cotangent/core'

/** An address with all bits set: it leads nowhere. */
export const NOWHERE = -1

/** The bytes that may still be read. Each structure of a file is read a few times at most, so a file that needs more leads round in circles. */
interface Work {
  left: number
}

const text = new TextDecoder()

/** A part of the file, with the widths of its addresses and lengths. @throws ValueError for anything that leads out of the file */
export class H5Bytes {
  readonly bytes: Uint8Array
  readonly #view: DataView
  /** The position of the next number. */
  at: number
  readonly end: number
  readonly addressBytes: number
  readonly lengthBytes: number
  readonly #work: Work

  constructor(bytes: Uint8Array, addressBytes = 8, lengthBytes = 8, start = 0, end = bytes.length, work?: Work) {
    if (!(start >= 0 && start <= end && end <= bytes.length))
      throw new ValueError(`bytes ${start} to ${end} are not among the ${bytes.length} of the file`)
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = start
    this.end = end
    this.addressBytes = addressBytes
    this.lengthBytes = lengthBytes
    this.#work = work ?? { left: 16 * bytes.length + 2 ** 20 }
  }

  /** `length` bytes from an address on, or all that follow it. */
  from(address: number, length = this.bytes.length - address): H5Bytes {
    return new H5Bytes(this.bytes, this.addressBytes, this.lengthBytes, address, address + length, this.#work)
  }

  /** The next bytes as a part of their own. */
  part(length: number): H5Bytes {
    const start = this.at
    this.skip(length)
    return this.from(start, length)
  }

  get left(): number {
    return this.end - this.at
  }

  skip(length: number): this {
    if (!(length >= 0 && length <= this.left)) throw new ValueError(`${length} bytes at ${this.at} go beyond the ${this.end} there are`)
    this.#work.left -= length
    if (this.#work.left < 0) throw new ValueError('its structures lead to each other without end')
    this.at += length
    return this
  }

  u8(): number {
    return this.skip(1).bytes[this.at - 1]
  }

  u16(): number {
    return this.skip(2).#view.getUint16(this.at - 2, true)
  }

  u32(): number {
    return this.skip(4).#view.getUint32(this.at - 4, true)
  }

  /** A whole number of `bytes` bytes, the lowest byte first. */
  whole(bytes: number): number {
    this.skip(bytes)
    let value = 0
    for (let i = 1; i <= bytes; i++) value = value * 256 + this.bytes[this.at - i]
    if (!Number.isSafeInteger(value)) throw new ValueError(`the number ${value} at ${this.at - bytes} is none that a file can need`)
    return value
  }

  length(): number {
    return this.whole(this.lengthBytes)
  }

  /** An address; `NOWHERE` if all bits are set. */
  address(): number {
    const start = this.at
    if (
      this.skip(this.addressBytes)
        .bytes.subarray(start, this.at)
        .every((byte) => byte === 255)
    )
      return NOWHERE
    this.at = start
    const address = this.whole(this.addressBytes)
    if (address >= this.bytes.length) throw new ValueError(`the address ${address} is beyond the ${this.bytes.length} bytes of the file`)
    return address
  }

  /** An address that must lead somewhere. */
  place(what: string): number {
    const address = this.address()
    if (address === NOWHERE) throw new ValueError(`${what} is nowhere`)
    return address
  }

  /** Throws unless the next four bytes are these letters. */
  signature(letters: string): this {
    const { at } = this
    if (text.decode(this.skip(4).bytes.subarray(at, at + 4)) !== letters) throw new ValueError(`"${letters}" was expected at ${at}`)
    return this
  }

  /** Throws unless the next byte is one of these versions. */
  version(what: string, ...known: readonly number[]): number {
    const version = this.u8()
    if (!known.includes(version)) throw new ValueError(`${what} has version ${version}, which is not known`)
    return version
  }
}
