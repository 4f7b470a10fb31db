/** The weather station's CSV: a header of quoted or bare names, `dd.mm.yyyy hh:mm:ss` and a number for each column. */
import { quoted } from '../arguments.js'
import { DatasetError } from '../errors.js'
import { isColumn, type JenaColumn, columns as stationColumns, type Table } from './columns.js'

/** A table, and when each of its rows was measured: the station's own time (CET), as milliseconds as if it were UTC. */
export interface TimedTable extends Table {
  readonly times: Float64Array
}

const timeForm = /^(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)$/

/** NaN for what is no time; 31.02. and 25:00 are none, though `Date.UTC` would go on to the next day. */
function timeOf(text: string): number {
  const parts = timeForm.exec(text)
  if (!parts) return Number.NaN
  const [day, month, year, hour, minute, second] = parts.slice(1).map(Number)
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(time).toISOString().slice(0, 19)
  return back === `${parts[3]}-${parts[2]}-${parts[1]}T${parts[4]}:${parts[5]}:${parts[6]}` ? time : Number.NaN
}

/** The time and the station's columns. Lines are cut into no more cells than that and one, however many commas they have. */
const mostCells = stationColumns.length + 1

/** The cells of a line. Quotes may be around a cell; no name, time or number of the station has a comma in it. */
const cellsOf = (line: string): string[] => line.split(',', mostCells + 1).map((cell) => /^"([^"]*)"$/.exec(cell)?.[1] ?? cell)

function* linesOf(text: string): IterableIterator<string> {
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    yield text.slice(at, end > at && text[end - 1] === '\r' ? end - 1 : end)
    at = end + 1
  }
}

function columnsOf(cells: readonly string[], name: string): JenaColumn[] {
  const [first, ...names] = cells.map((cell) => cell.trim())
  const known = names.filter(isColumn)
  if (first === 'Date Time' && known.length === names.length && new Set(known).size === known.length && known.length > 0) return known
  const problem =
    first === 'Date Time'
      ? `the column ${quoted(names.find((column) => !isColumn(column)) ?? names[0])} is unknown or there twice`
      : `found ${quoted(first)}`
  throw new DatasetError(`${name}: line 1: expected "Date Time" and columns of the station, ${problem}`)
}

/**
 * Reads the station's CSV.
 *
 * @throws DatasetError, with the line, if there is no header of known columns with `Date Time` first, a row has another width, a value is no number,
 * a time is none, or there are no rows.
 */
export function parseJenaCsv(text: string, name: string): TimedTable {
  const lines = linesOf(text)
  const header = lines.next()
  if (header.done) throw new DatasetError(`${name}: the file is empty`)
  const columns = columnsOf(cellsOf(header.value), name)
  const width = columns.length
  let values = new Float64Array(width * 1024)
  const times: number[] = []
  let number = 1
  for (const line of lines) {
    number++
    const fail = (problem: string): DatasetError => new DatasetError(`${name}: line ${number}: ${problem}`)
    const cells = cellsOf(line)
    if (cells.length !== width + 1) {
      const found = cells.length > mostCells ? `more than ${mostCells}` : cells.length
      throw fail(`expected ${width + 1} values, found ${found}${cells.length < 2 ? ' (an empty line, or cut off?)' : ''}`)
    }
    const time = timeOf(cells[0])
    if (Number.isNaN(time)) throw fail(`${quoted(cells[0])} is no time; expected dd.mm.yyyy hh:mm:ss`)
    const at = times.length * width
    if (at + width > values.length) {
      const larger = new Float64Array(values.length * 2)
      larger.set(values)
      values = larger
    }
    for (let i = 0; i < width; i++) {
      const cell = cells[i + 1]
      const value = cell.trim() === '' ? Number.NaN : Number(cell)
      if (!Number.isFinite(value)) throw fail(`${columns[i]} is ${quoted(cell)}, not a number`)
      values[at + i] = value
    }
    times.push(time)
  }
  if (times.length === 0) throw new DatasetError(`${name}: there are no rows, only the header`)
  return { columns, values: values.slice(0, times.length * width), times: Float64Array.from(times) }
}
