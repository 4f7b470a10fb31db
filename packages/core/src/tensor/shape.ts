/** Arithmetic of shapes: sizes, axes, broadcasting, reduction groups and sliding windows. Nothing here knows tensors. */
import { describeValue, requireChoice, requireWhole } from '../arguments.js'
import { shapeError, ValueError } from '../errors.js'

/** The sizes of the axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[]

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

/**
 * The number of elements of a tensor of this shape. (The package exports it as `sizeOf`; inside, shapes are checked where they come in.)
 *
 * @throws ValueError unless the shape is an array of whole numbers, none negative.
 * @example
 * ```ts
 * sizeOf([2, 3, 4]) // 24
 * ```
 */
export function checkedSizeOf(shape: Shape): number {
  checkShape('sizeOf', shape)
  return sizeOf(shape)
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]
  }
  return strides
}

/** Throws unless the shape is an array of whole numbers, none negative. */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    const example = Number.isInteger(shape) ? ` Write [${shape}].` : ''
    throw new ValueError(`${op}: a shape is an array of whole numbers, got ${describeValue(shape)}.${example}`)
  }
  for (let i = 0; i < shape.length; i++) {
    if (!Number.isSafeInteger(shape[i]) || shape[i] < 0) {
      throw new ValueError(`${op}: a shape holds whole numbers, at least 0, got ${listed(shape)}.`)
    }
  }
}

/** The elements of a list, for messages: `[2, text "3"]`. */
export const listed = (values: readonly unknown[]): string =>
  `[${Array.from(values, (v) => (typeof v === 'number' ? String(v) : describeValue(v))).join(', ')}]`

/** Throws unless `values` is an array of whole numbers, `length` of them if that is given. */
export function requireWholes(op: string, name: string, values: unknown, length?: number): void {
  if (Array.isArray(values) && values.every(Number.isSafeInteger) && (length ?? values.length) === values.length) return
  const got = Array.isArray(values) ? listed(values) : describeValue(values)
  const example = Number.isSafeInteger(values) ? ` Write [${new Array(length ?? 1).fill(values).join(', ')}].` : ''
  const count = length === undefined ? 'whole numbers' : `${length} whole numbers`
  throw new ValueError(`${op}: ${name} must be an array of ${count}, got ${got}.${example}`)
}

/** An axis as an index from 0; a negative axis counts from the end. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis)) throw new ValueError(`${op}: an axis is a whole number, got ${describeValue(axis)}.`)
  const index = axis < 0 ? axis + rank : axis
  if (index < 0 || index >= rank) {
    const range = rank === 0 ? 'a scalar has no axes' : `axes run from ${-rank} to ${rank - 1}`
    throw new ValueError(`${op}: axis ${axis} is out of range (rank ${rank}: ${range}).`)
  }
  return index
}

/** Axes as sorted, distinct indices. Undefined means all axes. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  const list = typeof axes === 'number' ? [axes] : axes
  if (!Array.isArray(list)) {
    throw new ValueError(`${op}: axis must be a whole number or an array of them, got ${describeValue(axes)}.`)
  }
  const indices = list.map((axis) => normalizeAxis(op, axis, rank)).sort((a, b) => a - b)
  if (new Set(indices).size !== indices.length) throw new ValueError(`${op}: axes [${list.join(', ')}] name one axis twice.`)
  return indices
}

/** The shape of a broadcast by NumPy's rule: shapes are aligned at the right; two sizes must agree or one of them be 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const m = i <= a.length ? a[a.length - i] : 1
    const n = i <= b.length ? b[b.length - i] : 1
    if (m !== n && m !== 1 && n !== 1) {
      throw shapeError(
        op,
        `shapes do not broadcast (${m} vs ${n})`,
        [
          { name: 'a', shape: a, bad: [-i] },
          { name: 'b', shape: b, bad: [-i] },
        ],
        'Sizes are compared from the right; each pair must be equal or one of them 1. Reshape or expandDims one of the two.',
      )
    }
    out[rank - i] = m === 1 ? n : m
  }
  return out
}

/** The axes of `to` along which a tensor of shape `from` is repeated when it is broadcast to `to`. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length
  const axes: number[] = []
  for (let i = 0; i < to.length; i++) if (i < lead || (from[i - lead] === 1 && to[i] !== 1)) axes.push(i)
  return axes
}

/** The strides, in elements, that read a tensor of shape `from` as one of shape `to`: 0 along repeated axes. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from)
  const lead = to.length - from.length
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]))
}

/** A reduction over neighbouring axes, seen as `[outer, length, inner] → [outer, inner]`. */
export interface ReduceExtent {
  outer: number
  length: number
  inner: number
}

/** The extent of reducing the axes first to last, both included. */
export function reduceExtent(shape: Shape, first: number, last: number): ReduceExtent {
  return {
    outer: sizeOf(shape.slice(0, first)),
    length: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  }
}

/** Zero padding of a window: none (`valid`), around x (`same`), or before it (`causal`). With `same` an odd zero goes at the end, as in TensorFlow. */
export type Padding = 'valid' | 'same' | 'causal'

/** A window sliding over the two middle axes of `[batch, height, width, channels]`. */
export interface Window {
  kernelSize: readonly [number, number]
  strides: readonly [number, number]
  dilation: readonly [number, number]
  /** Padding before the first row and before the first column. */
  padBefore: readonly [number, number]
  /** The number of window positions, down and across. */
  outSize: readonly [number, number]
}

/**
 * The number of positions of a window along one axis, and the padding before the axis.
 *
 * With k' = (kernel − 1)·dilation + 1: valid gives ⌈(n − k' + 1) / stride⌉ positions; same gives ⌈n / stride⌉; causal pads k' − 1 before, then counts
 * as valid.
 *
 * @throws ValueError unless the sizes are whole numbers and the padding exists.
 * @example
 * ```ts
 * const { out, before } = windowExtent(5, 3, 2, 1, 'same')
 * console.log(out, before) // 3 1
 * ```
 */
export function windowExtent(
  n: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: Padding,
): { out: number; before: number } {
  requireWhole('windowExtent', 'n', n, { least: 0 })
  requireWhole('windowExtent', 'kernel', kernel, { least: 0 })
  requireWhole('windowExtent', 'stride', stride, { least: 1 })
  requireWhole('windowExtent', 'dilation', dilation, { least: 1 })
  requireChoice('windowExtent', 'padding', padding, PADDINGS)
  const reach = (kernel - 1) * dilation + 1
  if (padding === 'same') {
    const out = Math.ceil(n / stride)
    return { out, before: Math.floor(Math.max((out - 1) * stride + reach - n, 0) / 2) }
  }
  const before = padding === 'causal' ? reach - 1 : 0
  return { out: Math.ceil((n + before - reach + 1) / stride), before }
}

const PADDINGS = ['valid', 'same', 'causal'] as const

/** Throws unless `pair` is two whole numbers, neither less than `least`. */
export function requirePair(op: string, name: string, pair: unknown, least: number): void {
  if (Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isSafeInteger(n) && n >= least)) return
  const got = Array.isArray(pair) ? listed(pair) : describeValue(pair)
  const example = Number.isSafeInteger(pair) && (pair as number) >= least ? ` Write [${pair}, ${pair}].` : ''
  throw new ValueError(`${op}: ${name} must be two whole numbers, at least ${least}, got ${got}.${example}`)
}

/** The window of a convolution or pooling over x [batch, height, width, channels]. Throws if it does not fit. */
export function slidingWindow(
  op: string,
  x: Shape,
  kernelSize: readonly [number, number],
  strides: readonly [number, number] = [1, 1],
  padding: Padding = 'valid',
  dilation: readonly [number, number] = [1, 1],
  kernelName = 'kernelSize',
): Window {
  if (x.length !== 4) {
    throw shapeError(op, `x must have 4 axes [batch, height, width, channels], got ${x.length}`, [{ name: 'x', shape: x }])
  }
  requireChoice(op, 'padding', padding, PADDINGS)
  requirePair(op, kernelName, kernelSize, 1)
  requirePair(op, 'strides', strides, 1)
  requirePair(op, 'dilation', dilation, 1)
  const rows = windowExtent(x[1], kernelSize[0], strides[0], dilation[0], padding)
  const columns = windowExtent(x[2], kernelSize[1], strides[1], dilation[1], padding)
  if (rows.out < 1 || columns.out < 1) {
    throw shapeError(
      op,
      `the window [${kernelSize.join(', ')}]${dilation.some((d) => d > 1) ? ` with dilation [${dilation.join(', ')}]` : ''} is larger than the input`,
      [{ name: 'x', shape: x, bad: rows.out < 1 ? [1] : [2] }],
      `Use a smaller window or padding 'same', or check that the channel axis is the last one.`,
    )
  }
  return { kernelSize, strides, dilation, padBefore: [rows.before, columns.before], outSize: [rows.out, columns.out] }
}
