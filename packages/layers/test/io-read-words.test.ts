/**
 * Words of files of Keras 1.2 to 3.16 that mean what happens here anyway are read. Words that would change the result are refused. The file is long, since it lists
 * them.
 */
import { getBackend, key, tensor } from '@cotangent/core'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bidirectional,
  dense,
  embedding,
  globalMaxPooling2d,
  gruCell,
  type Layer,
  type LSTM,
  type LSTMOptions,
  type losses,
  lstm,
  type Model,
  maxPooling2d,
  modelFromBytes,
  modelFromJSON,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  resetNames,
  rnn,
  Sequential,
} from '../src/index.js'
import type { Json } from '../src/io/keras-object.js'
import { originOf, versionByWords } from '../src/io/origin.js'
import { readTraining } from '../src/io/read-training.js'
import { orthogonal } from '../src/weights/initializers.js'

beforeEach(() => resetNames())

/** A Sequential of one layer as JSON. */
const json = (class_name: string, config: Json, version?: string): string =>
  JSON.stringify({
    class_name: 'Sequential',
    config: { name: 's', layers: [{ class_name, config: { name: 'l', ...config } }] },
    ...(version && { keras_version: version }),
  })
const read = (class_name: string, config: Json, version?: string): Layer => modelFromJSON(json(class_name, config, version)).layers[0]

describe('keys of layers', () => {
  const policy = { class_name: 'DTypePolicy', config: { name: 'float32' }, shared_object_id: 7 }
  const cell = {
    module: 'keras.layers',
    class_name: 'LSTM',
    config: { units: 2, return_sequences: true, zero_output_for_mask: true, dtype: policy },
  }
  const direction = (name: string, back: boolean, id: number): Json => ({
    ...cell,
    config: { ...cell.config, name, go_backwards: back, dtype: { ...policy, shared_object_id: id } },
    build_config: { input_shape: [null, id, 2] },
  })
  test.each([
    [
      'SeparableConv2D of tf.keras',
      'SeparableConv2D',
      { filters: 2, kernel_size: [2, 2], kernel_initializer: { class_name: 'GlorotUniform', config: {} }, groups: 1 },
      '2.15.0',
    ],
    ['a random layer with a seed', 'SpatialDropout1D', { rate: 0.1, seed: 3, noise_shape: [1] }, '3.16.0'],
    ['noise with a seed', 'GaussianNoise', { stddev: 0.1, seed: 3 }, '3.16.0'],
    ['Attention', 'Attention', { score_mode: 'dot', seed: null, dropout: 0 }, '3.16.0'],
    [
      'MultiHeadAttention',
      'MultiHeadAttention',
      { num_heads: 1, key_dim: 2, attention_axes: [1], use_gate: false, output_shape: [3], seed: 1 },
      '3.16.0',
    ],
    ['Attention of tf.keras', 'Attention', { causal: true, use_scale: true }, '2.8.0'],
    [
      'MultiHeadAttention of tf.keras',
      'MultiHeadAttention',
      { num_heads: 1, key_dim: 2, query_shape: [null, 3, 4], key_shape: [null, 3, 4], value_shape: [null, 3, 4] },
      '2.15.0',
    ],
    [
      'batch normalisation',
      'BatchNormalization',
      { renorm: false, renorm_clipping: null, renorm_momentum: 0.99, synchronized: false },
      '3.16.0',
    ],
    [
      'both directions, which share objects',
      'Bidirectional',
      { layer: direction('forward_lstm', false, 1), backward_layer: direction('backward_lstm', true, 2) },
      '3.16.0',
    ],
    [
      'VarianceScaling of 3.16',
      'Dense',
      { units: 2, kernel_initializer: { class_name: 'VarianceScaling', config: { scale: 2, input_axes: null } } },
      '3.16.0',
    ],
    [
      'MinMaxNorm of Keras 1',
      'Dense',
      { output_dim: 2, init: 'uniform', W_constraint: { name: 'MinMaxNorm', low: 0.1, high: 2, rate: 1, axis: 0 } },
      '1.2.2',
    ],
    ['keepdims', 'GlobalMaxPooling2D', { keepdims: true }, '2.15.0'],
  ] as [string, string, Json, string][])('%s is read', (_, className, config, version) => {
    expect(read(className, config, version).className).toBe(className)
  })

  test.each([
    ['Attention', { score_mode: 'sum' }, '3.16.0', /scoreMode/],
    ['BatchNormalization', { renorm: true }, '2.15.0', /config key "renorm": true/],
    [
      'Dense',
      { units: 2, quantization_config: { class_name: 'Int8' } },
      '3.16.0',
      /config key "quantization_config".*Save the model unquantized/,
    ],
    ['Dense', { units: 2, quantization_config: 'x' }, '2.3.1', /no option "quantizationConfig"/],
    ['Dense', { units: 2, groups: 1 }, '2.15.0', /no option "groups"/],
    [
      'Bidirectional',
      { layer: cell, backward_layer: { ...cell, config: { ...cell.config, units: 3 } } },
      '3.16.0',
      /backwardLayer must have goBackwards: true/,
    ],
  ] as [string, Json, string, RegExp][])('%s with %j of %s is refused', (className, config, version, message) => {
    expect(() => read(className, config, version)).toThrow(message)
  })

  test('options come through: zero_output_for_mask in both directions, keepdims, the limits of MinMaxNorm', () => {
    const both = read(
      'Bidirectional',
      { layer: direction('forward_lstm', false, 1), backward_layer: direction('backward_lstm', true, 2) },
      '3.16.0',
    )
    expect(both.inner.map((layer) => (layer as ReturnType<typeof lstm>).zeroOutputForMask)).toEqual([true, true])
    // Keras 3 and tf.keras set it, whatever the file says; a file of ours says it where they do not look.
    const plain = (version: string, sequences: boolean) => {
      const config = { units: 2, return_sequences: sequences, zero_output_for_mask: !sequences, dtype: 'float32' }
      const layer = (name: string, go_backwards: boolean) => ({ class_name: 'LSTM', config: { ...config, name, go_backwards } })
      const given = { layer: layer('forward_lstm', false), backward_layer: layer('backward_lstm', true) }
      return read('Bidirectional', given, version).inner.map((inner) => (inner as ReturnType<typeof lstm>).zeroOutputForMask)
    }
    for (const sequences of [true, false])
      for (const version of ['3.16.0', '2.15.0']) expect(plain(version, sequences)).toEqual([sequences, sequences])
    const limited = read(
      'Dense',
      { output_dim: 2, init: 'uniform', W_constraint: { name: 'MinMaxNorm', low: 0.1, high: 2, rate: 1, axis: 0 } },
      '1.2.2',
    )
    expect(limited.getConfig().kernelConstraint).toMatchObject({ config: { minValue: 0.1, maxValue: 2 } })
  })

  test('dropout of an Embedding of Keras 1 is left out with a warning', () => {
    const warnings: string[] = []
    const text = json('Embedding', { input_dim: 3, output_dim: 2, dropout: 0.2, init: 'uniform' }, '1.2.2')
    expect(modelFromJSON(text, { onWarning: (message) => warnings.push(message) }).layers[0].className).toBe('Embedding')
    expect(warnings).toEqual([expect.stringMatching(/layer "l" \(Embedding\): dropout 0\.2 is left out/)])
  })

  test.each(['uint8', 'uint16', 'int8'])('inputs of %s are read as floats', (dtype) => {
    const x = { class_name: 'InputLayer', name: 'x', config: { batch_input_shape: [null, 2], name: 'x', dtype }, inbound_nodes: [] }
    const y = { class_name: 'Dense', name: 'y', config: { units: 1, name: 'y' }, inbound_nodes: [[['x', 0, 0, {}]]] }
    const config = { layers: [x, y], input_layers: [['x', 0, 0]], output_layers: [['y', 0, 0]] }
    expect(modelFromJSON(JSON.stringify({ class_name: 'Model', config })).inputPorts[0].dtype).toBe('float32')
  })

  test('a file that does not say its version is known by its words', () => {
    const of = (config: Json, more: Json = {}): string =>
      versionByWords({ class_name: 'Sequential', config: [{ class_name: 'Dense', config }], ...more })
    expect(of({ units: 2, kernel_initializer: {} })).toBe('2.3.1')
    expect(of({ output_dim: 2, init: 'uniform' })).toBe('1.2.2')
    expect(of({ filters: 2, groups: 1 })).toBe('2.15.0')
    expect(of({ units: 2 }, { registered_name: null })).toBe('3.16.0')
    expect(read('Convolution2D', { nb_filter: 2, nb_row: 3, nb_col: 2, border_mode: 'same', init: 'uniform' }).getConfig()).toMatchObject({
      kernelSize: [3, 2],
    })
  })
})

describe('what a model was compiled with', () => {
  const warnings: string[] = []
  const compiled = (training: Json) => {
    warnings.length = 0
    const warn = (message: string): void => void warnings.push(message)
    const optimizer = { class_name: 'SGD', config: {} }
    return readTraining(
      { optimizer, loss: 'mse', ...training },
      { origin: originOf('3.16.0', undefined), custom: {}, beyond: {}, warn, outputs: ['y'] },
    )
  }
  const objectOf = (class_name: string, config: Json): Json => ({ module: 'keras.losses', class_name, config, registered_name: null })

  test('options of losses are kept', () => {
    const options = (class_name: string, config: Json) =>
      (compiled({ loss: objectOf(class_name, config) })?.loss as { options: object } | undefined)?.options
    const usual = { name: 'x', reduction: 'sum_over_batch_size' }
    expect(options('Huber', { ...usual, delta: 2.5 })).toEqual({ delta: 2.5, reduction: 'sum_over_batch_size' })
    expect(options('BinaryCrossentropy', { ...usual, from_logits: true, label_smoothing: 0.1, axis: -1 })).toEqual({
      fromLogits: true,
      labelSmoothing: 0.1,
      reduction: 'sum_over_batch_size',
    })
    expect(options('Huber', { reduction: 'sum' })).toEqual({ reduction: 'sum' })
    expect(options('SparseCategoricalCrossentropy', { ...usual, ignore_class: 0 })).toEqual({ ignoreClass: 0 })
    expect(options('Circle', { ...usual, gamma: 80, margin: 0.4, remove_diagonal: true })).toEqual({ gamma: 80, margin: 0.4 })
    expect(options('Dice', { ...usual, axis: [1, 2] })).toEqual({ axis: [1, 2] })
    for (const [key, value] of [
      ['axis', 1],
      ['ignore_class', 0],
      ['gamma', 2],
    ] as const) {
      expect(compiled({ loss: objectOf('Huber', { [key]: value }) })).toBeUndefined()
      expect(warnings[0]).toContain(`loss "Huber", config key "${key}": ${JSON.stringify(value)} is not supported`)
    }
  })

  test('the mean of a loss is that of the version that wrote the file', async () => {
    const yTrue = tensor([[[1], [2], [5]]])
    const yPred = tensor([[[0], [0], [0]]])
    const mask = tensor([[1, 1, 0]]).cast('bool')
    const mean = async (version: string, loss: unknown): Promise<number | undefined> => {
      const given = readTraining(
        { optimizer: { class_name: 'SGD', config: {} }, loss },
        { origin: originOf(version, undefined), custom: {}, beyond: {}, warn: () => {}, outputs: ['y'] },
      )?.loss as losses.Loss
      return (given.reduce ? given.reduce(yTrue, yPred, mask) : given.call(yTrue, yPred, mask).mean()).item()
    }
    // 1² and 2²; the third step is left out, but before tf.keras 2.10 it counts.
    for (const version of ['3.16.0', '3.0.5', '2.15.0', '2.10.0']) expect([version, await mean(version, 'mse')]).toEqual([version, 2.5])
    for (const version of ['2.9.0', '2.3.1']) expect(await mean(version, 'mse')).toBeCloseTo(5 / 3)
    expect(await mean('3.16.0', objectOf('MeanSquaredError', { reduction: 'sum' }))).toBe(5)
    expect(await mean('3.16.0', objectOf('MeanSquaredError', { reduction: 'mean_with_sample_weight' }))).toBe(2.5)
  })

  test.each([
    ['kl_divergence', 'kullbackLeiblerDivergence'],
    ['KLDivergence', 'kullbackLeiblerDivergence'],
    ['kullback_leibler_divergence', 'kullbackLeiblerDivergence'],
    ['log_cosh', 'logcosh'],
    ['LogCosh', 'logcosh'],
    ['cosine_similarity', 'cosineProximity'],
    ['huber_loss', 'huber'],
  ])('the loss %s', (name, ours) => {
    expect(compiled({ loss: name })?.loss).toMatchObject({ name: ours })
  })

  test('options of metrics are kept, and what would measure something else is left out with a warning', () => {
    const of = (class_name: string, config: Json = {}) =>
      compiled({ metrics: [{ ...objectOf(class_name, config), module: 'keras.metrics' }] })?.metrics
    expect(of('Precision', { name: 'p', thresholds: [0.3], top_k: null, class_id: null })).toEqual([
      { className: 'precision', config: { name: 'p', threshold: 0.3 } },
    ])
    expect(of('AUC', { name: 'a', curve: 'PR', num_thresholds: 50, multi_label: false })).toMatchObject([
      { className: 'auc', config: { curve: 'PR' } },
    ])
    expect(of('BinaryAccuracy', { name: 'b', threshold: 0.2 })).toMatchObject([
      { className: 'thresholdAccuracy', config: { threshold: 0.2 } },
    ])
    expect(of('SparseTopKCategoricalAccuracy', { name: 't', k: 3 })).toMatchObject([{ config: { k: 3, sparse: true } }])
    expect(warnings).toEqual([])
    for (const [class_name, config] of [
      ['Precision', { class_id: -1 }],
      ['AUC', { thresholds: [0.1, 0.2] }],
      ['Accuracy', {}],
      ['CosineSimilarity', { axis: 1 }],
    ] as const) {
      expect(of(class_name, config)).toEqual([])
      expect(warnings[0]).toContain('A metric is left out.')
    }
  })

  test('averages of the weights and sums of gradients are those of Keras 3', () => {
    const config = { use_ema: true, ema_momentum: 0.5, ema_overwrite_frequency: 4, gradient_accumulation_steps: 2, loss_scale_factor: null }
    const optimizer = compiled({ optimizer: { class_name: 'Adam', config } })?.optimizer
    expect(optimizer).toMatchObject({ useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 4, gradientAccumulationSteps: 2 })
  })
})

test('quantized weights of TensorFlow.js: q·scale + min, and halves', async () => {
  const model = new Sequential([dense(2, { inputShape: [2] })])
  const { modelJson } = await modelToTfjs(model)
  const file = JSON.parse(modelJson) as { weightsManifest: { paths: string[]; weights: Json[] }[] }
  const [{ weights }] = file.weightsManifest
  weights[0].quantization = { dtype: 'uint8', scale: 0.5, min: -1, original_dtype: 'float32' }
  weights[1].quantization = { dtype: 'float16', original_dtype: 'float32' }
  const shard = Uint8Array.of(0, 1, 2, 255, 0x00, 0x3c, 0x00, 0xc1) // 0x3c00 = 1, 0xc100 = −2.5
  const read = (): Promise<Model> => modelFromTfjs(JSON.stringify(file), () => shard)
  expect((await (await read()).getWeights()).map(({ data }) => [...data])).toEqual([
    [-1, -0.5, 0, 126.5],
    [1, -2.5],
  ])
  weights[0].quantization = { dtype: 'uint16', scale: 2, min: 1 }
  expect([
    ...(
      await (await modelFromTfjs(JSON.stringify(file), () => Uint8Array.of(0, 1, 2, 0, 3, 0, 0, 2, ...shard.subarray(4)))).getWeights()
    )[0].data,
  ]).toEqual([513, 5, 7, 1025])
  weights[0].quantization = { dtype: 'int4', scale: 2, min: 1 }
  await expect(read()).rejects.toThrow(/weight "dense_1\/kernel" has quantization .*"int4".*not supported/)
})

describe('speed', () => {
  test('weights that a file brings are not drawn first', async () => {
    let draws = 0
    const counted = (...args: Parameters<ReturnType<typeof orthogonal>['build']>) => {
      draws++
      return orthogonal().build(...args)
    }
    const model = new Sequential([dense(3, { kernelInitializer: counted, inputShape: [2] })], { seed: 2 })
    expect(draws).toBe(1)
    const { modelJson, shards } = await modelToTfjs(model)
    const copies = [
      await modelFromBytes(await modelToBytes(model), { customObjects: { counted } }),
      await modelFromBytes(await modelToBytes(model, { format: 'keras' }), { customObjects: { counted } }),
      await modelFromTfjs(modelJson, shards, { customObjects: { counted } }),
    ]
    expect(draws).toBe(1)
    for (const copy of copies) expect(await copy.getWeights()).toEqual(await model.getWeights())
    new Sequential([dense(3, { kernelInitializer: counted, inputShape: [2] })])
    expect(draws, 'others are').toBe(2)
  })

  test('large orthogonal matrices, by blocks in float32, are those of the host in float64', async () => {
    const [rows, cols] = [520, 800] // long·short² above 2²⁷, and no multiple of a block
    const shape = [2 * rows, cols]
    const wasm = await orthogonal()
      .build(key(5), shape, { backend: await getBackend('wasm') })
      .data()
    const exact = await orthogonal()
      .build(key(5), shape, { dtype: 'float64', backend: await getBackend('reference') })
      .data()
    let [furthest, identity] = [0, 0]
    for (let i = 0; i < wasm.length; i++) furthest = Math.max(furthest, Math.abs(Number(wasm[i]) - Number(exact[i])))
    for (const [a, b] of [
      [0, 0],
      [0, 799],
      [31, 32],
      [63, 64],
      [400, 401],
      [799, 799],
    ]) {
      let sum = 0
      for (let i = 0; i < shape[0]; i++) sum += Number(wasm[i * cols + a]) * Number(wasm[i * cols + b])
      identity = Math.max(identity, Math.abs(sum - Number(a === b)))
    }
    // Rounding of float32 products of 1040 terms, once or twice over.
    expect(furthest).toBeGreaterThan(0)
    expect(furthest).toBeLessThan(1e-5)
    expect(identity).toBeLessThan(2e-6)
  })
})

describe('what is new of layers', () => {
  test.each(['h5', 'keras'] as const)('zeroOutputForMask in both directions stays as it was, in %s', async (format) => {
    for (const zeroOutputForMask of [false, true]) {
      const model = new Sequential([
        embedding(4, 3, { maskZero: true, inputLength: 3 }),
        bidirectional(lstm(2, { returnSequences: true, zeroOutputForMask })),
      ])
      const again = await modelFromBytes(await modelToBytes(model, { format }))
      const values = async (one: Model) => (await one.predict([[1, 2, 0]])).data()
      expect(await values(again)).toEqual(await values(model))
      expect(again.layers[1].inner.map((inner) => (inner as ReturnType<typeof lstm>).zeroOutputForMask)).toEqual([
        zeroOutputForMask,
        zeroOutputForMask,
      ])
    }
  })

  test('zeroOutputForMask: masked steps give 0, in the order of the outputs', async () => {
    for (const goBackwards of [false, true]) {
      const layer = lstm(2, { returnSequences: true, goBackwards, zeroOutputForMask: true })
      const model = new Sequential([embedding(4, 3, { maskZero: true }), layer], { seed: 1 })
      const values = await (await model.predict([[1, 2, 0, 0]])).data()
      const isZero = [0, 1, 2, 3].map((step) => values[2 * step] === 0 && values[2 * step + 1] === 0)
      expect(isZero).toEqual(goBackwards ? [true, true, false, false] : [false, false, true, true])
    }
    const both = new Sequential(
      [embedding(4, 3, { maskZero: true }), bidirectional(lstm(2, { returnSequences: true, zeroOutputForMask: true }))],
      { seed: 1 },
    )
    const values = [...(await (await both.predict([[1, 2, 0, 0]])).data())]
    expect(values.slice(8)).toEqual(new Array(8).fill(0))
    expect(values.slice(0, 8).every((value) => value !== 0)).toBe(true)
    const last = lstm(2, { zeroOutputForMask: true })
    const ends = await (
      await new Sequential([embedding(4, 3, { maskZero: true }), last], { seed: 1 }).predict([
        [1, 0],
        [0, 1],
      ])
    ).data()
    expect([...ends].map((value) => value === 0)).toEqual([true, true, false, false])
  })

  test('keepdims of global pooling', async () => {
    const x = { shape: [1, 2, 2, 1], data: Float32Array.of(1, 4, 3, 2) }
    const of = (layer: Layer): Model => new Sequential([layer])
    const kept = await of(globalMaxPooling2d({ keepdims: true, inputShape: [2, 2, 1] })).predict(x)
    expect([kept.shape, [...(await kept.data())]]).toEqual([[1, 1, 1, 1], [4]])
    expect((await of(maxPooling2d({ inputShape: [2, 2, 1] })).predict(x)).shape).toEqual(kept.shape)
    const first = globalMaxPooling2d({ keepdims: true, dataFormat: 'channelsFirst', inputShape: [3, 2, 2] })
    expect(new Sequential([first]).outputShapes([[null, 3, 2, 2]])).toEqual([[null, 3, 1, 1]])
  })
})

test('recurrent dropout in files of Keras 3: a mask for each gate; ours keep what they had', async () => {
  const config = { name: 'a', units: 2, recurrent_activation: 'sigmoid', batch_shape: [null, 3, 2] }
  for (const className of ['LSTM', 'GRU']) {
    const implementation = (dropout: number, version: string): unknown =>
      (read(className, { ...config, recurrent_dropout: dropout }, version) as LSTM).getConfig().implementation
    expect([implementation(0.2, '3.16.0'), implementation(0, '3.16.0'), implementation(0.2, '2.3.1')]).toEqual([1, 2, 2])
  }
  const make = (options: LSTMOptions) => lstm(2, { recurrentDropout: 0.3, ...options })
  const model = new Sequential([
    make({ returnSequences: true, inputShape: [3, 2] }),
    bidirectional(make({ returnSequences: true, implementation: 1 })),
    rnn(gruCell(2, { recurrentDropout: 0.1 })),
  ])
  const again = await modelFromBytes(await modelToBytes(model, { format: 'keras' }))
  const used = (layer: Layer): unknown => JSON.stringify(layer.getConfig()).match(/"implementation":./g)
  expect(again.layers.map(used)).toEqual(model.layers.map(used))
})
