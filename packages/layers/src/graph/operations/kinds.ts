/**
 * The operations: for each its name here, which is that of the op in core (where core has none, Keras' own), its class and module in Keras 3 (keras/src/ops),
 * its options, its shape and its values. Here are those that are methods of symbolic tensors without more words; the others are in `kinds-*.ts`.
 */
import { einsum, ShapeError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import { activation, axis, binary, type Kind, move, position, reduction, required, same, unary, wholeNumber } from './kind.js'
import { elements } from './kinds-elements.js'
import { images } from './kinds-images.js'
import { moves } from './kinds-moves.js'
import { networks } from './kinds-networks.js'
import { dotted, product, summed } from './shapes.js'

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
    options: { decimals: wholeNumber(0) },
    shape: same,
    run: ([x], { decimals }) =>
      decimals === 0
        ? x.round()
        : x
            .mul(10 ** decimals)
            .round()
            .div(10 ** decimals),
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
  ...elements,
  ...moves,
  ...networks,
  ...images,
  dot: {
    ...move({
      className: 'Dot',
      options: {},
      read: ({ axes, ...config }, x) => {
        const plain =
          axes === undefined ||
          axes === 1 ||
          JSON.stringify([axes].flat(2).map((at: number, i) => (i === 0 && at === -1 ? x.length - 1 : at))) ===
            JSON.stringify([x.length - 1, 0])
        if (!plain)
          throw new ShapeError(
            'only the last axis of the first operand and the first of the second are summed over. Write another sum as einsum.',
          )
        return config
      },
      shape: ([a, b]) => dotted(a, b),
      run: ([a, b]) => {
        const columns = b.rank === 1 ? b.expandDims(1) : b
        return a
          .reshape([-1, a.shape[a.rank - 1]])
          .matMul(columns)
          .reshape([...a.shape.slice(0, -1), ...b.shape.slice(1)])
      },
    }),
    operands: 2,
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
} satisfies Readonly<Record<string, Kind>>

/** The name of an operation: that of the op in core, or Keras' own. */
export type OperationName = keyof typeof kinds

/** Other classes of Keras 3 for the same operations. */
export const operationAliases: Readonly<Record<string, OperationName>> = {
  Divide: 'div',
  Abs: 'abs',
  Fabs: 'abs',
  Amax: 'max',
  Amin: 'min',
  Average: 'mean',
  ConvertToTensor: 'copy',
  ArraySplit: 'split',
  Swapaxes: 'transpose',
  Moveaxis: 'transpose',
  Ravel: 'reshape',
  Hstack: 'concat',
  Vstack: 'concat',
  Append: 'concat',
  Fliplr: 'flip',
  Flipud: 'flip',
  PadImages: 'pad',
  CropImages: 'at',
  Tensordot: 'dot',
}

/** The operation of a class of Keras 3. */
export const operationOf = (className: string): OperationName | undefined =>
  (Object.keys(kinds) as OperationName[]).find((name) => kinds[name].className === className) ??
  (Object.hasOwn(operationAliases, className) ? operationAliases[className] : undefined)
