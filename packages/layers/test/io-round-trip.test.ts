/**
 * Models that we write and read again have equal bits: architecture, weights, optimizer. Training goes on from a file as if it had not stopped. The file is long, since
 * it has a model for every layer.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectNoLeaks, key, normal, type Tensor } from '@cotangent/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as layers from '../src/index.js'
import {
  add,
  type CallContext,
  concatenate,
  cosineDecay,
  dense,
  dropout,
  model as graph,
  input,
  Layer,
  type LayerOptions,
  lstm,
  type Model,
  modelFromBytes,
  modelFromJSON,
  modelFromTfjs,
  modelToBytes,
  modelToJSON,
  modelToTfjs,
  resetNames,
  Sequential,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'
import { loadModel, loadWeights, saveModel, saveWeights } from '../src/node/index.js'

beforeEach(() => resetNames())

/** Everything that a file must preserve. */
async function contents(model: Model): Promise<unknown> {
  const weights = (await model.getWeights()).map(({ name, shape, data }) => ({ name, shape, data: [...data] }))
  const { optimizer } = model
  const state = (await optimizer.getWeights()).map(({ shape, data }) => ({ shape, data: [...data] }))
  return {
    json: JSON.parse(modelToJSON(model)) as unknown,
    weights,
    state,
    optimizer: optimizer.getConfig(),
    names: model.trainer().names,
    seed: model.seed,
  }
}

const points = (shape: readonly number[], seed = 1): { shape: readonly number[]; data: Float32Array } => {
  const values = normal(key(seed), [...shape])
  const data = values.backend.readSync?.(values.storage) as Float32Array
  values.dispose()
  return { shape, data }
}

/** One of every layer, in stacks that train. */
const stacks: Readonly<Record<string, { inputShape: number[]; layers: () => Layer[] }>> = {
  images: {
    inputShape: [8, 8, 2],
    layers: () => [
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
        inputShape: [8, 8, 2],
      }),
      layers.conv2d(4, 3, { padding: 'same', dilationRate: 2, kernelRegularizer: 'l2', kernelConstraint: 'maxNorm' }),
      layers.batchNormalization({ momentum: 0.5 }),
      layers.batchNormalization({ variant: 'keras3', scale: false }),
      layers.prelu({ sharedAxes: [1, 2] }),
      layers.depthwiseConv2d(2, { depthMultiplier: 2 }),
      layers.separableConv2d(3, 2, { activation: 'elu' }),
      layers.conv2dTranspose(3, 2, { strides: 2 }),
      layers.spatialDropout2d(0.2),
      layers.maxPooling2d({ poolSize: [2, 3], strides: 2 }),
      layers.upSampling2d({ size: [1, 2] }),
      layers.cropping2d({ cropping: 1 }),
      layers.averagePooling2d(),
      layers.layerNormalization(),
      layers.reLU({ maxValue: 6, negativeSlope: 0.1, threshold: 0.5 }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.permute([3, 1, 2]),
      layers.flatten({ dataFormat: 'channelsFirst' }),
      layers.gaussianNoise(0.1),
      layers.gaussianDropout(0.1),
      layers.activation('selu'),
      dense(1, { kernelInitializer: layers.initializers.heNormal(), useBias: false, activityRegularizer: 'l1' }),
    ],
  },
  sequences: {
    inputShape: [12, 3],
    layers: () => [
      layers.zeroPadding1d({ padding: [1, 2], inputShape: [12, 3] }),
      layers.conv1d(4, 3, { padding: 'causal', dilationRate: 2, activation: 'relu' }),
      layers.spatialDropout1d(0.1),
      layers.cropping1d({ cropping: [1, 0] }),
      layers.maxPooling1d({ poolSize: 2 }),
      layers.upSampling1d({ size: 2 }),
      layers.averagePooling1d(),
      layers.simpleRNN(3, { returnSequences: true, dropout: 0.1 }),
      layers.bidirectional(lstm(2, { returnSequences: true, implementation: 1, recurrentDropout: 0.1 }), { mergeMode: 'ave' }),
      layers.gru(3, { returnSequences: true, resetAfter: true, implementation: 1 }),
      layers.rnn([layers.lstmCell(3), layers.gruCell(2)], { returnSequences: true, goBackwards: true }),
      layers.timeDistributed(dense(4, { activation: 'tanh' })),
      layers.elu(),
      layers.thresholdedReLU({ theta: 0.01 }),
      layers.globalAveragePooling1d(),
      layers.repeatVector(2),
      layers.reshape([4, -1]),
      layers.globalMaxPooling1d(),
      dropout(0.3, { noiseShape: [null, 2] }),
      dense(1),
    ],
  },
}

describe.each(Object.entries(stacks))('a stack of %s', (_, { inputShape, layers: make }) => {
  let model: Model
  beforeAll(async () => {
    model = new Sequential(make(), { seed: 11 })
    model.compile({ optimizer: layers.adam({ decay: 0.01, clipnorm: 1 }), loss: 'mse', metrics: ['mae', 'meanSquaredError'] })
    await model.fit(points([6, ...inputShape]), points([6, 1], 2), { epochs: 2, batchSize: 4, verbose: 0 })
  })
  afterAll(() => model.dispose())

  test.each(['h5', 'keras'] as const)('%s: contents and outputs', async (format) => {
    const again = await modelFromBytes(await modelToBytes(model, { format }), { onWarning: (message) => expect.fail(message) })
    expect(await contents(again)).toEqual(await contents(model))
    const x = points([3, ...inputShape], 3)
    expect(await (await again.predict(x)).data()).toEqual(await (await model.predict(x)).data())
    again.dispose()
  })

  test('nothing is left of a model that is read and disposed, nor of one whose weights do not fit', async () => {
    const bytes = await modelToBytes(model)
    const other = await weightsToBytes(new Sequential([dense(3, { inputShape: [2] })]))
    await (await modelFromBytes(bytes)).predict(points([1, ...inputShape])) // makes what is made only once
    await expectNoLeaks(async () => {
      ;(await modelFromBytes(bytes)).dispose()
      await expect(weightsFromBytes(model, other)).rejects.toThrow('layers with weights in the file')
    })
  })

  test('tfjs, JSON, and files of weights', async () => {
    const weights = await model.getWeights()
    const { modelJson, shards } = await modelToTfjs(model, { shardBytes: 1000 })
    expect([...shards.values()].every(({ length }) => length <= 1000)).toBe(true)
    const ofTfjs = await modelFromTfjs(modelJson, shards)
    expect(await ofTfjs.getWeights()).toEqual(weights)
    const fresh = modelFromJSON(modelToJSON(model))
    expect(modelToJSON(fresh).replace(/"cotangent".*/, '')).toBe(modelToJSON(model).replace(/"cotangent".*/, ''))
    expect(await fresh.getWeights()).toEqual(
      await new Sequential(make(), { seed: 11 }).getWeights().then((list) => list.map((w, i) => ({ ...w, name: weights[i].name }))),
    )
    for (const format of ['h5', 'safetensors', 'npz'] as const) {
      for (const byName of [false, true]) {
        const copy = modelFromJSON(modelToJSON(model), { seed: 1 })
        await weightsFromBytes(copy, await weightsToBytes(model, { format }), { byName })
        expect(await copy.getWeights()).toEqual(weights)
        copy.dispose()
      }
    }
    for (const format of ['h5', 'keras'] as const) await weightsFromBytes(fresh, await modelToBytes(model, { format }))
    expect(await fresh.getWeights()).toEqual(weights)
    for (const copy of [ofTfjs, fresh]) copy.dispose()
  })
})

/** Two inputs, a shared layer, a model used twice, states passed on, two outputs. */
function network(): Model {
  const a = input({ shape: [5, 3], name: 'a' })
  const b = input({ shape: [5, 3], name: 'b' })
  const shared = dense(4, { activation: 'relu' })
  const inner = new Sequential([dense(4, { inputShape: [4] }), layers.batchNormalization(), dropout(0.2)], { name: 'inner' })
  const [sequence, h, c] = lstm(4, { returnSequences: true, returnState: true }).applyAll(shared.apply(a))
  const decoded = lstm(4).apply([shared.apply(b), h, c])
  const x = inner.apply(decoded)
  const pooled = inner.apply(layers.globalMaxPooling1d().apply(sequence))
  const both = concatenate().apply([x, add().apply([x, pooled])])
  return graph({
    inputs: [a, b],
    outputs: [dense(1, { name: 'p', activation: 'sigmoid' }).apply(both), dense(2, { name: 'q' }).apply(pooled)],
    seed: 4,
  })
}

describe('a graph', () => {
  test.each(['h5', 'keras'] as const)('%s: contents and outputs', async (format) => {
    const model = network()
    model.getLayer('inner').trainable = true
    model.compile({
      optimizer: 'nadam',
      loss: { p: 'binaryCrossentropy', q: 'mse' },
      lossWeights: [1, 0.5],
      metrics: { p: ['accuracy'], q: ['mae'] },
    })
    const [x, y] = [
      [points([6, 5, 3]), points([6, 5, 3], 2)],
      [{ shape: [6, 1], data: Float32Array.of(0, 1, 1, 0, 1, 0) }, points([6, 2], 3)],
    ]
    await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0 })
    const again = await modelFromBytes(await modelToBytes(model, { format }), { onWarning: (message) => expect.fail(message) })
    expect(await contents(again)).toEqual(await contents(model))
    for (const m of [model, again]) await m.fit(x, y, { epochs: 4, initialEpoch: 2, batchSize: 4, verbose: 0 })
    expect(await contents(again)).toEqual(await contents(model))
    const { modelJson, shards } = await modelToTfjs(model)
    expect(await (await modelFromTfjs(modelJson, shards)).getWeights()).toEqual(await model.getWeights())
  })

  test('an output without a loss stays one', async () => {
    const model = network()
    model.compile({ optimizer: 'sgd', loss: { p: 'binaryCrossentropy', q: null }, metrics: { p: ['accuracy'] } })
    for (const format of ['h5', 'keras'] as const) {
      const again = await modelFromBytes(await modelToBytes(model, { format }), { onWarning: (message) => expect.fail(message) })
      expect(again.trainer().outputs.map(({ name, index }) => [name, index])).toEqual([['p', 0]])
      expect(await contents(again)).toEqual(await contents(model))
    }
  })

  test('a frozen model inside keeps its weights in their places, and stays frozen', async () => {
    const base = new Sequential([dense(3, { inputShape: [2] }), layers.batchNormalization(), dense(3, { trainable: false })], {
      name: 'base',
    })
    base.trainable = false
    const model = new Sequential([base, dense(1)], { seed: 2 })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit(points([4, 2]), points([4, 1], 2), { epochs: 1, verbose: 0 })
    for (const format of ['h5', 'keras'] as const) {
      const again = await modelFromBytes(await modelToBytes(model, { format }))
      expect(again.trainableWeights.map(({ name }) => name)).toEqual(model.trainableWeights.map(({ name }) => name))
      expect(await contents(again)).toEqual(await contents(model))
    }
  })
})

describe('training that goes on from a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cotangent-resume-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const momentum = { className: 'SGD', config: { momentum: 0.9, nesterov: true } }
  const ams = { className: 'Adam', config: { amsgrad: true, variant: 'keras3', clipnorm: 0.5 } }
  const scheduled = {
    className: 'AdamW',
    config: { learningRate: cosineDecay({ initialLearningRate: 0.01, decaySteps: 12, warmupSteps: 3, warmupTarget: 0.02 }) },
  }
  const averaged = { className: 'SGD', config: { globalClipnorm: 0.5, gradientAccumulationSteps: 3, useEma: true, emaMomentum: 0.5 } }
  test.each([...layers.optimizerNames, momentum, ams, scheduled, averaged])('%j has the bits of not having stopped', async (optimizer) => {
    const [x, y] = [points([20, 4]), points([20, 1], 2)]
    const options = { batchSize: 6, verbose: 0 } as const
    const straight = new Sequential(
      [dense(5, { activation: 'tanh', inputShape: [4] }), layers.batchNormalization(), dropout(0.3), dense(1)],
      { seed: 9 },
    )
    straight.compile({ optimizer, loss: 'mse', metrics: ['mae'] })
    await straight.fit(x, y, { ...options, epochs: 2 })
    if (!straight.optimizer.schedule) straight.optimizer.learningRate *= 0.5 // as a callback would
    const files = [join(folder, 'model.h5'), join(folder, 'model.keras')]
    for (const file of files) await saveModel(straight, file)
    const expected = (await straight.fit(x, y, { ...options, epochs: 5, initialEpoch: 2 })).history
    for (const file of files) {
      resetNames()
      const resumed = await loadModel(file, { onWarning: (message) => expect.fail(message) })
      const { history } = await resumed.fit(x, y, { ...options, epochs: 5, initialEpoch: 2 })
      expect(history).toEqual(expected)
      expect(await contents(resumed)).toEqual(await contents(straight))
    }
    expect((await readdir(folder)).sort()).toEqual(['model.h5', 'model.keras'])
  })

  test('paths: the extension chooses the format, a wrong one is listed, contents win over names', async () => {
    const model = new Sequential([dense(2, { inputShape: [3] })], { seed: 1 })
    const weights = await model.getWeights()
    await expect(saveModel(model, join(folder, 'model.pb'))).rejects.toThrow(/ends in "\.pb".*\.h5, \.hdf5, \.keras, model\.json/)
    await expect(saveWeights(model, join(folder, 'weights'))).rejects.toThrow(/has no extension.*\.safetensors, \.npz/)
    await expect(saveModel(model, join(folder, 'nowhere', 'model.h5'))).rejects.toThrow('ENOENT')
    for (const name of ['w.h5', 'w.hdf5', 'w.safetensors', 'w.npz']) {
      await saveWeights(model, join(folder, name))
      const copy = new Sequential([dense(2, { inputShape: [3] })])
      await loadWeights(copy, join(folder, name))
      expect((await copy.getWeights()).map(({ data }) => data)).toEqual(weights.map(({ data }) => data))
    }
    await saveModel(model, join(folder, 'tfjs'), { format: 'tfjs' })
    for (const path of [join(folder, 'tfjs'), join(folder, 'tfjs', 'model.json')])
      expect(await (await loadModel(path)).getWeights()).toEqual(weights)
    await saveModel(model, join(folder, 'architecture.json'))
    expect((await loadModel(join(folder, 'architecture.json'))).countParams()).toBe(8)
    // Keras 2.13 wrote HDF5 into files called .keras.
    const { writeFileAtomic } = await import('../src/node/index.js')
    await writeFileAtomic(
      join(folder, 'hdf5.keras'),
      readFileSync(new URL('../../core/test/golden/h5/keras22_dense_adam.h5', import.meta.url)),
    )
    expect((await loadModel(join(folder, 'hdf5.keras'))).countParams()).toBe(23)
  })
})

class Scaled extends Layer {
  override readonly className: string = 'Scaled'
  readonly factor: number
  constructor({ factor = 1, ...options }: LayerOptions & { factor?: number } = {}) {
    super('Scaled', options, ['factor'])
    this.factor = factor
  }
  static fromConfig(options: LayerOptions & { factor?: number }): Scaled {
    return new Scaled(options)
  }
  override outputShape(shape: layers.BatchShape): layers.BatchShape {
    return shape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return x.mul(this.factor)
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), factor: this.factor }
  }
}

class Registered extends Scaled {
  override readonly className = 'Registered'
  static override fromConfig(options: LayerOptions & { factor?: number }): Registered {
    return new Registered(options)
  }
}

describe('layers and functions of the user', () => {
  test('by customObjects and by registerLayer; without, the message names the class and says what to do', async () => {
    const wave = (x: Tensor): Tensor => x.mul(x.sigmoid())
    const model = new Sequential(
      [new Scaled({ factor: 3, inputShape: [2] }), dense(2, { activation: wave }), new Registered({ factor: 2 })],
      { seed: 1 },
    )
    const bytes = await modelToBytes(model)
    await expect(modelFromBytes(bytes)).rejects.toThrow(/no layer class called "Scaled"[\s\S]*customObjects: { Scaled }, or registerLayer/)
    await expect(modelFromBytes(bytes, { customObjects: { Scaled } })).rejects.toThrow(
      /"wave"[\s\S]*config key "activation"; pass your own: customObjects: { wave/,
    )
    layers.registerLayer(Registered)
    const again = await modelFromBytes(bytes, { customObjects: { Scaled, wave } })
    const x = points([3, 2])
    expect(await (await again.predict(x)).data()).toEqual(await (await model.predict(x)).data())
    expect(() => layers.registerLayer(Tensorless as never)).toThrow('static fromConfig')
  })

  test('an option whose name would not come back is refused when it is saved', async () => {
    class Snake extends Scaled {
      override getConfig(): Record<string, unknown> {
        return { ...super.getConfig(), my_rate: 2 }
      }
    }
    await expect(modelToBytes(new Sequential([new Snake({ name: 'odd', inputShape: [2] })]))).rejects.toThrow(
      /The option "my_rate" of Scaled "odd" would be read back as "myRate": use that name in getConfig\(\)/,
    )
  })
})
class Tensorless {}

describe('a stateful layer, which must know the batch size, in a Sequential', () => {
  const models: Readonly<Record<string, () => Sequential>> = {
    'that its first layer says': () => new Sequential([lstm(3, { batchInputShape: [2, 4, 1], stateful: true }), dense(1)], { seed: 1 }),
    'that an input layer says': () =>
      new Sequential([new layers.InputLayer({ batchShape: [2, 4, 1] }), lstm(3, { stateful: true }), dense(1)], { seed: 1 }),
  }
  const formats: Readonly<Record<string, (model: Model) => Promise<Model>>> = {
    h5: async (model) => modelFromBytes(await modelToBytes(model, { format: 'h5' })),
    keras: async (model) => modelFromBytes(await modelToBytes(model, { format: 'keras' })),
    tfjs: async (model) => {
      const { modelJson, shards } = await modelToTfjs(model)
      return modelFromTfjs(modelJson, shards)
    },
  }
  for (const [how, make] of Object.entries(models)) {
    test.each(Object.entries(formats))(`${how}: %s`, async (_, again) => {
      const model = make()
      const loaded = await again(model)
      expect(loaded.inputs[0].shape).toEqual([2, 4, 1])
      const x = points([2, 4, 1])
      const first = await (await model.predict(x)).data()
      expect(await (await loaded.predict(x)).data()).toEqual(first)
      expect(await (await loaded.predict(x)).data()).not.toEqual(first) // it goes on from its state
    })
  }
})
