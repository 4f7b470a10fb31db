/** Results as tables for people. (records.ts makes rows for programs, markdown.ts a document.) */
import { libraryEntry } from './adapter.js'
import type { Machine } from './machine.js'
import { type RecordRow, recordRows } from './records.js'
import type { LibraryResult, WorkloadResult } from './rounds.js'
import type { Spread } from './statistics.js'
import { trains } from './workloads.js'

/** All results of a run. */
export interface Report {
  command: string
  machine: Machine
  /** Load averages over 1, 5 and 15 minutes, before the run and after it. */
  load: { before: number[]; after: number[] }
  versions: Record<string, string>
  seed: number
  rounds: number
  startedAt: string
  /** Notes for the reader: missing peers, libraries that did not start. */
  notes: string[]
  results: WorkloadResult[]
}

/** Three significant digits, without an exponent. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 6))
}

export const range = ({ median, min, max }: Spread, unit = ''): string => `${short(median)}${unit} (${short(min)}–${short(max)})`

const titleOf = (library: string): string => libraryEntry(library).title

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** `38/120: 41.2 (40.1–42.0), 88 %`: the number of quiet samples, their figures in the row's unit, and the part of the limit. */
export function quietText({ samples, of, min, median, max }: NonNullable<RecordRow['quiet']>, share?: number): string {
  if (min === undefined || median === undefined || max === undefined) return `${samples}/${of}`
  return `${samples}/${of}: ${range({ min, median, max })}${share === undefined ? '' : `, ${percent(share)}`}`
}

/** The columns of rates; one is shown if some row of the workload has it. */
const rateColumns: [heading: string, value: (rates: LibraryResult['rates']) => number | undefined][] = [
  ['samples/s', (rates) => rates.samplesPerSecond],
  ['GFLOP/s', (rates) => rates.gflops],
  ['GB/s', (rates) => rates.gigabytesPerSecond],
  ['µs/op', (rates) => rates.microsecondsPerOperation],
]

/** Pads columns to one width; the first is aligned to the left, the others to the right. */
export function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => [...(cells[column] ?? '')].length)))
  return lines.map((cells) =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(widths[column] - [...cell].length)
        return column === 0 ? cell + space : space + cell
      })
      .join('  ')
      .trimEnd(),
  )
}

/** The table of one workload. */
export function table(result: WorkloadResult): string {
  const { workload, comparedWith, libraries: rows } = result
  const measured = rows.filter((row): row is LibraryResult => !('failed' in row))
  const rates = rateColumns.filter(([, value]) => measured.some((row) => value(row.rates) !== undefined))
  const limited = measured.some((row) => row.share)
  const unit = measured.find((row) => row.limit)?.limit?.unit
  const training = trains(workload)
  const records = new Map(recordRows('', result).map((record, i) => [rows[i], record]))
  const probed = measured.some((row) => row.quiet)
  const head = [
    'library',
    'ms/step (min–max)',
    ...rates.map(([heading]) => heading),
    ...(limited ? [`of limit (${unit})`] : []),
    ...(probed ? [`quiet samples (${records.get(measured[0])?.unit})`] : []),
    comparedWith ? `time ÷ ${titleOf(comparedWith)}'s` : 'ratio',
    'best ÷ best',
    ...(probed ? ['quiet ÷ quiet'] : []),
    'steps a round',
    ...(training ? ['peak RSS, MB', 'loss'] : []),
  ]
  const quietCell = (row: LibraryResult): string => {
    const quiet = records.get(row)?.quiet
    return quiet ? quietText(quiet, row.quiet?.share) : '–'
  }
  const ratio = (row: LibraryResult, value: number | undefined): string =>
    row.library === comparedWith ? '1' : value === undefined ? '–' : `${short(value)}×`
  const cells = measured.map((row) => [
    titleOf(row.library),
    `${row.scaledFrom === undefined ? '' : '~'}${range(row.msPerStep)}`,
    ...rates.map(([, value]) => short(value(row.rates) ?? Number.NaN)),
    ...(limited ? [row.share && row.limit ? `${percent(row.share.median)} of ${short(row.limit.median)}` : '–'] : []),
    ...(probed ? [quietCell(row)] : []),
    row.ratio ? range(row.ratio, '×') : row.library === comparedWith ? '1' : '–',
    ratio(row, row.bestRatio),
    ...(probed ? [ratio(row, row.quietRatio)] : []),
    String(row.steps),
    ...(training
      ? [records.get(row)?.rss?.toFixed(0) ?? '–', `${row.value.first.toFixed(2)} → ${row.value.last.toFixed(2)} in ${row.value.steps}`]
      : []),
  ])
  const size = 'batch' in workload && trains(workload) ? `, batch ${workload.batch}` : ''
  const troubles = rows.flatMap((row) => {
    if ('failed' in row) return [`${titleOf(row.library)} failed: ${row.failed}`]
    return row.complaint ? [`${titleOf(row.library)}: do not use this time, ${row.complaint}`] : []
  })
  const scaled = measured.flatMap(({ library, scaledFrom }) =>
    scaledFrom === undefined ? [] : [`~ ${titleOf(library)}: at batch ${scaledFrom}, scaled`],
  )
  return [
    `${workload.id} ${workload.name}: ${workload.title}${size}`,
    ...aligned([head, ...cells]).map((line) => `  ${line}`),
    ...scaled.map((line) => `  ${line}`),
    ...troubles.map((line) => `  ! ${line}`),
  ].join('\n')
}

/** The lines above the tables. */
export function heading({ machine, versions, seed, rounds, load, notes }: Omit<Report, 'results' | 'command' | 'startedAt'>): string {
  const busy = load.before[0] > machine.cores / 2 ? ' (the machine is busy: expect wide ranges)' : ''
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node} (V8 ${machine.v8})`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `load average ${load.before.join(' ')} before${busy}; seed ${seed}; ${rounds} interleaved rounds; median (min–max)`,
    ...notes,
  ].join('\n')
}
