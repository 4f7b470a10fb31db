/** From bytes as they were stored or sent to content that is known to be the published one. */

import { DatasetError } from '../errors.js'
import { gunzip, isGzip } from '../formats/gzip.js'
import { contentsOf, largestOf, type PublishedFile } from './dataset.js'

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto ?? {}
  if (!subtle) {
    throw new DatasetError('checksums need crypto.subtle, which a browser offers only on https:// pages and on localhost')
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('')
}

/** A file that was found, and whether it must be the published one. */
export interface ContentOptions {
  file: PublishedFile
  /** Name of the dataset. */
  title: string
  /** Path or address, for messages. */
  where: string
  /** Default true. */
  verify?: boolean
}

/**
 * Unpacks a file, if it is packed, and holds it against the published size and SHA-256.
 *
 * @throws DatasetError for damaged gzip data, another size or another checksum, with the place, both values and a guess at the reason.
 */
export async function unpack(bytes: Uint8Array, options: ContentOptions): Promise<Uint8Array> {
  const { file, title, where, verify = true } = options
  const maxBytes = verify ? largestOf(file) : undefined
  const content = isGzip(bytes) ? await gunzip(bytes, { name: where, maxBytes }) : bytes
  if (!verify) return content
  const contents = contentsOf(file)
  if (!contents.some(({ bytes }) => bytes === content.length)) {
    const guess = content[0] === 0x3c ? 'an HTML page?' : content.length < file.bytes ? 'truncated?' : 'another file?'
    const sizes = contents.map(({ bytes }) => bytes).join(' or ')
    throw new DatasetError(`${where}: expected the ${sizes} bytes of ${title}'s ${file.name}, found ${content.length} (${guess})`)
  }
  const found = await sha256(content)
  if (!contents.some(({ sha256 }) => sha256 === found)) {
    throw new DatasetError(
      `${where}: not ${title}'s ${file.name}: expected SHA-256 ${contents.map((c) => c.sha256).join(' or ')}, found ${found} ` +
        '(damaged, or another dataset with the same file names?)',
    )
  }
  return content
}
