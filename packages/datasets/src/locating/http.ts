/** One file over HTTP, with a limit on its size. */
import { DatasetError, reasonOf } from '../errors.js'
import { readAll } from '../stream.js'

/** The `fetch` of the platform, or one that stands in for it. */
export type Fetch = (url: string, init?: { signal?: AbortSignal }) => Promise<Response>

export interface FetchBytesOptions {
  fetch: Fetch
  maxBytes: number
  signal?: AbortSignal
}

/**
 * The whole body of a response.
 *
 * @throws DatasetError if there is no connection, the status is not 2xx, or the body breaks off or is longer than `maxBytes`. If the signal was
 * aborted, its reason is thrown.
 */
export async function fetchBytes(url: string, options: FetchBytesOptions): Promise<Uint8Array> {
  const { fetch, maxBytes, signal } = options
  try {
    const response = await fetch(url, { signal })
    if (!response.ok) {
      await response.body?.cancel()
      throw new DatasetError(`${url}: HTTP ${response.status} ${response.statusText}`.trimEnd())
    }
    if (!response.body) throw new DatasetError(`${url}: the response is empty`)
    const body = await readAll(response.body, maxBytes)
    if (body) return body
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof DatasetError) throw error
    throw new DatasetError(`${url}: ${reasonOf(error)}`, { cause: error })
  }
  throw new DatasetError(`${url}: the response is longer than the ${maxBytes} bytes expected at most`)
}
