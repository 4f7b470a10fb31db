/** Zip archives: what others read of ours, and directories that say what is not so. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { unzipSync, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { archive, type Fields } from '../../test/archive.js'
import { tempDir } from '../../test/helpers.js'
import { DatasetError } from '../errors.js'
import { crc32 } from './crc32.js'
import { unzip, zip } from './zip.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('zip', () => {
  const entries = { 'a.txt': utf8('hello'), 'größe/b': new Uint8Array(0), c: utf8('x'.repeat(70000)) }

  test('another reader finds every entry; the same entries give the same bytes', () => {
    const bytes = zip(Object.entries(entries))
    expect(unzipSync(bytes)).toEqual(entries)
    expect(zip(Object.entries(entries))).toEqual(bytes)
    expect(unzipSync(zip([]))).toEqual({})
  })
  test('keeps the order, of names like numbers, too, and names that objects have for themselves', () => {
    const names = ['10', '2', '__proto__', 'constructor', '1']
    const bytes = zip(names.map((name) => [name, utf8(name)]))
    expect([...unzip(bytes)]).toEqual(names.map((name) => [name, utf8(name)]))
  })
  test.each<[string, () => unknown, string]>([
    [
      'a name that comes twice',
      () =>
        zip([
          ['a', utf8('1')],
          ['a', utf8('2')],
        ]),
      'zip: there are two entries "a"',
    ],
    ['a name without end', () => zip([['x'.repeat(65536), utf8('1')]]), 'is longer than 65535 bytes'],
    ['65536 entries', () => zip(Array.from({ length: 65536 }, (_, i) => [`${i}`, new Uint8Array(0)] as const)), 'at most 65535 entries'],
    ['text', () => zip([['a', 'b' as unknown as Uint8Array]]), 'zip: entry "a" must be a Uint8Array, got text "b".'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

describe('unzip', () => {
  const content = utf8('hello hello hello hello')
  const packed = new Uint8Array(deflateRawSync(content))
  const stored: Fields = { name: 'a', crc: crc32(content), packedSize: content.length, size: content.length }
  const deflated: Fields = { ...stored, method: 8, packedSize: packed.length }
  const of = (fields: Fields, bytes = content): Uint8Array => archive([{ fields, bytes }], [{ fields }])

  test('reads stored and deflated entries, a comment behind the directory, and entries that fflate packed', () => {
    expect(unzip(of(stored)).get('a')).toEqual(content)
    expect(unzip(of(deflated, packed)).get('a')).toEqual(content)
    const commented = new Uint8Array([...of(stored), ...utf8('x'.repeat(300))])
    new DataView(commented.buffer).setUint16(commented.length - 302, 300, true)
    expect(unzip(commented).get('a')).toEqual(content)
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i}/x`, utf8(`${i}`.repeat(i))]))
    expect(Object.fromEntries(unzip(zipSync(many)))).toEqual(many)
  })
  test('gives entries of their own, also of a part of a larger memory', () => {
    const whole = new Uint8Array([1, 2, 3, ...of(stored)])
    const entry = unzip(Buffer.from(whole.buffer).subarray(3)).get('a')!
    entry[0] = 0
    expect(whole).toEqual(new Uint8Array([1, 2, 3, ...of(stored)]))
    expect(entry.byteLength).toBe(entry.buffer.byteLength)
  })

  test.each<[string, Uint8Array, string]>([
    [
      'two entries of one name',
      archive([{ fields: stored, bytes: content }], [{ fields: stored }, { fields: stored }]),
      'there are two entries "a"',
    ],
    [
      'entries over one block',
      archive([{ fields: stored, bytes: content }], [{ fields: stored }, { fields: { ...stored, name: 'b' } }]),
      'b shares its bytes with another entry',
    ],
    ['a stored entry that says 0 bytes', of({ ...stored, size: 0 }), 'a is stored, but its sizes differ: 23 and 0 bytes'],
    [
      'a stored entry that says more than there is',
      of({ ...stored, packedSize: 500, size: 500 }),
      'a reaches beyond the bytes of the archive',
    ],
    [
      'a deflated entry that says more than DEFLATE can make',
      of({ ...deflated, size: 2 ** 31 }, packed),
      'cannot unpack to the 2147483648 bytes',
    ],
    ['a deflated entry that says one byte less', of({ ...deflated, size: 22 }, packed), 'the CRC-32 of a is wrong'],
    ['a deflated entry that says one byte more', of({ ...deflated, size: 24 }, packed), 'a unpacks to 23 bytes, not to the 24'],
    ['an encrypted entry', of({ ...stored, flags: 1 }), 'a is encrypted'],
    ['another method', of({ ...stored, method: 93 }), 'a is packed by the method 93'],
    [
      'an entry that starts elsewhere',
      archive([{ fields: stored, bytes: content }], [{ fields: stored, offset: 5 }]),
      'the header of a is damaged',
    ],
    [
      'an entry beyond the file',
      archive([{ fields: stored, bytes: content }], [{ fields: stored, offset: 2 ** 31 }]),
      'the header of a is damaged',
    ],
    ['sizes elsewhere that are not there', of({ ...stored, packedSize: 0xffffffff, size: 0xffffffff }), 'reaches beyond'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => unzip(bytes, { name: 'x.zip' })).toThrow(DatasetError)
    expect(() => unzip(bytes, { name: 'x.zip' })).toThrow(
      `x.zip: no zip archive, or a truncated or damaged one, ${bytes.length} bytes long`,
    )
    expect(() => unzip(bytes)).toThrow(message)
  })
  test('what is not wanted may be what it likes', () => {
    const bad = { ...stored, name: 'b', method: 93 }
    const bytes = archive([{ fields: stored, bytes: content }], [{ fields: stored }, { fields: bad }])
    expect([...unzip(bytes, { filter: (name) => name === 'a' }).keys()]).toEqual(['a'])
  })
  test('an error of the filter is its own', () => {
    const run = () =>
      unzip(of(stored), {
        filter() {
          throw new TypeError('mine')
        },
      })
    expect(run).toThrow(new TypeError('mine'))
  })
  test('a limit of the caller, to the byte', () => {
    expect(() => unzip(of(stored), { maxBytes: 22 })).toThrow('zip data: unpacks to 23 bytes, more than the 22 expected at most')
    expect(unzip(of(stored), { maxBytes: 23 }).size).toBe(1)
  })
  test('nothing but zeros, beyond what is expected of an honest archive', () => {
    const zeros = new Uint8Array(deflateRawSync(new Uint8Array(2 ** 24)))
    const fields = (name: string): Fields => ({ name, method: 8, packedSize: zeros.length, size: 2 ** 24 })
    const blocks = Array.from({ length: 17 }, (_, i) => ({ fields: fields(`${i}`), bytes: zeros }))
    const bytes = archive(
      blocks,
      blocks.map((block, i) => ({ ...block, block: i })),
    )
    expect(() => unzip(bytes)).toThrow(
      `zip data: unpacks to ${17 * 2 ** 24} bytes, more than the ${2 ** 28} expected at most; if you trust it`,
    )
  })

  const python = '/usr/bin/python3'
  test.skipIf(!existsSync(python))("reads Python's archives with 64-bit sizes, and Python reads ours", async () => {
    const path = join(await tempDir(), 'x.zip')
    const write = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        info = zipfile.ZipInfo('größe%d' % method); info.compress_type = method
        with z.open(info, 'w', force_zip64=True) as f: f.write(b'hello' * 1000)`
    execFileSync(python, ['-c', write, path])
    const names = ['größe0', 'größe8']
    expect([...unzip(new Uint8Array(await readFile(path)))]).toEqual(names.map((name) => [name, utf8('hello'.repeat(1000))]))
    const read = `import io, sys, zipfile
z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
print(z.testzip(), [(i.filename, i.file_size, i.date_time) for i in z.infolist()])`
    const out = execFileSync(python, ['-c', read], { input: zip([['ü', utf8('abc')]]), encoding: 'utf8' })
    expect(out.trim()).toBe("None [('ü', 3, (1980, 1, 1, 0, 0, 0))]")
  })

  test('any damage is an error of ours, or the same entries', () => {
    const good = zipSync({ a: utf8('hello hello'), b: new Uint8Array(100) })
    const before = unzipSync(good)
    for (let at = 0; at < good.length; at++) {
      for (const bit of [1, 16, 128]) {
        const bytes = good.slice()
        bytes[at] ^= bit
        try {
          // Checksums do not cover the name, the time and the maker.
          for (const content of unzip(bytes).values()) expect(Object.values(before)).toContainEqual(content)
        } catch (error) {
          if (!(error instanceof DatasetError)) throw error
        }
      }
    }
  })
})
