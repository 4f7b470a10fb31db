/**
 * gzip by the platform's `DecompressionStream`, which checks the CRC and the end of the stream.
 *
 * A few bytes can unpack to a thousand times as many, so the output is limited and reading stops at the limit.
 */
import { type Checks, readOptions, requireBytes, requireText, whole } from '../arguments.js'
import { DatasetError, reasonOf } from '../errors.js'
import { readAll } from '../stream.js'
import { unpackedLimit } from './limits.js'

const inputChunk = 1 << 20

/** True if bytes start with gzip's magic number, 1f 8b. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

export interface GunzipOptions {
  /** The name of the data in messages: a path or an address. */
  name?: string
  /** Largest number of bytes to unpack. Default: 256 MiB, or 100 times the packed size if that is more, but no more than 2 GiB. */
  maxBytes?: number
}

const checks: Checks<GunzipOptions> = { name: requireText, maxBytes: whole({ least: 0 }) }

export const readGunzipOptions = (what: string, options: GunzipOptions): GunzipOptions => readOptions(what, options, checks)

/**
 * Unpacks gzip data.
 *
 * @throws DatasetError if the data are truncated or damaged, or unpack to more than `maxBytes`.
 * @example
 * ```ts
 * import { gzipSync } from 'node:zlib'
 * import { gunzip } from '@cotangent/datasets'
 *
 * const unpacked = await gunzip(gzipSync('digits'), { name: 'digits.gz', maxBytes: 1e6 })
 * console.log(new TextDecoder().decode(unpacked))   // digits
 * ```
 */
export async function gunzip(bytes: Uint8Array, options: GunzipOptions = {}): Promise<Uint8Array> {
  requireBytes('gunzip', bytes)
  const { name = 'gzip data', maxBytes = unpackedLimit(bytes.length) } = readGunzipOptions('gunzip', options)
  let at = 0
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      // A typed array over shared memory is refused by streams; data from files and responses never are.
      controller.enqueue(bytes.subarray(at, at + inputChunk) as Uint8Array<ArrayBuffer>)
      at += inputChunk
    },
  })
  try {
    const out = await readAll(packed.pipeThrough(new DecompressionStream('gzip')), maxBytes)
    if (out) return out
  } catch (error) {
    throw new DatasetError(`${name}: truncated or damaged gzip data, ${bytes.length} bytes long (${reasonOf(error)})`, { cause: error })
  }
  throw new DatasetError(`${name}: unpacks to more than the ${maxBytes} bytes expected at most; if you trust it, pass a larger maxBytes`)
}
