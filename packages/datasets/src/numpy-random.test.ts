import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DatasetError } from './errors.js'
import { RandomState } from './numpy-random.js'

interface Order {
  head: number[]
  tail: number[]
}
interface Case {
  name: string
  seed: number
  params: { n: number }
  expected: { first_uint32: number[]; first_shuffle: number[] | Order; second_shuffle_same_generator: number[] | Order }
}

const golden = new URL('../../core/test/golden/numpy_rng.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: Case[] }

describe('golden numpy_rng', () => {
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, { seed, params, expected }) => {
    const random = new RandomState(seed)
    expect(expected.first_uint32.map(() => random.nextUint32())).toEqual(expected.first_uint32)
    const same = (found: Int32Array, order: number[] | Order): void => {
      if (Array.isArray(order)) expect([...found]).toEqual(order)
      else expect({ head: [...found.subarray(0, 12)], tail: [...found.subarray(-12)] }).toEqual(order)
    }
    const again = new RandomState(seed)
    same(again.permutation(params.n), expected.first_shuffle)
    same(again.permutation(params.n), expected.second_shuffle_same_generator)
  })
  test('has its three cases', () => expect(cases).toHaveLength(3))
})

test('draws what NumPy 2.4 draws, one method after the other', () => {
  const random = new RandomState(42)
  expect([...random.randint(21441, 30000, 6)]).toEqual([28711, 22301, 26831, 26632, 27175, 27706])
  expect([...random.randomSample(3)]).toEqual([0.15599452033620265, 0.05808361216819946, 0.8661761457749352])
  expect([...random.randint(-5, 3, 6)]).toEqual([-2, 2, 2, -3, 0, -1])
  expect([...random.permutation(8)]).toEqual([4, 2, 0, 6, 7, 5, 3, 1])
  expect([...random.randint(-(2 ** 31), 2 ** 31, 1)]).toEqual([-840773173])
  // A range of one number takes nothing from the generator.
  expect([...random.randint(7, 8, 2)]).toEqual([7, 7])
  expect([...random.randomSample(1)]).toEqual([0.6116531604882809])
  expect([...new RandomState(2 ** 32 - 1).randint(0, 2 ** 31, 2)]).toEqual([419326371, 479346978])
})

test('shuffles arrays of anything in place', () => {
  const items = [...'0123456789']
  expect(new RandomState(113).shuffle(items)).toBe(items)
  expect(items.join('')).toBe('9361074825')
})

test.each<[string, () => unknown, string]>([
  ['a negative seed', () => new RandomState(-1), 'RandomState: seed must be a whole number from 0 to 4294967295, got -1.'],
  ['a fraction as seed', () => new RandomState(0.5), 'RandomState: seed must be a whole number from 0 to 4294967295, got 0.5.'],
  ['an empty range', () => new RandomState(0).randint(3, 3, 1), 'RandomState.randint: there are no numbers from 3 up to, but without, 3'],
  [
    'a range beyond int32',
    () => new RandomState(0).randint(0, 2 ** 33, 1),
    'RandomState.randint: high must be a whole number from -2147483648 to 2147483648, got 8589934592.',
  ],
  [
    'a negative count',
    () => new RandomState(0).permutation(-1),
    'RandomState.permutation: count must be a whole number, at least 0, got -1.',
  ],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(DatasetError)
  expect(run).toThrow(message)
})
