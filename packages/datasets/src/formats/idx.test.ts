import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeIdx, gzip } from '../../test/helpers.js'
import { tinyFiles } from '../../test/tiny.js'
import type { TypedArray } from '../array.js'
import { DatasetError } from '../errors.js'
import { gunzip } from './gzip.js'
import { parseIdx, readIdx } from './idx.js'

const images = tinyFiles['train-images-idx3-ubyte']

const edited = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy.set(values, at)
  return copy
}

/** The error of a call that must fail with the package's own type. */
async function errorOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    expect(error).toBeInstanceOf(DatasetError)
    return (error as DatasetError).message
  }
  return expect.fail('nothing was thrown')
}

describe('parseIdx', () => {
  test.each<[string, TypedArray]>([
    ['uint8', Uint8Array.of(0, 1, 127, 128, 254, 255)],
    ['int8', Int8Array.of(0, 1, 127, -128, -2, -1)],
    ['int16', Int16Array.of(0, 1, 258, -32768, 32767, -2)],
    ['int32', Int32Array.of(0, 1, 16909060, -(2 ** 31), 2 ** 31 - 1, -2)],
    ['float32', Float32Array.of(0, 1.5, -1e-38, 3.4e38, Number.POSITIVE_INFINITY, Number.NaN)],
    ['float64', Float64Array.of(0, 1.5, -1e-300, Math.PI, Number.NEGATIVE_INFINITY, Number.NaN)],
  ])('reads %s', (_, data) => {
    const array = parseIdx(encodeIdx({ shape: [3, 2], data }))
    expect(array.shape).toEqual([3, 2])
    expect(array.data).toEqual(data)
  })

  test('reads the bytes the format description gives', () => {
    const int16 = parseIdx(Uint8Array.of(0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe))
    expect(int16).toEqual({ shape: [2], data: Int16Array.of(258, -2) })
  })

  test('reads at an odd offset, and from a Buffer as a plain Uint8Array view', () => {
    const data = Float64Array.of(1, 2)
    const padded = new Uint8Array([9, 9, 9, ...encodeIdx({ shape: [2], data })])
    expect(parseIdx(padded.subarray(3)).data).toEqual(data)
    const buffer = Buffer.from(images)
    const view = parseIdx(buffer)
    expect(Object.getPrototypeOf(view.data)).toBe(Uint8Array.prototype)
    expect(view.data.buffer).toBe(buffer.buffer)
  })

  test('reads an empty array, whatever its other sizes', () => {
    const shape = [0, 0xffffffff, 0xffffffff]
    expect(parseIdx(encodeIdx({ shape, data: new Uint8Array(0) }))).toEqual({ shape, data: new Uint8Array(0) })
  })

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'f: truncated: an IDX file starts with 4 bytes, found 0'],
    [
      'another format',
      new TextEncoder().encode('<!doctype html>'),
      'f: not an IDX file: expected it to start with the bytes 00 00, found 3c 21 64 6f',
    ],
    ['an unknown element type', edited(images, 2, 0x0a), 'f: not an IDX file: unknown element type 0a (known: 08 uint8, 09 int8'],
    ['no axes', edited(images, 3, 0), 'f: an IDX file has one axis or more, found 0'],
    ['half a header', images.subarray(0, 9), 'f: truncated: 3 axes need a header of 16 bytes, found 9'],
    ['missing elements', images.subarray(0, 20), 'f: truncated: uint8 of shape [3, 2, 2] is 28 bytes with its header, found 20'],
    ['trailing bytes', new Uint8Array([...images, 0]), 'f: trailing bytes: uint8 of shape [3, 2, 2] is 28 bytes with its header, found 29'],
    ['absurd sizes', edited(images, 4, ...new Array(12).fill(255)), 'f: truncated: uint8 of shape [4294967295, 4294967295, 4294967295]'],
    ['gzip', gzip(images), 'f: is packed with gzip; read it with readIdx, or unpack it first'],
  ])('refuses %s', async (_, bytes, message) => {
    expect(await errorOf(() => parseIdx(bytes, 'f'))).toContain(message)
  })

  test('255 axes of absurd sizes are refused before anything is allocated', async () => {
    const bytes = new Uint8Array(4 + 4 * 255).fill(255)
    bytes.set([0, 0, 0x0e, 255])
    expect(await errorOf(() => parseIdx(bytes, 'f'))).toMatch(/^f: truncated: float64 of shape/)
  })
})

describe('readIdx and gunzip', () => {
  test('read packed and unpacked bytes alike', async () => {
    expect(await readIdx(images)).toEqual(parseIdx(images))
    expect(await readIdx(gzip(images))).toEqual(parseIdx(images))
  })

  test('name a truncated and a damaged file', async () => {
    const packed = gzip(images)
    const truncated = await errorOf(() => readIdx(packed.subarray(0, -9), { name: 'x.gz' }))
    expect(truncated).toContain(`x.gz: truncated or damaged gzip data, ${packed.length - 9} bytes long (`)
    const crc = packed.length - 8
    expect(await errorOf(() => readIdx(edited(packed, crc, packed[crc] ^ 1), { name: 'x.gz' }))).toContain('x.gz: truncated or damaged')
    expect(await errorOf(() => gunzip(new Uint8Array(0), { name: 'x.gz' }))).toContain('x.gz: truncated or damaged gzip data, 0 bytes long')
  })

  test('stop at the limit', async () => {
    const bomb = gzip(new Uint8Array(50_000_000))
    expect(bomb.length).toBeLessThan(60_000)
    const message = await errorOf(() => gunzip(bomb, { name: 'bomb.gz', maxBytes: 1000 }))
    expect(message).toContain('bomb.gz: unpacks to more than the 1000 bytes expected at most; if you trust it')
    expect((await gunzip(gzip(new Uint8Array(1000)), { maxBytes: 1000 })).length).toBe(1000)
  })
})

describe('hostile bytes only ever raise a DatasetError', () => {
  const survives = async (bytes: Uint8Array): Promise<void> => {
    try {
      const { data, shape } = await readIdx(bytes, { maxBytes: 1 << 20 })
      expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
    } catch (error) {
      expect(error).toBeInstanceOf(DatasetError)
    }
  }
  const valid = fc.constantFrom<TypedArray>(new Uint8Array(12), new Int16Array(12), new Float32Array(12), new Float64Array(12))

  test('random bytes', () => fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 2000 }))

  test('random sizes and elements after a good start', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(8, 9, 11, 12, 13, 14), fc.nat(255), fc.uint8Array({ maxLength: 200 }), (code, rank, rest) =>
        survives(new Uint8Array([0, 0, code, rank, ...rest])),
      ),
      { numRuns: 2000 },
    ))

  const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
  const mutate = (bytes: Uint8Array, edits: [number, number][], cut: number): Uint8Array => {
    const copy = Uint8Array.from(bytes)
    for (const [at, value] of edits) copy[at % copy.length] = value
    return copy.subarray(0, copy.length - (cut % copy.length))
  }

  test('mutated and cut files', () =>
    fc.assert(
      fc.asyncProperty(valid, mutations, fc.nat(3), (data, edits, cut) =>
        survives(mutate(encodeIdx({ shape: [3, 2, 2], data }), edits, cut)),
      ),
      { numRuns: 2000 },
    ))

  test('mutated and cut packed files', () =>
    fc.assert(
      fc.asyncProperty(valid, mutations, fc.nat(3), (data, edits, cut) =>
        survives(mutate(gzip(encodeIdx({ shape: [3, 2, 2], data })), edits, cut)),
      ),
      { numRuns: 1000 },
    ))
})
