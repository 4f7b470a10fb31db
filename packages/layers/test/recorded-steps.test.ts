/** Steps of fit that are recorded: the same bits as the program gives, for every optimizer and whatever happens between steps. Each layer type is in checkLayer. */
import { key, normal, type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import * as all from '../src/index.js'
import {
  activations,
  type BatchShape,
  batchNormalization,
  type CallContext,
  constraints,
  Dense,
  type Discretization,
  dense,
  discretization,
  dropout,
  embedding,
  exponentialDecay,
  flatten,
  model as graph,
  gru,
  input,
  Layer,
  l1,
  layerNormalization,
  type Model,
  masking,
  Sequential,
} from '../src/index.js'
import type { Metric } from '../src/metrics/index.js'
import { optimizerNames } from '../src/optimizers/index.js'

const x = normal(key(1), [22, 6])
const classes = tensor(
  Array.from({ length: 22 }, (_, i) => i % 3),
  { dtype: 'int32' },
)
const targets = normal(key(2), [22, 1])

type Net = Pick<Model, 'compile' | 'fit' | 'weights' | 'stepInfo' | 'optimizer' | 'dispose' | 'layers' | 'setWeights' | 'getWeights'>
type Compile = Parameters<Model['compile']>[0]

/** Trains with the program in every step, and with recorded steps; the weights, the optimizer's state and the history must be the same. */
async function compare(
  network: () => Net,
  options: () => Compile,
  train: (net: Net) => Promise<unknown>,
  ...[recorded = true]: [recorded?: boolean | 'whatever']
): Promise<string | undefined> {
  const results: string[] = []
  let reason: string | undefined
  for (const runEagerly of [true, undefined]) {
    const net = network()
    net.compile({ ...options(), ...(runEagerly && { runEagerly }) })
    const history = await train(net)
    const state = await net.optimizer.getWeights()
    const weights = await Promise.all(net.weights.map((weight) => weight.data()))
    const bits = [...weights, ...state.map(({ data }) => data)].map((data) =>
      Buffer.from(Float64Array.from(data).buffer).toString('base64'),
    )
    results.push(JSON.stringify([history, bits]))
    if (recorded !== 'whatever') expect(net.stepInfo.recorded, net.stepInfo.reason).toBe(runEagerly ? false : recorded)
    reason = net.stepInfo.reason
    net.dispose()
  }
  expect(results[1]).toBe(results[0])
  return reason
}

const small = (): Sequential =>
  new Sequential([dense(5, { activation: 'tanh', inputShape: [6] }), dropout(0.3), dense(1, { kernelRegularizer: 'l2' })], { seed: 3 })
/** Batches of 4, and a last one of 2. */
const epochs =
  (n: number, y: Tensor = targets, more: object = {}) =>
  async (net: Net): Promise<unknown> =>
    (await net.fit(x, y, { epochs: n, batchSize: 4, verbose: 0, ...more })).history

describe('every optimizer', () => {
  const plain = optimizerNames.map((name: string) => [name, {}] as const)
  const options: readonly (readonly [string, object])[] = [
    ['sgd', { momentum: 0.9, nesterov: true, clipnorm: 0.5 }],
    ['sgd', { learningRate: exponentialDecay({ initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5, staircase: true }) }],
    ['adam', { weightDecay: 0.1, globalClipnorm: 1, excludeFromWeightDecay: ['bias'] }],
    ['adam', { gradientAccumulationSteps: 3 }],
    ['adam', { useEma: true, emaMomentum: 0.8, emaOverwriteFrequency: 4 }],
    ['rmsprop', { decay: 0.1, clipvalue: 0.1 }],
  ]
  test.each([...plain, ...options])('%s %j', async (name, more) => {
    const make = (all as unknown as Record<string, (options: object) => Compile['optimizer']>)[name]
    await compare(
      small,
      () => ({ optimizer: make(more), loss: 'mse', metrics: ['mae'] }),
      epochs(12),
      'emaOverwriteFrequency' in more ? 'whatever' : true,
    )
  })
})

describe('parts of a training', () => {
  test('constraints, batch normalisation, weights of classes, accuracy and areas under curves', async () => {
    const net = (): Sequential =>
      new Sequential(
        [
          dense(8, { activation: 'gelu', inputShape: [6], kernelConstraint: constraints.maxNorm(1) }),
          batchNormalization(),
          layerNormalization(),
          dense(3, { activation: 'softmax', activityRegularizer: l1(0.01) }),
        ],
        { seed: 4 },
      )
    const compile = (): Compile => ({
      optimizer: 'adam',
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy', 'sparseTopKCategoricalAccuracy'],
      weightedMetrics: ['accuracy'],
    })
    await compare(net, compile, epochs(6, classes, { classWeight: { 0: 1, 1: 2, 2: 0.5 } }))
  })
  test('masks, an embedding whose rows are touched, a recurrent layer', async () => {
    const words = tensor(
      Array.from({ length: 22 }, (_, i) => [1 + (i % 5), 2 + (i % 3), i % 2, 0]),
      { dtype: 'int32' },
    )
    const net = (): Sequential => new Sequential([embedding(40, 4, { maskZero: true, inputLength: 4 }), gru(3), dense(1)], { seed: 4 })
    for (const optimizer of ['sgd', 'adagrad', 'adam'] as const) {
      await compare(
        net,
        () => ({ optimizer, loss: 'mse' }),
        async (model) => (await model.fit(words, targets, { epochs: 6, batchSize: 4, verbose: 0 })).history,
      )
    }
  })
  test('several outputs', async () => {
    const net = (): Model => {
      const inputs = input({ shape: [6] })
      const hidden = dense(4, { activation: 'relu', name: 'hidden' }).apply(inputs)
      return graph({
        inputs,
        outputs: [dense(1, { name: 'a' }).apply(hidden), dense(3, { activation: 'softmax', name: 'b' }).apply(hidden)],
        seed: 5,
      })
    }
    const compile = (): Compile => ({
      optimizer: 'adam',
      loss: { a: 'mse', b: 'sparseCategoricalCrossentropy' },
      metrics: { b: ['accuracy'] },
    })
    await compare(
      net,
      compile,
      async (model) => (await model.fit(x, { a: targets, b: classes }, { epochs: 6, batchSize: 4, verbose: 0 })).history,
    )
  })
})

describe('between steps', () => {
  test('the rate changes, layers are frozen and freed, weights are set', async () => {
    await compare(
      small,
      () => ({ optimizer: 'adam', loss: 'mse' }),
      async (net) => {
        const histories: unknown[] = []
        for (let i = 0; i < 4; i++) {
          net.optimizer.learningRate = 0.01 / (i + 1)
          net.layers[1].trainable = i % 2 === 0
          if (i === 2)
            net.setWeights(
              (await net.getWeights()).map(({ shape, data }) =>
                tensor(
                  Float32Array.from(data, (v) => v / 2),
                  { shape },
                ),
              ),
            )
          histories.push(await epochs(5)(net))
        }
        return histories
      },
    )
  })
  test('a layer adapts to other data', async () => {
    await compare(
      () => new Sequential([discretization(3, { inputShape: [1], outputMode: 'one_hot' }), dense(1)], { seed: 3 }),
      () => ({ optimizer: 'sgd', loss: 'mse' }),
      async (net) => {
        const histories: unknown[] = []
        for (const scale of [1, 0.1]) {
          await (net.layers[0] as Discretization).adapt(normal(key(5), [40], { stddev: scale }))
          histories.push((await net.fit(targets, targets, { epochs: 5, batchSize: 4, verbose: 0 })).history)
        }
        return histories
      },
    )
  })
  test('other models are made meanwhile', async () => {
    const net = small()
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    for (let i = 0; i < 5; i++) {
      small().dispose()
      await net.trainOnBatch(x, targets)
    }
    expect(net.stepInfo.recorded, net.stepInfo.reason).toBe(true)
  })
  test('dropout draws anew in each step, and trainOnBatch is recorded too', async () => {
    await compare(
      small,
      () => ({ optimizer: 'sgd', loss: 'mse' }),
      async (net) => {
        const losses: unknown[] = []
        for (let i = 0; i < 8; i++) losses.push(await (net as Sequential).trainOnBatch(x, targets))
        expect(new Set(losses.map(String)).size).toBe(8)
        return losses
      },
    )
  })
})

describe('code of the user', () => {
  class Counting extends Layer {
    override readonly className = 'Counting'
    calls = 0
    constructor() {
      super('Counting', {}, [])
    }
    override outputShape(shape: BatchShape): BatchShape {
      return shape
    }
    override call(y: Tensor, _context: CallContext): Tensor {
      return y.mul(++this.calls % 3)
    }
  }
  class Bent extends Dense {
    turn = 0
    override call(y: Tensor, context: CallContext): Tensor {
      const z = super.call(y, context)
      return this.turn++ % 2 ? z.neg() : z
    }
  }
  const nets: [name: string, net: () => Sequential, options?: object][] = [
    ['the layer', () => new Sequential([dense(3, { inputShape: [6] }), new Counting(), dense(1)], { seed: 3 })],
    ['the layer', () => new Sequential([dense(3, { inputShape: [6] }), new Bent(3), dense(1)], { seed: 3 })],
    [
      'activation of the layer',
      () => new Sequential([dense(3, { activation: (y) => activations.tanh(y), inputShape: [6] }), dense(1)], { seed: 3 }),
    ],
    ['the loss', small, { loss: (y: Tensor, p: Tensor) => y.sub(p).square() }],
    ['the metric', small, { metrics: [(y: Tensor, p: Tensor) => y.sub(p).abs()] }],
  ]
  test.each(nets)('runs in every step: %s', async (name, net, options = {}) => {
    const reason = await compare(net, () => ({ optimizer: 'sgd', loss: 'mse', ...options }), epochs(2), false)
    expect(reason).toContain(`${name}`)
  })
  test('runEagerly: false promises that it only calls ops', async () => {
    const net = new Sequential([dense(3, { activation: (y) => y.tanh(), inputShape: [6] }), flatten(), masking(), dense(1)], { seed: 3 })
    net.compile({ optimizer: 'sgd', loss: 'mse', runEagerly: false })
    await epochs(5)(net)
    expect(net.stepInfo.recorded).toBe(true)
    expect(() => net.compile({ optimizer: 'sgd', loss: 'mse', runEagerly: 1 as never })).toThrow('runEagerly')
  })
  test('but a metric that remembers what it likes is never recorded', async () => {
    const seen: number[] = []
    const count: Metric = {
      name: 'count',
      start: () => {
        let batches = 0
        return {
          update: () => {
            batches++
          },
          result: async () => {
            seen.push(batches)
            return batches
          },
          dispose: () => undefined,
        }
      },
    }
    const net = small()
    net.compile({ optimizer: 'sgd', loss: 'mse', metrics: [count, 'mae'], runEagerly: false })
    const { history } = await net.fit(x, targets, { epochs: 4, batchSize: 4, verbose: 0 })
    expect(history.count).toEqual([6, 6, 6, 6])
    expect(net.stepInfo).toMatchObject({ recorded: false, reason: expect.stringContaining('count') })
  })
})
