/** A training that was stopped and resumed has the bits of one that was not stopped. Accumulated batches are one larger batch. */
import { describe, expect, test } from 'vitest'
import {
  dense,
  dropout,
  exponentialDecay,
  getOptimizer,
  type HostArray,
  type OptimizerName,
  optimizerNames,
  Sequential,
} from '../src/index.js'

const x = Array.from({ length: 22 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 5) / 5])
const y = x.map(([a, b, c]) => [a * b - c])

function network(optimizer: OptimizerName, config: object, rate = 0.3): Sequential {
  const model = new Sequential([dense(6, { activation: 'tanh', inputShape: [3] }), ...(rate > 0 ? [dropout(rate)] : []), dense(1)], {
    seed: 11,
  })
  model.compile({ optimizer: getOptimizer({ className: optimizer, config }), loss: 'mse', metrics: ['mae'] })
  return model
}

interface Stopped {
  weights: readonly HostArray[]
  state: Awaited<ReturnType<Sequential['optimizer']['getWeights']>>
  config: object
}

const variants: [string, OptimizerName, object][] = [
  ...optimizerNames.map((name): [string, OptimizerName, object] => [name, name, {}]),
  ['momentum and decay', 'sgd', { momentum: 0.9, nesterov: true, decay: 0.01, clipnorm: 0.5 }],
  [
    'amsgrad on a schedule',
    'adam',
    { amsgrad: true, learningRate: exponentialDecay({ initialLearningRate: 0.01, decaySteps: 3, decayRate: 0.9 }) },
  ],
  // 6 batches an epoch: after two epochs an accumulation of 5 has two.
  ['accumulation', 'adam', { gradientAccumulationSteps: 5 }],
  ['averages', 'rmsprop', { useEma: true, emaMomentum: 0.9, emaOverwriteFrequency: 5 }],
]

describe('a resumed training has the same bits', () => {
  test.each(variants)('%s', async (_, name, config) => {
    const options = { batchSize: 4, epochs: 4, verbose: 0 } as const
    // The state of a checkpoint after the second epoch; the training goes on.
    let stopped: Stopped | undefined
    const whole = network(name, config)
    const { history } = await whole.fit(x, y, {
      ...options,
      callbacks: [
        {
          async onEpochEnd(epoch) {
            if (epoch !== 1) return
            const { optimizer } = whole
            stopped = { weights: await whole.getWeights(), state: await optimizer.getWeights(), config: optimizer.getConfig() }
          },
        },
      ],
    })
    const { weights, state, config: saved } = stopped as Stopped
    const resumed = network(name, JSON.parse(JSON.stringify(saved)))
    resumed.setWeights(weights)
    resumed.optimizer.setWeights(state, resumed.trainableWeights)
    const { history: rest } = await resumed.fit(x, y, { ...options, initialEpoch: 2 })
    expect(await resumed.getWeights()).toEqual((await whole.getWeights()).map((w, i) => ({ ...w, name: resumed.weights[i].name })))
    expect(rest.loss).toEqual(history.loss.slice(2))
    expect(rest.mae).toEqual(history.mae.slice(2))
    expect((await resumed.optimizer.getWeights()).map(({ data }) => data)).toEqual(
      (await whole.optimizer.getWeights()).map(({ data }) => data),
    )
  })

  test('and not those of a training without the state, or from another epoch', async () => {
    const weightsAfter = async (initialEpoch: number, state: boolean): Promise<unknown> => {
      const first = network('adam', {})
      await first.fit(x, y, { batchSize: 4, epochs: 2, verbose: 0 })
      const second = network('adam', {})
      second.setWeights(await first.getWeights())
      if (state) second.optimizer.setWeights(await first.optimizer.getWeights(), second.trainableWeights)
      await second.fit(x, y, { batchSize: 4, initialEpoch, epochs: initialEpoch + 1, verbose: 0 })
      return (await second.getWeights()).map(({ data }) => [...data])
    }
    const right = await weightsAfter(2, true)
    expect(await weightsAfter(2, false)).not.toEqual(right)
    expect(await weightsAfter(0, true)).not.toEqual(right)
  })
})

describe('accumulated batches', () => {
  test.each(['sgd', 'adam'] as const)('%s: n batches of b are one batch of n·b', async (name) => {
    const rows = x.slice(0, 20)
    const [small, large] = [
      network(name, { gradientAccumulationSteps: 5, learningRate: 0.05 }, 0),
      network(name, { learningRate: 0.05 }, 0),
    ]
    await small.fit(rows, y.slice(0, 20), { batchSize: 2, epochs: 5, shuffle: false, verbose: 0 })
    await large.fit(rows, y.slice(0, 20), { batchSize: 10, epochs: 5, shuffle: false, verbose: 0 })
    expect([small.optimizer.iterations, large.optimizer.iterations]).toEqual([10, 10])
    const wanted = await large.getWeights()
    for (const [i, { data }] of (await small.getWeights()).entries()) {
      for (const [j, value] of data.entries()) expect(value).toBeCloseTo(wanted[i].data[j], 5)
    }
  })

  test('batches of one accumulation have dropout masks of their own', async () => {
    const losses: number[] = []
    const model = network('sgd', { gradientAccumulationSteps: 4 }, 0.5)
    const same = [x.slice(0, 4), y.slice(0, 4)] as [number[][], number[][]]
    for (let i = 0; i < 3; i++) losses.push((await model.trainOnBatch(...same))[0])
    expect(model.optimizer.iterations).toBe(0)
    expect(new Set(losses).size).toBe(3)
  })
})

test('with useEma, fit ends with the averages in place of the weights', async () => {
  const model = network('sgd', { useEma: true, emaMomentum: 0.5, learningRate: 0.1 })
  let last: number[] = []
  await model.fit(x, y, {
    epochs: 3,
    verbose: 0,
    callbacks: [
      {
        async onEpochEnd() {
          last = (await model.getWeights()).flatMap(({ data }) => [...data])
        },
      },
    ],
  })
  const averages = (await model.optimizer.getWeights()).filter(({ name }) => name.startsWith('average')).flatMap(({ data }) => [...data])
  const weights = (await model.getWeights()).flatMap(({ data }) => [...data])
  expect(weights).toEqual(averages)
  expect(weights).not.toEqual(last)
})
