/** Reads the HDF5 fixtures that h5py and Keras 2.2.4 wrote, and checks with h5py the files that we write. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import {
  activation,
  dense,
  dropout,
  embedding,
  lstm,
  modelFromBytes,
  modelToBytes,
  resetNames,
  Sequential,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'

const golden = (name: string): URL => new URL(`../../core/test/golden/h5/${name}`, import.meta.url)
const bytesOf = (name: string): Uint8Array => readFileSync(golden(name))

interface GoldenWeights {
  layers: { layer: string; weights: { name: string; value: { shape: number[]; data: number[] } }[] }[]
  optimizer_weights?: { name: string; shape: number[]; dtype: string }[]
  model_config?: { config: { name: string; layers: { class_name: string; config: Record<string, unknown> }[] } }
}
const expectedOf = (name: string): GoldenWeights => JSON.parse(readFileSync(golden(name), 'utf8')) as GoldenWeights

beforeEach(() => resetNames())

/** Weights of the fixture in the order of the model; ten digits are enough to tell float32 values apart. */
const flat = ({ layers }: GoldenWeights): { name: string; shape: number[]; data: number[] }[] =>
  layers.flatMap(({ weights }) =>
    weights.map(({ name, value: { shape, data } }) => ({ name: name.replace(/:0$/, ''), shape, data: data.map(Math.fround) })),
  )

describe('golden h5', () => {
  test('keras22_dense_adam: a whole model with its optimizer', async () => {
    const expected = expectedOf('keras22_dense_adam.json')
    const model = await modelFromBytes(bytesOf('keras22_dense_adam.h5'))
    expect(model.name).toBe('sequential_1')
    expect(model.layers.map(({ name, className }) => [name, className])).toEqual(
      expected.model_config?.config.layers.map(({ class_name, config }) => [config.name, class_name]),
    )
    const weights = await model.getWeights()
    expect(weights.map(({ name, shape, data }) => ({ name, shape, data: [...data] }))).toEqual(flat(expected))
    expect(model.optimizer.className).toBe('Adam')
    expect(model.optimizer.getConfig()).toMatchObject({ learningRate: 0.0010000000474974513, epsilon: 1e-7, amsgrad: false })
    expect(model.trainer().names).toEqual(['loss', 'accuracy'])
    expect(model.trainer().outputs[0].loss.name).toBe('categoricalCrossentropy')
    const state = await model.optimizer.getWeights()
    expect(state.map(({ shape }) => shape)).toEqual(expected.optimizer_weights?.map(({ shape }) => shape))
    expect(model.optimizer.iterations).toBe(7)
  })

  test('keras22_dense_adam: written again, its configs are those of Keras key by key', async () => {
    const expected = expectedOf('keras22_dense_adam.json').model_config?.config
    const model = await modelFromBytes(bytesOf('keras22_dense_adam.h5'))
    const { modelToJSON } = await import('../src/index.js')
    const written = JSON.parse(modelToJSON(model)) as { class_name: string; config: { layers: { config: object }[] } }
    // Keras 2.3.1 writes the dtype of every layer, 2.2.4 that of the first.
    const withDtype = expected?.layers.map((layer) => ({ ...layer, config: { ...layer.config, dtype: 'float32' } }))
    expect(written.class_name).toBe('Sequential')
    expect(written.config).toEqual({ ...expected, layers: withDtype })
  })

  test('weights_lstm: weights alone, by order and by name', async () => {
    const expected = flat(expectedOf('weights_lstm.json'))
    for (const byName of [false, true]) {
      resetNames()
      const model = new Sequential([embedding(6, 3), lstm(2), dense(1)])
      await weightsFromBytes(model, bytesOf('weights_lstm.h5'), { byName })
      expect((await model.getWeights()).map(({ name, shape, data }) => ({ name, shape, data: [...data] }))).toEqual(expected)
    }
    await expect(modelFromBytes(bytesOf('weights_lstm.h5'))).rejects.toThrow('holds weights alone')
  })

  test('weights_lstm: by name only the layers of that name change; by order all must be there', async () => {
    const model = new Sequential([embedding(6, 3), lstm(2), dense(1, { name: 'other' })], { seed: 1 })
    const before = await model.getWeights()
    await expect(weightsFromBytes(new Sequential([embedding(6, 3), dense(1)]), bytesOf('weights_lstm.h5'))).rejects.toThrow(
      /3 layers with weights in the file \(embedding_1, lstm_1, dense_1\), but 2 in the model/,
    )
    await weightsFromBytes(model, bytesOf('weights_lstm.h5'), { byName: true })
    const after = await model.getWeights()
    expect(after.slice(0, 4).map(({ data }) => [...data])).toEqual(
      flat(expectedOf('weights_lstm.json'))
        .slice(0, 4)
        .map(({ data }) => data),
    )
    expect(after.slice(4).map(({ data }) => data)).toEqual(before.slice(4).map(({ data }) => data))
  })
})

const python = '/usr/bin/python3'
const folder = mkdtempSync(join(tmpdir(), 'cotangent-h5-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The environment, without settings that this Python does not know. */
const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env
const runPython = (code: string, ...args: string[]): string =>
  execFileSync(python, ['-c', code, ...args], { encoding: 'utf8', env: environment, stdio: ['ignore', 'pipe', 'pipe'] })

const hasH5py = ((): boolean => {
  try {
    runPython('import h5py')
    return true
  } catch {
    return false
  }
})()
const noH5py = hasH5py ? '' : ' (h5py is not there: apt-get install python3-h5py)'

/** A file as h5py sees it: paths with shapes, dtypes and values, attributes with types. */
const dump = `
import h5py, json, sys
def text(v):
    if isinstance(v, bytes): return v.decode('utf8')
    if hasattr(v, 'tolist'): return [text(x) for x in v.tolist()] if v.shape else text(v.tolist())
    return v
def attributes(o): return {k: text(v) for k, v in o.attrs.items()}
out = {}
with h5py.File(sys.argv[1], 'r') as f:
    out[''] = attributes(f)
    def visit(name, o):
        if isinstance(o, h5py.Dataset): out[name] = {'shape': list(o.shape), 'dtype': o.dtype.str, 'data': o[()].ravel().tolist()}
        else: out[name] = attributes(o)
    f.visititems(visit)
    fixed = f['model_weights'].attrs.get_id('layer_names').get_type()
    out['types'] = {'layer_names': [fixed.is_variable_str(), fixed.get_cset()], 'keras_version': f.attrs.get_id('keras_version').get_type().get_cset()}
print(json.dumps(out))
`

describe.skipIf(noH5py)(`what h5py reads of what we write${noH5py}`, () => {
  test('names, shapes, types and values of a whole model', async () => {
    const model = new Sequential(
      [dense(3, { inputShape: [4], activation: 'relu' }), activation('tanh'), dropout(0.3), dense(2, { activation: 'softmax' })],
      { seed: 3 },
    )
    model.compile({ optimizer: 'adam', loss: 'categorical_crossentropy', metrics: ['accuracy'] })
    const x = [[1, 0, 2, 1]]
    for (let i = 0; i < 5; i++) await model.trainOnBatch(x, [[0, 1]])
    model.optimizer.learningRate = 0.0005
    const path = join(folder, 'model.h5')
    writeFileSync(path, await modelToBytes(model))
    const seen = JSON.parse(runPython(dump, path)) as Record<string, Record<string, unknown>>
    const weights = await model.getWeights()
    const state = await model.optimizer.getWeights()

    expect(seen[''].keras_version).toBe('2.3.1')
    expect(seen[''].backend).toBe('tensorflow')
    expect(seen.types).toEqual({ layer_names: [false, 0], keras_version: 0 }) // fixed length, ASCII
    expect(JSON.parse(seen[''].training_config as string)).toEqual({
      optimizer_config: {
        class_name: 'Adam',
        config: { learning_rate: 0.0005, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false },
      },
      loss: 'categorical_crossentropy',
      metrics: ['accuracy'],
      weighted_metrics: null,
      sample_weight_mode: null,
      loss_weights: null,
    })
    expect(seen.model_weights).toEqual({
      layer_names: ['dense_1', 'activation_1', 'dropout_1', 'dense_2'],
      backend: 'tensorflow',
      keras_version: '2.3.1',
    })
    expect(seen['model_weights/dense_1']).toEqual({ weight_names: ['dense_1/kernel:0', 'dense_1/bias:0'] })
    expect(seen['model_weights/dropout_1']).toEqual({ weight_names: [] })
    for (const { name, shape, data } of weights) {
      expect(seen[`model_weights/${name.split('/')[0]}/${name}:0`]).toEqual({ shape, dtype: '<f4', data: [...data] })
    }
    const names = (seen.optimizer_weights.weight_names as string[]) ?? []
    expect(names.slice(0, 2)).toEqual(['Adam/iterations:0', 'training/Adam/m_0:0'])
    expect(seen['optimizer_weights/Adam/iterations:0']).toEqual({ shape: [], dtype: '<i8', data: [5] })
    expect(names.slice(1).map((name) => seen[`optimizer_weights/${name}`])).toEqual(
      state.slice(1).map(({ shape, data }) => ({ shape, dtype: '<f4', data: [...data] })),
    )
  })

  test('lists of names too long for one attribute are in pieces, and are read back', async () => {
    const long = (i: number): string => `dense_${i}_${'x'.repeat(700)}`
    const model = new Sequential(
      Array.from({ length: 100 }, (_, i) => dense(1, { name: long(i), ...(i === 0 && { inputShape: [1] }) })),
      { seed: 1 },
    )
    const path = join(folder, 'long.h5')
    const bytes = await weightsToBytes(model)
    writeFileSync(path, bytes)
    const list = `import h5py, json, sys; f = h5py.File(sys.argv[1], 'r'); print(json.dumps({k: len(v) for k, v in f.attrs.items() if k.startswith('layer_names')}))`
    expect(JSON.parse(runPython(list, path))).toEqual({ layer_names0: 50, layer_names1: 50 })
    const copy = new Sequential(Array.from({ length: 100 }, (_, i) => dense(1, i === 0 ? { inputShape: [1] } : {})))
    await weightsFromBytes(copy, bytes)
    expect((await copy.getWeights()).map(({ data }) => data)).toEqual((await model.getWeights()).map(({ data }) => data))
  })

  test("h5py's variable-length lists, compressed arrays and float64 are read", async () => {
    const path = join(folder, 'h5py.h5')
    const write = `
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], 'w') as f:
    f.attrs['layer_names'] = ['a', 'b']
    f.attrs['backend'] = 'tensorflow'
    f.attrs['keras_version'] = '2.15.0'
    for name, shape in (('a', (2, 3)), ('b', (3, 1))):
        g = f.create_group(name)
        g.attrs['weight_names'] = [name + '/kernel:0']
        g.create_dataset(name + '/kernel:0', data=np.arange(np.prod(shape), dtype='float64').reshape(shape), compression='gzip')
`
    runPython(write, path)
    const model = new Sequential([dense(3, { useBias: false, inputShape: [2] }), dense(1, { useBias: false })])
    await weightsFromBytes(model, readFileSync(path))
    expect((await model.getWeights()).map(({ data }) => [...data])).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2],
    ])
  })
})
