/** The rows that in-page.ts measures, and what can be said of their figures. It needs nothing of the libraries, so that a page is small before they run. */
import type { RecordRow } from './records.js'
import { isTime, type Unit } from './units.js'

export interface PageRow {
  suite: 'models' | 'kernels'
  name: string
  library: 'cotangent' | 'cotangent-core' | 'cotangent-eager'
  /** For people. */
  title: string
}

export const pageRows: readonly PageRow[] = [
  { suite: 'kernels', name: 'matmul-512', library: 'cotangent-core', title: 'A product of 512 × 512 matrices' },
  { suite: 'kernels', name: 'conv-E1', library: 'cotangent-core', title: 'A convolution, 32 filters of 5 × 5' },
  { suite: 'models', name: 'mlp', library: 'cotangent', title: 'A training step of row A, 784–784–10' },
  { suite: 'models', name: 'mlp-dropout', library: 'cotangent', title: 'A training step of row C, 784–128–128–10' },
  { suite: 'models', name: 'mlp-dropout', library: 'cotangent-eager', title: 'The same, not recorded' },
]

/** Fewer quiet samples than this give no verdict. */
export const LEAST_QUIET = 5

/** Undisturbed figures, if there are enough; otherwise nothing can be said. */
export const isCalm = ({ quiet }: Pick<RecordRow, 'quiet'>): boolean => (quiet?.samples ?? 0) >= LEAST_QUIET

/** How many times as fast a row is as another of the same kind. */
export const timesAsFast = (figure: number, than: number, unit: Unit): number => (isTime(unit) ? than / figure : figure / than)
