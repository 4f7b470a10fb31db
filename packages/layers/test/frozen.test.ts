/**
 * `trainable: false` reaches every layer inside: no weight and no moving average changes, whatever is around the layer. Sources: trainable_weights and updates in
 * keras/engine/network.py and base_layer.py 2.3.1; batch normalisation by plain loops.
 */
import { key, normal, type Tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { batchNormalization, dense, input, type Layer, type Model, model, resetNames, Sequential, timeDistributed } from '../src/index.js'

beforeEach(resetNames)

type Variant = 'keras2' | 'keras3'

const norm = (variant: Variant) => batchNormalization({ variant, epsilon: 0.5, name: 'norm' })
const base = (variant: Variant) => new Sequential([dense(3, { inputShape: [3] }), norm(variant)], { seed: 1 })

/** Models whose inner part, with a batch normalisation, can be frozen from outside. */
const places: Record<string, (variant: Variant) => { whole: Model; part: Layer }> = {
  'a Sequential in a Sequential': (variant) => {
    const part = base(variant)
    return { whole: new Sequential([part, dense(1)], { seed: 2 }), part }
  },
  'a graph in a graph': (variant) => {
    const x = input({ shape: [3] })
    const part = model({ inputs: x, outputs: norm(variant).apply(dense(3).apply(x)), seed: 1 })
    const outer = input({ shape: [3] })
    return { whole: model({ inputs: outer, outputs: dense(1).apply(part.apply(outer)), seed: 2 }), part }
  },
  'a model in a model in a model': (variant) => {
    const part = new Sequential([base(variant)], { seed: 3 })
    return { whole: new Sequential([new Sequential([part]), dense(1)], { seed: 2 }), part }
  },
  'timeDistributed, frozen itself': (variant) => {
    const part = timeDistributed(base(variant), { inputShape: [2, 3] })
    return { whole: new Sequential([part, dense(1)], { seed: 2 }), part }
  },
  'a model in timeDistributed': (variant) => {
    const part = base(variant)
    return { whole: new Sequential([timeDistributed(part, { inputShape: [2, 3] }), dense(1)], { seed: 2 }), part }
  },
}

const numbers = async (layer: Layer): Promise<number[][]> => (await layer.getWeights()).map(({ data }) => [...data])

describe.each(Object.entries(places))('%s', (_, make) => {
  test.each(['keras2', 'keras3'] as const)('frozen, %s: nothing inside changes; set free again, all of it does', async (variant) => {
    const { whole, part } = make(variant)
    const x = normal(key(5), [8, ...(whole.inputShapeOf().slice(1) as number[])])
    const y = normal(key(6), [8, ...(whole.outputShapeOf().slice(1) as number[])])
    part.trainable = false
    whole.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = await numbers(part)
    await whole.fit(x, y, { epochs: 2, verbose: 0 })
    expect(await numbers(part)).toEqual(before)
    part.trainable = true
    whole.compile({ optimizer: 'sgd', loss: 'mse' })
    await whole.fit(x, y, { epochs: 2, verbose: 0 })
    for (const [i, values] of (await numbers(part)).entries()) expect(values, `weight ${i}`).not.toEqual(before[i])
  })
})

describe('what a batch normalisation in a frozen model computes in training', () => {
  const x = normal(key(5), [8, 3])
  const training = async (variant: Variant): Promise<number[][]> => {
    const part = new Sequential([batchNormalization({ variant, epsilon: 0.5, inputShape: [3] })], { seed: 1 })
    part.setWeights([
      [1, 1, 1],
      [0, 0, 0],
      [1, 2, 3],
      [4, 5, 6],
    ])
    part.trainable = false
    return (await new Sequential([part], { seed: 2 }).apply(x, { training: true, key: key(1) }).array()) as number[][]
  }
  const rows = async (): Promise<number[][]> => (await x.array()) as number[][]
  const close = (got: number[][], wanted: number[][]): void => {
    for (const [i, row] of got.entries()) for (const [j, value] of row.entries()) expect(Math.abs(value - wanted[i][j])).toBeLessThan(1e-5)
  }

  test('keras2: the statistics of the batch, as Keras 2.3', async () => {
    const values = await rows()
    const wanted = values.map((row) =>
      row.map((v, j) => {
        const mean = values.reduce((sum, other) => sum + other[j], 0) / 8
        const variance = values.reduce((sum, other) => sum + (other[j] - mean) ** 2, 0) / 8
        return (v - mean) / Math.sqrt(variance + 0.5)
      }),
    )
    close(await training('keras2'), wanted)
  })
  test('keras3: the moving averages, as tf.keras 2 and Keras 3', async () => {
    close(
      await training('keras3'),
      (await rows()).map((row) => row.map((v, j) => (v - [1, 2, 3][j]) / Math.sqrt([4, 5, 6][j] + 0.5))),
    )
  })
})

test('a model that is frozen as a whole keeps its averages in a loop of one’s own, too', async () => {
  const whole = base('keras2')
  whole.trainable = false
  expect(whole.trainableWeights).toEqual([])
  const before = await numbers(whole)
  const y: Tensor = whole.apply(normal(key(5), [8, 3]), { training: true, key: key(1) })
  y.dispose()
  expect(await numbers(whole)).toEqual(before)
})

test('a layer shared by a frozen model and one that is not moves where it is not frozen', async () => {
  const shared = norm('keras2')
  const [frozen, free] = [true, false].map((first) => new Sequential([dense(3, { inputShape: [3] }), shared], { seed: first ? 1 : 2 }))
  frozen.trainable = false
  const x = normal(key(5), [8, 3])
  const before = await numbers(shared)
  frozen.apply(x, { training: true, key: key(1) }).dispose()
  expect(await numbers(shared)).toEqual(before)
  free.apply(x, { training: true, key: key(1) }).dispose()
  expect(await numbers(shared)).not.toEqual(before)
})
