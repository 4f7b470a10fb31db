/** `bench compare a.json b.json`: the differences between two runs, row by row. */
import { readFileSync } from 'node:fs'
import { UsageError } from './cli.js'
import { isTime, type RecordRow, type RunRecord } from './records.js'
import { aligned, short } from './report.js'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a file that `--json` wrote. @throws UsageError with the name of the command */
export function readRecord(file: string, command = 'compare'): RunRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${command}: cannot read ${file} (${(error as Error).message.split('\n')[0]}).`)
  }
  const texts = ['suite', 'name', 'shape', 'library', 'unit'] as const
  const isRow = (row: unknown): boolean =>
    isObject(row) &&
    texts.every((field) => typeof row[field] === 'string') &&
    (typeof row.median === 'number' || typeof row.error === 'string')
  if (!isObject(parsed) || !isObject(parsed.machine) || !Array.isArray(parsed.rows) || !parsed.rows.every(isRow)) {
    throw new UsageError(`${command}: ${file} is not a file of bench --json: it must have machine and rows.`)
  }
  return parsed as unknown as RunRecord
}

const keyOf = ({ suite, name, shape, library, threads, unit }: RecordRow): string => [suite, name, shape, library, threads, unit].join('\t')

/** A row of b compared with that of a. The ratio is that of the speeds: above 1 if b is faster. `apart`: the two ranges do not overlap. */
export interface Comparison {
  row: RecordRow
  before?: number
  after?: number
  faster?: number
  apart?: boolean
  /** The same ratio for the medians over quiet samples, and for the best ones, if both runs have them. */
  quiet?: number
  best?: number
}

/** All rows of both runs, in the order of the first. */
export function compareRows(a: readonly RecordRow[], b: readonly RecordRow[]): Comparison[] {
  const later = new Map(b.map((row) => [keyOf(row), row]))
  const first = a.map((row): Comparison => {
    const other = later.get(keyOf(row))
    later.delete(keyOf(row))
    const [before, after] = [row.median, other?.median]
    if (before === undefined || after === undefined) return { row, before, after }
    const apart = (other?.min ?? after) > (row.max ?? before) || (other?.max ?? after) < (row.min ?? before)
    const ratio = (x?: number, y?: number): number | undefined => (x && y ? (isTime(row.unit) ? x / y : y / x) : undefined)
    const quiet = ratio(row.quiet?.median, other?.quiet?.median)
    return { row, before, after, faster: ratio(before, after), apart, quiet, best: ratio(row.best, other?.best) }
  })
  return [...first, ...[...later.values()].map((row): Comparison => ({ row, after: row.median }))]
}

/** The table that compares two files. */
export function compare(fileA: string, fileB: string): string {
  const [a, b] = [readRecord(fileA), readRecord(fileB)]
  const figure = (value: number | undefined): string => (value === undefined ? '–' : short(value))
  const times = (ratio: number | undefined): string => (ratio === undefined ? '–' : `${short(ratio)}×`)
  const rows = compareRows(a.rows, b.rows).map(({ row, before, after, faster, apart, quiet, best }) => [
    `${row.suite} ${row.name}`,
    row.shape,
    `${row.library}${row.threads > 1 ? ` (${row.threads} threads)` : ''}`,
    row.unit,
    figure(before),
    figure(after),
    times(faster),
    times(quiet),
    times(best),
    faster === undefined ? '' : apart ? (faster > 1 ? 'faster' : 'slower') : 'ranges overlap',
  ])
  const about = ({ machine, date }: RunRecord, file: string): string => `${file}: ${date}, ${machine.cpu}, Node ${machine.node}`
  const differs =
    a.machine.cpu !== b.machine.cpu || a.machine.node !== b.machine.node ? ['! Different machines: ratios say nothing about the code.'] : []
  return [
    about(a, fileA),
    about(b, fileB),
    ...differs,
    '',
    ...aligned([['row', 'shape', 'library', 'unit', 'before', 'after', 'speed', 'quiet', 'best', ''], ...rows]),
  ].join('\n')
}
