/** Convolution of each channel by itself along one axis, and separable convolutions: that, and then a convolution of one cell that mixes channels. */
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { slidingWindow } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { flatWindow, requireBias, requireFinish, requireFloats, requireWindow1d, requireWindowOptions } from '../requirements.js'
import { expandDims, squeeze } from '../shape/move.js'
import { type ConvFinish, conv1d, conv2d, type Window1dOptions } from './conv.js'
import { depthwiseConv2d } from './depthwise.js'
import type { WindowOptions } from './window.js'

/**
 * 1-D convolution of every channel with filters of its own: output channel c·m + j is input channel c with its filter j.
 *
 * Shape:    [n, t, c] ∗ [k, c, m] → [n, ot, c·m]
 * Gradient: as `depthwiseConv2d`
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 * @example
 * ```ts
 * const y = depthwiseConv1d(ones([1, 6, 3]), ones([2, 3, 4]), { stride: 2 })   // [1, 3, 12]
 * ```
 */
export function depthwiseConv1d(x: Tensor, filter: Tensor, options: Window1dOptions = {}): Tensor {
  requireDepthwise('depthwiseConv1d', x, filter, 1)
  requireWindow1d('depthwiseConv1d', x.shape, filter.shape[0], options, 1)
  return scope(() => squeeze(depthwiseConv2d(expandDims(x, 1), expandDims(filter, 0), flatWindow(options)), 1))
}

/**
 * A separable convolution of sequences (Chollet: "Xception", 2017), plus a bias and relu where asked for.
 *
 * Shape:    [n, t, c] ∗ [k, c, m] ∗ [1, c·m, f] → [n, ot, f]
 * Gradient: that of the two convolutions
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 * @example
 * ```ts
 * const y = separableConv1d(ones([1, 6, 3]), ones([2, 3, 1]), ones([1, 3, 8]), { padding: 'causal' })   // [1, 6, 8]
 * ```
 */
export function separableConv1d(x: Tensor, depthwise: Tensor, pointwise: Tensor, options: Window1dOptions & ConvFinish = {}): Tensor {
  requireDepthwise('separableConv1d', x, depthwise, 1)
  requireWindow1d('separableConv1d', x.shape, depthwise.shape[0], options, 1, ['bias', 'relu'])
  const { bias, relu, ...window } = requireFinish('separableConv1d', options)
  requirePointwise('separableConv1d', depthwise, pointwise, bias)
  return scope(() => conv1d(depthwiseConv1d(x, depthwise, window), pointwise, { bias, relu }))
}

/**
 * A separable convolution of images (Chollet: "Xception", 2017), plus a bias and relu where asked for.
 *
 * Shape:    [n, h, w, c] ∗ [kh, kw, c, m] ∗ [1, 1, c·m, f] → [n, oh, ow, f]
 * Gradient: that of the two convolutions
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 * @example
 * ```ts
 * const y = separableConv2d(ones([1, 6, 6, 3]), ones([3, 3, 3, 1]), ones([1, 1, 3, 8]), { padding: 'same' })   // [1, 6, 6, 8]
 * ```
 */
export function separableConv2d(x: Tensor, depthwise: Tensor, pointwise: Tensor, options: WindowOptions & ConvFinish = {}): Tensor {
  requireDepthwise('separableConv2d', x, depthwise, 2)
  requireWindowOptions('separableConv2d', options, ['bias', 'relu'])
  const { bias, relu, ...window } = requireFinish('separableConv2d', options)
  requirePointwise('separableConv2d', depthwise, pointwise, bias)
  const [kh, kw] = depthwise.shape
  slidingWindow('separableConv2d', x.shape, [kh, kw], window.strides, window.padding, window.dilation)
  return scope(() => conv2d(depthwiseConv2d(x, depthwise, window), pointwise, { bias, relu }))
}

/** Throws unless x is [n, ..sizes, c] and the filter [..kernel, c, m], with `axes` sizes. */
function requireDepthwise(op: string, x: Tensor, filter: Tensor, axes: number): void {
  requireFloats(op, 'x', x)
  requireTensor(op, 'the depthwise filter', filter)
  const ranks = x.rank === axes + 2 && filter.rank === axes + 2
  if (ranks && x.shape[axes + 1] === filter.shape[axes]) return
  throw shapeError(
    op,
    ranks ? `channels differ (${x.shape[axes + 1]} vs ${filter.shape[axes]})` : `both x and the filter need ${axes + 2} axes`,
    [
      { name: 'x', shape: x.shape, bad: ranks ? [-1] : [] },
      { name: 'filter', shape: filter.shape, bad: ranks ? [-2] : [] },
    ],
    'Channels are the last axis of x and the last but one of the filter, whose last axis is the filters of each channel.',
  )
}

/** Throws unless the pointwise filter is [1.., c·m, f] for a depthwise one of [.., c, m], and the bias fits it. */
function requirePointwise(op: string, depthwise: Tensor, pointwise: Tensor, bias: Tensor | undefined): void {
  requireTensor(op, 'the pointwise filter', pointwise)
  const [channels, multiplier] = depthwise.shape.slice(-2)
  const one = pointwise.shape.slice(0, -2).every((n) => n === 1)
  if (depthwise.rank !== pointwise.rank || !one || pointwise.shape[pointwise.rank - 2] !== channels * multiplier) {
    throw shapeError(op, 'the pointwise filter needs one cell, and a channel for each filter of the depthwise one', [
      { name: 'depthwise', shape: depthwise.shape },
      { name: 'pointwise', shape: pointwise.shape },
    ])
  }
  requireBias(op, bias, pointwise)
}
