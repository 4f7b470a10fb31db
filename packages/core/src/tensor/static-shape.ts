/**
 * Shapes as types, in two strengths.
 *
 * - *Asked for*: `zeros([32, 784] as const)` is a `Tensor<readonly [32, 784]>`, which carries its sizes through elementwise ops, reshape, transpose,
 *   reductions and matMul, and to which only that shape can be assigned.
 * - *Seen*: `zeros([32, 784])` is a `Tensor | Tensor<readonly [32, 784]>`. Its sizes are checked where it meets another tensor of known sizes, and go no
 *   further. A variable that starts with it takes any tensor, and then the compiler drops the sizes, since it narrows a union by what is assigned:
 *   `let s = zeros([]); s = s.add(x)`.
 *
 * In both a mismatch is a compile error that names the sizes. Shapes that are only known when the program runs are never in the way.
 *
 * An unknown size (a batch axis) is `number`; a shape of unknown rank is `Shape`. There are no fallback overloads: they would
 * hide mistakes.
 */
import type { Shape } from './shape.js'
import type { Tensor } from './tensor.js'

/**
 * The tensor that a shape makes. A literal array in the call is a mutable tuple of literals, one with `as const` a readonly one, where the parameter is
 * `<N extends number, S extends readonly N[] | readonly []>`.
 */
export type Made<S extends Shape> = S extends number[] ? (number extends S['length'] ? Tensor : Tensor | Tensor<Readonly<S>>) : Tensor<S>

/** The shapes that were asked for or seen; `never` if none is known. */
type Sizes<S extends Shape> = S extends unknown ? (number extends S['length'] ? never : S) : never

/** Intersected with a parameter's type when shapes cannot fit, so that the compiler's message shows the text. */
export interface ShapeMismatch<Message extends string> {
  readonly 'shape error': Message
}

/** True when the rank of S is known. */
type Known<S extends Shape> = number extends S['length'] ? false : true

type Last<S extends Shape> = S extends readonly [...infer _, infer N extends number] ? N : number
type Init<S extends Shape> = S extends readonly [...infer Rest extends number[], number] ? Rest : number[]

/** One axis of a broadcast: equal, or one of the two is 1. */
type BroadcastSize<A extends number, B extends number> = number extends A
  ? B extends 1
    ? A
    : number extends B
      ? number
      : B
  : number extends B
    ? A extends 1
      ? B
      : A
    : A extends B
      ? A
      : A extends 1
        ? B
        : B extends 1
          ? A
          : never

type BroadcastTuple<A extends Shape, B extends Shape, Out extends number[] = []> = A extends readonly []
  ? [...B, ...Out]
  : B extends readonly []
    ? [...A, ...Out]
    : BroadcastTuple<Init<A>, Init<B>, [BroadcastSize<Last<A>, Last<B>>, ...Out]>

/** NumPy's broadcasting rule. */
export type BroadcastShape<A extends Shape, B extends Shape> =
  Known<A> extends true ? (Known<B> extends true ? AsShape<BroadcastTuple<A, B>> : Shape) : Shape

type AsShape<T> = T extends infer R extends number[] ? Readonly<R> : Shape

type HasNever<S extends Shape> = S extends readonly [infer Head, ...infer Rest extends number[]]
  ? [Head] extends [never]
    ? true
    : HasNever<Rest>
  : false

/** `unknown` when A and B broadcast, else the mismatch. */
export type CheckBroadcast<A extends Shape, B extends Shape> = [Sizes<A>] extends [never]
  ? unknown
  : [Sizes<B>] extends [never]
    ? unknown
    : HasNever<BroadcastShape<Sizes<A>, Sizes<B>>> extends true
      ? ShapeMismatch<`shapes do not broadcast: [${Join<Sizes<A>>}] and [${Join<Sizes<B>>}]`>
      : unknown

type Join<S extends Shape> = S extends readonly [infer Head extends number, ...infer Rest extends number[]]
  ? Rest extends []
    ? `${Head}`
    : `${Head}, ${Join<Rest>}`
  : ''

/** The last two axes, swapped if transposed. */
type Matrix<S extends Shape, Transposed> = S extends readonly [...infer _, infer M extends number, infer N extends number]
  ? Transposed extends true
    ? [N, M]
    : [M, N]
  : [number, number]

type Flag<O, K extends string> = O extends { readonly [P in K]: true } ? true : false
type Inner<A extends Shape, B extends Shape, O> = [Matrix<A, Flag<O, 'transposeA'>>[1], Matrix<B, Flag<O, 'transposeB'>>[0]]

/** `unknown` when the inner sizes of a matrix product agree or are not known, else the mismatch. */
export type CheckMatMul<A extends Shape, B extends Shape, O> = [Sizes<A>] extends [never]
  ? unknown
  : [Sizes<B>] extends [never]
    ? unknown
    : Inner<Sizes<A>, Sizes<B>, O> extends [infer K extends number, infer L extends number]
      ? [K & L] extends [never]
        ? ShapeMismatch<`inner dimensions differ: ${K} vs ${L}`>
        : unknown
      : unknown

type Leading<S extends Shape> = S extends readonly [...infer Rest extends number[], number, number] ? Rest : []

/** Shape of a matrix product over the last two axes. */
export type MatMulShape<A extends Shape, B extends Shape, O> =
  Known<A> extends true
    ? Known<B> extends true
      ? AsShape<[...BatchTuple<Leading<A>, Leading<B>>, Matrix<A, Flag<O, 'transposeA'>>[0], Matrix<B, Flag<O, 'transposeB'>>[1]]>
      : Shape
    : Shape

/** The common case of no batch axes ends the recursion at once. */
type BatchTuple<A extends Shape, B extends Shape> = A extends readonly [] ? B : B extends readonly [] ? A : BroadcastTuple<A, B>

/** The result of `reshape` for a shape in which -1 stands for a size that is worked out. */
export type ReshapedShape<S extends Shape> = { [I in keyof S]: S[I] extends -1 ? number : S[I] } extends infer R extends Shape ? R : Shape

/** Shape with all axes reversed. */
export type ReversedShape<S extends Shape> =
  Known<S> extends true
    ? S extends readonly [infer Head extends number, ...infer Rest extends number[]]
      ? readonly [...ReversedShape<Rest>, Head]
      : readonly []
    : Shape
