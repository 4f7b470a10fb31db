/// <reference types="node" />
/** Errors of the file system in words: the function, the file, the reason and the remedy. */
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CotangentError } from '@cotangent/core'

/** Error codes whose meaning does not depend on the file. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Make room, or choose another disk',
  EDQUOT: "this user's share of the disk is used up. Make room, or choose another disk",
  EFBIG: 'it would be larger than the file system, or a limit of the process, allows',
  EROFS: 'the file system is read-only. Choose another folder',
  EISDIR: 'it is a folder. Name a file',
  ENAMETOOLONG: 'its name is too long for the file system. Choose a shorter one',
  ELOOP: 'its symbolic links lead in a circle',
  EBUSY: 'the system keeps it in its place, as it does with a file that is mounted by itself. Use another path, or mount its folder',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  EIO: 'the disk failed',
}

/**
 * The error to throw for an error of the file system. Its `code` stays, and the original is the `cause`. Any other error is returned as it is.
 *
 * @param what the function that the user called
 */
export async function fileError(what: string, verb: 'read' | 'written', path: string, error: unknown): Promise<unknown> {
  const { code, syscall } = Object(error) as NodeJS.ErrnoException
  if (
    error instanceof CotangentError ||
    typeof code !== 'string' ||
    !(syscall || code === 'ERR_INVALID_ARG_VALUE' || code === 'ERR_FS_FILE_TOO_LARGE')
  )
    return error
  const reason = await reasonOf(verb, path, error as NodeJS.ErrnoException)
  return Object.assign(new CotangentError(`${what}: "${path}" cannot be ${verb} (${code}): ${reason}.`, { cause: error }), { code })
}

/** The result of `read`; its errors become those of `fileError`. */
export async function reading<T>(what: string, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw await fileError(what, 'read', path, error)
  }
}

/** The result of `write`; its errors become those of `fileError`. */
export async function writing<T>(what: string, path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    throw await fileError(what, 'written', path, error)
  }
}

async function reasonOf(verb: 'read' | 'written', path: string, { code = '', message }: NodeJS.ErrnoException): Promise<string> {
  if (Object.hasOwn(reasons, code)) return reasons[code]
  if (code === 'ENOENT') {
    const folder = dirname(path)
    if (!(await isThere(folder))) return `the folder "${folder}" is not there${verb === 'written' ? '. Make it first' : ''}`
    return verb === 'read' ? 'there is no such file' : 'the folder changed while it was written. Save again'
  }
  if (code === 'ENOTDIR') return `"${await asFarAsThere(path)}" is a file, not a folder`
  if (code === 'EACCES' || code === 'EPERM') return forbidden(verb, path)
  if (code === 'ERR_INVALID_ARG_VALUE') return 'a path cannot hold the character 0'
  if (code === 'ERR_FS_FILE_TOO_LARGE') return 'it is larger than 2 GiB, the most that is read at once'
  // Node's message: "CODE: reason, call 'path'".
  return /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message
}

const yes = (): boolean => true
const no = (): boolean => false
const isThere = (path: string): Promise<boolean> => stat(path).then(yes, no)
const mayWrite = (path: string): Promise<boolean> => access(path, constants.W_OK).then(yes, no)

/** The longest existing beginning of a path: a file where a folder was expected, or the folder in which another was to be made. */
export async function asFarAsThere(path: string): Promise<string> {
  let at = path
  while (!(await isThere(at)) && dirname(at) !== at) at = dirname(at)
  return at
}

async function forbidden(verb: 'read' | 'written', path: string): Promise<string> {
  const there = await isThere(path)
  if (verb === 'read') return there ? 'this user may not read it' : `this user may not look into "${dirname(path)}"`
  if (there && !(await mayWrite(path))) return 'it is write-protected for this user'
  const folder = await asFarAsThere(dirname(path))
  if (!(await mayWrite(folder))) return `this user may not write to the folder "${folder}"`
  return 'the system does not allow it: the file belongs to another user, or another program holds it'
}
