import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import { type PaddedSequence, type PadOptions, padSequences } from './pad.js'

interface Case {
  case_kind: string
  name: string
  params: PadOptions
  inputs: { sequences: number[][] }
  expected: { output: { shape: number[]; data: number[] } }
}

const golden = new URL('../../../core/test/golden/preprocessing.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }
const pads = cases.filter((c) => c.case_kind === 'pad')

describe('golden preprocessing', () => {
  test.each(pads.map((c) => [c.name, c] as const))('pad %s', (_, { params, inputs, expected }) => {
    const { shape, data } = padSequences(inputs.sequences, params)
    expect({ shape, data: [...data] }).toEqual({ shape: expected.output.shape, data: expected.output.data })
    expect(data.constructor).toBe(params.dtype === 'float32' ? Float32Array : Int32Array)
  })
  test('has the six pad cases', () => expect(pads).toHaveLength(6))
})

describe('padSequences', () => {
  test('takes typed arrays and does not change them', () => {
    const sequence = Int32Array.of(1, 2, 3)
    expect(padSequences([sequence, Uint8Array.of(9)], { maxlen: 2 })).toEqual({ shape: [2, 2], data: Int32Array.of(2, 3, 0, 9) })
    expect(sequence).toEqual(Int32Array.of(1, 2, 3))
  })
  test('nothing, and nothing but empty sequences', () => {
    expect(padSequences([])).toEqual({ shape: [0, 0], data: new Int32Array(0) })
    expect(padSequences([[], []])).toEqual({ shape: [2, 0], data: new Int32Array(0) })
    expect(padSequences([[], []], { maxlen: 2, value: 7 }).data).toEqual(Int32Array.of(7, 7, 7, 7))
    expect(padSequences([[1]], { maxlen: 0 }).shape).toEqual([1, 0])
  })
  test('cuts fractions off for integers, as NumPy', () => {
    expect(padSequences([[1.9, -1.9]]).data).toEqual(Int32Array.of(1, -1))
    expect(padSequences([[1.9]], { dtype: 'float64' }).data).toEqual(Float64Array.of(1.9))
  })
  test.each<[string, () => unknown, string]>([
    ['a negative maxlen', () => padSequences([[1]], { maxlen: -1 }), 'padSequences: maxlen must be a whole number, at least 0, got -1.'],
    [
      'another side',
      () => padSequences([[1]], { padding: 'left' as 'pre' }),
      "padSequences: padding must be 'pre' or 'post', got text \"left\".",
    ],
    [
      'another dtype',
      () => padSequences([[1]], { dtype: 'int8' as 'int32' }),
      "dtype must be 'uint8', 'int32', 'float32' or 'float64', got text \"int8\". Did you mean 'uint8'?",
    ],
    ['what is no number', () => padSequences([[1], [2, 'x' as unknown as number]]), 'sequences[1][1] is text "x", which int32 cannot hold'],
    ['NaN for int32', () => padSequences([[Number.NaN]]), 'is NaN, which int32 cannot hold'],
    ['300 for uint8', () => padSequences([[300]], { dtype: 'uint8' }), 'sequences[0][0] is 300, which uint8 cannot hold'],
    ['a value beyond int32', () => padSequences([[1]], { value: 2 ** 31 }), 'value is 2147483648, which int32 cannot hold'],
    ['what is no sequence', () => padSequences([3 as unknown as number[]]), 'sequences[0] must be a list of numbers or of vectors, got 3.'],
    ['an absurd size', () => padSequences([[1], [2]], { maxlen: 2 ** 33 }), 'more than 2^32 elements'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})

describe('sequences of vectors', () => {
  // Expected: Keras' pad_sequences on NumPy arrays.
  const expected = { shape: [3, 2, 2], data: Float32Array.of(3, 4, 5, 6, 0, 0, 7, 8, 0, 0, 0, 0) }
  test.each<[string, PaddedSequence[]]>([
    [
      'lists',
      [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        [[7, 8]],
        [],
      ],
    ],
    ['typed arrays', [[Float32Array.of(1, 2), Float32Array.of(3, 4), [5, 6]], [Uint8Array.of(7, 8)], []]],
    [
      'arrays with a shape',
      [ndarray(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]), ndarray(Float32Array.of(7, 8), [1, 2]), ndarray(new Float32Array(0), [0, 2])],
    ],
  ])('as %s', (_, sequences) => {
    expect(padSequences(sequences, { maxlen: 2, dtype: 'float32' })).toEqual(expected)
  })
  test('cut and filled up at the end', () => {
    const { shape, data } = padSequences(
      [
        [[[1], [2]]],
        [
          [[3], [4]],
          [[5], [6]],
        ],
      ],
      { padding: 'post', truncating: 'post', value: 9 },
    )
    expect(shape).toEqual([2, 2, 2, 1])
    expect([...data]).toEqual([1, 2, 9, 9, 3, 4, 5, 6])
  })
  test('any iterable of sequences', () => {
    expect(padSequences(new Set([[1], [2, 3]]), { maxlen: 1 }).data).toEqual(Int32Array.of(1, 3))
  })
  test.each<[string, unknown[], string]>([
    ['steps of two lengths', [[[1, 2], [3]]], 'sequences[0][1] must have 2 numbers, as the first step of its sequence, got an array of 1.'],
    ['sequences of two shapes', [[], [[1, 2]], [[3]]], 'sequences[1] has vectors of shape [2], but sequences[2] has vectors of shape [1].'],
    ['numbers and vectors', [[1, 2], [[3]]], 'sequences[0] has numbers, but sequences[1] has vectors of shape [1].'],
    ['text in a vector', [[[1, 'x']]], 'sequences[0][0] has text "x", which int32 cannot hold'],
    ['a number with a shape', [ndarray(Int32Array.of(1), [])], 'sequences[0] must be a sequence, got a single number'],
  ])('refuses %s', (_, sequences, message) => {
    expect(() => padSequences(sequences as number[][])).toThrow(`padSequences: ${message}`)
  })
  test.each(['constructor', '__proto__', 'toString'])('refuses the dtype %s', (dtype) => {
    expect(() => padSequences([[1]], { dtype: dtype as 'int32' })).toThrow(
      "padSequences: dtype must be 'uint8', 'int32', 'float32' or 'float64'",
    )
  })
})
