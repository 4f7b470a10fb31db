/// <reference types="node" />
/** Writing files whole or not at all. */
import { access, constants, lstat, mkdir, open, readlink, realpath, rename, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { ValueError } from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { asFarAsThere, fileError, writing } from './file-error.js'
import { nameWhileWritten, newId, removeLeftovers } from './temporary.js'

/**
 * Puts bytes into a file so that whoever looks at any moment, even after a crash, finds the old file or the new one, whole: a temporary file in
 * the same folder, flushed to the disk, takes the name. If anything fails, a full disk for one, the old file stays and the temporary one goes.
 *
 * An old file's permissions stay, its owner and group where the system allows. Of a symbolic link the file that it leads to is replaced. Temporary
 * files of processes that were killed are removed.
 *
 * @throws CotangentError with the system's `code` that says which file cannot be written and why: its folder is not there (ENOENT) or a file
 * (ENOTDIR), it is a folder (EISDIR) or write-protected (EACCES), its name is too long (ENAMETOOLONG), the disk is full (ENOSPC) or read-only (EROFS).
 * @example
 * ```ts
 * import { tmpdir } from 'node:os'
 *
 * await writeFileAtomic(`${tmpdir()}/scores.json`, JSON.stringify([0.91, 0.93]))
 * ```
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  await writeWhole('writeFileAtomic', path, bytes)
}

/** The same for the function `what`. */
export async function writeWhole(what: string, path: string, bytes: Uint8Array | string): Promise<void> {
  if (typeof bytes !== 'string' && !ArrayBuffer.isView(bytes))
    throw new ValueError(`${what}: expected a Uint8Array or a text to write to "${path}", got ${describeValue(bytes)}.`)
  const target = await findTarget(what, path)
  await removeLeftovers(target.folder)
  const temporary = join(target.folder, nameWhileWritten(basename(target.path), newId()))
  try {
    await writeNew(temporary, bytes, target.before)
    await rename(temporary, target.path)
    await syncFolder(target.folder)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw await fileError(what, 'written', path, error)
  }
}

/** As much as is needed of Node's Stats. Declarations of this package get along without the types of Node. */
export interface Earlier {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  isDirectory(): boolean
  isFile(): boolean
}

/** Where a file goes. */
export interface Target {
  /** The file itself; where a symbolic link was given, what it leads to. */
  readonly path: string
  readonly folder: string
  /** What is there now. */
  readonly before?: Earlier
}

/** Finds out where a file goes. Throws for what can be known without writing. */
export async function findTarget(what: string, path: string): Promise<Target> {
  requireText(what, 'the path', path)
  const target = await writing(what, path, () => followed(path))
  const { before } = target
  if (before?.isDirectory()) throw await fileError(what, 'written', path, Object.assign(new Error(), { code: 'EISDIR', syscall: 'open' }))
  if (before && !before.isFile()) throw new ValueError(`${what}: "${path}" is a device or a pipe, which cannot be replaced. Name a file.`)
  // A new file could take the name of one that is write-protected. Who protected it does not expect that.
  if (before) await writing(what, path, async () => (await open(target.path, constants.O_WRONLY)).close())
  return target
}

/** Throws what writing a file would. Nothing of it stays. */
export async function requireWritable(what: string, path: string): Promise<void> {
  const target = await findTarget(what, path)
  const temporary = join(target.folder, nameWhileWritten(basename(target.path), newId()))
  await writing(what, path, async () => {
    await (await open(temporary, 'wx')).close()
    await unlink(temporary)
  })
}

/** How many links the systems follow at most. */
const LINKS = 40

/** Goes along symbolic links to the file, or to where one would be. The system itself finds each folder, since `..` behind a link is not what it looks like. */
async function followed(path: string): Promise<Target> {
  let at = path
  for (let i = 0; i < LINKS; i++) {
    const folder = await realpath(dirname(at))
    const file = join(folder, basename(at))
    const before = await lstat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (!before?.isSymbolicLink()) return { path: file, folder, before: before ?? undefined }
    const link = await readlink(file)
    at = isAbsolute(link) ? link : folder + sep + link
  }
  throw Object.assign(new Error(), { code: 'ELOOP', syscall: 'open' })
}

/** Writes a file that is not there yet, to the disk, with the permissions, owner and group of an earlier one. Never is more allowed than was. */
export async function writeNew(path: string, bytes: Uint8Array | string, like?: Earlier): Promise<void> {
  const file = await open(path, 'wx', like && like.mode & 0o700)
  try {
    if (like) {
      const own = await file.stat()
      let mode = like.mode & 0o777
      if (own.uid !== like.uid || own.gid !== like.gid) {
        const group = await file
          .chown(like.uid, like.gid)
          .catch(() => file.chown(own.uid, like.gid)) // only the administrator gives files away
          .then(
            () => true,
            () => false,
          )
        // What the old group might do, another must not.
        if (!group) mode &= ~0o070
      }
      await file.chmod(mode).catch(() => {}) // there are file systems without permissions
    }
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes a folder and those around it. @returns the outermost that was not there */
export async function makeFolder(what: string, folder: string): Promise<string | undefined> {
  const made = await writing(what, folder, () =>
    mkdir(folder, { recursive: true }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw Object.assign(error, { code: 'ENOTDIR' })
      // Node says ENOENT for folders that cannot be made, too; where they would be says why.
      if (error.code === 'ENOENT') await access(await asFarAsThere(folder), constants.W_OK)
      throw error
    }),
  )
  return made && realpath(made)
}

/** What systems say that cannot flush a folder: Windows opens none, others none that may not be read. They keep names by themselves. */
const unable = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM']

/** A new name is on the disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!unable.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
