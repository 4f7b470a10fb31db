/** Targets whose shape differs from the output's: reshaped or refused, never broadcast. Expected values are worked out by hand. */
import { type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { dense, input, losses, metrics, model, reshape, Sequential } from '../src/index.js'
import { arithmetics } from './arithmetic.js'

const own = (t: Tensor, p: Tensor) => p.sub(t).square()
const ownMean = (t: Tensor, p: Tensor) => p.sub(t).square().mean({ axis: -1 })
const share = (t: Tensor, p: Tensor) => p.sub(t).abs().less(0.5)

const x = [[1], [2], [3]]
/** y = x, so with targets 1, 2, 5 the errors are 0, 0, 2. */
const identity = () => new Sequential([dense(1, { inputShape: [1], useBias: false, kernelInitializer: 'ones' })])
/** The same with outputs [n]. */
const flat = () => new Sequential([dense(1, { inputShape: [1], useBias: false, kernelInitializer: 'ones' }), reshape([])])

const t1 = (values: readonly number[]) => tensor(Float32Array.from(values), { shape: [values.length] })

describe.each([
  ['lists [n]', [1, 2, 5]],
  ['lists [n, 1]', [[1], [2], [5]]],
  ['lists [n, 1, 1]', [[[1]], [[2]], [[5]]]],
])('targets as %s', (_, y) => {
  test.each([
    ['outputs [n, 1]', identity],
    ['outputs [n]', flat],
  ])('%s: losses and metrics of the user see the shape of the output', async (_name, make) => {
    // For outputs [n], a mean over the last axis would be one number for all samples, and weights would have no effect.
    for (const loss of make === flat ? ([own, 'mse'] as const) : ([own, ownMean, 'mse'] as const)) {
      const net = make()
      net.compile({ optimizer: 'sgd', loss, metrics: [own, ownMean, share, 'mse', 'mae'], weightedMetrics: [own] })
      // Σ(0, 0, 4)/3, the share of errors below ½ is 2/3.
      const want = [4 / 3, 4 / 3, 4 / 3, 2 / 3, 4 / 3, 2 / 3, 4 / 3]
      const plain = await net.evaluate(x, y as number[])
      for (const [i, value] of want.entries()) expect(plain[i]).toBeCloseTo(value, 6)
      // Weights 1, 2, 3: the loss is Σ(0, 0, 12)/3, the weighted metric 12/6.
      const weighed = await net.evaluate(x, y as number[], { sampleWeight: [1, 2, 3] })
      expect(weighed[0]).toBeCloseTo(4, 6)
      expect(weighed[6]).toBeCloseTo(2, 6)
      expect((await net.trainOnBatch(x, y as number[]))[0]).toBeCloseTo(4 / 3, 6)
    }
  })

  test('a step of training is that of the right loss', async () => {
    const net = identity()
    net.compile({ optimizer: 'sgd', loss: own })
    await net.fit(x, y as number[], { verbose: 0, shuffle: false, batchSize: 3 })
    // dL/dw = 2/3·Σ(p − t)·x = 2/3·(−2)·3 = −4; w = 1 + 0.01·4
    expect((await net.getWeights())[0].data[0]).toBeCloseTo(1.04, 6)
  })

  test('outputs by name', async () => {
    const a = input({ shape: [1] })
    const one = dense(1, { useBias: false, kernelInitializer: 'ones', name: 'one' }).apply(a)
    const two = dense(1, { useBias: false, kernelInitializer: 'ones', name: 'two' }).apply(a)
    const net = model({ inputs: a, outputs: [one, two] })
    net.compile({ optimizer: 'sgd', loss: { one: own, two: 'mae' }, metrics: { two: own } })
    const values = await net.evaluate(x, { one: y as number[], two: y as number[] })
    expect(values[1]).toBeCloseTo(4 / 3, 6)
    expect(values[2]).toBeCloseTo(2 / 3, 6)
    expect(values[3]).toBeCloseTo(4 / 3, 6)
  })
})

describe('accuracy', () => {
  const decided = [0.9, 0.2, 0.7]
  const p = [[0.9], [0.2], [0.7]]
  const probabilities = (shape: number[]) =>
    new Sequential([dense(1, { inputShape: [1], useBias: false, kernelInitializer: 'ones' }), reshape(shape)])
  test.each([
    ['outputs [n, 1]', [1]],
    ['outputs [n]', []],
  ])("'accuracy' of %s after a loss of one's own is the share of right decisions", async (_, shape) => {
    const net = probabilities(shape)
    net.compile({ optimizer: 'sgd', loss: own, metrics: ['accuracy', metrics.binaryAccuracy], weightedMetrics: ['accuracy'] })
    const [, plain, byFunction] = await net.evaluate(p, [1, 1, 1])
    expect(plain).toBeCloseTo(2 / 3, 6)
    expect(byFunction).toBeCloseTo(2 / 3, 6)
    // The second, of weight 2 of 4, is wrong.
    expect((await net.evaluate(p, [1, 1, 1], { sampleWeight: [1, 2, 1] }))[3]).toBeCloseTo(1 / 2, 6)
  })
  test('functions refuse what is no target of the predictions', () => {
    const [t, rows] = [t1([0, 1, 1]), tensor([decided, decided, decided])]
    // Here argMax of the targets would be one number, compared with all rows.
    expect(() => metrics.categoricalAccuracy(t, rows)).toThrow(/categoricalAccuracy: targets and predictions have different shapes/)
    expect(() => metrics.topKCategoricalAccuracy(t, rows, 2)).toThrow(/topKCategoricalAccuracy: targets/)
    expect(() => metrics.sparseCategoricalAccuracy(rows, rows)).toThrow(/sparseCategoricalAccuracy: there must be one class number/)
    const [wide, tall] = [tensor([[1, 0, 1]]), tensor([[1], [0], [1]])]
    // As many elements, in another order.
    expect(() =>
      metrics.binaryAccuracy(
        tensor([
          [1, 0, 1],
          [0, 1, 1],
        ]),
        tensor([
          [1, 0],
          [1, 0],
          [1, 1],
        ]),
      ),
    ).toThrow(/binaryAccuracy: targets/)
    for (const make of [metrics.precision, metrics.recall, metrics.truePositives, metrics.auc, metrics.f1Score]) {
      expect(() => make().start().update(wide, tall)).toThrow(/targets and predictions have different shapes/)
    }
  })
})

describe('class numbers', () => {
  const rows = [
    [0.1, 0.9],
    [0.8, 0.2],
    [0.3, 0.7],
  ]
  const logits = () => new Sequential([dense(2, { inputShape: [2], useBias: false, kernelInitializer: 'identity' })])
  const sparse = (t: Tensor, p: Tensor) => p.log().mul(t.oneHot(2)).sum({ axis: -1 }).neg()
  const hits = (t: Tensor, p: Tensor) => p.argMax().equal(t)
  test.each([
    ['[n]', [1, 1, 1]],
    ['[n, 1]', [[1], [1], [1]]],
  ])('%s reach a sparse loss and metric of the user as [n]', async (_, y) => {
    const net = logits()
    net.compile({ optimizer: 'sgd', loss: sparse, metrics: [hits] })
    const [loss, accuracy] = await net.evaluate(rows, y as number[])
    expect(loss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.2) + Math.log(0.7)) / 3, 5)
    expect(accuracy).toBeCloseTo(2 / 3, 6)
  })
  test('they are not broadcast over the columns', async () => {
    const net = logits()
    net.compile({ optimizer: 'sgd', loss: own })
    // Keras broadcasts [n, 1] to [n, 2] here.
    await expect(net.evaluate(rows, [[1], [2], [5]])).rejects.toThrow(/shape/i)
  })
})

describe('targets that mean something else', () => {
  const wide = [
    [1, 0, 0],
    [2, 0, 0],
    [5, 0, 0],
  ]
  test('those that would be broadcast are refused, with the way out', async () => {
    const net = identity()
    net.compile({ optimizer: 'sgd', loss: own })
    await expect(net.evaluate(x, wide)).rejects.toThrow(/loss "own": .*silently be broadcast[\s\S]*\{ name, sparse: false, call/)
    net.compile({
      optimizer: 'sgd',
      loss: { name: 'first', sparse: false, call: (t: Tensor, p: Tensor) => ownMean(t.slice([0, 0], [3, 1]), p) },
    })
    expect((await net.evaluate(x, wide))[0]).toBeCloseTo(4 / 3, 6)
  })
  test('those that cannot be broadcast are passed as they are', async () => {
    const net = new Sequential([dense(2, { inputShape: [2], useBias: false, kernelInitializer: 'identity' })])
    // The third column says how much a sample counts.
    const packed = (t: Tensor, p: Tensor) =>
      p
        .sub(t.slice([0, 0], [2, 2]))
        .square()
        .mean({ axis: -1 })
        .mul(t.slice([0, 2], [2, 1]).reshape([2]))
    net.compile({ optimizer: 'sgd', loss: packed })
    const values = await net.evaluate(
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2, 9],
        [3, 6, 0.5],
      ],
    )
    expect(values[0]).toBeCloseTo((0 + 0.5 * 2) / 2, 6)
  })
})

test.each(arithmetics)('losses of outputs [n]: one value a sample, $name', async ({ dtype, backend }) => {
  const on = { dtype, backend }
  const [t, p] = [tensor([1, 2, 5], on), tensor([1, 2, 3], on)]
  expect([...(await losses.getLoss('mse').call(t, p).data())]).toEqual([0, 0, 4])
  expect([
    ...(await losses
      .getLoss('mse')
      .call(t.reshape([3, 1]), p)
      .data()),
  ]).toEqual([0, 0, 4])
  const mask = tensor([true, true, false], { backend: on.backend })
  expect([...(await losses.getLoss(own).call(t, p, mask).data())]).toEqual([0, 0, 0])
  expect(() => losses.getLoss('categoricalCrossentropy').call(t, p)).toThrow(/categoricalCrossentropy: .* no axis of classes/)
})

describe('what a function gives back', () => {
  const fail = async (loss: unknown, message: RegExp) => {
    const net = identity()
    net.compile({ optimizer: 'sgd', loss: loss as typeof own })
    const before = (await net.getWeights())[0].data[0]
    await expect(net.fit(x, [1, 2, 5], { verbose: 0 })).rejects.toThrow(message)
    expect((await net.getWeights())[0].data[0]).toBe(before)
    net.compile({ optimizer: 'sgd', loss: 'mse', metrics: [loss as typeof own] })
    await expect(net.evaluate(x, [1, 2, 5])).rejects.toThrow(message)
  }
  test('nothing, a Promise, a number, one value a column', async () => {
    await fail(function forgot(t: Tensor, p: Tensor) {
      own(t, p)
    }, /"forgot": the function must return a tensor, got undefined. Does the function return its result\?/)
    await fail(async (t: Tensor, p: Tensor) => own(t, p), /must return a tensor, got a Promise/)
    await fail(() => 3, /must return a tensor, got 3/)
    await fail(
      (t: Tensor, p: Tensor) => own(t, p).sum({ axis: 0 }),
      /one value for each of the 3 samples, \[3\] or \[3, \.\.\], or one number for all; got \[1\]/,
    )
  })
  test('a loss object alike', async () => {
    const net = identity()
    net.compile({ optimizer: 'sgd', loss: { name: 'mine', sparse: false, call: () => undefined as unknown as Tensor } })
    await expect(net.evaluate(x, [1, 2, 5])).rejects.toThrow(/loss "mine": the function must return a tensor/)
    expect(() => net.compile({ optimizer: 'sgd', loss: { call: 3 } as never })).toThrow(/loss/)
    expect(() => net.compile({ optimizer: 'sgd', loss: 'mse', metrics: [{ start: 3 } as never] })).toThrow(/a function start\(\)/)
  })
})
