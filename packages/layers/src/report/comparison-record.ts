/** Several runs beside each other, as data. */
import type { RunRecord } from './record.js'

/** Runs to compare. Their sections are left out: what is compared is curves, facts and final figures. */
export interface Comparison {
  readonly format: 'cotangent-comparison'
  readonly version: 1
  title: string
  runs: RunRecord[]
}
