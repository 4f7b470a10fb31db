/**
 * The stable order of the values of a row: equal values keep the order of their positions, in both directions. NaN is greater than everything
 * else, and zeros of both signs are equal.
 *
 * Values become keys, whole numbers of 32 bits (64 for float64) in the same order; long rows are sorted by the bytes of their keys, from the lowest
 * on (radix sort), short ones by insertion.
 */
import type { HostValues } from '../../backends/backend.js'
import type { ReduceExtent } from '../../tensor/shape.js'

const SHORT = 24
/** Which half of a float64 holds its sign. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0]
const SIGN = 0x80000000

/** Orders rows of one length, one after the other; its arrays are reused. */
export class RowOrder {
  private readonly length: number
  /** Keys: `high` alone, or `high` then `low` for float64. */
  private readonly high: Uint32Array
  private readonly low?: Uint32Array
  private order: Int32Array
  private spare: Int32Array
  private readonly counts = new Uint32Array(256)

  constructor(length: number, wide: boolean) {
    this.length = length
    this.high = new Uint32Array(length)
    if (wide) this.low = new Uint32Array(length)
    this.order = new Int32Array(length)
    this.spare = new Int32Array(length)
  }

  /** The positions in the row of its values, least first, or greatest first if `descending`; valid until the next call. Value i stands at begin + i·step. */
  of(values: HostValues, begin: number, step: number, descending: boolean): Int32Array {
    this.load(values, begin, step, descending)
    for (let i = 0; i < this.length; i++) this.order[i] = i
    if (this.length <= SHORT) {
      for (let i = 1; i < this.length; i++) this.insert(i, i)
      return this.order
    }
    if (this.low) this.sortBy(this.low)
    this.sortBy(this.high)
    return this.order
  }

  /** The first k positions of that order, in the same order; for small k. */
  first(k: number, values: HostValues, begin: number, step: number, descending: boolean): Int32Array {
    if (k > SHORT) return this.of(values, begin, step, descending).subarray(0, k)
    this.load(values, begin, step, descending)
    for (let i = 0; i < this.length; i++) {
      if (i >= k && !this.before(i, this.order[k - 1])) continue
      const end = Math.min(i, k - 1)
      this.order[end] = i
      this.insert(i, end)
    }
    return this.order.subarray(0, k)
  }

  /** Moves position i from place `end` of the order forward to where it belongs. */
  private insert(i: number, end: number): void {
    let place = end
    for (; place > 0 && this.before(i, this.order[place - 1]); place--) this.order[place] = this.order[place - 1]
    this.order[place] = i
  }

  private before(i: number, j: number): boolean {
    const { high, low } = this
    return high[i] === high[j] && low ? low[i] < low[j] : high[i] < high[j]
  }

  /** Makes the keys. A float of sign 0 has its bits with the sign set, one of sign 1 its bits inverted, so that keys grow with values. */
  private load(values: HostValues, begin: number, step: number, descending: boolean): void {
    const { high, low, length } = this
    const flip = descending ? -1 : 0
    if (values instanceof Float32Array || values instanceof Float64Array) {
      const value = low ? new Float64Array(1) : new Float32Array(1)
      const bits = new Uint32Array(value.buffer)
      const [top, bottom] = low ? [HIGH, 1 - HIGH] : [0, 0]
      for (let i = 0; i < length; i++) {
        const v = values[begin + i * step]
        value[0] = v + 0 // −0 + 0 is 0
        let key = bits[top]
        const negative = key >= SIGN
        key = Number.isNaN(v) ? -1 : negative ? ~key : key | SIGN
        high[i] = key ^ flip
        if (low) low[i] = (Number.isNaN(v) ? -1 : negative ? ~bits[bottom] : bits[bottom]) ^ flip
      }
    } else {
      for (let i = 0; i < length; i++) high[i] = values[begin + i * step] ^ SIGN ^ flip
      low?.fill(0)
    }
  }

  /** A stable pass for each byte of the keys; bytes that all keys share need none. */
  private sortBy(keys: Uint32Array): void {
    const { counts, length } = this
    for (let shift = 0; shift < 32; shift += 8) {
      counts.fill(0)
      for (let i = 0; i < length; i++) counts[(keys[i] >>> shift) & 255]++
      if (counts[(keys[0] >>> shift) & 255] === length) continue
      for (let digit = 0, sum = 0; digit < 256; digit++) {
        const count = counts[digit]
        counts[digit] = sum
        sum += count
      }
      const { order, spare } = this
      for (let i = 0; i < length; i++) {
        const position = order[i]
        spare[counts[(keys[position] >>> shift) & 255]++] = position
      }
      this.order = spare
      this.spare = order
    }
  }
}

/** Calls `visit(begin, step)` for each row along the middle of an extent: its elements stand at begin + i·step. */
export function eachRow({ outer, length, inner }: ReduceExtent, visit: (begin: number, step: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * length * inner + i, inner)
}
