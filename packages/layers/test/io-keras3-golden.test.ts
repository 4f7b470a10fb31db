/**
 * Files that Keras 3.16 saved. Models that we read from them have Keras' outputs. Files that we write of the same models have the same structure: the same keys
 * of each config and the same path of each array. The file is long because of stand-ins for layers that this package lacks.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type BatchShape,
  type BuildContext,
  type CustomObjects,
  dense,
  initializers,
  input,
  type Layer,
  type LayerOptions,
  MergeLayer,
  type Model,
  model,
  modelFromBytes,
  modelToBytes,
  resetNames,
  Sequential,
} from '../src/index.js'
import { isKerasLayer } from '../src/io/custom.js'
import { isObject, type Json, type KerasObject } from '../src/io/keras-object.js'
import { keras3Config } from '../src/io/keras3-words.js'
import { originOf } from '../src/io/origin.js'
import { readLayer } from '../src/io/read-layer.js'
import { LayerWriter } from '../src/io/write-layer.js'
import { arraysOfZip, jsonOfZip } from './keras-files.js'

const folder = new URL('../../core/test/golden/keras/', import.meta.url)
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.keras`, folder)))

interface Recorded {
  readonly tolerance: { readonly float32: { readonly atol: number; readonly rtol: number } }
  readonly inputs: readonly { shape: number[]; data: number[] }[]
  readonly outputs: readonly { shape: number[]; data: number[] }[]
}
const recorded = (name: string): Recorded => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Recorded

/** The eleven files. */
const files = readdirSync(folder)
  .flatMap((file) => (file.endsWith('.keras') ? [file.slice(0, -6)] : []))
  .sort()

beforeEach(() => resetNames())

/** softmax(Σ scale·tanh(q + k))·v, Bahdanau's attention. */
class AdditiveAttention extends MergeLayer {
  override readonly className = 'AdditiveAttention'
  constructor({ useScale: _, dropout: __, seed: ___, ...options }: LayerOptions & Json = {}) {
    super('AdditiveAttention', options, [])
  }
  static fromConfig(options: LayerOptions & Json): AdditiveAttention {
    return new AdditiveAttention(options)
  }
  override mergedShape([query, value]: readonly BatchShape[]): BatchShape {
    return [query[0], query[1], value[2]]
  }
  protected override makeMergeWeights([query]: readonly BatchShape[], context: BuildContext): void {
    this.addWeight('scale', [query[2] as number], initializers.glorotUniform(), context)
  }
  override merge([query, value]: readonly Tensor[]): Tensor {
    const sum = query.expandDims(2).add(value.expandDims(1)).tanh() // [n, tq, tv, d]
    return sum.mul(this.weights[0]).sum({ axis: -1 }).softmax().matMul(value)
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), useScale: true, dropout: 0, seed: null }
  }
}

/** Stand-ins for missing layers, so that the rest of their files is tested. A layer that has come since takes its place. */
const standIns: CustomObjects = Object.fromEntries(Object.entries({ AdditiveAttention }).filter(([name]) => !isKerasLayer(name)))
const read = (name: string): Promise<Model> =>
  modelFromBytes(bytesOf(name), { customObjects: standIns, onWarning: (message) => expect.fail(message) })

/** Every layer of a config, also inside others, without inputs, models and operations. */
function layersIn(value: unknown): KerasObject[] {
  if (Array.isArray(value)) return value.flatMap(layersIn)
  if (!isObject(value)) return []
  const inside = Object.values(value).flatMap(layersIn)
  return value.module === 'keras.layers' && value.class_name !== 'InputLayer' ? [value as unknown as KerasObject, ...inside] : inside
}

const layerOf = (object: KerasObject, custom: CustomObjects): Layer =>
  readLayer(
    object,
    { origin: originOf('3.16.0', undefined), custom, beyond: {}, budget: { layers: 9 }, readInner: () => expect.fail('no models here') },
    'the file',
  )

/** For each file the classes that it still waits for: this package has not got them, or not all of their options. */
const waiting: ReadonlyMap<string, readonly string[]> = new Map(
  files.map((name) => {
    const missing = layersIn(jsonOfZip(bytesOf(name))).flatMap((object) => {
      try {
        layerOf(object, standIns).dispose()
        return []
      } catch {
        return [object.class_name]
      }
    })
    return [name, [...new Set(missing)]]
  }),
)
const complete = files.filter((name) => waiting.get(name)?.length === 0)

test('these files are read', () => {
  expect(files).toHaveLength(11)
  expect(complete).toEqual(
    expect.arrayContaining([
      'conv3d',
      'mobilenet_block',
      'ops_in_functional',
      'seq2seq',
      'siamese_nested',
      'tabular_adamw',
      'transformer',
      'unet',
    ]),
  )
})

describe.runIf(complete.length < files.length)('waits for layers to come', () => {
  test.each([...waiting].filter(([, missing]) => missing.length > 0))('%s: %j', async (name, missing) => {
    await expect(modelFromBytes(bytesOf(name), { customObjects: standIns })).rejects.toThrow(new RegExp(missing.join('|')))
  })
})

describe('complete, or with stand-ins', () => {
  test.each(complete)('%s gives the recorded outputs', async (name) => {
    const { inputs, outputs, tolerance } = recorded(name)
    const copy = await read(name)
    const xs = inputs.map(({ shape, data }) => ({ shape, data: Float32Array.from(data) }))
    const ys = await copy.predictAll(xs.length === 1 ? xs[0] : xs)
    expect(ys.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
    for (const [i, y] of ys.entries()) {
      const values = await y.data()
      for (const [j, expected] of outputs[i].data.entries()) {
        const { atol, rtol } = tolerance.float32
        expect(Math.abs(Number(values[j]) - expected)).toBeLessThanOrEqual(atol + rtol * Math.abs(expected))
      }
    }
  })

  test('augment_cnn trains on, with its images changed at random', async () => {
    const copy = await read('augment_cnn')
    const { inputs, outputs } = recorded('augment_cnn')
    const x = { shape: inputs[0].shape, data: Float32Array.from(inputs[0].data) }
    const y = { shape: outputs[0].shape, data: Float32Array.from(outputs[0].data, (value) => value + 1) }
    copy.compile({ optimizer: 'adam', loss: 'mse' })
    const { history } = await copy.fit(x, y, { epochs: 30, verbose: 0 })
    expect(history.loss[29]).toBeLessThan(history.loss[0])
    expect(new Set(history.loss).size).toBe(30)
  })

  test('tabular_adamw goes on after one step of AdamW under a schedule', async () => {
    const { optimizer } = await read('tabular_adamw')
    expect([optimizer.className, optimizer.steps, optimizer.schedule?.className]).toEqual(['AdamW', 1, 'CosineDecay'])
    expect(optimizer.getConfig()).toMatchObject({ weightDecay: 0.01, beta1: 0.9, epsilon: 1e-7, amsgrad: false })
  })
})

/** Keys that Keras writes differently each time, or that our files need not have. */
const ignored: Readonly<Record<string, string>> = {
  shared_object_id: 'an address in memory, by which Keras finds objects that it wrote twice',
  mask: 'the argument null of a call, which is its default',
  module: 'compared apart: that of an optimizer names the backend',
  registered_name: 'compared apart: a stand-in is a class of the user',
}

/** JSON without what is ignored. */
function compared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compared)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      Object.hasOwn(ignored, key) ? [] : [[key, key === 'kwargs' && item === null ? {} : compared(item)]],
    ),
  )
}

/** The text with each whole number that Python would read as a float marked. */
const markedFloats = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/:\s*(-?\d+\.0)(?=[,}\]])/g, ': "float $1"')

describe('what we write', () => {
  // The masks of `transformer` are nodes in Keras' file. Ours has none: Keras finds masks again from its layers.
  test.each(['conv3d', 'mobilenet_block', 'ops_in_functional', 'seq2seq', 'siamese_nested', 'tabular_adamw', 'unet'])(
    '%s: config key by key, array by array',
    async (name) => {
      const copy = await read(name)
      const [theirs, ours] = [bytesOf(name), await modelToBytes(copy, { format: 'keras' })]
      const [expected, written] = [jsonOfZip(theirs), jsonOfZip(ours)]
      // Names that nobody uses: of input layers inside a Sequential, of the optimizer; a loss by its short name; 20 rows of adapt data.
      const plain = (config: Json): unknown =>
        JSON.parse(
          JSON.stringify(compared(config))
            .replace(/"input_layer[^"]*"|"(dense|conv3d|random_flip)_input"/g, '"an input"')
            .replace('"adamw"', '"adam_w"')
            .replace('"mse"', '"mean_squared_error"')
            .replace('[20,4]', '[null,4]'),
        )
      expect(plain(written)).toEqual(plain(expected))
      const [a, b] = [await arraysOfZip(theirs), await arraysOfZip(ours)]
      expect([...b.keys()].sort()).toEqual([...a.keys()].sort())
      for (const [path, { shape, data }] of a) {
        expect(b.get(path)?.shape, path).toEqual(shape)
        expect(Array.from(b.get(path)?.data ?? [], Number), path).toEqual(Array.from(data, Number))
      }
    },
  )

  test('every layer that we have in the eleven files: its config key by key', () => {
    const seen = new Set<string>()
    for (const name of files) {
      for (const object of layersIn(jsonOfZip(bytesOf(name)))) {
        if (!isKerasLayer(object.class_name) || object.class_name === 'TimeDistributed' || waiting.get(name)?.includes(object.class_name))
          continue
        const layer = layerOf(object, {})
        const { class_name, config } = new LayerWriter('float32', 'keras').write(layer)
        expect(compared(keras3Config(class_name, config).config), `${name}: ${object.class_name}`).toEqual(compared(object.config))
        seen.add(class_name)
      }
    }
    const here = [
      'Activation',
      'Add',
      'BatchNormalization',
      'CenterCrop',
      'Concatenate',
      'Conv2D',
      'Conv2DTranspose',
      'Conv3D',
      'Dense',
      'DepthwiseConv2D',
      'Dropout',
      'Embedding',
      'Flatten',
      'GlobalAveragePooling1D',
      'GlobalAveragePooling2D',
      'GlobalAveragePooling3D',
      'GlobalMaxPooling2D',
      'GroupNormalization',
      'LSTM',
      'LayerNormalization',
      'MaxPooling2D',
      'MaxPooling3D',
      'MultiHeadAttention',
      'Multiply',
      'Normalization',
      'RMSNormalization',
      'RandomContrast',
      'RandomFlip',
      'RandomRotation',
      'RandomTranslation',
      'RandomZoom',
      'ReLU',
      'RepeatVector',
      'Rescaling',
      'Resizing',
      'SeparableConv2D',
      'Subtract',
      'UnitNormalization',
      'UpSampling2D',
    ]
    expect([...seen]).toEqual(expect.arrayContaining(here))
  })

  test('numbers that are floats in Python are written as floats', async () => {
    const text = markedFloats(await zipText(await modelToBytes(await read('tabular_adamw'), { format: 'keras' })))
    const expected = markedFloats(await zipText(bytesOf('tabular_adamw')))
    const floats = (json: string): string[] =>
      [...json.matchAll(/"(\w+)": "float ([-\d.]+)"/g)].map(([, key, value]) => `${key} ${value}`).sort()
    expect(floats(text)).toEqual(floats(expected))
  })
})

describe('models in a graph', () => {
  /** A graph used twice and a stack used twice. An output of each is also an output of the whole. */
  const nested = (): Model => {
    const x = input({ shape: [2], name: 'inner_x' })
    const graph = model({ inputs: x, outputs: dense(2, { name: 'a' }).apply(x), name: 'graph' })
    const stack = new Sequential([dense(2, { inputShape: [2], name: 'b' })], { name: 'stack' })
    const from = input({ shape: [2], name: 'x' })
    const [first, second] = [graph.apply(from), stack.apply(from)]
    return model({ inputs: from, outputs: [first, graph.apply(second), second, stack.apply(first)], seed: 4 })
  }

  test('are numbered as in Keras 3: from 0, among the outputs a graph from 1', async () => {
    const bytes = await modelToBytes(nested(), { format: 'keras' })
    const { config } = jsonOfZip(bytes) as { config: { layers: { name: string; inbound_nodes: unknown }[]; output_layers: unknown } }
    const histories = (name: string): string[] =>
      [...JSON.stringify(config.layers.find((layer) => layer.name === name)?.inbound_nodes).matchAll(/"keras_history":(\[.*?\])/g)].map(
        ([, place]) => place,
      )
    expect([histories('graph'), histories('stack')]).toEqual([
      ['["x",0,0]', '["stack",0,0]'],
      ['["x",0,0]', '["graph",0,0]'],
    ])
    expect(config.output_layers).toEqual([
      ['graph', 1, 0],
      ['graph', 2, 0],
      ['stack', 0, 0],
      ['stack', 1, 0],
    ])
    expect([...(await arraysOfZip(bytes)).keys()].sort()).toEqual(
      ['functional', 'sequential'].flatMap((name) => [0, 1].map((i) => `layers/${name}/layers/dense/vars/${i}`)),
    )
  })

  test.each(['keras', 'h5'] as const)('%s: give the same numbers again', async (format) => {
    const original = nested()
    const again = await modelFromBytes(await modelToBytes(original, { format }))
    const values = (of: Model): Promise<number[][]> =>
      of.predictAll([[0.5, -2]]).then((ys) => Promise.all(ys.map(async (y) => [...(await y.data())])))
    expect(await values(again)).toEqual(await values(original))
  })
})

async function zipText(bytes: Uint8Array): Promise<Uint8Array> {
  const { unzip } = await import('@cotangent/datasets/formats')
  return unzip(bytes).get('config.json') as Uint8Array
}
