/** Convolution of each channel by itself (Chollet: "Xception", 2017), channels last. */
import { defineComposed } from '../define-op.js'
import { requireDType } from '../dtype.js'
import { shapeError } from '../errors.js'
import { type Shape, slidingWindow, type Window } from '../shape.js'
import type { Tensor } from '../tensor.js'
import type { WindowOptions } from './window.js'

const geometry = (x: Shape, filter: Shape, { strides, padding, dilation }: WindowOptions): Window =>
  slidingWindow('depthwiseConv2d', x, [filter[0], filter[1]], strides, padding, dilation)

const call = defineComposed<WindowOptions>({
  name: 'depthwiseConv2d',
  compose: ([x, filter], options, { unfoldWindows, reshape, mul, sum }) => {
    const [kh, kw, channels, multiplier] = filter.shape
    const window = geometry(x.shape, filter.shape, options)
    const positions = x.shape[0] * window.outSize[0] * window.outSize[1]
    const cells = reshape(unfoldWindows(x, window), [positions, kh * kw, channels, 1])
    const y = sum(mul(cells, reshape(filter, [kh * kw, channels, multiplier])), { axis: 1 }) // [n·oh·ow, c, m]
    return reshape(y, [x.shape[0], ...window.outSize, channels * multiplier])
  },
  samples: [
    {
      inputs: [
        [2, 4, 5, 3],
        [3, 2, 3, 2],
      ],
      options: {},
    },
    {
      inputs: [
        [1, 5, 4, 2],
        [3, 3, 2, 1],
      ],
      options: { strides: [2, 1], padding: 'same' },
    },
    {
      inputs: [
        [1, 6, 6, 1],
        [2, 2, 1, 3],
      ],
      options: { dilation: [2, 3] },
    },
    {
      inputs: [
        [0, 4, 4, 2],
        [2, 2, 2, 1],
      ],
      options: {},
    },
    {
      inputs: [
        [3, 13, 11, 7],
        [3, 3, 7, 1],
      ],
      options: { padding: 'same' },
    },
  ],
})

/**
 * 2-D convolution of every channel with filters of its own: output channel c·m + j is input channel c with its filter j.
 *
 * Shape:    [n, h, w, c] ∗ [kh, kw, c, m] → [n, oh, ow, c·m]
 * Gradient: through unfold, product and sum
 * Cost:     2·n·oh·ow·kh·kw·c·m flops
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 */
export function depthwiseConv2d(x: Tensor, filter: Tensor, options: WindowOptions = {}): Tensor {
  requireDType('depthwiseConv2d', 'x', x.dtype, ['float32', 'float64'])
  if (filter.rank !== 4 || x.rank !== 4 || x.shape[3] !== filter.shape[2]) {
    const channels = x.rank === 4 && filter.rank === 4
    throw shapeError(
      'depthwiseConv2d',
      channels ? `channels differ (${x.shape[3]} vs ${filter.shape[2]})` : 'both x and the filter need 4 axes',
      [
        { name: 'x', shape: x.shape, bad: channels ? [3] : [] },
        { name: 'filter', shape: filter.shape, bad: channels ? [2] : [] },
      ],
      'x is [batch, height, width, channels], the filter [height, width, channels, filters of each channel].',
    )
  }
  return call([x, filter], options)
}
