/**
 * Zip archives. fflate writes them and unpacks DEFLATE; the directory of an archive is read here, because fflate neither checks CRCs nor says where
 * entries lie. Reference: PKWARE's APPNOTE.TXT 6.3.
 *
 * Bytes may come from anywhere. Everything the directory says is held against the bytes that are there and against a limit before anything is
 * unpacked, and entries may not share bytes, so that what is asked for is at most what is stored, DEFLATE's greatest ratio and `maxBytes` allow.
 */
import { inflateSync, Zip, ZipPassThrough } from 'fflate'
import {
  type Checks,
  describeValue,
  readOptions,
  requireBytes,
  requireFunction,
  requireIterable,
  requireText,
  whole,
} from '../arguments.js'
import { DatasetError, reasonOf } from '../errors.js'
import { joined } from '../stream.js'
import { crc32 } from './crc32.js'
import { unpackedLimit } from './limits.js'
import { readDirectory, type ZipEntry } from './zip-directory.js'

/**
 * True if bytes start as a zip archive does: with an entry, or, in an archive without entries, with the end of the directory.
 *
 * @example
 * ```ts
 * isZip(zip([]))   // true
 * ```
 */
export function isZip(bytes: Uint8Array): boolean {
  requireBytes('isZip', bytes)
  return bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))
}

export interface UnzipOptions {
  /** The name of the archive in messages: a path or an address. */
  name?: string
  /**
   * Largest number of bytes of all wanted entries together. Default: 256 MiB, or 100 times the archive's size if that is more, but no more than
   * 2 GiB.
   */
  maxBytes?: number
  /** Chooses the entries to unpack; all by default. */
  filter?: (entry: string) => boolean
}

/** A check of `maxBytes`. */
export const zipLimit = whole({ least: 0 })

const checks: Checks<UnzipOptions> = { name: requireText, maxBytes: zipLimit, filter: requireFunction }

/** DEFLATE makes at most 1032 bytes of one: matches of 258 bytes, two bits each. */
const greatestRatio = 1032

/** Holds the sizes and places of entries against each other, before anything is unpacked. */
function requirePlausible(entries: readonly ZipEntry[]): void {
  for (const { name, method, size, packedSize } of entries) {
    if (method !== 0 && method !== 8) throw new DatasetError(`${name} is packed by the method ${method}; stored and deflated ones are read`)
    if (method === 0 && size !== packedSize)
      throw new DatasetError(`${name} is stored, but its sizes differ: ${packedSize} and ${size} bytes`)
    if (size > greatestRatio * packedSize) throw new DatasetError(`${name} cannot unpack to the ${size} bytes it announces`)
  }
  let end = 0
  for (const { name, at, packedSize } of [...entries].sort((a, b) => a.at - b.at)) {
    if (at < end) throw new DatasetError(`${name} shares its bytes with another entry`)
    end = at + packedSize
  }
}

function unpack(bytes: Uint8Array, { name, method, at, packedSize, size, crc }: ZipEntry): Uint8Array {
  const packed = bytes.subarray(at, at + packedSize)
  const content = method === 0 ? new Uint8Array(packed) : inflateSync(packed, { out: new Uint8Array(size) })
  if (content.length !== size) throw new DatasetError(`${name} unpacks to ${content.length} bytes, not to the ${size} it announces`)
  if (crc32(content) !== crc) throw new DatasetError(`the CRC-32 of ${name} is wrong`)
  return content
}

/**
 * The entries of a zip archive by name, in the order of its directory.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.
 *
 * @throws DatasetError if it is not a zip archive, or a truncated or damaged one; the CRC-32 of an entry is wrong; or two entries have one
 * name. Also, before anything is unpacked, if the entries unpack to more than `maxBytes`, share bytes, or announce more than they can
 * hold.
 * @example
 * ```ts
 * const bytes = zip([['a.txt', new TextEncoder().encode('one')], ['b.npy', new Uint8Array(0)]])
 * const files = unzip(bytes, { name: 'files.zip', filter: (entry) => entry.endsWith('.txt') })
 * console.log([...files.keys()])   // ['a.txt']
 * ```
 */
export function unzip(bytes: Uint8Array, options: UnzipOptions = {}): Map<string, Uint8Array> {
  requireBytes('unzip', bytes)
  const { name = 'zip data', maxBytes = unpackedLimit(bytes.length), filter = () => true } = readOptions('unzip', options, checks)
  const reading = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      const problem = `no zip archive, or a truncated or damaged one, ${bytes.length} bytes long (${reasonOf(error)})`
      throw new DatasetError(`${name}: ${problem}`, { cause: error })
    }
  }
  const entries = reading(() => {
    if (!isZip(bytes)) throw new DatasetError('it does not start as one')
    return readDirectory(bytes)
  }).filter((entry) => filter(entry.name))
  reading(() => requirePlausible(entries))
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > maxBytes) {
    throw new DatasetError(
      `${name}: unpacks to ${total} bytes, more than the ${maxBytes} expected at most; if you trust it, pass a larger maxBytes`,
    )
  }
  return reading(() => new Map(entries.map((entry) => [entry.name, unpack(bytes, entry)])))
}

/** The first time that zip can say: the same entries give the same bytes. */
const firstTime = new Date(1980, 0, 1)

/**
 * A zip archive of entries in their order, not compressed, because weights hardly get smaller. The same entries give the same bytes.
 *
 * @throws DatasetError if a name comes twice or is longer than 65535 bytes, or there are more than 65535 entries or 4 GiB, which the
 * format cannot count.
 * @example
 * ```ts
 * const bytes = zip([['metadata.json', new TextEncoder().encode('{}')]])
 * console.log([...unzip(bytes).keys()])   // ['metadata.json']
 * ```
 */
export function zip(entries: Iterable<readonly [name: string, content: Uint8Array]>): Uint8Array {
  requireIterable('zip', 'entries', entries, 'a list of [name, bytes]')
  const names = new Set<string>()
  const pieces: Uint8Array[] = []
  let length = 0
  // The streaming writer, because an object of entries would put names like "10" first and lose "__proto__".
  const archive = new Zip((error, piece) => {
    if (error) throw error
    pieces.push(piece)
    length += piece.length
    if (length > 0xffffffff) throw new DatasetError('zip: an archive has at most 4 GiB')
  })
  for (const entry of entries) {
    if (!Array.isArray(entry)) throw new DatasetError(`zip: entries must be a list of [name, bytes], but holds ${describeValue(entry)}.`)
    const [name, content] = entry as readonly [string, Uint8Array]
    requireText('zip', 'the name of an entry', name)
    requireBytes('zip', content, `entry "${name}"`)
    if (names.has(name)) throw new DatasetError(`zip: there are two entries "${name}"`)
    names.add(name)
    if (new TextEncoder().encode(name).length > 0xffff)
      throw new DatasetError(`zip: the name "${name.slice(0, 40)}…" is longer than 65535 bytes`)
    if (names.size > 0xffff) throw new DatasetError('zip: an archive has at most 65535 entries')
    const file = new ZipPassThrough(name)
    file.mtime = firstTime
    archive.add(file)
    file.push(content, true)
  }
  archive.end()
  return joined(pieces, length)
}
