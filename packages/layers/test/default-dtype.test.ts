/** Models on a backend whose new floats are float64 train in it from the data to the predictions. */
import { createReferenceBackend, currentBackend, type DType, type Tensor, tensor, withBackend } from '@cotangent/core'
import { expect, test } from 'vitest'
import { batches, batchNormalization, dense, dropout, embedding, losses, lstm, Sequential } from '../src/index.js'

const exact = createReferenceBackend({ dtype: 'float64' })
const x = [
  [0.1, 0.2, 0.3],
  [0.4, -0.5, 0.6],
  [-0.7, 0.8, 0.9],
  [1, -1.1, 1.2],
]
const y = [[0], [1], [1], [0]]

const network = (dtype?: DType): Sequential =>
  withBackend(exact, () => {
    const model = new Sequential(
      [dense(4, { activation: 'tanh', inputShape: [3] }), batchNormalization(), dropout(0.25), dense(1, { activation: 'sigmoid' })],
      { seed: 7, dtype },
    )
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    return model
  })

const dtypesOf = (tensors: readonly Tensor[]): DType[] => [...new Set(tensors.map(({ dtype }) => dtype))]

test('weights, gradients, optimizer slots and predictions are float64', async () => {
  const model = network()
  expect(model.dtype).toBe('float64')
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 2, verbose: 0 })
  expect(dtypesOf(model.params)).toEqual(['float64'])
  expect(history.loss.map(Math.fround)).not.toEqual(history.loss)
  const predicted = (await model.predict(x)) as Tensor
  expect(predicted.dtype).toBe('float64')
  const values = Array.from(await predicted.data())
  expect(values.map(Math.fround)).not.toEqual(values)

  // The same training in float32 differs by rounding alone.
  const single = network('float32')
  const rounded = await single.fit(x, y, { epochs: 3, batchSize: 2, verbose: 0 })
  expect(dtypesOf(single.params)).toEqual(['float32'])
  expect(((await single.predict(x)) as Tensor).dtype).toBe('float32')
  for (const [i, loss] of history.loss.entries()) expect(rounded.history.loss[i]).toBeCloseTo(loss, 5)
})

test('a recurrent network on indices', async () => {
  const model = withBackend(exact, () => {
    const made = new Sequential([embedding(5, 3, { inputLength: 4, maskZero: true }), lstm(2, { recurrentDropout: 0.2 }), dense(1)], {
      seed: 1,
    })
    made.compile({ optimizer: 'rmsprop', loss: 'mse' })
    return made
  })
  const indices = [
    [1, 2, 0, 0],
    [3, 4, 1, 0],
  ]
  await model.fit(indices, [[1], [2]], { epochs: 2, verbose: 0 })
  expect(dtypesOf(model.params)).toEqual(['float64'])
  expect(((await model.predict(indices)) as Tensor).dtype).toBe('float64')
})

test('batches and losses of a loop of your own', () => {
  withBackend(exact, () => {
    for (const [a, b] of batches(x, y, { batchSize: 4 })) {
      expect(dtypesOf([a, b, losses.meanSquaredError(b, b.mul(0.5))])).toEqual(['float64'])
    }
  })
  const [a] = batches(x, y).next().value ?? []
  expect([currentBackend().name, a?.dtype]).toEqual(['wasm', 'float32'])
  expect(withBackend(exact, () => tensor([1])).dtype).toBe('float64')
})
