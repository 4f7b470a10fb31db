/**
 * Windows of a time series as batches: the generator of F. Chollet's "Deep Learning with Python" (6.3), which tutorials copy, and Keras'
 * `TimeseriesGenerator`. Both can be iterated any number of times; every pass starts anew.
 */
import { type Check, type Checks, orNull, readOptions, requireBoolean, requireWhole, whole } from '../arguments.js'
import { allocate, type NDArray, ndarray, requireNDArray, sizeOf } from '../array.js'
import { DatasetError } from '../errors.js'
import { RandomState } from '../numpy-random.js'
import type { SpelledOptions } from '../spelling.js'

/** Inputs and targets of one training step: x [batch, time, features], y [batch, ..]. */
export type Batch = readonly [x: NDArray<Float32Array>, y: NDArray<Float32Array>]

/** The source of shuffled rows: a seed, with which every pass starts anew, or one generator that goes on from pass to pass. */
export type RandomSource = number | RandomState

/** A check of the option `seed`. */
export const randomSource: Check = (what, name, value) => {
  if (!(value instanceof RandomState)) requireWhole(what, name, value, { least: 0, most: 2 ** 32 - 1 })
}

/** The error for an option that must be given. */
export const missing = (what: string, name: string): DatasetError => new DatasetError(`${what}: the option ${name} is missing.`)

/** A generator for one pass. Without a seed orders differ from run to run, as with Python's. */
export const randomFrom = (seed: RandomSource | undefined): RandomState =>
  seed instanceof RandomState ? seed : new RandomState(seed ?? Math.floor(Math.random() * 2 ** 32))

/** A series of one or more features: [time, ..features], or [time]. Gives the number of times and of values at each. */
export function seriesOf(what: string, name: string, data: NDArray): { count: number; width: number } {
  requireNDArray(what, name, data)
  const [count, ...rest] = data.shape
  if (count === undefined) throw new DatasetError(`${what}: ${name} must be values over time, got a single number (shape []).`)
  return { count, width: sizeOf(rest) }
}

/** Rows `row - length, row - length + step …` below `row`, for every row: [rows, length / step, ..features]. */
export function windowsAt(data: NDArray, rows: Int32Array, length: number, step: number, reverse = false): NDArray<Float32Array> {
  const [, ...rest] = data.shape
  const width = sizeOf(rest)
  const steps = Math.ceil(length / step)
  const out = allocate('windows', Float32Array, rows.length * steps * width)
  let to = 0
  for (const row of rows) {
    for (let i = 0; i < steps; i++) {
      const at = (row - length + (reverse ? steps - 1 - i : i) * step) * width
      for (let j = 0; j < width; j++) out[to++] = data.data[at + j]
    }
  }
  return ndarray(out, [rows.length, steps, ...rest])
}

/**
 * Rows `first … end - 1` such that every window of every `step`-th row is one piece to copy: those that are a multiple of `step` behind the
 * first, then those one later, and so on. Gives what takes the windows of `length` rows below each of `rows`.
 */
function contiguousWindows(data: NDArray, first: number, end: number, length: number, step: number): (rows: Int32Array) => Float32Array {
  const width = data.shape[1]
  const [count, steps] = [end - first, length / step]
  const pieces = new Float32Array(count * width)
  const begins: number[] = []
  let to = 0
  for (let phase = 0; phase < step; phase++) {
    begins.push(to)
    for (let row = first + phase; row < end; row += step) {
      for (let j = 0; j < width; j++) pieces[to++] = data.data[row * width + j]
    }
  }
  return (rows) => {
    const out = allocate('seriesWindows', Float32Array, rows.length * steps * width)
    rows.forEach((row, i) => {
      const at = row - length - first
      const from = begins[at % step] + Math.floor(at / step) * width
      out.set(pieces.subarray(from, from + steps * width), i * steps * width)
    })
    return out
  }
}

export interface SeriesWindowsOptions {
  /** Number of rows before r that a window covers. */
  lookback: number
  /** Number of rows from r to the target. */
  delay: number
  /** First row of this part of the data; 0 by default. */
  minIndex?: number
  /** End of the rows to stand at, itself excluded; by default (or null) as far as targets reach: `rows - delay - 1`. */
  maxIndex?: number | null
  /** Rows at random, with replacement, instead of in order; false by default. */
  shuffle?: boolean
  /** 128 by default. */
  batchSize?: number
  /** A window takes every `step`-th row and so has `lookback / step` of them; 6 by default. */
  step?: number
  /** The column to predict; 1 by default, the temperature of the Jena data. */
  target?: number
  /** For `shuffle`: NumPy's seed, the same batches in every pass, or a RandomState that goes on. */
  seed?: RandomSource
  /** `false` ends after `batchesPerCycle` batches; by default batches never end, as in the book. */
  repeat?: boolean
}

const checks: Checks<SeriesWindowsOptions> = {
  lookback: whole({ least: 1 }),
  delay: whole({ least: 0 }),
  minIndex: whole({ least: 0 }),
  maxIndex: orNull(whole({ least: 0 })),
  shuffle: requireBoolean,
  batchSize: whole({ least: 1 }),
  step: whole({ least: 1 }),
  target: whole({ least: 0 }),
  seed: randomSource,
  repeat: requireBoolean,
}

/** Batches of windows, endless unless `repeat: false`. */
export interface SeriesWindows extends Iterable<Batch> {
  /** Number of batches before the first one comes again: the steps of a validation. */
  readonly batchesPerCycle: number
  /** The rows each batch stands at, by the same rules as the batches themselves. */
  rows(): IterableIterator<Int32Array>
}

/**
 * Windows of a time series, each with the value to predict, in batches.
 *
 * At row r the window is rows `r - lookback … r - 1`, every `step`-th of them, and the target is column `target` of row `r + delay`. In
 * order, the rows start at `minIndex + lookback`. They start again when fewer than `batchSize + 1` are left, so the last few are never
 * used, as in the book. If the first batch is too large, it is cut.
 *
 * Source: `generator(data, lookback, delay, min_index, max_index, …)` of F. Chollet, "Deep Learning with Python", 6.3.
 *
 * Shape: data [rows, features] → batches x [batchSize, lookback / step, features], y [batchSize], float32
 *
 * @throws DatasetError if the data are not [rows, features]; no window fits into the range, or its targets lie beyond the data; `lookback`
 * is no multiple of `step`; an option does not exist or is not a whole number; or `target` is no column.
 * @example
 * ```ts
 * const data = ndarray(Float32Array.from({ length: 80 }, (_, i) => i), [40, 2])
 * const batches = seriesWindows(data, { lookback: 6, delay: 2, step: 2, batchSize: 4, repeat: false })
 * const [[x, y]] = batches
 * console.log(x.shape, y.shape)   // [4, 3, 2] [4]
 * ```
 */
export function seriesWindows(data: NDArray, options: SpelledOptions<SeriesWindowsOptions>): SeriesWindows {
  const what = 'seriesWindows'
  const { count, width } = seriesOf(what, 'data', data)
  const read = readOptions(what, options, checks)
  const { lookback, delay, minIndex = 0, shuffle = false, batchSize = 128, step = 6, target = 1, seed, repeat = true } = read
  if (lookback === undefined || delay === undefined) throw missing(what, lookback === undefined ? 'lookback' : 'delay')
  if (data.shape.length !== 2) throw new DatasetError(`${what}: expected data of shape [rows, features], found [${data.shape.join(', ')}]`)
  if (target >= width) throw new DatasetError(`${what}: target is column ${target}; the data have columns 0 … ${width - 1}`)
  if (lookback % step !== 0)
    throw new DatasetError(`${what}: a lookback of ${lookback} rows cannot be taken in steps of ${step}: make it a multiple`)
  const end = read.maxIndex ?? Math.max(0, count - delay - 1)
  const start = minIndex + lookback
  if (start >= end)
    throw new DatasetError(
      `${what}: no window fits: the first stands at row minIndex + lookback = ${start}, the rows end at maxIndex = ${end} (the data have ${count} rows)`,
    )
  if (end - 1 + delay >= count) {
    throw new DatasetError(
      `${what}: the target of row ${end - 1} would be row ${end - 1 + delay}, but the data have ${count} rows: lower maxIndex to ${count - delay} or less`,
    )
  }
  const batchesPerCycle = Math.max(1, Math.ceil((end - start) / batchSize) - 1)

  function* rows(): IterableIterator<Int32Array> {
    const random = shuffle ? randomFrom(seed) : undefined
    for (let batch = 0; repeat || batch < batchesPerCycle; batch++) {
      if (random) yield random.randint(start, end, batchSize)
      else {
        const first = start + (batch % batchesPerCycle) * batchSize
        yield Int32Array.from({ length: Math.min(batchSize, end - first) }, (_, i) => first + i)
      }
    }
  }
  return {
    batchesPerCycle,
    rows,
    *[Symbol.iterator]() {
      const windows = contiguousWindows(data, minIndex, end, lookback, step)
      for (const at of rows()) {
        const y = Float32Array.from(at, (row) => data.data[(row + delay) * width + target])
        yield [ndarray(windows(at), [at.length, lookback / step, width]), ndarray(y, [at.length])] as const
      }
    },
  }
}
