/**
 * The kernels of normalisation by channel, for x [rows, c]: mean and variance, sums with a cotangent, and (x − center)·scale + shift.
 *
 * Few channels would leave lanes idle. So k rows are read as one *wide row* of `width` = k·c columns, a multiple of 32 (or of 4 if c is large). Example:
 * with c = 3 a wide row is 32 rows, 96 columns. Each column is summed in float32, in groups of at most 512 wide rows. The sums of the groups are added here,
 * in float64, in order; rows that do not fill a wide row form the last group. The shape alone decides the groups.
 *
 * Moments: a group is read twice while it is in the cache, first for its mean m, then for Σ d and Σ d² of the differences d = x − m. Exact arithmetic
 * would make Σ d zero; its rounding error corrects both results. Groups of sizes nᵢ with means mᵢ give the whole's
 * Σ (x − m)² = Σᵢ Σ (x − mᵢ)² + Σᵢ nᵢ(mᵢ − m)² (Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing sample variances", 1979). So
 * x is read from memory once, and no large numbers cancel.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine } from '../engine/engine.js'
import { lazy } from '../engine/made-once.js'
import type { Body } from '../engine/threads.js'
import { emitMoments, emitNormalize, emitSums } from './normalize-channels-kernel.js'

/** The most wide rows of a group, and about the most bytes. */
const GROUP_ROWS = 512
const GROUP_BYTES = 256 * 1024

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** k, the number of rows in a wide row: columns are then a multiple of 32, or of 4 if there are many channels. */
const rowsAtOnce = (c: number): number => {
  const multiple = c < 64 ? 32 : 4
  return multiple / greatestCommonDivisor(c, multiple)
}

type Channels = Required<Pick<FusedKernels, 'moments' | 'channelSums' | 'normalize'>>

/** How x is cut: `groups` of `groupRows` wide rows, and `rest` rows behind them. */
interface Cut {
  readonly c: number
  readonly k: number
  readonly width: number
  readonly wideRows: number
  readonly groupRows: number
  readonly groups: number
  /** The first row that belongs to no wide row, and the number of such rows. */
  readonly restFrom: number
  readonly rest: number
}

function cutOf(x: Operand): Cut {
  const c = x.shape[x.shape.length - 1]
  const k = rowsAtOnce(c)
  const width = k * c
  const rows = x.size / c
  const wideRows = Math.floor(rows / k)
  const groupRows = Math.max(16, Math.min(GROUP_ROWS, Math.floor(GROUP_BYTES / (4 * width))))
  const restFrom = wideRows * k
  return { c, k, width, wideRows, groupRows, groups: Math.ceil(wideRows / groupRows), restFrom, rest: rows - restFrom }
}

/** The kernels of normalisation. */
export function createChannels(engine: Engine): Channels {
  const { memory } = engine
  const kernels = lazy(() =>
    engine.compile((module) => {
      emitMoments(module)
      emitSums(module)
      emitNormalize(module)
    }),
  )

  function withMemory(floats: number, work: (at: number) => void): void {
    const at = memory.alloc(4 * floats)
    try {
      work(at)
    } finally {
      memory.free(at, 4 * floats)
    }
  }

  /** Writes a vector of c numbers at an address, again and again until `width` numbers are filled; zeros if there is no vector. */
  const tile = (at: number, x: Operand | undefined, width: number): void => {
    const target = memory.floats.subarray(at / 4, at / 4 + width)
    if (!x) return void target.fill(0)
    const from = address(x) / 4
    const source = memory.floats.subarray(from, from + x.size)
    for (let i = 0; i < width; i += x.size) target.set(source, i)
  }

  /** Visits each column of each group; the kernel stored `results` numbers for each. `visit` gets their position, the number of wide rows summed, and the channel. */
  const eachColumn = (at: number, results: number, cut: Cut, visit: (i: number, rows: number, channel: number) => void): void => {
    for (let group = 0; group < cut.groups; group++) {
      const rows = Math.min(cut.groupRows, cut.wideRows - group * cut.groupRows)
      let i = at / 4 + results * group * cut.width
      for (let k = 0; k < cut.k; k++) for (let channel = 0; channel < cut.c; channel++) visit(i++, rows, channel)
    }
  }

  return {
    moments(out, x) {
      const cut = cutOf(x)
      const { c, width, wideRows, groupRows, groups } = cut
      const from = address(x)
      const run = kernels().moments
      withMemory(3 * groups * width, (at) => {
        const body: Body = (begin, end, call) => {
          for (let group = begin; group < end; group++) {
            const first = group * groupRows
            call(run, at + 12 * group * width, from + 4 * first * width, Math.min(groupRows, wideRows - first), width)
          }
        }
        engine.split(groups, 1, x.size * 0.3, body, 6)
        const { floats } = memory
        const [mean, squares] = [new Float64Array(c), new Float64Array(c)]
        const rows = x.size / c
        eachColumn(at, 3, cut, (i, count, channel) => {
          mean[channel] += count * floats[i] + (floats[i + width] || 0) // NaN if the mean is infinite
        })
        const rest = floats.subarray(from / 4 + cut.restFrom * c, from / 4 + x.size)
        for (let i = 0; i < rest.length; i++) mean[i % c] += rest[i]
        for (let channel = 0; channel < c; channel++) mean[channel] /= rows
        eachColumn(at, 3, cut, (i, count, channel) => {
          const error = floats[i + width] / count
          const apart = floats[i] + error - mean[channel]
          squares[channel] += floats[i + 2 * width] + count * (apart * apart - error * error)
        })
        for (let i = 0; i < rest.length; i++) squares[i % c] += (rest[i] - mean[i % c]) ** 2
        const to = address(out) / 4
        for (let channel = 0; channel < c; channel++) {
          floats[to + channel] = mean[channel]
          floats[to + c + channel] = Math.max(0, squares[channel] / rows) // rounding takes a constant's variance a little below or above 0
        }
      })
    },

    channelSums(out, x, dY, center) {
      if (out.size === 0) return
      const cut = cutOf(x)
      const { c, width, wideRows, groupRows, groups } = cut
      const [from, above] = [address(x), address(dY)]
      const run = kernels().sums
      withMemory((2 * groups + 1) * width, (at) => {
        const sums = at + 4 * width
        tile(at, center, width)
        const body: Body = (begin, end, call) => {
          for (let group = begin; group < end; group++) {
            const first = group * groupRows
            const [start, rows] = [4 * first * width, Math.min(groupRows, wideRows - first)]
            call(run, sums + 8 * group * width, from + start, above + start, at, rows, width)
          }
        }
        engine.split(groups, 1, x.size * 0.4, body, 8)
        const { floats } = memory
        const totals = new Float64Array(2 * c)
        eachColumn(sums, 2, cut, (i, _, channel) => {
          totals[channel] += floats[i]
          totals[c + channel] += floats[i + width]
        })
        for (let i = cut.restFrom * c; i < x.size; i++) {
          const [channel, cotangent] = [i % c, floats[above / 4 + i]]
          totals[channel] += cotangent
          totals[c + channel] += cotangent * (floats[from / 4 + i] - floats[at / 4 + channel])
        }
        floats.set(totals, address(out) / 4)
      })
    },

    normalize(out, x, center, scale, shift) {
      if (out.size === 0) return
      const c = x.shape[x.shape.length - 1]
      const width = c * rowsAtOnce(c) * Math.ceil(64 / (c * rowsAtOnce(c)))
      const [to, from] = [address(out), address(x)]
      const run = kernels().normalize
      withMemory(3 * width, (at) => {
        const [scales, shifts] = [at + 4 * width, at + 8 * width]
        tile(at, center, width)
        tile(scales, scale, width)
        tile(shifts, shift, width)
        const wideRows = Math.ceil(x.size / width)
        const unit = Math.max(1, Math.floor(4096 / width))
        engine.split(wideRows, unit, x.size * 0.3, (begin, end, call) => {
          const [first, last] = [begin * width, Math.min(x.size, end * width)]
          call(run, to + 4 * first, from + 4 * first, last - first, width, at, scales, shifts)
        })
      })
    },
  }
}
