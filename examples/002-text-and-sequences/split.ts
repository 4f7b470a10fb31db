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
  /** The rows, from the first on, whose mean and deviation standardise all rows. */
  scaleRows: 200_000,
} as const

/** The same for the 19,132 rows of 2024: two thirds and one third, as in the document; the training rows standardise all rows. */
const later = { trainRows: 12_600, validationRows: 6300 } as const

/** `document`: the rows begin where the document's rows begin. `later`: the rows of 2024. */
export type Period = 'document' | 'later'

/** The first and the last row; both belong to it. */
export type Rows = readonly [first: number, last: number]

/** How the data are split; all numbers count rows of the data. */
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
 * The rows for standardising, training and validation.
 *
 * @param available number of rows in the data
 * @param minutes minutes from one row to the next
 * @param trainRows training rows, counted in rows of ten minutes; by default the document's number
 * @throws UsageError if training or validation do not fit
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
  // Only whole batches are used, and at least one window is left over.
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
