/** Pooling over windows of images, channels last. Windows that hang over the edge under `same` padding count only the cells inside. */
import { defineComposed } from '../define-op.js'
import { scope } from '../scope.js'
import { type Shape, slidingWindow, type Window } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { flatWindow, type Window1dOptions } from './conv.js'
import { expandDims, squeeze } from './move.js'
import type { WindowOptions } from './window.js'

type PoolOptions = WindowOptions & { poolSize: readonly [number, number] }

const geometry = (x: Shape, { poolSize, strides = poolSize, padding, dilation }: PoolOptions): Window =>
  slidingWindow('pooling', x, poolSize, strides, padding, dilation)

const samples = [
  { inputs: [[2, 6, 6, 2]], options: { poolSize: [2, 2] } },
  { inputs: [[1, 5, 7, 3]], options: { poolSize: [3, 2], strides: [2, 2], padding: 'same' } },
  { inputs: [[2, 4, 4, 1]], options: { poolSize: [3, 3], strides: [1, 1] } },
  { inputs: [[0, 4, 4, 1]], options: { poolSize: [2, 2] } },
  { inputs: [[4, 12, 13, 3]], options: { poolSize: [2, 2] } },
] as const

const callMax = defineComposed<PoolOptions>({
  name: 'maxPool2d',
  // The window's cells on one axis; the first largest is picked by position, so that a tie sends its cotangent to one cell.
  compose: ([x], options, { unfoldWindows, reshape, argMax, arange, equal, expandDims: axis, where, sum }) => {
    const window = geometry(x.shape, options)
    const [n, , , c] = x.shape
    const [oh, ow] = window.outSize
    const cells = window.kernelSize[0] * window.kernelSize[1]
    const windows = reshape(unfoldWindows(x, window, -Infinity), [n, oh, ow, cells, c])
    const positions = arange(0, cells, 1, { dtype: 'int32', backend: x.backend })
    const first = equal(axis(argMax(windows, { axis: 3 }), 3), axis(positions, 1)) // [n, oh, ow, cells, c]
    return sum(where(first, windows, 0), { axis: 3 })
  },
  samples,
})

const callAverage = defineComposed<PoolOptions>({
  name: 'averagePool2d',
  compose: ([x], options, { unfoldWindows, reshape, ones, sum, div }) => {
    const window = geometry(x.shape, options)
    const cells = window.kernelSize[0] * window.kernelSize[1]
    const total = (t: Tensor): Tensor =>
      sum(reshape(unfoldWindows(t, window), [t.shape[0], ...window.outSize, cells, t.shape[3]]), { axis: 3 })
    const inside = ones([1, x.shape[1], x.shape[2], 1], { backend: x.backend, dtype: x.dtype })
    return div(total(x), total(inside))
  },
  samples,
})

/**
 * The largest value of each window.
 *
 * Shape:    [n, h, w, c] → [n, oh, ow, c]; strides default to the pool size
 * Gradient: to the first largest cell of each window, row by row
 */
export function maxPool2d(x: Tensor, poolSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  return callMax([x], { ...options, poolSize })
}

/** The mean of each window. Shape: [n, h, w, c] → [n, oh, ow, c]; strides default to the pool size. */
export function averagePool2d(x: Tensor, poolSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  return callAverage([x], { ...options, poolSize })
}

/** The largest value of each window of a sequence. Shape: [n, t, c] → [n, ot, c]; the stride defaults to the pool size. */
export function maxPool1d(x: Tensor, poolSize: number, options: Window1dOptions = {}): Tensor {
  return scope(() => squeeze(maxPool2d(expandDims(x, 1), [1, poolSize], flatWindow({ stride: poolSize, ...options })), 1))
}

/** The mean of each window of a sequence. Shape: [n, t, c] → [n, ot, c]; the stride defaults to the pool size. */
export function averagePool1d(x: Tensor, poolSize: number, options: Window1dOptions = {}): Tensor {
  return scope(() => squeeze(averagePool2d(expandDims(x, 1), [1, poolSize], flatWindow({ stride: poolSize, ...options })), 1))
}
