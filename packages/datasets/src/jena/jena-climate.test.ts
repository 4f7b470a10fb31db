/** The Jena weather: rows made to order always, the real ones from COTANGENT_DATA when it is set. */
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { gzip, tempDir } from '../../test/helpers.js'
import { failure } from '../../test/tiny.js'
import { ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { nodeHost } from '../locating/host.js'
import { seriesWindows } from '../sequence/windows.js'
import { standardize } from '../standardize.js'
import { columns, loadData, parseCsv } from './jena-climate.js'
import { type JenaOptions, loadJena } from './load.js'

/** The header and the first row as document 002 prints them. */
const header =
  '"Date Time","p (mbar)","T (degC)","Tpot (K)","Tdew (degC)","rh (%)","VPmax (mbar)","VPact (mbar)","VPdef (mbar)","sh (g/kg)","H2OC (mmol/mol)","rho (g/m**3)","wv (m/s)","max. wv (m/s)","wd (deg)"'
const first = '01.01.2009 00:10:00,996.52,-8.02,265.40,-8.90,93.30,3.33,3.11,0.22,1.94,3.12,1307.75,1.03,1.75,152.30'
const values = [996.52, -8.02, 265.4, -8.9, 93.3, 3.33, 3.11, 0.22, 1.94, 3.12, 1307.75, 1.03, 1.75, 152.3]

const load = async (options: JenaOptions, env = {}) => loadJena(options, await nodeHost({ env, home: await tempDir(), packageRoots: [] }))

describe('parseCsv', () => {
  test("document 002's header and first row", () => {
    const weather = parseCsv(`${header}\n${first}\n`)
    expect(weather.columns).toEqual(columns)
    expect(weather.computed).toEqual([])
    expect(weather.data).toEqual({ shape: [1, 14], data: Float64Array.from(values) })
    expect(weather.times[0]).toBe(Date.UTC(2009, 0, 1, 0, 10))
  })

  test('columns that follow from others are computed and named, and stand in the order of the station', () => {
    const text = 'Date Time,T (degC),p (mbar),VPmax (mbar),rh (%)\r\n01.01.2009 00:10:00,-8.02,996.52,3.33,93.3\r\n'
    const { data, columns: found, computed, source, minutes } = parseCsv(text, 'mine.csv')
    expect(found).toEqual(columns.filter((name) => !/Tdew|wv|wd/.test(name)))
    expect(computed).toEqual(['Tpot (K)', 'VPact (mbar)', 'VPdef (mbar)', 'sh (g/kg)', 'H2OC (mmol/mol)', 'rho (g/m**3)'])
    found.forEach((name, i) => {
      // The station's own values have two digits.
      expect(data.data[i]).toBeCloseTo(values[columns.indexOf(name)], name === 'rho (g/m**3)' ? 1 : 1.6)
    })
    expect(source).toContain('mine.csv: 1 rows; in the file: T (degC), p (mbar), VPmax (mbar), rh (%); computed: Tpot (K), VPact')
    expect(minutes).toBeNaN()
  })

  test.each<[string, string, string]>([
    ['nothing', '', 'x.csv: the file is empty'],
    ['a header alone', `${header}\n`, 'x.csv: there are no rows, only the header'],
    ['another file', 'a,b\n1,2\n', 'x.csv: line 1: expected "Date Time" and columns of the station, found "a"'],
    ['an unknown column', 'Date Time,T (K)\n', 'the column "T (K)" is unknown or there twice'],
    ['a column twice', 'Date Time,T (degC),T (degC)\n', 'the column "T (degC)" is unknown or there twice'],
    ['a row cut off', `${header}\n${first}\n${first.slice(0, 50)}`, 'x.csv: line 3: expected 15 values, found 6'],
    ['an empty line', `${header}\n\n${first}`, 'x.csv: line 2: expected 15 values, found 1 (an empty line, or cut off?)'],
    ['a value that is no number', `${header}\n${first.replace('996.52', 'n/a')}`, 'x.csv: line 2: p (mbar) is "n/a", not a number'],
    ['an empty value', `${header}\n${first.replace('996.52', '')}`, 'line 2: p (mbar) is "", not a number'],
    ['a time in another form', `${header}\n${first.replace('01.01.2009', '2009-01-01')}`, 'line 2: "2009-01-01 00:10:00" is no time'],
    ['a quote that never ends', `${header}\n"${first}\n${first}`, 'line 2: "\\"01.01.2009 00:10:00" is no time'],
    ['a day that is not there', `${header}\n${first.replace('01.01', '99.99')}`, '"99.99.2009 00:10:00" is no time'],
    ['a 31st of February', `${header}\n${first.replace('01.01', '31.02')}`, '"31.02.2009 00:10:00" is no time'],
    ['an hour that is not there', `${header}\n${first.replace('00:10:00', '77:77:77')}`, '"01.01.2009 77:77:77" is no time'],
    ['24 o’clock', `${header}\n${first.replace('00:10:00', '24:00:00')}`, '"01.01.2009 24:00:00" is no time'],
    [
      'a computed value without end',
      'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n01.01.2009 00:10:00,0,1,1,1\n',
      'x.csv: line 2: Tpot (K) cannot be computed, it would be Infinity',
    ],
    ['Infinity', `${header}\n${first.replace('996.52', 'Infinity')}`, 'p (mbar) is "Infinity", not a number'],
    [
      'rows that go backwards',
      `${header}\n${first}\n${first.replace('00:10', '00:00')}\n`,
      'x.csv: the last row, of 2009-01-01T00:00, is not later than the first, of 2009-01-01T00:10; rows must be in the order of time',
    ],
    ['the same time again', `${header}\n${first}\n${first}\n`, 'is not later than the first'],
    ['a long cell', `${header}\n${first.replace('996.52', 'x'.repeat(1e6))}`, `p (mbar) is "${'x'.repeat(27)}…", not a number`],
    ['columns that nothing follows from', 'Date Time,T (degC)\n01.01.2009 00:10:00,1\n', 'cannot be computed without the column p (mbar)'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseCsv(text, 'x.csv')).toThrow(DatasetError)
    expect(() => parseCsv(text, 'x.csv')).toThrow(message)
  })
})

test('rows less than a minute apart', () => {
  const at = (second: string): string => first.replace('00:10:00', `00:10:${second}`)
  expect(parseCsv(`${header}\n${at('00')}\n${at('15')}\n${at('30')}\n`).minutes).toBe(0.25)
})

describe('loadData', () => {
  const name = 'jena_climate_2009_2016.csv'
  const bytes = new TextEncoder().encode(`${header}\n${first}\n${first.replace('00:10', '00:20')}\n`)

  test('plain, as .gz and as .zip, all the same', async () => {
    const files = { [name]: bytes, [`${name}.gz`]: gzip(bytes), [`${name}.zip`]: zipSync({ [name]: bytes, [`__MACOSX/._${name}`]: bytes }) }
    for (const [file, content] of Object.entries(files)) {
      const dir = await tempDir()
      await writeFile(join(dir, file), content)
      const weather = await load({ verify: false }, { COTANGENT_DATA: dir })
      expect(weather).toMatchObject({ minutes: 10, firstRow: undefined })
      expect(weather.data.shape).toEqual([2, 14])
      expect(weather.source).toContain('(not verified)')
      expect(await failure(load({ dir }))).toContain(
        'expected 420551 rows from 2009-01-01T00:10 to 2017-01-01T00:00, found 2 from 2009-01-01T00:10 to 2009-01-01T00:20 (truncated, or another file?)',
      )
    }
  })
  test('a damaged archive, one with two files', async () => {
    const path = join(await tempDir(), 'x.zip')
    await writeFile(path, zipSync({ 'a.csv': bytes }).subarray(0, 90))
    expect(await failure(load({ path }))).toContain(`${path}: no zip archive, or a truncated or damaged one`)
    await writeFile(path, zipSync({ 'a.csv': bytes, 'b.csv': bytes }))
    expect(await failure(load({ path }))).toContain('expected one .csv file in the archive, found 2')
  })
  test('nowhere: what to put where', async () => {
    expect(await failure(load({}))).toMatch(
      /^Jena climate is not on this machine: put jena_climate_2009_2016\.csv \(every 10 minutes .* or jena_hourly/,
    )
    expect(await failure(load({ part: 'end' }))).toContain(
      'put jena_10min_rows419551-420550_14features.csv (every 10 minutes of the last week of 2016',
    )
    expect(await failure(load({ path: '/nowhere.csv' }))).toContain('/nowhere.csv is no file')
    expect(await failure(load({ part: 'all' as 'end' }))).toContain(
      "jenaClimate.loadData: part must be 'whole', 'hourly', 'start', 'beginning', 'end' or 'later', got text \"all\".",
    )
  })
})

describe('standardize', () => {
  test('by the first rows, as NumPy', () => {
    const { data, mean, std } = standardize(ndarray(Float64Array.of(1, 10, 3, 30, 5, 50), [3, 2]), { rows: 2 })
    expect([...mean, ...std]).toEqual([2, 20, 1, 10])
    expect(data).toEqual({ shape: [3, 2], data: Float32Array.of(-1, -1, 1, 1, 3, 3) })
  })
  test.each<[string, () => unknown, string]>([
    [
      'more rows than there are',
      () => standardize(ndarray(new Float32Array(4), [2, 2]), { rows: 3 }),
      'standardize: rows must be a whole number from 1 to 2, got 3.',
    ],
    [
      'a constant column',
      () => standardize(ndarray(Float32Array.of(1, 5, 2, 5), [2, 2])),
      'column 1 has the standard deviation 0 over the first 2 rows',
    ],
    ['NaN', () => standardize(ndarray(Float32Array.of(1, Number.NaN), [2, 1])), 'column 0 has the standard deviation NaN'],
    ['another shape', () => standardize(ndarray(new Float32Array(4), [4])), 'expected data of shape [rows, columns], found [4]'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

const root = process.env.COTANGENT_DATA
const absent = !root ? ' (COTANGENT_DATA is not set)' : existsSync(join(root, 'jena')) ? '' : ' (COTANGENT_DATA has no jena)'

describe.skipIf(absent)(`the real weather${absent}`, () => {
  const whole = root && ['', '.gz', '.zip'].some((ending) => existsSync(join(root, `jena/jena_climate_2009_2016.csv${ending}`)))

  test.skipIf(!whole)(`the whole file${whole ? '' : ' (COTANGENT_DATA/jena lacks jena_climate_2009_2016.csv)'}`, async () => {
    const { data, computed } = await loadData({ part: 'whole' })
    expect([data.shape, computed]).toEqual([[420551, 14], []])
    expect([...data.data.subarray(0, 14)]).toEqual(values)
  })

  test.skipIf(whole)('without the whole file: hours, 6 columns stored and 6 computed, and it says so', async () => {
    const { data, columns: found, computed, source, minutes, firstRow, times } = await loadData()
    expect(data.shape).toEqual([70038, 12])
    expect(found).toEqual(columns.slice(0, 12))
    expect(computed).toEqual(['Tpot (K)', 'VPact (mbar)', 'VPdef (mbar)', 'sh (g/kg)', 'H2OC (mmol/mol)', 'rho (g/m**3)'])
    expect([minutes, firstRow, times[1] - times[0]]).toEqual([60, 0, 3_600_000])
    expect(source).toContain('every hour from 2009 to 2016')
    expect(source).toContain('in the file: p (mbar), T (degC), Tdew (degC), rh (%), VPmax (mbar), wv (m/s); computed: Tpot (K)')
    const { data: weather } = standardize(data, { rows: Math.floor(200000 / 6) })
    const [[x, y]] = seriesWindows(weather, { lookback: 240, delay: 24, step: 1, maxIndex: 3333, shuffle: true, seed: 1 })
    expect([x.shape, y.shape]).toEqual([[128, 240, 12], [128]])
    expect(x.data.every(Number.isFinite)).toBe(true)
  })

  test.each([
    ['start', 20002, 12, ['Tpot (K)', 'VPact (mbar)', 'VPdef (mbar)', 'sh (g/kg)', 'rho (g/m**3)'], 0],
    ['beginning', 4000, 11, [], 0],
    ['end', 1000, 14, [], 419551],
    ['later', 19132, 14, [], undefined],
  ] as const)('%s', async (part, rows, width, computed, firstRow) => {
    const weather = await loadData({ part })
    expect(weather.data.shape).toEqual([rows, width])
    expect(weather.computed).toEqual(computed)
    expect(weather.firstRow).toBe(firstRow)
    expect(weather.minutes).toBe(10)
  })

  test("computed columns are the station's own, within its rounding", async () => {
    const file = join(root!, 'jena/jena_10min_rows419551-420550_14features.csv.gz')
    const station = await loadData({ part: 'end' })
    const kept = new Set(['Date Time', 'p (mbar)', 'T (degC)', 'rh (%)', 'VPmax (mbar)'])
    const rows = gunzipSync(readFileSync(file))
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split(','))
    const base = rows.map((row) => row.filter((_, i) => kept.has(rows[0][i])).join(',')).join('\n')
    const ours = parseCsv(base)
    const worst = Object.fromEntries(
      ours.computed.map((name) => {
        const [a, b] = [ours, station].map(({ columns: all }) => all.indexOf(name))
        let error = 0
        for (let row = 0; row < 1000; row++) {
          const difference = Math.abs(ours.data.data[row * ours.columns.length + a] - station.data.data[row * 14 + b])
          error = Math.max(error, difference)
        }
        return [name, error]
      }),
    )
    // The errors that the source of the formulas states, over these rows and 4,000 others.
    const stated = {
      'Tpot (K)': 0.0105,
      'VPact (mbar)': 0.0095,
      'VPdef (mbar)': 0.007,
      'sh (g/kg)': 0.0078,
      'H2OC (mmol/mol)': 0.0099,
      'rho (g/m**3)': 0.0365,
    }
    expect(Object.keys(worst)).toEqual(Object.keys(stated))
    for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThan(stated[name as keyof typeof stated])
  })
})
