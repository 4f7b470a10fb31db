/** Attention beyond its golden cases: masks as inputs, scores as outputs, axes; in graphs and in files. */
import { key, normal, record, type Tensor, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  additiveAttention,
  attention,
  dense,
  embedding,
  flatten,
  groupQueryAttention,
  input,
  type Layer,
  type Model,
  masking,
  model,
  modelFromBytes,
  modelToBytes,
  multiHeadAttention,
  resetNames,
  timeDistributed,
} from '../src/index.js'
import type { Json } from '../src/io/keras-object.js'
import type { AttentionLayerOptions } from '../src/layers/attention/attention-layer.js'
import { copiesByFormat, jsonOfZip } from './keras-files.js'

beforeEach(() => resetNames())

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())].map(Number)
const predicted = async (of: Model, xs: Tensor[]): Promise<number[][]> =>
  Promise.all((await of.predictAll(xs.length === 1 ? xs[0] : xs)).map(numbers))
const built = (layer: Layer, ...xs: Tensor[]): Layer => {
  const [{ backend }] = xs
  layer.buildAll(
    xs.map((x) => x.shape),
    { key: key(1), dtype: 'float32', backend },
  )
  return layer
}
const none = { training: false, masks: [] }

describe('a mask as the fourth input', () => {
  const [q, v] = [normal(key(1), [2, 3, 4]), normal(key(2), [2, 5, 4])]
  const open = tensor([[0, 1, 2].map((i) => [0, 1, 2, 3, 4].map((j) => (i + j) % 2 === 0))], { dtype: 'bool' }).broadcastTo([2, 3, 5])

  test('closes pairs of steps: what it closes has no weight; numbers count as true unless they are 0', async () => {
    for (const layer of [
      multiHeadAttention(2, 3, { returnAttentionScores: true }),
      groupQueryAttention(3, 4, 2, { returnAttentionScores: true }),
    ]) {
      built(layer, q, v)
      const [y, scores] = layer.callAll([q, v, v, open], none).outputs
      const [, heads] = scores.shape
      const weights = await numbers(scores)
      const counts = await numbers(open.expandDims(1).broadcastTo([2, heads, 3, 5]))
      expect(weights.every((weight, i) => weight > 0 === (counts[i] === 1))).toBe(true)
      const same = layer.callAll([q, v, v, open.cast('float32').mul(2)], none).outputs[0]
      expect(await numbers(same)).toEqual(await numbers(y))
    }
  })
  test('may have an axis of heads, or only one row', async () => {
    const layer = built(multiHeadAttention(2, 3), q, v)
    const y = await numbers(layer.callAll([q, v, v, open], none).outputs[0])
    const byHead = open.expandDims(1).broadcastTo([2, 2, 3, 5])
    expect(await numbers(layer.callAll([q, v, v, byHead], none).outputs[0])).toEqual(y)
    expect(layer.outputShapes([q.shape, v.shape, v.shape, [null, 1, 5]])).toEqual([[2, 3, 4]])
  })
  test('is told apart from other inputs', () => {
    const layer = multiHeadAttention(2, 3)
    expect(() => layer.outputShapes([q.shape, v.shape, v.shape, [2, 3, 4]])).toThrow(
      /fourth input is a mask of pairs of steps \[batch, 3, 5\].*got \[2, 3, 4\]/,
    )
    expect(() => layer.outputShapes([q.shape])).toThrow(/takes \[query, value\], \[query, value, key\] or|got 1 inputs/)
    expect(() => layer.outputShapes([q.shape, v.shape, v.shape, [null, 3, 5], [2]])).toThrow(/got 5 inputs/)
  })
})

describe('axes of attention', () => {
  test('attention along one axis of images is that of their rows, each on its own', async () => {
    const x = normal(key(3), [2, 3, 4, 5])
    const rows = built(multiHeadAttention(2, 3, { attentionAxes: 2, useCausalMask: true, slidingWindow: 2 }), x, x)
    const sequences = multiHeadAttention(2, 3, { useCausalMask: true, slidingWindow: 2 })
    built(sequences, x.reshape([6, 4, 5]), x.reshape([6, 4, 5])).setWeights(rows.weights)
    const y = rows.callAll([x, x], none).outputs[0]
    const z = sequences.callAll([x.reshape([6, 4, 5]), x.reshape([6, 4, 5])], none).outputs[0]
    expect(await numbers(y)).toEqual(await numbers(z))
  })
  test('the scores have an axis for each axis of query and value', () => {
    const layer = (options: object): Layer => multiHeadAttention(2, 3, { returnAttentionScores: true, ...options })
    const shape = [null, 3, 4, 5]
    expect(layer({}).outputShapes([shape, [null, 2, 6, 5]])[1]).toEqual([null, 2, 3, 4, 2, 6])
    expect(layer({ attentionAxes: [-2] }).outputShapes([shape, [null, 3, 6, 5]])[1]).toEqual([null, 3, 2, 4, 6])
  })
  test('a mask of pairs reaches every row', async () => {
    const x = normal(key(3), [2, 3, 4, 5])
    const causal = tensor([[0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => j <= i))], { dtype: 'bool' }).broadcastTo([2, 4, 4])
    const layer = built(multiHeadAttention(2, 3, { attentionAxes: 2 }), x, x)
    const byOption = built(multiHeadAttention(2, 3, { attentionAxes: 2, useCausalMask: true }), x, x)
    byOption.setWeights(layer.weights)
    const y = layer.callAll([x, x, x, causal], none).outputs[0]
    expect(await numbers(y)).toEqual(await numbers(byOption.callAll([x, x], none).outputs[0]))
  })
  test('what does not fit', () => {
    const shape = [null, 3, 4, 5]
    expect(() => multiHeadAttention(2, 3, { useCausalMask: true }).outputShapes([shape, shape])).toThrow(
      /need one axis of attention, got 2/,
    )
    expect(() => multiHeadAttention(2, 3, { attentionAxes: 2 }).outputShapes([shape, [null, 2, 4, 5]])).toThrow(
      /no attention along axis 1, so query and value need one size/,
    )
    expect(() => multiHeadAttention(2, 3, { attentionAxes: 3 }).outputShapes([shape, shape])).toThrow(/axis \[3\] must name axes/)
    expect(() =>
      multiHeadAttention(2, 3).outputShapes([
        [null, 3],
        [null, 3],
      ]),
    ).toThrow(/or have more axes of steps/)
    expect(() => groupQueryAttention(2, 4, 2).outputShapes([shape, shape])).toThrow(/must be sequences \[batch, steps, features\]/)
    expect(() => groupQueryAttention(2, 4, 3)).toThrow(/numQueryHeads must be a multiple of numKeyValueHeads, got 4 and 3/)
    const [x] = [normal(key(3), [2, 3, 4, 5])]
    const mask = tensor(
      [
        [1, 1, 0],
        [1, 0, 0],
      ],
      { dtype: 'bool' },
    )
    expect(() => built(multiHeadAttention(2, 3), x, x).callAll([x, x], { ...none, masks: [mask, undefined] })).toThrow(
      /attention must be along axis 1 alone/,
    )
  })
})

test('in training with dropout, shared heads drop weights and keep their mean', async () => {
  const [q, v] = [normal(key(1), [2, 3, 4]), normal(key(2), [2, 5, 4])]
  const layer = built(groupQueryAttention(3, 4, 2, { dropout: 0.3, returnAttentionScores: true }), q, v)
  const quiet = layer.callAll([q, v], none).outputs
  const noisy = layer.callAll([q, v], { training: true, key: key(5), masks: [] }).outputs
  expect(await numbers(noisy[0])).not.toEqual(await numbers(quiet[0]))
  expect(await numbers(noisy[1])).toEqual(await numbers(quiet[1])) // the scores are those before dropout, as in Keras
})

/** Every layer of attention, with all that Keras has as arguments of the call. */
function everything(): { net: Model; xs: Tensor[] } {
  const [x, y] = [input({ shape: [4, 6], name: 'x' }), input({ shape: [4, 6], name: 'y' })]
  const mask = input({ shape: [4, 4], dtype: 'bool', name: 'mask' })
  const options = { useCausalMask: true, returnAttentionScores: true }
  const outputs = [
    ...attention({ ...options, useScale: true, scoreMode: 'concat' }).applyAll([x, y]),
    ...additiveAttention(options).applyAll([x, y, x]),
    ...multiHeadAttention(2, 3, { ...options, useGate: true, slidingWindow: 3, outputShape: [2, 3] }).applyAll([x, y, y, mask]),
    ...groupQueryAttention(2, 4, 2, { ...options, useGate: true }).applyAll([x, y, x, mask]),
    groupQueryAttention(2, 2, 1).apply([x, y]),
  ]
  const xs = [normal(key(1), [2, 4, 6]), normal(key(2), [2, 4, 6])]
  const open = tensor([[0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => j === 0 || j !== i))], { dtype: 'bool' }).broadcastTo([2, 4, 4])
  return { net: model({ inputs: [x, y, mask], outputs, seed: 3 }), xs: [...xs, open] }
}

describe('in files', () => {
  test.each(Object.entries(copiesByFormat))('%s: options, masks and scores come back', async (_, copyOf) => {
    const { net, xs } = everything()
    const copy = await copyOf(net)
    expect(copy.layers.map((layer) => layer.getConfig())).toEqual(net.layers.map((layer) => layer.getConfig()))
    expect(await predicted(copy, xs)).toEqual(await predicted(net, xs))
  })

  test('.keras: causal masks, scores and masks are arguments of calls, and weights stand under Keras’ names', async () => {
    const bytes = await modelToBytes(everything().net, { format: 'keras' })
    const { config } = jsonOfZip(bytes) as { config: { layers: { name: string; config: Json; inbound_nodes: Json[] }[] } }
    const found = (name: string) => config.layers.find((layer) => layer.name === name) as (typeof config.layers)[number]
    const flags = { use_causal_mask: true, return_attention_scores: true }
    const history = (kwargs: Json): unknown => (kwargs.attention_mask as { config: Json }).config.keras_history
    expect(found('attention_1').inbound_nodes[0].kwargs).toEqual(flags)
    expect(found('additive_attention_1').inbound_nodes[0].kwargs).toEqual(flags)
    for (const name of ['multi_head_attention_1', 'grouped_query_attention_1']) {
      const [{ args, kwargs }] = found(name).inbound_nodes as { args: unknown[]; kwargs: Json }[]
      expect(args).toHaveLength(3)
      expect(kwargs).toMatchObject(flags)
      expect(history(kwargs)).toEqual(['mask', 0, 0])
    }
    expect(found('grouped_query_attention_2').inbound_nodes[0].kwargs).toEqual({})
    for (const { config: own } of config.layers) expect(own).not.toHaveProperty('use_causal_mask')
  })

  test('a call of Keras with a mask and no key: the values are the keys', async () => {
    const [x, y] = [input({ shape: [4, 6], name: 'x' }), input({ shape: [4, 6], name: 'y' })]
    const mask = input({ shape: [4, 4], dtype: 'bool', name: 'mask' })
    const net = model({ inputs: [x, y, mask], outputs: multiHeadAttention(2, 3).apply([x, y, y, mask]), seed: 3 })
    const { unzip, zip } = await import('@cotangent/datasets/formats')
    const files = unzip(await modelToBytes(net, { format: 'keras' }))
    const object = JSON.parse(new TextDecoder().decode(files.get('config.json'))) as { config: { layers: { inbound_nodes: Json[] }[] } }
    const [node] = object.config.layers[3].inbound_nodes as { args: unknown[] }[]
    expect(node.args).toHaveLength(3)
    node.args.pop()
    files.set('config.json', new TextEncoder().encode(JSON.stringify(object)))
    const { xs } = everything()
    expect(await predicted(await modelFromBytes(zip([...files])), xs)).toEqual(await predicted(net, xs))
  })
})

test('masks of embeddings and masking reach it in a graph, and its output’s mask goes on', async () => {
  const words = input({ shape: [5], dtype: 'int32' })
  const steps = input({ shape: [4, 3] })
  const e = embedding(9, 3, { maskZero: true }).apply(words)
  const m = masking().apply(steps)
  const pairs = [attention(), additiveAttention(), multiHeadAttention(2, 3), groupQueryAttention(3, 2, 1)].map((layer) =>
    layer.apply([m, e]),
  )
  const net = model({ inputs: [words, steps], outputs: pairs.map((y) => timeDistributed(dense(1)).apply(y)), seed: 2 })
  const table = net.layers.find((layer) => layer.className === 'Embedding') as Layer
  const data = [tensor([[3, 4, 0, 0, 0]], { dtype: 'int32' }), normal(key(4), [1, 4, 3])]
  const before = await predicted(net, data)
  const ofPadding = tensor([[-5], ...Array.from({ length: 8 }, () => [0])])
  table.setWeights([table.weights[0].add(ofPadding)])
  expect(await predicted(net, data)).toEqual(before)
})

test('a model may be trained by its scores', async () => {
  const x = input({ shape: [3, 2] })
  const [y, scores] = multiHeadAttention(1, 2, { returnAttentionScores: true }).applyAll([x, x])
  const net = model({ inputs: x, outputs: [dense(1).apply(flatten().apply(y)), flatten().apply(scores)], seed: 1 })
  net.compile({ optimizer: 'adam', loss: 'mse' })
  net.optimizer.learningRate = 0.05
  const data = normal(key(1), [8, 3, 2])
  const targets = [normal(key(2), [8, 1]), tensor(Array.from({ length: 8 }, () => [1, 0, 0, 0, 1, 0, 0, 0, 1]))]
  const [first] = await net.evaluate(data, targets)
  await net.fit(data, targets, { epochs: 60, batchSize: 8, verbose: 0 })
  expect((await net.evaluate(data, targets))[0]).toBeLessThan(first * 0.5)
})

test('the op for whole attention runs unless weights are dropped or asked for', async () => {
  const [q, v] = [normal(key(1), [2, 3, 4]), normal(key(2), [2, 5, 4])]
  const ops = (layer: Layer, training = false): string[] =>
    record(built(layer, q, v).weights, () => layer.callAll([q, v], { training, masks: [], key: key(3) }).outputs[0]).tape.records.map(
      ({ op }) => op.name,
    )
  const makes = [
    (options: AttentionLayerOptions) => attention({ useScale: true, ...options }),
    (options: AttentionLayerOptions) => multiHeadAttention(2, 3, options),
    (options: AttentionLayerOptions) => groupQueryAttention(3, 4, 2, options),
  ]
  for (const make of makes) {
    expect(ops(make({ useCausalMask: true }))).toContain('scaledDotProductAttention')
    expect(ops(make({ dropout: 0.5 }))).toContain('scaledDotProductAttention')
    expect(ops(make({ dropout: 0.5 }), true)).not.toContain('scaledDotProductAttention')
    expect(ops(make({ returnAttentionScores: true }))).not.toContain('scaledDotProductAttention')
  }
  // With and without weights it is one function.
  const [plain, weighed] = [false, true].map((returnAttentionScores) =>
    built(attention({ useScale: true, useCausalMask: true, returnAttentionScores }), q, v),
  )
  const closed = tensor(
    [
      [true, true, false, true, true],
      [false, true, true, true, false],
    ],
    { dtype: 'bool' },
  )
  const [y, want] = [plain, weighed].map((layer) => layer.callAll([q, v], { ...none, masks: [undefined, closed] }).outputs[0])
  const expected = await numbers(want)
  for (const [i, value] of (await numbers(y)).entries()) expect(value).toBeCloseTo(expected[i], 5)
})
