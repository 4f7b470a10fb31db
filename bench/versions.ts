/**
 * `bench versions`: one table of several runs, usually by several versions of Node: our figure in each, and beside it PyTorch's versions and the best JavaScript
 * peer of the same run. The runs come one after the other, so figures of two Nodes differ by the moment, too; a ratio never leaves its run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from './cli.js'
import { readRecord } from './compare.js'
import { isTime, type RecordRow, type RunRecord } from './records.js'
import { short } from './report.js'

const ofOurs = (library: string): boolean => library.startsWith('cotangent')
/** Layers where a row has them, else the ops alone. */
const layered = (library: string): boolean => ofOurs(library) && !library.startsWith('cotangent-core')
const inPython = (library: string): boolean => /^(torch|numpy)\b/.test(library)

/** The fastest of these rows by their medians; undefined if none has figures. */
function fastest(rows: readonly RecordRow[]): RecordRow | undefined {
  const better = (a: RecordRow, b: RecordRow): boolean =>
    isTime(a.unit) ? (a.median ?? 0) < (b.median ?? 0) : (a.median ?? 0) > (b.median ?? 0)
  return rows
    .filter(({ median, error }) => median !== undefined && !error)
    .reduce<RecordRow | undefined>((best, row) => (best && !better(row, best) ? best : row), undefined)
}

/** How many times as long theirs takes. */
const ratio = ({ unit }: RecordRow, ours: number | undefined, theirs: number | undefined): number | undefined =>
  ours && theirs ? (isTime(unit) ? theirs / ours : ours / theirs) : undefined

const threadsOf = ({ threads }: RecordRow): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`

function oursCell(ours: RecordRow | undefined): string {
  if (!ours) return '–'
  const { median = Number.NaN, min = Number.NaN, max = Number.NaN, unit, library } = ours
  return `**${short(median)}** (${short(min)}–${short(max)}) ${unit}, ${threadsOf(ours)}${library.includes('-256') ? ', 256 bits' : ''}`
}

function peerCell(ours: RecordRow | undefined, peer: RecordRow | undefined, named = false): string {
  if (!peer) return '–'
  const [middle, best] = [ratio(peer, ours?.median, peer.median), ratio(peer, ours?.best, peer.best)]
  const figure =
    middle === undefined ? short(peer.median ?? Number.NaN) : `**${short(middle)}**${best === undefined ? '' : `, best ${short(best)}`}`
  return `${peer.scaledFrom === undefined ? '' : '~'}${figure} (${named ? `${peer.library}, ` : ''}${threadsOf(peer)})`
}

/** The table of these runs, as Markdown. */
export function versionsTable(runs: readonly RunRecord[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const keys = [...new Map(runs.flatMap(({ rows }) => rows).map((row) => [`${row.suite} ${row.name}\t${row.shape}`, row])).entries()]
  const columns = runs.map(({ machine, rows }) => ({
    node: `Node ${machine.node.replace(/^v/, '')}`,
    rows,
    pythons: [...new Set(rows.map(({ library }) => library).filter(inPython))].sort(),
  }))
  const script = (rows: readonly RecordRow[]): RecordRow[] => rows.filter(({ library }) => !ofOurs(library) && !inPython(library))
  const head = columns.flatMap(({ node, rows, pythons }) => [
    `${node}: ours`,
    ...pythons.map((name) => `${name} ÷ ours`),
    ...(script(rows).length > 0 ? ['best JS peer ÷ ours'] : []),
  ])
  const body = keys.map(([key, { suite, name, shape }]) => {
    const cells = columns.flatMap(({ rows: all, pythons }) => {
      const rows = all.filter((row) => `${row.suite} ${row.name}\t${row.shape}` === key)
      const layers = rows.filter(({ library }) => layered(library))
      const ours = fastest(
        layers.length > 0 ? layers : rows.filter(({ library }) => ofOurs(library) && library !== 'cotangent-core-by-hand'),
      )
      return [
        oursCell(ours),
        ...pythons.map((python) => peerCell(ours, fastest(rows.filter(({ library }) => library === python)))),
        ...(script(all).length > 0 ? [peerCell(ours, fastest(script(rows)), true)] : []),
      ]
    })
    return line([`${suite} ${name}`, shape, ...cells])
  })
  const about = runs.map(({ machine, date, versions }) => {
    const others = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
    return `- Node ${machine.node}: ${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load.before[0]} before, ${machine.load.after[0]} after; ${others.join(', ')}`
  })
  const machines = new Set(runs.map(({ machine }) => machine.cpu))
  return [
    '## bench versions',
    '',
    ...about,
    ...(machines.size > 1 ? ['', 'Different machines: figures of two runs cannot be compared.'] : []),
    '',
    'Ours: median (min–max) of the fastest of our settings. Peers: the fastest of their numbers of threads; its median by ours of the same run (above 1 it takes longer than we do), and best by best. ~: run at a smaller batch and scaled.',
    '',
    line(['row', 'shape', ...head]),
    line(['---', '---', ...head.map(() => '---:')]),
    ...body,
    '',
  ].join('\n')
}

/** Merges files of `--json`. @throws UsageError */
export const mergeVersions = (files: readonly string[]): string => versionsTable(files.map((file) => readRecord(file, 'versions')))

/** This Node, and Node 24 where `npm run nodes:install` puts it. */
function usualNodes(): string[] {
  const other = fileURLToPath(new URL('../.nodes/node_modules/node-24/bin/node', import.meta.url))
  if (!existsSync(other)) throw new UsageError('versions needs another Node: npm run nodes:install, or --nodes path,path.')
  return [process.execPath, other]
}

/** Runs `models` on each Node, one after the other, and makes the table. @param flags flags of `models` @returns undefined if nobody reads the output any more */
export function runVersions(nodes: readonly string[] | undefined, flags: readonly string[]): { table: string; sound: boolean } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-versions-'))
  const run = fileURLToPath(new URL('./run.ts', import.meta.url))
  let sound = true
  try {
    const files: string[] = []
    for (const [i, node] of (nodes ?? usualNodes()).entries()) {
      const file = join(folder, `${i}.json`)
      const { status, error } = spawnSync(node, [...process.execArgv, run, 'models', ...flags, '--json', file], { stdio: 'inherit' })
      if (error) throw new UsageError(`--nodes: ${node} does not start (${error.message}).`)
      // A run ends without an error and without figures when its reader leaves.
      if (!existsSync(file) && status === 0) return undefined
      if (!existsSync(file)) throw new UsageError(`versions: the run of ${node} wrote no figures.`)
      sound &&= status === 0
      files.push(file)
    }
    return { table: mergeVersions(files), sound }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
