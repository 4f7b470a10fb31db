/**
 * The chaining methods of tensors: `x.square().sum()` for `sum(square(x))`. The list is fixed; each is an op with the tensor as
 * its first argument. Types are declared here and the methods attached once, by index.ts.
 */
import type { DType } from './dtype.js'
import type * as ops from './ops/index.js'
import type { MatMulOptions, Pads, ReduceOptions } from './ops/index.js'
import type { Shape } from './shape.js'
import type { BroadcastShape, CheckBroadcast, CheckMatMul, MatMulShape, ReshapedShape, ReversedShape } from './static-shape.js'
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
const others = [
  'cast',
  'sum',
  'prod',
  'max',
  'min',
  'mean',
  'variance',
  'argMax',
  'argMin',
  'any',
  'all',
  'cumSum',
  'logSumExp',
  'matMul',
  'reshape',
  'flatten',
  'expandDims',
  'squeeze',
  'transpose',
  'slice',
  'pad',
  'flip',
  'tile',
  'split',
  'broadcastTo',
  'gather',
  'oneHot',
  'clip',
  'stopGradient',
] as const

// No method mentions the class's own S, only the S of its `this`: so Tensor<S> stays covariant in S.
type UnaryMethod = <S extends Shape>(this: Tensor<S>) => Tensor<S>
interface BinaryMethod {
  <S extends Shape>(this: Tensor<S>, other: number): Tensor<S>
  <S extends Shape, B extends Shape>(this: Tensor<S>, other: Tensor<B> & CheckBroadcast<S, B>): Tensor<BroadcastShape<S, B>>
}
type UnaryMethods = { [Name in (typeof unary)[number]]: UnaryMethod }
type BinaryMethods = { [Name in (typeof binary)[number]]: BinaryMethod }

/** The chaining methods: each is the op of the same name with the tensor as its first argument. */
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
  matMul<S extends Shape, B extends Shape, const O extends MatMulOptions = object>(
    this: Tensor<S>,
    b: Tensor<B> & CheckMatMul<S, B, O>,
    options?: O,
  ): Tensor<MatMulShape<S, B, O>>
  reshape<R extends Shape>(shape: R): Tensor<ReshapedShape<R>>
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
  broadcastTo<R extends Shape>(shape: R): Tensor<R>
  gather(indices: Tensor, options?: { axis?: number }): Tensor
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
  for (const name of [...unary, ...binary, ...others]) {
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...rest: unknown[]): unknown {
        return functions[name](this, ...rest)
      },
      configurable: true,
      writable: true,
    })
  }
}
