/** 64-bit hashes of bytes that TensorFlow's string operations use. Words are BigInts below 2^64. */

const mask = 0xffffffffffffffffn
const k0 = 0xc3a5c85c97cb3127n
const k1 = 0xb492b66fbe98f273n
const k2 = 0x9ae16a3b2f90404fn

const u64 = (x: bigint): bigint => x & mask
const right = (x: bigint, by: bigint): bigint => ((x >> by) | (x << (64n - by))) & mask
const mixed = (x: bigint): bigint => x ^ (x >> 47n)

function pair(u: bigint, v: bigint, mul: bigint): bigint {
  const a = mixed(u64((u ^ v) * mul))
  return u64(mixed(u64((v ^ a) * mul)) * mul)
}

/** Two words of 32 bytes, from two seeds. */
function weak([w, x, y, z]: readonly bigint[], a: bigint, b: bigint): [bigint, bigint] {
  const first = u64(a + w)
  const turned = right(u64(b + first + z), 21n)
  const sum = u64(first + x + y)
  return [u64(sum + z), u64(turned + right(sum, 44n) + first)]
}

/**
 * FarmHash64 (G. Pike, Google 2014), as TensorFlow's `Fingerprint64`: `farmhashna::Hash64`.
 */
export function farmHash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { length } = bytes
  const at = (offset: number): bigint => view.getBigUint64(offset, true)
  const word = (offset: number): bigint => BigInt(view.getUint32(offset, true))
  const n = BigInt(length)
  const mul = u64(k2 + 2n * n)
  if (length === 0) return k2
  if (length < 4) {
    const y = BigInt(bytes[0] + (bytes[length >> 1] << 8))
    const z = n + BigInt(bytes[length - 1] << 2)
    return u64(mixed(u64(y * k2) ^ u64(z * k0)) * k2)
  }
  if (length < 8) return pair(u64(n + (word(0) << 3n)), word(length - 4), mul)
  if (length <= 16) {
    const a = u64(at(0) + k2)
    const b = at(length - 8)
    return pair(u64(right(b, 37n) * mul + a), u64((right(a, 25n) + b) * mul), mul)
  }
  if (length <= 64) {
    const short = length <= 32
    const a = u64(at(0) * (short ? k1 : k2))
    const b = at(8)
    const c = u64(at(length - 8) * mul)
    const d = u64(at(length - 16) * k2)
    const y = u64(right(u64(a + b), 43n) + right(c, 30n) + d)
    const z = pair(y, u64(a + right(u64(b + k2), 18n) + c), mul)
    if (short) return z
    const e = u64(at(16) * mul)
    const f = at(24)
    const g = u64((y + at(length - 32)) * mul)
    const h = u64((z + at(length - 24)) * mul)
    return pair(u64(right(u64(e + f), 43n) + right(g, 30n) + h), u64(e + right(u64(f + a), 18n) + g), mul)
  }
  return longFarmHash(at, length)
}

/** More than 64 bytes: 56 bytes of state, 64 bytes a round. */
function longFarmHash(at: (offset: number) => bigint, length: number): bigint {
  const four = (s: number): readonly bigint[] => [at(s), at(s + 8), at(s + 16), at(s + 24)]
  let x = 81n
  let y = u64(81n * k1 + 113n)
  let z = u64(mixed(u64(y * k2 + 113n)) * k2)
  let v: [bigint, bigint] = [0n, 0n]
  let w: [bigint, bigint] = [0n, 0n]
  x = u64(x * k2 + at(0))
  const round = (s: number, mul: bigint, last: boolean): void => {
    const nine = last ? 9n : 1n
    x = u64(right(u64(x + y + v[0] + at(s + 8)), 37n) * mul)
    y = u64(right(u64(y + v[1] + at(s + 48)), 42n) * mul)
    x ^= u64(w[1] * nine)
    y = u64(y + v[0] * nine + at(s + 40))
    z = u64(right(u64(z + w[0]), 33n) * mul)
    v = weak(four(s), u64(v[1] * mul), u64(x + w[0]))
    w = weak(four(s + 32), u64(z + w[1]), u64(y + at(s + 16)))
    ;[z, x] = [x, z]
  }
  const end = Math.floor((length - 1) / 64) * 64
  for (let s = 0; s < end; s += 64) round(s, k1, false)
  const mul = u64(k1 + ((z & 0xffn) << 1n))
  const rest = (length - 1) & 63
  w[0] = u64(w[0] + BigInt(rest))
  v[0] = u64(v[0] + w[0])
  w[0] = u64(w[0] + v[0])
  round(end + rest - 63, mul, true)
  return pair(u64(pair(v[0], w[0], mul) + mixed(y) * k0 + z), u64(pair(v[1], w[1], mul) + x), mul)
}

/** SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012) with a key of two words. */
export function sipHash64(bytes: Uint8Array, [first, second]: readonly [bigint, bigint]): bigint {
  const left = (x: bigint, by: bigint): bigint => right(x, 64n - by)
  let v0 = first ^ 0x736f6d6570736575n
  let v1 = second ^ 0x646f72616e646f6dn
  let v2 = first ^ 0x6c7967656e657261n
  let v3 = second ^ 0x7465646279746573n
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = u64(v0 + v1)
      v1 = left(v1, 13n) ^ v0
      v0 = left(v0, 32n)
      v2 = u64(v2 + v3)
      v3 = left(v3, 16n) ^ v2
      v0 = u64(v0 + v3)
      v3 = left(v3, 21n) ^ v0
      v2 = u64(v2 + v1)
      v1 = left(v1, 17n) ^ v2
      v2 = left(v2, 32n)
    }
  }
  const add = (word: bigint): void => {
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length - (bytes.length % 8)
  for (let s = 0; s < whole; s += 8) add(view.getBigUint64(s, true))
  let last = BigInt(bytes.length & 0xff) << 56n
  for (let i = whole; i < bytes.length; i++) last |= BigInt(bytes[i]) << BigInt(8 * (i - whole))
  add(last)
  v2 ^= 0xffn
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}

/** A salt: one number for both words of the key, or two. */
export type Salt = number | readonly [number, number]

const encoder = new TextEncoder()

/** The hash of a text, or of a number's digits: FarmHash64, or SipHash with a salt. */
export function fingerprint(value: string | number, salt?: Salt | null): bigint {
  const bytes = encoder.encode(String(value))
  if (salt === undefined || salt === null) return farmHash64(bytes)
  const [a, b] = typeof salt === 'number' ? [salt, salt] : salt
  return sipHash64(bytes, [u64(BigInt(a)), u64(BigInt(b))])
}
