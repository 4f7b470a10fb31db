/// <reference types="node" />
/** Writes files whole or not at all. */
import { access, constants, lstat, mkdir, open, readlink, realpath, rename, unlink } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { ValueError } from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { asFarAsThere, fileError, writing } from './file-error.js'
import { nameWhileWritten, newId, removeLeftovers } from './temporary.js'

/**
 * Writes a file so that at any moment, even after a crash, it is the old file or the new one, whole. To do so it writes a temporary file in the same folder,
 * flushes it to the disk and renames it. If anything fails, such as a full disk, the old file stays and the temporary one is removed.
 *
 * An old file's permissions are kept, and its owner and group if the system allows it. A symbolic link stays; the file that it leads to is replaced. Temporary
 * files of killed processes are removed.
 *
 * @throws CotangentError with the system's `code`; it says which file cannot be written and why. The folder is not there (ENOENT) or is a file (ENOTDIR); the
 * path is a folder (EISDIR) or write-protected (EACCES); its name is too long (ENAMETOOLONG); the disk is full (ENOSPC) or read-only (EROFS).
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 *
 * await writeFileAtomic(`${tmpdir()}/scores.json`, JSON.stringify([0.91, 0.93]))
 * console.log(readFileSync(`${tmpdir()}/scores.json`, 'utf8'))   // [0.91,0.93]
 * ```
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  await writeWhole('writeFileAtomic', path, bytes)
}

/**
 * `writeFileAtomic` for the function `what`.
 *
 * @param flush whether the file must be on the disk before it takes its name. Without it a process may still be killed at any moment, but a machine that loses its power may leave
 * an empty file
 */
export async function writeWhole(what: string, path: string, bytes: Uint8Array | string, flush = true): Promise<void> {
  if (typeof bytes !== 'string' && !ArrayBuffer.isView(bytes))
    throw new ValueError(`${what}: expected a Uint8Array or a text to write to "${path}", got ${describeValue(bytes)}.`)
  const target = await findTarget(what, path)
  await removeLeftovers(target.folder)
  const temporary = join(target.folder, nameWhileWritten(basename(target.path), newId()))
  try {
    await writeNew(temporary, bytes, target.before, flush)
    await rename(temporary, target.path)
    if (flush) await syncFolder(target.folder)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw await fileError(what, 'written', path, error)
  }
}

/** The needed part of Node's Stats. Declarations of this package get along without Node's types. */
export interface Earlier {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  isDirectory(): boolean
  isFile(): boolean
}

/** The place of a file to write. */
export interface Target {
  /** The file itself; for a symbolic link, the file that it leads to. */
  readonly path: string
  readonly folder: string
  /** The file that is there now, if there is one. */
  readonly before?: Earlier
}

/** Finds the place of a file to write. Throws every error that can be known without writing. */
export async function findTarget(what: string, path: string): Promise<Target> {
  requireText(what, 'the path', path)
  const target = await writing(what, path, () => followed(path))
  const { before } = target
  if (before?.isDirectory()) throw await fileError(what, 'written', path, Object.assign(new Error(), { code: 'EISDIR', syscall: 'open' }))
  if (before && !before.isFile()) throw new ValueError(`${what}: "${path}" is a device or a pipe, which cannot be replaced. Name a file.`)
  // The system would let a new file replace a write-protected one. Its owner does not expect that.
  if (before) await writing(what, path, async () => (await open(target.path, constants.O_WRONLY)).close())
  return target
}

/** Throws the errors that writing a file would throw. It leaves nothing behind. */
export async function requireWritable(what: string, path: string): Promise<void> {
  const target = await findTarget(what, path)
  const temporary = join(target.folder, nameWhileWritten(basename(target.path), newId()))
  await writing(what, path, async () => {
    await (await open(temporary, 'wx')).close()
    await unlink(temporary)
  })
}

/** The number of links that systems follow at most. */
const LINKS = 40

/**
 * Follows symbolic links to the file, or to its place. The system finds each folder, because `..` after a link does not mean the folder before it in the path.
 */
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

/** Writes a new file and flushes it, with the permissions, owner and group of an earlier one. It never permits more than the earlier file did. */
export async function writeNew(path: string, bytes: Uint8Array | string, like?: Earlier, flush = true): Promise<void> {
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
        // The permissions of the old group are not given to another group.
        if (!group) mode &= ~0o070
      }
      await file.chmod(mode).catch(() => {}) // there are file systems without permissions
    }
    await file.writeFile(bytes)
    if (flush) await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes a folder and those around it. @returns the outermost one that was not there */
export async function makeFolder(what: string, folder: string): Promise<string | undefined> {
  const made = await writing(what, folder, () =>
    mkdir(folder, { recursive: true }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw Object.assign(error, { code: 'ENOTDIR' })
      // Node says ENOENT also for folders that cannot be made. The folder around them says why.
      if (error.code === 'ENOENT') await access(await asFarAsThere(folder), constants.W_OK)
      throw error
    }),
  )
  return made && realpath(made)
}

/** Errors of systems that cannot flush a folder: Windows opens none, others refuse unreadable ones. These systems keep names by themselves. */
const unable = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM']

/** Flushes a folder, since a new name is on the disk only when its folder is. */
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
