/** Damage: bytes and JSON changed at random, the same way for the same seed. */

/** Random whole numbers from 0 to below `most`. */
export type Random = (most: number) => number

/** mulberry32 (Tommy Ettinger): 32 bits of state are enough to choose damage. */
export function randomFrom(seed: number): Random {
  let state = seed | 0
  return (most) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * most)
  }
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)]

/** Numbers at which readers may break. */
const extremes = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
]

type ByteChange = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

const joined = (...parts: Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const byteChanges: readonly ByteChange[] = [
  (bytes, random) => {
    bytes[random(bytes.length)] ^= 1 << random(8)
    return bytes
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256)
    return bytes
  },
  // A number at its extremes, or a little more or less than it was.
  (bytes, random) => {
    const width = pick(random, [1, 2, 4, 8])
    const at = random(Math.max(1, bytes.length - width))
    const number = pick(random, extremes)
    const bigEndian = random(4) === 0
    for (let i = 0; i < width && at + i < bytes.length; i++)
      bytes[at + (bigEndian ? width - 1 - i : i)] = Number((number >> BigInt(8 * i)) & 255n)
    return bytes
  },
  (bytes, random) => {
    const at = random(bytes.length)
    bytes[at] = bytes[at] + random(5) - 2
    return bytes
  },
  // A run of one byte.
  (bytes, random) => {
    const at = random(bytes.length)
    bytes.fill(pick(random, [0, 255, 0x20, random(256)]), at, at + 1 + random(32))
    return bytes
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  // A piece left out, twice, or over another place.
  (bytes, random) => {
    const at = random(bytes.length)
    const end = Math.min(bytes.length, at + 1 + random(64))
    return joined(bytes.subarray(0, at), bytes.subarray(end))
  },
  (bytes, random) => {
    const at = random(bytes.length)
    const end = Math.min(bytes.length, at + 1 + random(256))
    return joined(bytes.subarray(0, end), bytes.subarray(at))
  },
  (bytes, random) => {
    const [from, to] = [random(bytes.length), random(bytes.length)]
    bytes.copyWithin(to, from, from + 1 + random(64))
    return bytes
  },
  // The beginning of one file and the end of another.
  (bytes, random, other) => joined(bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length))),
  (bytes, random, other) => {
    const from = random(other.length)
    bytes.set(other.subarray(from, from + Math.min(64, bytes.length)).subarray(0, bytes.length), 0)
    return bytes
  },
]

/** Bytes with one to four changes. */
export function mutateBytes(seed: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed)
  const changes = 1 + (random(3) === 0 ? random(4) : 0)
  // The last two combine files; they are rare.
  for (let i = 0; i < changes && bytes.length > 0; i++)
    bytes = Uint8Array.from(byteChanges[random(byteChanges.length - random(2) * 2)](bytes, random, other))
  return bytes
}

/** Values that no reader expects. */
const oddities: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  0.5,
  -0.5,
  1e9,
  2 ** 31,
  2 ** 53,
  1e300,
  -1e300,
  '',
  'a',
  '1',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'valueOf',
  [],
  [null],
  [1],
  [1, 2],
  [-1, 2],
  [[1, 2], 3],
  ['a'],
  {},
  { a: 1 },
  { class_name: 'Dense', config: {} },
  { class_name: 'constructor', config: { name: 'constructor' } },
  { class_name: 'Sequential', config: { layers: [] } },
  { class_name: '__tuple__', items: [1, 2] },
]
const keys = ['constructor', 'toString', 'name', 'units', 'layers', 'dtype', 'batch_input_shape', 'x', 'cell', 'config', 'trainable']

/** Every place in a value that holds another: its holder and key. */
function places(value: unknown, out: [object, string | number][] = []): [object, string | number][] {
  if (typeof value !== 'object' || value === null) return out
  for (const key of Object.keys(value)) {
    out.push([value, Array.isArray(value) ? Number(key) : key])
    places((value as Record<string, unknown>)[key], out)
  }
  return out
}

const copy = <Value>(value: Value): Value => (value === undefined ? value : JSON.parse(JSON.stringify(value)))

function changeValue(value: unknown, random: Random, others: readonly unknown[]): unknown {
  if (typeof value === 'number' && random(2) === 0)
    return pick(random, [0, -1, value + 1, value - 1, -value, value * 1000, value * 2 ** 20, 0.5, 2 ** 31, 1e18])
  if (typeof value === 'string' && random(2) === 0)
    return pick(random, [value.toUpperCase(), `${value}_`, value.slice(1), 'constructor', '__proto__', `${value}\u0000`])
  if (Array.isArray(value) && value.length > 0 && random(2) === 0) {
    const list = [...value]
    const at = random(list.length)
    return pick(random, [
      () => list.slice(0, at),
      () => [...list, list[at]],
      () => list.reverse(),
      () => [list],
      () => list.flat(),
      () => list.filter((_, i) => i !== at),
    ])()
  }
  return random(3) === 0 ? copy(pick(random, others)) : copy(pick(random, oddities))
}

/** JSON with one to three places changed: another value, one from elsewhere, a key more, one less, or under another name. */
export function mutateJson(seed: unknown, random: Random): unknown {
  const value = copy(seed)
  const changes = 1 + (random(3) === 0 ? random(3) : 0)
  for (let i = 0; i < changes; i++) {
    const all = places(value)
    if (all.length === 0) return pick(random, oddities)
    const [holder, key] = pick(random, all)
    const record = holder as Record<string | number, unknown>
    const kind = random(8)
    if (kind === 0 && !Array.isArray(holder)) delete record[key]
    else if (kind === 1 && !Array.isArray(holder)) {
      // Computed, so that "__proto__" is a key like others.
      Object.defineProperty(record, pick(random, [...keys, '__proto__']), {
        value: copy(pick(random, oddities)),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } else if (kind === 2 && !Array.isArray(holder)) {
      const name = pick(random, [`${key}_`, String(key).toUpperCase(), pick(random, keys)])
      record[name] = record[key]
      delete record[key]
    } else {
      const others = all.map(([other, at]) => (other as Record<string | number, unknown>)[at])
      record[key] = changeValue(record[key], random, others)
    }
  }
  return value
}
