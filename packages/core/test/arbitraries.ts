/** Random shapes and arrays for property tests, and broadcasting by explicit loops. */
import * as fc from 'fast-check'
import { scope } from '../src/index.js'
import { eachCell, onReference, reader } from './helpers.js'

export type Shape = readonly number[]

export const runs = { numRuns: 60 }
export const number = fc.double({ min: -3, max: 3, noNaN: true })
export const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
export const filledShapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)
export const listOf = (shape: Shape): fc.Arbitrary<number[]> => fc.array(number, { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
/** A shape and values for it. */
export const arrays = shapes.chain((shape) => fc.tuple(fc.constant(shape), listOf(shape)))

/** Runs a property on the reference, inside a scope. */
export const holds = (property: () => boolean): boolean => scope(() => onReference(property))

/** Two shapes that broadcast, and the shape they broadcast to. */
export const broadcastable = shapes.chain((out) =>
  fc
    .tuple(
      ...[0, 1].map(() => fc.tuple(fc.array(fc.boolean(), { minLength: out.length, maxLength: out.length }), fc.nat({ max: out.length }))),
    )
    .map(([left, right]) => {
      const shrink = ([ones, drop]: [boolean[], number]): number[] => out.map((n, i) => (ones[i] ? 1 : n)).slice(drop)
      const [a, b] = [shrink(left), shrink(right)]
      const rank = Math.max(a.length, b.length)
      const at = (s: number[], i: number): number => s[s.length - rank + i] ?? 1
      const together = Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)))
      return { a, b, out: together }
    }),
)

/** Repeats x to a shape, by explicit loops. */
export function tiled(values: readonly number[], from: Shape, to: Shape): number[] {
  const read = reader(values, from)
  const out: number[] = []
  eachCell(to, (at) => out.push(read(from.map((n, i) => (n === 1 ? 0 : at[to.length - from.length + i])))))
  return out
}
