/** Keeps results that took long to make and depend on known texts alone, under node_modules/.cache. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { top } from './places.js'

const folder = join(top, 'node_modules/.cache/cotangent-site')

export function hash(texts: Iterable<string>): string {
  const sum = createHash('sha256')
  // The length keeps ['ab', 'c'] and ['a', 'bc'] apart.
  for (const text of texts) sum.update(`${text.length}:`).update(text)
  return sum.digest('hex').slice(0, 32)
}

/** The result that was kept under a name, if it was made from the same texts. One state is kept for each name. */
export function kept<T>(name: string, of: string): T | undefined {
  try {
    const { of: before, value } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
    return before === of ? (value as T) : undefined
  } catch {
    return undefined // the first build, or a file that was cut
  }
}

export function keep(name: string, of: string, value: unknown): void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.json`)
  writeFileSync(`${path}.${process.pid}`, JSON.stringify({ of, value }))
  renameSync(`${path}.${process.pid}`, path)
}
