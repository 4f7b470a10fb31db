/** Files of a dataset from their published addresses, or from a mirror of them, into the cache. */

import { DatasetError, reasonOf } from '../errors.js'
import { isGzip } from '../formats/gzip.js'
import { unpack } from './content.js'
import { type Files, type LoadOptions, type Located, largestOf, type PublishedDataset, packedName, publishedName } from './dataset.js'
import type { Host } from './host.js'
import { type Fetch, fetchBytes } from './http.js'

/**
 * Downloads the files that `cached` lacks; undefined if one of them is to be had nowhere, with the reasons in `tried`.
 *
 * A file enters the cache only after its checksum was right. A cache that cannot be written does not stop the download.
 *
 * @throws the reason of an aborted signal.
 */
export async function download(
  dataset: PublishedDataset,
  host: Host | undefined,
  options: LoadOptions,
  cached: Files,
  tried: string[],
): Promise<Located | undefined> {
  const { baseUrl, signal, fetch = globalThis.fetch as Fetch, onDownload } = options
  const addresses = baseUrl === undefined ? dataset.addresses : [baseUrl]
  const files = new Map(cached)
  const used = new Set<string>()
  let kept = host && `kept in ${host.path(host.cacheRoot, dataset.folder)}`

  const keep = async (name: string, bytes: Uint8Array): Promise<void> => {
    await host?.write(host.path(host.cacheRoot, dataset.folder, name), bytes).catch((error: unknown) => {
      kept = `not kept: ${reasonOf(error)}`
    })
  }

  for (const file of dataset.files) {
    for (const address of addresses) {
      if (files.has(file.name)) break
      const url = `${address.replace(/\/+$/, '')}/${publishedName(file)}`
      try {
        onDownload?.(url)
        // gzip adds at most 5 bytes to every 16 kB, and a header.
        const largest = largestOf(file)
        const bytes = await fetchBytes(url, { fetch, signal, maxBytes: largest + (largest >> 10) + 4096 })
        const content = await unpack(bytes, { file, title: dataset.title, where: url })
        // Some servers unpack on the way and send the plain file.
        await keep(isGzip(bytes) ? packedName(file) : file.name, bytes)
        files.set(file.name, content)
        used.add(address)
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof DatasetError)) throw error
        tried.push(error.message)
      }
    }
    if (!files.has(file.name)) return undefined
  }
  return { files, source: `download from ${[...used].join(', ')}${kept ? ` (${kept})` : ''}` }
}
