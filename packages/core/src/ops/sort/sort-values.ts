/** Sorting values alone, without their positions. */
import type { HostValues } from '../../backends/backend.js'

/** Shorter rows are sorted by the typed array itself. */
const LONG = 2048
const DIGITS = 2048
const SIGN = 0x80000000

/**
 * Sorts values in place, least first, NaN last.
 *
 * Long rows of float32 are sorted by their bits, eleven at a time from the lowest on (radix sort). As in `row-order.ts`, a float of sign 0 becomes its
 * bits with the sign set, one of sign 1 its bits inverted, which grow with the values.
 */
export function sortValues(values: HostValues): void {
  if (values instanceof Float32Array && values.length >= LONG) sortByBits(values)
  else values.sort()
}

function sortByBits(values: Float32Array): void {
  const n = values.length
  let keys = new Uint32Array(values.buffer, values.byteOffset, n).slice()
  let spare = new Uint32Array(n)
  const counts = [0, 11, 22].map(() => new Uint32Array(DIGITS))
  const [low, middle, high] = counts
  for (let i = 0; i < n; i++) {
    const bits = keys[i]
    const key = Number.isNaN(values[i]) ? 0xffffffff : bits >= SIGN ? ~bits : bits | SIGN
    keys[i] = key
    low[key & 2047]++
    middle[(key >>> 11) & 2047]++
    high[key >>> 22]++
  }
  for (const [pass, places] of counts.entries()) {
    const shift = 11 * pass
    for (let digit = 0, sum = 0; digit < DIGITS; digit++) {
      const count = places[digit]
      places[digit] = sum
      sum += count
    }
    for (let i = 0; i < n; i++) spare[places[(keys[i] >>> shift) & 2047]++] = keys[i]
    ;[keys, spare] = [spare, keys]
  }
  for (let i = 0; i < n; i++) keys[i] = keys[i] >= SIGN ? keys[i] ^ SIGN : ~keys[i]
  values.set(new Float32Array(keys.buffer))
}
