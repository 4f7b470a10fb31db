/** Small files that ask for much memory are refused before it is allocated; the error names the file. */
import { zip } from '@cotangent/datasets'
import { describe, expect, test } from 'vitest'
import {
  dense,
  type Model,
  modelFromBytes,
  modelFromJSON,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  readSafetensors,
  Sequential,
} from '../src/index.js'
import { readH5, writeH5 } from '../src/io/h5-tree.js'

const layer = (class_name: string, config: object): { class_name: string; config: object } => ({ class_name, config })
const sequential = (...layers: object[]): string =>
  JSON.stringify({ class_name: 'Sequential', config: { name: 's', layers }, keras_version: '2.3.1' })
const shape = { batch_input_shape: [null, 3, 2] }
const read = (json: string, maxBytes?: number): Model => modelFromJSON(json, { name: 'the-file', ...(maxBytes && { maxBytes }) })

describe('what weights ask for', () => {
  test('an LSTM of 16000 units in JSON', () => {
    expect(() => read(sequential(layer('LSTM', { name: 'l', units: 16000, ...shape })))).toThrow(
      /^the-file: layer "l".*one tensor holds at most/,
    )
  })

  test('orthogonal matrices count for the time they take', () => {
    expect(() => read(sequential(layer('LSTM', { name: 'l', units: 5000, ...shape })))).toThrow(
      /^the-file: layer "l".*is an orthogonal matrix of 100000000 elements, which takes long to draw.*pass a larger maxBytes/,
    )
  })

  test('many layers together; the limit is an option', () => {
    const json = sequential(...Array.from({ length: 6 }, (_, i) => layer('Dense', { name: `d${i}`, units: 100, ...(i === 0 && shape) })))
    // 2·100 + 100 and five times 100·100 + 100 numbers of 4 bytes.
    const bytes = 4 * (300 + 5 * 10_100)
    expect(() => read(json, bytes - 1)).toThrow(`the weights take ${bytes} bytes; more than ${bytes - 1} expected at most`)
    expect(read(json, bytes).countParams()).toBe(bytes / 4)
  })

  test('a .h5 of a kilobyte whose model has weights of gigabytes', async () => {
    const root = await readH5(await modelToBytes(new Sequential([dense(3, { inputShape: [3] })])), 'x')
    const config = String(root.attributes.get('model_config')).replace('"units": 3', '"units": 100000').replace('[null, 3]', '[null, 1000]')
    root.attributes.set('model_config', config)
    await expect(modelFromBytes(await writeH5(root), { name: 'the-file' })).rejects.toThrow(
      /^the-file: model_config: layer .* the weights take 40\d{7} bytes; more than 268435456 expected/,
    )
  })
})

describe('shards of TensorFlow.js', () => {
  test('one that is named 10,000 times is not read', async () => {
    const { modelJson, shards } = await modelToTfjs(new Sequential([dense(1, { inputShape: [2] })]))
    const file = JSON.parse(modelJson)
    const [path] = shards.keys()
    file.weightsManifest[0].paths = Array(10_000).fill(path)
    let reads = 0
    const source = (): Uint8Array => {
      reads++
      return new Uint8Array(12)
    }
    await expect(modelFromTfjs(JSON.stringify(file), source, { name: 'the-file' })).rejects.toThrow(
      `the-file: weightsManifest group 0: the shard "${path}" is named twice`,
    )
    expect(reads).toBe(0)
    // Shards with different names are read one at a time, until they exceed the announced size.
    file.weightsManifest[0].paths = Array.from({ length: 10_000 }, (_, i) => `${i}.bin`)
    await expect(modelFromTfjs(JSON.stringify(file), source, { name: 'the-file' })).rejects.toThrow('the weights take 12 bytes, but')
    expect(reads).toBe(2)
  })

  test('weights of terabytes', async () => {
    const { modelJson, shards } = await modelToTfjs(new Sequential([dense(1, { inputShape: [2] })]))
    const file = JSON.parse(modelJson)
    file.weightsManifest[0].weights[0].shape = [1e6, 1e6]
    await expect(modelFromTfjs(JSON.stringify(file), shards, { name: 'the-file' })).rejects.toThrow(
      'the-file: weightsManifest asks for 4000000000004 bytes',
    )
  })
})

describe('depth and number', () => {
  const deep = `{"class_name": "Sequential", "config": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  const problem = 'objects and lists lie in each other more than 256 deep'

  test('of lists in every reader of JSON', async () => {
    expect(() => read(deep)).toThrow(`the-file: ${problem}`)
    await expect(modelFromTfjs(deep, new Map(), { name: 'the-file' })).rejects.toThrow(`the-file: ${problem}`)
    const entries = { 'metadata.json': '{}', 'config.json': deep, 'model.weights.h5': '' }
    const archive = zip(Object.entries(entries).map(([name, text]) => [name, new TextEncoder().encode(text)] as const))
    await expect(modelFromBytes(archive, { name: 'the-file' })).rejects.toThrow(`the-file: config.json: ${problem}`)
    const root = await readH5(await modelToBytes(new Sequential([dense(1, { inputShape: [2] })])), 'x')
    root.attributes.set('model_config', deep)
    await expect(modelFromBytes(await writeH5(root), { name: 'the-file' })).rejects.toThrow(
      `the-file, attribute "model_config": ${problem}`,
    )
    const header = new TextEncoder().encode(deep)
    const bytes = new Uint8Array(8 + header.length)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    bytes.set(header, 8)
    expect(() => readSafetensors(bytes, 'the-file')).toThrow(`the-file: header: ${problem}`)
  })

  test('of models inside models: 50 are read', () => {
    let inner: object = layer('Dense', { name: 'd', units: 1, batch_input_shape: [null, 2] })
    for (let i = 0; i < 50; i++) inner = layer('Sequential', { name: `s${i}`, layers: [inner] })
    expect(read(JSON.stringify({ ...inner, keras_version: '2.3.1' })).countParams()).toBe(3)
  })

  test('models that call the model inside them twice, fifty levels of them', () => {
    const level = (n: number): object => {
      const [name, first] = n === 0 ? ['d', 0] : [`m${n - 1}`, 1]
      const inner = n === 0 ? layer('Dense', { name, units: 2 }) : level(n - 1)
      const input = { ...layer('InputLayer', { name: 'x', batch_input_shape: [null, 2] }), name: 'x', inbound_nodes: [] }
      const twice = { ...inner, name, inbound_nodes: [[['x', 0, 0, {}]], [[name, first, 0, {}]]] }
      return layer('Model', { name: `m${n}`, layers: [input, twice], input_layers: [['x', 0, 0]], output_layers: [[name, first + 1, 0]] })
    }
    expect(read(JSON.stringify({ ...level(5), keras_version: '2.3.1' })).countParams()).toBe(6)
    expect(() => read(JSON.stringify({ ...level(50), keras_version: '2.3.1' }))).toThrow('calls of layers, more than 100000')
  })

  test('of layers; a chain of 20,000 calls of one is built', () => {
    const layers = Array.from({ length: 20_000 }, (_, i) => layer('ReLU', { name: `r${i}`, ...(i === 0 && shape) }))
    expect(() => read(sequential(...layers))).toThrow('the-file: more than 10000 layers')
    const calls = Array.from({ length: 20_000 }, (_, i) => [[i === 0 ? 'x' : 'l', Math.max(0, i - 1), 0, {}]])
    const graph = {
      name: 'm',
      layers: [
        { ...layer('InputLayer', { name: 'x', batch_input_shape: [null, 2] }), name: 'x', inbound_nodes: [] },
        { ...layer('ReLU', { name: 'l' }), name: 'l', inbound_nodes: calls },
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['l', 19_999, 0]],
    }
    expect(read(JSON.stringify({ class_name: 'Model', config: graph, keras_version: '2.3.1' })).outputShapeOf()).toEqual([null, 2])
  })
})

describe('names that every object has', () => {
  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('%s', (name) => {
    const dense = (config: object): string => sequential(layer('Dense', { name: 'd', units: 2, batch_input_shape: [null, 2], ...config }))
    for (const config of [
      { dtype: name },
      { activation: name },
      { kernel_initializer: name },
      { kernel_initializer: { class_name: name, config: {} } },
      { kernel_regularizer: { class_name: name, config: {} } },
      { kernel_constraint: { class_name: name, config: {} } },
    ])
      expect(() => read(dense(config)), JSON.stringify(config)).toThrow(/"(constructor|toString|hasOwnProperty|__proto__)"[\s\S]*the-file/)
    expect(() => read(sequential(layer(name, { name: 'd', ...shape })))).toThrow(`no layer class called "${name}"`)
    expect(() => read(sequential(layer('InputLayer', { name: 'i', dtype: name, ...shape }), layer('ReLU', { name: 'r' })))).toThrow(
      'the-file, layer "i" (InputLayer): config key "dtype"',
    )
    expect(read(dense({ name })).layers[0].name).toBe(name)
  })

  test('a key "__proto__" is refused; it would hide options in a prototype', () => {
    const json = sequential(layer('Dense', { name: 'd', units: 2, ...shape })).replace('"units"', '"__proto__":{"use_bias":false},"units"')
    expect(() => read(json)).toThrow('the-file: no key may be "__proto__"')
  })
})
