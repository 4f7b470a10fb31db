/** Models that take texts: predictions and training on strings, `.keras` files with the layer of texts at the front, and files made to order in Keras' form. */
import { unzip, zip } from '@cotangent/datasets/formats'
import { expect, test } from 'vitest'
import * as l from '../src/index.js'
import { jsonOfZip } from './keras-files.js'

/** The keys that are changed or looked at in a description. */
interface Described {
  config: { layers: { class_name: string; config: Record<string, unknown> }[] }
}

const texts = ['a good film', 'a bad film', 'good plot, good cast', 'bad, bad, bad!', 'so good', 'so bad']
const labels = [1, 0, 1, 0, 1, 0]
const numbers = async (model: l.Model, x: l.ModelData): Promise<number[]> => [...(await (await model.predict(x)).data())]

function sequential(layer: l.TextVectorization): l.Sequential {
  layer.adapt(texts)
  const counts = layer.outputMode !== 'int'
  const model = counts
    ? new l.Sequential([l.dense(1, { activation: 'sigmoid', inputShape: [layer.vocabularySize] })], { seed: 2 })
    : new l.Sequential([l.embedding(layer.vocabularySize, 4, { inputShape: [5] }), l.flatten(), l.dense(1, { activation: 'sigmoid' })], {
        seed: 2,
      })
  l.takeTexts(model, layer)
  return model
}

/** The file with its config changed. */
function changed(bytes: Uint8Array, change: (config: Described, entries: Map<string, Uint8Array>) => void): Uint8Array {
  const entries = unzip(bytes)
  const config = jsonOfZip(bytes) as unknown as Described
  change(config, entries)
  entries.set('config.json', new TextEncoder().encode(JSON.stringify(config)))
  return zip([...entries])
}

test.each([
  ['indices', { outputSequenceLength: 5, maxTokens: 50 }],
  ['tf_idf, pairs', { outputMode: 'tf_idf' as const, ngrams: 2 }],
  ['counts of characters, nothing standardized', { outputMode: 'count' as const, split: 'character' as const, standardize: null }],
])('a classifier of %s learns from strings, and is the same from its file', async (_, options) => {
  const model = sequential(l.textVectorization(options))
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  model.optimizer.learningRate = 0.05
  await model.fit(texts, labels, { epochs: 60, verbose: 0 })
  expect((await model.evaluate(texts, labels))[1]).toBe(1)
  const unseen = ['good', 'bad', 'something else', '', 'Good!']
  const wanted = await numbers(model, unseen)
  expect(
    await numbers(
      model,
      unseen.map((text) => [text]),
    ),
  ).toEqual(wanted)
  const bytes = await l.modelToBytes(model, { format: 'keras' })
  const config = jsonOfZip(bytes) as unknown as Described
  expect(config.config.layers.map((layer: { class_name: string }) => layer.class_name).slice(0, 2)).toEqual([
    'InputLayer',
    'TextVectorization',
  ])
  expect(config.config.layers[0].config).toMatchObject({ batch_shape: [null, 1], dtype: 'string' })
  const again = await l.modelFromBytes(bytes)
  expect(await numbers(again, unseen)).toEqual(wanted)
  expect(await again.evaluate(texts, labels)).toEqual(await model.evaluate(texts, labels))
  expect(await numbers(await l.modelFromBytes(await l.modelToBytes(again, { format: 'keras' })), unseen)).toEqual(wanted)
  // The weights of a file go into another model without the layer of texts, too.
  const other = sequential(l.textVectorization(options))
  await l.weightsFromBytes(other, bytes)
  expect(await numbers(other, unseen)).toEqual(wanted)
})

test('a graph: a text, a category and a number; the vocabulary in the config, as Keras writes a given one', async () => {
  const review = l.input({ shape: [6], name: 'review', dtype: 'int32' })
  const colour = l.input({ shape: [4], name: 'colour' })
  const size = l.input({ shape: [1], name: 'size' })
  const words = l.globalAveragePooling1d().apply(l.embedding(20, 3).apply(review))
  const model = l.model({
    inputs: [size, review, colour],
    outputs: l.dense(1).apply(l.concatenate().apply([words, colour, size])),
    seed: 1,
  })
  const vectorize = l.textVectorization({ vocabulary: ['film', 'good', 'bad'], outputSequenceLength: 6 })
  l.takeTexts(model, { review: vectorize, colour: l.stringLookup({ vocabulary: ['red', 'blue', 'green'], outputMode: 'one_hot' }) })
  const x = { review: ['good film', 'no'], colour: [['blue'], ['pink']], size: [[1], [2]] }
  const wanted = await numbers(model, x)
  expect(await numbers(model, [x.size, x.review, x.colour] as never)).toEqual(wanted)
  const bytes = await l.modelToBytes(model, { format: 'keras' })
  expect(await numbers(await l.modelFromBytes(bytes), x)).toEqual(wanted)
  const given = changed(bytes, (config, entries) => {
    const object = config.config.layers.find((layer: { class_name: string }) => layer.class_name === 'TextVectorization')
    if (!object) throw new Error('There is no such layer.')
    object.config.vocabulary = ['film', 'good', 'bad']
    entries.delete('assets/layers/text_vectorization/vocabulary.txt')
  })
  const read = await l.modelFromBytes(given)
  expect(await numbers(read, x)).toEqual(wanted)
  expect([...l.textLayersOf(read).entries()].map(([i, layer]) => [i, layer.className])).toEqual([
    [1, 'TextVectorization'],
    [2, 'StringLookup'],
  ])
})

test('files that lack something, or say what is not supported', async () => {
  const bytes = await l.modelToBytes(sequential(l.textVectorization({ outputSequenceLength: 5 })), { format: 'keras' })
  const refused = (change: Parameters<typeof changed>[1]) => expect(l.modelFromBytes(changed(bytes, change))).rejects
  await refused((_, entries) => entries.delete('assets/layers/text_vectorization/vocabulary.txt')).toThrow('the vocabulary is missing')
  await refused((config) => {
    config.config.layers[1].config.ragged = true
  }).toThrow('config key "ragged": true is not supported')
  await refused((config) => {
    config.config.layers[1].config.split = 'sentence'
  }).toThrow('TextVectorization: split must be')
  await refused((config) => {
    config.config.layers.push(config.config.layers[1])
  }).toThrow('this layer must be the only one behind an input of strings')
  await refused((config) => {
    config.config.layers[1].config.nonsense = 1
  }).toThrow('there is no option "nonsense"')
  // A function of the user's, by its name in the file.
  const own = changed(bytes, (config) => {
    config.config.layers[1].config.standardize = { class_name: 'function', config: 'shout', module: 'builtins' }
  })
  const shout = (text: string): string => text.replace('GOOD', 'good')
  const model = await l.modelFromBytes(own, { customObjects: { shout: shout as never } })
  expect(await numbers(model, ['GOOD'])).toEqual(await numbers(model, ['good']))
})

test('what takeTexts refuses, and functions that a file cannot hold', async () => {
  const model = new l.Sequential([l.dense(1, { inputShape: [3] })])
  expect(() => l.takeTexts(model, { other: l.hashing(3) })).toThrow('has no input "other". It has dense_')
  expect(() => l.takeTexts(model, 3 as never)).toThrow('takeTexts: expected a textVectorization, stringLookup or hashing, got 3.')
  expect(() => l.takeTexts({} as never, l.hashing(3))).toThrow('takeTexts: expected a model that is built')
  await expect(model.predict(['a'])).rejects.toThrow()
  l.takeTexts(model, l.hashing(3, { outputMode: 'one_hot' }))
  expect((await model.predict(['a', 'b'])).shape).toEqual([2, 1])
  const again = await l.modelFromBytes(await l.modelToBytes(model, { format: 'keras' }))
  expect(await numbers(again, ['a', 'b'])).toEqual(await numbers(model, ['a', 'b']))
  const functions = sequential(l.textVectorization({ outputSequenceLength: 5, standardize: (text) => text }))
  await expect(l.modelToBytes(functions, { format: 'keras' })).rejects.toThrow('standardize is a function, which a file cannot hold')
})

test('formats without texts refuse the model, and say which has them', async () => {
  const model = sequential(l.textVectorization({ outputSequenceLength: 5 }))
  const wanted = (what: string, format: string): string =>
    `${what}: the model "${model.name}" takes texts, and ${format} cannot hold its TextVectorization. Save it as .keras`
  await expect(l.modelToBytes(model)).rejects.toThrow(wanted('modelToBytes', '.h5'))
  await expect(l.modelToTfjs(model)).rejects.toThrow(wanted('modelToTfjs', 'TensorFlow.js'))
  expect(() => l.modelToJSON(model)).toThrow(wanted('modelToJSON', 'JSON'))
  await expect(l.modelToBytes(model, { format: 'keras' })).resolves.toBeInstanceOf(Uint8Array)
  // The weights alone are numbers.
  await expect(l.weightsToBytes(model)).resolves.toBeInstanceOf(Uint8Array)
})
