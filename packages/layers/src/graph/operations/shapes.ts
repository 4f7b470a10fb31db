/** The shapes of operations, for shapes with open sizes. null is an open size, which fits any other. */
import { ShapeError } from '@cotangent/core'
import type { BatchShape } from '../../layer-types.js'

type Size = number | null
type Axes = number | readonly number[] | undefined

/** `[?, 3]`, for messages. */
export const show = (shape: BatchShape): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/** The number of an axis from the front. `rank` is that of the result for operations that add an axis. */
export function axisIn(axis: number, rank: number, shape: BatchShape): number {
  const at = axis < 0 ? axis + rank : axis
  if (at >= 0 && at < rank) return at
  throw new ShapeError(`axis ${axis} is none of ${show(shape)}.`)
}

/** Axes counted from the front; all of them if left out. */
const axesIn = (axes: Axes, shape: BatchShape): number[] =>
  axes === undefined ? shape.map((_, i) => i) : [axes].flat().map((axis) => axisIn(axis as number, shape.length, shape))

/** Whether two sizes are surely different. */
const differ = (a: Size | undefined, b: Size | undefined): boolean => a !== b && a !== null && b !== null

/** The shape of two operands by NumPy's rule: aligned at the last axis, sizes of 1 are repeated. */
export function broadcast(a: BatchShape, b: BatchShape): BatchShape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i): Size => {
    const [m, n] = [a.at(i - rank) ?? (i < rank - a.length ? 1 : null), b.at(i - rank) ?? (i < rank - b.length ? 1 : null)]
    if (m === 1) return n
    if (n === 1) return m
    if (differ(m, n)) throw new ShapeError(`${show(a)} and ${show(b)} do not fit: ${m} and ${n} differ.`)
    return m ?? n
  })
}

/** The shape without the axes that are reduced; with keepDims they have size 1. */
export function reduced(shape: BatchShape, axes: Axes, keepDims: boolean): BatchShape {
  const gone = axesIn(axes, shape)
  return keepDims ? shape.map((n, i) => (gone.includes(i) ? 1 : n)) : shape.filter((_, i) => !gone.includes(i))
}

/** [.., m, k] · [.., k, n] → [.., m, n] */
export function product(a: BatchShape, b: BatchShape): BatchShape {
  if (a.length < 2 || b.length < 2) throw new ShapeError(`matMul takes tensors of at least two axes, got ${show(a)} and ${show(b)}.`)
  if (differ(a.at(-1), b.at(-2))) throw new ShapeError(`${show(a)} and ${show(b)} do not fit: ${a.at(-1)} and ${b.at(-2)} differ.`)
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), a.at(-2) as Size, b.at(-1) as Size]
}

/** The elements in another shape, batch axis included. One size may be −1. */
export function reshaped(from: BatchShape, to: readonly number[]): BatchShape {
  const count = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1)
  const rest = count(to.filter((n) => n !== -1))
  const known = count(from.filter((n) => n !== null))
  const isOpen = from.includes(null)
  const fits = isOpen ? to.includes(-1) || rest % known === 0 : to.includes(-1) ? rest > 0 && known % rest === 0 : known === rest
  if (!fits) throw new ShapeError(`${show(from)} has ${known}${isOpen ? '·?' : ''} elements, which do not fill [${to.join(', ')}].`)
  return to.map((n) => (n !== -1 ? n : isOpen ? null : known / rest))
}

/** Each axis repeated. */
export function repeated(shape: BatchShape, repeats: readonly number[]): BatchShape {
  if (repeats.length === shape.length && repeats.every((n) => n > 0))
    return shape.map((n, i) => (repeats[i] === 1 ? n : n === null ? null : n * repeats[i]))
  throw new ShapeError(`${show(shape)} needs ${shape.length} repeats, at least 1, got [${repeats.join(', ')}].`)
}

/** The axes in another order, by default reversed. */
export function transposed(shape: BatchShape, axes: readonly number[] | undefined): BatchShape {
  const order = axes ? axesIn(axes, shape) : shape.map((_, i) => shape.length - 1 - i)
  if (order.length !== shape.length || new Set(order).size !== order.length)
    throw new ShapeError(`axes [${axes?.join(', ')}] must name each axis of ${show(shape)} once.`)
  return order.map((axis) => shape[axis])
}

/** A new axis of a size before position `axis` of the result. */
export function widened(shape: BatchShape, axis: number, size: Size = 1): BatchShape {
  const at = axisIn(axis, shape.length + 1, shape)
  return [...shape.slice(0, at), size, ...shape.slice(at)]
}

/** Without axes of size 1. */
export function squeezed(shape: BatchShape, axes: Axes): BatchShape {
  const gone = axesIn(axes, shape)
  const wrong = gone.find((axis) => differ(shape[axis], 1))
  if (wrong !== undefined) throw new ShapeError(`axis ${wrong} of ${show(shape)} has not size 1.`)
  return shape.filter((_, i) => !gone.includes(i))
}

/** The sizes of all shapes in one, where open ones are filled from others. `skip` is an axis in which they may differ. */
function common(shapes: readonly BatchShape[], skip?: number): BatchShape {
  return shapes.reduce((all, shape) => {
    if (all.length !== shape.length || all.some((n, i) => i !== skip && differ(n, shape[i])))
      throw new ShapeError(
        `${show(all)} and ${show(shape)} do not fit${skip === undefined ? '' : ` beside each other along axis ${skip}`}.`,
      )
    return all.map((n, i) => n ?? shape[i])
  })
}

/** Several tensors, one after the other along an axis. */
export function concatenated(shapes: readonly BatchShape[], axis: number): BatchShape {
  const at = axisIn(axis, shapes[0].length, shapes[0])
  const size = shapes.map((shape) => shape[at]).reduce<Size>((sum, n) => (sum === null || n === null ? null : sum + n), 0)
  return common(shapes, at).map((n, i) => (i === at ? size : n))
}

/** Several tensors of one shape along a new axis. */
export const stacked = (shapes: readonly BatchShape[], axis: number): BatchShape => widened(common(shapes), axis, shapes.length)

/** The result of an einsum equation without dots. */
export function summed(equation: string, shapes: readonly BatchShape[]): BatchShape {
  const [left, right] = equation.replace(/\s/g, '').split('->')
  const labels = left.split(',')
  if (equation.includes('.')) throw new ShapeError(`einsum "${equation}": between layers, write a letter for each axis in place of dots.`)
  if (labels.length !== shapes.length) throw new ShapeError(`einsum "${equation}" takes ${labels.length} tensors, got ${shapes.length}.`)
  const sizes = new Map<string, Size>()
  for (const [i, shape] of shapes.entries()) {
    if (labels[i].length !== shape.length) throw new ShapeError(`einsum "${equation}": "${labels[i]}" does not fit ${show(shape)}.`)
    for (const [axis, letter] of [...labels[i]].entries()) {
      const size = sizes.get(letter) ?? null
      if (differ(size, shape[axis])) throw new ShapeError(`einsum "${equation}": "${letter}" is ${size} and ${shape[axis]}.`)
      sizes.set(letter, size ?? shape[axis])
    }
  }
  const once = [...left.replace(/,/g, '')].filter((letter, _, all) => all.filter((other) => other === letter).length === 1).sort()
  return [...(right ?? once.join(''))].map((letter) => {
    if (sizes.has(letter)) return sizes.get(letter) as Size
    throw new ShapeError(`einsum "${equation}": no tensor has the axis "${letter}".`)
  })
}

/** An index of `x.at` between layers: positions, slices as text, '...' and null for a new axis. */
export type Index = number | string | null

/** A part of a tensor, as `x.at` reads it. */
export function part(shape: BatchShape, index: readonly Index[]): BatchShape {
  const used = index.filter((item) => item !== null && item !== '...').length
  if (used > shape.length) throw new ShapeError(`at takes at most ${shape.length} positions of ${show(shape)}, got ${used}.`)
  const items = index.includes('...') ? index : [...index, '...']
  let axis = 0
  return items.flatMap((item): Size[] => {
    if (item === null) return [1]
    const from = axis
    axis += item === '...' ? shape.length - used : 1
    if (item === '...') return shape.slice(from, axis)
    const n = shape[from]
    if (typeof item === 'string') return [n === null ? null : sliced(item, n)]
    if (n === null || (item < n && item >= -n)) return []
    throw new ShapeError(`position ${item} is out of range in ${show(shape)}.`)
  })
}

/** The number of elements of `begin:end:step` in n. */
function sliced(text: string, n: number): number {
  const [begin, end, step = 1] = text.split(':').map((word) => (word.trim() === '' ? undefined : Number(word)))
  const within = (place: number, least: number, most: number): number => Math.min(Math.max(place < 0 ? place + n : place, least), most)
  const [from, to] =
    step > 0
      ? [begin === undefined ? 0 : within(begin, 0, n), end === undefined ? n : within(end, 0, n)]
      : [begin === undefined ? n - 1 : within(begin, -1, n - 1), end === undefined ? -1 : within(end, -1, n - 1)]
  return Math.max(0, Math.ceil((to - from) / step))
}
