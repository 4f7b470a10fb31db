/** The options that `compile` accepts and refuses, and the errors when layers change after compile. */
import { type Tensor, ValueError } from '@cotangent/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  adam,
  CompileError,
  dense,
  earlyStopping,
  input,
  metrics,
  model,
  modelFromBytes,
  modelFromJSON,
  modelToBytes,
  modelToJSON,
  Sequential,
} from '../src/index.js'

const any = (value: unknown): never => value as never
const net = () =>
  new Sequential([dense(2, { inputShape: [2], kernelInitializer: 'ones' }), dense(1, { kernelInitializer: 'ones' })], { seed: 1 })
const [x, y] = [[[1, 2]], [[3]]]
afterEach(() => vi.restoreAllMocks())

describe('layers added or taken away since compile', () => {
  const again = /layers were added or taken away since compile. Call compile again/
  const changes: Record<string, (m: Sequential) => void> = {
    add: (m) => m.add(dense(2)),
    pop: (m) => m.pop(),
    'the same number': (m) => {
      m.pop()
      m.add(dense(1))
    },
  }
  test.each(Object.entries(changes))('%s: training, evaluating and the optimizer say so; compile and predict go on', async (_, change) => {
    const m = net()
    m.compile({ optimizer: adam(), loss: 'mse' })
    await m.fit(x, y, { verbose: 0 })
    change(m)
    const wide = m.outputShapeOf()[1] === 2 ? [[3, 3]] : y
    const before = (await m.getWeights()).map(({ data }) => [...data])
    await expect(m.fit(x, wide, { verbose: 0 })).rejects.toThrow(again)
    await expect(m.evaluate(x, wide)).rejects.toThrow(CompileError)
    await expect(m.trainOnBatch(x, wide)).rejects.toThrow(again)
    await expect(m.testOnBatch(x, wide)).rejects.toThrow(again)
    expect(() => m.optimizer).toThrow(again)
    expect((await m.getWeights()).map(({ data }) => [...data])).toEqual(before)
    expect((await m.predict(x)).shape).toEqual([1, wide[0].length])
    const params = m.countParams()
    expect(m.summaryLines().find((line) => line.startsWith('Trainable params'))).toBe(`Trainable params: ${params}`)
    // Saved without the options of compile.
    expect((await modelFromBytes(await modelToBytes(m))).countParams()).toBe(params)
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    await m.fit(x, wide, { verbose: 0 })
    expect((await m.getWeights()).map(({ data }) => [...data])).not.toEqual(before)
  })
  test('in a model inside; and taken back', async () => {
    const inner = new Sequential([dense(2, { inputShape: [2] })])
    const m = new Sequential([inner, dense(1)])
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    inner.add(dense(2))
    await expect(m.fit(x, y, { verbose: 0 })).rejects.toThrow(again)
    inner.pop()
    await m.fit(x, y, { verbose: 0 })
  })
  test('trainable, changed after compile, counts from the next compile on', async () => {
    const m = net()
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    m.layers[0].trainable = false
    const [kernel] = await m.getWeights()
    await m.fit(x, [[30]], { verbose: 0 })
    const moved = (await m.getWeights())[0]
    expect([...moved.data]).not.toEqual([...kernel.data])
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    await m.fit(x, [[30]], { verbose: 0 })
    expect([...(await m.getWeights())[0].data]).toEqual([...moved.data])
  })
})

describe('options', () => {
  const example = /Write model\.compile\(\{ optimizer: 'adam', loss: 'mse' \}\)/
  const early: [unknown, RegExp][] = [
    [undefined, example],
    ['adam', example],
    [{ loss: 'mse' }, /compile: optimizer is missing/],
    [{ optimizer: 'sgd' }, /compile: loss is missing/],
    [{ optimizer: 'sgd', loss: 'mse', metric: ['mae'] }, /compile: there is no option "metric"\. Did you mean "metrics"\?/],
    [{ optimizer: adam, loss: 'mse' }, /Call it: adam\(\)/],
    [{ optimizer: 'sgd', loss: 'mse', metrics: [metrics.auc] }, /Call it: auc\(\)/],
    [{ optimizer: 'sgd', loss: 'mse', metrics: [null] }, /metric: expected a name or an object, got null/],
  ]
  const late: [unknown, RegExp][] = [
    [{ optimizer: 'sgd', loss: 'mse', metrics: 3 }, /compile: metrics must be a list/],
    [{ optimizer: 'sgd', loss: 'mse', lossWeights: 2 }, /compile: lossWeights must be a list/],
    [{ optimizer: 'sgd', loss: 'mse', lossWeights: ['2'] }, /compile: lossWeights must be a number, got text "2"/],
    [{ optimizer: 'sgd', loss: [null] }, /at least one output needs a loss/],
  ]
  test.each([...early, ...late])('%j is refused; what was compiled before stays', async (options, message) => {
    const m = net()
    m.compile({ optimizer: 'sgd', loss: 'mae' })
    const { optimizer } = m
    expect(() => m.compile(any(options))).toThrow(message)
    expect(() => m.compile(any(options))).toThrow(ValueError)
    expect(m.optimizer).toBe(optimizer)
    await m.fit(x, y, { verbose: 0 })
  })
  test.each(early)('%j is refused by a model without weights, too', (options, message) => {
    expect(() => new Sequential([dense(1)]).compile(any(options))).toThrow(message)
  })
  test("Keras' spellings, and one metric without a list", async () => {
    const m = net()
    m.compile({ optimizer: 'sgd', loss: 'mse', loss_weights: [0.5], metrics: 'mae', weighted_metrics: metrics.rootMeanSquaredError() })
    const [loss, mae, rmse] = await m.evaluate(x, y)
    // 1 + 2 twice is 6; 6 − 3 = 3.
    expect([loss, mae, rmse]).toEqual([4.5, 3, 3])
    m.compile({ optimizer: 'sgd', loss: 'mse', metrics: (t: Tensor, p: Tensor) => p.sub(t) })
    expect((await m.evaluate(x, y))[1]).toBe(3)
  })
})

describe('names that every object has', () => {
  test('outputs and metrics called constructor', async () => {
    const a = input({ shape: [1] })
    const m = model({ inputs: a, outputs: [dense(1, { name: 'constructor' }).apply(a), dense(1, { name: 'b' }).apply(a)] })
    expect(() => m.compile({ optimizer: 'sgd', loss: { b: 'mse' } })).toThrow(/there is no loss for the output "constructor"/)
    m.compile({ optimizer: 'sgd', loss: 'mse', metrics: { b: 'mae' } })
    await m.fit([[1]], { constructor: [[1]], b: [[1]] } as never, { verbose: 0 })
    await expect(m.fit([[1]], { b: [[1]] }, { verbose: 0 })).rejects.toThrow(/nothing for the output "constructor"/)
    const named = net()
    const toString = (t: Tensor, p: Tensor) => p.sub(t)
    named.compile({ optimizer: 'sgd', loss: 'mse', metrics: [toString] })
    expect((await named.fit(x, y, { verbose: 0 })).history.toString).toEqual([3])
    expect(() => named.compile({ optimizer: 'sgd', loss: 'mse', metrics: [metrics.meanMetric('__proto__', toString)] })).toThrow(
      /__proto__/,
    )
    expect(() => named.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['constructor' as 'mae'] })).toThrow(/no metric "constructor"/)
  })
  test('a metric of a file', async () => {
    const m = net()
    m.compile({
      optimizer: 'sgd',
      loss: 'mse',
      metrics: [
        function constructor(t: Tensor, p: Tensor) {
          return p.sub(t)
        },
      ],
    })
    const warnings: string[] = []
    const again = await modelFromBytes(await modelToBytes(m), { onWarning: (text) => warnings.push(text) })
    expect(warnings.join()).toMatch(/A metric is left out\. .*"constructor"/)
    expect(await again.evaluate(x, y)).toEqual([9])
    expect(modelFromJSON(modelToJSON(m)).countParams()).toBe(9)
  })
})

describe('callbacks', () => {
  test.each([
    [earlyStopping, /callbacks\[0\] is the function earlyStopping, not a callback/],
    [{ onEpochend() {} }, /callbacks\[0\]: there is no option "onEpochend"\. Did you mean "onEpochEnd"/],
    [{ on_epoch_end() {} }, /there is no option "on_epoch_end"/],
    [{ onEpochEnd: 3 }, /onEpochEnd must be a function, got 3/],
    [Promise.resolve(earlyStopping()), /a Promise: await it first, which has no stage to call/],
    [net(), /which has no stage to call/],
  ])('%s is refused before training', async (callback, message) => {
    const m = net()
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    await expect(m.fit(x, y, { verbose: 0, callbacks: [any(callback)] })).rejects.toThrow(message)
    expect(m.optimizer.steps).toBe(0)
  })
})
