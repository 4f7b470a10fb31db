/** The golden vectors of Keras 3's normalisation layers, and what spectral normalisation does in models and files. */
import { key, normal, ones, type Parameter, scope, tensor } from '@cotangent/core'
import { expect, test } from 'vitest'
import {
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  modelFromBytes,
  modelToBytes,
  Sequential,
  type SpectralNormalization,
  spectralNormalization,
} from '../src/index.js'
import { arraysOfZip } from './keras-files.js'
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/norm', {
  after: async (layer, { expected }, close) => {
    if (layer.className !== 'SpectralNormalization') return
    await close((layer as SpectralNormalization).kernel as Parameter, expected.new_kernel, 'the new kernel')
    await close(layer.weights.at(-1) as Parameter, expected.new_vector_u, 'the new vector u')
  },
})

const net = (trainable = true): Sequential =>
  new Sequential([spectralNormalization(conv2d(3, 2, { activation: 'tanh' }), { inputShape: [4, 4, 2], trainable }), flatten(), dense(1)], {
    seed: 4,
  })

test('training divides the kernel and learns; frozen, nothing moves', async () => {
  for (const trainable of [true, false]) {
    const model = net(trainable)
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const before = await model.layers[0].getWeights()
    const [x, y] = [normal(key(1), [8, 4, 4, 2]), normal(key(2), [8, 1])]
    const [first] = await model.evaluate(x, y)
    await model.fit(x, y, { epochs: 60, verbose: 0 })
    const after = await model.layers[0].getWeights()
    for (const [i, { data }] of after.entries()) {
      if (trainable) expect(data).not.toEqual(before[i].data)
      else expect(data).toEqual(before[i].data)
    }
    expect((await model.evaluate(x, y))[0]).toBeLessThan(first)
  }
})

test('a kernel of zeros stays; a layer without a kernel is refused', async () => {
  const zero = new Sequential([spectralNormalization(dense(2, { kernelInitializer: 'zeros' }), { inputShape: [3] })], { seed: 1 })
  const y = zero.apply(ones([1, 3]), { training: true })
  expect(await y.array()).toEqual([[0, 0]])
  expect(() => new Sequential([spectralNormalization(dropout(0.1), { inputShape: [3] })])).toThrow(/has no kernel and no embeddings/)
})

test('.keras has the kernel twice, as Keras does', async () => {
  const model = net()
  const bytes = await modelToBytes(model, { format: 'keras' })
  expect([...(await arraysOfZip(bytes)).keys()].filter((path) => path.includes('spectral')).sort()).toEqual([
    'layers/spectral_normalization/layer/vars/0',
    'layers/spectral_normalization/layer/vars/1',
    'layers/spectral_normalization/vars/0',
    'layers/spectral_normalization/vars/1',
  ])
  const x = normal(key(3), [2, 4, 4, 2])
  for (const format of ['keras', 'h5'] as const) {
    const again = await modelFromBytes(await modelToBytes(model, { format }))
    expect(await again.apply(x).array()).toEqual(await model.apply(x).array())
  }
})

test('batch normalisation of Keras 3 under a mask: statistics of the steps that count, as of these alone', async () => {
  const x = normal(key(5), [1, 5, 3])
  const mask = tensor([[1, 1, 1, 0, 0]], { dtype: 'bool' })
  const layers = [0, 1].map(() => batchNormalization({ variant: 'keras3', momentum: 0.5 }))
  for (const layer of layers) layer.build([null, null, 3], { key: key(1), dtype: 'float32', backend: x.backend })
  const [masked, alone] = scope(() => [
    layers[0].call(x, { training: true, mask }).slice([0, 0, 0], [1, 3, 3]).keep(),
    layers[1].call(x.slice([0, 0, 0], [1, 3, 3]), { training: true }).keep(),
  ])
  const pairs = [[masked, alone], ...layers[0].weights.map((weight, i) => [weight, layers[1].weights[i]])]
  for (const [got, wanted] of pairs) {
    const [a, b] = [await got.data(), await wanted.data()]
    for (const [i, value] of a.entries()) expect(Math.abs(Number(value) - Number(b[i]))).toBeLessThan(1e-5)
  }
})
