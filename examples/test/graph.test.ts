/** A graph model on real digits: two halves of an image as two inputs, and two outputs. */
import { mnist } from '@cotangent/datasets'
import { add, concatenate, conv2d, dense, flatten, type HostArray, input, maxPooling2d, model, reshape } from '@cotangent/layers'
import { expect, test } from 'vitest'

/** The upper or the lower half of the first images, with values from 0 to 1. */
function half({ data }: HostArray, count: number, which: 0 | 1): HostArray {
  const values = Float32Array.from({ length: count * 392 }, (_, i) => data[Math.floor(i / 392) * 784 + which * 392 + (i % 392)] / 255)
  return { data: values, shape: [count, 14, 28] }
}

test('reads digits from two halves through shared filters, and says with a second output whether they are even', async () => {
  const { xTrain, yTrain, xTest, yTest } = await mnist.loadData()
  const prepare = (x: HostArray, y: HostArray, count: number) => ({
    x: { upper: half(x, count, 0), lower: half(x, count, 1) },
    y: {
      digit: { data: y.data.slice(0, count), shape: [count] },
      even: { data: Float32Array.from(y.data.slice(0, count), (label) => 1 - (label % 2)), shape: [count] },
    },
  })
  const [training, held] = [prepare(xTrain, yTrain, 3000), prepare(xTest, yTest, 1000)]

  const [upper, lower] = ['upper', 'lower'].map((name) => input({ shape: [14, 28], name }))
  const asImage = reshape([14, 28, 1])
  const filters = conv2d(8, [3, 3], { activation: 'relu' })
  const pool = maxPooling2d({ poolSize: [2, 2] })
  const features = [upper, lower].map((x) => flatten().apply(pool.apply(filters.apply(asImage.apply(x)))))
  const hidden = dense(48, { activation: 'relu' }).apply(concatenate().apply(features))
  const more = add().apply([hidden, dense(48, { activation: 'relu' }).apply(hidden)])
  const digit = dense(10, { activation: 'softmax', name: 'digit' }).apply(more)
  const even = dense(1, { activation: 'sigmoid', name: 'even' }).apply(more)
  const net = model({ inputs: [upper, lower], outputs: [digit, even], seed: 7 })
  net.compile({
    optimizer: 'adam',
    loss: { digit: 'sparseCategoricalCrossentropy', even: 'binaryCrossentropy' },
    lossWeights: { even: 0.5 },
    metrics: ['accuracy'],
  })
  await net.fit(training.x, training.y, { epochs: 4, batchSize: 64, verbose: 0 })
  const [loss, ofDigit, ofEven, accuracy, evenAccuracy] = await net.evaluate(held.x, held.y, { batchSize: 200 })
  expect(loss).toBeCloseTo(ofDigit + 0.5 * ofEven, 4)
  expect(accuracy).toBeGreaterThan(0.88)
  expect(evenAccuracy).toBeGreaterThan(0.93)

  // The model needs both halves.
  for (const name of ['upper', 'lower'] as const) {
    const { data, shape } = held.x[name]
    const blank = { ...held.x, [name]: { data: new Float32Array(data.length), shape } }
    const [, , , without] = await net.evaluate(blank, held.y, { batchSize: 200 })
    expect(without).toBeLessThan(accuracy - 0.15)
  }
  net.dispose()
})
