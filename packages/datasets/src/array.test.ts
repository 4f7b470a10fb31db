import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ndarray, normalize, reshape, slice } from './array.js'

const x = ndarray(
  Uint8Array.from({ length: 12 }, (_, i) => i),
  [3, 2, 2],
)

describe('ndarray', () => {
  test('shares the memory and copies the shape', () => {
    const data = new Float32Array(4)
    const shape = [2, 2]
    const a = ndarray(data, shape)
    shape[0] = 9
    expect(a.data).toBe(data)
    expect(a.shape).toEqual([2, 2])
  })
  test('takes a scalar and an empty array', () => {
    expect(ndarray(new Int32Array(1), []).shape).toEqual([])
    expect(ndarray(new Int32Array(0), [0, 5]).shape).toEqual([0, 5])
  })
  test('refuses a shape that does not fit', () => {
    expect(() => ndarray(new Uint8Array(5), [2, 3])).toThrow('ndarray: the shape [2, 3] has 6 elements, the data have 5')
    expect(() => ndarray(new Uint8Array(2), [-1, -2])).toThrow('ndarray: shape must be a list of whole numbers, at least 0, got [-1, -2]')
    expect(() => ndarray(new Uint8Array(2), [0.5, 4])).toThrow('ndarray: shape must be a list of whole numbers, at least 0, got [0.5, 4]')
  })
})

describe('slice', () => {
  test('is a view of the leading axis', () => {
    const s = slice(x, 1, 3)
    expect(s.shape).toEqual([2, 2, 2])
    expect([...s.data]).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
    expect(s.data.buffer).toBe(x.data.buffer)
  })
  test('takes positions as Array.prototype.slice', () => {
    const rows = ndarray(Uint8Array.of(0, 1, 2, 3, 4), [5])
    fc.assert(
      fc.property(fc.integer({ min: -8, max: 8 }), fc.option(fc.integer({ min: -8, max: 8 }), { nil: undefined }), (begin, end) => {
        expect([...slice(rows, begin, end).data]).toEqual([0, 1, 2, 3, 4].slice(begin, end))
      }),
    )
  })
  test('refuses a scalar and a fraction', () => {
    expect(() => slice(ndarray(new Uint8Array(1), []), 0)).toThrow('the array has no axes')
    expect(() => slice(x, 0.5)).toThrow('slice: begin must be a whole number, got 0.5.')
  })
})

describe('reshape', () => {
  test('is a view; -1 follows from the others', () => {
    const flat = reshape(x, [-1, 4])
    expect(flat.shape).toEqual([3, 4])
    expect(flat.data).toBe(x.data)
    expect(reshape(x, [2, 6]).shape).toEqual([2, 6])
    expect(reshape(ndarray(new Uint8Array(0), [0, 4]), [-1, 2]).shape).toEqual([0, 2])
  })
  test('refuses what does not fit', () => {
    expect(() => reshape(x, [-1, 5])).toThrow('reshape: 12 elements (shape [3, 2, 2]) do not fill the shape [-1, 5]')
    expect(() => reshape(x, [-1, -1])).toThrow('do not fill')
    expect(() => reshape(x, [-1, 0])).toThrow('do not fill')
    expect(() => reshape(x, [5])).toThrow('do not fill the shape [5]')
  })
})

test('normalize divides in float32', () => {
  const all = normalize(
    ndarray(
      Uint8Array.from({ length: 256 }, (_, i) => i),
      [256],
    ),
  )
  expect(all.data).toBeInstanceOf(Float32Array)
  expect([...all.data]).toEqual(Array.from({ length: 256 }, (_, i) => Math.fround(i / 255)))
  expect([...normalize(ndarray(Int16Array.of(-3, 4), [2]), 1).data]).toEqual([-3, 4])
  expect(normalize(x).shape).toEqual([3, 2, 2])
})
