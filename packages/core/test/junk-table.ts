/**
 * One valid call of every function that the package exports, as the kinds of its arguments. `junk.test.ts` puts wrong values in their places. A new
 * export fails that test until it has a row here. The file is longer than 300 lines because it is that table.
 */

import type { Tensor } from '../src/index.js'
import * as c from '../src/index.js'

/** The kind of one argument. */
export interface Kind {
  /** A valid value, new for each call. */
  make(): unknown
  /** Labels of junk that is right in this place. */
  fine: readonly string[]
  /** More values that must be refused here, besides the common junk. */
  also?: Record<string, () => unknown>
  /** For an object of options: the kind of each option. */
  parts?: Record<string, Kind>
  /** The argument is a tensor: tensors of other shapes are tried, too. An error of the library or a sound result will do. */
  tensor?: boolean
}

/** A call: the kinds of its arguments, and how its messages begin if not with the function's name. */
export interface Row {
  args: readonly Kind[]
  says?: RegExp
}

const kind = (make: () => unknown, fine: readonly string[] = []): Kind => ({ make, fine })
/** The same kind, but it may be left out. */
const maybe = (of: Kind): Kind => ({ ...of, fine: [...of.fine, 'undefined'] })

/** A tensor of float32 with values 0.1, 0.2, …, or of another dtype with 0, 1, 0, 1, … */
const t = (shape: readonly number[], dtype: c.DType = 'float32'): Kind => ({
  make: () => {
    const values = Array.from({ length: c.sizeOf(shape) }, (_, i) => (dtype === 'float32' ? (i + 1) / 10 : i % 2))
    return c.tensor(Float64Array.from(values), { shape, dtype })
  },
  fine: [],
  tensor: true,
})
/** A tensor or a number. */
const tensorOrNumber = (shape: readonly number[]): Kind => ({ ...t(shape), fine: ['NaN', 'a number', 'true'] })
const tensors = (...shapes: number[][]): Kind => ({
  make: () => shapes.map((shape) => t(shape).make()),
  fine: [],
  also: { 'a list of text': () => ['a'], 'a list of null': () => [null], 'a tensor': () => t([2]).make() },
})
const tensorOrTensors = (shape: number[]): Kind => ({
  ...t(shape),
  also: { 'a list of text': () => ['a'], 'a list of null': () => [null] },
})
/** Any number, NaN too. */
const real = (value: number): Kind => kind(() => value, ['NaN', 'a number'])
/** A number for which NaN makes no sense. */
const finite = (value: number): Kind => kind(() => value, ['a number'])
/** A whole number, at least 0 or at least 1. */
const whole = (value: number): Kind => ({ make: () => value, fine: ['a number'], also: { 'a fraction': () => 1.5, negative: () => -7 } })
/** A count, here 1. */
const one: Kind = { ...whole(1), also: { 'a fraction': () => 1.5, none: () => 0 } }
/** A whole number of any sign. */
const signed = (value: number): Kind => ({ make: () => value, fine: ['a number'], also: { 'a fraction': () => 1.5 } })
const axis = (value: number): Kind => ({ make: () => value, fine: ['a number'], also: { 'a fraction': () => 0.5, 'a far axis': () => 9 } })
/** A positive definite matrix. */
const square: Kind = {
  ...t([2, 2]),
  make: () =>
    c.tensor([
      [4, 1],
      [1, 3],
    ]),
}
const flag: Kind = kind(() => true, ['true'])
const text = (value: string, any = false): Kind => kind(() => value, any ? ['text', 'text of a number'] : [])
const fn = (f: () => unknown): Kind => kind(f, ['a function'])
/** A list of whole numbers. */
const list = (...values: number[]): Kind => ({
  make: () => [...values],
  fine: [],
  also: {
    'a list of NaN': () => values.map(() => Number.NaN),
    'a list of text': () => values.map(String),
    'a list of fractions': () => values.map((v) => v + 0.5),
    'a list of BigInts': () => values.map(() => 2n),
    'a list of null': () => values.map(() => null),
    'a typed array': () => Int32Array.from(values),
  },
})
/** A list of any numbers. */
const numbers: Kind = {
  ...list(1),
  also: { 'a list of text': () => ['1'], 'a list of BigInts': () => [1n], 'a typed array': () => Float32Array.of(1) },
}
/** A shape: every size may be 0. */
const shape = (...sizes: number[]): Kind => {
  const of = list(...sizes)
  return { ...of, fine: ['an empty array'], also: { ...of.also, 'a negative size': () => [-3] } }
}
const options = (parts: Record<string, Kind>): Kind => ({
  make: () => Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.make()])),
  fine: ['undefined', 'an empty object'],
  parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, maybe(part)])),
})
const key = kind(() => c.key(7))
const backend = kind(() => c.currentBackend())
const dtype: Kind = { ...text('int32'), also: { 'a name of Object.prototype': () => 'constructor', float16: () => 'float16' } }
/** The dtype of a backend's new floats. */
const float: Kind = { ...text('float64'), also: { 'a dtype of whole numbers': () => 'int32' } }
const create = { dtype, backend }
const window2d = { strides: list(1, 1), padding: text('same'), dilation: list(1, 1) }
const window3d = { strides: list(1, 1, 1), padding: text('same'), dilation: list(1, 1, 1) }
const window1d = { stride: whole(1), padding: text('same'), dilation: whole(1) }
const reduce = options({ axis: { ...axis(1), fine: ['a number', 'an empty array'] }, keepDims: flag })
const sampling = { temperature: finite(0.8), topK: whole(2), topP: finite(0.9), minP: finite(0.1) }
const alongAxis = { axis: axis(1) }
const sequence = (g: number, states: number, more: Record<string, Kind> = {}): Kind[] => [
  t([2, 3, 4]),
  t([4, g * 2]),
  t([2, g * 2]),
  maybe(t([g * 2])),
  options({
    initialState: tensors(...Array.from({ length: states }, () => [2, 2])),
    mask: t([2, 3], 'bool'),
    goBackwards: flag,
    recurrentDropout: t([2, 2]),
    returnSequences: flag,
    ...more,
  }),
]

const attention = options({ mask: t([2, 2], 'bool'), bias: t([2, 2]), causal: flag, scale: finite(0.5) })

const geometry = {
  ...options({ kernelSize: list(2, 2), strides: list(1, 1), dilation: list(1, 1), padBefore: list(0, 0), outSize: list(3, 3) }),
  fine: [],
}

const pair = [tensorOrNumber([2, 3]), tensorOrNumber([2, 3])]
const bools = [
  { ...t([2, 3], 'bool'), fine: ['true'] },
  { ...t([2, 3], 'bool'), fine: ['true'] },
]
const rows = (names: string, args: readonly Kind[]): Record<string, Row> =>
  Object.fromEntries(names.split(' ').map((name) => [name, { args }]))

const program = (): c.UpdateProgram =>
  c.updateProgram('junk-sgd', { slots: 1, inputs: 1, scalars: 1 }, ([w], [g], [r]) => [w.sub(r.mul(g))])
const parameters: Kind = { ...tensors([2, 3]), make: () => [new c.Parameter(t([2, 3]).make() as Tensor)] }

const gradOptions = options({ unconnected: text('zeros') })
let names = 0

export const table: Record<string, Row> = {
  ...rows('neg abs sign square relu sqrt rsqrt reciprocal exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh', [t([2, 3])]),
  ...rows('sigmoid softplus erf floor ceil round isNaN isFinite zerosLike onesLike stopGradient flatten viewOf moments', [t([2, 3])]),
  logicalNot: { args: [t([2, 3], 'bool')] },
  ...rows('silu mish softsign logSigmoid tanhShrink selu relu6 hardSilu hardTanh sparsePlus sparseSigmoid sparsemax', [t([2, 3])]),
  glu: { args: [t([2, 4])] },
  gelu: { args: [t([2, 3]), options({ approximate: flag })] },
  leakyRelu: { args: [t([2, 3]), options({ negativeSlope: finite(0.1), threshold: finite(0), maxValue: finite(6) })] },
  ...rows('elu celu squareplus hardSigmoid hardShrink softShrink', [t([2, 3]), maybe(finite(0.5))]),
  threshold: { args: [t([2, 3]), finite(0.5), finite(1)] },
  ...rows('add sub mul mulNoNaN div pow atan2 gate maximum minimum mod floorDiv equal notEqual less lessEqual greater greaterEqual', pair),
  ...rows('logicalAnd logicalOr logicalXor', bools),
  ...rows('sum prod max min mean variance std', [t([2, 3]), reduce]),
  ...rows('any all', [t([2, 3], 'bool'), reduce]),
  ...rows('argMax argMin', [t([2, 3]), options({ ...alongAxis, keepDims: flag })]),
  cumSum: { args: [t([2, 3]), options({ ...alongAxis, exclusive: flag, reverse: flag })] },
  ...rows('cumProd logCumSumExp', [t([2, 3]), options({ ...alongAxis, exclusive: flag, reverse: flag })]),
  ...rows('cumMax cumMin', [t([2, 3]), options({ ...alongAxis, reverse: flag })]),
  linearRecurrence: { args: [t([2, 3]), t([2, 3]), options({ ...alongAxis, reverse: flag })] },
  logSumExp: { args: [t([2, 3]), reduce] },
  ...rows('softmax logSoftmax', [t([2, 3]), options(alongAxis)]),
  softmaxCrossEntropy: { args: [t([2, 3]), t([2, 3])] },
  cast: { args: [t([2, 3]), dtype] },
  where: { args: [t([2, 3], 'bool'), tensorOrNumber([2, 3]), tensorOrNumber([2, 3])] },
  clip: { args: [t([2, 3]), finite(0), finite(99)] },

  // The values of `any` are read, so a list of them may be empty.
  tensor: {
    args: [kind(() => [1, 2], ['NaN', 'a number', 'true']), options({ ...create, shape: { ...shape(2), fine: [] } })],
  },
  scalar: { args: [real(1), options(create)] },
  writeTensor: { args: [shape(2, 3), fn(() => (values: c.TypedArray) => values.fill(1)), options(create)] },
  full: { args: [shape(2, 3), real(1), options(create)] },
  ...rows('zeros ones', [shape(2, 3), options(create)]),
  arange: { args: [finite(0), maybe(finite(5)), maybe(finite(1)), options(create)] },
  linspace: { args: [finite(0), finite(1), whole(3), options(create)] },
  eye: { args: [whole(3), maybe(whole(2)), options(create)] },
  identityMask: { args: [whole(3), maybe(backend)], says: /^eye/ },
  uniform: { args: [key, shape(2, 3), options({ ...create, low: finite(0), high: finite(9) })] },
  ...rows('normal truncatedNormal', [key, shape(2, 3), options({ ...create, mean: finite(0), stddev: finite(1) })]),
  bernoulli: { args: [key, shape(2, 3), { ...finite(0.5), also: { 'a probability of 2': () => 2 } }, options(create)] },
  randomInteger: { args: [key, shape(2, 3), ...[-3, 9].map((value) => ({ ...whole(value), also: {} })), options(create)] },
  gamma: { args: [key, shape(2, 3), finite(2), options(create)] },
  beta: { args: [key, shape(2, 3), finite(2), finite(3), options(create)] },
  poisson: { args: [key, shape(2, 3), finite(4), options(create)] },
  categorical: { args: [key, t([2, 3])] },
  samplingProbabilities: { args: [t([2, 3]), options(sampling)] },
  sampleLogits: { args: [key, t([2, 3]), options(sampling)] },
  shuffle: { args: [key, t([2, 3]), options({ axis: axis(1) })] },
  dropout: { args: [key, t([2, 3]), { ...finite(0.5), also: { 'a rate of 1': () => 1 } }] },

  reshape: { args: [t([2, 3]), { ...shape(3, 2), fine: [] }] },
  broadcastTo: { args: [t([2, 3]), { ...shape(4, 2, 3), fine: [] }] },
  sumTo: { args: [t([2, 3]), shape(1, 3)] },
  expandDims: { args: [t([2, 3]), axis(0)] },
  squeeze: { args: [t([1, 3]), maybe({ ...axis(0), fine: ['a number', 'an empty array'] })] },
  transpose: { args: [t([2, 3]), maybe(list(1, 0))] },
  slice: {
    args: [t([2, 3]), { ...list(0, 1), fine: ['an empty array'] }, maybe({ ...list(1, 1), fine: ['an empty array'] })],
  },
  pad: {
    args: [
      t([2]),
      { ...kind(() => [[1, 1]]), also: { 'a list of text': () => [['1', '1']], 'a list of numbers': () => [1] } },
      maybe(real(0)),
    ],
  },
  flip: { args: [t([2, 3]), maybe({ ...axis(0), fine: ['a number', 'an empty array'] })] },
  concat: { args: [tensors([2, 3], [2, 3]), maybe(axis(0))] },
  stack: { args: [tensors([2, 3], [2, 3]), maybe(axis(0))] },
  split: { args: [t([2, 4]), whole(2), maybe(axis(1))] },
  unstack: { args: [t([2, 3]), maybe(axis(0))] },
  tile: { args: [t([2, 3]), list(1, 2)] },
  gather: { args: [t([4, 3]), { ...t([3], 'int32'), fine: ['an empty array'] }, options({ axis: axis(0) })] },
  takeAlongAxis: { args: [t([4, 3]), t([2, 3], 'int32'), options({ axis: axis(0) })] },
  scatterAlongAxis: { args: [t([2, 3]), t([2, 3], 'int32'), whole(2), options({ axis: axis(0) })] },
  ...rows('sort argSort', [t([2, 3]), options({ ...alongAxis, descending: flag })]),
  topK: { args: [t([2, 3]), { ...whole(2), also: { 'more than there are': () => 7 } }, options({ axis: axis(1) })] },
  scatterAdd: { args: [t([3, 2]), t([3], 'int32'), whole(4)] },
  oneHot: {
    args: [{ ...t([3], 'int32'), fine: ['an empty array'] }, whole(4), maybe({ ...dtype, fine: ['an empty object'] })],
  },
  gatherNd: { args: [t([4, 3]), { ...t([2, 1], 'int32'), fine: ['an empty array'] }] },
  scatterNd: { args: [t([2, 1], 'int32'), t([2, 3]), { ...shape(4, 3), fine: [] }] },
  scatterUpdate: { args: [t([4, 3]), t([2, 1], 'int32'), t([2, 3])] },
  sliceUpdate: { args: [t([4, 3]), list(1, 0), t([2, 2])] },
  at: {
    args: [
      t([4, 3]),
      {
        make: () => '::2',
        fine: ['undefined', 'null', 'a number', 'an empty array'],
        tensor: true,
        also: { 'a fraction': () => 0.5, 'no slice': () => '1', 'a step of 0': () => '::0', 'a far index': () => 9 },
      },
    ],
  },
  updateAt: {
    args: [t([4, 3]), { ...kind(() => [0], ['an empty array']), also: { 'a far index': () => [9] } }, tensorOrNumber([3])],
  },
  roll: { args: [t([2, 3]), signed(1), options({ axis: axis(1) })] },
  repeat: { args: [t([2, 3]), whole(2), options({ axis: axis(1) })] },
  ...rows('segmentSum segmentMean segmentMax', [
    t([3, 2]),
    t([3], 'int32'),
    { ...options({ numSegments: whole(2) }), fine: [], parts: { numSegments: whole(2) } },
  ]),
  searchSorted: { args: [t([3]), t([2, 3]), options({ side: text('right') })] },
  digitize: { args: [t([2, 3]), t([3])] },
  binCount: { args: [{ ...t([3], 'int32'), fine: ['an empty array'] }, whole(2), options({ weights: t([3]) })] },
  unique: { args: [t([2, 3])] },
  quantile: {
    args: [
      t([2, 3]),
      finite(0.5),
      options({ axis: { ...axis(1), fine: ['a number', 'an empty array'] }, keepDims: flag, method: text('nearest') }),
    ],
  },
  median: { args: [t([2, 3]), reduce] },
  outer: { args: [t([2]), t([3])] },
  kron: { args: [t([2, 2]), t([3])] },
  cross: { args: [t([2, 3]), t([2, 3])] },
  tensorDot: { args: [t([2, 3]), t([2, 3]), maybe({ ...whole(2), fine: ['a number'] })] },
  meshGrid: { args: [{ ...tensors([2], [3]), fine: ['an empty array'] }, options({ indexing: text('ij') })] },
  ...rows('logAddExp hypot', [t([2, 3]), t([2, 3])]),

  matMul: { args: [t([2, 3]), t([3, 2]), options({ transposeA: kind(() => false, ['true']), transposeB: kind(() => false, ['true']) })] },
  einsum: {
    args: [{ ...text('ij,jk->ik'), also: { 'no equation': () => 'i1', 'letters of other axes': () => 'i,j' } }, t([2, 3]), t([3, 2])],
  },
  affine: { args: [t([2, 3]), t([3, 2]), t([2]), options({ relu: flag })] },
  conv2d: { args: [t([1, 4, 4, 2]), t([2, 2, 2, 3]), options({ ...window2d, bias: t([3]), relu: flag, groups: one })] },
  conv1d: { args: [t([1, 4, 2]), t([2, 2, 3]), options({ ...window1d, bias: t([3]), relu: flag, groups: one })] },
  conv3d: { args: [t([1, 4, 4, 4, 2]), t([2, 2, 2, 2, 3]), options({ ...window3d, bias: t([3]), relu: flag, groups: one })] },
  conv3dTranspose: { args: [t([1, 4, 4, 4, 2]), t([2, 2, 2, 3, 2]), list(4, 4, 4), { ...options(window3d), fine: [] }] },
  convTranspose1d: { args: [t([1, 4, 2]), t([2, 3, 2]), options({ ...window1d, outputPadding: whole(0) })] },
  convTranspose2d: { args: [t([1, 4, 4, 2]), t([2, 2, 3, 2]), options({ ...window2d, outputPadding: list(0, 0) })] },
  convTranspose3d: { args: [t([1, 2, 2, 2, 2]), t([2, 2, 2, 3, 2]), options({ ...window3d, outputPadding: list(0, 0, 0) })] },
  transposedExtent: { args: [one, one, one, one, text('same'), maybe(whole(0))] },
  depthwiseConv1d: { args: [t([1, 4, 2]), t([2, 2, 3]), options(window1d)] },
  separableConv1d: { args: [t([1, 4, 2]), t([2, 2, 3]), t([1, 6, 3]), options({ ...window1d, bias: t([3]), relu: flag })] },
  separableConv2d: { args: [t([1, 4, 4, 2]), t([2, 2, 2, 3]), t([1, 1, 6, 3]), options({ ...window2d, bias: t([3]), relu: flag })] },
  ...rows('maxPool3d averagePool3d', [t([1, 4, 4, 4, 2]), list(2, 2, 2), options(window3d)]),
  scaledDotProductAttention: { args: [t([1, 2, 2, 3]), t([1, 2, 1, 3]), t([1, 2, 1, 3]), attention] },
  attentionWeights: { args: [t([1, 2, 2, 3]), t([1, 2, 1, 3]), attention] },
  resize: { args: [t([1, 4, 4, 2]), list(3, 2), options({ interpolation: text('bicubic'), antialias: flag })] },
  affineTransform: {
    args: [
      t([1, 4, 4, 2]),
      { ...kind(() => [[1, 0, 0, 0, 1, 0]]), also: { 'a list of numbers': () => [1], 'a short list': () => [[1, 0]] } },
      options({ interpolation: text('nearest'), fillMode: text('wrap'), fillValue: real(0) }),
    ],
  },
  crop: { args: [t([3]), { ...kind(() => [[1, 1]]), also: { 'a list of text': () => [['1', '1']], 'a list of numbers': () => [1] } }] },
  upSample: { args: [t([1, 2, 3]), list(2)] },
  ...rows('diagonal diagEmbed diag trace tril triu', [t([2, 3]), maybe(signed(1))]),
  conv2dTranspose: { args: [t([1, 4, 4, 2]), t([2, 2, 3, 2]), list(4, 4), { ...options(window2d), fine: [] }] },
  conv2dFilterGradient: { args: [t([1, 4, 4, 2]), t([1, 4, 4, 3]), list(2, 2), { ...options(window2d), fine: [] }] },
  depthwiseConv2d: { args: [t([1, 4, 4, 2]), t([2, 2, 2, 3]), options(window2d)] },
  ...rows('maxPool2d averagePool2d', [t([1, 4, 4, 2]), list(2, 2), options(window2d)]),
  ...rows('maxPool1d averagePool1d', [t([1, 4, 2]), { ...whole(2), also: { none: () => 0 } }, options(window1d)]),
  maxPool2dGradient: { args: [t([1, 4, 4, 2]), t([1, 2, 2, 2]), list(2, 2), options({})] },
  averagePool2dGradient: { args: [t([1, 2, 2, 2]), list(4, 4), list(2, 2), options({})] },
  unfold: { args: [t([1, 4, 4, 2]), list(2, 2), options(window2d)] },
  fold: { args: [t([1, 3, 3, 2, 2, 2]), list(4, 4), options({ strides: list(1, 1), padding: text('valid'), dilation: list(1, 1) })] },
  unfoldWindows: { args: [t([1, 4, 4, 2]), geometry, maybe(real(0))], says: /^unfold/ },
  foldWindows: { args: [t([1, 3, 3, 2, 2, 2]), list(1, 4, 4, 2), geometry], says: /^fold/ },
  batchNorm: { args: [t([2, 3]), t([3]), t([3]), options({ gamma: t([3]), beta: t([3]), epsilon: finite(0.1) })] },
  layerNorm: { args: [t([2, 3]), options({ gamma: t([3]), beta: t([3]), epsilon: finite(0.1) })] },
  groupNorm: { args: [t([2, 4]), whole(2), options({ gamma: t([4]), beta: t([4]), epsilon: finite(0.1) })] },
  rmsNorm: { args: [t([2, 3]), options({ gamma: t([3]), epsilon: finite(0.1) })] },
  lstmCell: { args: [t([2, 3]), t([2, 2]), t([2, 2]), t([3, 8]), t([2, 8]), t([8])] },
  lstmSequence: { args: sequence(4, 2, { recurrentActivation: text('hardSigmoid') }) },
  gruSequence: { args: sequence(3, 1, { recurrentActivation: text('hardSigmoid') }) },
  simpleRnnSequence: { args: sequence(1, 1) },

  ...rows('cholesky inverse determinant logDeterminant eigh matrixExp', [square]),
  ...rows('lu qr svd', [t([3, 2])]),
  triangularSolve: { args: [square, t([2, 3]), options({ lower: flag, transpose: kind(() => false, ['true']), unitDiagonal: flag })] },
  solve: { args: [square, t([2, 3])] },
  pseudoInverse: { args: [t([3, 2]), options({ tolerance: finite(1e-3) })] },
  leastSquares: { args: [t([3, 2]), t([3, 1]), options({ tolerance: finite(1e-3) })] },
  norm: {
    args: [
      t([2, 3]),
      options({
        ord: { ...real(1), fine: ['a number'], also: { 'a matrix norm that there is not': () => 3, 'fro.': () => 'fro.' } },
        axis: { ...list(0, 1), fine: ['a number'] },
        keepDims: flag,
      }),
    ],
  },
  matrixPower: { args: [square, { ...whole(3), also: { 'a fraction': () => 1.5 } }] },

  ...rows('fft ifft', [t([2, 3]), t([2, 3]), options({ axis: axis(1), n: whole(2) })]),
  rfft: { args: [t([2, 3]), options({ axis: axis(1), n: whole(2) })] },
  irfft: { args: [t([2, 3]), t([2, 3]), options({ axis: axis(1), n: whole(2) })] },
  ...rows('fft2 ifft2', [t([2, 3]), t([2, 3]), options({ axes: list(0, 1) })]),
  stft: {
    args: [
      t([2, 9]),
      {
        ...options({
          sequenceLength: { ...whole(1), also: { none: () => 0 } },
          sequenceStride: whole(2),
          fftLength: whole(1),
          window: kind(() => 'hann', ['null']),
          center: flag,
        }),
        fine: [],
      },
    ],
  },

  grad: { args: [fn(() => (x: Tensor) => x.sum()), gradOptions] },
  valueAndGrad: { args: [parameters, fn(() => () => c.scalar(1)), gradOptions] },
  vjp: { args: [fn(() => (x: Tensor) => x.square()), tensors([2]), t([2])] },
  jvp: { args: [fn(() => (x: Tensor) => x.square()), tensors([2]), tensors([2])] },
  hvp: { args: [fn(() => (x: Tensor) => x.square().sum()), tensors([2]), tensors([2])] },
  ...rows('jacobian hessian', [fn(() => (x: Tensor) => x.sum())]),
  checkpoint: { args: [fn(() => (x: Tensor) => x.sum())] },
  compileStep: { args: [fn(() => (x: Tensor) => x.sum())] },
  eachStep: { args: [fn(() => () => [1]), maybe(fn(() => () => true))] },
  numberOfStep: { args: [numbers, { ...whole(0), also: { 'more than there are': () => 2, negative: () => -7 } }, t([2])] },
  checkValues: { args: [text('junk', true), t([2]), fn(() => () => undefined)] },
  scan: {
    args: [fn(() => (carry: Tensor, x: Tensor) => ({ carry: carry.add(x) })), tensorOrTensors([2]), tensorOrTensors([3, 2])],
    says: /^(scan|add)/, // the step adds
  },
  customGrad: {
    args: [
      fn(() => (x: Tensor) => x),
      fn(() => ({ dY }: { dY: Tensor }) => [dY]),
      maybe(text('own', true)),
    ],
  },
  gradCheck: {
    args: [
      fn(() => (x: Tensor) => x.square().sum()),
      tensors([2]),
      options({ step: finite(1e-5), tolerance: finite(1e-6), maxElements: whole(1), onElement: fn(() => () => undefined) }),
    ],
  },
  withDerivative: { args: [text('tanh', true), fn(() => () => []), fn(() => () => 1)] },
  record: { args: [{ ...tensors([2]), fine: ['an empty array'] }, fn(() => () => c.scalar(1))] },
  labelled: { args: [text('name', true), fn(() => () => 1)] },
  scope: { args: [fn(() => () => c.scalar(1))] },
  keep: { args: [t([2])] },
  print: { args: [t([2])] },
  memory: { args: [] },
  reclaim: { args: [] },
  expectNoLeaks: { args: [fn(() => () => 1)] },
  debug: { args: [options({ nonFinite: kind(() => false, ['true']), leaks: kind(() => false, ['true']) })] },
  withBackend: { args: [backend, fn(() => () => c.scalar(1))] },
  getBackend: { args: [text('reference'), options({ dtype: float })] },
  useBackend: { args: [text('wasm'), options({ dtype: text('float32') })] },
  currentBackend: { args: [] },
  createReferenceBackend: { args: [options({ dtype: float })] },
  createWasmBackend: {
    args: [
      options({
        v8Flags: flag,
        relaxedSimd: flag,
        simd256: kind(() => false, ['true']),
        maximumBytes: finite(2 ** 24),
        threads: { ...whole(1), also: { 'a hundred': () => 100 } },
      }),
    ],
  },
  createGpuBackend: { args: [options({ mode: text('cpu') })], says: /^(createGpuBackend|gpu)/ },

  key: { args: [whole(7)] },
  splitKey: { args: [key, maybe(whole(2))] },
  foldKey: { args: [key, whole(2)] },
  permutation: { args: [key, whole(5)] },
  threefry2x32: { args: [key, list(1, 2)] },
  sizeOf: { args: [shape(2, 3)] },
  windowExtent: { args: [whole(5), whole(2), { ...whole(1), also: { none: () => 0 } }, whole(1), text('same')] },

  updateProgram: {
    args: [
      text('junk-descent', true),
      options({ slots: whole(1), inputs: whole(1), scalars: whole(1) }),
      fn(() => ([w]: c.UpdateExpression[], [g]: c.UpdateExpression[], [r]: c.UpdateExpression[]) => [w.sub(r.mul(g))]),
    ],
  },
  applyUpdate: { args: [kind(program), parameters, tensors([2, 3]), numbers], says: /^(applyUpdate|junk-sgd)/ },
  applyUpdates: {
    args: [kind(program), kind(() => [{ slots: parameters.make(), inputs: tensors([2, 3]).make() }], ['an empty array']), numbers],
    says: /^(applyUpdates|junk-sgd)/,
  },
  defineOp: {
    args: [
      kind(() => ({
        name: `junk-op-${names++}`,
        rule: '',
        shape: () => ({ shape: [], dtype: 'float32' }),
        vjp: '',
        forward: 'view',
        samples: [],
      })),
    ],
  },
  defineComposed: { args: [kind(() => ({ name: `junk-op-${names++}`, compose: ([x]: Tensor[]) => x, samples: [] }))] },
}

/** Classes: the arguments of `new`. */
export const classes: Record<string, Row> = {
  Parameter: { args: [t([2]), options({ name: text('w', true), trainable: flag })] },
  Tape: { args: [{ ...tensors([2]), fine: ['an empty array'] }] },
}

/** Methods that are not ops: the arguments after the tensor. */
export const methods: Record<string, Row> = {
  data: { args: [] },
  array: { args: [] },
  item: { args: [] },
  to: { args: [backend] },
  toString: { args: [] },
  keep: { args: [] },
  dispose: { args: [] },
}

/** Exports without a row, each with the reason. */
export const without: Record<string, string> = {
  addContext: 'adds to an error whatever text it is given',
  beyondInt32: 'makes an error of whatever it is given',
  shapeError: 'makes an error of whatever it is given',
  showShape: 'shows whatever it is given, for messages',
  configure: 'must come before the engine runs; its options are those of createWasmBackend',
  UpdateExpression: 'made by updateProgram alone; what its methods refuse is tested with it',
  Tensor: 'made by functions alone',
}
