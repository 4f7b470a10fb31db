/** The shapes of operations of networks and images, for shapes with open sizes. */
import { type Padding, ShapeError, windowExtent } from '@cotangent/core'
import type { BatchShape } from '../../layer-types.js'
import { axisIn, show } from './shapes.js'

type Size = number | null

const requireRank = (what: string, shape: BatchShape, ...ranks: number[]): void => {
  if (!ranks.includes(shape.length)) throw new ShapeError(`${what} takes ${ranks.join(', ')} axes, got ${show(shape)}.`)
}

/** Half the size of an axis. */
export function halved(shape: BatchShape, axis: number): BatchShape {
  const at = axisIn(axis, shape.length, shape)
  const n = shape[at]
  if (n !== null && n % 2 !== 0) throw new ShapeError(`axis ${axis} of ${show(shape)} has no halves.`)
  return shape.map((m, i) => (i === at && m !== null ? m / 2 : m))
}

/** The k greatest of the last axis. */
export function topped(shape: BatchShape, k: number): BatchShape {
  const n = shape.at(-1)
  if (n === undefined || (n !== null && n < k)) throw new ShapeError(`the last axis of ${show(shape)} has not ${k} elements.`)
  return [...shape.slice(0, -1), k]
}

/** query [b, t, heads, d], key [b, s, groups, d], value [b, s, groups, e] → [b, t, heads, e] */
export function attended(query: BatchShape, key: BatchShape, value: BatchShape): BatchShape {
  for (const shape of [query, key, value]) requireRank('attention', shape, 4)
  return [...query.slice(0, 3), value[3]]
}

const extent = (n: Size, kernel: number, stride: number, padding: Padding): Size =>
  n === null ? null : windowExtent(n, kernel, stride, 1, padding).out

/** [n, .., c] with windows over all axes between. */
export function pooled(shape: BatchShape, sizes: readonly number[], strides: readonly number[], padding: Padding): BatchShape {
  requireRank('pooling', shape, 3, 4, 5)
  return shape.map((n, i) => (i === 0 || i === shape.length - 1 ? n : extent(n, sizes[i - 1], strides[i - 1], padding)))
}

/** [n, h, w, c] → [n, ..size, c] */
export function resized(shape: BatchShape, [height, width]: readonly number[]): BatchShape {
  requireRank('resize', shape, 4)
  return [shape[0], height, width, shape[3]]
}

/** [n, h, w, c] → [n, rows, columns, patch] */
export function patched(shape: BatchShape, size: readonly number[], strides: readonly number[], padding: Padding): BatchShape {
  requireRank('patches', shape, 4)
  const c = shape[3]
  return [...pooled(shape, size, strides, padding).slice(0, 3), c === null ? null : size[0] * size[1] * c]
}

/** Blocks of b × b pixels of one channel from b² channels, or the way back. */
export function blocks(shape: BatchShape, b: number, way: 'larger' | 'smaller'): BatchShape {
  requireRank('blocks of pixels', shape, 4)
  const [n, h, w, c] = shape
  const times = (size: Size, by: number): Size => (size === null ? null : size * by)
  const out =
    way === 'larger' ? [n, times(h, b), times(w, b), times(c, 1 / (b * b))] : [n, times(h, 1 / b), times(w, 1 / b), times(c, b * b)]
  if (out.some((size) => size !== null && !Number.isInteger(size)))
    throw new ShapeError(`${show(shape)} does not divide into blocks of ${b} × ${b}.`)
  return out
}
