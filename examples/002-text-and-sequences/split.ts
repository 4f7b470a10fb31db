/** Rows of the weather for standardising, training and validation: the document's, converted to the rows that the data have. */
import { UsageError } from '../lib/arguments.js'
import { thousands } from '../lib/experiment.js'

/** The document's numbers, in rows of ten minutes. */
export const tenMinutes = {
  lookback: 1440,
  delay: 144,
  batchSize: 128,
  trainRows: 20_000,
  /** Number of rows after the training rows to the end of validation. The first of them is left out, as in the document. */
  validationRows: 10_000,
  /** The first rows, by whose mean and deviation all are standardised. */
  scaleRows: 200_000,
} as const

/** The same for the 19,132 rows of 2024: two thirds and one third, as in the document, and standardised by the rows of training. */
const later = { trainRows: 12_600, validationRows: 6300 } as const

/** 'document': the rows begin where the document's do. */
export type Period = 'document' | 'later'

/** From a first row to a last row, itself included. */
export type Rows = readonly [first: number, last: number]

/** All in rows of the data. */
export interface Split {
  scale: Rows
  train: Rows
  validation: Rows
  /** Rows of the windows of the last batch of validation, whose loss Keras 2.3 prints. Hourly rows are those of the same time. */
  lastBatch: Rows
  lookback: number
  delay: number
}

/**
 * Rows for standardising, training and validation.
 *
 * @param available rows of the data
 * @param minutes between them
 * @param trainRows in rows of ten minutes; by default the document's
 * @throws UsageError where training or validation do not fit
 */
export function splitRows(available: number, minutes: number, period: Period, trainRows?: number): Split {
  const own = period === 'later' ? later : tenMinutes
  const { lookback, delay, batchSize, scaleRows } = tenMinutes
  const end = trainRows ?? own.trainRows
  const every = minutes / 10
  const rows = (ofTenMinutes: number): number => Math.floor(ofTenMinutes / every)
  const most = (available - delay / every) * every - own.validationRows
  if (end <= lookback + every || end > most) {
    throw new UsageError(
      `--train-rows takes a number from ${thousands(lookback + every + 1)} to ${thousands(most)} here, got ${thousands(end)}: a window is ` +
        `${thousands(lookback)} rows of ten minutes, and the ${thousands(own.validationRows)} behind the rows of training are for validation.`,
    )
  }
  const validation: Rows = [rows(end) + 1, rows(end + own.validationRows) - 1]
  // Only whole batches are taken, and one window at least is left over.
  const start = end + 1 + lookback
  const lastStart = start + (Math.ceil((end + own.validationRows - start) / batchSize) - 2) * batchSize
  return {
    scale: [0, (period === 'later' ? rows(end) : rows(scaleRows)) - 1],
    train: [0, rows(end) - 1],
    validation,
    lastBatch: [Math.ceil(lastStart / every), rows(lastStart + batchSize - 1)],
    lookback: lookback / every,
    delay: delay / every,
  }
}
