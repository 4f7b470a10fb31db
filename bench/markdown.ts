/**
 * A run as Markdown, one table for each suite. A workload has one line: our figure with the limit beside it, and for each peer a column with its figure and
 * the ratio of its time to ours.
 */
import { libraryEntry } from './adapter.js'
import { recordRows } from './records.js'
import { quietText, type Report, short } from './report.js'
import type { LibraryResult, WorkloadResult } from './rounds.js'
import { shapeOf } from './workloads.js'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

/** Libraries with the same key share a column: PyTorch with its different numbers of threads. */
const columnOf = (library: string): string => libraryEntry(library).recordedAs ?? library

type Row = WorkloadResult['libraries'][number]
const measured = (row: Row): row is LibraryResult => !('failed' in row)

/** The best library of a column: the one with the smallest median time. A failure is shown only if all failed. */
function bestOf(rows: readonly Row[]): Row | undefined {
  return [...rows].sort((a, b) => (measured(a) ? a.msPerStep.median : Infinity) - (measured(b) ? b.msPerStep.median : Infinity))[0]
}

function peerCell(result: WorkloadResult, row: Row | undefined, several: boolean): string {
  if (!row) return ''
  if (!measured(row)) return `✗ ${row.failed}`
  const figure = recordRows('', { ...result, libraries: [row] })[0]
  const { threads } = libraryEntry(row.library)
  const ratio = row.ratio ? `, ${short(row.ratio.min)}–**${short(row.ratio.median)}**–${short(row.ratio.max)}×` : ''
  const best = row.bestRatio === undefined ? '' : `; best ${short(row.bestRatio)}×`
  const quiet = row.quietRatio === undefined ? '' : `; quiet ${short(row.quietRatio)}×`
  const memory = figure.rss === undefined ? '' : `; ${figure.rss} MB`
  const how = several ? ` (${threads} thread${threads > 1 ? 's' : ''})` : ''
  const [about, scaled] = row.scaledFrom === undefined ? ['', ''] : ['~', `; at batch ${row.scaledFrom}, scaled`]
  const trouble = row.complaint ? ` ✗ ${row.complaint}` : ''
  return `${about}${short(figure.median ?? Number.NaN)}${how}${ratio}${best}${quiet}${memory}${scaled}${trouble}`
}

/** The legend above the tables. */
const legend = [
  '- **Ours**: median of the rounds (min–**median**–max). *Limit*: measured in our own process between the rounds.',
  '- **Quiet**: samples between two probes that ran at 90 % of the best probe or more, so that no neighbour was on the core: how many of how many, their median (min–max), and its part of the limit. **Best**: the fastest sample.',
  '- **Peers**: median, then its time by ours, round by round (min–**median**–max: above 1 it takes longer than we do); best by best; quiet median by quiet median, which PyTorch has no probe for; of networks the peak memory of its process. ~: a step of the whole batch would take too long, so a smaller one was run and its time multiplied.',
]

/** The whole report. */
export function markdown(report: Report): string {
  const { machine, versions, load, results, command, notes, rounds, startedAt } = report
  const columns = [...new Set(results.flatMap(({ libraries }) => libraries.slice(1).map(({ library }) => columnOf(library))))]
  const titles = columns.map((column) => {
    const members = new Set(
      results
        .flatMap(({ libraries }) => libraries.map(({ library }) => library).slice(1))
        .filter((library) => columnOf(library) === column),
    )
    return members.size === 1 ? libraryEntry([...members][0]).title : column
  })
  const remembers = results.some(({ libraries }) => libraries.some((row) => measured(row) && row.peakMemory !== undefined))
  const rows = results.map((result) => {
    const [ours] = result.libraries
    const figure = recordRows(command, { ...result, libraries: [ours] })[0]
    const share = measured(ours) && ours.share ? ours.share : undefined
    const limit = measured(ours) && ours.limit ? ours.limit : undefined
    const quiet = figure.quiet ? quietText(figure.quiet, measured(ours) ? ours.quiet?.share : undefined) : '–'
    return line([
      `${result.workload.id} ${result.workload.name}`,
      shapeOf(result.workload),
      figure.unit,
      figure.median === undefined ? `✗ ${figure.error}` : `${short(figure.min ?? 0)}–**${short(figure.median)}**–${short(figure.max ?? 0)}`,
      limit ? `${short(limit.median)} ${limit.unit}` : '–',
      share ? `${Math.round(100 * share.median)} %` : '–',
      quiet,
      figure.best === undefined ? '–' : short(figure.best),
      ...(remembers ? [figure.rss?.toFixed(0) ?? '–'] : []),
      ...columns.map((column) => {
        const candidates = result.libraries.slice(1).filter(({ library }) => columnOf(library) === column)
        return peerCell(result, bestOf(candidates), candidates.length > 1)
      }),
    ])
  })
  const memoryColumn = remembers ? ['peak MB'] : []
  return [
    `## bench ${command}`,
    '',
    `${startedAt.slice(0, 10)}; ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node}; load ${load.before[0]} before, ${load.after[0] ?? '–'} after; ${rounds} interleaved rounds.`,
    '',
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    '',
    ...legend,
    '',
    ...notes.flatMap((note) => [note, '']),
    line([
      'row',
      'shape',
      'unit',
      libraryEntry(results[0]?.libraries[0]?.library ?? 'ours').title,
      'limit',
      'of limit',
      'quiet',
      'best',
      ...memoryColumn,
      ...titles,
    ]),
    line(['---', '---', '---', ...Array<string>(5 + memoryColumn.length + titles.length).fill('---:')]),
    ...rows,
    '',
  ].join('\n')
}
