/**
 * The chaining methods of tensors: `x.square().sum()` for `sum(square(x))`. The list is fixed. Each method is an op with the tensor as its first
 * argument. The types are declared here; index.ts attaches the methods once.
 */
import { describeValue } from '../arguments.js'
import { ValueError } from '../errors.js'
import type * as ops from '../ops/index.js'
import type { MatMulOptions, Pads, ReduceOptions } from '../ops/index.js'
import type { DType } from './dtype.js'
import type { Shape } from './shape.js'
import type { BroadcastShape, CheckBroadcast, CheckMatMul, Made, MatMulShape, ReshapedShape, ReversedShape } from './static-shape.js'
import { Tensor } from './tensor.js'

const unary = [
  'neg',
  'abs',
  'sign',
  'square',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'sigmoid',
  'softplus',
  'erf',
  'floor',
  'ceil',
  'round',
  'isNaN',
  'isFinite',
  'logicalNot',
  'relu',
  'softmax',
  'logSoftmax',
] as const
const binary = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'mod',
  'floorDiv',
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
] as const
/** The other methods, each with the number of arguments it takes. */
const others = {
  cast: 1,
  sum: 1,
  prod: 1,
  max: 1,
  min: 1,
  mean: 1,
  variance: 1,
  argMax: 1,
  argMin: 1,
  any: 1,
  all: 1,
  cumSum: 1,
  logSumExp: 1,
  matMul: 2,
  reshape: 1,
  flatten: 0,
  expandDims: 1,
  squeeze: 1,
  transpose: 1,
  slice: 2,
  pad: 2,
  flip: 1,
  tile: 1,
  split: 2,
  broadcastTo: 1,
  gather: 2,
  oneHot: 2,
  clip: 2,
  stopGradient: 0,
} as const
/** Methods whose first argument is a list. People write it out, as in `x.reshape(2, 3)`, and get an error that shows `x.reshape([2, 3])`. */
const listed: ReadonlySet<string> = new Set(['reshape', 'squeeze', 'transpose', 'flip', 'tile', 'broadcastTo'])

// Methods use the S of their `this`, not the S of the class. So Tensor<S> stays covariant in S: a Tensor<[2, 3]> is a Tensor.
type UnaryMethod = <S extends Shape>(this: Tensor<S>) => Tensor<S>
interface BinaryMethod {
  <S extends Shape>(this: Tensor<S>, other: number): Tensor<S>
  <A extends Tensor, B extends Tensor>(
    this: A,
    other: B & CheckBroadcast<A['shape'], B['shape']>,
  ): Tensor<BroadcastShape<A['shape'], B['shape']>>
}
type UnaryMethods = { [Name in (typeof unary)[number]]: UnaryMethod }
type BinaryMethods = { [Name in (typeof binary)[number]]: BinaryMethod }

/**
 * The chaining methods of a tensor. Each is the op of the same name, with the tensor as its first argument: `x.add(y)` is `add(x, y)`.
 *
 * @example
 * ```ts
 * console.log(await tensor([1, 2, 3]).square().sum().item()) // 14
 * ```
 */
export interface TensorMethods extends UnaryMethods, BinaryMethods {
  cast<S extends Shape>(this: Tensor<S>, dtype: DType): Tensor<S>
  sum(options?: ReduceOptions): Tensor
  prod(options?: ReduceOptions): Tensor
  max(options?: ReduceOptions): Tensor
  min(options?: ReduceOptions): Tensor
  mean(options?: ReduceOptions): Tensor
  variance(options?: ReduceOptions): Tensor
  any(options?: ReduceOptions): Tensor
  all(options?: ReduceOptions): Tensor
  argMax(options?: { axis?: number; keepDims?: boolean }): Tensor
  argMin(options?: { axis?: number; keepDims?: boolean }): Tensor
  cumSum<S extends Shape>(this: Tensor<S>, options?: { axis?: number; exclusive?: boolean; reverse?: boolean }): Tensor<S>
  logSumExp(options?: { keepDims?: boolean }): Tensor
  matMul<A extends Tensor, B extends Tensor, const O extends MatMulOptions = object>(
    this: A,
    b: B & CheckMatMul<A['shape'], B['shape'], O>,
    options?: O,
  ): Tensor<MatMulShape<A['shape'], B['shape'], O>>
  reshape<N extends number, R extends readonly N[] | readonly []>(shape: R): Made<ReshapedShape<R>>
  flatten(): Tensor
  expandDims(axis: number): Tensor
  squeeze(axis?: number | readonly number[]): Tensor
  transpose<S extends Shape>(this: Tensor<S>): Tensor<ReversedShape<S>>
  transpose(axes: readonly number[]): Tensor
  slice(begin: readonly number[], size?: readonly number[]): Tensor
  pad(pads: Pads, value?: number): Tensor
  flip<S extends Shape>(this: Tensor<S>, axis?: number | readonly number[]): Tensor<S>
  tile(repeats: readonly number[]): Tensor
  split(parts: number | readonly number[], axis?: number): Tensor[]
  broadcastTo<N extends number, R extends readonly N[] | readonly []>(shape: R): Made<R>
  gather(indices: Tensor | readonly number[], options?: { axis?: number }): Tensor
  oneHot(depth: number, dtype?: DType): Tensor
  clip<S extends Shape>(this: Tensor<S>, min: number, max: number): Tensor<S>
  stopGradient<S extends Shape>(this: Tensor<S>): Tensor<S>
}

declare module './tensor.js' {
  interface Tensor<S extends Shape = Shape> extends TensorMethods {}
}

/** Puts the methods on Tensor.prototype. */
export function attachMethods(namespace: typeof ops): void {
  const functions = namespace as unknown as Record<string, (x: Tensor, ...rest: unknown[]) => unknown>
  const attach = (name: string, most: number): void => {
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...rest: unknown[]): unknown {
        if (rest.length > most) requireAtMost(name, most, rest)
        return functions[name](this, ...rest)
      },
      configurable: true,
      writable: true,
    })
  }
  for (const name of unary) attach(name, 0)
  for (const name of binary) attach(name, 1)
  for (const [name, most] of Object.entries(others)) attach(name, most)
}

function requireAtMost(name: string, most: number, rest: readonly unknown[]): void {
  if (rest.slice(most).every((extra) => extra === undefined)) return
  const numbers = rest.every((value) => typeof value === 'number')
  const example = listed.has(name) && numbers ? ` Write x.${name}([${rest.join(', ')}]).` : ''
  const takes = most === 0 ? 'no argument' : most === 1 ? 'one argument' : `at most ${most} arguments`
  throw new ValueError(`${name}: takes ${takes}, got ${rest.map(describeValue).join(', ')}.${example}`)
}
