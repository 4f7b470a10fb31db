/** Several runs beside each other, as data. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { readRecordOf } from './check-record.js'
import type { Comparison } from './comparison-record.js'

/**
 * Sets records side by side.
 *
 * @param given records, or texts of reports or of JSON, each with where it comes from
 */
export function comparisonOf(what: string, given: readonly { source: unknown; from: string }[], title: string): Comparison {
  if (given.length === 0) throw new ValueError(`${what}: there is no run to compare. Give a list of records, or of paths of reports.`)
  const runs = given.map(({ source, from }) => ({ ...readRecordOf(what, source, from), sections: [] }))
  return { format: 'cotangent-comparison', version: 1, title: title || `${runs.length} runs`, runs }
}

/** Throws unless the runs are a list. */
export function requireRuns(what: string, runs: unknown): void {
  if (!Array.isArray(runs)) throw new ValueError(`${what}: expected a list of records, or of paths of reports, got ${describeValue(runs)}.`)
}
