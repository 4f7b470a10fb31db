/** The weather station's CSV: a header of quoted or bare names, `dd.mm.yyyy hh:mm:ss` and a number for each column. */
import { dsvFormat } from 'd3-dsv'
import { DatasetError } from './errors.js'
import { isColumn, type JenaColumn, type Table } from './jena-columns.js'

/** A table, and when each of its rows was measured: the station's own time (CET), as milliseconds as if it were UTC. */
export interface TimedTable extends Table {
  readonly times: Float64Array
}

const timeForm = /^(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)$/

function timeOf(text: string): number {
  const parts = timeForm.exec(text)
  if (!parts) return Number.NaN
  const [day, month, year, hour, minute, second] = parts.slice(1).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/**
 * Reads the station's CSV.
 *
 * Errors: no header of known columns with `Date Time` first, a row of another width, a value that is no number, a time that is none, no
 * rows; each with its line.
 */
export function parseJenaCsv(text: string, name: string): TimedTable {
  let columns: JenaColumn[] | undefined
  let values = new Float64Array(0)
  const times: number[] = []
  const header = (row: readonly string[]): JenaColumn[] => {
    const [first, ...names] = row.map((cell) => cell.trim())
    const known = names.filter(isColumn)
    if (first === 'Date Time' && known.length === names.length && new Set(known).size === known.length && known.length > 0) return known
    const problem =
      first === 'Date Time'
        ? `the column "${names.find((column) => !isColumn(column)) ?? names[0]}" is unknown or there twice`
        : `found "${first}"`
    throw new DatasetError(`${name}: line 1: expected "Date Time" and columns of the station, ${problem}`)
  }
  // Rows come one at a time, so the table is never there as texts.
  dsvFormat(',').parseRows(text, (row, index) => {
    if (!columns) {
      columns = header(row)
      values = new Float64Array(columns.length * 1024)
      return undefined
    }
    const width = columns.length
    const fail = (problem: string): never => {
      throw new DatasetError(`${name}: line ${index + 1}: ${problem}`)
    }
    if (row.length !== width + 1)
      fail(`expected ${width + 1} values, found ${row.length}${row.length < 2 ? ' (an empty line, or cut off?)' : ''}`)
    const time = timeOf(row[0])
    if (Number.isNaN(time)) fail(`"${row[0]}" is no time; expected dd.mm.yyyy hh:mm:ss`)
    const at = times.length * width
    if (at + width > values.length) {
      const larger = new Float64Array(values.length * 2)
      larger.set(values)
      values = larger
    }
    for (let i = 0; i < width; i++) {
      const cell = row[i + 1]
      const value = cell.trim() === '' ? Number.NaN : Number(cell)
      if (!Number.isFinite(value)) fail(`${columns[i]} is "${cell}", not a number`)
      values[at + i] = value
    }
    times.push(time)
    return undefined
  })
  if (!columns) throw new DatasetError(`${name}: the file is empty`)
  if (times.length === 0) throw new DatasetError(`${name}: there are no rows, only the header`)
  return { columns, values: values.slice(0, times.length * columns.length), times: Float64Array.from(times) }
}
