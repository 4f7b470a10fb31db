/**
 * Calls every function that makes a layer with every mistake in the place of every argument and option. The result is an error of ours that names the layer, or
 * a layer that works. The functions are those that the package exports, and the options those that they list: a new one fails here until it has a row.
 */
import { CotangentError, ones, scope } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { Layer, RNNCell } from '../src/index.js'
import * as layers from '../src/layers/index.js'

type Factory = (...args: unknown[]) => Layer

/** Mistakes: values given in the place of a right one. */
const mistakes: Record<string, unknown> = {
  null: null,
  text: 'x',
  'a number as text': '3',
  NaN: Number.NaN,
  'a negative number': -1,
  zero: 0,
  'a fraction': 1.5,
  'an infinite number': Number.POSITIVE_INFINITY,
  'a BigInt': 3n,
  true: true,
  'an empty object': {},
  'an empty list': [],
  'a list of text': ['x'],
  'a function': () => 1,
  'a Promise': Promise.resolve(3),
  'a tensor': ones([2]),
}

/** For each kind of argument, the mistakes above that are right for it. All others must be refused. */
const kinds = {
  count: [],
  'count or none': ['null'],
  whole: ['null', 'a negative number', 'zero'],
  'whole from 0': ['zero'],
  seed: ['zero', 'a negative number'],
  /** Below 0 counts as 0, and above 1 as 1, as in Keras. */
  rate: ['a negative number', 'zero', 'a fraction'],
  'rate or none': ['null', 'a negative number', 'zero', 'a fraction'],
  'number from 0': ['zero', 'a fraction'],
  'positive or none': ['null'],
  'number from 0 or none': ['null', 'zero', 'a fraction'],
  share: ['null', 'zero'],
  'any number': ['a negative number', 'zero', 'a fraction'],
  'mask value': ['null', 'a negative number', 'zero', 'a fraction', 'an infinite number'],
  flag: ['true'],
  name: ['text', 'a number as text'],
  choice: ['null'],
  sizes: ['null'],
  window: [],
  'nothing alone': [],
  'sizes from 0': ['null', 'zero'],
  shape: ['an empty list'],
  'batch shape': [],
  axes: ['null', 'an empty list'],
  'one or more axes': ['null', 'a negative number', 'zero', 'an empty list'],
  values: ['an empty list', 'a list of text'],
  activation: ['null', 'a function'],
  'an activation that must be': ['a function'],
  setting: ['null', 'a function'],
  layer: [],
  'layer or none': ['null'],
  'cell or cells': [],
  dims: ['an empty list'],
  equation: [],
  letters: ['null'],
  groups: ['null', 'a negative number'],
  'number above 0': ['null', 'a fraction'],
  pair: ['a negative number', 'zero'],
  'number or none': ['null', 'a negative number', 'zero', 'a fraction'],
  /** Each of two goes with the other. */
  'one of two': ['null'],
  factor: ['a negative number', 'zero'],
  'factor or none': ['null', 'a negative number', 'zero'],
  'factor from 0': ['zero'],
  range: ['null'],
} satisfies Record<string, (keyof typeof mistakes)[]>
type Kind = keyof typeof kinds

/** The kind of each option, by its name. If a layer means something else by the name, its row says so. */
const options: Record<string, Kind> = {
  name: 'name',
  trainable: 'flag',
  inputShape: 'shape',
  batchInputShape: 'batch shape',
  inputDim: 'count',
  weights: 'values',
  activityRegularizer: 'setting',
  activation: 'activation',
  recurrentActivation: 'activation',
  dataFormat: 'choice',
  kernelSize: 'sizes',
  strides: 'sizes',
  poolSize: 'sizes',
  size: 'sizes',
  dilationRate: 'sizes',
  outputPadding: 'sizes from 0',
  padding: 'choice',
  cropping: 'sizes from 0',
  axis: 'whole',
  sharedAxes: 'axes',
  noiseShape: 'shape',
  seed: 'seed',
  alpha: 'any number',
  theta: 'number from 0',
  maxValue: 'number from 0 or none',
  negativeSlope: 'number from 0',
  threshold: 'number from 0',
  maskValue: 'mask value',
  momentum: 'share',
  epsilon: 'number from 0 or none',
  variant: 'choice',
  depthMultiplier: 'count or none',
  mergeMode: 'choice',
  backwardLayer: 'layer or none',
  dropout: 'rate or none',
  recurrentDropout: 'rate or none',
  implementation: 'choice',
  inputLength: 'count',
  valueDim: 'count or none',
  slidingWindow: 'count',
  scoreMode: 'choice',
  outputShape: 'count or none',
  attentionAxes: 'whole',
  offset: 'number or none',
  mean: 'one of two',
  variance: 'one of two',
  invert: 'flag',
  outputMode: 'choice',
  mode: 'choice',
  interpolation: 'choice',
  fillMode: 'choice',
  fillValue: 'number or none',
  antialias: 'flag',
  cropToAspectRatio: 'flag',
  padToAspectRatio: 'flag',
  widthFactor: 'factor or none',
  valueRange: 'range',
}
for (const flag of ['useBias', 'center', 'scale', 'maskZero', 'returnSequences', 'returnState', 'goBackwards', 'stateful', 'unroll'])
  options[flag] = 'flag'
for (const flag of [
  'unitForgetBias',
  'resetAfter',
  'normalize',
  'useScale',
  'useCausalMask',
  'returnAttentionScores',
  'useGate',
  'zeroOutputForMask',
  'keepdims',
  'tieWeights',
])
  options[flag] = 'flag'

interface Row {
  /** Right arguments before the options, with their kinds. */
  args?: readonly (readonly [value: () => unknown, kind: Kind])[]
  options?: Record<string, Kind>
}
const count: Row['args'] = [[() => 3, 'count']]
const cell: Row = { args: count }
const twice: Row['args'] = [
  [() => 3, 'count'],
  [() => 3, 'count'],
]
const window: Row['args'] = [
  [() => 2, 'count'],
  [() => 2, 'window'],
]

const rows: Record<string, Row> = {
  activation: { args: [[() => 'relu', 'an activation that must be']] },
  activityRegularization: { options: { l1: 'number from 0', l2: 'number from 0' } },
  adaptiveAveragePooling1d: { args: [[() => 2, 'window']] },
  adaptiveAveragePooling2d: { args: [[() => 2, 'window']] },
  adaptiveAveragePooling3d: { args: [[() => 2, 'window']] },
  adaptiveMaxPooling1d: { args: [[() => 2, 'window']] },
  adaptiveMaxPooling2d: { args: [[() => 2, 'window']] },
  adaptiveMaxPooling3d: { args: [[() => 2, 'window']] },
  add: {},
  alphaDropout: { args: [[() => 0.5, 'rate']] },
  additiveAttention: {},
  attention: {},
  average: {},
  averagePooling1d: {},
  averagePooling2d: {},
  averagePooling3d: {},
  batchNormalization: {},
  bidirectional: { args: [[() => layers.lstm(2), 'layer']] },
  categoryEncoding: { args: count },
  centerCrop: { args: twice },
  concatenate: {},
  conv1d: { args: window, options: { groups: 'count or none' } },
  conv2d: { args: window, options: { groups: 'count or none' } },
  conv1dTranspose: { args: window },
  convLSTM1d: { args: window },
  convLSTM2d: { args: window },
  convLSTM3d: { args: window },
  conv2dTranspose: { args: window },
  conv3d: { args: window, options: { groups: 'count or none' } },
  conv3dTranspose: { args: window },
  cropping1d: {},
  cropping2d: {},
  cropping3d: {},
  dense: { args: count },
  depthwiseConv1d: { args: [[() => 2, 'window']] },
  depthwiseConv2d: { args: [[() => 2, 'window']] },
  discretization: { args: [[() => 3, 'count']], options: { epsilon: 'positive or none' } },
  dot: { args: [[() => 1, 'pair']] },
  dropout: { args: [[() => 0.5, 'rate']] },
  einsumDense: {
    args: [
      [() => 'ab,bc->ac', 'equation'],
      [() => [3], 'dims'],
    ],
    options: { biasAxes: 'letters' },
  },
  elu: {},
  embedding: {
    args: [
      [() => 4, 'count'],
      [() => 3, 'count'],
    ],
  },
  flatten: {},
  gaussianDropout: { args: [[() => 0.5, 'rate']] },
  gaussianNoise: { args: [[() => 0.5, 'number from 0']] },
  globalAveragePooling1d: {},
  globalAveragePooling2d: {},
  globalAveragePooling3d: {},
  globalMaxPooling1d: {},
  globalMaxPooling2d: {},
  globalMaxPooling3d: {},
  groupNormalization: { options: { groups: 'groups' } },
  groupQueryAttention: {
    args: [
      [() => 2, 'count'],
      [() => 4, 'count'],
      [() => 2, 'count'],
    ],
  },
  gru: { args: count },
  gruCell: cell,
  identity: {},
  integerLookup: {
    options: {
      maxTokens: 'count or none',
      numOovIndices: 'whole from 0',
      maskToken: 'whole',
      oovToken: 'whole',
      vocabulary: 'axes',
      idfWeights: 'one of two',
      padToMaxTokens: 'nothing alone',
      salt: 'whole',
      oovMethod: 'choice',
    },
  },
  layerNormalization: { options: { axis: 'one or more axes' } },
  leakyReLU: { options: { negativeSlope: 'any number' } },
  lstm: { args: count },
  lstmCell: cell,
  masking: {},
  maxPooling1d: {},
  maxPooling2d: {},
  maxPooling3d: {},
  maximum: {},
  minimum: {},
  normalization: { options: { axis: 'one or more axes' } },
  randomBrightness: { args: [[() => 0.2, 'factor']] },
  randomContrast: { args: [[() => 0.2, 'factor from 0']] },
  randomCrop: { args: twice },
  randomFlip: {},
  randomRotation: { args: [[() => 0.2, 'factor']] },
  randomTranslation: {
    args: [
      [() => 0.2, 'factor'],
      [() => 0.2, 'factor'],
    ],
  },
  randomZoom: { args: [[() => 0.2, 'factor']] },
  resizing: { args: twice },
  rescaling: { args: [[() => 2, 'any number']] },
  multiHeadAttention: {
    args: [
      [() => 2, 'count'],
      [() => 3, 'count'],
    ],
  },
  multiply: {},
  permute: { args: [[() => [2, 1], 'dims']] },
  prelu: {},
  reLU: {},
  repeatVector: { args: count },
  reshape: { args: [[() => [6], 'dims']] },
  reversibleEmbedding: {
    args: [
      [() => 4, 'count'],
      [() => 3, 'count'],
    ],
    options: { logitSoftCap: 'number above 0' },
  },
  rmsNormalization: { options: { axis: 'one or more axes' } },
  rnn: { args: [[() => layers.lstmCell(2), 'cell or cells']] },
  separableConv1d: { args: window },
  separableConv2d: { args: window },
  simpleRNN: { args: count },
  simpleRNNCell: cell,
  softmax: { options: { axis: 'one or more axes' } },
  spatialDropout1d: { args: [[() => 0.5, 'rate']] },
  spatialDropout2d: { args: [[() => 0.5, 'rate']] },
  spatialDropout3d: { args: [[() => 0.5, 'rate']] },
  spectralNormalization: { args: [[() => layers.dense(2), 'layer']], options: { powerIterations: 'count or none' } },
  stackedRNNCells: { args: [[() => [layers.lstmCell(2)], 'cell or cells']] },
  subtract: {},
  thresholdedReLU: {},
  timeDistributed: { args: [[() => layers.dense(2), 'layer']] },
  unitNormalization: { options: { axis: 'one or more axes' } },
  upSampling1d: {},
  upSampling2d: { options: { interpolation: 'choice' } },
  upSampling3d: {},
  zeroPadding1d: { options: { padding: 'sizes from 0' } },
  zeroPadding2d: { options: { padding: 'sizes from 0' } },
  zeroPadding3d: { options: { padding: 'sizes from 0' } },
}

const factories = Object.entries(layers).filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name)) as [
  string,
  Factory,
][]

test('every function that makes a layer has a row', () => {
  expect(Object.keys(rows).sort()).toEqual(factories.map(([name]) => name).sort())
})

/** The error of a call, or the layer. */
function attempt(make: () => Layer): Layer | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}

describe.each(factories)('%s', (name, factory) => {
  const { args = [], options: own = {} } = rows[name] ?? {}
  const right = (): unknown[] => args.map(([value]) => value())
  const { className } = factory(...right())

  const isOurs = (result: Layer | Error, what: string): void => {
    expect(result, `${what} must be refused`).toBeInstanceOf(Error)
    expect((result as Error).constructor.name, `${what}: ${(result as Error).stack}`).toMatch(/^(ValueError|ShapeError|CompileError)$/)
    expect(result, what).toBeInstanceOf(CotangentError)
    expect((result as Error).message, what).toContain(className)
  }
  /** An accepted value must work: the config makes the layer again. A config has only the name of a function. */
  const works = (result: Layer | Error, what: string): void => {
    expect(result instanceof Error ? (result as Error).message : '', `${what} is right`).toBe('')
    expect(result, what).toBeInstanceOf(Layer)
    const { fromConfig } = (result as Layer).constructor as unknown as { fromConfig(config: object): Layer }
    if (!(result instanceof RNNCell) && !what.endsWith('a function'))
      expect(fromConfig((result as Layer).getConfig()).getConfig(), what).toEqual((result as Layer).getConfig())
  }
  const check = (make: (value: unknown) => Layer, kind: Kind, what: string): void => {
    for (const [mistake, value] of Object.entries(mistakes)) {
      const result = attempt(() => make(value))
      const said = `${what}: ${mistake}`
      if ((kinds[kind] as string[]).includes(mistake)) works(result, said)
      else isOurs(result, said)
    }
  }

  test('arguments', () => {
    for (const [i, [, kind]] of args.entries()) {
      const make = (value: unknown) => factory(...right().map((given, j) => (i === j ? value : given)))
      check(make, kind, `argument ${i}`)
      isOurs(
        attempt(() => make(undefined)),
        `argument ${i}: undefined`,
      )
    }
  })
  test('anything in the place of the options', () => {
    for (const [mistake, value] of Object.entries(mistakes)) {
      if (mistake === 'an empty object') continue
      isOurs(
        attempt(() => factory(...right(), value)),
        `options: ${mistake}`,
      )
    }
  })
  test('every option', () => {
    const unknown = attempt(() => factory(...right(), { no_such_option: 1 }))
    isOurs(unknown, 'an unknown option')
    const names = /Options: (.*)\.$/.exec((unknown as Error).message)?.[1].split(', ') ?? []
    expect(names).toContain('name')
    for (const option of names) {
      const kind = own[option] ?? options[option] ?? (/(Initializer|Regularizer|Constraint)$/.test(option) ? 'setting' : undefined)
      if (!kind) throw new Error(`The option ${option} of ${name} has no kind in this table.`)
      check((value) => factory(...right(), { [option]: value }), kind, option)
      works(
        attempt(() => factory(...right(), { [option]: undefined })),
        `${option}: undefined`,
      )
    }
  })
  test('an option in Keras’ spelling has a hint', () => {
    expect(() => scope(() => factory(...right(), { input_shape: [3] }))).toThrow(/no option "input_shape"\. Did you mean "inputShape"\?/)
  })
})
