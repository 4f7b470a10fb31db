import { foldKey, key, randomInteger } from '@cotangent/core'
import { expect, test } from 'vitest'
import { DatasetError } from '../errors.js'
import { foldKey as fold, wholesBelow } from '../keyed.js'
import { tokenWindows } from './token-windows.js'

const tokens = Int32Array.from({ length: 50 }, (_, i) => i * 10)

test('draws have the bits of core', async () => {
  for (const seed of [0, 7, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER]) {
    const one = key(seed)
    for (const index of [0, 1, 2 ** 32 - 1]) expect(fold(one, index)).toEqual(foldKey(one, index))
    for (const end of [1, 5, 2 ** 31 - 1]) {
      const drawn = await randomInteger(one, [20], 0, end).data()
      expect([...wholesBelow(one, 20, end)]).toEqual([...drawn])
    }
  }
})

test('in order: every token once, y one later, the last batch smaller', () => {
  const batches = tokenWindows(tokens, { length: 6, batchSize: 3 })
  const all = [...batches]
  expect(all.map(([x]) => x.shape)).toEqual([
    [3, 6],
    [3, 6],
    [2, 6],
  ])
  expect(batches.batchesPerCycle).toBe(3)
  expect(all.flatMap(([x]) => [...x.data])).toEqual([...tokens.subarray(0, 48)])
  expect(all.flatMap(([, y]) => [...y.data])).toEqual([...tokens.subarray(1, 49)])
  expect(batches.at(2)).toEqual(all[2])
  expect([...tokenWindows(tokens, { length: 6, batch_size: 3, batches: 2 })]).toEqual(all.slice(0, 2))
})

test('from a key: the same batches in every pass, at any step, and other ones from another key', async () => {
  const batches = tokenWindows([...tokens], { length: 4, batchSize: 5, key: key(3), batches: 40 })
  const all = [...batches]
  expect(all.length).toBe(40)
  expect([...batches]).toEqual(all)
  expect(batches.at(17)).toEqual(all[17])
  const starts = await randomInteger(foldKey(key(3), 17), [5], 0, 46).data()
  expect(Array.from({ length: 5 }, (_, i) => all[17][0].data[i * 4] / 10)).toEqual([...starts])
  expect([...tokenWindows(tokens, { length: 4, batchSize: 5, key: key(4), batches: 40 })]).not.toEqual(all)
  const places = new Set<number>()
  for (const [x, y] of all) {
    for (let row = 0; row < 5; row++) {
      const start = x.data[row * 4] / 10
      places.add(start)
      expect([...x.data.subarray(row * 4, row * 4 + 4)]).toEqual([...tokens.subarray(start, start + 4)])
      expect([...y.data.subarray(row * 4, row * 4 + 4)]).toEqual([...tokens.subarray(start + 1, start + 5)])
    }
  }
  // The last place is that whose y ends with the last token.
  expect([Math.min(...places), Math.max(...places)]).toEqual([0, 45])
})

test('the smallest text has one window', () => {
  const [[x, y]] = tokenWindows([7, 8], { length: 1, batchSize: 1, key: key(1) })
  expect([...x.data, ...y.data]).toEqual([7, 8])
})

test.each<[string, () => unknown, string]>([
  ['too few tokens', () => tokenWindows([1, 2], { length: 2 }), 'windows of 2 tokens and the one behind them need 3 tokens, got 2.'],
  ['a fraction', () => tokenWindows([1, 2.5, 3], { length: 1 }), 'tokens[1] is 2.5; tokens are whole numbers.'],
  ['a token beyond 32 bits', () => tokenWindows([1, 2 ** 31, 3], { length: 1 }), 'tokens[1] is 2147483648'],
  ['a seed for a key', () => tokenWindows([1, 2, 3], { length: 1, key: 7 as never }), 'key must be a random key, got 7.'],
  ['a batch beyond the last', () => tokenWindows([1, 2, 3], { length: 1 }).at(1), 'there is no batch 1; batches are numbered from 0 to 0.'],
  ['a negative step', () => tokenWindows([1, 2, 3], { length: 1, key: key(1) }).at(-1), 'batches are numbered from 0.'],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(DatasetError)
  expect(run).toThrow(message)
})
