/** Keras 2.3's `TimeseriesGenerator`: a pass over all windows of a series, batch by batch. */
import { type Checks, orNull, readOptions, requireBoolean, requireWhole, whole } from '../arguments.js'
import { type NDArray, ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import type { SpelledOptions } from '../spelling.js'
import { type Batch, missing, type RandomSource, randomFrom, randomSource, seriesOf, windowsAt } from './windows.js'

export interface TimeseriesGeneratorOptions {
  /** Number of rows before r that a window covers. */
  length: number
  /** A window takes every `samplingRate`-th row; 1 by default. */
  samplingRate?: number
  /** Windows stand at every `stride`-th row; 1 by default. */
  stride?: number
  /** First row of this part of the data; 0 by default. */
  startIndex?: number
  /** Last row of it, included; the data's last by default (or null). */
  endIndex?: number | null
  /** Rows at random, with replacement, instead of in order; false by default. */
  shuffle?: boolean
  /** Windows run backwards; false by default. */
  reverse?: boolean
  /** 128 by default. */
  batchSize?: number
  /** For `shuffle`: NumPy's seed, the same batches in every pass, or a RandomState that goes on. */
  seed?: RandomSource
}

const checks: Checks<TimeseriesGeneratorOptions> = {
  length: whole({ least: 1 }),
  samplingRate: whole({ least: 1 }),
  stride: whole({ least: 1 }),
  startIndex: whole({ least: 0 }),
  endIndex: orNull(whole({ least: 0 })),
  shuffle: requireBoolean,
  reverse: requireBoolean,
  batchSize: whole({ least: 1 }),
  seed: randomSource,
}

/**
 * Windows of a series, each with the target of the row after it, in batches, as Keras 2.3's `TimeseriesGenerator`.
 *
 * At row r the window is rows `r - length … r - 1`, every `samplingRate`-th of them, and the target is `targets[r]`. One pass has
 * `batches` batches; the last one may be smaller.
 *
 * Shape: data [rows, ..features], targets [rows, ..] → x [batchSize, ⌈length / samplingRate⌉, ..features], y [batchSize, ..], float32
 *
 * @throws DatasetError if data and targets have different lengths, no window fits into the range, or an option does not exist or is not a
 * whole number.
 * @example
 * ```ts
 * const data = ndarray(Float32Array.from({ length: 50 }, (_, i) => i), [50, 1])
 * const series = new TimeseriesGenerator(data, data, { length: 10, samplingRate: 2, batchSize: 2 })
 * const [x, y] = series.at(0)
 * console.log(series.batches, String(x.data), String(y.data))   // 20 0,2,4,6,8,1,3,5,7,9 10,11
 * ```
 */
export class TimeseriesGenerator implements Iterable<Batch> {
  /** Batches in a pass. */
  readonly batches: number
  readonly #data: NDArray
  readonly #targets: NDArray
  readonly #options: Required<Omit<TimeseriesGeneratorOptions, 'seed' | 'endIndex'>>
  readonly #seed: RandomSource | undefined
  /** First and last row that a window may stand at. */
  readonly #first: number
  readonly #last: number

  constructor(data: NDArray, targets: NDArray, options: SpelledOptions<TimeseriesGeneratorOptions>) {
    const what = 'TimeseriesGenerator'
    const { count } = seriesOf(what, 'data', data)
    const found = seriesOf(what, 'targets', targets).count
    const read = readOptions(what, options, checks)
    const { length, samplingRate = 1, stride = 1, startIndex = 0, shuffle = false, reverse = false, batchSize = 128, seed } = read
    if (length === undefined) throw missing(what, 'length')
    if (count !== found) throw new DatasetError(`${what}: data and targets must be equally long, found ${count} and ${found} rows`)
    this.#first = startIndex + length
    this.#last = read.endIndex ?? Math.max(0, count - 1)
    if (this.#first > this.#last) {
      throw new DatasetError(
        `${what}: no window fits: the first stands at row startIndex + length = ${this.#first}, the last row is ${this.#last} (the data have ${count})`,
      )
    }
    if (this.#last >= count) throw new DatasetError(`${what}: endIndex is ${this.#last}, but the last row is ${count - 1}`)
    this.#data = data
    this.#targets = targets
    this.#options = { length, samplingRate, stride, startIndex, shuffle, reverse, batchSize }
    this.#seed = seed
    const perBatch = batchSize * stride
    this.batches = Math.floor((this.#last - this.#first + perBatch) / perBatch)
  }

  #batch(rows: Int32Array): Batch {
    const { length, samplingRate, reverse } = this.#options
    const [, ...rest] = this.#targets.shape
    const y = windowsAt(
      this.#targets,
      rows.map((row) => row + 1),
      1,
      1,
    )
    return [windowsAt(this.#data, rows, length, samplingRate, reverse), ndarray(y.data, [rows.length, ...rest])]
  }

  #inOrder(index: number): Int32Array {
    const { batchSize, stride } = this.#options
    const first = this.#first + index * batchSize * stride
    const count = Math.min(batchSize, Math.floor((this.#last - first) / stride) + 1)
    return Int32Array.from({ length: count }, (_, i) => first + i * stride)
  }

  /**
   * The batch at a place of the pass; with `shuffle` and no seed, a random one.
   *
   * @throws DatasetError if the place is outside 0 … `batches` - 1.
   */
  at(index: number): Batch {
    requireWhole('TimeseriesGenerator.at', 'index', index, { least: 0, most: this.batches - 1 })
    if (!this.#options.shuffle) return this.#batch(this.#inOrder(index))
    const random = randomFrom(this.#seed)
    let rows: Int32Array = new Int32Array(0)
    // A seeded pass draws the batches one after the other.
    for (let i = typeof this.#seed === 'number' ? 0 : index; i <= index; i++) {
      rows = random.randint(this.#first, this.#last + 1, this.#options.batchSize)
    }
    return this.#batch(rows)
  }

  *[Symbol.iterator](): IterableIterator<Batch> {
    const { shuffle, batchSize } = this.#options
    const random = shuffle ? randomFrom(this.#seed) : undefined
    for (let index = 0; index < this.batches; index++) {
      yield this.#batch(random ? random.randint(this.#first, this.#last + 1, batchSize) : this.#inOrder(index))
    }
  }
}
