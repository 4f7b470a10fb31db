/** The directory at a zip archive's end, which lists its entries: APPNOTE 4.3.7, 4.3.12 to 4.3.16, and 4.5.3 for sizes beyond 32 bits. */
import { DatasetError } from '../errors.js'

/** An entry as the directory lists it; every number is held against the archive's bytes. */
export interface ZipEntry {
  readonly name: string
  /** 0: stored; 8: deflated. */
  readonly method: number
  readonly crc: number
  readonly packedSize: number
  /** After unpacking. */
  readonly size: number
  /** The offset of its packed bytes. */
  readonly at: number
}

const utf8 = new TextDecoder()

const localHeader = 0x04034b50
const directoryEntry = 0x02014b50
const endOfDirectory = 0x06054b50
const wideLocator = 0x07064b50
const wideEnd = 0x06064b50
/** The value of a 32-bit field whose number is in the 64-bit field instead. */
const elsewhere = 0xffffffff
/** The end of the directory may have a comment behind it, as long as 16 bits can say. */
const longestComment = 0xffff

/** A number of 64 bits; those that no archive in memory can have come out too large, and fail where they are used. */
const wide = (view: DataView, at: number): number => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32

/** The offset of the directory, its number of entries, and the offset at which it must end. */
function findDirectory(bytes: Uint8Array, view: DataView): { at: number; count: number; end: number } {
  let end = bytes.length - 22
  const last = Math.max(0, end - longestComment)
  while (end >= last && view.getUint32(end, true) !== endOfDirectory) end--
  if (end < last) throw new DatasetError('the directory at its end is missing')
  const narrow = { at: view.getUint32(end + 16, true), count: view.getUint16(end + 10, true), end }
  if (end < 20 || view.getUint32(end - 20, true) !== wideLocator) return narrow
  const at = wide(view, end - 12)
  if (at + 56 > end || view.getUint32(at, true) !== wideEnd) throw new DatasetError('its directory is damaged')
  return { at: wide(view, at + 48), count: wide(view, at + 32), end: at }
}

/**
 * The entries of an archive in the order of its directory.
 *
 * @throws DatasetError if the directory is missing or damaged, an entry reaches beyond the bytes before the directory or is encrypted, or two have one name.
 */
export function readDirectory(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const { at: start, count, end } = findDirectory(bytes, view)
  // An entry of the directory takes 46 bytes or more.
  if (start + 46 * count > end) throw new DatasetError('its directory is damaged')
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== directoryEntry) throw new DatasetError('its directory is damaged')
    const nameLength = view.getUint16(at + 28, true)
    const extraLength = view.getUint16(at + 30, true)
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
    if (next > end) throw new DatasetError('its directory is damaged')
    const name = utf8.decode(bytes.subarray(at + 46, at + 46 + nameLength))
    if (names.has(name)) throw new DatasetError(`there are two entries "${name}"`)
    names.add(name)
    if (view.getUint16(at + 8, true) & 1) throw new DatasetError(`${name} is encrypted`)
    const { packedSize, size, offset } = sizesOf(view, at, at + 46 + nameLength, extraLength)
    const method = view.getUint16(at + 10, true)
    const crc = view.getUint32(at + 16, true)
    entries.push({ name, method, crc, packedSize, size, at: dataOf(view, name, offset, packedSize, start) })
    at = next
  }
  return entries
}

/** Sizes and the place of an entry; those beyond 32 bits stand, in this order, in the extra field with the tag 1. */
function sizesOf(view: DataView, at: number, extra: number, extraLength: number): { packedSize: number; size: number; offset: number } {
  let packedSize = view.getUint32(at + 20, true)
  let size = view.getUint32(at + 24, true)
  let offset = view.getUint32(at + 42, true)
  if (size !== elsewhere && packedSize !== elsewhere && offset !== elsewhere) return { packedSize, size, offset }
  const end = extra + extraLength
  for (let field = extra; field + 4 <= end; ) {
    let value = field + 4
    field = value + view.getUint16(field + 2, true)
    if (field > end) break
    if (view.getUint16(value - 4, true) !== 1) continue
    const take = (narrow: number): number => {
      if (narrow !== elsewhere) return narrow
      if (value + 8 > field) throw new DatasetError('its directory is damaged')
      value += 8
      return wide(view, value - 8)
    }
    size = take(size)
    packedSize = take(packedSize)
    offset = take(offset)
    break
  }
  return { packedSize, size, offset }
}

/** The offset of an entry's packed bytes, which follow a header of its own. */
function dataOf(view: DataView, name: string, offset: number, packedSize: number, limit: number): number {
  if (offset + 30 > limit || view.getUint32(offset, true) !== localHeader) throw new DatasetError(`the header of ${name} is damaged`)
  const at = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true)
  if (at + packedSize > limit) throw new DatasetError(`${name} reaches beyond the bytes of the archive`)
  return at
}
