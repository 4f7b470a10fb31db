/// <reference types="node" />
/** Writing files whole or not at all. */
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Puts bytes into a file so that whoever looks at any moment, even after a crash, finds the old file or the new one, whole: a temporary file in
 * the same folder, flushed to the disk, takes the name. If anything fails the temporary file is removed.
 *
 * @throws Error that names a folder that is not there; else the error of the system.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const message = `${path} cannot be written (ENOENT): there is no folder "${folder}". Make it first.`
    throw Object.assign(new Error(message, { cause: error }), { code: 'ENOENT' })
  }
  await syncFolder(folder)
}

/** The new name is on the disk only when the folder is. Windows cannot open folders, and keeps names by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
