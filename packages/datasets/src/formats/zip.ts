/**
 * Zip archives by fflate, which unpacks but checks no CRC: that is done here, against the archive's directory.
 *
 * Bytes may come from anywhere: the sizes that entries announce are held against a limit before anything is unpacked.
 */
import { unzipSync, zipSync } from 'fflate'
import { DatasetError, reasonOf } from '../errors.js'
import { crc32 } from './crc32.js'

/** Whether bytes start as a zip archive does: with an entry, or if it has none with the end of its directory. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))

export interface UnzipOptions {
  /** What the messages call the archive: a path or an address. */
  name?: string
  /** Largest number of bytes of all entries together; default 2 GiB. */
  maxBytes?: number
  /** Which entries to unpack; all by default. */
  filter?: (entry: string) => boolean
}

const directoryEntry = 0x02014b50
const endOfDirectory = 0x06054b50

/** The CRC-32 of every entry, as the directory at the archive's end lists them. APPNOTE 4.3.12 and 4.3.16. */
function checksums(bytes: Uint8Array): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = bytes.length - 22
  while (end >= 0 && view.getUint32(end, true) !== endOfDirectory) end--
  if (end < 0) throw new DatasetError('the directory at its end is missing')
  const out = new Map<string, number>()
  let at = view.getUint32(end + 16, true)
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    if (view.getUint32(at, true) !== directoryEntry) throw new DatasetError('its directory is damaged')
    const nameLength = view.getUint16(at + 28, true)
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength))
    out.set(name, view.getUint32(at + 16, true))
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return out
}

/**
 * The entries of a zip archive by name.
 *
 * Errors: not a zip archive, a truncated or damaged one, an entry whose CRC-32 is wrong, more than `maxBytes` after unpacking.
 *
 * ```ts
 * const files = unzip(bytes, { name: 'imdb.npz', filter: (entry) => entry.endsWith('.npy') })
 * ```
 */
export function unzip(bytes: Uint8Array, options: UnzipOptions = {}): Map<string, Uint8Array> {
  const { name = 'zip data', maxBytes = 2 ** 31, filter = () => true } = options
  let total = 0
  try {
    if (!isZip(bytes)) throw new DatasetError('it does not start as one')
    const expected = checksums(bytes)
    const entries = unzipSync(bytes, {
      filter(entry) {
        if (!filter(entry.name)) return false
        total += entry.originalSize
        if (total > maxBytes) throw new DatasetError(`it unpacks to more than the ${maxBytes} bytes expected at most`)
        return true
      },
    })
    for (const [entry, content] of Object.entries(entries)) {
      if (crc32(content) !== expected.get(entry)) throw new DatasetError(`the CRC-32 of ${entry} is wrong`)
    }
    return new Map(Object.entries(entries))
  } catch (error) {
    throw new DatasetError(`${name}: no zip archive, or a truncated or damaged one, ${bytes.length} bytes long (${reasonOf(error)})`, {
      cause: error,
    })
  }
}

/**
 * A zip archive of entries in their order, not compressed: weights hardly get smaller. The same entries give the same bytes.
 *
 * Errors: a name that comes twice.
 *
 * ```ts
 * const bytes = zip([['metadata.json', new TextEncoder().encode('{}')]])
 * ```
 */
export function zip(entries: Iterable<readonly [name: string, content: Uint8Array]>): Uint8Array {
  const files: Record<string, Uint8Array> = Object.create(null)
  for (const [name, content] of entries) {
    if (Object.hasOwn(files, name)) throw new DatasetError(`zip: there are two entries "${name}"`)
    files[name] = content
  }
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) })
}
