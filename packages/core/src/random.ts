/**
 * Counter-based random numbers: each value is a pure function of a key and a position. There is no hidden state, so neither the order of calls nor the
 * number of threads changes a value.
 *
 * The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). Element i of a stream is word i mod 2 of the block with the counter (⌊i/2⌋, 0). A float takes the upper 24 bits of its word.
 */
import { describeValue, requireWhole } from './arguments.js'
import { ValueError } from './errors.js'
import { stepListener } from './step-listener.js'
import { requireWholes } from './tensor/shape.js'

/** A random key: two 32-bit words. `key` makes one from a seed; `splitKey` and `foldKey` make more from one. */
export type Key = readonly [number, number]

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const

/** Whether the value is a key. */
export const isKey = (value: unknown): value is Key =>
  Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && Number.isSafeInteger(value[1])

/** Throws unless the value is a key. */
export function requireKey(what: string, value: unknown): void {
  if (isKey(value)) return
  const example = Number.isSafeInteger(value) ? `key(${value})` : 'key(7)'
  throw new ValueError(`${what}: expected a random key, got ${describeValue(value)}. Make one of a seed: ${example}.`)
}

/**
 * One block of Threefry-2x32-20 (Salmon et al. 2011): two words of the key and two of the counter give two random words, as unsigned integers.
 *
 * @throws ValueError unless the key and the counter are two whole numbers each.
 * @example
 * ```ts
 * threefry2x32([0, 0], [0, 0]) // [1797259609, 2579123966]
 * ```
 */
export function threefry2x32(key: Key, counter: readonly [number, number]): [number, number] {
  requireKey('threefry2x32', key)
  requireWholes('threefry2x32', 'counter', counter, 2)
  stepListener()?.drawn(key)
  return block(key, counter)
}

/** The same without checks. */
export function block(key: Key, counter: readonly [number, number]): [number, number] {
  const k0 = key[0] | 0
  const k1 = key[1] | 0
  const schedule = [k0, k1, 0x1bd11bda ^ k0 ^ k1]
  let x0 = (counter[0] + k0) | 0
  let x1 = (counter[1] + k1) | 0
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) * 4
    for (let i = first; i < first + 4; i++) {
      const r = ROTATIONS[i]
      x0 = (x0 + x1) | 0
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0
    }
    x0 = (x0 + schedule[(group + 1) % 3]) | 0
    x1 = (x1 + schedule[(group + 2) % 3] + group + 1) | 0
  }
  return [x0 >>> 0, x1 >>> 0]
}

/**
 * The key of a seed. A seed is a whole number from 0 to 2^53 − 1.
 *
 * @throws ValueError for any other seed.
 * @example
 * ```ts
 * const [weights, noise] = splitKey(key(7))
 * const w = normal(weights, [784, 128], { stddev: 0.05 })
 * ```
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ValueError(`key: the seed must be a whole number from 0 to 2^53 - 1, got ${describeValue(seed)}.`)
  }
  return [Math.floor(seed / 2 ** 32), seed >>> 0]
}

/**
 * Makes `count` new keys out of one, by default two. Do not draw from the old key afterwards.
 *
 * @throws ValueError unless `from` is a key.
 * @example
 * ```ts
 * const [weights, noise] = splitKey(key(7))
 * const keys = splitKey(key(7), 3)
 * console.log(keys.length) // 3
 * ```
 */
export function split(from: Key, count = 2): Key[] {
  requireKey('splitKey', from)
  requireWhole('splitKey', 'count', count, { least: 0, most: 2 ** 32 - 1 })
  return Array.from({ length: count }, (_, i) => fold(from, i))
}

/**
 * The key of item `index` of a series: a key for each layer, each step, each epoch.
 *
 * @throws ValueError unless `from` is a key and `index` a whole number.
 * @example
 * ```ts
 * const root = key(7)
 * const ofStep = (step: number) => foldKey(root, step)
 * console.log(ofStep(1).length) // 2
 * ```
 */
export function fold(from: Key, index: number): Key {
  requireKey('foldKey', from)
  requireWhole('foldKey', 'index', index, { least: 0, most: 2 ** 32 - 1 })
  const made = foldOf(from, index)
  stepListener()?.folded(from, index, made)
  return made
}

/** The same without checks. */
export const foldOf = (from: Key, index: number): [number, number] => block(from, [index, 0x5eed])

/** Fills `out` with the values 0, 1, … of the key's stream: floats uniform in [0, 1), multiples of 2^-24. */
export function uniformInto(out: Float32Array | Float64Array, from: Key): void {
  stepListener()?.drawn(from)
  for (let i = 0; i < out.length; i += 2) {
    const [a, b] = block(from, [i >>> 1, 0])
    out[i] = (a >>> 8) * 2 ** -24
    if (i + 1 < out.length) out[i + 1] = (b >>> 8) * 2 ** -24
  }
}

/**
 * The numbers 0 … n−1 in random order (Fisher–Yates; Durstenfeld 1964). Each swap takes one draw; the bias of the modulo is below n·2^-53.
 *
 * @throws ValueError unless `from` is a key and n a whole number.
 * @example
 * ```ts
 * const order = permutation(key(7), 5)
 * console.log([...order].sort()) // [0, 1, 2, 3, 4]
 * ```
 */
export function permutation(from: Key, n: number): Int32Array {
  requireKey('permutation', from)
  requireWhole('permutation', 'n', n, { least: 0, most: 2 ** 31 - 1 })
  stepListener()?.drawn(from)
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  for (let i = n - 1; i > 0; i--) {
    const [a, b] = block(from, [i, 1])
    const j = ((a >>> 6) * 2 ** 27 + (b >>> 5)) % (i + 1)
    const swap = order[i]
    order[i] = order[j]
    order[j] = swap
  }
  return order
}
