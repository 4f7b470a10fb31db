/** The files of the Jena weather that may be at hand: the whole, or parts of it that others have published. Rows are those of the whole. */
import { DatasetError } from '../errors.js'
import type { TimedTable } from './csv.js'

export type JenaPart = 'whole' | 'hourly' | 'start' | 'beginning' | 'end' | 'later'

export interface PartFile {
  /** Names without `.gz` and `.zip`. */
  readonly file: string
  /** In words. */
  readonly what: string
  readonly rows: number
  /** First row of the whole file, and every how many rows; undefined for another period. */
  readonly firstRow?: number
  readonly minutes: 10 | 60
  /** Times of the first and the last row. */
  readonly span: readonly [string, string]
}

export const parts: Readonly<Record<JenaPart, PartFile>> = {
  whole: {
    file: 'jena_climate_2009_2016.csv',
    what: 'every 10 minutes from 2009 to 2016, 14 columns',
    rows: 420_551,
    firstRow: 0,
    minutes: 10,
    span: ['2009-01-01T00:10', '2017-01-01T00:00'],
  },
  hourly: {
    file: 'jena_hourly_2009_2016_6features.csv',
    what: 'every hour from 2009 to 2016 (every 6th row of the whole, without double times), 6 columns',
    rows: 70_038,
    firstRow: 0,
    minutes: 60,
    span: ['2009-01-01T00:10', '2016-12-31T23:50'],
  },
  start: {
    file: 'jena_10min_rows0-20001_7features.csv',
    what: 'every 10 minutes from January to May 2009 (rows 0 … 20001 of the whole), 7 columns',
    rows: 20_002,
    firstRow: 0,
    minutes: 10,
    span: ['2009-01-01T00:10', '2009-05-19T21:40'],
  },
  beginning: {
    file: 'jena_10min_rows0-3999_11features.csv',
    what: 'every 10 minutes of four weeks of January 2009 (rows 0 … 3999 of the whole), 11 columns',
    rows: 4000,
    firstRow: 0,
    minutes: 10,
    span: ['2009-01-01T00:10', '2009-01-28T18:40'],
  },
  end: {
    file: 'jena_10min_rows419551-420550_14features.csv',
    what: 'every 10 minutes of the last week of 2016 (rows 419551 … 420550 of the whole), 14 columns',
    rows: 1000,
    firstRow: 419_551,
    minutes: 10,
    span: ['2016-12-25T01:30', '2017-01-01T00:00'],
  },
  later: {
    file: 'jena_mpi_roof_2024-06-09_2024-10-20_14features.csv',
    what: 'every 10 minutes from June to October 2024 (another period), 14 columns',
    rows: 19_132,
    minutes: 10,
    span: ['2024-06-09T11:40', '2024-10-20T08:10'],
  },
}

/**
 * Holds a table against what is known of a part; there is no published checksum.
 *
 * @throws DatasetError if the number of rows, the first or the last time differ: the file is truncated, or another one of the same name.
 */
export function requirePart(table: TimedTable, part: PartFile, where: string): void {
  const span = [table.times[0], table.times[table.times.length - 1]].map((time) => new Date(time).toISOString().slice(0, 16))
  if (table.times.length === part.rows && span[0] === part.span[0] && span[1] === part.span[1]) return
  throw new DatasetError(
    `${where}: expected ${part.rows} rows from ${part.span[0]} to ${part.span[1]}, found ${table.times.length} from ${span[0]} to ${span[1]} ` +
      '(truncated, or another file?). To load it all the same, pass { verify: false }.',
  )
}
