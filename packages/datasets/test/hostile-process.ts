/** Reads files that ask for far more than they hold, one after the other. Prints each reader's message and the memory that it took. */
import { deflateRawSync } from 'node:zlib'
import { jenaClimate, parseNpyLists, parseNpz, unzip } from '../src/index.js'
import { archive, type Fields } from './archive.js'

const MB = 2 ** 20
const zeros = new Uint8Array(deflateRawSync(new Uint8Array(32 * MB)))

/** An archive with `count` entries of 32 MB of zeros. Each has its own block, or all share the first. */
function bomb(count: number, shared: boolean): Uint8Array {
  const fields = (i: number): Fields => ({ name: `${i}.npy`, method: 8, packedSize: zeros.length, size: 32 * MB })
  const entries = Array.from({ length: count }, (_, i) => ({ fields: fields(i), bytes: zeros, block: shared ? 0 : i }))
  return archive(shared ? entries.slice(0, 1) : entries, entries)
}

/** Entries of 1 MB that share one block and claim to have no bytes. */
function liars(count: number): Uint8Array {
  const fields = (i: number): Fields => ({ name: `${i}`, packedSize: MB, size: 0 })
  const entries = Array.from({ length: count }, (_, i) => ({ fields: fields(i) }))
  return archive([{ fields: fields(0), bytes: new Uint8Array(MB) }], entries)
}

/** A .npy file of objects with this pickle. */
function pickled(lists: number, pickle: Uint8Array): Uint8Array {
  const header = `{'descr': '|O', 'fortran_order': False, 'shape': (${lists},), }\n`
  const start = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0)
  return new Uint8Array(Buffer.concat([start, Buffer.from(header), pickle]))
}

/** Memo numbers in steps of a thousand. */
function skips(count: number): Uint8Array {
  const out = Buffer.alloc(1 + 5 * count, 0x5d)
  for (let i = 0; i < count; i++) {
    out[1 + 5 * i] = 0x72
    out.writeUInt32LE(1000 * i, 2 + 5 * i)
  }
  return out
}

const commas = ','.repeat(64 * MB)
const header = 'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n'

const readings: Record<string, () => unknown> = {
  'zip entries over one block': () => unzip(bomb(60, true), { maxBytes: 2 ** 31 }),
  'stored entries that lie about their size': () => unzip(liars(1000)),
  'an honest bomb': () => unzip(bomb(20, false)),
  'an honest bomb in a .npz': () => parseNpz(bomb(20, false)),
  'a pickle of lists': () => parseNpyLists(pickled(4, new Uint8Array(4 * MB).fill(0x5d))),
  'a pickle of lists, announced': () => parseNpyLists(pickled(4 * MB, new Uint8Array(4 * MB).fill(0x5d))),
  'a pickle of tuples': () => parseNpyLists(pickled(4, new Uint8Array(4 * MB).fill(0x29))),
  'a pickle of names that skip': () => parseNpyLists(pickled(4, skips(MB / 2))),
  'a header of commas': () => jenaClimate.parseCsv(commas),
  'a row of commas': () => jenaClimate.parseCsv(header + commas),
}

const memory = (): number => process.resourceUsage().maxRSS / 1024
const out: Record<string, { said: string; megabytes: number }> = {}
for (const [name, read] of Object.entries(readings)) {
  const before = memory()
  let said = 'nothing'
  try {
    read()
  } catch (error) {
    said = String(error)
  }
  out[name] = { said, megabytes: memory() - before }
}
console.log(JSON.stringify(out))
