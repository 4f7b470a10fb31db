/// <reference types="node" />
/**
 * The names that files have while they are written, and what killed writers left.
 *
 * A temporary file's name says who writes it: `.model.h5.cotangent-<place>-<process>-<start>-<id>.tmp`. Whoever saves next into its folder removes
 * it when that process is gone.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { lstat, readdir, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

const temporaryName = /\.cotangent-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{12})\.tmp$/

/** A number that no other save has. */
export const newId = (): string => randomBytes(6).toString('hex')

/** The name of a file while it is written, short enough for every file system. */
export function nameWhileWritten(name: string, id: string): string {
  const start = new TextDecoder().decode(Buffer.from(name).subarray(0, 60)).replace(/\uFFFD$/, '')
  return `.${start}.cotangent-${place()}-${process.pid}-${startOf(process.pid)}-${id}.tmp`
}

let here: string | undefined

/** Where process numbers mean the same as here: one start of one machine, and in it one container. */
function place(): string {
  const parts = [
    attempt(hostname),
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ]
  here ??= createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8)
  return here
}

/** When a process started, since its number may have been another's before; 0 where the system does not say. Linux counts it in field 22, behind the name in brackets. */
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

/** Processes elsewhere cannot be seen. What one of them has not touched for so long is taken for left. */
const DAY = 24 * 60 * 60 * 1000

/**
 * Removes the temporary files in a folder whose writers are gone.
 *
 * @returns the ids of those that are being written
 */
export async function removeLeftovers(folder: string): Promise<Set<string>> {
  const written = new Set<string>()
  // A folder that may be written to but not listed keeps what is in it.
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
