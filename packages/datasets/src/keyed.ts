/**
 * Draws from the keys of @cotangent/core: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). It is written twice because this package does not depend on core; a test compares both.
 */
import { type Check, describeValue } from './arguments.js'
import { DatasetError } from './errors.js'

/** A random key, as `key(7)` of @cotangent/core makes it: two 32-bit words. */
export type RandomKey = readonly [number, number]

const rotations = [13, 15, 26, 6, 17, 29, 16, 24]

/** A check of the option `key`. */
export const requireKey: Check = (what, name, value) => {
  if (Array.isArray(value) && value.length === 2 && value.every((word) => Number.isSafeInteger(word))) return
  const example = Number.isSafeInteger(value) ? `key(${value})` : 'key(7)'
  throw new DatasetError(
    `${what}: ${name} must be a random key, got ${describeValue(value)}. Make one of a seed with @cotangent/core: ${example}.`,
  )
}

/** Two random words for a key and a counter of two words. */
function block([k0, k1]: RandomKey, c0: number, c1: number): [number, number] {
  const schedule = [k0 | 0, k1 | 0, 0x1bd11bda ^ k0 ^ k1]
  let x0 = (c0 + k0) | 0
  let x1 = (c1 + k1) | 0
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 4; i++) {
      const r = rotations[(group % 2) * 4 + i]
      x0 = (x0 + x1) | 0
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0
    }
    x0 = (x0 + schedule[(group + 1) % 3]) | 0
    x1 = (x1 + schedule[(group + 2) % 3] + group + 1) | 0
  }
  return [x0 >>> 0, x1 >>> 0]
}

/** The key of item `index` of a series: core's `foldKey`. */
export const foldKey = (key: RandomKey, index: number): RandomKey => block(key, index, 0x5eed)

/** `count` whole numbers from 0 to below `end`: core's `randomInteger(key, [count], 0, end)`. */
export const wholesBelow = (key: RandomKey, count: number, end: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => {
    const [a, b] = block(key, i, 0)
    return Math.floor(((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53 * end)
  })
