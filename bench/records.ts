/**
 * Results as flat rows, for programs: `--json` writes them, `compare` reads them.
 *
 * A row's figure is in the unit of its workload: milliseconds for a training step, GFLOP/s for a product, GB/s for an elementwise
 * function, microseconds for an op. `peak` is the limit measured in the library's own process, in the same unit. For a training step it is the time that
 * its matrix products would take at the limit.
 */
import { libraryEntry } from './adapter.js'
import type { Machine } from './machine.js'
import type { LibraryResult, WorkloadResult } from './rounds.js'
import type { Spread } from './statistics.js'
import { isTime, type Unit } from './units.js'
import { shapeOf, type Workload } from './workloads.js'

export { isTime, type Unit }

interface Identity {
  suite: string
  name: string
  shape: string
  library: string
  threads: number
  unit: Unit
}
/** One library on one workload. If it failed, there is an error and there are no figures. */
export type RecordRow = Identity &
  Partial<Spread> & {
    peak?: number
    /** The figure of the fastest sample. */
    best?: number
    /** The samples that no other program disturbed: how many of how many, and their figures. */
    quiet?: { samples: number; of: number } & Partial<Spread>
    /** The most memory the process has had, in megabytes; for networks only. */
    rss?: number
    /** The smaller batch that was run; the figures are scaled to the whole. */
    scaledFrom?: number
    error?: string
  }

/** The content of a `--json` file. */
export interface RunRecord {
  machine: Machine & { load: { before: number[]; after: number[] } }
  versions: Record<string, string>
  date: string
  rows: RecordRow[]
}

/** The files in `results/`, that documents and the site take their figures from (kept.ts). */
export const keptNames = ['training', 'recorded', 'others', 'kernels'] as const
export type KeptName = (typeof keptNames)[number]

const unitOf: Record<Workload['kind'], Unit> = {
  train: 'ms',
  gpt: 'ms',
  matMul: 'GFLOP/s',
  conv: 'GFLOP/s',
  elementwise: 'GB/s',
  update: 'GB/s',
  dispatch: 'µs',
  operation: 'ms',
}

/** Milliseconds of a step in the unit of the workload. */
export function figureOf({ workload, amount }: Pick<WorkloadResult, 'workload' | 'amount'>, ms: number): number {
  switch (unitOf[workload.kind]) {
    case 'ms':
      return ms
    case 'µs':
      return (ms * 1000) / (amount.operations ?? 1)
    case 'GFLOP/s':
      return (amount.flops ?? 0) / ms / 1e6
    case 'GB/s':
      return (amount.bytes ?? 0) / ms / 1e6
  }
}

/** The same for a spread; a rate swaps minimum and maximum. */
function figures(result: Pick<WorkloadResult, 'workload' | 'amount'>, ms: Spread): Spread {
  const [median, min, max] = [ms.median, ms.min, ms.max].map((each) => figureOf(result, each))
  return isTime(unitOf[result.workload.kind]) ? { min, median, max } : { min: max, median, max: min }
}

/** The quiet samples, in the unit of the workload. */
function quietFigures(result: WorkloadResult, { quiet }: LibraryResult): Pick<RecordRow, 'quiet'> {
  if (!quiet) return {}
  const { count: samples, of, min, median, max } = quiet
  const some = min !== undefined && median !== undefined && max !== undefined
  return { quiet: { samples, of, ...(some && figures(result, { min, median, max })) } }
}

function peakOf({ workload, amount }: WorkloadResult, { limit }: LibraryResult): number | undefined {
  if (!limit) return undefined
  return unitOf[workload.kind] === 'ms' ? (amount.flops ?? 0) / limit.median / 1e6 : limit.median
}

/** The rows of one workload. */
export function recordRows(suite: string, result: WorkloadResult): RecordRow[] {
  const { workload } = result
  return result.libraries.map((row): RecordRow => {
    const { recordedAs = row.library, threads } = libraryEntry(row.library)
    const identity = { suite, name: workload.name, shape: shapeOf(workload), library: recordedAs, threads, unit: unitOf[workload.kind] }
    if ('failed' in row) return { ...identity, error: row.failed }
    const peak = peakOf(result, row)
    return {
      ...identity,
      ...figures(result, row.msPerStep),
      ...(peak === undefined ? {} : { peak }),
      best: figureOf(result, row.bestMs),
      ...quietFigures(result, row),
      ...(row.peakMemory === undefined ? {} : { rss: Math.round(row.peakMemory) }),
      ...(row.scaledFrom === undefined ? {} : { scaledFrom: row.scaledFrom }),
      ...(row.complaint ? { error: row.complaint } : {}),
    }
  })
}

/** The part of the limit that a row's median reaches. */
export function shareOfPeak({ unit, median, peak }: Pick<RecordRow, 'unit' | 'median' | 'peak'>): number | undefined {
  if (median === undefined || peak === undefined) return undefined
  return isTime(unit) ? peak / median : median / peak
}
