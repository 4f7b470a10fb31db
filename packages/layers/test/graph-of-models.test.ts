/** Graphs with models as layers, and with recurrent layers and their states. */
import { createReferenceBackend, key, normal, scope, type Tensor, zeros } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  add,
  bidirectional,
  dense,
  dropout,
  embedding,
  gru,
  InputLayer,
  input,
  type Layer,
  l2,
  lstm,
  model,
  resetNames,
  Sequential,
  timeDistributed,
} from '../src/index.js'

beforeEach(resetNames)

const random = (seed: number, shape: number[]): Tensor => scope(() => normal(key(seed), shape).keep())
const quiet = { verbose: 0 } as const

describe('models as layers', () => {
  const innerModel = (seed?: number) => {
    const x = input({ shape: [4] })
    return model({
      inputs: x,
      outputs: dense(3, { activation: 'softmax', kernelRegularizer: l2(0.01) }).apply(dropout(0.2).apply(x)),
      seed,
    })
  }

  test('in a graph and in a Sequential: weights, penalties, freezing, logits', async () => {
    const inner = innerModel(4)
    const x = input({ shape: [6] })
    const graph = model({ inputs: x, outputs: inner.apply(dense(4).apply(x)), seed: 9 })
    const stack = new Sequential([dense(4, { inputShape: [6] }), innerModel(4)], { seed: 9 })
    expect(graph.finalActivation).toBe('softmax')
    expect(stack.finalActivation).toBe('softmax')
    expect(graph.penalties()).toHaveLength(1)
    expect(stack.weights.map((w) => w.shape)).toEqual([[6, 4], [4], [4, 3], [3]])
    const data = random(1, [16, 6])
    const labels = Array.from({ length: 16 }, (_, i) => i % 3)
    for (const m of [graph, stack]) {
      m.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
      await m.fit(data, labels, { epochs: 2, batchSize: 4, ...quiet })
    }
    expect((await graph.getWeights()).map((w) => [...w.data])).toEqual((await stack.getWeights()).map((w) => [...w.data]))

    inner.trainable = false
    graph.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    expect(graph.trainableWeights).toHaveLength(2)
    const before = await inner.getWeights()
    await graph.fit(data, labels, { epochs: 1, ...quiet })
    expect(await inner.getWeights()).toEqual(before)
    data.dispose()
  })

  test('a model with no seed of its own that has no weights yet gets them from the model around it', async () => {
    const make = () => new Sequential([new Sequential([dense(3)]), dense(2)], { seed: 6 })
    const [a, b] = [make(), make()]
    for (const m of [a, b]) m.build([null, 5])
    expect((await a.getWeights()).map((w) => [...w.data])).toEqual((await b.getWeights()).map((w) => [...w.data]))
  })

  test('in the summary its uses count from 1, and without weights yet it gets them', () => {
    const x = input({ shape: [6] })
    const inner = new Sequential([dense(4)], { name: 'inner' })
    const graph = model({ inputs: x, outputs: add().apply([inner.apply(x), inner.apply(x)]), seed: 1 })
    expect(inner.countParams()).toBe(28)
    const lines = graph.summaryLines().filter((line) => /inner/.test(line))
    expect(lines).toEqual([
      'inner (Sequential)              (None, 4)            28          input_1[0][0]                    ',
      'add_1 (Add)                     (None, 4)            0           inner[1][0]                      ',
      '                                                                 inner[2][0]                      ',
    ])
    expect(() => inner.apply(input({ shape: [5] }))).toThrow(
      /layer "inner" \(Sequential\): its input "dense_1_input" is \[\?, 6\], got \[\?, 5\]/,
    )
    const other = new Sequential([dense(2, { inputShape: [4] })], { dtype: 'float64', backend: createReferenceBackend() })
    expect(() => model({ inputs: x, outputs: other.apply(inner.apply(x)) })).toThrow(
      /has weights in float64 on reference, the model around it in float32/,
    )
  })

  test('a model beginning a Sequential says the input shape', () => {
    const stack = new Sequential([innerModel(1), dense(2)], { seed: 1 })
    expect(stack.inputShapeOf()).toEqual([null, 4])
    expect(stack.outputShapeOf()).toEqual([null, 2])
  })

  test('inside a wrapper, one model at every step', async () => {
    const inner = innerModel(4)
    const x = input({ shape: [5, 4] })
    const graph = model({ inputs: x, outputs: timeDistributed(inner).apply(x), seed: 1 })
    const data = random(1, [2, 5, 4])
    const steps = (await graph.apply(data).array()) as number[][][]
    const one = (await inner.apply(data.slice([0, 2, 0], [2, 1, 4]).reshape([2, 4])).array()) as number[][]
    for (const [n, row] of one.entries()) for (const [i, v] of row.entries()) expect(steps[n][2][i]).toBeCloseTo(v, 5)
    expect(graph.penalties()).toHaveLength(1)
  })

  test('an input layer says the input shape of a Sequential, and is not among its layers', () => {
    const stack = new Sequential([new InputLayer({ shape: [4] }), dense(2)], { seed: 1 })
    expect(stack.layers).toHaveLength(1)
    expect(stack.inputShapeOf()).toEqual([null, 4])
    expect(() => stack.add(new InputLayer({ shape: [4] }))).toThrow(/must come first/)
  })

  test('penalties on activities inside count once a use', async () => {
    const inner = new Sequential([dense(2, { activityRegularizer: l2(0.5), inputShape: [3] })], { seed: 1 })
    const [a, b] = [input({ shape: [3] }), input({ shape: [3] })]
    const graph = model({ inputs: [a, b], outputs: add().apply([inner.apply(a), inner.apply(b)]), seed: 1 })
    graph.compile({ optimizer: 'sgd', loss: 'mse' })
    const [xa, xb] = [random(1, [4, 3]), random(2, [4, 3])]
    const sum = scope(() =>
      [xa, xb]
        .map((x) => inner.apply(x))
        .reduce((total, y) => total.add(y.square().sum().mul(0.5)), zeros([]))
        .keep(),
    )
    const y = await graph.predict([xa, xb])
    expect((await graph.evaluate([xa, xb], y))[0]).toBeCloseTo(await sum.item(), 4)
  })

  test('a weight that is reached on two ways is trained once', () => {
    const shared = dense(4)
    const x = input({ shape: [4] })
    const inner = model({ inputs: x, outputs: shared.apply(x), seed: 1 })
    const z = input({ shape: [4] })
    const graph = model({ inputs: z, outputs: shared.apply(inner.apply(z)), seed: 1 })
    expect(graph.trainableWeights).toHaveLength(2)
    expect(graph.countParams()).toBe(20)
  })
})

describe('recurrent layers in graphs', () => {
  test('an encoder gives its states to a decoder', async () => {
    const source = input({ shape: [null, 3], name: 'source' })
    const target = input({ shape: [null, 2], name: 'target' })
    const encoder = lstm(4, { returnState: true })
    const decoder = lstm(4, { returnSequences: true, returnState: true })
    const [, h, c] = encoder.applyAll(source)
    const [steps] = decoder.applyAll([target, h, c])
    const graph = model({ inputs: [source, target], outputs: dense(2).apply(steps), seed: 3 })
    const [xs, xt, y] = [random(1, [4, 6, 3]), random(2, [4, 5, 2]), random(3, [4, 5, 2])]
    const byHand = scope(() => {
      const { states } = encoder.run(xs)
      return (graph.layers.at(-1) as Layer).call(decoder.run(xt, { initialState: states }).output, { training: false }).keep()
    })
    expect(await graph.apply([xs, xt]).array()).toEqual(await byHand.array())
    graph.compile({ optimizer: 'adam', loss: 'mse' })
    graph.optimizer.learningRate = 0.02
    const first = await graph.trainOnBatch([xs, xt], y)
    await graph.fit([xs, xt], y, { epochs: 60, ...quiet })
    expect((await graph.evaluate([xs, xt], y))[0]).toBeLessThan(first[0] * 0.5)
    expect(() => decoder.applyAll([target, h])).toThrow(/come the states before the first step, \[\?, 4\] and \[\?, 4\]; got \[\?, 4\]/)
    graph.dispose()
  })

  test('a stateful layer keeps its states from batch to batch', async () => {
    const x = input({ batchShape: [2, 3, 1] })
    const graph = model({ inputs: x, outputs: gru(2, { stateful: true }).apply(x), seed: 1 })
    const data = random(1, [2, 3, 1])
    const read = async () => (await graph.predict(data, { batchSize: 2 })).array()
    const first = await read()
    expect(await read()).not.toEqual(first)
    graph.resetStates()
    expect(await read()).toEqual(first)
    expect(() => graph.apply(zeros([3, 3, 1]))).toThrow(/batches of 2 and got one of 3.*in layer "gru_1"/s)
  })

  test('an input of whole numbers', async () => {
    const x = input({ shape: [2], dtype: 'int32' })
    const graph = model({ inputs: x, outputs: embedding(5, 3).apply(x), seed: 1 })
    expect(graph.inputPorts).toEqual([{ name: 'input_1', shape: [null, 2], dtype: 'int32', indexCount: 5 }])
    const asFloats = input({ shape: [2] })
    const same = model({ inputs: asFloats, outputs: embedding(5, 3).apply(asFloats), seed: 1 })
    for (const data of [[[1, 4]], { data: Uint8Array.of(1, 4), shape: [1, 2] }])
      expect(await (await graph.predict(data)).array()).toEqual(await (await same.predict(data)).array())
  })

  test('both directions apart, with states', async () => {
    const x = input({ shape: [5, 3] })
    const layer = bidirectional(gru(2, { returnState: true, returnSequences: true }), { mergeMode: null })
    const outputs = layer.applyAll(x)
    expect(outputs.map((y) => y.shape)).toEqual([
      [null, 5, 2],
      [null, 5, 2],
      [null, 2],
      [null, 2],
    ])
    const graph = model({ inputs: x, outputs, seed: 1 })
    const data = random(1, [2, 5, 3])
    const results = graph.applyAll(data)
    const { outputs: plain, states } = layer.run(data)
    for (const [i, t] of [...plain, ...states].entries()) expect(await results[i].array()).toEqual(await t.array())
  })
})
