/**
 * Calls every exported function and class with junk in the place of each argument. The function accepts what its row lists; for anything else it throws an error of
 * ours with its name in it. A new export fails here until it has a row. Makers of layers and methods of models are tested elsewhere. The file is long, since every
 * export has a row.
 */
import { CotangentError, key, ones, Parameter, type Tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as layers from '../src/layers/index.js'

/** Values that every function refuses, unless its row lists them. */
const junk: Readonly<Record<string, () => unknown>> = {
  'an unknown option': () => ({ nonsense: 1 }),
  undefined: () => undefined,
  null: () => null,
  text: () => 'nonsense',
  NaN: () => Number.NaN,
  'a negative number': () => -1.5,
  'a BigInt': () => 10n,
  'a wrong rank': () => ones([1, 1, 1, 1, 1]),
  'an empty tensor': () => ones([0]),
  'a list': () => [Number.NaN, 'a'],
  'a function': () => function nonsense() {},
  'a Promise': () => Promise.resolve(1),
}
type Junk = keyof typeof junk

/** A right argument, and the junk that is right in its place, too. */
interface Place {
  right: () => unknown
  takes: readonly Junk[]
}
const place = (right: () => unknown, ...takes: readonly Junk[]): Place => ({ right, takes })
const options = place(() => undefined, 'undefined')
const needed = (value: object): Place => place(() => value)
/** An argument that may be any tensor. */
const anyTensor = place(() => ones([2, 3]), 'a wrong rank', 'an empty tensor')
const tensorLike = (shape: number[]): Place => place(() => ones(shape))
const count = place(() => 2, 'undefined')
const bins = place(() => 2)
const rate = place(() => 0.1, 'undefined')
const fn = place(() => (x: Tensor) => x, 'a function')

interface Row {
  places: readonly Place[]
  /** The word in messages in place of the function's name, for arguments that are looked up by name. */
  says?: RegExp
  /** Uses the result of the call, for functions that do their work later. */
  use?: (made: never) => unknown
}
const row = (...places: readonly Place[]): Row => ({ places })

const activationNames = ['linear', 'relu6', 'selu', 'softplus', 'softsign', 'tanh', 'sigmoid', 'hardSigmoid', 'exponential']
const laterActivations = ['hardSigmoid6', 'hardSilu', 'hardTanh', 'logSigmoid', 'mish', 'silu', 'sparsePlus', 'sparseSigmoid', 'tanhShrink']
const lossPlaces = [tensorLike([2, 3]), tensorLike([2, 3])]
const plainLosses = [
  'meanSquaredError',
  'meanAbsoluteError',
  'meanAbsolutePercentageError',
  'meanSquaredLogarithmicError',
  'logcosh',
  'categoricalHinge',
  'poisson',
  'kullbackLeiblerDivergence',
]
const variedLosses = [
  'huber',
  'hinge',
  'squaredHinge',
  'categoricalCrossentropy',
  'binaryCrossentropy',
  'binaryFocalCrossentropy',
  'categoricalFocalCrossentropy',
  'dice',
  'tversky',
  'cosineProximity',
]
const seeded = [
  'zeros',
  'ones',
  'randomNormal',
  'randomUniform',
  'truncatedNormal',
  'varianceScaling',
  'glorotUniform',
  'glorotNormal',
  'heUniform',
  'heNormal',
  'lecunUniform',
  'lecunNormal',
  'orthogonal',
  'identity',
]
const counted = [
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
  'thresholdAccuracy',
  'topKAccuracy',
]
const rows = (prefix: string, names: readonly string[], made: Row): Record<string, Row> =>
  Object.fromEntries(names.map((name) => [prefix + name, made]))
const build = { use: (made: api.initializers.Initializer) => made.build(key(1), [3, 3]) }

const decay = { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 }
const schedules: Record<string, object> = {
  exponentialDecay: decay,
  inverseTimeDecay: decay,
  polynomialDecay: { initialLearningRate: 0.1, decaySteps: 10 },
  piecewiseConstantDecay: { boundaries: [1], values: [1, 2] },
  cosineDecay: { initialLearningRate: 0.1, decaySteps: 10 },
  cosineDecayRestarts: { initialLearningRate: 0.1, firstDecaySteps: 10 },
}
const sink = place(() => ({ begin: () => '', write() {} }))
const net = () => new api.Sequential([api.dense(1, { inputShape: [1] })])

const table: Readonly<Record<string, Row>> = {
  ...rows('activations.', activationNames, row(anyTensor)),
  ...rows('activations.', laterActivations, row(anyTensor)),
  ...rows('activations.', ['gelu', 'leakyRelu', 'logSoftmax'], row(anyTensor, options)),
  'activations.sparsemax': row(anyTensor),
  'activations.glu': row(place(() => ones([2, 4]), 'an empty tensor')),
  ...rows('activations.', ['celu', 'softShrink', 'hardShrink', 'squareplus'], row(anyTensor, rate)),
  'activations.threshold': row(
    anyTensor,
    place(() => 1, 'a negative number'),
    place(() => 1, 'a negative number'),
  ),
  'activations.softmax': row(
    place(() => ones([2, 3]), 'a wrong rank'),
    options,
  ),
  'activations.relu': row(anyTensor, options),
  'activations.elu': row(
    anyTensor,
    place(() => 1, 'undefined', 'a negative number'),
  ),
  'activations.getActivation': { ...row(place(() => 'relu', 'undefined', 'null', 'a function')), says: /activation/ },
  'activations.finalActivationOf': {
    ...row(place(() => api.activations.getActivation('relu'), 'undefined', 'null', 'a function')),
    says: /activation/,
  },
  ...rows('losses.', plainLosses, row(...lossPlaces)),
  ...rows('losses.', variedLosses, row(...lossPlaces, options)),
  ...rows(
    'losses.',
    ['sparseCategoricalCrossentropy', 'categoricalGeneralizedCrossEntropy', 'circle'],
    row(tensorLike([2]), tensorLike([2, 3]), options),
  ),
  'losses.ctc': row(tensorLike([2, 2]), tensorLike([2, 5, 3]), options),
  'losses.getLoss': {
    ...row(
      place(() => 'mse', 'a function'),
      options,
    ),
    says: /loss|meanSquaredError/,
  },
  'losses.lossValues': row(place(() => 'meanSquaredError')),
  'losses.checkLabels': {
    ...row(
      place(() => [0, 1]),
      place(() => 2),
      place(() => 'y', ...(Object.keys(junk) as Junk[])),
    ),
    says: /checkLabels|Label/,
  },
  'metrics.binaryAccuracy': row(...lossPlaces, options),
  'metrics.categoricalAccuracy': row(...lossPlaces),
  'metrics.topKCategoricalAccuracy': row(...lossPlaces, count),
  'metrics.sparseCategoricalAccuracy': row(tensorLike([2]), tensorLike([2, 3])),
  'metrics.sparseTopKCategoricalAccuracy': row(tensorLike([2]), tensorLike([2, 3]), count),
  'metrics.confusionMatrix': row(
    tensorLike([3]),
    tensorLike([3]),
    place(() => 2),
  ),
  'metrics.confusionMatrixOfBatches': row(place(() => 2)),
  ...rows('metrics.', counted, row(options)),
  ...Object.fromEntries(
    Object.entries({
      ofLoss: { loss: 'mse' },
      iou: { numClasses: 2, targetClassIds: [0] },
      oneHotIoU: { numClasses: 2, targetClassIds: [0] },
      meanIoU: { numClasses: 2 },
      oneHotMeanIoU: { numClasses: 2 },
      sensitivityAtSpecificity: { specificity: 0.5 },
      specificityAtSensitivity: { sensitivity: 0.5 },
      precisionAtRecall: { recall: 0.5 },
      recallAtPrecision: { precision: 0.5 },
    }).map(([name, given]) => [`metrics.${name}`, row(needed(given))]),
  ),
  'metrics.meanMetric': row(
    place(() => 'mine', 'text'),
    fn,
    place(() => undefined, 'undefined', 'a function'),
  ),
  'metrics.getMetric': {
    ...row(
      place(() => 'mse', 'a function'),
      place(() => 'mse', 'undefined', 'text'),
      place(() => [null, 1], 'undefined'),
    ),
    says: /metric|getMetric/,
  },
  'metrics.resolveAccuracy': row(
    place(() => 'mse', 'undefined', 'text'),
    place(() => [null, 1]),
  ),
  'metrics.resolveCrossentropy': row(
    place(() => 'mse', 'undefined', 'text'),
    place(() => [null, 1]),
  ),
  ...rows('initializers.', seeded, { ...row(options), ...build }),
  'initializers.constant': { ...row(place(() => 1, 'undefined', 'a negative number')), ...build },
  'initializers.getInitializer': { ...row(place(() => 'zeros', 'a function')), says: /initializer/ },
  'initializers.fansOf': row(place(() => [2, 3])),
  'initializers.orthogonalFrom': row(
    place(() => [1, 0, 0, 1]),
    place(() => 2),
    place(() => 2),
    place(() => 'qr', 'undefined'),
  ),
  'constraints.maxNorm': row(rate),
  'constraints.nonNeg': row(options),
  'constraints.unitNorm': row(options),
  'constraints.minMaxNorm': row(options),
  'constraints.getConstraint': { ...row(place(() => 'nonNeg', 'undefined', 'null', 'a function')), says: /constraint/ },

  l1: row(rate),
  l2: row(rate),
  l1L2: row(options),
  orthogonalRegularizer: row(options),
  ...Object.fromEntries(
    api.optimizerNames.map((name) => [
      name,
      row(
        rate,
        place(() => ({}), 'undefined'),
      ),
    ]),
  ),
  ...Object.fromEntries(
    [
      'SGD',
      'RMSprop',
      'Adagrad',
      'Adadelta',
      'Adam',
      'AdamW',
      'Adamax',
      'Nadam',
      'Lion',
      'Lamb',
      'Adafactor',
      'Muon',
      'Ftrl',
      'ScheduleFreeAdamW',
    ].map((name) => [name, row(options)]),
  ),
  getOptimizer: { ...row(place(() => 'sgd')), says: /optimizer/ },
  ...Object.fromEntries(
    Object.entries(schedules).flatMap(([name, given]) =>
      [name, name[0].toUpperCase() + name.slice(1)].map((each) => [each, row(needed(given))]),
    ),
  ),
  ...Object.fromEntries(
    ['earlyStopping', 'reduceLROnPlateau', 'swapEMAWeights', 'weightAveraging'].flatMap((name) =>
      [name, name[0].toUpperCase() + name.slice(1)].map((each) => [each, row(options)]),
    ),
  ),
  BackupAndRestore: row(needed({ read: () => {}, write: () => {}, remove: () => {} }), options),
  terminateOnNaN: row(options),
  lambdaCallback: row(needed({})),
  LambdaCallback: row(needed({})),
  learningRateScheduler: row(fn, options),
  LearningRateScheduler: row(fn, options),
  ModelCheckpoint: row(
    place(() => 'a.h5', 'text'),
    needed({ save: () => {} }),
  ),
  CSVLogger: row(sink, options),
  TensorBoard: row(sink, options),
  Hashing: row(bins, options),
  hashing: row(bins, options),
  StringLookup: row(options),
  stringLookup: row(options),
  TextVectorization: row(options),
  textVectorization: row(options),
  takeTexts: row(
    place(net),
    place(() => api.hashing(2)),
  ),
  imageDataFormat: row(),
  setImageDataFormat: { ...row(place(() => 'channelsLast', 'undefined', 'null')), says: /data format/ },
  resetNames: row(),
  registerLayer: row(
    place(() => api.Dense),
    place(() => 'Mine', 'undefined', 'text'),
  ),
  batches: { ...row(tensorLike([3, 1]), tensorLike([3, 1]), options), use: (made: Generator) => made.next() },
  modelToJSON: row(place(net)),
  modelToBytes: row(place(net), options),
  modelToTfjs: row(place(net), options),
  weightsToBytes: row(
    place(net),
    place(() => ({ format: 'safetensors' }), 'undefined'),
  ),
  progressLine: row(needed({ current: 1, target: 2, elapsedSeconds: 1, values: [] })),
  ProgressBar: row(needed({ target: 2, write() {} })),
}

/** Exports without arguments, or that users do not call. */
const without = ['textLayersOf', 'CompileError', 'History', 'TerminateOnNaN', 'LearningRateSchedule', 'Optimizer', 'summaryLines']
/** Exports that describe models. They are tested with models and with files. */
const elsewhere = [
  'Layer',
  'MergeLayer',
  'Model',
  'Sequential',
  'GraphModel',
  'InputLayer',
  'LayerNode',
  'SymbolicTensor',
  'input',
  'efficientNetB0',
  'mobileNetV2',
  'mobileNetV3Large',
  'mobileNetV3Small',
  'resNet50',
  'Operation',
  'operation',
  'model',
  'connectGraph',
  'modelFromBytes',
  'modelFromJSON',
  'modelFromTfjs',
  'weightsFromBytes',
  'readSafetensors',
  'writeSafetensors',
]

const exported: Record<string, unknown> = {}
for (const [name, value] of Object.entries(api)) {
  if (Object.hasOwn(layers, name)) continue
  if (typeof value === 'function') exported[name] = value
  else if (typeof value === 'object')
    for (const [inner, made] of Object.entries(value)) if (typeof made === 'function') exported[`${name}.${inner}`] = made
}

test('every export has a row, and every row an export', () => {
  const rowless = Object.keys(exported).filter(
    (name) => !Object.hasOwn(table, name) && !without.includes(name) && !elsewhere.includes(name),
  )
  expect(rowless).toEqual([])
  expect([...Object.keys(table), ...without, ...elsewhere].filter((name) => !Object.hasOwn(exported, name))).toEqual([])
})

const isClass = (value: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(value))

describe.each(Object.entries(table))('%s', (name, { places, use, says }) => {
  const call = async (args: readonly unknown[]): Promise<unknown> => {
    const target = exported[name] as (new (...given: readonly unknown[]) => unknown) & ((...given: readonly unknown[]) => unknown)
    const made = await (isClass(target) ? new target(...args) : target(...args))
    return use ? await use(made as never) : made
  }
  const plain = name.split('.').at(-1) as string

  test('takes what is right', async () => {
    await call(places.map(({ right }) => right()))
  })
  test.each(places.map((_, i) => i))('argument %i', async (i) => {
    const wrong: string[] = []
    for (const [kind, make] of Object.entries(junk)) {
      const outcome = await call(places.map(({ right }, at) => (at === i ? make() : right()))).then(
        () => undefined,
        (error: unknown) => error,
      )
      const takes = places[i].takes.includes(kind)
      if (
        outcome === undefined
          ? takes
          : outcome instanceof CotangentError && !takes && (says ?? new RegExp(plain, 'i')).test(outcome.message)
      )
        continue
      wrong.push(`${kind}: ${outcome === undefined ? 'taken' : outcome instanceof Error ? `${outcome.name}: ${outcome.message}` : outcome}`)
    }
    expect(wrong).toEqual([])
  })
})

test('step, build and setWeights of optimizers', () => {
  const w = new Parameter(ones([2]))
  for (const make of Object.values(junk)) {
    const made = make() as never
    for (const act of [
      () => api.adam().step(made, [ones([2])]),
      () => api.adam().step([w], made),
      () => api.adam().build(made),
      () => api.adam().setWeights(made, [w]),
    ])
      expect(act).toThrow(CotangentError)
  }
})
