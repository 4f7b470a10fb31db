/**
 * Windows that slide over images. `unfold` (im2col) lays out every window as a block; its adjoint `fold` (col2im) adds the blocks back. Convolution and
 * pooling are composed of the two.
 */

import { requireNumeric, requireOptions } from '../../arguments.js'
import { defineOp } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { windowKernels } from '../../backends/families/windows.js'
import { shapeError } from '../../errors.js'
import { requireDType } from '../../tensor/dtype.js'
import { checkShape, type Padding, requirePair, type Shape, sameShape, slidingWindow, type Window } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireWindowOptions } from '../requirements.js'

/** How a 2-D window slides. */
export interface WindowOptions {
  /** Steps down and across; [1, 1] by default. */
  strides?: readonly [number, number]
  /**
   * `valid` (default): only whole windows, no padding. `same`: zeros around x, so that there are ⌈n/stride⌉ positions; an odd row or column of zeros
   * goes at the end. `causal`: zeros before the first row and column alone.
   */
  padding?: Padding
  /** Distance between neighbouring cells of a window, down and across; [1, 1] by default. */
  dilation?: readonly [number, number]
}

const windows: [Shape, readonly [number, number], WindowOptions][] = [
  [[2, 5, 5, 2], [3, 3], {}],
  [[1, 4, 5, 1], [2, 3], { strides: [2, 1], padding: 'same' }],
  [[1, 7, 6, 3], [2, 2], { dilation: [2, 3] }],
  [[2, 3, 3, 1], [1, 1], { strides: [2, 2] }],
  [[0, 4, 4, 1], [2, 2], {}],
  [[1, 1, 8, 2], [1, 3], { padding: 'causal' }],
  [[8, 13, 14, 5], [3, 2], { padding: 'same' }],
]
const windowOf = ([shape, kernel, { strides, padding, dilation }]: (typeof windows)[number]): Window =>
  slidingWindow('unfold', shape, kernel, strides, padding, dilation)

const windowShape = (x: Shape, window: Window): Shape => [x[0], ...window.outSize, ...window.kernelSize, x[3]]

/** The two ops are each other's derivatives, so each has its type before the other is defined. */
type Run<O> = (inputs: readonly Tensor[], options: O) => Tensor

const callUnfold: Run<{ window: Window; fill: number }> = defineOp<{ window: Window; fill: number }>({
  name: 'unfold',
  rule: 'dX = fold(dY)',
  shape: ([x], { window }) => {
    requireDType('unfold', 'x', x.dtype, ['float32', 'float64'])
    if (x.shape.length !== 4) throw shapeError('unfold', 'x must have 4 axes [n, h, w, c]', [{ name: 'x', shape: x.shape }])
    return { shape: windowShape(x.shape, window), dtype: x.dtype }
  },
  family: windowKernels,
  forward: (k, out, [x], { window, fill }) => k.unfold(out, x, window, fill),
  vjp: ({ dY, options: { window } }, [x]) => [() => callFold([dY], { shape: x.shape, window })],
  jvp: ({ options: { window } }) => [(v) => callUnfold([v], { window, fill: 0 })],
  samples: windows.map(
    (row): Sample<{ window: Window; fill: number }> => ({ inputs: [row[0]], options: { window: windowOf(row), fill: 0 } }),
  ),
})

const callFold: Run<{ shape: Shape; window: Window }> = defineOp<{ shape: Shape; window: Window }>({
  name: 'fold',
  rule: 'dX = unfold(dY)',
  shape: ([x], { shape, window }) => {
    requireDType('fold', 'x', x.dtype, ['float32', 'float64'])
    const expected = windowShape(shape, window)
    if (shape.length !== 4 || !sameShape(x.shape, expected)) {
      throw shapeError('fold', 'x must hold the windows of the shape', [
        { name: 'x', shape: x.shape },
        { name: 'expected', shape: expected },
      ])
    }
    return { shape, dtype: x.dtype }
  },
  family: windowKernels,
  forward: (k, out, [x], { window }) => k.fold(out, x, window),
  vjp: ({ dY, options: { window } }) => [() => callUnfold([dY], { window, fill: 0 })],
  linear: true,
  samples: windows.map((row) => ({ inputs: [windowShape(row[0], windowOf(row))], options: { shape: row[0], window: windowOf(row) } })),
})

/**
 * @internal `unfold` with a window that is already worked out; cells outside x are `fill`.
 *
 * Shape:    [n, h, w, c] → [n, oh, ow, kh, kw, c]
 * Gradient: dX = fold(dY)
 */
export function unfoldWindows(x: Tensor, window: Window, fill = 0): Tensor {
  requireTensor('unfoldWindows', 'x', x)
  requireWindow('unfoldWindows', window)
  requireNumeric('unfoldWindows', 'fill', fill)
  return callUnfold([x], { window, fill })
}
/**
 * @internal `fold` with a window that is already worked out.
 *
 * Shape:    [n, oh, ow, kh, kw, c] → the given shape [n, h, w, c]
 * Gradient: dX = unfold(dY)
 */
export function foldWindows(x: Tensor, shape: Shape, window: Window): Tensor {
  requireTensor('foldWindows', 'x', x)
  checkShape('foldWindows', shape)
  requireWindow('foldWindows', window)
  return callFold([x], { shape, window })
}

/** Throws unless the value is a window as `slidingWindow` makes it. */
function requireWindow(op: string, window: unknown): void {
  requireOptions(op, window ?? null, WINDOW_KEYS)
  const { kernelSize, strides, dilation, padBefore, outSize } = window as Window
  requirePair(op, 'kernelSize', kernelSize, 1)
  requirePair(op, 'strides', strides, 1)
  requirePair(op, 'dilation', dilation, 1)
  requirePair(op, 'padBefore', padBefore, 0)
  requirePair(op, 'outSize', outSize, 0)
}
const WINDOW_KEYS = ['kernelSize', 'strides', 'dilation', 'padBefore', 'outSize'] as const

/**
 * Every window of x as a block (im2col). Cells outside x are 0.
 *
 * Shape:    [n, h, w, c] → [n, oh, ow, kh, kw, c]
 * Gradient: dX = fold(dY)
 *
 * @throws ShapeError if the window is larger than the padded input.
 * @example
 * ```ts
 * const blocks = unfold(ones([1, 3, 3, 1]), [2, 2]) // [1, 2, 2, 2, 2, 1]
 * ```
 */
export function unfold(x: Tensor, kernelSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  requireTensor('unfold', 'x', x)
  requireWindowOptions('unfold', options)
  const { strides, padding, dilation } = options
  return unfoldWindows(x, slidingWindow('unfold', x.shape, kernelSize, strides, padding, dilation))
}

/**
 * Adds blocks of windows to the places they came from (col2im): the adjoint of `unfold`. `size` is [h, w] of the result.
 *
 * Shape:    [n, oh, ow, kh, kw, c] → [n, h, w, c]
 * Gradient: dX = unfold(dY)
 *
 * @throws ShapeError if `unfold` of an image of this size gives other blocks.
 * @example
 * ```ts
 * const counts = fold(unfold(ones([1, 1, 3, 1]), [1, 2]), [1, 3])
 * console.log(await counts.flatten().array()) // [1, 2, 1]
 * ```
 */
export function fold(x: Tensor, size: readonly [number, number], options: WindowOptions = {}): Tensor {
  requireTensor('fold', 'x', x)
  requirePair('fold', 'size', size, 0)
  requireWindowOptions('fold', options)
  const { strides, padding, dilation } = options
  if (x.rank !== 6) throw shapeError('fold', `x must have 6 axes [n, oh, ow, kh, kw, c], got ${x.rank}`, [{ name: 'x', shape: x.shape }])
  const shape = [x.shape[0], size[0], size[1], x.shape[5]]
  const window = slidingWindow('fold', shape, [x.shape[3], x.shape[4]], strides, padding, dilation)
  const expected = windowShape(shape, window)
  const bad = [1, 2].filter((axis) => x.shape[axis] !== expected[axis])
  if (bad.length > 0) {
    throw shapeError('fold', `size [${size.join(', ')}] has ${window.outSize.join(' × ')} window positions`, [
      { name: 'x', shape: x.shape, bad },
      { name: 'expected', shape: expected, bad },
    ])
  }
  return foldWindows(x, shape, window)
}
