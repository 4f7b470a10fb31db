/** The stages of tests and predictions; running means in the place of weights while a model is tested. */
import { describe, expect, test } from 'vitest'
import { type Callback, dense, lambdaCallback, Sequential, sgd, swapEMAWeights } from '../src/index.js'

const x = Array.from({ length: 10 }, (_, i) => [Math.sin(i), Math.cos(i)])
const y = x.map(([a, b]) => [a - b])
const quiet = { verbose: 0 } as const

function network(useEma = false): Sequential {
  const model = new Sequential([dense(1, { inputShape: [2] })], { seed: 1 })
  model.compile({ optimizer: sgd({ learningRate: 0.3, useEma, emaMomentum: 0.7 }), loss: 'mse', metrics: ['mae'] })
  return model
}

/** Notes every stage that is called. */
function noting(seen: string[]): Callback {
  const note =
    (stage: string) =>
    (...given: unknown[]): void =>
      void seen.push(
        [stage, ...given.map((value) => (typeof value === 'number' ? value : Object.keys(value as object).join('+')))].join(' '),
      )
  const stages = ['TrainBegin', 'EpochBegin', 'TrainBatchBegin', 'TrainBatchEnd', 'EpochEnd', 'TrainEnd']
  const tests = ['Test', 'Predict'].flatMap((kind) => ['Begin', 'BatchBegin', 'BatchEnd', 'End'].map((stage) => kind + stage))
  return Object.fromEntries([...stages.slice(1), ...tests].map((stage) => [`on${stage}`, note(stage)]))
}

describe('stages', () => {
  test('of fit with validation', async () => {
    const seen: string[] = []
    await network().fit(x, y, { ...quiet, batchSize: 8, validationSplit: 0.2, callbacks: [noting(seen)] })
    const logs = 'loss+mae'
    expect(seen).toEqual([
      'EpochBegin 0',
      'TrainBatchBegin 0',
      `TrainBatchEnd 0 ${logs}`,
      'TestBegin model+steps+samples',
      'TestBatchBegin 0',
      `TestBatchEnd 0 ${logs}`,
      `TestEnd ${logs}`,
      `EpochEnd 0 ${logs}+val_loss+val_mae`,
      'TrainEnd',
    ])
  })
  test('of evaluate and predict', async () => {
    const seen: string[] = []
    const model = network()
    await model.evaluate(x, y, { batchSize: 10, callbacks: [noting(seen)] })
    expect(seen).toEqual(['TestBegin model+steps+samples', 'TestBatchBegin 0', 'TestBatchEnd 0 loss+mae', 'TestEnd loss+mae'])
    seen.length = 0
    await model.predict(x, { batchSize: 5, callbacks: [noting(seen)] })
    const batch = (i: number): string[] => [`PredictBatchBegin ${i}`, `PredictBatchEnd ${i}`]
    expect(seen).toEqual(['PredictBegin model+steps+samples', ...batch(0), ...batch(1), 'PredictEnd'])
  })
  test('the end is told after an error, too', async () => {
    const seen: string[] = []
    const failing: Callback = {
      onTestBatchBegin() {
        throw new Error('no')
      },
      onTestEnd: (logs) => void seen.push(`end ${Object.keys(logs)}`),
    }
    await expect(network().evaluate(x, y, { callbacks: [failing] })).rejects.toThrow('no')
    expect(seen).toEqual(['end '])
  })
  test('of a callback with both names, Keras 3’s is called', async () => {
    const seen: string[] = []
    const both = { onBatchBegin: () => void seen.push('old'), onTrainBatchBegin: () => void seen.push('new') }
    await network().fit(x, y, { ...quiet, batchSize: 10, callbacks: [both, lambdaCallback({ on_test_begin: () => {} })] })
    expect(seen).toEqual(['new'])
  })
  test('what is wrong names the caller', async () => {
    const model = network()
    await expect(model.evaluate(x, y, { callbacks: [3 as never] })).rejects.toThrow(/evaluate: callbacks\[0\] is 3/)
    await expect(model.predict(x, { callbacks: [{ onPredictStart() {} } as never] })).rejects.toThrow(
      /predict: callbacks\[0\].*onPredictStart/,
    )
  })
})

test('sortLogs: the order of names, as in Keras 3', async () => {
  const orders: string[][] = []
  const order = async (sortLogs: boolean): Promise<string[]> => {
    const model = new Sequential([dense(1, { inputShape: [2] })])
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae', 'accuracy'] })
    const callbacks = [{ onEpochEnd: (_: number, logs: object) => void orders.push(Object.keys(logs)) }]
    return Object.keys((await model.fit(x, y, { ...quiet, validationSplit: 0.2, sortLogs, callbacks })).history)
  }
  const sorted = ['accuracy', 'loss', 'mae', 'val_accuracy', 'val_loss', 'val_mae']
  expect(await order(true)).toEqual(sorted)
  expect(await order(false)).toEqual(['loss', 'mae', 'accuracy', 'val_loss', 'val_mae', 'val_accuracy'])
  expect(orders[0]).toEqual(sorted)
})

describe('swapEMAWeights', () => {
  const kernel = async (model: Sequential): Promise<number[]> => [...(await model.weights[0].data())]
  const averages = async (model: Sequential): Promise<number[]> => [
    ...((await model.optimizer.getWeights()).find(({ name }) => name.startsWith('average'))?.data ?? []),
  ]

  test('validation uses the means, training the weights', async () => {
    const seen: Record<string, number[][]> = { means: [], tested: [], epochs: [] }
    const model = network(true)
    const plain: number[][] = []
    const bare = network(true)
    await bare.fit(x, y, { ...quiet, epochs: 3, callbacks: [{ onEpochEnd: async () => void plain.push(await kernel(bare)) }] })
    const note: Callback = {
      onTestBatchBegin: async () => void seen.tested.push(await kernel(model)),
      onEpochEnd: async () => {
        seen.epochs.push(await kernel(model))
        seen.means.push(await averages(model))
      },
    }
    const callbacks = [swapEMAWeights(), note]
    await model.fit(x, y, { ...quiet, epochs: 3, validationData: [x, y], callbacks })
    expect(seen.epochs).toEqual(plain)
    expect(seen.tested).toEqual(seen.means)
    expect(seen.tested[2]).not.toEqual(seen.epochs[2])
    expect(await kernel(model)).toEqual(await kernel(bare))
  })
  test('evaluate and predict use them, also if they fail, and two at a time are refused', async () => {
    const model = network(true)
    for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y)
    const [weights, means] = [await kernel(model), await averages(model)]
    const swap = swapEMAWeights()
    const outputs = await model.predict(x, { callbacks: [swap] })
    const other = network()
    const state = (await model.optimizer.getWeights()).filter(({ name }) => name.startsWith('average'))
    other.setWeights(state as never)
    expect(await outputs.data()).toEqual(await (await other.predict(x)).data())
    expect(await kernel(model)).toEqual(weights)
    const failing = { onTestBatchBegin: () => Promise.reject(new Error('no')) }
    await expect(model.evaluate(x, y, { callbacks: [swap, failing] })).rejects.toThrow('no')
    expect([await kernel(model), await averages(model)]).toEqual([weights, means])
    const [one, two] = [model.evaluate(x, y, { callbacks: [swap] }), model.evaluate(x, y)]
    await expect(two).rejects.toThrow(/evaluate of the model .* is still running/)
    await one
  })
  test('with swapOnEpoch, callbacks after it see the means; training ends with them', async () => {
    const model = network(true)
    const bare = network(true)
    const [seen, means]: number[][][] = [[], []]
    await bare.fit(x, y, { ...quiet, epochs: 3, callbacks: [{ onEpochEnd: async () => void means.push(await averages(bare)) }] })
    const note = { onEpochEnd: async () => void seen.push(await kernel(model)) }
    await model.fit(x, y, { ...quiet, epochs: 3, validationData: [x, y], callbacks: [swapEMAWeights({ swapOnEpoch: true }), note] })
    expect(seen).toEqual(means)
    expect([await kernel(model), await averages(model)]).toEqual([means[2], means[2]])
  })
  test('an optimizer without means is refused', async () => {
    const swap = swapEMAWeights()
    await expect(network().fit(x, y, { ...quiet, callbacks: [swap] })).rejects.toThrow(
      /swapEMAWeights: the optimizer SGD keeps no means of the weights. Give it useEma: adam\(\{ useEma: true \}\)/,
    )
    expect(() => swapEMAWeights({ swapOnEpoc: true } as never)).toThrow(/swapOnEpoch/)
  })
})
