/**
 * Runs models that we write in TensorFlow.js: the outputs are the same. TensorFlow.js is one of the bench's peers, `npm ci --prefix bench/peers`. Without it these
 * tests are skipped.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as layers from '../src/index.js'
import { saveModel } from '../src/node/index.js'

const { Sequential, dense, input } = layers

/** The part of TensorFlow.js used here. */
interface Outputs {
  dataSync(): Float32Array
}
interface Handler {
  load(): Promise<object>
}
interface Peer {
  tensor(values: Float32Array, shape: readonly number[]): unknown
  http(url: string, options: { fetchFunc(url: string): Promise<Response> }): Handler
  loadLayersModel(handler: Handler): Promise<{ predict(x: readonly unknown[]): Outputs | Outputs[]; countParams(): number }>
}

const peers = fileURLToPath(new URL('../../../bench/peers/package.json', import.meta.url))
const folder = fileURLToPath(new URL('../../../bench/peers/node_modules/@tensorflow/tfjs-layers', import.meta.url))

function tensorflow(): Peer {
  const require = createRequire(peers)
  const core = require('@tensorflow/tfjs-core')
  require('@tensorflow/tfjs-backend-cpu')
  return { tensor: core.tensor, http: core.io.http, loadLayersModel: require('@tensorflow/tfjs-layers').loadLayersModel }
}

const chain = (...parts: layers.Layer[]): layers.Model => new Sequential(parts, { seed: 3 })

/** Models, each with the shapes of its inputs; words are numbers below 10. */
const models: Readonly<Record<string, () => [model: layers.Model, inputs: number[][], words?: boolean]>> = {
  perceptron: () => [
    chain(
      dense(5, { activation: 'relu', inputShape: [4] }),
      layers.dropout(0.3),
      layers.gaussianNoise(0.1),
      dense(3, { activation: 'softmax' }),
    ),
    [[4]],
  ],
  images: () => [
    chain(
      layers.conv2d(4, [3, 3], { activation: 'relu', padding: 'same', inputShape: [8, 8, 2] }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: [2, 2] }),
      layers.separableConv2d(4, [2, 2]),
      layers.depthwiseConv2d([2, 2]),
      layers.globalAveragePooling2d(),
      dense(3),
    ),
    [[8, 8, 2]],
  ],
  words: () => [
    chain(
      layers.embedding(10, 6, { inputLength: 7 }),
      layers.lstm(5, { returnSequences: true }),
      layers.bidirectional(layers.gru(4)),
      dense(1, { activation: 'sigmoid' }),
    ),
    [[7]],
    true,
  ],
  sequences: () => [
    chain(
      layers.conv1d(4, 3, { inputShape: [9, 2] }),
      layers.maxPooling1d({ poolSize: 2 }),
      layers.leakyReLU(),
      layers.layerNormalization(),
      layers.simpleRNN(5, { returnSequences: true }),
      layers.timeDistributed(dense(2)),
      layers.prelu(),
      layers.globalMaxPooling1d(),
    ),
    [[9, 2]],
  ],
  'a graph with a shared layer': () => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [4] })]
    const shared = dense(3)
    const both = [shared.apply(a), shared.apply(b)]
    const merged = [layers.add(), layers.multiply(), layers.dot(-1)].map((layer) => layer.apply(both))
    const outputs = [dense(2).apply(layers.concatenate().apply(merged)), both[0]]
    return [layers.model({ inputs: [a, b], outputs, seed: 2 }), [[4], [4]]]
  },
  'a model in a model': () => {
    const x = input({ shape: [4] })
    const inner = chain(dense(3, { inputShape: [4] }), dense(2))
    return [layers.model({ inputs: x, outputs: dense(1).apply(inner.apply(x)), seed: 1 }), [[4]]]
  },
}

describe.skipIf(!existsSync(folder))(
  `TensorFlow.js reads our model.json${existsSync(folder) ? '' : ' (bench/peers is not installed)'}`,
  () => {
    test.each(Object.keys(models))('%s', async (name) => {
      const [model, shapes, words] = models[name]()
      const peer = tensorflow()
      const xs = shapes.map((shape, i) => {
        const size = shape.reduce((product, n) => product * n, 3)
        return { shape: [3, ...shape], data: Float32Array.from({ length: size }, (_, j) => (words ? (7 * j) % 10 : Math.sin(1.3 * j + i))) }
      })
      const ours = await model.predictAll(xs.length === 1 ? xs[0] : xs)
      const { modelJson, shards } = await layers.modelToTfjs(model)
      const { modelTopology, weightsManifest } = JSON.parse(modelJson) as {
        modelTopology: object
        weightsManifest: { weights: object[] }[]
      }
      const weightData = Uint8Array.from([...shards.values()].flatMap((shard) => [...shard])).buffer
      const loaded = await peer.loadLayersModel({
        load: async () => ({ modelTopology, weightSpecs: weightsManifest.flatMap(({ weights }) => weights), weightData }),
      })
      expect(loaded.countParams()).toBe(model.countParams())
      const theirs = [loaded.predict(xs.map(({ data, shape }) => peer.tensor(data, shape)))].flat()
      expect(theirs).toHaveLength(ours.length)
      for (const [i, output] of ours.entries()) {
        const [a, b] = [await output.data(), theirs[i].dataSync()]
        expect(a).toHaveLength(b.length)
        for (const [j, value] of a.entries()) expect(Math.abs(Number(value) - b[j]), `output ${i}, element ${j}`).toBeLessThan(1e-6)
        output.dispose()
      }
      model.dispose()
    })

    // From disk, as a page gets it: model.json first, then the shards by the names in it.
    test('a folder that was saved twice', async () => {
      const [earlier, shapes] = models.images()
      const [model] = models.images()
      const disk = mkdtempSync(join(tmpdir(), 'cotangent-tfjs-'))
      try {
        await saveModel(earlier, disk, { format: 'tfjs' })
        await saveModel(model, disk, { format: 'tfjs' })
        const peer = tensorflow()
        const fetchFunc = async (url: string): Promise<Response> => new Response(readFileSync(join(disk, new URL(url).pathname)))
        const loaded = await peer.loadLayersModel(peer.http('http://disk/model.json', { fetchFunc }))
        const x = { shape: [1, ...shapes[0]], data: Float32Array.from({ length: 128 }, (_, j) => Math.sin(1.3 * j)) }
        const ours = await (await model.predict(x)).data()
        const theirs = [loaded.predict([peer.tensor(x.data, x.shape)])].flat()[0].dataSync()
        expect(theirs).toHaveLength(3)
        for (const [j, value] of ours.entries()) expect(Math.abs(Number(value) - theirs[j]), `element ${j}`).toBeLessThan(1e-6)
      } finally {
        rmSync(disk, { recursive: true })
      }
    })
  },
)
