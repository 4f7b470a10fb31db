import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ndarray } from './array.js'
import { DatasetError } from './errors.js'
import { toCategorical } from './to-categorical.js'

interface Values {
  shape: number[]
  data: number[]
}
interface Case {
  case_kind: string
  name: string
  params: { num_classes?: number | null }
  inputs: { y: Values }
  expected: { output: Values }
}

const golden = new URL('../../core/test/golden/preprocessing.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }

describe('golden preprocessing', () => {
  const cat = cases.filter((c) => c.case_kind === 'cat')
  test.each(cat.map((c) => [c.name, c] as const))('cat %s', (_, { params, inputs, expected }) => {
    const y = ndarray(Int32Array.from(inputs.y.data), inputs.y.shape)
    const out = toCategorical(y, params.num_classes ?? undefined)
    expect(out.shape).toEqual(expected.output.shape)
    expect([...out.data]).toEqual(expected.output.data)
  })
  test('has the four cat cases', () => expect(cat).toHaveLength(4))
})

describe('toCategorical', () => {
  test('takes plain arrays and typed arrays', () => {
    const expected = { shape: [2, 3], data: Float32Array.of(0, 0, 1, 1, 0, 0) }
    expect(toCategorical([2, 0])).toEqual(expected)
    expect(toCategorical(Uint8Array.of(2, 0))).toEqual(expected)
    expect(toCategorical(Float32Array.of(2, 0), 3)).toEqual(expected)
  })
  test('drops a last axis of size 1, but not the only axis', () => {
    expect(toCategorical(ndarray(Uint8Array.of(1, 0), [2, 1])).shape).toEqual([2, 2])
    expect(toCategorical(ndarray(Uint8Array.of(1, 0), [1, 2, 1])).shape).toEqual([1, 2, 2])
    expect(toCategorical([0]).shape).toEqual([1, 1])
    expect(toCategorical(ndarray(Uint8Array.of(2), [])).shape).toEqual([3])
  })
  test('leaves its input alone', () => {
    const y = ndarray(Uint8Array.of(1, 0), [2, 1])
    toCategorical(y)
    expect(y).toEqual({ shape: [2, 1], data: Uint8Array.of(1, 0) })
  })
  test('takes nothing if numClasses is given', () => {
    expect(toCategorical([], 3)).toEqual({ shape: [0, 3], data: new Float32Array(0) })
  })
  test.each<[string, () => unknown, string]>([
    [
      'a class too large',
      () => toCategorical([1, 9, 10], 10),
      'toCategorical: y[2] is 10; classes must be whole numbers in 0 … 9 (numClasses 10)',
    ],
    ['its position on several axes', () => toCategorical(ndarray(Uint8Array.of(0, 1, 7, 1), [2, 2]), 3), 'y[1, 0] is 7'],
    ['a negative class', () => toCategorical([0, -1]), 'y[1] is -1; classes must be whole numbers ≥ 0'],
    ['a fraction', () => toCategorical([0.5, 2]), 'y[0] is 0.5'],
    ['NaN', () => toCategorical([0, Number.NaN], 2), 'y[1] is NaN'],
    ['infinity', () => toCategorical([Number.POSITIVE_INFINITY]), 'y[0] is Infinity'],
    ['an absurd class', () => toCategorical([2 ** 40]), 'more than 4294967296 elements'],
    ['nothing to count', () => toCategorical([]), 'y is empty; pass numClasses'],
    ['zero classes', () => toCategorical([0], 0), 'toCategorical: numClasses must be a whole number, at least 1, got 0.'],
    [
      'a shape that lies',
      () => toCategorical({ shape: [3], data: Uint8Array.of(1) }),
      'toCategorical: y has the shape [3], which is not that of 1 values.',
    ],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})
