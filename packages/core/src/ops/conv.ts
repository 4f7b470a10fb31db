/** Convolution (correlation, as in all of deep learning: the filter is not flipped), channels last. */
import { defineComposed } from '../define-op.js'
import { requireDType } from '../dtype.js'
import { shapeError } from '../errors.js'
import { scope } from '../scope.js'
import { type Shape, slidingWindow, type Window } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { expandDims, reshape } from './move.js'
import type { WindowOptions } from './window.js'

const geometry = (x: Shape, filter: Shape, { strides, padding, dilation }: WindowOptions): Window =>
  slidingWindow('conv2d', x, [filter[0], filter[1]], strides, padding, dilation)

const call = defineComposed<WindowOptions>({
  name: 'conv2d',
  compose: ([x, filter], options, { unfoldWindows, matMul, reshape: re }) => {
    const [kh, kw, channels, filters] = filter.shape
    const window = geometry(x.shape, filter.shape, options)
    const rows = re(unfoldWindows(x, window), [x.shape[0] * window.outSize[0] * window.outSize[1], kh * kw * channels])
    const y = matMul(rows, re(filter, [kh * kw * channels, filters])) // [n·oh·ow, filters]
    return re(y, [x.shape[0], ...window.outSize, filters])
  },
  fused: {
    kernel: 'conv2d',
    rule: 'dX = fold(dY·Fᵀ), dF = unfold(X)ᵀ·dY',
    shape: ([x, filter], options) => ({
      shape: [x.shape[0], ...geometry(x.shape, filter.shape, options).outSize, filter.shape[3]],
      dtype: x.dtype,
    }),
    forward: (fused, out, [x, filter], options) => fused.conv2d(out, x, filter, geometry(x.shape, filter.shape, options)),
  },
  samples: [
    {
      inputs: [
        [2, 5, 5, 1],
        [3, 3, 1, 2],
      ],
      options: {},
    },
    {
      inputs: [
        [1, 5, 4, 3],
        [2, 3, 3, 2],
      ],
      options: { strides: [2, 1], padding: 'same' },
    },
    {
      inputs: [
        [1, 7, 7, 2],
        [2, 2, 2, 3],
      ],
      options: { dilation: [2, 2] },
    },
    {
      inputs: [
        [2, 3, 3, 2],
        [1, 1, 2, 4],
      ],
      options: {},
    },
    {
      inputs: [
        [0, 4, 4, 1],
        [2, 2, 1, 3],
      ],
      options: {},
    },
    {
      inputs: [
        [4, 12, 11, 3],
        [3, 3, 3, 5],
      ],
      options: { padding: 'same' },
    },
  ],
})

/**
 * 2-D convolution.
 *
 * Shape:    [n, h, w, c] ∗ [kh, kw, c, f] → [n, oh, ow, f]
 * Gradient: through unfold and matMul: dX = fold(dY·Fᵀ), dF = unfold(X)ᵀ·dY
 * Cost:     2·n·oh·ow·kh·kw·c·f flops
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 */
export function conv2d(x: Tensor, filter: Tensor, options: WindowOptions = {}): Tensor {
  requireDType('conv2d', 'x', x.dtype, ['float32', 'float64'])
  if (filter.rank !== 4 || x.rank !== 4 || x.shape[3] !== filter.shape[2]) {
    const channels = x.rank === 4 && filter.rank === 4
    throw shapeError(
      'conv2d',
      channels ? `channels differ (${x.shape[3]} vs ${filter.shape[2]})` : 'both x and the filter need 4 axes',
      [
        { name: 'x', shape: x.shape, bad: channels ? [3] : [] },
        { name: 'filter', shape: filter.shape, bad: channels ? [2] : [] },
      ],
      'x is [batch, height, width, channels], the filter [height, width, channels, filters].',
    )
  }
  return call([x, filter], options)
}

/** How a 1-D window slides. */
export interface Window1dOptions {
  stride?: number
  padding?: WindowOptions['padding']
  dilation?: number
}

/** The 2-D form of 1-D options, over an axis of size 1. */
export const flatWindow = ({ stride = 1, padding, dilation = 1 }: Window1dOptions): WindowOptions => ({
  strides: [1, stride],
  padding,
  dilation: [1, dilation],
})

/**
 * 1-D convolution, as a 2-D one of height 1. `causal` padding lets no output see later steps.
 *
 * Shape: [n, t, c] ∗ [k, c, f] → [n, ot, f]
 */
export function conv1d(x: Tensor, filter: Tensor, options: Window1dOptions = {}): Tensor {
  if (x.rank !== 3 || filter.rank !== 3) {
    throw shapeError('conv1d', 'both x and the filter need 3 axes', [
      { name: 'x', shape: x.shape },
      { name: 'filter', shape: filter.shape },
    ])
  }
  return scope(() => {
    const y = conv2d(expandDims(x, 1), expandDims(filter, 0), flatWindow(options))
    return reshape(y, [y.shape[0], y.shape[2], y.shape[3]])
  })
}
