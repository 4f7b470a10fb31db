/** Pooling over windows of images, channels last. With `same` padding, windows at the edge count only their cells inside the image. */

import { requireWhole } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { windowKernels } from '../../backends/families/windows.js'
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { requirePair, type Shape, sameShape, slidingWindow, type Window } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { flatWindow, requireFloats, requireWindow1d, requireWindowOptions } from '../requirements.js'
import { expandDims, squeeze } from '../shape/move.js'
import type { Window1dOptions } from './conv.js'
import { foldWindows, unfoldWindows, type WindowOptions } from './window.js'

type PoolOptions = WindowOptions & { poolSize: readonly [number, number] }
type GradientOptions = PoolOptions & { size: readonly [number, number] }

/** An op and its derivative call each other, so each has its type before the other is defined. */
type Run<O> = (inputs: readonly Tensor[], options: O) => Tensor

const geometry = (x: Shape, { poolSize, strides = poolSize, padding, dilation }: PoolOptions, op = 'pooling'): Window =>
  slidingWindow(op, x, poolSize, strides, padding, dilation, 'poolSize')

const samples = [
  { inputs: [[2, 6, 6, 2]], options: { poolSize: [2, 2] } },
  { inputs: [[1, 5, 7, 3]], options: { poolSize: [3, 2], strides: [2, 2], padding: 'same' } },
  { inputs: [[2, 4, 4, 1]], options: { poolSize: [3, 3], strides: [1, 1] } },
  { inputs: [[0, 4, 4, 1]], options: { poolSize: [2, 2] } },
  { inputs: [[1, 6, 7, 5]], options: { poolSize: [2, 3], strides: [1, 2], dilation: [2, 2], padding: 'causal' } },
  { inputs: [[4, 12, 13, 3]], options: { poolSize: [2, 2] } },
  { inputs: [[2, 7, 9, 21]], options: { poolSize: [2, 2], padding: 'same' } },
] as const

/** The same windows, with a cotangent of the output behind `before` inputs of the shape of x. */
const gradientSamples = (before: number): Sample<GradientOptions>[] =>
  samples.map(({ inputs: [x], options }) => ({
    inputs: [...Array.from({ length: before }, () => x), [x[0], ...geometry(x, options).outSize, x[3]]],
    options: { ...options, size: [x[1], x[2]] },
  }))

/** The cells of each window on one axis, and a mask that is true at the first largest cell: [n, oh, ow, cells, c] both. */
function firstLargest(x: Tensor, window: Window, ops: Ops) {
  const cells = window.kernelSize[0] * window.kernelSize[1]
  const windows = ops.reshape(unfoldWindows(x, window, -Infinity), [x.shape[0], ...window.outSize, cells, x.shape[3]])
  const positions = ops.arange(0, cells, 1, { dtype: 'int32', backend: x.backend })
  return { windows, first: ops.equal(ops.expandDims(ops.argMax(windows, { axis: 3 }), 3), ops.expandDims(positions, 1)) }
}

const callMax: Run<PoolOptions> = defineComposed<PoolOptions>({
  name: 'maxPool2d',
  // The largest cell is picked by position, so that of several equal ones only the first gets the cotangent.
  compose: ([x], options, ops) => {
    const { windows, first } = firstLargest(x, geometry(x.shape, options), ops)
    return ops.sum(ops.where(first, windows, 0), { axis: 3 })
  },
  fused: {
    family: windowKernels,
    kernel: 'maxPool2d',
    rule: 'dX = dY at the first largest of each window',
    shape: ([x], options) => ({ shape: [x.shape[0], ...geometry(x.shape, options).outSize, x.shape[3]], dtype: x.dtype }),
    forward: (fused, out, [x], options) => fused.maxPool2d(out, x, geometry(x.shape, options)),
    vjp: ({ dY, options }, [x]) => [() => callMaxGradient([x, dY], options)],
  },
  samples,
})

const callMaxGradient = defineComposed<PoolOptions>({
  name: 'maxPool2dGradient',
  compose: ([x, dY], options, ops) => {
    const window = geometry(x.shape, options)
    const { first } = firstLargest(x, window, ops)
    const cells = ops.where(first, ops.expandDims(dY, 3), 0)
    return foldWindows(ops.reshape(cells, [x.shape[0], ...window.outSize, ...window.kernelSize, x.shape[3]]), x.shape, window)
  },
  fused: {
    family: windowKernels,
    kernel: 'maxPool2dGradient',
    rule: 'd(dY) = cotangent at the first largest of each window of x',
    shape: ([x]) => x,
    forward: (fused, out, [x, dY], options) => fused.maxPool2dGradient(out, x, dY, geometry(x.shape, options)),
    choosing: [0],
  },
  samples: gradientSamples(1),
})

/** The number of cells of each window that are inside the image: [1, oh, ow, 1]. */
function cellsInside(x: Tensor, [h, w]: readonly number[], window: Window, ops: Ops): Tensor {
  const cells = window.kernelSize[0] * window.kernelSize[1]
  const inside = unfoldWindows(ops.ones([1, h, w, 1], { backend: x.backend, dtype: x.dtype }), window)
  return ops.sum(ops.reshape(inside, [1, ...window.outSize, cells, 1]), { axis: 3 })
}

const callAverage: Run<PoolOptions> = defineComposed<PoolOptions>({
  name: 'averagePool2d',
  compose: ([x], options, ops) => {
    const window = geometry(x.shape, options)
    const cells = window.kernelSize[0] * window.kernelSize[1]
    const windows = ops.reshape(unfoldWindows(x, window), [x.shape[0], ...window.outSize, cells, x.shape[3]])
    return ops.div(ops.sum(windows, { axis: 3 }), cellsInside(x, x.shape.slice(1, 3), window, ops))
  },
  fused: {
    family: windowKernels,
    kernel: 'averagePool2d',
    rule: 'dX = dY / cells inside, to each cell of the window',
    shape: ([x], options) => ({ shape: [x.shape[0], ...geometry(x.shape, options).outSize, x.shape[3]], dtype: x.dtype }),
    forward: (fused, out, [x], options) => fused.averagePool2d(out, x, geometry(x.shape, options)),
    vjp: ({ dY, options }, [x]) => [() => callAverageGradient([dY], { ...options, size: [x.shape[1], x.shape[2]] })],
  },
  samples,
})

const imageShape = (dY: Shape, size: readonly number[]): Shape => [dY[0], ...size, dY[3]]

const callAverageGradient: Run<GradientOptions> = defineComposed<GradientOptions>({
  name: 'averagePool2dGradient',
  compose: ([dY], { size, ...options }, ops) => {
    const shape = imageShape(dY.shape, size)
    const window = geometry(shape, options)
    const [kh, kw] = window.kernelSize
    const share = ops.div(dY, cellsInside(dY, size, window, ops))
    const [n, oh, ow, c] = dY.shape
    const cells = ops.broadcastTo(ops.reshape(share, [n, oh, ow, 1, 1, c]), [n, oh, ow, kh, kw, c])
    return foldWindows(cells, shape, window)
  },
  fused: {
    family: windowKernels,
    kernel: 'averagePool2dGradient',
    rule: 'd(dY) = averagePool2d(cotangent)',
    shape: ([dY], { size }) => ({ shape: imageShape(dY.shape, size), dtype: dY.dtype }),
    forward: (fused, out, [dY], { size, ...options }) => fused.averagePool2dGradient(out, dY, geometry(out.shape, options)),
    vjp: ({ dY: cotangent, options: { size: _, ...options } }) => [() => callAverage([cotangent], options)],
  },
  samples: gradientSamples(0),
})

/** The window of pooling x; throws unless the arguments fit. */
function poolOver(op: string, x: Tensor, poolSize: readonly [number, number], options: WindowOptions): Window {
  requireFloats(op, 'x', x)
  requireWindowOptions(op, options)
  return geometry(x.shape, { ...options, poolSize }, op)
}

/** Throws unless dY has the shape that pooling the image gives. */
function requireCotangent(op: string, dY: Tensor, image: Shape, window: Window): void {
  const expected = [image[0], ...window.outSize, image[3]]
  if (sameShape(dY.shape, expected)) return
  throw shapeError(op, `pooling gives [${expected.join(', ')}]`, [
    { name: 'x', shape: image },
    { name: 'dY', shape: dY.shape },
  ])
}

/**
 * The gradient of `maxPool2d` by its input: dY of each window goes to the first largest cell of the window.
 *
 * Shape:    x [n, h, w, c], dY [n, oh, ow, c] → [n, h, w, c]
 * Gradient: d(dY) = the cotangent at those cells; none for x, which only chooses the cells
 *
 * @throws ShapeError if dY does not have the shape of maxPool2d's output.
 * @example
 * ```ts
 * const dX = maxPool2dGradient(ones([1, 4, 4, 1]), ones([1, 2, 2, 1]), [2, 2]) // [1, 4, 4, 1]
 * ```
 */
export function maxPool2dGradient(x: Tensor, dY: Tensor, poolSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  requireTensor('maxPool2dGradient', 'dY', dY)
  requireCotangent('maxPool2dGradient', dY, x?.shape, poolOver('maxPool2dGradient', x, poolSize, options))
  return callMaxGradient([x, dY], { ...options, poolSize })
}

/**
 * The gradient of `averagePool2d` by its input, an image of `size` [h, w]: each cell of a window gets an equal share of dY.
 *
 * Shape:    dY [n, oh, ow, c] → [n, ..size, c]
 * Gradient: d(dY) = averagePool2d(cotangent)
 *
 * @throws ShapeError if dY does not have the shape of averagePool2d's output.
 * @example
 * ```ts
 * const dX = averagePool2dGradient(ones([1, 2, 2, 1]), [4, 4], [2, 2]) // [1, 4, 4, 1]
 * ```
 */
export function averagePool2dGradient(
  dY: Tensor,
  size: readonly [number, number],
  poolSize: readonly [number, number],
  options: WindowOptions = {},
): Tensor {
  requireFloats('averagePool2dGradient', 'dY', dY)
  requireWindowOptions('averagePool2dGradient', options)
  requirePair('averagePool2dGradient', 'size', size, 0)
  const image = imageShape(dY.shape, size)
  if (dY.rank !== 4) throw shapeError('averagePool2dGradient', 'dY must have 4 axes [n, oh, ow, c]', [{ name: 'dY', shape: dY.shape }])
  requireCotangent('averagePool2dGradient', dY, image, geometry(image, { ...options, poolSize }, 'averagePool2dGradient'))
  return callAverageGradient([dY], { ...options, poolSize, size })
}

/**
 * The largest value of each window. Strides default to the pool size.
 *
 * Shape:    [n, h, w, c] → [n, oh, ow, c]
 * Gradient: dX = dY at the first largest cell of each window, elsewhere 0
 *
 * @throws ShapeError if the window is larger than the padded input.
 * @example
 * ```ts
 * const y = maxPool2d(tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] }), [2, 2])
 * console.log(await y.item()) // 4
 * ```
 */
export function maxPool2d(x: Tensor, poolSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  poolOver('maxPool2d', x, poolSize, options)
  return callMax([x], { ...options, poolSize })
}

/**
 * The mean of each window. Strides default to the pool size.
 *
 * Shape:    [n, h, w, c] → [n, oh, ow, c]
 * Gradient: dX = dY / cells, at each cell of the window
 *
 * @throws ShapeError if the window is larger than the padded input.
 * @example
 * ```ts
 * const y = averagePool2d(tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] }), [2, 2])
 * console.log(await y.item()) // 2.5
 * ```
 */
export function averagePool2d(x: Tensor, poolSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  poolOver('averagePool2d', x, poolSize, options)
  return callAverage([x], { ...options, poolSize })
}

function requirePool1d(op: string, x: Tensor, poolSize: number, options: Window1dOptions): void {
  requireFloats(op, 'x', x)
  if (x.rank !== 3) throw shapeError(op, 'x must have 3 axes [n, t, c]', [{ name: 'x', shape: x.shape }])
  requireWhole(op, 'poolSize', poolSize, { least: 1 })
  requireWindow1d(op, x.shape, poolSize, options, poolSize)
}

/**
 * The largest value of each window along the steps t of a sequence. The stride defaults to the pool size.
 *
 * Shape:    [n, t, c] → [n, ot, c]
 * Gradient: as `maxPool2d`
 *
 * @throws ShapeError if x does not have 3 axes or the window is larger than the padded input.
 * @example
 * ```ts
 * maxPool1d(tensor([[[1], [5], [3], [4]]]), 2) // [[[5], [4]]]
 * ```
 */
export function maxPool1d(x: Tensor, poolSize: number, options: Window1dOptions = {}): Tensor {
  requirePool1d('maxPool1d', x, poolSize, options)
  return scope(() => squeeze(maxPool2d(expandDims(x, 1), [1, poolSize], flatWindow({ stride: poolSize, ...options })), 1))
}

/**
 * The mean of each window along the steps t of a sequence. The stride defaults to the pool size.
 *
 * Shape:    [n, t, c] → [n, ot, c]
 * Gradient: as `averagePool2d`
 *
 * @throws ShapeError if x does not have 3 axes or the window is larger than the padded input.
 * @example
 * ```ts
 * averagePool1d(tensor([[[1], [5], [3], [4]]]), 2) // [[[3], [3.5]]]
 * ```
 */
export function averagePool1d(x: Tensor, poolSize: number, options: Window1dOptions = {}): Tensor {
  requirePool1d('averagePool1d', x, poolSize, options)
  return scope(() => squeeze(averagePool2d(expandDims(x, 1), [1, poolSize], flatWindow({ stride: poolSize, ...options })), 1))
}
