/**
 * The operations: for each its name here, which is that of the op in core, its class and module in Keras 3 (keras/src/ops), its options, its shape and its values.
 */
import { concat, type DType, einsum, elu, gelu, hardSigmoid, hardSilu, leakyRelu, relu6, silu, stack, where } from '@cotangent/core'
import { requireChoice, requireNumber, requireText } from '@cotangent/core/arguments'
import { choice, flag, numberFrom } from '../../option-rows.js'
import {
  activation,
  axes,
  axis,
  binary,
  index,
  type Kind,
  move,
  oneOrMore,
  optional,
  position,
  reduction,
  required,
  same,
  sizes,
  unary,
  whole,
  wholes,
} from './kind.js'
import {
  axisIn,
  broadcast,
  concatenated,
  part,
  product,
  repeated,
  reshaped,
  squeezed,
  stacked,
  summed,
  transposed,
  widened,
} from './shapes.js'

const dtypes = ['float32', 'float64', 'int32', 'bool'] as const

/** Ops of one tensor without arguments. */
export const unaries = {
  neg: unary('neg', 'Negative'),
  abs: unary('abs', 'Absolute'),
  sign: unary('sign', 'Sign'),
  square: unary('square', 'Square'),
  sqrt: unary('sqrt', 'Sqrt'),
  rsqrt: unary('rsqrt', 'Rsqrt', 'math'),
  reciprocal: unary('reciprocal', 'Reciprocal'),
  exp: unary('exp', 'Exp'),
  expm1: unary('expm1', 'Expm1'),
  log: unary('log', 'Log'),
  log1p: unary('log1p', 'Log1p'),
  sin: unary('sin', 'Sin'),
  cos: unary('cos', 'Cos'),
  tan: unary('tan', 'Tan'),
  tanh: unary('tanh', 'Tanh'),
  erf: unary('erf', 'Erf', 'math'),
  floor: unary('floor', 'Floor'),
  ceil: unary('ceil', 'Ceil'),
  round: move({
    className: 'Round',
    options: { decimals: choice([0], 0) },
    shape: same,
    run: ([x]) => x.round(),
  }),
  relu: unary('relu', 'Relu', 'nn'),
  sigmoid: unary('sigmoid', 'Sigmoid', 'nn'),
  softplus: unary('softplus', 'Softplus', 'nn'),
  logicalNot: unary('logicalNot', 'LogicalNot', 'numpy', 'bool'),
  stopGradient: { ...unary('stopGradient', 'StopGradient'), module: 'core' },
} satisfies Readonly<Record<string, Kind>>

/** Ops of two tensors. */
export const binaries = {
  add: binary('add', 'Add'),
  sub: binary('sub', 'Subtract'),
  mul: binary('mul', 'Multiply'),
  div: binary('div', 'TrueDivide'),
  pow: binary('pow', 'Power'),
  mod: binary('mod', 'Mod'),
  floorDiv: binary('floorDiv', 'FloorDivide'),
  maximum: binary('maximum', 'Maximum'),
  minimum: binary('minimum', 'Minimum'),
  equal: binary('equal', 'Equal', 'bool'),
  notEqual: binary('notEqual', 'NotEqual', 'bool'),
  less: binary('less', 'Less', 'bool'),
  lessEqual: binary('lessEqual', 'LessEqual', 'bool'),
  greater: binary('greater', 'Greater', 'bool'),
  greaterEqual: binary('greaterEqual', 'GreaterEqual', 'bool'),
  logicalAnd: binary('logicalAnd', 'LogicalAnd', 'bool'),
  logicalOr: binary('logicalOr', 'LogicalOr', 'bool'),
  logicalXor: binary('logicalXor', 'LogicalXor', 'bool'),
  matMul: {
    ...move({ className: 'Matmul', options: {}, shape: ([a, b]) => product(a, b), run: ([a, b]) => a.matMul(b) }),
    operands: 2,
  },
} satisfies Readonly<Record<string, Kind>>

/** Ops of one tensor along axes, whose only argument is an object of options. */
export const alongAxes = {
  mean: reduction('mean', 'Mean'),
  sum: reduction('sum', 'Sum'),
  prod: reduction('prod', 'Prod', { dtype: null }),
  max: reduction('max', 'Max', { initial: null }),
  min: reduction('min', 'Min', { initial: null }),
  std: reduction('std', 'Std'),
  variance: reduction('variance', 'Var'),
  any: reduction('any', 'Any', undefined, 'bool'),
  all: reduction('all', 'All', undefined, 'bool'),
  logSumExp: reduction('logSumExp', 'Logsumexp', undefined, undefined, 'math'),
  argMax: position('argMax', 'Argmax'),
  argMin: position('argMin', 'Argmin'),
  cumSum: move({
    className: 'Cumsum',
    options: { axis: axis() },
    extra: { dtype: null },
    shape: same,
    run: ([x], { axis }) => x.cumSum({ axis }),
  }),
  softmax: activation('Softmax', (x, { axis }) => x.softmax({ axis }), { axis: axis(-1) }),
  logSoftmax: activation('LogSoftmax', (x, { axis }) => x.logSoftmax({ axis }), { axis: axis(-1) }),
} satisfies Readonly<Record<string, Kind>>

/** All operations. */
export const kinds = {
  ...unaries,
  ...binaries,
  ...alongAxes,
  relu6: activation('Relu6', (x) => relu6(x)),
  silu: activation('Silu', (x) => silu(x)),
  hardSigmoid: activation('HardSigmoid', (x) => hardSigmoid(x)),
  hardSilu: activation('HardSilu', (x) => hardSilu(x)),
  gelu: activation('Gelu', (x, { approximate }) => gelu(x, { approximate }), { approximate: flag(false) }),
  leakyRelu: activation('LeakyRelu', (x, { negativeSlope }) => leakyRelu(x, { negativeSlope }), { negativeSlope: numberFrom({}, 0.2) }),
  elu: activation('Elu', (x, { alpha }) => elu(x, alpha), { alpha: numberFrom({}, 1) }),
  clip: move({
    className: 'Clip',
    options: { min: required<number>(requireNumber), max: required<number>(requireNumber) },
    words: { min: 'x_min', max: 'x_max' },
    shape: same,
    run: ([x], { min, max }) => x.clip(min, max),
  }),
  cast: {
    ...move({
      className: 'Cast',
      options: { dtype: required<DType>((what, name, value) => requireChoice(what, name, value as DType, dtypes)) },
      shape: same,
      run: ([x], { dtype }) => x.cast(dtype),
    }),
    module: 'core',
  },
  reshape: move({
    className: 'Reshape',
    options: { shape: required<readonly number[]>(sizes) },
    words: { shape: 'newshape' },
    shape: ([x], { shape }) => reshaped(x, shape),
    run: ([x], { shape }) => x.reshape(shape),
  }),
  transpose: move({
    className: 'Transpose',
    options: { axes: optional<readonly number[]>(wholes) },
    shape: ([x], { axes }) => transposed(x, axes),
    run: ([x], { axes }) => x.transpose(axes ?? x.shape.map((_, i) => x.rank - 1 - i)),
  }),
  expandDims: move({
    className: 'ExpandDims',
    options: { axis: axis() },
    shape: ([x], { axis }) => widened(x, axis),
    run: ([x], { axis }) => x.expandDims(axis),
  }),
  squeeze: move({
    className: 'Squeeze',
    options: { axis: required<number | readonly number[]>(oneOrMore) },
    shape: ([x], { axis }) => squeezed(x, axis),
    run: ([x], { axis }) => x.squeeze(axis),
  }),
  flip: move({ className: 'Flip', options: { axis: axes() }, shape: same, run: ([x], { axis }) => x.flip(axis) }),
  tile: move({
    className: 'Tile',
    options: { repeats: required<readonly number[]>(wholes) },
    shape: ([x], { repeats }) => repeated(x, repeats),
    run: ([x], { repeats }) => x.tile(repeats),
  }),
  repeat: move({
    className: 'Repeat',
    options: { repeats: required<number>(whole), axis: axis() },
    shape: ([x], { repeats, axis }) =>
      repeated(
        x,
        x.map((_, i) => (i === axisIn(axis, x.length, x) ? repeats : 1)),
      ),
    run: ([x], { repeats, axis }) => x.repeat(repeats, { axis }),
  }),
  at: move({
    className: 'GetItem',
    options: { index },
    shape: ([x], { index }) => part(x, index),
    run: ([x], { index }) => x.at(...index),
  }),
  concat: {
    ...move({
      className: 'Concatenate',
      options: { axis: axis(-1) },
      shape: (shapes, { axis }) => concatenated(shapes, axis),
      run: (xs, { axis }) => concat(xs, axis),
    }),
    operands: 'list',
  },
  stack: {
    ...move({
      className: 'Stack',
      options: { axis: axis(1) },
      shape: (shapes, { axis }) => stacked(shapes, axis),
      run: (xs, { axis }) => stack(xs, axis),
    }),
    operands: 'list',
  },
  einsum: {
    ...move({
      className: 'Einsum',
      options: { equation: required<string>(requireText) },
      words: { equation: 'subscripts' },
      shape: (shapes, { equation }) => summed(equation, shapes),
      run: (xs, { equation }) => einsum(equation, ...xs),
    }),
    operands: 'any',
  },
  where: {
    ...move({
      className: 'Where',
      options: {},
      shape: ([condition, a, b]) => broadcast(condition, broadcast(a, b)),
      run: ([condition, a, b]) => where(condition, a, b),
    }),
    operands: 3,
  },
} satisfies Readonly<Record<string, Kind>>

/** The name of an operation: that of the op in core. */
export type OperationName = keyof typeof kinds

/** Other classes of Keras 3 for the same operations. */
const aliases: Readonly<Record<string, OperationName>> = { Divide: 'div', Abs: 'abs', Amax: 'max', Amin: 'min' }

/** The operation of a class of Keras 3. */
export const operationOf = (className: string): OperationName | undefined =>
  (Object.keys(kinds) as OperationName[]).find((name) => kinds[name].className === className) ??
  (Object.hasOwn(aliases, className) ? aliases[className] : undefined)
