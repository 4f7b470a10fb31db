/**
 * Runs that are kept in `results/`, small: `bench keep training a.json b.json` makes one file of several `--json` files. Runs of the same Node become one; where two have
 * the same row, all libraries of that row come from the later file, so that a ratio never leaves its run. Documents and the site take their figures from there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { UsageError } from './cli.js'
import { readRecord } from './compare.js'
import type { KeptName, RecordRow, RunRecord } from './records.js'

export type KeptRow = Pick<
  RecordRow,
  'suite' | 'name' | 'shape' | 'library' | 'threads' | 'unit' | 'median' | 'min' | 'max' | 'best' | 'peak' | 'rss'
>

/** One Node's figures. */
export interface KeptRun {
  machine: { cpu: string; cores: number; memoryGiB: number; platform: string; node: string; v8: string }
  versions: Record<string, string>
  /** The days of its files, and the load of the machine before and after each. */
  from: { date: string; load: [before: number, after: number] }[]
  rows: KeptRow[]
}

const fileOf = (name: KeptName): string => fileURLToPath(new URL(`./results/${name}.json`, import.meta.url))

/** Five digits, more than any table shows. */
const tidy = (value: number | undefined): number | undefined => (value === undefined ? undefined : Number(value.toPrecision(5)))

const keptRow = ({ suite, name, shape, library, threads, unit, median, min, max, best, peak, rss }: RecordRow): KeptRow => ({
  ...{ suite, name, shape, library, threads, unit },
  ...{ median: tidy(median), min: tidy(min), max: tidy(max), best: tidy(best), peak: tidy(peak), rss },
})

/** Merges runs, those of one Node into one. Rows that failed are left out. */
export function merged(runs: readonly RunRecord[]): KeptRun[] {
  const byNode = new Map<string, KeptRun>()
  for (const { machine, versions, date, rows } of runs) {
    const { cpu, cores, memoryGiB, platform, node, v8, load } = machine
    const run = byNode.get(node) ?? { machine: { cpu, cores, memoryGiB, platform, node, v8 }, versions: {}, from: [], rows: [] }
    byNode.set(node, run)
    if (run.machine.cpu !== cpu || run.machine.cores !== cores)
      throw new UsageError(`keep: runs of ${node} come from two machines, ${run.machine.cpu} and ${cpu}.`)
    Object.assign(run.versions, versions)
    run.from.push({ date, load: [load.before[0], load.after[0]] })
    const sound = rows.filter(({ median, error }) => median !== undefined && !error)
    const names = new Set(sound.map(({ suite, name }) => `${suite} ${name}`))
    run.rows = [...run.rows.filter(({ suite, name }) => !names.has(`${suite} ${name}`)), ...sound.map(keptRow)]
  }
  return [...byNode.values()]
}

/** Writes the kept file of these `--json` files. @throws UsageError */
export function keep(name: KeptName, files: readonly string[]): string {
  const runs = merged(files.map((file) => readRecord(file, 'keep')))
  // A row a line: a change of one figure is a change of one line.
  const text = runs
    .map(
      ({ rows, ...about }) => `${JSON.stringify(about).slice(0, -1)},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}`,
    )
    .join(',\n')
  writeFileSync(fileOf(name), `[\n${text}\n]\n`)
  return fileOf(name)
}

export const readKept = (name: KeptName): KeptRun[] => JSON.parse(readFileSync(fileOf(name), 'utf8')) as KeptRun[]
