/**
 * `bench scaling`: a step of our layers on more and more threads. What this machine has cores for is measured, in interleaved rounds; and up to the most threads
 * that the engine takes, what the step has work for is counted (counted.ts).
 */
import { MOST_THREADS } from '@cotangent/core/kernels'
import { type Contestant, startContestant } from './contestant.js'
import type { Counted, ThreadCount } from './counted.js'
import { machine } from './machine.js'
import { aligned, short } from './report.js'
import { type LibraryResult, type RoundOptions, timeWorkload, type WorkloadResult } from './rounds.js'
import type { Workload } from './workloads.js'

/** The numbers of threads in the table: powers of two, and all cores. */
export const threadCounts = (cores: number): number[] =>
  [...new Set([1, 2, 4, 8, 16, Math.min(cores, MOST_THREADS)])].filter((threads) => threads <= MOST_THREADS).sort((a, b) => a - b)

/** Steps before a step is counted, and steps of which the better half counts. */
const WARM_STEPS = 5
const COUNTED_STEPS = 8

/** Parts of the time in no job are named from this part of the step on. */
const NAMED = 0.01

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.095 ? 1 : 0)} %`

/** The table of one workload. `measured`: one library for each number of threads that there are cores for. */
export function scalingTable({ workload, libraries }: WorkloadResult, counted: Counted, threads: readonly number[]): string {
  const measured = threads.map((_, i) => libraries[i]).map((row) => (row && !('failed' in row) ? row : undefined))
  const counts = new Map(counted.counts.map((each) => [each.threads, each]))
  const timeCells = (row: LibraryResult | undefined, i: number): string[] => {
    if (!row) return ['not measured', '', '']
    const { median, min, max } = row.msPerStep
    const faster =
      i === 0 ? '1' : row.ratio ? `${short(1 / row.ratio.median)} (${short(1 / row.ratio.max)}–${short(1 / row.ratio.min)})` : '–'
    return [`${short(median)} (${short(min)}–${short(max)})`, faster, i === 0 ? '1' : row.bestRatio ? short(1 / row.bestRatio) : '–']
  }
  const countCells = (count: ThreadCount | undefined): string[] =>
    count
      ? [
          short(count.atBest),
          String(count.jobs),
          count.jobs === 0 ? '–' : short(count.parts / count.jobs),
          short(count.imbalance),
          short(count.callBytes / 1024),
          short(count.makingMs),
        ]
      : Array<string>(6).fill('')
  const lines = threads.map((each, i) => [String(each), ...timeCells(measured[i], i), ...countCells(counts.get(each))])
  const failed = libraries.flatMap((row) => ('failed' in row ? [`  ! ${row.library} failed: ${row.failed}`] : []))
  const serial = counted.serial.filter(({ ms }) => ms >= NAMED * counted.ms).map(({ name, ms }) => `${name} ${percent(ms / counted.ms)}`)
  return [
    `${workload.id} ${workload.name}: ${workload.title}`,
    ...aligned([
      [
        'threads',
        'ms/step (min–max)',
        '× one thread',
        'best',
        'at best ×',
        'jobs',
        'parts a job',
        'longest ÷ mean',
        'calls, KB',
        'making, ms',
      ],
      ...lines,
    ]).map((line) => `  ${line}`),
    `  in no job: ${percent(counted.serialMs / counted.ms)} of ${short(counted.ms)} ms on one thread${serial.length > 0 ? `: ${serial.join(', ')}` : ''}`,
    ...failed,
  ].join('\n')
}

/** The lines below all tables. */
export const scalingLegend = (cores: number): string =>
  [
    `Measured: up to the ${cores} ${cores === 1 ? 'core' : 'cores'} of this machine; the speed is that of one thread, round by round, and best by best.`,
    'At best ×, and what follows: counted, not measured. Jobs are shared work, longest ÷ mean how unevenly their parts fill the threads; calls are what the main thread writes for the',
    'others, and the time that it takes. At best nothing else costs anything: no waking, no waiting, memory as fast for many as for one.',
  ].join('\n')

/** Measures and counts one workload after the other; prints a table for each. */
export async function scaling(
  workloads: readonly Workload[],
  options: RoundOptions,
  print: (text: string) => void,
  progress: (text: string) => void,
): Promise<boolean> {
  const { cores, simd256 } = machine()
  const threads = threadCounts(cores)
  // The width that this Node has by default.
  const ours = simd256 ? 'cotangent-256' : 'cotangent'
  const contestants: Contestant[] = []
  let sound = true
  try {
    for (const each of threads.filter((count) => count <= cores)) {
      progress(`starting ${each} threads`)
      contestants.push(await startContestant(`${ours}#${each}`))
    }
    for (const workload of workloads) {
      const result = await timeWorkload(workload, contestants, options, progress)
      sound &&= result.libraries.every((row) => !('failed' in row) && !row.complaint)
      progress(`${workload.name}: counting`)
      const [alone] = contestants
      await alone.prepare(workload, options.seed)
      await alone.run(WARM_STEPS)
      const counted = await alone.count?.(COUNTED_STEPS, threads.slice(1))
      progress('')
      if (counted) print(`${scalingTable(result, counted, threads)}\n`)
    }
  } finally {
    for (const contestant of contestants) contestant.close()
  }
  print(scalingLegend(cores))
  return sound
}
