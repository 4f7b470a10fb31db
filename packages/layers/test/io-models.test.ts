/**
 * Models that others saved with Keras 2.0 to 3.3, tf.keras and TensorFlow.js, from COTANGENT_MODELS. Each has the accuracy that an independent forward pass
 * measured on the same samples. Those without such a figure have the outputs of a model built by hand with the same weights. The test prints a table of outcomes.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fashionMnist, type ImageDataset, imdb, mnist, normalize, padSequences, reshape, slice } from '@cotangent/datasets'
import { afterAll, describe, expect, test } from 'vitest'
import {
  batchNormalization,
  bidirectional,
  conv1d,
  conv2d,
  type Data,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling1d,
  gru,
  type Layer,
  lstm,
  type Model,
  maxPooling1d,
  maxPooling2d,
  Sequential,
  simpleRNN,
} from '../src/index.js'
import { loadModel, loadWeights } from '../src/node/index.js'

const [models, data] = [process.env.COTANGENT_MODELS, process.env.COTANGENT_DATA]
const absent = !models
  ? ' (COTANGENT_MODELS is not set)'
  : !existsSync(join(models, 'INDEX.md'))
    ? ` (COTANGENT_MODELS has no INDEX.md)`
    : !data
      ? ' (COTANGENT_DATA is not set)'
      : ''
const fileOf = (file: string): string => join(models as string, file)

const outcomes: string[] = []
const note = (file: string, params: number, outcome: string): void => {
  outcomes.push(`  ${file.padEnd(46)} ${String(params).padStart(7)} weights   ${outcome}`)
}
afterAll(() => {
  if (outcomes.length > 0) console.log(`Models saved by others:\n${outcomes.join('\n')}\n  ${outcomes.length} files, 0 refused`)
})

/** Unpacked once for all files. */
const images = {
  mnist: (): Promise<ImageDataset> => (loaded.mnist ??= mnist.loadData()),
  fashion: (): Promise<ImageDataset> => (loaded.fashion ??= fashionMnist.loadData()),
}
const loaded: { mnist?: Promise<ImageDataset>; fashion?: Promise<ImageDataset> } = {}

/** Test samples: images in the form that the model takes, and their labels. */
async function samples(
  set: 'mnist' | 'fashion' | 'imdb',
  n: number,
  scale: boolean,
  shape: readonly number[],
): Promise<{ x: Data; y: ArrayLike<number> }> {
  if (set === 'imdb') {
    const { xTest, yTest } = await imdb.loadData({ numWords: 5000 })
    return { x: padSequences(xTest.slice(0, n), { maxlen: 500 }), y: slice(yTest, 0, n).data }
  }
  const { xTest, yTest } = await images[set]()
  return { x: reshape(normalize(slice(xTest, 0, n), scale ? 255 : 1), [n, ...shape]), y: slice(yTest, 0, n).data }
}

async function accuracyOf(model: Model, x: Data, y: ArrayLike<number>): Promise<number> {
  const classes = await model.predictClasses(x, { batchSize: 500 })
  return classes.reduce((right, label, i) => right + Number(label === y[i]), 0) / classes.length
}

describe.skipIf(absent)(`accuracies of models saved by others${absent}`, () => {
  const measured: readonly [
    file: string,
    params: number,
    set: 'mnist' | 'fashion' | 'imdb',
    n: number,
    scale: boolean,
    accuracy: number,
  ][] = [
    ['mnist-mlp-4bumuhammad/mnist_model.h5', 55050, 'mnist', 10000, true, 0.9714],
    ['imdb-lstm-shamna/imdb_lstm.h5', 213301, 'imdb', 1000, false, 0.874],
    ['mnist-rnns-leejeehyeon/mnist_LSTM.h5', 222634, 'mnist', 2000, true, 0.9675],
    ['mnist-rnns-leejeehyeon/mnist_cnn.h5', 113386, 'mnist', 2000, true, 0.941],
    ['mnist-rnns-leejeehyeon/mnist_single.h5', 101770, 'mnist', 10000, true, 0.9108],
    ['fashion-cnn-sadiemir/fashion_mnist_cnn.h5', 225034, 'fashion', 2000, true, 0.9175],
    ['mnist-c3nz/mnist.h5', 225034, 'mnist', 2000, true, 0.967],
    ['mnist-cnn-purinat33/mnist_cnn.h5', 129066, 'mnist', 2000, false, 0.97],
    ['tfjs-fashion-4tsu/model.json', 101770, 'fashion', 10000, true, 0.8758],
  ]
  test.each(measured)('%s', async (file, params, set, n, scale, expected) => {
    const warnings: string[] = []
    const model = await loadModel(fileOf(file), { onWarning: (message) => warnings.push(message) })
    expect(warnings).toEqual([])
    expect(model.countParams()).toBe(params)
    const shape = model.inputShapeOf().slice(1) as number[]
    const { x, y } = await samples(set, n, scale, shape)
    const accuracy = await accuracyOf(model, x, y)
    note(file, params, `accuracy ${accuracy.toFixed(4)} of ${n} (measured ${expected})`)
    expect(Math.abs(accuracy - expected)).toBeLessThanOrEqual(0.002)
    model.dispose()
  })

  test('mnist-weights-srinjay/mnist_weights.h5, weights alone, into a model built by hand', async () => {
    const file = 'mnist-weights-srinjay/mnist_weights.h5'
    const model = new Sequential([
      conv2d(30, 5, { activation: 'relu', inputShape: [28, 28, 1] }),
      maxPooling2d(),
      conv2d(15, 3, { activation: 'relu' }),
      maxPooling2d(),
      dropout(0.2),
      flatten(),
      dense(128, { activation: 'relu' }),
      dense(50, { activation: 'relu' }),
      dense(10, { activation: 'softmax' }),
    ])
    await loadWeights(model, fileOf(file))
    const { x, y } = await samples('mnist', 2000, false, [28, 28, 1])
    const accuracy = await accuracyOf(model, x, y)
    note(file, model.countParams(), `accuracy ${accuracy.toFixed(4)} of 2000 (measured 0.982)`)
    expect(model.countParams()).toBe(59933)
    expect(Math.abs(accuracy - 0.982)).toBeLessThanOrEqual(0.002)
    model.dispose()
  })

  test('fashion-cnn-sadiemir/fashion_mnist_cnn.keras', async () => {
    const file = 'fashion-cnn-sadiemir/fashion_mnist_cnn.keras'
    const model = await loadModel(fileOf(file))
    const { x, y } = await samples('fashion', 2000, true, [28, 28, 1])
    const accuracy = await accuracyOf(model, x, y)
    note(file, model.countParams(), `accuracy ${accuracy.toFixed(4)} of 2000 (at least 0.90 asked)`)
    expect(accuracy).toBeGreaterThanOrEqual(0.9)
    expect(model.optimizer.iterations).toBe(18750)
    model.dispose()
  })
})

describe.skipIf(absent)(`models saved by others without a figure${absent}`, () => {
  const jena = { inputShape: [120, 14] }
  const files: readonly [file: string, params: number, layers: () => Layer[]][] = [
    ['jena-keras-dax44/jena_lstm.h5', 2001, () => [lstm(16, jena), dense(1)]],
    [
      'jena-keras-dax44/jena_gru_dropout.h5',
      10977,
      () => [gru(32, { resetAfter: true, returnSequences: true, ...jena }), gru(32, { resetAfter: true }), dropout(0.5), dense(1)],
    ],
    [
      'jena-keras-dax44/jena_conv1D.h5',
      3873,
      () => [
        conv1d(8, 24, { activation: 'relu', ...jena }),
        maxPooling1d(),
        conv1d(8, 12, { activation: 'relu' }),
        maxPooling1d(),
        conv1d(8, 6, { activation: 'relu' }),
        globalAveragePooling1d(),
        dense(1),
      ],
    ],
    ['jena-keras-dax44/jena_lstm_bi.h5', 4001, () => [bidirectional(lstm(16), jena), dense(1)]],
    ['jena-keras-dax44/jena_lstm_rev.h5', 2001, () => [lstm(16, jena), dense(1)]],
    ['jena-keras-dax44/jena_dense.h5', 26913, () => [flatten(jena), dense(16, { activation: 'relu' }), dense(1)]],
    ['jena-keras-dax44/jena_lstm_dropout.h5', 6049, () => [lstm(32, { recurrentDropout: 0.25, ...jena }), dropout(0.5), dense(1)]],
    [
      'tfjs-jena-lstm-rodrigooshiro/model.json',
      8968,
      () => [lstm(32, { returnSequences: true, inputShape: [120, 3] }), lstm(16, { activation: 'relu' }), dense(72)],
    ],
    [
      'tfjs-ux-djcordhose/model.json',
      3153,
      () => [simpleRNN(50, { inputShape: [25, 5] }), batchNormalization(), dense(3, { activation: 'softmax' })],
    ],
    [
      'tfjs-ux-djcordhose/click/model.json',
      3539,
      () => [
        embedding(13, 2, { inputLength: 5 }),
        simpleRNN(50, { activation: 'relu' }),
        batchNormalization(),
        dropout(0.4),
        dense(13, { activation: 'softmax' }),
      ],
    ],
  ]
  test.each(files)('%s', async (file, params, layers) => {
    const model = await loadModel(fileOf(file), { onWarning: (message) => expect.fail(message) })
    const twin = new Sequential(layers())
    expect(model.countParams()).toBe(params)
    twin.setWeights(await model.getWeights())
    const [, ...sample] = model.inputShapeOf() as number[]
    const size = 8 * sample.reduce((a, b) => a * b, 1)
    const words = file.includes('click')
    const x = {
      shape: [8, ...sample],
      data: Float32Array.from({ length: size }, (_, i) => (words ? (i * 7) % 13 : (((i * 7919) % 10007) - 5000) / 4096)),
    }
    const [ours, theirs] = [await model.predict(x), await twin.predict(x)]
    const values = await ours.data()
    expect([...values].every(Number.isFinite)).toBe(true)
    expect(values).toEqual(await theirs.data())
    note(file, params, `outputs as of a model built by hand, e.g. ${values[0].toFixed(4)}`)
    for (const owner of [model, twin, ours, theirs]) owner.dispose()
  })
})
