/** integerLookup as a layer: models of it, files as Keras 3 writes them, wrong data. */
import { tensor } from '@cotangent/core'
import { unzip, zip } from '@cotangent/datasets/formats'
import { expect, test } from 'vitest'
import * as l from '../src/index.js'

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

/** Users by number, and how often each of three kinds of things was bought. */
async function adaptedModel(): Promise<l.Model> {
  const users = l.integerLookup({ maskToken: 0, numOovIndices: 2 })
  await users.adapt([[1200], [1200], [7], [16777217]])
  const kinds = l.integerLookup({ outputMode: 'tf_idf', maxTokens: 6, padToMaxTokens: true })
  await kinds.adapt([tensor([[3, 3, 5]], { dtype: 'int32' }), tensor([[3, 8, 5]], { dtype: 'int32' })])
  const user = l.input({ shape: [1], name: 'user' })
  const bought = l.input({ shape: [3], name: 'bought' })
  const vectors = l.flatten().apply(l.embedding(users.vocabularySize, 2).apply(users.apply(user)))
  const inner = l.model({ inputs: bought, outputs: l.dense(2).apply(kinds.apply(bought)), name: 'inner' })
  return l.model({ inputs: [user, bought], outputs: l.concatenate().apply([vectors, inner.apply(bought)]), seed: 1 })
}
const data = () => ({
  user: [[1200], [16777217], [16777216], [0]],
  bought: [
    [3, 3, 9],
    [5, 8, 3],
    [1, 1, 1],
    [3, 5, 5],
  ],
})

test('adapted and given vocabularies in models, written and read in each format', async () => {
  const model = await adaptedModel()
  expect(model.inputPorts.map(({ dtype }) => dtype)).toEqual(['int32', 'int32'])
  const wanted = await (await model.predict(data())).array()
  const rows = wanted as number[][]
  // 16777217 is in the vocabulary, 16777216 is not, and 0 has a vector of its own.
  expect(new Set(rows.map((row) => row[0])).size).toBe(4)
  for (const format of ['keras', 'h5'] as const) {
    const again = await l.modelFromBytes(await l.modelToBytes(model, { format }))
    expect(await (await again.predict(data())).array(), format).toEqual(wanted)
  }
  const { modelJson, shards } = await l.modelToTfjs(model)
  expect(await (await (await l.modelFromTfjs(modelJson, shards)).predict(data())).array()).toEqual(wanted)
})

test('.keras has an adapted vocabulary as an asset, a given one in the config', async () => {
  const model = await adaptedModel()
  const bytes = await l.modelToBytes(model, { format: 'keras' })
  const entries = unzip(bytes, { name: 'test' })
  expect([...entries.keys()].filter((name) => name.startsWith('assets'))).toEqual([
    'assets/layers/integer_lookup/vocabulary.txt',
    'assets/layers/functional/layers/integer_lookup/vocabulary.txt',
  ])
  expect(text(entries.get('assets/layers/integer_lookup/vocabulary.txt'))).toBe('0\n-1\n-1\n1200\n16777217\n7')
  const config = JSON.parse(text(entries.get('config.json')))
  const written = config.config.layers.find((layer: { class_name: string }) => layer.class_name === 'IntegerLookup').config
  expect(written).toMatchObject({ vocabulary: null, idf_weights: null, vocabulary_size: 6, vocabulary_dtype: 'int64', mask_token: 0 })
  // Read again it is adapted, not given.
  const again = await l.modelFromBytes(bytes)
  const layer = again.layers.find((one) => one instanceof l.IntegerLookup) as l.IntegerLookup
  await layer.adapt([[5]])
  expect(layer.getVocabulary()).toEqual([0, -1, -1, 5])

  const given = new l.Sequential([l.integerLookup({ vocabulary: [4, 2], outputMode: 'multi_hot', inputShape: [2] }), l.dense(1)], {
    seed: 1,
  })
  const file = unzip(await l.modelToBytes(given, { format: 'keras' }), { name: 'test' })
  expect([...file.keys()].some((name) => name.startsWith('assets'))).toBe(false)
  const read = await l.modelFromBytes(zip([...file]))
  expect(await (await read.predict([[4, 9]])).array()).toEqual(await (await given.predict([[4, 9]])).array())
  await expect((read.layers[0] as l.IntegerLookup).adapt([1])).rejects.toThrow('the vocabulary was given, so it cannot be adapted.')
  // By the layer's name, as some versions of Keras 3 have it; and a damaged one.
  const renamed = new Map(entries)
  const name = 'assets/layers/integer_lookup/vocabulary.txt'
  renamed.delete(name)
  renamed.set(`assets/layers/${written.name}/vocabulary.txt`, entries.get(name) as Uint8Array)
  const other = await l.modelFromBytes(zip([...renamed]))
  expect(await (await other.predict(data())).array()).toEqual(await (await model.predict(data())).array())
  renamed.set(name, new TextEncoder().encode('1\nx'))
  await expect(l.modelFromBytes(zip([...renamed]))).rejects.toThrow('integer_lookup/vocabulary.txt: "x" is no whole number.')
})

test('rows over the last axis; the way back; numbers as float32', async () => {
  const x = tensor([
    [
      [1, 5],
      [5, 5],
    ],
  ])
  const count = l.integerLookup({ vocabulary: [5], outputMode: 'count' })
  expect(await count.call(x, { training: false }).array()).toEqual([
    [
      [1, 1],
      [0, 2],
    ],
  ])
  const back = l.integerLookup({ vocabulary: [12, 36], invert: true })
  expect(await back.call(tensor([2, 1, 0, 7, -1]), { training: false }).array()).toEqual([36, 12, -1, -1, -1])
  expect(await back.apply([2, 9]).array()).toEqual([36, -1])
  const empty = l.integerLookup({ vocabulary: [], numOovIndices: 3 })
  expect(await empty.call(tensor([-1, 4, 2]), { training: false }).array()).toEqual([2, 1, 2])
})

test.each<[string, () => unknown, string]>([
  ['a call before adapt', () => l.integerLookup().call(tensor([1]), { training: false }), 'has no vocabulary yet. Call adapt(…)'],
  ['rows before adapt', () => new l.Sequential([l.integerLookup({ outputMode: 'count', inputShape: [2] })]), 'has no vocabulary yet.'],
  [
    'a number outside',
    () => l.integerLookup({ vocabulary: [1], numOovIndices: 0 }).call(tensor([1, 2]), { training: false }),
    '2 is not in the vocabulary, and numOovIndices is 0.',
  ],
  ['fractions to adapt to', () => l.integerLookup().adapt(tensor([0.5])), 'IntegerLookup.adapt: values[0] must be whole numbers, got 0.5.'],
  [
    'fractions to predict',
    () => new l.Sequential([l.integerLookup({ vocabulary: [1], inputShape: [1] })]).predict([[0.5]]),
    'must be whole numbers from',
  ],
  ['rows with invert', () => l.integerLookup({ invert: true, outputMode: 'count' }), "IntegerLookup with invert: outputMode must be 'int'"],
  ['Keras spelling', () => l.integerLookup({ num_oov_indices: 2 } as never), 'Did you mean "numOovIndices"?'],
])('refuses %s', async (_, run, message) => {
  await expect((async () => run())()).rejects.toThrow(message)
})
