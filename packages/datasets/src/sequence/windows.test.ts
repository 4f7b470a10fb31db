import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type NDArray, ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { RandomState } from '../numpy-random.js'
import { TimeseriesGenerator, type TimeseriesGeneratorOptions } from './timeseries-generator.js'
import { type SeriesWindowsOptions, seriesWindows } from './windows.js'

interface Values {
  shape: number[]
  data: number[]
}
interface Params {
  lookback: number
  delay: number
  min_index: number
  max_index: number | null
  batch_size: number
  step: number
  shuffle: boolean
}
interface Case {
  case_kind: string
  name: string
  params: Params
  inputs: { data: Values }
  expected: {
    batches: { rows: number[]; samples: Values; targets: Values }[]
    val_steps: number
    row_ranges_first_140_batches: [number, number][]
    last_batch_of_every_66: [number, number][]
  }
}

const golden = new URL('../../../core/test/golden/generator.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }
const named = (kind: string) => cases.filter((c) => c.case_kind === kind).map((c) => [c.name, c] as const)

/** [rows, columns] of 100 · row + column. */
const grid = (rows: number, columns: number): NDArray<Float64Array> =>
  ndarray(
    Float64Array.from({ length: rows * columns }, (_, i) => 100 * Math.floor(i / columns) + (i % columns)),
    [rows, columns],
  )

const take = <T>(items: Iterable<T>, count: number): T[] => {
  const out: T[] = []
  for (const item of items) {
    if (out.length === count) break
    out.push(item)
  }
  return out
}

describe('golden generator', () => {
  test.each(named('timeseries_generator'))('%s', (_, { params, inputs, expected }) => {
    const data = ndarray(Float64Array.from(inputs.data.data), inputs.data.shape)
    const windows = seriesWindows(data, {
      lookback: params.lookback,
      delay: params.delay,
      minIndex: params.min_index,
      maxIndex: params.max_index,
      shuffle: params.shuffle,
      batchSize: params.batch_size,
      step: params.step,
    })
    const count = expected.batches.length
    expect(take(windows.rows(), count).map((rows) => [...rows])).toEqual(expected.batches.map((b) => b.rows))
    // Twice: every pass starts anew.
    for (const batches of [take(windows, count), take(windows, count)]) {
      batches.forEach(([x, y], i) => {
        const { samples, targets } = expected.batches[i]
        expect([x.shape, y.shape]).toEqual([samples.shape, targets.shape])
        expect([...x.data]).toEqual([...Float32Array.from(samples.data)])
        expect([...y.data]).toEqual([...Float32Array.from(targets.data)])
      })
    }
  })

  test.each(named('jena_validation_rows'))('%s', (_, { params, expected }) => {
    const windows = seriesWindows(grid(30144, 2), {
      lookback: params.lookback,
      delay: 144,
      minIndex: params.min_index,
      maxIndex: params.max_index,
      batchSize: params.batch_size,
    })
    expect(windows.batchesPerCycle).toBe(expected.val_steps)
    const ranges = take(windows.rows(), 140).map((rows) => [rows[0], rows[rows.length - 1] + 1])
    expect(ranges).toEqual(expected.row_ranges_first_140_batches)
    expect([ranges[65], ranges[131]]).toEqual(expected.last_batch_of_every_66)
  })
  test('has its cases', () => expect([named('timeseries_generator').length, named('jena_validation_rows').length]).toEqual([2, 1]))
})

describe('seriesWindows', () => {
  const options: SeriesWindowsOptions = { lookback: 4, delay: 2, step: 2, batchSize: 3 }

  test('a window ends before its row, the target lies delay rows after it', () => {
    const [[x, y]] = take(seriesWindows(grid(20, 2), options), 1)
    expect(x.shape).toEqual([3, 2, 2])
    expect([...x.data]).toEqual([0, 1, 200, 201, 100, 101, 300, 301, 200, 201, 400, 401])
    expect([...y.data]).toEqual([601, 701, 801])
    const [[, other]] = take(seriesWindows(grid(20, 2), { ...options, target: 0 }), 1)
    expect([...other.data]).toEqual([600, 700, 800])
  })

  test('repeat: false ends after a cycle', () => {
    const windows = seriesWindows(grid(20, 2), { ...options, repeat: false })
    expect([...windows]).toHaveLength(windows.batchesPerCycle)
    expect([...seriesWindows(grid(20, 2), { ...options, repeat: false, shuffle: true, seed: 1 })]).toHaveLength(windows.batchesPerCycle)
  })

  test('cuts a first batch that is too large', () => {
    const windows = seriesWindows(grid(20, 2), { ...options, batchSize: 100, repeat: false })
    expect([...windows.rows()].map((rows) => [...rows])).toEqual([[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]])
  })

  test("shuffled rows are NumPy's randint; a seed gives the same in every pass, a RandomState goes on", () => {
    const shuffled = { ...options, shuffle: true, maxIndex: 15 }
    const seeded = seriesWindows(grid(20, 2), { ...shuffled, seed: 5 })
    const expected = [...new RandomState(5).randint(4, 15, 9)]
    const drawn = (count: number, from = seeded) => take(from.rows(), count).flatMap((rows) => [...rows])
    expect(drawn(3)).toEqual(expected)
    expect(drawn(3)).toEqual(expected)
    const [[x, y]] = take(seeded, 1)
    expect([...y.data]).toEqual(expected.slice(0, 3).map((row) => (row + 2) * 100 + 1))
    expect(x.data[0]).toBe((expected[0] - 4) * 100)
    const going = seriesWindows(grid(20, 2), { ...shuffled, seed: new RandomState(5) })
    expect([...drawn(1, going)]).toEqual(expected.slice(0, 3))
    expect(drawn(1, going)).not.toEqual(expected.slice(0, 3))
  })

  test.each<[string, Partial<SeriesWindowsOptions>, string]>([
    ['a lookback that is no multiple of step', { lookback: 5 }, 'a lookback of 5 rows cannot be taken in steps of 2'],
    ['a range too short', { maxIndex: 4 }, 'no window fits: the first stands at row minIndex + lookback = 4, the rows end at maxIndex = 4'],
    ['data too short', { lookback: 20 }, 'no window fits'],
    ['targets beyond the data', { maxIndex: 19 }, 'the target of row 18 would be row 20, but the data have 20 rows: lower maxIndex to 18'],
    ['a column that is none', { target: 2 }, 'target is column 2; the data have columns 0 … 1'],
    ['a batch of nothing', { batchSize: 0 }, 'batchSize must be a whole number, at least 1, got 0.'],
    ['a negative start', { minIndex: -1 }, 'minIndex must be a whole number, at least 0, got -1.'],
    ['a step of a half', { step: 0.5 }, 'step must be a whole number, at least 1, got 0.5.'],
  ])('refuses %s', (_, change, message) => {
    const run = () => seriesWindows(grid(20, 2), { ...options, ...change })
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(`seriesWindows: ${message}`)
  })
  test('refuses data that are not rows of features', () => {
    expect(() => seriesWindows(ndarray(new Float32Array(9), [9]), options)).toThrow('expected data of shape [rows, features], found [9]')
    expect(() => seriesWindows({ shape: [9, 2], data: new Float32Array(9) }, options)).toThrow(
      'data has the shape [9, 2], which is not that of 9 values.',
    )
  })
})

test("options in Keras' spelling, and none that does not exist", () => {
  const data = ndarray(
    Float32Array.from({ length: 40 }, (_, i) => i),
    [20, 2],
  )
  const [[x]] = take(seriesWindows(data, { lookback: 2, delay: 1, step: 1, batch_size: 3, min_index: 4 }), 1)
  expect([x.shape, x.data[0]]).toEqual([[3, 2, 2], 8])
  const [[first]] = new TimeseriesGenerator(data, data, { length: 4, sampling_rate: 2, start_index: 1, batch_size: 2 })
  expect([first.shape, first.data[0]]).toEqual([[2, 2, 2], 2])
  const wrong = { lookback: 2, delay: 1, batches: 3 }
  expect(() => seriesWindows(data, wrong)).toThrow('seriesWindows: there is no option "batches".')
  expect(() => seriesWindows(data, { delay: 1 } as SeriesWindowsOptions)).toThrow('seriesWindows: the option lookback is missing.')
})

describe('TimeseriesGenerator', () => {
  const data = ndarray(
    Float32Array.from({ length: 50 }, (_, i) => i),
    [50, 1],
  )
  const of = (options: TimeseriesGeneratorOptions) => new TimeseriesGenerator(data, data, options)
  const targets = (options: TimeseriesGeneratorOptions): number[][] => [...of(options)].map(([, y]) => [...y.data])

  test("Keras' own example", () => {
    const series = of({ length: 10, samplingRate: 2, batchSize: 2 })
    expect(series.batches).toBe(20)
    const [x, y] = series.at(0)
    expect([x.shape, y.shape]).toEqual([
      [2, 5, 1],
      [2, 1],
    ])
    expect([...x.data]).toEqual([0, 2, 4, 6, 8, 1, 3, 5, 7, 9])
    expect([...y.data]).toEqual([10, 11])
    expect([...series]).toEqual(Array.from({ length: 20 }, (_, i) => series.at(i)))
    expect([...series].at(-1)?.[1].data).toEqual(Float32Array.of(48, 49))
  })

  test('stride, start, end included, a smaller last batch', () => {
    expect(targets({ length: 3, stride: 4, startIndex: 2, endIndex: 30, batchSize: 3 })).toEqual([[5, 9, 13], [17, 21, 25], [29]])
    expect(targets({ length: 45, batchSize: 2 })).toEqual([[45, 46], [47, 48], [49]])
    expect(targets({ length: 49 })).toEqual([[49]])
  })

  test('reverse turns windows round, and a length that is no multiple keeps the first row', () => {
    expect([...of({ length: 4, reverse: true, batchSize: 1 }).at(0)[0].data]).toEqual([3, 2, 1, 0])
    expect([...of({ length: 5, samplingRate: 2, batchSize: 1 }).at(0)[0].data]).toEqual([0, 2, 4])
  })

  test('series of bare numbers', () => {
    const flat = ndarray(Float32Array.of(1, 2, 3, 4), [4])
    const [[x, y]] = [...new TimeseriesGenerator(flat, flat, { length: 2 })]
    expect([x, y]).toEqual([
      { shape: [2, 2], data: Float32Array.of(1, 2, 2, 3) },
      { shape: [2], data: Float32Array.of(3, 4) },
    ])
  })

  test('shuffles with a seed as NumPy does, batch by batch and by place', () => {
    const series = of({ length: 10, shuffle: true, batchSize: 4, seed: 3 })
    const expected = [...new RandomState(3).randint(10, 50, 40)]
    expect([...series].flatMap(([, y]) => [...y.data])).toEqual(expected)
    expect([...series.at(2)[1].data]).toEqual(expected.slice(8, 12))
  })

  test.each<[string, () => unknown, string]>([
    [
      'data and targets of different lengths',
      () => new TimeseriesGenerator(data, ndarray(new Float32Array(3), [3]), { length: 2 }),
      'found 50 and 3 rows',
    ],
    ['a range too short', () => of({ length: 50 }), 'no window fits: the first stands at row startIndex + length = 50'],
    ['an end beyond the data', () => of({ length: 5, endIndex: 50 }), 'endIndex is 50, but the last row is 49'],
    ['a length of nothing', () => of({ length: 0 }), 'length must be a whole number, at least 1, got 0.'],
    [
      'a batch that is not there',
      () => of({ length: 10, batchSize: 2 }).at(20),
      'TimeseriesGenerator.at: index must be a whole number from 0 to 19, got 20.',
    ],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})
