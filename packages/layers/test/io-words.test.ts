/** Every word that goes into a file is Keras', not ours: all activations, initializers, losses, metrics, optimizers and so on of this package. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as layers from '../src/index.js'
import { dense, type Layer, losses, type Model, metrics, modelToBytes, modelToTfjs, resetNames, Sequential } from '../src/index.js'
import { readH5 } from '../src/io/h5-tree.js'
import { isObject, type Json } from '../src/io/keras-object.js'
import { jsonOfZip } from './keras-files.js'

beforeEach(() => resetNames())

/** Entries where Keras does not look may have our own words. */
async function configsOf(model: Model): Promise<Json[]> {
  const root = await readH5(await modelToBytes(model), 'h5')
  const attribute = (name: string): Json => JSON.parse(String(root.attributes.get(name) ?? '{}')) as Json
  const { modelTopology } = JSON.parse((await modelToTfjs(model)).modelJson) as { modelTopology: Json }
  const ofKeras = await modelToBytes(model, { format: 'keras' }).then(jsonOfZip, (error) => {
    expect(String(error)).toContain('hard_sigmoid is another function in Keras 3')
    return {}
  })
  return [attribute('model_config'), attribute('training_config'), modelTopology, ofKeras]
}

/** Values that name something. Class names begin with a capital; Keras' own modes have none. */
const wordKeys =
  /^(activation|recurrent_activation|loss|metrics|weighted_metrics|mode|distribution|padding|data_format|merge_mode|average|curve|dtype)$/

/** Keys and words in camelCase: none of Keras' are. */
function foreignWords(value: unknown, key = '', path = ''): string[] {
  const isOurs = (word: string): boolean => /^[a-z]+\d*[A-Z]/.test(word)
  if (typeof value === 'string') return wordKeys.test(key) && isOurs(value) ? [`${path}: ${value}`] : []
  if (Array.isArray(value)) return value.flatMap((item, i) => foreignWords(item, key, `${path}/${i}`))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, item]) => [
    ...(isOurs(name) ? [`${path}/${name}`] : []),
    ...(name === 'class_name' && !/^([A-Z]|function|__)/.test(String(item)) ? [`${path}: class ${item}`] : []),
    ...foreignWords(item, /^(p|q)$/.test(name) ? key : name, `${path}/${name}`),
  ])
}

async function expectKerasWords(model: Model): Promise<void> {
  for (const config of await configsOf(model)) expect(foreignWords(config)).toEqual([])
  model.dispose()
}

const activationNames = Object.entries(layers.activations).flatMap(
  ([name, value]) => (typeof value === 'function' && !/^(get|final|threshold|glu$)/.test(name) ? [name] : []), // threshold needs two numbers, glu changes widths
)

test('the test itself: our words are found', () => {
  expect(
    foreignWords({ config: { activation: 'hardSigmoid', useBias: true }, metrics: [['topKCategoricalAccuracy']], class_name: 'precision' }),
  ).toEqual(['/config/activation: hardSigmoid', '/config/useBias', '/metrics/0/0: topKCategoricalAccuracy', ': class precision'])
})

test.each(activationNames)('activation %s', async (activation) => {
  await expectKerasWords(
    new Sequential([
      layers.lstm(2, {
        activation: activation as 'relu',
        recurrentActivation: activation as 'relu',
        inputShape: [3, 2],
        returnSequences: true,
      }),
      layers.rnn(layers.gruCell(2, { activation: activation as 'relu' }), { returnSequences: true }),
      layers.conv1d(2, 1, { activation: activation as 'relu' }),
      layers.timeDistributed(dense(2, { activation: activation as 'relu' })),
      layers.activation(activation as 'relu'),
    ]),
  )
})

const made = (group: object, skip: RegExp): [string, (options?: object) => unknown][] =>
  Object.entries(group).flatMap(([name, value]): [string, (options?: object) => unknown][] =>
    typeof value === 'function' && !skip.test(name) ? [[name, value as () => unknown]] : [],
  )

test.each(made(layers.initializers, /^(get|fansOf|orthogonalFrom)/))('initializer %s', async (_, make) => {
  await expectKerasWords(new Sequential([dense(2, { kernelInitializer: make() as 'zeros', inputShape: [2] })]))
})
test.each(['fanIn', 'fanOut', 'fanAvg'] as const)('varianceScaling in mode %s', async (mode) => {
  for (const distribution of ['normal', 'uniform', 'truncatedNormal', 'untruncatedNormal'] as const) {
    const kernelInitializer = layers.initializers.varianceScaling({ mode, distribution, scale: 3 })
    await expectKerasWords(new Sequential([dense(2, { kernelInitializer, inputShape: [2] })]))
  }
})
test.each(made(layers.constraints, /^get/))('constraint %s', async (_, make) => {
  await expectKerasWords(new Sequential([dense(2, { kernelConstraint: make() as 'nonNeg', inputShape: [2] })]))
})
test.each(['l1', 'l2', 'l1L2'] as const)('regularizer %s', async (regularizer) => {
  const options = { kernelRegularizer: regularizer, activityRegularizer: regularizer, inputShape: [2] }
  await expectKerasWords(new Sequential([dense(2, options)]))
})

describe('compiled', () => {
  const compiled = (options: Partial<Parameters<Model['compile']>[0]>): Model => {
    const model = new Sequential([dense(2, { inputShape: [2] })])
    model.compile({ optimizer: 'sgd', loss: 'mse', ...options })
    return model
  }
  test.each(losses.lossNames)('loss and metric %s', (loss) =>
    expectKerasWords(compiled({ loss, metrics: [loss], weightedMetrics: [loss] })),
  )
  test('losses with options', async () => {
    for (const [name, options] of [
      ['huber', { delta: 2 }],
      ['binaryCrossentropy', { fromLogits: true, labelSmoothing: 0.1, form: '2.2' }],
      ['binaryFocalCrossentropy', { gamma: 3, applyClassBalancing: true, alpha: 0.5 }],
      ['tversky', { alpha: 0.3, beta: 0.7, axis: [1] }],
      ['sparseCategoricalCrossentropy', { ignoreClass: -1, reduction: 'sum' }],
      ['cosineProximity', { axis: 1 }],
      ['categoricalGeneralizedCrossEntropy', { q: 0.7 }],
    ] as const)
      await expectKerasWords(compiled({ loss: losses.getLoss(name, options) }))
  })
  const names = ['accuracy', 'acc', 'crossentropy', 'ce', 'mae', 'kld', 'cosine', 'bce', 'huberLoss'] as const
  const accuracies = [
    'binaryAccuracy',
    'categoricalAccuracy',
    'sparseCategoricalAccuracy',
    'topKCategoricalAccuracy',
    'sparseTopKCategoricalAccuracy',
  ] as const
  const counts = [
    'precision',
    'recall',
    'truePositives',
    'falsePositives',
    'trueNegatives',
    'falseNegatives',
    'f1Score',
    'fBetaScore',
    'binaryIoU',
    'r2Score',
    'pearsonCorrelation',
    'concordanceCorrelation',
    'auc',
    'rootMeanSquaredError',
  ] as const
  test.each([...names, ...accuracies, ...counts])('metric %s', (name) => expectKerasWords(compiled({ metrics: [name] })))
  test('metrics with options', () => {
    const { precision, auc, f1Score, thresholdAccuracy, topKAccuracy } = metrics
    const list = [precision({ threshold: 0.2 }), auc({ curve: 'PR' }), f1Score({ average: 'micro' }), f1Score({ classId: 1 })]
    const ofKeras3 = [
      metrics.meanIoU({ numClasses: 3, sparseYPred: false }),
      metrics.iou({ numClasses: 3, targetClassIds: [0, 2], ignoreClass: 1 }),
      metrics.oneHotIoU({ numClasses: 3, targetClassIds: [1] }),
      metrics.oneHotMeanIoU({ numClasses: 3 }),
      metrics.sensitivityAtSpecificity({ specificity: 0.5, classId: 1 }),
      metrics.specificityAtSensitivity({ sensitivity: 0.5 }),
      metrics.precisionAtRecall({ recall: 0.5, numThresholds: 20 }),
      metrics.recallAtPrecision({ precision: 0.5 }),
      metrics.fBetaScore({ beta: 2, average: 'weighted' }),
      metrics.r2Score({ classAggregation: 'variance_weighted_average' }),
      metrics.ofLoss({ loss: 'huber', delta: 2 }),
    ]
    return expectKerasWords(
      compiled({ metrics: [...list, thresholdAccuracy({ threshold: 0.3 }), topKAccuracy({ k: 2, sparse: true }), ...ofKeras3] }),
    )
  })
  test.each(layers.optimizerNames)('optimizer %s', async (className) => {
    for (const variant of ['keras2', 'keras3']) {
      const config = { variant, clipnorm: 1, gradientAccumulationSteps: 2, useEma: true, emaOverwriteFrequency: 3 }
      await expectKerasWords(compiled({ optimizer: { className, config } }))
    }
  })
  test.each([
    layers.exponentialDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: 0.5 }),
    layers.inverseTimeDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: 0.5 }),
    layers.polynomialDecay({ initialLearningRate: 1, decaySteps: 2 }),
    layers.piecewiseConstantDecay({ boundaries: [1], values: [1, 0.5] }),
    layers.cosineDecay({ initialLearningRate: 1, decaySteps: 2 }),
    layers.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 2, mMul: 0.5 }),
  ])('schedule $className', (learningRate) => expectKerasWords(compiled({ optimizer: layers.adam({ learningRate }) })))
})

/** A layer of each kind, for the inputs in the comment. */
const image = { inputShape: [8, 8, 2] }
const steps = { inputShape: [6, 3] }
const stacks: Readonly<Record<string, () => Layer[]>> = {
  images: () => [
    layers.zeroPadding2d(image),
    layers.conv2d(2, 2, { dataFormat: 'channelsLast' }),
    layers.depthwiseConv2d(2),
    layers.separableConv2d(2, 2),
    layers.conv2dTranspose(2, 2),
    layers.batchNormalization({ variant: 'keras3' }),
    layers.layerNormalization(),
    layers.spatialDropout2d(0.1),
    layers.maxPooling2d(),
    layers.upSampling2d(),
    layers.averagePooling2d(),
    layers.cropping2d({ cropping: 1 }),
    layers.permute([3, 1, 2]),
    layers.globalMaxPooling2d({ keepdims: true }),
    layers.flatten({ dataFormat: 'channelsFirst' }),
  ],
  vectors: () => [
    layers.leakyReLU({ inputShape: [4] }),
    layers.elu(),
    layers.prelu(),
    layers.thresholdedReLU(),
    layers.softmax(),
    layers.dropout(0.1),
    layers.gaussianNoise(0.1),
    layers.gaussianDropout(0.1),
    layers.repeatVector(2),
    layers.reshape([4, 2]),
    layers.masking(),
    layers.bidirectional(layers.gru(2, { resetAfter: true, returnSequences: true }), { mergeMode: 'ave' }),
    layers.rnn([layers.lstmCell(2), layers.simpleRNNCell(3)]),
  ],
  sequences: () => [
    layers.zeroPadding1d(steps),
    layers.conv1d(2, 2, { padding: 'causal' }),
    layers.spatialDropout1d(0.1),
    layers.cropping1d({ cropping: 1 }),
    layers.upSampling1d(),
    layers.maxPooling1d(),
    layers.averagePooling1d(),
    layers.lstm(2, { zeroOutputForMask: true, implementation: 1, returnSequences: true }),
    layers.globalAveragePooling1d(),
  ],
}
test.each(Object.entries(stacks))('layers of %s', (_, make) => expectKerasWords(new Sequential(make())))

test('layers of several inputs', async () => {
  const [a, b] = [layers.input({ shape: [4, 3] }), layers.input({ shape: [4, 3], dtype: 'int32' })]
  const words = layers.embedding(5, 3, { maskZero: true }).apply(layers.input({ shape: [4], name: 'words' }))
  const { add, subtract, multiply, average, maximum, minimum, concatenate, dot, attention, multiHeadAttention } = layers
  const merged = [
    add(),
    subtract(),
    multiply(),
    average(),
    maximum(),
    minimum(),
    concatenate(),
    dot(2),
    attention({ useCausalMask: true, useScale: true }),
  ]
  const inputs = [a, b, words.layer.inboundNodes[0].inputs[0]]
  const heads = multiHeadAttention(2, 2, { useCausalMask: true, outputShape: 3 }).apply([a, words])
  const outputs = [...merged.map((layer) => layer.apply([a, a])), layers.add().apply([b, b]), heads]
  await expectKerasWords(layers.model({ inputs, outputs }))
})
