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

/** The equation with a letter for each axis that dots stand for; of fewer axes they are the last. */
function spelled(equation: string, shapes: readonly BatchShape[]): string {
  const plain = equation.replace(/\s/g, '')
  if (!plain.includes('...')) return plain
  const [left, right] = plain.split('->')
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((letter) => !plain.includes(letter))
  const hidden = left.split(',').map((label, i) => Math.max(0, shapes[i].length - label.replace('...', '').length))
  const most = Math.max(...left.split(',').map((label, i) => (label.includes('...') ? hidden[i] : 0)))
  const letters = free.slice(0, most).join('')
  const inputs = left.split(',').map((label, i) => label.replace('...', letters.slice(most - hidden[i])))
  return `${inputs.join(',')}${right === undefined ? '' : `->${right.replace('...', letters)}`}`
}

/** The result of an einsum equation. */
export function summed(given: string, shapes: readonly BatchShape[]): BatchShape {
  const equation = spelled(given, shapes)
  const [left, right] = equation.split('->')
  const labels = left.split(',')
  if (labels.length !== shapes.length) throw new ShapeError(`einsum "${equation}" takes ${labels.length} tensors, got ${shapes.length}.`)
  const sizes = new Map<string, Size>()
  for (const [i, shape] of shapes.entries()) {
    if (labels[i].length !== shape.length) throw new ShapeError(`einsum "${equation}": "${labels[i]}" does not fit ${show(shape)}.`)
    for (const [axis, letter] of [...labels[i]].entries()) {
      const size = sizes.get(letter) ?? null
      const broadcasts = /[A-Z]/.test(letter) && sizes.has(letter) && (size === 1 || shape[axis] === 1) // axes behind dots
      if (broadcasts) {
        if (size === 1) sizes.set(letter, shape[axis])
        continue
      }
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

/** The axes of size 1, without the batch. */
export const ones = (shape: BatchShape): number[] => shape.flatMap((n, axis) => (n === 1 && axis > 0 ? [axis] : []))

/** Entries at positions of one axis, which the axes of the positions replace. */
export function taken(shape: BatchShape, indices: BatchShape, axis: number): BatchShape {
  const at = axisIn(axis, shape.length, shape)
  return [...shape.slice(0, at), ...indices, ...shape.slice(at + 1)]
}

/** Entries at positions of one axis, other positions for each row. */
export function along(shape: BatchShape, indices: BatchShape, axis: number): BatchShape {
  const at = axisIn(axis, shape.length, shape)
  if (shape.length !== indices.length) throw new ShapeError(`${show(shape)} and positions ${show(indices)} differ in the number of axes.`)
  const [one, other] = [shape, indices].map((sizes) => sizes.map((n, i) => (i === at ? 1 : n)))
  return broadcast(one, other).map((n, i) => (i === at ? indices[i] : n))
}

/** The shape with a border. */
export function grown(shape: BatchShape, pads: readonly (readonly [number, number])[]): BatchShape {
  if (pads.length !== shape.length) throw new ShapeError(`${show(shape)} needs ${shape.length} pairs of pads, got ${pads.length}.`)
  return shape.map((n, i) => (pads[i][0] + pads[i][1] === 0 ? n : n === null ? null : n + pads[i][0] + pads[i][1]))
}

/** A border as Keras has it, a number or a pair for all axes, or a pair for each: a pair for each. */
export function pairsFor(given: unknown, shape: BatchShape): unknown {
  const all = typeof given === 'number' ? [given, given] : Array.isArray(given) && given.length === 1 ? given[0] : given
  const one = Array.isArray(all) && all.length === 2 && all.every((n) => typeof n === 'number')
  return one ? shape.map(() => all) : all
}

/** The shapes of parts along an axis. */
export function cut(shape: BatchShape, parts: number | readonly number[], axis: number): BatchShape[] {
  const at = axisIn(axis, shape.length, shape)
  const n = shape[at]
  const given = typeof parts === 'number' ? new Array<Size>(parts).fill(n === null ? null : n / parts) : parts
  const sum = given.reduce<Size>((total, size) => (total === null || size === null ? null : total + size), 0)
  if (given.some((size) => size !== null && !(Number.isInteger(size) && size >= 0)) || differ(sum, n))
    throw new ShapeError(
      `axis ${axis} of ${show(shape)} does not split into ${typeof parts === 'number' ? `${parts} equal` : `[${parts}]`} parts.`,
    )
  return given.map((size) => shape.map((m, i) => (i === at ? size : m)))
}

/** The sizes of parts that Keras tells by their number or by the positions between them. With `uneven`, the first parts may be greater by one. */
export function sizesOf(given: unknown, axis: number, shape: BatchShape, uneven: boolean): unknown {
  const n = shape[axisIn(axis, shape.length, shape)]
  if (Array.isArray(given)) {
    if (n === null) throw new ShapeError(`axis ${axis} of ${show(shape)} is open, so the size of the last part is not known.`)
    return [...given, n].map((position, i) => position - (i === 0 ? 0 : given[i - 1]))
  }
  if (!uneven || typeof given !== 'number' || n === null) return given
  return Array.from({ length: given }, (_, i) => Math.floor(n / given) + (i < n % given ? 1 : 0))
}

/** The order of axes in which two are exchanged. */
export function swapped(a: number, b: number, shape: BatchShape): number[] {
  const [one, other] = [a, b].map((axis) => axisIn(axis, shape.length, shape))
  return shape.map((_, i) => (i === one ? other : i === other ? one : i))
}

/** The order of axes in which some have moved to other places. */
export function moved(from: readonly number[], to: readonly number[], shape: BatchShape): number[] {
  const [source, target] = [from, to].map((axes) => axes.map((axis) => axisIn(axis, shape.length, shape)))
  const rest = shape.map((_, i) => i).filter((i) => !source.includes(i))
  return shape.map((_, i) => (target.includes(i) ? source[target.indexOf(i)] : (rest.shift() as number)))
}

/** Diagonal k of each matrix. */
export function diagonalOf(shape: BatchShape, k: number): BatchShape {
  if (shape.length < 2) throw new ShapeError(`${show(shape)} has no matrices.`)
  const [rows, columns] = shape.slice(-2)
  const length = rows === null || columns === null ? null : Math.max(0, Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0)))
  return [...shape.slice(0, -2), length]
}

/** The pixels before and after along an axis of an image; with the size of the result, one of the two says the other. */
function sides(before: Given, after: Given, target: Given, n: Size, name: string): [number, number] {
  if ((target ?? null) === null) return [before ?? 0, after ?? 0]
  if (n === null) throw new ShapeError(`the ${name} is open.`)
  const both = Math.abs((target as number) - n)
  const first = before ?? both - (after ?? 0)
  return [first, both - first]
}
type Given = number | null | undefined
type Sides = Readonly<Record<string, Given>>

/** Keras' padding of images [n, h, w, c] as pairs for all axes. */
export const paddedImage = (config: Sides, shape: BatchShape): [number, number][] => [
  [0, 0],
  sides(config.top_padding, config.bottom_padding, config.target_height, shape[1], 'height'),
  sides(config.left_padding, config.right_padding, config.target_width, shape[2], 'width'),
  [0, 0],
]

/** Keras' cropping of images [n, h, w, c] as an index. */
export const croppedIndex = (config: Sides, shape: BatchShape): Index[] => {
  const rows = sides(config.top_cropping, config.bottom_cropping, config.target_height, shape[1], 'height')
  const columns = sides(config.left_cropping, config.right_cropping, config.target_width, shape[2], 'width')
  return [':', ...[rows, columns].map(([before, after]) => `${before}:${after === 0 ? '' : -after}`)]
}

/** [.., k] · [k, ..] → [.., ..], where the second has at most two axes. */
export function dotted(a: BatchShape, b: BatchShape): BatchShape {
  if (a.length === 0 || b.length === 0 || b.length > 2)
    throw new ShapeError(`${show(a)} and ${show(b)} do not fit: the second operand has one axis or two. Use matMul or einsum.`)
  if (differ(a.at(-1), b[0])) throw new ShapeError(`${show(a)} and ${show(b)} do not fit: ${a.at(-1)} and ${b[0]} differ.`)
  return [...a.slice(0, -1), ...b.slice(1)]
}
