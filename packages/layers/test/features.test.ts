/** A Sequential as a graph: its inputs and outputs, and those of its layers, used to get features and to add layers. */
import { key, normal } from '@cotangent/core'
import { beforeEach, expect, test } from 'vitest'
import { dense, dropout, embedding, GraphModel, input, lstm, model, resetNames, Sequential } from '../src/index.js'

beforeEach(resetNames)

const x = normal(key(1), [4, 3])
const make = () =>
  new Sequential([dense(5, { inputShape: [3], activation: 'tanh', name: 'h' }), dropout(0.5), dense(2, { name: 'out' })], { seed: 1 })

test('features of a layer are what the layers up to it compute', async () => {
  const net = make()
  const features = model({ inputs: net.inputs, outputs: net.getLayer('h').output })
  const alone = new Sequential([net.getLayer('h')], { seed: 9 })
  expect(await features.predict(x).then((y) => y.array())).toEqual(await alone.predict(x).then((y) => y.array()))
  expect(features.weights).toEqual(net.getLayer('h').weights)
})

test('all of it is the model itself, which trains on in both', async () => {
  const net = make()
  const same = model({ inputs: net.inputs, outputs: net.outputs })
  const both = model({ inputs: net.inputs, outputs: [net.getLayer('h').output, net.output] })
  net.compile({ optimizer: 'sgd', loss: 'mse' })
  await net.fit(x, normal(key(2), [4, 2]), { verbose: 0 })
  const wanted = await net.predict(x).then((y) => y.array())
  expect(await same.predict(x).then((y) => y.array())).toEqual(wanted)
  expect(await both.predictAll(x).then(([, y]) => y.array())).toEqual(wanted)
})

test('another head on a frozen body', async () => {
  const body = make()
  body.trainable = false
  const head = model({ inputs: body.inputs, outputs: dense(1).apply(body.getLayer('h').output), seed: 2 })
  expect(head.countParams()).toBe(3 * 5 + 5 + 6)
  const graph = model({ inputs: body.inputs, outputs: dense(1).apply(body.output), seed: 2 })
  expect(graph.layers.map(({ name }) => name)).toEqual(['h_input', 'h', 'dropout_1', 'out', 'dense_2'])
})

test('a model in a Sequential, an embedding without a shape, sequences of any length', async () => {
  const net = new Sequential([embedding(9, 3), new Sequential([lstm(4, { returnSequences: true })]), lstm(2)], { seed: 1 })
  expect(net.inputs[0].shape).toEqual([null, null])
  expect(net.layers[1].output.shape).not.toBe(undefined)
  const features = model({ inputs: net.inputs, outputs: net.layers[2].output })
  expect(await features.predict([[1, 2, 3]]).then((y) => y.array())).toEqual(await net.predict([[1, 2, 3]]).then((y) => y.array()))
})

test('layers that are added and removed later are followed', () => {
  const net = make()
  expect(net.output.shape).toEqual([null, 2])
  net.add(dense(7))
  expect(net.output.shape).toEqual([null, 7])
  net.pop()
  net.pop()
  expect(net.output.shape).toEqual([null, 5])
  expect(net.getLayer('h').output.shape).toEqual([null, 5])
})

test('a chain whose outputs nobody asked for leaves its layers as they were', () => {
  const net = make()
  const y = net.getLayer('h').apply(input({ shape: [3] }))
  expect(net.getLayer('h').inboundNodes.length).toBe(1)
  expect(net.getLayer('h').output).toBe(y)
})

test('what cannot be is said', () => {
  expect(() => new Sequential([dense(2)]).inputs).toThrow(/no weights yet, since the shape of its input is not known/)
  const shared = dense(3, { inputShape: [3], name: 'shared' })
  for (const seed of [1, 2]) new Sequential([shared], { seed })
  expect(() => shared.output).toThrow(/"shared".*was not applied yet/)
  const a = input({ shape: [3] })
  const two = new GraphModel({ inputs: a, outputs: [shared.apply(a), dense(1).apply(a)] })
  expect(() => two.output).toThrow(/has 2 outputs, so it has no one output/)
})

test('numbers in place of tensors: how a model is applied', () => {
  for (const wrong of [[[1, 2, 3]], new Float32Array(3), [new Float32Array(3)], [1, 2, 3]])
    expect(() => make().apply(wrong as never)).toThrow(
      /apply: got .* with numbers\. .*model\.apply\(tensor\(x\)\), or .*await model\.predict\(x\)/,
    )
  expect(() => dense(2).apply([[1, 2]] as never)).toThrow(/layer "dense_\d+" \(Dense, units 2\), apply: got an array of 1 with numbers/)
})
