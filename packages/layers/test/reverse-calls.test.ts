/** Calls of `reversibleEmbedding` in reverse: in graphs, nested models, and files. */
import { expectNoLeaks, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  dense,
  input,
  type Model,
  model,
  modelFromBytes,
  modelFromJSON,
  modelToBytes,
  modelToJSON,
  reversibleEmbedding,
} from '../src/index.js'
import { jsonOfZip } from './keras-files.js'

const ids = [
  [1, 2, 0],
  [3, 0, 0],
]

/** A language model: the table at both ends. */
function language(options: object = {}): Model {
  const words = reversibleEmbedding(5, 4, { inputLength: 3, name: 'words', ...options })
  const x = input({ shape: [3] })
  return model({ inputs: x, outputs: words.reverse(dense(4, { activation: 'tanh', name: 'd' }).apply(words.apply(x))), seed: 2 })
}
const values = async (one: Model): Promise<unknown> => (await one.predict(ids)).array()

describe.each([
  ['one table', {}, 40],
  ['two tables', { tieWeights: false }, 60],
  ['a bound, and a mask', { logitSoftCap: 0.01, maskZero: true }, 40],
] as const)('%s', (_, options, parameters) => {
  test('the scores are those of the layer by itself, and training changes every weight', async () => {
    const net = language(options)
    expect([net.output.shape, net.countParams()]).toEqual([[null, 3, 5], parameters])
    const [words, between] = [net.getLayer('words') as ReturnType<typeof reversibleEmbedding>, net.getLayer('d')]
    const context = { training: false }
    const alone = words.reverse(between.call(words.call(tensor(ids), context), context))
    expect(await alone.array()).toEqual(await values(net))
    net.compile({ optimizer: 'adam', loss: 'mse' })
    const zeros = ids.map((row) => row.map(() => [0, 0, 0, 0, 0]))
    const before = (await net.getWeights()).map(({ data }) => [...data])
    await net.fit(ids, zeros, { verbose: 0 })
    for (const [i, { data }] of (await net.getWeights()).entries()) expect([...data]).not.toEqual(before[i])
    await expectNoLeaks(() => net.fit(ids, zeros, { verbose: 0 }))
  })
  test.each(['keras', 'h5'] as const)('it comes back from %s', async (format) => {
    const net = language(options)
    expect(await values(await modelFromBytes(await modelToBytes(net, { format })))).toEqual(await values(net))
  })
})

test('as JSON, and as a layer of another model', async () => {
  const inner = language()
  const again = modelFromJSON(modelToJSON(inner))
  again.setWeights(await inner.getWeights())
  expect(await values(again)).toEqual(await values(inner))
  const x = input({ shape: [3] })
  const outer = model({ inputs: x, outputs: inner.apply(x) })
  expect(await values(outer)).toEqual(await values(inner))
  expect(await values(await modelFromBytes(await modelToBytes(outer, { format: 'keras' })))).toEqual(await values(inner))
})

test('the call in the file is Keras 3’s; in reverse nothing else is called', async () => {
  const { config } = jsonOfZip(await modelToBytes(language(), { format: 'keras' })) as {
    config: { layers: Called[]; output_layers: unknown }
  }
  const words = config.layers.find(({ name }) => name === 'words')
  expect(words?.inbound_nodes.map(({ kwargs }) => kwargs)).toEqual([{}, { reverse: true }])
  expect(config.output_layers).toEqual(['words', 1, 0])
  const json = modelToJSON(language()).replace('"ReversibleEmbedding"', '"Embedding"').replace('"tie_weights": true, ', '')
  expect(() => modelFromJSON(json)).toThrow(/layer "words" \(Embedding\): inbound_nodes: a call in reverse is not supported/)
})
interface Called {
  name: string
  inbound_nodes: { kwargs: object }[]
}

test('vectors of another size are an error with the layer’s name', () => {
  const words = reversibleEmbedding(5, 4, { name: 'words' })
  expect(() => words.reverse(input({ shape: [3, 2] }))).toThrow(/"words".*reverse takes vectors of 4 numbers, as the rows are, got 2/)
})
