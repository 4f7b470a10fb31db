/** The faults that an exchange of several hundred models with Keras 3.16 found. */
import { key, tensor } from '@cotangent/core'
import { beforeEach, expect, test } from 'vitest'
import {
  dense,
  discretization,
  flatten,
  gruCell,
  input,
  l1L2,
  l2,
  lstmCell,
  type Model,
  model,
  modelFromBytes,
  modelFromJSON,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  operation,
  resetNames,
  rnn,
  Sequential,
} from '../src/index.js'
import type { Json } from '../src/io/keras-object.js'
import { jsonOfZip } from './keras-files.js'

beforeEach(resetNames)

const layer = (class_name: string, config: Json, args?: unknown[]): Json => ({
  module: 'keras.layers',
  class_name,
  config,
  name: config.name,
  inbound_nodes: args ? [{ args, kwargs: {} }] : [],
})
const at = (name: string, shape: (number | null)[]): Json => ({
  class_name: '__keras_tensor__',
  config: { shape, dtype: 'float32', keras_history: [name, 0, 0] },
})
const keras3 = (layers: Json[], output_layers: unknown): Model =>
  modelFromJSON(
    JSON.stringify({
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      config: { name: 'f', layers, input_layers: ['x', 0, 0], output_layers },
      keras_version: '3.16.0',
    }),
  )
const x = layer('InputLayer', { name: 'x', batch_shape: [null, 3], dtype: 'float32' })

test('an operation whose result goes into a layer stays in .h5 files', async () => {
  const a = input({ shape: [3] })
  const m = model({ inputs: a, outputs: dense(2).apply(flatten().apply(a.mul(2).add(1))), seed: 1 })
  const copy = await modelFromBytes(await modelToBytes(m))
  expect(await copy.apply(tensor([[1, 2, 3]])).array()).toEqual(await m.apply(tensor([[1, 2, 3]])).array())
})

test('outputs may lie in lists in the list: the states of stacked cells', () => {
  const a = input({ shape: [4, 3], name: 'x' })
  const made = model({ inputs: a, outputs: rnn([lstmCell(2), gruCell(2)], { returnState: true }).applyAll(a) })
  expect(made.outputs).toHaveLength(4)
  const cell = (class_name: string): Json => ({ module: 'keras.layers', class_name, config: { name: class_name, units: 2 } })
  const cells = { module: 'keras.layers', class_name: 'StackedRNNCells', config: { name: 'c', cells: [cell('LSTMCell'), cell('GRUCell')] } }
  const sequence = layer('InputLayer', { name: 'x', batch_shape: [null, 4, 3], dtype: 'float32' })
  const places = [
    ['r', 0, 0],
    [
      ['r', 0, 1],
      ['r', 0, 2],
    ],
    ['r', 0, 3],
  ] // prettier
  const read = keras3([sequence, layer('RNN', { name: 'r', cell: cells, return_state: true }, [at('x', [null, 4, 3])])], places)
  expect(read.outputs.map(({ index }) => index)).toEqual([0, 1, 2, 3])
})

test('Keras 3 and tf.keras divide penalties on outputs by the number of samples, Keras 2 does not', async () => {
  const penalty = { module: 'keras.regularizers', class_name: 'L2', config: { l2: 0.5 } }
  const d = layer('Dense', { name: 'd', units: 2, activity_regularizer: penalty }, [at('x', [null, 3])])
  const read = keras3([x, d], ['d', 0, 0])
  const own = new Sequential([dense(2, { name: 'd', activityRegularizer: l2(0.5), inputShape: [3] })])
  const regularizers = async (m: Model): Promise<unknown[]> =>
    Promise.all(
      [m, ...(await Promise.all((['keras', 'h5'] as const).map(async (format) => modelFromBytes(await modelToBytes(m, { format })))))].map(
        ({ layers }) =>
          layers
            .find(({ name }) => name === 'd')
            ?.activityRegularizer?.call(
              tensor([
                [1, 2],
                [3, 4],
              ]),
            )
            .item(), // prettier
      ),
    )
  expect(await regularizers(read)).toEqual([7.5, 7.5, 7.5])
  expect(await regularizers(own)).toEqual([15, 15, 15])
  expect(l1L2({ l1: 1, perSample: true }).getConfig()).toEqual({ l1: 1, l2: 0.01, perSample: true })
  const { config } = jsonOfZip(await modelToBytes(read, { format: 'keras' }), 'config.json') as { config: { layers: { config: Json }[] } }
  expect(config.layers[1].config.activity_regularizer).toMatchObject({ class_name: 'L2', config: { l2: 0.5 } })
})

test('the words of Keras 3 in .h5: GroupedQueryAttention; no trainable for Discretization', async () => {
  const q = layer('GroupedQueryAttention', { name: 'g', head_dim: 2, num_query_heads: 2, num_key_value_heads: 1 }, [
    at('s', [null, 4, 3]),
    at('s', [null, 4, 3]),
  ])
  const s = layer('InputLayer', { name: 's', batch_shape: [null, 4, 3], dtype: 'float32' })
  const m = modelFromJSON(
    JSON.stringify({
      class_name: 'Functional',
      config: { name: 'f', layers: [s, q], input_layers: [['s', 0, 0]], output_layers: [['g', 0, 0]] },
      keras_version: '3.16.0',
    }),
  )
  expect(m.layers[1].className).toBe('GroupQueryAttention')
  const bins = new Sequential([discretization([0, 1], { inputShape: [2] })])
  expect(Buffer.from(await modelToBytes(bins)).toString('latin1')).not.toMatch(/"Discretization", "config": \{[^}]*"trainable"/)
})

test("Python's Infinity in JSON", async () => {
  const a = input({ shape: [3] })
  const m = model({
    inputs: a,
    outputs: operation('maximum', { constants: { 1: [-Infinity, 0, 0] } }).apply(
      operation('norm', { ord: 'inf', axis: 1, keepDims: true }).apply(a),
    ),
  })
  const copy = await modelFromBytes(await modelToBytes(m, { format: 'keras' }))
  expect(await copy.apply(tensor([[1, -4, 3]])).array()).toEqual([[4, 4, 4]])
})

test('a record of outputs goes by names, as Keras takes it', () => {
  const outputs = { y2: ['a', 0, 0], y1: ['b', 0, 0] }
  const d = (name: string, units: number): Json => layer('Dense', { name, units }, [at('x', [null, 3])])
  expect(keras3([x, d('a', 1), d('b', 2)], outputs).outputs.map(({ shape }) => shape[1])).toEqual([2, 1])
})

test('masks that come from an input, and calls that always train, are refused', () => {
  const masked = {
    ...layer('LSTM', { name: 'r', units: 2 }),
    inbound_nodes: [{ args: [at('s', [null, 4, 3])], kwargs: { mask: at('x', [null, 3]) } }],
  }
  const s = layer('InputLayer', { name: 's', batch_shape: [null, 4, 3], dtype: 'float32' })
  expect(() => keras3([x, s, masked], ['r', 0, 0])).toThrow(/layer "r" \(LSTM\): its mask is not the one that comes with its input/)
  const training = {
    ...layer('Dropout', { name: 'd', rate: 0.5 }),
    inbound_nodes: [{ args: [at('x', [null, 3])], kwargs: { training: true } }],
  }
  expect(() => keras3([x, training], ['d', 0, 0])).toThrow(/layer "d" \(Dropout\): training=True at a call is not supported/)
})

test('training=False at a call holds in training, too, and stays in files', async () => {
  const calm = (object: Json): Json => ({ ...object, inbound_nodes: [{ args: [at('x', [null, 3])], kwargs: { training: false } }] })
  const inner = {
    ...calm(layer('Functional', {})),
    name: 'inner',
    config: {
      name: 'inner',
      layers: [
        x,
        layer('BatchNormalization', { name: 'b' }, [at('x', [null, 3])]),
        layer('Dropout', { name: 'd', rate: 0.9 }, [at('b', [null, 3])]),
      ],
      input_layers: ['x', 0, 0],
      output_layers: ['d', 0, 0],
    },
  }
  const noisy = layer('Dropout', { name: 'e', rate: 0.9 }, [at('x', [null, 3])])
  const given = keras3(
    [x, inner, noisy],
    [
      ['inner', 0, 0],
      ['e', 0, 0],
    ],
  )
  const data = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const { modelJson, shards } = await modelToTfjs(given)
  const copies = [
    given,
    await modelFromBytes(await modelToBytes(given, { format: 'keras' })),
    await modelFromBytes(await modelToBytes(given)),
    await modelFromTfjs(modelJson, shards),
  ]
  const wanted = await (await given.predictAll(data))[0].array()
  for (const copy of copies) {
    const [still, dropped] = copy.applyAll(data, { training: true, key: key(1) })
    expect(await still.array()).toEqual(wanted)
    expect(String(await dropped.array())).toContain('0,')
    copy.compile({ optimizer: 'sgd', loss: 'mse' })
    await copy.trainOnBatch(data, [data, data])
    const averages = (await copy.getWeights()).filter(({ name }) => name.includes('moving'))
    expect(averages.map(({ data: values }) => [...values])).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ])
  }
})
