/** The forecasts of document 002: their networks, their rows, the naive forecast, and short runs on the real weather in COTANGENT_DATA. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jenaClimate, standardize } from '@cotangent/datasets'
import { resetNames } from '@cotangent/layers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { naiveError } from '../002-text-and-sequences/forecast.js'
import { conv1dForecaster, jenaConv1d } from '../002-text-and-sequences/jena-conv1d.js'
import { conv1dLstmForecaster, jenaConv1dLstm } from '../002-text-and-sequences/jena-conv1d-lstm.js'
import { denseForecaster, jenaDense } from '../002-text-and-sequences/jena-dense.js'
import { gruForecaster, jenaGruDropout } from '../002-text-and-sequences/jena-gru-dropout.js'
import { jenaLstm, lstmForecaster } from '../002-text-and-sequences/jena-lstm.js'
import { bidirectionalForecaster, jenaLstmBidirectional } from '../002-text-and-sequences/jena-lstm-bidirectional.js'
import { jenaLstmDropout, lstmDropoutForecaster } from '../002-text-and-sequences/jena-lstm-dropout.js'
import { jenaLstmStacked, stackedForecaster } from '../002-text-and-sequences/jena-lstm-stacked.js'
import { splitRows } from '../002-text-and-sequences/split.js'
import { loadWeather } from '../002-text-and-sequences/weather.js'
import { UsageError } from '../lib/arguments.js'
import type { Context } from '../lib/experiment.js'
import { runHere } from './run.js'

beforeEach(() => resetNames())
afterEach(() => vi.restoreAllMocks())

/** The number of parameters of a gated layer, by Keras' formula. */
const gated = (gates: number, features: number, units: number): number => gates * (units * (features + units) + units)
const conv = (features: number): number => 5 * features * 32 + 32

describe('networks', () => {
  test.each([
    ['dense', denseForecaster, 240, (f: number) => 240 * f * 32 + 32 + 33, 107_585],
    ['lstm', lstmForecaster, 240, (f: number) => gated(4, f, 32) + 33, 6049],
    ['lstm-dropout', lstmDropoutForecaster, 240, (f: number) => gated(4, f, 32) + 33, 6049],
    ['gru-dropout', gruForecaster, 240, (f: number) => gated(3, f, 32) + 33, 4545],
    ['lstm-stacked', stackedForecaster, 240, (f: number) => gated(4, f, 32) + gated(4, 32, 32) + 33, 14_369],
    ['lstm-bidirectional', bidirectionalForecaster, 240, (f: number) => 2 * gated(4, f, 32) + 65, 12_097],
    ['conv1d', conv1dForecaster, 240, (f: number) => conv(f) + 2 * conv(32) + 33, 12_609],
    ['conv1d-lstm', conv1dLstmForecaster, 480, (f: number) => conv(f) + conv(32) + gated(4, 32, 32) + 33, 15_777],
  ])("%s: Keras' number of parameters, with 14 and with 12 columns", (_, make, steps, formula, with14) => {
    expect(formula(14)).toBe(with14)
    for (const features of [14, 12]) {
      const model = make([steps, features], 1)
      expect(model.countParams()).toBe(formula(features))
      expect(model.outputShapeOf()).toEqual([null, 1])
      model.dispose()
    }
  })
})

describe('rows', () => {
  const whole = 420_551
  test("the document's, of the whole file", () => {
    expect(splitRows(whole, 10, 'document')).toEqual({
      scale: [0, 199_999],
      train: [0, 19_999],
      validation: [20_001, 29_999],
      lastBatch: [29_761, 29_888],
      lookback: 1440,
      delay: 144,
    })
  })
  test('the same times of the hourly file: hour h is row 6h', () => {
    expect(splitRows(70_038, 60, 'document')).toEqual({
      scale: [0, 33_332],
      train: [0, 3332],
      validation: [3334, 4999],
      lastBatch: [4961, 4981],
      lookback: 240,
      delay: 24,
    })
  })
  test('the last batch is the one that the windows themselves end with', () => {
    const { validation, lookback, lastBatch } = splitRows(whole, 10, 'document', 200_000)
    expect(validation).toEqual([200_001, 209_999])
    const [first, end] = [validation[0] + lookback, validation[1] + 1]
    // val_steps = (30000 - 20001 - lookback) // batch_size
    expect(lastBatch).toEqual([first + 65 * 128, first + 66 * 128 - 1])
    expect(Math.floor((end - first) / 128)).toBe(66)
  })
  test('of 2024: two thirds, one third, scaled by the rows of training alone', () => {
    expect(splitRows(19_132, 10, 'later')).toMatchObject({ scale: [0, 12_599], train: [0, 12_599], validation: [12_601, 18_899] })
  })
  test.each([
    [whole, 10, 'document', 1442, 410_407],
    [70_038, 60, 'document', 1447, 410_084],
    [19_132, 10, 'later', 1442, 12_688],
  ] as const)(
    'of %i rows, %i minutes apart (%s): from %i to %i rows for training, and no others',
    (available, minutes, period, least, most) => {
      for (const rows of [least, most]) expect(splitRows(available, minutes, period, rows).lookback).toBe(14_400 / minutes)
      for (const rows of [least - 1, most + 1]) expect(() => splitRows(available, minutes, period, rows)).toThrow(UsageError)
      expect(() => splitRows(available, minutes, period, 1)).toThrow('--train-rows takes a number from')
    },
  )
})

describe('with a file of the whole length and made-up values', () => {
  const start = Date.UTC(2009, 0, 1, 0, 10)
  /** Column c of row r. From row 200,000 on values are far off; standardising must not see them. */
  const value = (r: number, c: number): number => ((r * (2 * c + 3)) % 997) + (r < 200_000 ? 0 : 5000)
  /** Mean and deviation of a column over the first 200,000 rows. */
  const scale = (column: number): [mean: number, std: number] => {
    let [sum, squares] = [0, 0]
    for (let r = 0; r < 200_000; r++) sum += value(r, column)
    for (let r = 0; r < 200_000; r++) squares += (value(r, column) - sum / 200_000) ** 2
    return [sum / 200_000, Math.sqrt(squares / 200_000)]
  }
  const scales = Array.from({ length: 14 }, (_, column) => scale(column))
  let dir = ''
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'weather-'))
    const two = (n: number): string => String(n).padStart(2, '0')
    const lines = [['Date Time', ...jenaClimate.columns].map((name) => `"${name}"`).join(',')]
    for (let r = 0; r < 420_551; r++) {
      // The real file has gaps in its times, too.
      const time = new Date(r < 420_550 ? start + r * 600_000 : Date.UTC(2017, 0, 1))
      const day = `${two(time.getUTCDate())}.${two(time.getUTCMonth() + 1)}.${time.getUTCFullYear()}`
      let line = `${day} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:00`
      for (let c = 0; c < 14; c++) line += `,${value(r, c)}`
      lines.push(line)
    }
    await writeFile(join(dir, 'jena_climate_2009_2016.csv'), `${lines.join('\n')}\n`)
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  test.each([
    [6, 240],
    [3, 480],
  ] as const)("step %i: the document's rows and columns, 66 batches, no departures", async (step, steps) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const uses = vi.fn()
    const context = { batchSize: 128, seed: 1, data: dir, limited: (available: number) => available, uses } as Partial<Context> as Context
    const { train, validation, lastBatch, shape, degrees } = await loadWeather(context, step)
    expect(shape).toEqual([steps, 14])
    expect(uses.mock.calls).toEqual([[expect.objectContaining({ train: 20_000, available: 20_000, departures: [] })]])
    const printed = log.mock.calls.join('\n')
    expect(printed).toContain('Validation  rows 20001 … 29999: 8,448 windows in order, 66 batches')
    expect(printed).not.toContain('computed')
    const rows = [...validation.rows()].flatMap((batch) => [...batch])
    expect([rows.length, rows[0], rows.at(-1)]).toEqual([8448, 21_441, 29_888])
    expect(Math.min(...(train.rows().next().value as Int32Array))).toBeGreaterThanOrEqual(1440)

    // The document's generator, written by hand, on the last batch.
    expect(degrees).toBeCloseTo(scales[1][1], 6)
    const [[x, y]] = lastBatch
    expect(x.shape).toEqual([128, steps, 14])
    for (let i = 0; i < 128; i += 9) {
      const row = 29_761 + i
      const column = (c: number, r: number): number => (value(r, c) - scales[c][0]) / scales[c][1]
      expect(y.data[i]).toBeCloseTo(column(1, row + 144), 5)
      for (const t of [0, 1, steps - 1]) {
        for (let c = 0; c < 14; c++) expect(x.data[(i * steps + t) * 14 + c]).toBeCloseTo(column(c, row - 1440 + t * step), 5)
      }
    }
  })
})

const root = process.env.COTANGENT_DATA
const has = (file: string): boolean => ['', '.gz', '.zip'].some((ending) => existsSync(join(root!, `jena/${file}${ending}`)))
const needed = ['jena_hourly_2009_2016_6features.csv', 'jena_mpi_roof_2024-06-09_2024-10-20_14features.csv']
const missing = root ? needed.filter((file) => !has(file)) : []
const absent = !root
  ? ' (COTANGENT_DATA is not set)'
  : missing.length > 0
    ? ` (COTANGENT_DATA/jena lacks ${missing.join(', ')})`
    : has('jena_climate_2009_2016.csv')
      ? ' (COTANGENT_DATA/jena has the whole file, these are for the parts)'
      : ''

describe.skipIf(absent)(`on the real weather${absent}`, () => {
  async function load(step: 3 | 6, replaced: Partial<Context> = {}) {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const context = { batchSize: 128, seed: 1, limited: (available: number) => available, uses: () => {}, ...replaced } as Context
    return loadWeather(context, step)
  }

  test('hourly: 1,408 windows of 240 rows and 12 columns, whose targets are a day after', async () => {
    const { train, validation, lastBatch, shape, degrees } = await load(6)
    expect([shape, validation.batchesPerCycle, [...lastBatch.rows()].map((rows) => rows.length)]).toEqual([[240, 12], 11, [21]])
    const [[x, y]] = train
    expect([x.shape, y.shape]).toEqual([[128, 240, 12], [128]])
    const held = [...validation.rows()].flatMap((rows) => [...rows])
    expect([held.length, held[0], held.at(-1)]).toEqual([1408, 3574, 4981])
    expect(lastBatch.rows().next().value).toEqual(Int32Array.from({ length: 21 }, (_, i) => 4961 + i))
    const raw = await jenaClimate.loadData()
    expect(degrees).toBe(standardize(raw.data, { rows: 33_333 }).std[1])
  })

  test.each([
    [20_000, 3574],
    [200_000, 33_574],
  ])('the naive error, by a loop over degrees: %i rows for training', async (trainRows, first) => {
    const { validation, degrees } = await load(6, { trainRows })
    const { data } = await jenaClimate.loadData()
    let sum = 0
    for (let row = first; row < first + 1408; row++) sum += Math.abs(data.data[(row - 1) * 12 + 1] - data.data[(row + 24) * 12 + 1])
    // Standardised values are float32.
    expect(naiveError(validation) * degrees).toBeCloseTo(sum / 1408, 5)
  })

  test('windows are drawn by the seed, from one generator that goes on', async () => {
    const [a, b, other] = [await load(6), await load(6), await load(6, { seed: 2 })]
    const draw = ({ train }: typeof a) => [...(train.rows().next().value as Int32Array)]
    const first = draw(a)
    expect(draw(b)).toEqual(first)
    expect(draw(other)).not.toEqual(first)
    const second = draw(a)
    expect(second).not.toEqual(first)
    expect(draw(b)).toEqual(second)
    // NumPy: RandomState(1).randint(240, 3333, 128)[:4]
    expect(first.slice(0, 4)).toEqual([1301, 475, 1336, 1145])
  })

  test('every third row: of 2024, 480 rows and 14 columns a window', async () => {
    const { validation, shape } = await load(3)
    expect([shape, validation.batchesPerCycle]).toEqual([[480, 14], 37])
  })

  test('--limit points to --train-rows', async () => {
    await expect(load(6, { limited: () => 5000 })).rejects.toThrow(/--train-rows/)
  })

  const inHours = ['hourly rows', '12 of 14 columns, 6 of them computed', '1,408 validation windows']
  test.each([
    [jenaDense, inHours],
    [jenaLstm, inHours],
    [jenaLstmDropout, inHours],
    [jenaGruDropout, inHours],
    [jenaLstmStacked, inHours],
    [jenaLstmBidirectional, inHours],
    [jenaConv1d, inHours],
    [jenaConv1dLstm, ['rows of 2024, 12,600 of them for training', '4,736 validation windows']],
  ] as const)('$id: a short epoch', async (experiment, departures) => {
    const { value, history, printed, used, sections } = await runHere(experiment, {}, { stepsPerEpoch: 3 })
    expect([...history.loss, ...history.val_loss, value].every(Number.isFinite)).toBe(true)
    expect(value).toBe(history.val_loss[0])
    expect(used?.departures).toEqual(departures)
    expect(used?.source).toMatch(/^jena_\w+[\w.-]*\.csv(\.gz|\.zip)?$/)
    expect(printed).toContain('3/3 [')
    const curves = sections.filter((section) => section.kind === 'lines')
    expect(curves.map(({ series }) => series.map(({ name }) => name))).toEqual([
      ['temperature'],
      ['temperature'],
      ['measured', 'network', 'naive'],
    ])
    const [measured, , asBefore] = curves[2].series.map(({ values }) => values)
    const day = experiment === jenaConv1dLstm ? 144 : 24
    expect(measured).toHaveLength(10 * day)
    // The naive forecast is what was measured a day and a step of the window before.
    const late = experiment === jenaConv1dLstm ? day + 3 : day + 1
    for (const [i, value] of measured.slice(0, -late).entries()) expect(asBefore[i + late]).toBeCloseTo(Number(value), 1)
    const [, mae, celsius, verdict, naive] =
      /^Validation MAE ([\d.]+) \(([\d.]+) °C\): (below|not below) the naive forecast's ([\d.]+) \([\d.]+ °C\)$/m.exec(printed) ?? []
    expect(Number(mae)).toBeCloseTo(value, 4)
    expect(Number(celsius)).toBeGreaterThan(Number(mae))
    expect(verdict).toBe(value < Number(naive) ? 'below' : 'not below')
    expect(printed).toMatch(/^val_loss as Keras 2\.3 prints it, of the last batch alone: \d+\.\d{4}$/m)
  })

  test('jena-lstm-dropout learns within few steps, and the same from the same seed', async () => {
    const run = (epochs: number) => runHere(jenaLstmDropout, { epochs }, { stepsPerEpoch: 10 })
    const [long, short] = [await run(2), await run(1)]
    expect(long.loss[1]).toBeLessThan(long.loss[0])
    expect([short.loss[0], short.value]).toEqual([long.loss[0], long.history.val_loss[0]])
  })
})
