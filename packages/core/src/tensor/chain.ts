/**
 * The chaining methods of tensors: `x.square().sum()` for `sum(square(x))`. The list is fixed. Each method is an op with the tensor as its first
 * argument. The types are declared here; index.ts attaches the methods once.
 */
import { describeValue } from '../arguments.js'
import { ValueError } from '../errors.js'
import type * as ops from '../ops/index.js'
import type { AtIndex, Indices, MatMulOptions, OneHotOptions, Pads, ReduceOptions, SoftmaxOptions, SortOptions } from '../ops/index.js'
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
  std: 1,
  argMax: 1,
  argMin: 1,
  any: 1,
  all: 1,
  cumSum: 1,
  logSumExp: 1,
  softmax: 1,
  logSoftmax: 1,
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
  takeAlongAxis: 2,
  at: 99,
  updateAt: 2,
  roll: 2,
  repeat: 2,
  sort: 1,
  argSort: 1,
  topK: 2,
  diagonal: 1,
  tril: 1,
  triu: 1,
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
// Mapped from the ops themselves, so that editors show the op's comment at the method.
type UnaryMethods = { [Name in keyof Pick<typeof ops, (typeof unary)[number]>]: UnaryMethod }
type BinaryMethods = { [Name in keyof Pick<typeof ops, (typeof binary)[number]>]: BinaryMethod }

/**
 * The chaining methods of a tensor. Each is the op of the same name, with the tensor as its first argument: `x.add(y)` is `add(x, y)`.
 *
 * @example
 * ```ts
 * console.log(await tensor([1, 2, 3]).square().sum().item()) // 14
 * ```
 */
export interface TensorMethods extends UnaryMethods, BinaryMethods {
  /** The same values in another dtype. */
  cast<S extends Shape>(this: Tensor<S>, dtype: DType): Tensor<S>
  /** Σ x over the axes. */
  sum(options?: ReduceOptions): Tensor
  /** Π x over the axes. */
  prod(options?: ReduceOptions): Tensor
  /** The largest value over the axes. */
  max(options?: ReduceOptions): Tensor
  /** The smallest value over the axes. */
  min(options?: ReduceOptions): Tensor
  /** The average over the axes. */
  mean(options?: ReduceOptions): Tensor
  /** The mean squared distance from the mean, over the axes. */
  variance(options?: ReduceOptions): Tensor
  /** The standard deviation over the axes. */
  std(options?: ReduceOptions): Tensor
  /** Whether at least one element is true, over the axes. */
  any(options?: ReduceOptions): Tensor
  /** Whether all elements are true, over the axes. */
  all(options?: ReduceOptions): Tensor
  /** The position of the largest value along one axis, by default the last. */
  argMax(options?: { axis?: number; keepDims?: boolean }): Tensor
  /** The position of the smallest value along one axis, by default the last. */
  argMin(options?: { axis?: number; keepDims?: boolean }): Tensor
  /** The running sum along an axis, by default the last. */
  cumSum<S extends Shape>(this: Tensor<S>, options?: { axis?: number; exclusive?: boolean; reverse?: boolean }): Tensor<S>
  /** ln Σ eˣ over the axes, by default the last. */
  logSumExp(options?: ReduceOptions): Tensor
  /** eˣ / Σ eˣ over an axis, by default the last. */
  softmax<S extends Shape>(this: Tensor<S>, options?: SoftmaxOptions): Tensor<S>
  /** ln softmax(x) over an axis, by default the last. */
  logSoftmax<S extends Shape>(this: Tensor<S>, options?: SoftmaxOptions): Tensor<S>
  /** The matrix product [.., m, k] · [.., k, n] → [.., m, n]. */
  matMul<A extends Tensor, B extends Tensor, const O extends MatMulOptions = object>(
    this: A,
    b: B & CheckMatMul<A['shape'], B['shape'], O>,
    options?: O,
  ): Tensor<MatMulShape<A['shape'], B['shape'], O>>
  /** The same elements under another shape; one axis may be −1. */
  reshape<N extends number, R extends readonly N[] | readonly []>(shape: R): Made<ReshapedShape<R>>
  /** All elements on one axis. */
  flatten(): Tensor
  /** A new axis of size 1 before position `axis`. */
  expandDims(axis: number): Tensor
  /** The tensor without axes of size 1. */
  squeeze(axis?: number | readonly number[]): Tensor
  /** The axes in another order, by default reversed. */
  transpose<S extends Shape>(this: Tensor<S>): Tensor<ReversedShape<S>>
  transpose(axes: readonly number[]): Tensor
  /** `size[i]` elements from position `begin[i]` of each axis. */
  slice(begin: readonly number[], size?: readonly number[]): Tensor
  /** A border of `value`: `pads[i]` elements before and after axis i. */
  pad(pads: Pads, value?: number): Tensor
  /** The elements in reverse order along the axes. */
  flip<S extends Shape>(this: Tensor<S>, axis?: number | readonly number[]): Tensor<S>
  /** The tensor repeated `repeats[i]` times along axis i. */
  tile(repeats: readonly number[]): Tensor
  /** The tensor cut along an axis. */
  split(parts: number | readonly number[], axis?: number): Tensor[]
  /** The tensor repeated to a larger shape by NumPy's rule. */
  broadcastTo<N extends number, R extends readonly N[] | readonly []>(shape: R): Made<R>
  /** The entries at the given positions along an axis. */
  gather(indices: Indices, options?: { axis?: number }): Tensor
  /** The part that the indices name, as NumPy writes it: `x.at('1:5', '...', -1)`. */
  at(...index: readonly AtIndex[]): Tensor
  /** The tensor with `value` where `at` reads by the same indices. */
  updateAt(index: readonly AtIndex[], value: Tensor | number): Tensor
  /** The elements shifted along an axis; those that leave at the end come in at the front. */
  roll<S extends Shape>(this: Tensor<S>, shift: number | readonly number[], options?: { axis?: number | readonly number[] }): Tensor<S>
  /** Each element repeated. */
  repeat(repeats: number | readonly number[], options?: { axis?: number }): Tensor
  /** The elements at the indices along an axis, other indices for each row. */
  takeAlongAxis(indices: Indices, options?: { axis?: number }): Tensor
  /** The values in order along an axis. */
  sort<S extends Shape>(this: Tensor<S>, options?: SortOptions): Tensor<S>
  /** The positions of the values in their order along an axis. */
  argSort<S extends Shape>(this: Tensor<S>, options?: SortOptions): Tensor<S>
  /** The k greatest values along an axis, and their positions. */
  topK(k: number, options?: { axis?: number }): { values: Tensor; indices: Tensor }
  /** Diagonal k of each matrix. */
  diagonal(k?: number): Tensor
  /** The lower triangle of each matrix, up to diagonal k. */
  tril(k?: number): Tensor
  /** The upper triangle of each matrix, from diagonal k on. */
  triu(k?: number): Tensor
  /** Rows that are 1 at the index and 0 elsewhere. */
  oneHot(depth: number, options?: DType | OneHotOptions): Tensor
  /** The values limited to [min, max]. */
  clip<S extends Shape>(this: Tensor<S>, min: number, max: number): Tensor<S>
  /** The same values, through which no derivative passes. */
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
