/// <reference types="node" />
/** Adds to files, whole or not at all. */
import { open } from 'node:fs/promises'
import { fileError } from './file-error.js'

/**
 * Adds to the end of a file in one write. If the disk takes only a part, that part is removed.
 *
 * @param what the function that the user called, for messages
 * @throws CotangentError with the system's `code`; it names the file and says why
 */
export async function appendWhole(what: string, path: string, added: string | Uint8Array): Promise<void> {
  const bytes = typeof added === 'string' ? Buffer.from(added) : added
  try {
    const file = await open(path, 'a')
    let before = 0
    let written = 0
    try {
      before = (await file.stat()).size
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten
    } catch (error) {
      // Only if nobody else has added to the file meanwhile.
      if (written > 0 && (await file.stat()).size === before + written) await file.truncate(before).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
  } catch (error) {
    throw await fileError(what, 'written', path, error)
  }
}
