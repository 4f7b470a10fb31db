/** The options of `compile` are read back from a file: metrics with their options, a user's own names, outputs without a loss. */
import type { Tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  dense,
  embedding,
  model as graph,
  input,
  type LoadOptions,
  losses,
  lstm,
  type Model,
  metrics,
  modelFromBytes,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  Sequential,
} from '../src/index.js'

const formats: Readonly<Record<string, (model: Model, options: LoadOptions) => Promise<Model>>> = {
  h5: async (model, options) => modelFromBytes(await modelToBytes(model, { format: 'h5' }), options),
  keras: async (model, options) => modelFromBytes(await modelToBytes(model, { format: 'keras' }), options),
  tfjs: async (model, options) => {
    const { modelJson, shards } = await modelToTfjs(model)
    return modelFromTfjs(modelJson, shards, options)
  },
}
const strict = { onWarning: (message: string) => expect.fail(message) }
const x = [[0.1], [0.9], [0.4], [-2]]
const y = [[0], [1], [1], [0]]

describe.each(Object.entries(formats))('%s', (_, copyOf) => {
  test('metrics keep their options, also two of one kind and weighted ones', async () => {
    const model = new Sequential([dense(1, { activation: 'sigmoid', inputShape: [1] })], { seed: 1 })
    model.setWeights([[[1]], [0]])
    const { precision, auc, thresholdAccuracy, rootMeanSquaredError, f1Score } = metrics
    model.compile({
      optimizer: 'sgd',
      loss: 'binaryCrossentropy',
      metrics: ['accuracy', precision({ threshold: 0.01 }), precision({ threshold: 0.6 }), auc({ curve: 'PR', name: 'my auc' })],
      weightedMetrics: [
        'truePositives',
        thresholdAccuracy({ threshold: 0.55, name: 'over' }),
        rootMeanSquaredError(),
        f1Score({ threshold: 0.52 }),
      ],
    })
    const again = await copyOf(model, strict)
    expect(again.trainer().names).toEqual(model.trainer().names)
    const values = await model.evaluate(x, y, { sampleWeight: [1, 2, 3, 4] })
    expect(values.slice(1, 5)).toEqual([0.75, 0.5, 1, expect.any(Number)])
    expect(await again.evaluate(x, y, { sampleWeight: [1, 2, 3, 4] })).toEqual(values)
  })

  test("functions of the user's own are found by the names they have", async () => {
    const myLoss = (t: Tensor, p: Tensor): Tensor => t.sub(p).abs().mean({ axis: -1 })
    const myMetric = (_: Tensor, p: Tensor): Tensor => p.mean({ axis: -1 })
    const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 })
    model.compile({ optimizer: 'sgd', loss: myLoss, metrics: [myMetric, 'meanSquaredError'] })
    const again = await copyOf(model, { ...strict, customObjects: { myLoss, myMetric } })
    expect(again.trainer().names).toEqual(['loss', 'myMetric', 'meanSquaredError'])
    expect(await again.evaluate(x, y)).toEqual(await model.evaluate(x, y))
  })

  test.each([
    ['by default', {}, 5 / 3],
    ['sum_over_batch_size', { reduction: 'sum_over_batch_size' }, 2.5],
    ['sum', { reduction: 'sum' }, 5],
  ] as const)('the mean of a loss under a mask stays: %s', async (_, options, value) => {
    const steps = [embedding(3, 1, { maskZero: true, inputLength: 3, embeddingsInitializer: 'zeros' }), lstm(1, { returnSequences: true })]
    const model = new Sequential(steps)
    model.compile({ optimizer: 'sgd', loss: losses.getLoss('mse', options) })
    const again = await copyOf(model, strict)
    for (const one of [model, again]) expect((await one.evaluate([[1, 2, 0]], [[[1], [2], [5]]]))[0]).toBeCloseTo(value)
  })

  test('an output without a loss stays so', async () => {
    const from = input({ shape: [1], name: 'from' })
    const trained = dense(1, { name: 'trained' }).apply(from)
    const model = graph({ inputs: from, outputs: [trained, dense(1, { name: 'free' }).apply(from)], seed: 1 })
    model.compile({ optimizer: 'adam', loss: { trained: 'mse', free: null }, metrics: { trained: ['mae'] } })
    const free = await model.getLayer('free').weights[0].data()
    await model.fit(x, y, { epochs: 2, verbose: 0 })
    expect(await model.getLayer('free').weights[0].data(), 'training leaves its weights alone').toEqual(free)
    const again = await copyOf(model, strict)
    expect(again.trainer().names).toEqual(['loss', 'trained_loss', 'trained_mae'])
    await again.fit(x, y, { epochs: 1, verbose: 0 })
  })
})
