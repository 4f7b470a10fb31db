/**
 * Files of h5py 3 with the oldest and the newest structures of HDF5, compared with what h5py reads. Damaged files and files that ask for too much are refused.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkH5 } from '../src/io/h5-check.js'
import { type H5Group, readH5 } from '../src/io/h5-tree.js'

const path = (name: string): string => join(import.meta.dirname, '../../core/test/golden/h5', name)

/** The contents of a group by path: the groups, and shapes and values of the arrays. */
function objectsIn({ arrays, groups }: H5Group, at = ''): Record<string, unknown> {
  return Object.assign(
    Object.fromEntries(
      [...arrays].map(([name, { shape, data }]) => [at + name, { shape, data: Array.from(data as Float32Array, Number) }]),
    ),
    ...[...groups].map(([name, group]) => ({ [at + name]: 'group', ...objectsIn(group, `${at}${name}/`) })),
  )
}

describe.each(['oldest', 'newest'])('the %s structures', (name) => {
  const bytes = readFileSync(path(`${name}.h5`))

  test('attributes and arrays are what h5py reads', async () => {
    const want = JSON.parse(readFileSync(path(`${name}.json`), 'utf8'))
    const root = await readH5(bytes, 'file')
    expect(Object.fromEntries(root.attributes)).toEqual(want.attributes)
    expect(objectsIn(root)).toEqual(want.objects)
  })

  test('the file is not changed by reading, wherever its bytes lie', async () => {
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const root = await readH5(shifted.subarray(3), 'file')
    expect(objectsIn(root)).toEqual(objectsIn(await readH5(bytes, 'file')))
    expect(Buffer.compare(shifted.subarray(3), readFileSync(path(`${name}.h5`)))).toBe(0)
  })
})

test('damage in the newest structures is found by their checksums', async () => {
  const bytes = readFileSync(path('newest.h5'))
  for (const letters of ['OHDR', 'FRHP', 'BTHD', 'BTLF', 'FHDB', 'FAHD']) {
    const damaged = Uint8Array.from(bytes)
    damaged[bytes.indexOf(letters) + 20] ^= 1
    await expect(readH5(damaged, 'file'), letters).rejects.toThrow(/^file: .*damaged or truncated.*41718 bytes long/)
  }
})

/** Copies of the file, each with a number of `bytes` bytes overwritten at one place. */
const changed = (bytes: Uint8Array, at: number, value: bigint): Uint8Array => {
  const out = Uint8Array.from(bytes)
  new DataView(out.buffer).setBigUint64(at, value, true)
  return out
}

describe('what would make the library loop is refused before it', () => {
  const oldest = readFileSync(path('oldest.h5'))
  const newest = readFileSync(path('newest.h5'))

  test('a heap of names whose free space leads round in a circle', async () => {
    const heap = oldest.indexOf('HEAP')
    const data = Number(oldest.readBigUint64LE(heap + 24))
    // The first free block at offset 8 of the names, which leads to itself.
    const circle = changed(changed(oldest, heap + 16, 8n), data + 8, 8n)
    await expect(readH5(circle, 'file')).rejects.toThrow(/^file: a damaged .* free space of a heap of names leads round in a circle/)
  })

  test.each(['oldest', 'newest'])('free space of no bytes in a heap of texts (%s)', async (name) => {
    const bytes = name === 'oldest' ? oldest : newest
    const first = bytes.indexOf('GCOL') + 16
    const empty = changed(changed(bytes, first, 0n), first + 8, 0n)
    await expect(readH5(empty, 'file')).rejects.toThrow('the free space of a global heap has 0 bytes')
  })

  test('a B-tree that leads back to its root', async () => {
    const tree = oldest.indexOf('TREE')
    const level = Uint8Array.from(oldest)
    level.set([1, 1, 0], tree + 5) // of level 1, with one child
    await expect(readH5(changed(level, tree + 32, BigInt(tree)), 'file')).rejects.toThrow(
      `the B-tree at ${tree} leads back to its node at ${tree}`,
    )
  })

  test('an object header that goes on in itself', async () => {
    // A continuation message (kind 0x10, 16 bytes) of the oldest headers: 10 00 10 00, flags, padding; then the address.
    const at = oldest.indexOf(Buffer.from([0x10, 0, 0x10, 0, 0, 0, 0, 0]))
    expect(at).toBeGreaterThan(0)
    const block = Number(oldest.readBigUint64LE(at + 8))
    const inner = Uint8Array.from(oldest)
    inner.set(oldest.subarray(at, at + 24), block)
    await expect(readH5(inner, 'file')).rejects.toThrow(/goes on in itself/)
  })
})

test('1000 hard links to an array of a megabyte: each is counted before it is read; the limit is an option', async () => {
  const bytes = readFileSync(path('links.h5'))
  await expect(readH5(bytes, 'file')).rejects.toThrow(
    /^file: ".*": the file asks for \d+ bytes, more than the 268435456 expected at most; if you trust it, pass a larger maxBytes/,
  )
  const { arrays } = await readH5(bytes, 'file', 2 ** 31)
  expect(arrays.size).toBe(1001)
})

test('300 texts that are one text of 20 kB: each reference counts, since the library copies the text for each', async () => {
  const bytes = readFileSync(path('texts.h5'))
  await expect(readH5(bytes, 'file', 2 ** 22)).rejects.toThrow(
    /^file: root: the file asks for 60\d{5} bytes, more than the 4194304 expected/,
  )
  const names = (await readH5(bytes, 'file')).attributes.get('names')
  expect(names).toEqual(Array(300).fill('y'.repeat(20_000)))
})

test('texts of attributes in a separate heap count as the longest text of the file', async () => {
  const bytes = readFileSync(path('newest.h5'))
  expect(checkH5(bytes)).toEqual({ attributes: 20, textBytes: 0, longestText: 10 })
  // Each of the first attributes is a text: 1 and 10 bytes. Without the 10 the limit would be met at "@huge".
  await expect(readH5(bytes, 'file', 60)).rejects.toThrow('file: "@attr3": the file asks for 66 bytes, more than the 60 expected')
})

test('an array that says it has 4 GiB', async () => {
  const bytes = Uint8Array.from(readFileSync(path('oldest.h5')))
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 8 <= bytes.length; at++) if (view.getBigUint64(at, true) === 1100n) view.setBigUint64(at, 2n ** 30n, true)
  await expect(readH5(bytes, 'file')).rejects.toThrow(/^file: damaged or truncated at "pages", .* more than the file can hold/)
})
