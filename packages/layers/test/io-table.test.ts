/**
 * Makes the README's tables of what files hold: layers by format (each is written in each format and read again), operations, and what is refused with what to do.
 * `UPDATE_TABLE=1` writes them into the README.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Kind } from '../src/graph/operations/kind.js'
import { kinds, operationAliases } from '../src/graph/operations/kinds.js'
import * as layers from '../src/index.js'
import {
  input,
  type Layer,
  type Model,
  modelFromBytes,
  modelFromTfjs,
  modelToBytes,
  modelToTfjs,
  resetNames,
  Sequential,
} from '../src/index.js'
import { layerAliases, layerClassNames } from '../src/io/custom.js'
import { adviceForLayer, adviceForOperation, refusedLayers, refusedOperations } from '../src/io/refused.js'
import type { TextLayer } from '../src/text/text-inputs.js'

const [vector, sequence, image, volume] = [[4], [6, 3], [8, 8, 2], [4, 4, 4, 2]]

/** A layer of each class, for inputs of one shape. */
const samples: Readonly<Record<string, readonly [make: () => Layer, ...inputs: number[][]]>> = {
  Activation: [() => layers.activation('tanh'), vector],
  ActivityRegularization: [() => layers.activityRegularization({ l2: 0.1 }), vector],
  AdaptiveAveragePooling1D: [() => layers.adaptiveAveragePooling1d(4), sequence],
  AdaptiveAveragePooling2D: [() => layers.adaptiveAveragePooling2d(3), image],
  AdaptiveAveragePooling3D: [() => layers.adaptiveAveragePooling3d([2, 3, 1]), volume],
  AdaptiveMaxPooling1D: [() => layers.adaptiveMaxPooling1d(4), sequence],
  AdaptiveMaxPooling2D: [() => layers.adaptiveMaxPooling2d([3, 2]), image],
  AdaptiveMaxPooling3D: [() => layers.adaptiveMaxPooling3d(3), volume],
  AdditiveAttention: [() => layers.additiveAttention({ useCausalMask: true }), sequence, sequence],
  Add: [() => layers.add(), vector, vector],
  AlphaDropout: [() => layers.alphaDropout(0.1), vector],
  Attention: [() => layers.attention({ useScale: true, useCausalMask: true }), sequence, sequence],
  Average: [() => layers.average(), vector, vector],
  AveragePooling1D: [() => layers.averagePooling1d(), sequence],
  AveragePooling2D: [() => layers.averagePooling2d(), image],
  AveragePooling3D: [() => layers.averagePooling3d(), volume],
  BatchNormalization: [() => layers.batchNormalization(), vector],
  Bidirectional: [() => layers.bidirectional(layers.lstm(2)), sequence],
  CategoryEncoding: [() => layers.categoryEncoding(5), vector],
  CenterCrop: [() => layers.centerCrop(4, 5), image],
  Concatenate: [() => layers.concatenate(), vector, vector],
  Conv1D: [() => layers.conv1d(2, 2), sequence],
  Conv1DTranspose: [() => layers.conv1dTranspose(2, 2, { strides: 2 }), sequence],
  Conv2D: [() => layers.conv2d(2, 2), image],
  Conv2DTranspose: [() => layers.conv2dTranspose(2, 2), image],
  Conv3D: [() => layers.conv3d(2, 2, { groups: 2 }), volume],
  Conv3DTranspose: [() => layers.conv3dTranspose(2, 2), volume],
  ConvLSTM1D: [() => layers.convLSTM1d(2, 2), [3, 6, 2]],
  ConvLSTM2D: [() => layers.convLSTM2d(2, 2, { padding: 'same', strides: 2, returnSequences: true }), [3, 4, 4, 2]],
  ConvLSTM3D: [() => layers.convLSTM3d(2, 2, { padding: 'same', returnSequences: true }), [2, 2, 2, 3, 1]],
  Cropping1D: [() => layers.cropping1d({ cropping: 1 }), sequence],
  Cropping2D: [() => layers.cropping2d({ cropping: 1 }), image],
  Cropping3D: [() => layers.cropping3d({ cropping: 1 }), volume],
  Dense: [() => layers.dense(2), vector],
  DepthwiseConv1D: [() => layers.depthwiseConv1d(2), sequence],
  DepthwiseConv2D: [() => layers.depthwiseConv2d(2), image],
  Discretization: [() => layers.discretization([1, 2.5]), vector],
  Dot: [() => layers.dot(1), vector, vector],
  Dropout: [() => layers.dropout(0.1), vector],
  ELU: [() => layers.elu(), vector],
  EinsumDense: [() => layers.einsumDense('abc,cd->abd', [null, 2], { biasAxes: 'd', activation: 'silu' }), sequence],
  Embedding: [() => layers.embedding(5, 2), vector],
  Flatten: [() => layers.flatten(), image],
  GRU: [() => layers.gru(2), sequence],
  GRUCell: [() => layers.rnn(layers.gruCell(2)), sequence],
  GaussianDropout: [() => layers.gaussianDropout(0.1), vector],
  GaussianNoise: [() => layers.gaussianNoise(0.1), vector],
  GlobalAveragePooling1D: [() => layers.globalAveragePooling1d(), sequence],
  GlobalAveragePooling2D: [() => layers.globalAveragePooling2d(), image],
  GlobalAveragePooling3D: [() => layers.globalAveragePooling3d(), volume],
  GlobalMaxPooling1D: [() => layers.globalMaxPooling1d(), sequence],
  GlobalMaxPooling2D: [() => layers.globalMaxPooling2d(), image],
  GlobalMaxPooling3D: [() => layers.globalMaxPooling3d({ keepdims: true }), volume],
  GroupNormalization: [() => layers.groupNormalization({ groups: 2 }), image],
  Identity: [() => layers.identity(), vector],
  GroupQueryAttention: [() => layers.groupQueryAttention(2, 4, 2, { useCausalMask: true }), sequence, sequence],
  IntegerLookup: [() => layers.integerLookup({ vocabulary: [1, 3], outputMode: 'count' }), vector],
  LSTM: [() => layers.lstm(2), sequence],
  LSTMCell: [() => layers.rnn(layers.lstmCell(2)), sequence],
  LayerNormalization: [() => layers.layerNormalization(), vector],
  LeakyReLU: [() => layers.leakyReLU(), vector],
  Masking: [() => layers.masking(), sequence],
  MaxPooling1D: [() => layers.maxPooling1d(), sequence],
  MaxPooling2D: [() => layers.maxPooling2d(), image],
  MaxPooling3D: [() => layers.maxPooling3d(), volume],
  Maximum: [() => layers.maximum(), vector, vector],
  Minimum: [() => layers.minimum(), vector, vector],
  MultiHeadAttention: [() => layers.multiHeadAttention(2, 2, { useCausalMask: true }), sequence, sequence],
  Multiply: [() => layers.multiply(), vector, vector],
  Normalization: [() => layers.normalization(), vector],
  PReLU: [() => layers.prelu(), vector],
  Permute: [() => layers.permute([2, 1]), sequence],
  RMSNormalization: [() => layers.rmsNormalization(), vector],
  RNN: [() => layers.rnn(layers.simpleRNNCell(2)), sequence],
  RandomBrightness: [() => layers.randomBrightness(0.2), image],
  RandomContrast: [() => layers.randomContrast(0.2, { valueRange: [0, 1] }), image],
  RandomCrop: [() => layers.randomCrop(4, 5), image],
  RandomFlip: [() => layers.randomFlip({ mode: 'vertical' }), image],
  RandomRotation: [() => layers.randomRotation(0.1), image],
  RandomTranslation: [() => layers.randomTranslation(0.1, [0, 0.2]), image],
  RandomZoom: [() => layers.randomZoom(0.1, { fillMode: 'nearest' }), image],
  Rescaling: [() => layers.rescaling(2, { offset: [1, 2, 3, 4] }), vector],
  ReLU: [() => layers.reLU({ maxValue: 6 }), vector],
  RepeatVector: [() => layers.repeatVector(2), vector],
  Reshape: [() => layers.reshape([2, 2]), vector],
  ReversibleEmbedding: [() => layers.reversibleEmbedding(5, 2, { tieWeights: false }), vector],
  Resizing: [() => layers.resizing(5, 6, { interpolation: 'bicubic', antialias: true }), image],
  SeparableConv1D: [() => layers.separableConv1d(2, 2), sequence],
  SeparableConv2D: [() => layers.separableConv2d(2, 2), image],
  SimpleRNN: [() => layers.simpleRNN(2), sequence],
  SimpleRNNCell: [() => layers.rnn(layers.simpleRNNCell(2)), sequence],
  Softmax: [() => layers.softmax(), vector],
  SpatialDropout1D: [() => layers.spatialDropout1d(0.1), sequence],
  SpatialDropout2D: [() => layers.spatialDropout2d(0.1), image],
  SpatialDropout3D: [() => layers.spatialDropout3d(0.1), volume],
  SpectralNormalization: [() => layers.spectralNormalization(layers.dense(2)), vector],
  StackedRNNCells: [() => layers.rnn([layers.lstmCell(2), layers.gruCell(2)]), sequence],
  Subtract: [() => layers.subtract(), vector, vector],
  ThresholdedReLU: [() => layers.thresholdedReLU(), vector],
  TimeDistributed: [() => layers.timeDistributed(layers.dense(2)), sequence],
  UnitNormalization: [() => layers.unitNormalization(), vector],
  UpSampling1D: [() => layers.upSampling1d(), sequence],
  UpSampling2D: [() => layers.upSampling2d({ interpolation: 'bilinear' }), image],
  UpSampling3D: [() => layers.upSampling3d(), volume],
  ZeroPadding1D: [() => layers.zeroPadding1d(), sequence],
  ZeroPadding2D: [() => layers.zeroPadding2d(), image],
  ZeroPadding3D: [() => layers.zeroPadding3d(), volume],
}

/** Layers that Keras 3 cannot read from `.h5`, found by running 3.16. GroupQueryAttention has the calls of MultiHeadAttention. */
const notInKeras3: Readonly<Record<string, string>> = { GroupQueryAttention: 'not by Keras 3', MultiHeadAttention: 'not by Keras 3' }

const formats: Readonly<Record<string, (model: Model) => Promise<Model>>> = {
  '.keras': async (model) => modelFromBytes(await modelToBytes(model, { format: 'keras' })),
  '.h5': async (model) => modelFromBytes(await modelToBytes(model)),
  'model.json': async (model) => {
    const { modelJson, shards } = await modelToTfjs(model)
    return modelFromTfjs(modelJson, shards)
  },
}

/** Layers of texts, which stand in front of a model. */
const texts: Readonly<Record<string, () => TextLayer>> = {
  Hashing: () => layers.hashing(4, { outputMode: 'one_hot' }),
  StringLookup: () => layers.stringLookup({ vocabulary: ['red', 'blue'], outputMode: 'one_hot' }),
  TextVectorization: () => layers.textVectorization({ vocabulary: ['red', 'blue'], outputMode: 'multi_hot' }),
}

/** Weights alone: the formats that give them back. */
async function weightFormats(model: Model): Promise<string> {
  if (model.weights.length === 0) return ''
  const before = await model.getWeights()
  for (const format of ['weights.h5', 'safetensors'] as const) {
    const bytes = await layers.weightsToBytes(model, { format })
    await model.setWeights(before.map(({ shape, data }) => ({ shape, data: data.map((value) => value + 1) })))
    await layers.weightsFromBytes(model, bytes)
    const after = await model.getWeights()
    if (after.some(({ data }, i) => data.some((value, k) => value !== before[i].data[k]))) return `other numbers by ${format}`
  }
  return 'yes'
}

function modelOf([make, ...shapes]: (typeof samples)[string]): Model {
  resetNames()
  if (shapes.length === 1) {
    const model = new Sequential([make()], { seed: 1 })
    model.build([null, ...shapes[0]])
    return model
  }
  const inputs = shapes.map((shape) => input({ shape }))
  return layers.model({ inputs, outputs: make().apply(inputs), seed: 1 })
}

/** Whether a copy gives the same numbers. */
async function sameOutputs(model: Model, copy: Model, shapes: readonly number[][]): Promise<boolean> {
  const xs = shapes.map((shape) => {
    const size = shape.reduce((product, n) => product * n, 2)
    return { shape: [2, ...shape], data: Float32Array.from({ length: size }, (_, i) => (i * 7) % 5) }
  })
  const [a, b] = await Promise.all([model, copy].map(async (m) => (await m.predict(xs.length === 1 ? xs[0] : xs)).data()))
  return a.length === b.length && a.every((value, i) => value === b[i])
}

const readme = new URL('../README.md', import.meta.url)

/** Compares a table with the README's, or writes it there. */
function compare(name: string, lines: readonly string[]): void {
  const text = readFileSync(readme, 'utf8')
  const begin = `<!-- ${name} -->\n`
  const after = text.indexOf(begin) + begin.length
  const end = text.indexOf('<!-- end -->', after)
  const table = `${lines.join('\n')}\n`
  if (process.env.UPDATE_TABLE) writeFileSync(readme, text.slice(0, after) + table + text.slice(end))
  else expect(text.slice(after, end)).toBe(table)
}

test('the table of layers by format in the README is what the code does', async () => {
  // A new class of layers needs a sample here.
  expect(Object.keys(samples).sort()).toEqual(layerClassNames().filter((name) => name in layers))
  const lines = [
    `| layer | ${Object.keys(formats)
      .map((name) => `\`${name}\``)
      .join(' | ')} | weights | also read as |`,
    '|---|---|---|---|---|---|',
  ]
  for (const [name, sample] of Object.entries(samples)) {
    const model = modelOf(sample)
    const cells: string[] = []
    for (const [format, copyOf] of Object.entries(formats)) {
      const outcome = await copyOf(model).then(
        async (copy) => ((await sameOutputs(model, copy, sample.slice(1) as number[][])) ? 'yes' : 'other numbers'),
        (error: Error) => error.message.split('.')[0],
      )
      cells.push(format === '.h5' && notInKeras3[name] ? `${outcome}, ${notInKeras3[name]}` : outcome)
    }
    const others = Object.entries(layerAliases).flatMap(([other, known]) => (known === name ? [other] : []))
    lines.push(`| ${name} | ${cells.join(' | ')} | ${await weightFormats(model)} | ${others.join(', ')} |`)
    model.dispose()
  }
  for (const [name, make] of Object.entries(texts)) {
    const cells: string[] = []
    for (const copyOf of Object.values(formats)) {
      const model = new Sequential([layers.dense(1, { inputShape: [name === 'Hashing' ? 4 : 3] })])
      layers.takeTexts(model, make())
      cells.push(
        await copyOf(model).then(
          () => 'in front',
          () => 'refused',
        ),
      )
    }
    lines.push(`| ${name} | ${cells.join(' | ')} |  |  |`)
  }
  compare('layers by format', lines)
})

test('the table of operations in the README is what the code has', () => {
  const rows = Object.entries(kinds).map(([name, { className, module }]: [string, Kind]) => {
    const others = Object.entries(operationAliases).flatMap(([other, known]) => (known === name ? [other] : []))
    return { module, text: `${[className, ...others].join(', ')} (\`${name}\`)` }
  })
  const modules = ['numpy', 'nn', 'core', 'math', 'linalg', 'image']
  expect(rows.map(({ module }) => module).filter((module) => !modules.includes(module))).toEqual([])
  const lines = modules.map((module) => {
    const texts = rows.filter((row) => row.module === module).map(({ text }) => text)
    return `| ${module} | ${texts.sort().join('; ')} |`
  })
  compare('operations', ['| module | operations of Keras 3, and their names here |', '|---|---|', ...lines])
})

test('what is refused, and what to do, is in the README, and nothing that is read', () => {
  const readAlready = [
    ...layerClassNames(),
    ...Object.keys(layerAliases),
    ...Object.values(kinds).map((kind: Kind) => kind.className),
    ...Object.keys(operationAliases),
  ]
  const lines = [...refusedLayers, ...refusedOperations].map(({ classes, advice }) => {
    for (const name of classes.split(' ')) {
      expect(readAlready).not.toContain(name)
      expect([adviceForLayer(name), adviceForOperation(name)]).toContain(advice.replace('[className]', name))
    }
    return `| ${classes.split(' ').join(', ')} | ${advice.replaceAll('|', '\\|')} |`
  })
  compare('refused', ['| refused | what to do |', '|---|---|', ...lines])
})

test.each([
  ['RandomHue', /customObjects: \{ RandomHue: /],
  ['Lambda', /operations on tensors/],
  ['Thing', /customObjects: \{ Thing \}/],
] as const)('a file with %s says what to do', (className, message) => {
  const config = { layers: [{ class_name: className, config: { name: 'a' } }] }
  expect(() => layers.modelFromJSON(JSON.stringify({ class_name: 'Sequential', config, keras_version: '3.16.0' }))).toThrow(message)
})

test('a layer that acts in training alone can be passed by, as its error says', async () => {
  const file = {
    class_name: 'Sequential',
    config: { layers: [{ class_name: 'RandomHue', config: { name: 'a', batch_shape: [null, 2], factor: 0.1 } }] },
    keras_version: '3.16.0',
  }
  class RandomHue extends layers.Identity {
    static override fromConfig({ name }: { name?: string }): layers.Identity {
      return new layers.Identity({ name, inputShape: [2] })
    }
  }
  const model = layers.modelFromJSON(JSON.stringify(file), { customObjects: { RandomHue } })
  expect(await model.predict([[1, 2]]).then((y) => y.array())).toEqual([[1, 2]])
})
