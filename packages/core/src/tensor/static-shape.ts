/**
 * Shapes as types, in two strengths.
 *
 * - *Asked for*: `zeros([32, 784] as const)` is a `Tensor<readonly [32, 784]>`. It carries its sizes through elementwise ops, reshape, transpose,
 *   reductions and matMul. Only that shape can be assigned to it.
 * - *Seen*: `zeros([32, 784])` is a `Tensor | Tensor<readonly [32, 784]>`. Its sizes are checked where it meets another tensor of known sizes, and go no
 *   further. A variable that starts with it takes any tensor: `let s = zeros([]); s = s.add(x)` compiles, because the compiler narrows a union to the type
 *   that is assigned.
 *
 * In both, a mismatch is a compile error that names the sizes. Shapes that are known only at run time are never an error.
 *
 * An unknown size, such as a batch axis, is `number`; a shape of unknown rank is `Shape`. There are no fallback overloads: they would
 * hide mistakes.
 */
import type { Shape } from './shape.js'
import type { Tensor } from './tensor.js'

/**
 * The type of the tensor that is made with a shape. In a function `<N extends number, S extends readonly N[] | readonly []>`, a literal array is inferred as a
 * mutable tuple of literals, and one with `as const` as a readonly tuple.
 */
export type Made<S extends Shape> = S extends number[] ? (number extends S['length'] ? Tensor : Tensor | Tensor<Readonly<S>>) : Tensor<S>

/** The sizes that were asked for or seen; `never` if none is known. */
type Sizes<S extends Shape> = S extends unknown ? (number extends S['length'] ? never : S) : never

/** Intersected with the type of a parameter when shapes cannot fit, so that the compiler's message shows the text. */
export interface ShapeMismatch<Message extends string> {
  readonly 'shape error': Message
}

/** True when the rank of S is known. */
type Known<S extends Shape> = number extends S['length'] ? false : true

type Last<S extends Shape> = S extends readonly [...infer _, infer N extends number] ? N : number
type Init<S extends Shape> = S extends readonly [...infer Rest extends number[], number] ? Rest : number[]

/** One axis of a broadcast: the sizes are equal, or one of them is 1. */
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

/** The shape of a broadcast by NumPy's rule. */
export type BroadcastShape<A extends Shape, B extends Shape> =
  Known<A> extends true ? (Known<B> extends true ? AsShape<BroadcastTuple<A, B>> : Shape) : Shape

type AsShape<T> = T extends infer R extends number[] ? Readonly<R> : Shape

type HasNever<S extends Shape> = S extends readonly [infer Head, ...infer Rest extends number[]]
  ? [Head] extends [never]
    ? true
    : HasNever<Rest>
  : false

/** `unknown` if A and B broadcast or are not known, else the mismatch. */
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

/** `unknown` if the inner sizes of a matrix product agree or are not known, else the mismatch. */
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

/** The shape of a matrix product over the last two axes. */
export type MatMulShape<A extends Shape, B extends Shape, O> =
  Known<A> extends true
    ? Known<B> extends true
      ? AsShape<[...BatchTuple<Leading<A>, Leading<B>>, Matrix<A, Flag<O, 'transposeA'>>[0], Matrix<B, Flag<O, 'transposeB'>>[1]]>
      : Shape
    : Shape

/** The batch axes of a product. If one side has none, the recursion ends at once. */
type BatchTuple<A extends Shape, B extends Shape> = A extends readonly [] ? B : B extends readonly [] ? A : BroadcastTuple<A, B>

/** The shape that `reshape` gives; the size of an axis given as −1 is `number`. */
export type ReshapedShape<S extends Shape> = { [I in keyof S]: S[I] extends -1 ? number : S[I] } extends infer R extends Shape ? R : Shape

/** The shape with its axes reversed. */
export type ReversedShape<S extends Shape> =
  Known<S> extends true
    ? S extends readonly [infer Head extends number, ...infer Rest extends number[]]
      ? readonly [...ReversedShape<Rest>, Head]
      : readonly []
    : Shape
