/** The committed figures beside those of a page, and files that people keep. */

import type { KeptRow, KeptRun } from '../../../../bench/kept.js'
import { isCalm, type PageRow, pageRows, timesAsFast } from '../../../../bench/page-rows.js'
import type { RecordRow } from '../../../../bench/records.js'
import kernels from '../../../../bench/results/kernels.json' with { type: 'json' }
import recorded from '../../../../bench/results/recorded.json' with { type: 'json' }
import training from '../../../../bench/results/training.json' with { type: 'json' }

export type { PageRow }

/** A figure of the record: who, and how fast beside our own in Node 20 on one thread, as the median and its range. */
export interface Recorded {
  who: string
  median: number
  least: number
  most: number
  figure: KeptRow
}

const runs = [...training, ...kernels, ...recorded] as unknown as KeptRun[]
const nodeOf = ({ machine }: KeptRun): string => `Node ${/\d+/.exec(machine.node)?.[0]}`
const names: Readonly<Record<string, string>> = {
  cotangent: 'Cotangent',
  'cotangent-core': 'Cotangent',
  'cotangent-eager': 'Cotangent',
  'cotangent-256': 'Cotangent, 256 bits',
}

/** Our own figure of the record: Node 20, one thread, 128 bits, as in a page. */
export function ownOf({ name, library }: PageRow): KeptRow | undefined {
  return runs.flatMap(({ rows }) => rows).find((row) => row.name === name && row.library === library && row.threads === 1)
}

/** All figures on one thread of the row's workload that stand beside it. */
export function recordOf(row: PageRow): Recorded[] {
  const own = ownOf(row)
  if (!own) return []
  const { median: base = Number.NaN, unit } = own
  return runs.flatMap((run) =>
    run.rows
      .filter(({ name, library, threads }) => {
        const known =
          library === row.library || (row.library === 'cotangent' && (library === 'cotangent-256' || library.startsWith('torch')))
        return name === row.name && threads === 1 && known
      })
      .filter((figure) => run !== runs.at(-1) || row.library === 'cotangent-eager' || figure.library !== 'cotangent')
      .map((figure): Recorded => {
        const [median, one, other] = [figure.median, figure.min, figure.max].map((value) => timesAsFast(value ?? base, base, unit))
        const who = `${names[figure.library] ?? figure.library.replace('torch', 'PyTorch')}, ${nodeOf(run)}`
        return { who, median, least: Math.min(one, other), most: Math.max(one, other), figure }
      }),
  )
}

/** The machine and days of the record. */
export const recordedOn = (): string => {
  const { machine, from } = runs[0]
  return `${machine.cpu}, ${machine.cores} cores, ${from[0].date.slice(0, 10)}`
}

/** A file as `bench --json` writes it, so that `bench compare` reads it, too. */
export interface PageRecord {
  machine: Record<string, unknown> & { load: { before: number[]; after: number[] } }
  versions: Record<string, string>
  date: string
  rows: RecordRow[]
}

export function pageRecord(rows: RecordRow[]): PageRecord {
  const { userAgent, hardwareConcurrency } = navigator
  const { deviceMemory } = navigator as { deviceMemory?: number }
  return {
    machine: {
      cpu: 'unknown, a page is not told',
      cores: hardwareConcurrency,
      ...(deviceMemory === undefined ? {} : { memoryGiB: deviceMemory }),
      platform: userAgent,
      node: 'a page',
      v8: '',
      load: { before: [], after: [] },
    },
    versions: {},
    date: new Date().toISOString(),
    rows,
  }
}

/** Reads a kept file. @throws Error that says what is wrong with it */
export function readPageRecord(text: string): PageRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new Error(`This file is no JSON: ${(error as Error).message}`)
  }
  const { rows, date } = (parsed ?? {}) as Partial<PageRecord>
  if (!Array.isArray(rows) || typeof date !== 'string')
    throw new Error('This is no file of this page or of bench --json: it must have a date and rows.')
  const wanted = rows.filter(
    (row) =>
      typeof row === 'object' &&
      row !== null &&
      pageRows.some(({ name, library }) => row.name === name && row.library === library) &&
      (row.threads ?? 1) === 1 &&
      [row.median, row.min, row.max].every((value) => typeof value === 'number' && Number.isFinite(value) && value > 0),
  )
  if (wanted.length === 0)
    throw new Error(
      `This file has none of the rows of this page: ${pageRows.map(({ name, library }) => `${name} of ${library}`).join(', ')}.`,
    )
  return { ...(parsed as PageRecord), rows: wanted }
}

/** The figures that count: of the quiet samples if there are enough. */
export function figures(row: RecordRow): { median: number; min: number; max: number } {
  const { quiet, median = Number.NaN, min = Number.NaN, max = Number.NaN } = row
  if (!isCalm(row) || quiet?.median === undefined || quiet.min === undefined || quiet.max === undefined) return { median, min, max }
  return { median: quiet.median, min: quiet.min, max: quiet.max }
}
