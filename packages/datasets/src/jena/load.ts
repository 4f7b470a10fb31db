/** The Jena weather: where the file is, unpacking, checking. */
import { type Checks, oneOf, readOptions, requireBoolean, requireText } from '../arguments.js'
import { type NDArray, ndarray } from '../array.js'
import { DatasetError, reasonOf } from '../errors.js'
import { gunzip, isGzip } from '../formats/gzip.js'
import { isZip, unzip } from '../formats/zip.js'
import { type Host, nodeHost } from '../locating/host.js'
import { complete, type JenaColumn } from './columns.js'
import { parseJenaCsv } from './csv.js'
import { type JenaPart, parts, requirePart } from './parts.js'

export interface JenaOptions {
  /** The file to load; by default 'whole' if it is there, otherwise 'hourly'. */
  part?: JenaPart
  /** A file in the station's form, in place of the places that are searched. */
  path?: string
  /** Directory with the file, or with a folder `jena` that holds it. No other place is then tried. */
  dir?: string
  /** `false` takes a file in the same form that has other rows. Default `true`. */
  verify?: boolean
}

const checks: Checks<JenaOptions> = {
  part: oneOf(...Object.keys(parts)),
  path: requireText,
  dir: requireText,
  verify: requireBoolean,
}

/** Weather, a row for each time. */
export interface JenaClimate {
  /** [rows, columns], as measured: Celsius, mbar … */
  data: NDArray<Float64Array>
  /** The columns of `data`, in the station's order. */
  columns: readonly JenaColumn[]
  /** The columns that are not in the file, but are computed from it. */
  computed: readonly JenaColumn[]
  /** When each row was measured: the station's own time, as milliseconds as if it were UTC. */
  times: Float64Array
  /**
   * Minutes between rows: 10 or 60. A few are missing in the published data. In a file of your own: the mean, or NaN if there is only one row.
   */
  minutes: number
  /** The row of the whole file that is the first here; undefined for another period, or a file of your own. */
  firstRow: number | undefined
  /** The place that the data came from, and their columns and rows, in words. */
  source: string
}

/** Twelve times the whole file. */
const maxBytes = 2 ** 29

async function textOf(bytes: Uint8Array, where: string): Promise<string> {
  let content = isGzip(bytes) ? await gunzip(bytes, { name: where, maxBytes }) : bytes
  if (isZip(bytes)) {
    const files = unzip(bytes, { name: where, maxBytes, filter: (entry) => /^(?!__MACOSX)[^/]*\.csv$/.test(entry) })
    const [first] = files.values()
    if (!first || files.size > 1) throw new DatasetError(`${where}: expected one .csv file in the archive, found ${files.size}`)
    content = first
  }
  return new TextDecoder().decode(content)
}

interface Found {
  path: string
  part: JenaPart | undefined
}

async function find(host: Host, options: JenaOptions): Promise<Found> {
  const { part, path, dir } = options
  if (path !== undefined) {
    const at = host.path(path)
    if (await host.isFile(at)) return { path: at, part }
    throw new DatasetError(`Jena climate: ${at} is no file`)
  }
  const data = host.variable('COTANGENT_DATA')
  const given = dir === undefined ? [...(data === undefined ? [] : [data]), host.cacheRoot] : [dir]
  const folders = given.flatMap((at) => [host.path(at, 'jena'), host.path(at)])
  const wanted: readonly JenaPart[] = part === undefined ? ['whole', 'hourly'] : [part]
  for (const each of wanted) {
    for (const folder of folders) {
      for (const ending of ['', '.gz', '.zip']) {
        const at = host.path(folder, parts[each].file + ending)
        if (await host.isFile(at)) return { path: at, part: each }
      }
    }
  }
  const where = dir === undefined ? host.path(host.cacheRoot, 'jena') : host.path(dir)
  const names = wanted.map((each) => `${parts[each].file} (${parts[each].what})`).join(' or ')
  throw new DatasetError(
    `Jena climate is not on this machine: put ${names}, plain or as .gz or .zip, into ${where}, or into a directory passed as { dir } or named by ` +
      'COTANGENT_DATA. The whole is at https://s3.amazonaws.com/keras-datasets/jena_climate_2009_2016.csv.zip; it is not downloaded, as no ' +
      `checksum of it was published.\nTried:${folders.map((folder) => `\n  - ${folder}`).join('')}`,
  )
}

/** `jenaClimate.loadData`; `on` stands in for this machine in tests, null is a browser. */
export async function loadJena(given: JenaOptions, on?: Host | null): Promise<JenaClimate> {
  const options = readOptions('jenaClimate.loadData', given, checks)
  const host = on === undefined ? await nodeHost() : on
  if (!host) throw new DatasetError('Jena climate: a page has no files; pass the text of the CSV to jenaClimate.parseCsv')
  const { path, part } = await find(host, options)
  const bytes = await host.read(path).catch((error: unknown) => {
    throw new DatasetError(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error })
  })
  return fromText(await textOf(bytes, path), path, part, options.verify ?? true)
}

/** The mean of the minutes between rows, whole unless it is below one; 0 / 0 for a single row. */
function minutesOf(times: Float64Array, where: string): number {
  const steps = times.length - 1
  const minutes = (times[steps] - times[0]) / 60_000 / steps
  if (minutes <= 0) {
    const [first, last] = [times[0], times[steps]].map((time) => new Date(time).toISOString().slice(0, 16))
    throw new DatasetError(
      `${where}: the last row, of ${last}, is not later than the first, of ${first}; rows must be in the order of time`,
    )
  }
  return minutes < 1 ? minutes : Math.round(minutes)
}

/** The data of a text in the station's form. */
export function fromText(text: string, where: string, part?: JenaPart, verify = true): JenaClimate {
  const table = parseJenaCsv(text, where)
  const known = part && parts[part]
  if (known && verify) requirePart(table, known, where)
  const { columns, values, computed } = complete(table, where)
  const rows = table.times.length
  const minutes = known?.minutes ?? minutesOf(table.times, where)
  const also = computed.length > 0 ? `; computed: ${computed.join(', ')}` : ''
  return {
    data: ndarray(values, [rows, columns.length]),
    columns,
    computed,
    times: table.times,
    minutes,
    firstRow: verify ? known?.firstRow : undefined,
    source: `${where}: ${known ? `${known.what}${verify ? '' : ' (not verified)'}` : `${rows} rows`}; in the file: ${table.columns.join(', ')}${also}`,
  }
}
