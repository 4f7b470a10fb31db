/// <reference types="node" />
/**
 * The names of files while they are written, and the removal of files that killed processes left.
 *
 * A temporary file's name says who writes it: `.model.h5.cotangent-<place>-<process>-<start>-<id>.tmp`. If that process is gone, the next save into the
 * folder removes the file.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { lstat, readdir, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

const temporaryName = /\.cotangent-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{12})\.tmp$/

/** A random number for one save. */
export const newId = (): string => randomBytes(6).toString('hex')

/** The name of a file while it is written. It is short enough for every file system. */
export function nameWhileWritten(name: string, id: string): string {
  const start = new TextDecoder().decode(Buffer.from(name).subarray(0, 60)).replace(/\uFFFD$/, '')
  return `.${start}.cotangent-${place()}-${process.pid}-${startOf(process.pid)}-${id}.tmp`
}

let here: string | undefined

/** Identifies the range in which a process number is unique: one start of one machine, and one container in it. */
function place(): string {
  const parts = [
    attempt(hostname),
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ]
  here ??= createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8)
  return here
}

/**
 * The start time of a process, since process numbers are used again; 0 if the system does not say. Linux has it in field 22, after the name in brackets.
 */
function startOf(pid: number): string {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return '' // not Linux, hidden, or not permitted (Deno)
  }
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0) // sends nothing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return now === '0' || start === '0' || now === start
}

/** Processes elsewhere cannot be seen. A file that such a process has not touched for a day counts as left behind. */
const DAY = 24 * 60 * 60 * 1000

/**
 * Removes the temporary files in a folder whose writers are gone.
 *
 * @returns the ids of those that are being written
 */
export async function removeLeftovers(folder: string): Promise<Set<string>> {
  const written = new Set<string>()
  // If the folder may be written to but not listed, nothing is removed.
  for (const name of await readdir(folder).catch(() => [])) {
    const [, where, pid, start, id] = temporaryName.exec(name) ?? []
    if (id === undefined) continue
    const path = join(folder, name)
    const left =
      where === place() ? !isAlive(Number(pid), start) : Date.now() - (await lstat(path).catch(() => ({ mtimeMs: 0 }))).mtimeMs > DAY
    if (left) await unlink(path).catch(() => {})
    else written.add(id)
  }
  return written
}
