/**
 * The results that are kept: a file of JSON for each run, `examples/results/<id>/seed-<n>.json`. The tables in docs/ are views of these files.
 *
 * A file is whole or missing. It says what was run (settings), on what data, what came of it, and where; it names no host and no path. Pictures that the run drew lie
 * beside it, and it has their hashes.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Kept } from '../lib/demonstration.js'
import type { Reported } from '../lib/experiment.js'
import { writeWhole } from '../lib/files.js'
import { type Planned, planned } from './plan.js'

/** Goes up when files of before can no longer be read. */
const VERSION = 1

export interface Result extends Omit<Kept, 'pictures'> {
  format: 'cotangent-result'
  version: typeof VERSION
  id: string
  /** Absent if it belongs to none. */
  document?: string
  seed: number
  settings: Readonly<Record<string, string | number>>
  reported?: Reported
  remark?: string
  /** Seconds of the whole run, with loading, evaluating and what `sections` has. */
  seconds: number
  /** SHA-256 of the weights of the short run of `--quick` with this seed, by the same program: it tells whether the program still computes the same. */
  quick?: string
  /** Pictures that the run drew: the name of a file beside this one, and its SHA-256. The first seed alone has them. */
  pictures?: Readonly<Record<string, string>>
  machine: { cpu: string; cores: number; threads: number; platform: string; load: number; peakMemoryBytes: number }
  versions: { cotangent: string; node: string }
  /** ISO 8601, in UTC. */
  date: string
  /** Trains it again. */
  command: string
}

export const root = fileURLToPath(new URL('../..', import.meta.url))
/** The results that are committed. */
export const committed = join(root, 'examples/results')
/** Tests put a folder of their own in its place. */
export const resultsFolder = process.env.COTANGENT_RESULTS ?? committed
/** Short runs lie where no table looks. */
export const quickFolder = resultsFolder === committed ? join(root, 'out/reproduce-quick') : `${resultsFolder}-quick`

export const fileOf = (folder: string, id: string, seed: number): string => join(folder, id, `seed-${seed}.json`)

const isResult = (value: unknown): value is Result => {
  const { format, version, id, seed, settings, result, data, weights, machine, versions, date } = (value ?? {}) as Partial<Result>
  return (
    format === 'cotangent-result' &&
    version === VERSION &&
    [id, date].every((text) => typeof text === 'string') &&
    Number.isInteger(seed) &&
    [settings, result, data, machine, versions].every((part) => typeof part === 'object' && part !== null) &&
    typeof result?.value === 'number' &&
    /^[\da-f]{64}$/.test(weights ?? '')
  )
}

/**
 * A result that is kept, or the reason why there is none that counts.
 *
 * It is stale if the settings of its experiment (network, metric, epochs, batch size) are no longer those that it was made with. Other changes of the program
 * are found by training: `--check`.
 */
export function readResult(folder: string, { id, settings }: Planned, seed: number): Result | { missing: string } {
  const path = fileOf(folder, id, seed)
  if (!existsSync(path)) return { missing: 'not run yet' }
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { missing: 'damaged: no JSON' }
  }
  if (!isResult(value) || value.id !== id || value.seed !== seed) return { missing: 'damaged, or of another version of the format' }
  const changed = [...new Set([...Object.keys(settings), ...Object.keys(value.settings)])].find(
    (name) => settings[name] !== value.settings[name],
  )
  if (changed !== undefined) return { missing: `stale: ${changed} was ${value.settings[changed]}, is ${settings[changed]}` }
  return value
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Writes a result and its pictures. The result comes last: one that is there has its pictures. */
export async function writeResult(file: string, result: Result, pictures: Readonly<Record<string, string>> = {}): Promise<void> {
  const drawn = Object.entries(pictures)
  for (const [name, svg] of drawn) await writeWhole(join(dirname(file), name), svg)
  const hashes = drawn.length > 0 ? { pictures: Object.fromEntries(drawn.map(([name, svg]) => [name, sha256(svg)])) } : {}
  await writeWhole(file, `${JSON.stringify({ ...result, ...hashes }, undefined, 2)}\n`)
}

/** The pictures of a result that are gone, or are not those that its run drew. */
export const otherPictures = (folder: string, { id, pictures = {} }: Pick<Result, 'id' | 'pictures'>): string[] =>
  Object.entries(pictures)
    .map(([name, hash]) => ({ path: join(folder, id, name), hash }))
    .filter(({ path, hash }) => !existsSync(path) || sha256(readFileSync(path, 'utf8')) !== hash)
    .map(({ path }) => path)

export const isMissing = (found: Result | { missing: string }): found is { missing: string } => 'missing' in found

/** The results of an experiment that count, by seed: those of the plan, and of any other seed that somebody ran. */
export function resultsOf(folder: string, plan: Planned): Result[] {
  const names = existsSync(join(folder, plan.id)) ? readdirSync(join(folder, plan.id)) : []
  const seeds = names.flatMap((name) => /^seed-(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number)
  return seeds
    .sort((a, b) => a - b)
    .map((seed) => readResult(folder, plan, seed))
    .filter((found): found is Result => !isMissing(found))
}

/** By id. */
export type Results = ReadonlyMap<string, readonly Result[]>

export const allResults = (folder: string): Results => new Map(planned.map((plan) => [plan.id, resultsOf(folder, plan)]))
