import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DatasetError } from '../errors.js'
import { type PadOptions, padSequences } from './pad.js'

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
    ['a negative maxlen', () => padSequences([[1]], { maxlen: -1 }), 'maxlen is -1'],
    ['another side', () => padSequences([[1]], { padding: 'left' as 'pre' }), `padding is "left"; expected 'pre' or 'post'`],
    ['another dtype', () => padSequences([[1]], { dtype: 'int8' as 'int32' }), 'dtype is "int8"; expected uint8, int32, float32, float64'],
    ['what is no number', () => padSequences([[1], [2, 'x' as unknown as number]]), 'sequences[1][1] is x, which int32 cannot hold'],
    ['NaN for int32', () => padSequences([[Number.NaN]]), 'is NaN, which int32 cannot hold'],
    ['300 for uint8', () => padSequences([[300]], { dtype: 'uint8' }), 'sequences[0][0] is 300, which uint8 cannot hold'],
    ['a value beyond int32', () => padSequences([[1]], { value: 2 ** 31 }), 'value is 2147483648, which int32 cannot hold'],
    ['what is no sequence', () => padSequences([3 as unknown as number[]]), 'sequences[0] is 3, not a sequence'],
    ['an absurd size', () => padSequences([[1], [2]], { maxlen: 2 ** 33 }), 'more than 2^32 elements'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(DatasetError)
    expect(run).toThrow(message)
  })
})
