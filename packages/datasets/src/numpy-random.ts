/**
 * NumPy's legacy generator, `numpy.random.RandomState`: the numbers a Python program draws after `numpy.random.seed(n)`.
 *
 * It is here to reproduce orders that Python programs made (Keras shuffles IMDB with it); for anything new the library's own keyed
 * generator is the better one. Reference: M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998, and NumPy's mtrand.
 */
import { describeValue, requireWhole } from './arguments.js'
import { allocate } from './array.js'
import { DatasetError } from './errors.js'

const size = 624
const middle = 397

/** New memory for `count` draws. */
function memoryFor<T extends Int32Array | Float64Array>(method: string, type: new (length: number) => T, count: number): T {
  requireWhole(`RandomState.${method}`, 'count', count, { least: 0 })
  return allocate(`RandomState.${method}`, type, count)
}

/**
 * NumPy's `RandomState(seed)`: the same draws in the same order.
 *
 * Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998, and NumPy's mtrand.
 *
 * @throws DatasetError if the seed is not a whole number in 0 … 2^32 - 1.
 * @example
 * ```ts
 * const random = new RandomState(113)
 * console.log(String(random.permutation(10)))   // 9,3,6,1,0,7,4,8,2,5
 * ```
 */
export class RandomState {
  readonly #state = new Uint32Array(size)
  #at = size

  constructor(seed: number) {
    requireWhole('RandomState', 'seed', seed, { least: 0, most: 2 ** 32 - 1 })
    const state = this.#state
    state[0] = seed
    for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i
  }

  #twist(): void {
    const s = this.#state
    for (let i = 0; i < size; i++) {
      const y = (s[i] & 0x80000000) | (s[(i + 1) % size] & 0x7fffffff)
      s[i] = s[(i + middle) % size] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#at = 0
  }

  /** The next 32 bits, as a number in 0 … 2^32 - 1. */
  nextUint32(): number {
    if (this.#at === size) this.#twist()
    let y = this.#state[this.#at++]
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  /** A whole number in 0 … max (`max` included, below 2^32): draws under a mask until one fits, as NumPy does. */
  #interval(max: number): number {
    if (max === 0) return 0
    const mask = 0xffffffff >>> Math.clz32(max)
    for (;;) {
      const value = (this.nextUint32() & mask) >>> 0
      if (value <= max) return value
    }
  }

  /** `count` numbers in 0 … 1, 1 excluded, of 53 random bits each, as NumPy's `random_sample`. */
  randomSample(count: number): Float64Array {
    const out = memoryFor('randomSample', Float64Array, count)
    for (let i = 0; i < count; i++) {
      const high = this.nextUint32() >>> 5
      const low = this.nextUint32() >>> 6
      out[i] = (high * 67108864 + low) / 9007199254740992
    }
    return out
  }

  /**
   * `count` whole numbers in low … high - 1, as NumPy's `randint(low, high, size=count)`.
   *
   * Shape: [count], int32
   *
   * @throws DatasetError if the range is empty or does not fit int32.
   */
  randint(low: number, high: number, count: number): Int32Array {
    requireWhole('RandomState.randint', 'low', low, { least: -(2 ** 31), most: 2 ** 31 - 1 })
    requireWhole('RandomState.randint', 'high', high, { least: -(2 ** 31), most: 2 ** 31 })
    if (low >= high) throw new DatasetError(`RandomState.randint: there are no numbers from ${low} up to, but without, ${high}`)
    const out = memoryFor('randint', Int32Array, count)
    for (let i = 0; i < count; i++) out[i] = low + this.#interval(high - 1 - low)
    return out
  }

  /** Puts the items of an array into random order, in place, as NumPy's `shuffle`. */
  shuffle<A extends { [at: number]: unknown; readonly length: number }>(items: A): A {
    const list = Array.isArray(items) || (ArrayBuffer.isView(items) && !(items instanceof DataView))
    if (!list) throw new DatasetError(`RandomState.shuffle: items must be an array, got ${describeValue(items)}.`)
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#interval(i)
      const item = items[i]
      items[i] = items[j]
      items[j] = item
    }
    return items
  }

  /** The numbers 0 … count - 1 in random order, as NumPy's `permutation(count)`. */
  permutation(count: number): Int32Array {
    const out = memoryFor('permutation', Int32Array, count)
    for (let i = 0; i < count; i++) out[i] = i
    return this.shuffle(out)
  }
}
