/** A model without a seed inside one with a seed: one seed makes every run the same. */
import { tensor } from '@cotangent/core'
import { afterEach, expect, test, vi } from 'vitest'
import * as l from '../src/index.js'

afterEach(() => vi.restoreAllMocks())

const inner = (options: l.ModelOptions = {}) => new l.Sequential([l.dense(3, { inputShape: [2] }), l.batchNormalization()], options)
const graph = (options: l.ModelOptions = {}): l.Model => {
  const x = l.input({ shape: [2] })
  return l.model({ inputs: x, outputs: inner().apply(x), ...options })
}
const valuesOf = async (model: l.Model): Promise<number[][]> => (await model.getWeights()).map(({ data }) => [...data])

test.each<[string, () => l.Model]>([
  ['a Sequential in a Sequential', () => new l.Sequential([inner(), l.dense(1)], { seed: 7 })],
  ['a graph of a Sequential in a Sequential', () => new l.Sequential([graph(), l.dense(1)], { seed: 7 })],
  [
    'a Sequential in a graph',
    () => {
      const x = l.input({ shape: [2] })
      return l.model({ inputs: x, outputs: l.dense(1).apply(inner().apply(x)), seed: 7 })
    },
  ],
  ['one inside a wrapper', () => new l.Sequential([l.timeDistributed(inner(), { inputShape: [4, 2] })], { seed: 7 })],
  ['from JSON', () => l.modelFromJSON(l.modelToJSON(new l.Sequential([inner(), l.dense(1)])), { seed: 7 })],
])('%s: the same weights each time', async (_, make) => {
  const [a, b] = [await valuesOf(make()), await valuesOf(make())]
  expect(a).toEqual(b)
  expect(a.flat().every((value) => value === 0)).toBe(false)
})

test('two inner models have other weights, and one with a seed keeps its own', async () => {
  const [first, second] = [inner(), inner()]
  const x = l.input({ shape: [2] })
  l.model({ inputs: x, outputs: l.add().apply([first.apply(x), second.apply(x)]), seed: 7 })
  expect((await valuesOf(first))[0]).not.toEqual((await valuesOf(second))[0])
  const own = inner({ seed: 3 })
  const before = await valuesOf(own)
  new l.Sequential([own, l.dense(1)], { seed: 7 })
  expect(await valuesOf(own)).toEqual(before)
})

test('weights that were set or trained stay; so do those of a model that ran, with a warning', async () => {
  const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const set = new l.Sequential([l.dense(2, { inputShape: [2], useBias: false })])
  set.setWeights([
    [
      [1, 2],
      [3, 4],
    ],
  ])
  new l.Sequential([set, l.dense(1)], { seed: 7 })
  expect(await valuesOf(set)).toEqual([[1, 2, 3, 4]])
  const trained = inner()
  trained.compile({ optimizer: 'sgd', loss: 'mse' })
  await trained.trainOnBatch(tensor([[1, 2]]), tensor([[1, 2, 3]]))
  const before = await valuesOf(trained)
  new l.Sequential([trained, l.dense(1)], { seed: 7 })
  expect(await valuesOf(trained)).toEqual(before)
  // In a model without a seed nothing needs to follow.
  const ran = inner()
  const seen = await valuesOf(ran)
  await ran.predict([[1, 2]])
  new l.Sequential([ran, l.dense(1)])
  expect(said).not.toHaveBeenCalled()
  new l.Sequential([ran, l.dense(1)], { seed: 7 })
  expect(await valuesOf(ran)).toEqual(seen)
  expect(said.mock.calls.flat()).toEqual([expect.stringContaining('has no seed and ran before it was put into a model with one')])
})

test('layers that a model with a seed shares keep its weights', async () => {
  const shared = l.dense(2)
  const x = l.input({ shape: [2] })
  const seeded = l.model({ inputs: x, outputs: shared.apply(x), seed: 1 })
  const before = await valuesOf(seeded)
  const y = l.input({ shape: [2] })
  const other = l.model({ inputs: y, outputs: shared.apply(y) })
  new l.Sequential([other, l.dense(1)], { seed: 7 })
  expect(await valuesOf(seeded)).toEqual(before)
})
