/** A profile as a table for people. */
import type { Limits } from './probes.js'
import type { Profile, ProfileRow } from './profile.js'
import { aligned, short } from './report.js'

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** The rate of a row, and the part of what its threads could do at best. */
function rate({ flops, bytes, ms, workers }: ProfileRow, { gflops, gigabytesPerSecond }: Limits, threads: number): [string, string] {
  if (ms === 0 || (flops ?? bytes) === 0) return ['', '']
  const shared = workers > 0
  // A product's limit grows with its threads; the bandwidth is that of the machine.
  const limit = flops === undefined ? gigabytesPerSecond : gflops * (shared ? threads : 1)
  const reached = (flops ?? bytes) / ms / 1e6
  return [`${short(reached)} ${flops === undefined ? 'GB/s' : 'GFLOP/s'}`, percent(reached / limit)]
}

/** Rows below this part of the step are added up. */
const SMALL = 0.005

/** The table of one workload in one library. Every line's `ms` and the last line's add up to the step. */
export function profileTable(title: string, { steps, threads, plainMs, ms, rows, typescript }: Profile, limits: Limits): string {
  const large = rows.filter((row) => row.ms >= SMALL * ms)
  const small = rows.filter((row) => row.ms < SMALL * ms)
  const sumOf = (field: 'calls' | 'ms' | 'waiting' | 'workers', of = rows): number => of.reduce((sum, row) => sum + row[field], 0)
  const line = (row: ProfileRow): string[] => [
    row.name,
    short(row.calls),
    short(row.ms),
    percent(row.ms / ms),
    short(row.waiting),
    short(row.workers),
    ...rate(row, limits, threads),
  ]
  const rest =
    small.length === 0
      ? []
      : [['others', ...(['calls', 'ms'] as const).map((field) => short(sumOf(field, small))), percent(sumOf('ms', small) / ms)]]
  const table = aligned([
    ['kernel', 'calls', 'ms', 'of step', 'waiting', 'workers', 'rate', 'of limit'],
    ...large.map(line),
    ...rest,
    ['TypeScript between the calls', '', short(typescript), percent(typescript / ms)],
    ['the step', short(sumOf('calls')), short(ms), '', short(sumOf('waiting')), short(sumOf('workers'))],
  ])
  return [
    `${title}: ${short(ms)} ms a step with a clock around every call, ${short(plainMs)} without; means of the faster half of ${steps} steps`,
    `limits: ${short(limits.gflops)} GFLOP/s a thread, ${short(limits.gigabytesPerSecond)} GB/s; ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    ...table.map((each) => `  ${each}`),
  ].join('\n')
}
