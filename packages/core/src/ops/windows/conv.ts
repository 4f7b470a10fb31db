/** Convolution, channels last. As in all of deep learning it is a correlation: the filter is not flipped. */
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { add } from '../elementwise/binary.js'
import { relu } from '../elementwise/elementwise.js'
import {
  flatWindow,
  requireBias,
  requireFinish,
  requireFloats,
  requireGroups,
  requireWindow1d,
  requireWindowOptions,
} from '../requirements.js'
import { expandDims, reshape } from '../shape/move.js'
import { convolve, geometry } from './convolution.js'
import { groupedConv2d } from './grouped.js'
import type { WindowOptions } from './window.js'

const OWN_OPTIONS = ['bias', 'relu', 'groups'] as const

/** Additions that a convolution makes to its result in the same pass. */
export interface ConvFinish {
  /** One number for each filter, [f], added to the result. */
  bias?: Tensor
  /** Whether to take max(0, ·) of the result. */
  relu?: boolean
}

/** Into how many groups channels and filters are divided, if not one: each group of filters sees its own group of channels. */
export interface ConvGroups {
  groups?: number
}

/**
 * 2-D convolution: y[i, j, f] = Σ x[i·s + a, j·s + b, c]·filter[a, b, c, f], then bias and relu if asked for.
 *
 * Shape:    x [n, h, w, c], filter [kh, kw, c/groups, f], bias [f] → [n, oh, ow, f]
 * Gradient: dX = conv2dTranspose(dZ, filter), dFilter = conv2dFilterGradient(x, dZ), dBias = Σ dZ, where dZ = dY (with relu: where y > 0)
 * Cost:     2·n·oh·ow·kh·kw·c·f/groups flops
 *
 * @throws ShapeError if the channels do not meet, or the window is larger than the padded input.
 * @example
 * ```ts
 * const x = tensor([1, 2, 3, 4], { shape: [1, 1, 4, 1] })
 * const y = conv2d(x, tensor([1, -1], { shape: [1, 2, 1, 1] })) // [1, 1, 3, 1]
 * console.log(await y.flatten().array()) // [-1, -1, -1]
 * // With groups, filters 0 to 2 see channels 0 and 1, and so on.
 * const z = conv2d(ones([1, 4, 4, 6]), ones([3, 3, 2, 9]), { groups: 3 }) // [1, 2, 2, 9]
 * ```
 */
export function conv2d(x: Tensor, filter: Tensor, options: WindowOptions & ConvFinish & ConvGroups = {}): Tensor {
  requireFloats('conv2d', 'x', x)
  requireTensor('conv2d', 'the filter', filter)
  requireWindowOptions('conv2d', options, OWN_OPTIONS)
  const { bias, relu: rectified = false, groups = 1, ...window } = requireFinish('conv2d', options)
  if (filter.rank !== 4 || x.rank !== 4) {
    throw shapeError(
      'conv2d',
      'both x and the filter need 4 axes',
      [
        { name: 'x', shape: x.shape },
        { name: 'filter', shape: filter.shape },
      ],
      'x is [batch, height, width, channels], the filter [height, width, channels, filters].',
    )
  }
  requireGroups('conv2d', x, filter, groups)
  requireBias('conv2d', bias, filter)
  geometry(x.shape, filter.shape, window)
  if (groups > 1) {
    return scope(() => {
      const y = groupedConv2d([x, filter], { ...window, groups })
      const z = bias ? add(y, bias) : y
      return rectified ? relu(z) : z
    })
  }
  if (bias) return convolve([x, filter, bias], { ...window, relu: rectified })
  return rectified ? scope(() => relu(convolve([x, filter], window))) : convolve([x, filter], window)
}

/** How a 1-D window slides. */
export interface Window1dOptions {
  /** Steps from one position to the next; 1 by default, in pooling the pool size. */
  stride?: number
  /** As in `WindowOptions`. With `causal`, no output depends on later steps. */
  padding?: WindowOptions['padding']
  /** Distance between neighbouring cells of the window; 1 by default. */
  dilation?: number
}

/**
 * 1-D convolution along the steps t of a sequence. It is `conv2d` over an image of height 1.
 *
 * Shape:    x [n, t, c], filter [k, c/groups, f], bias [f] → [n, ot, f]
 * Gradient: as `conv2d`
 * Cost:     2·n·ot·k·c·f/groups flops
 *
 * @throws ShapeError if the channels do not meet, or the window is larger than the padded input.
 * @example
 * ```ts
 * const y = conv1d(ones([2, 10, 3]), ones([4, 3, 8]), { padding: 'causal' }) // [2, 10, 8]
 * ```
 */
export function conv1d(x: Tensor, filter: Tensor, options: Window1dOptions & ConvFinish & ConvGroups = {}): Tensor {
  requireFloats('conv1d', 'x', x)
  requireTensor('conv1d', 'the filter', filter)
  if (x.rank !== 3 || filter.rank !== 3) {
    throw shapeError('conv1d', 'both x and the filter need 3 axes', [
      { name: 'x', shape: x.shape },
      { name: 'filter', shape: filter.shape },
    ])
  }
  requireWindow1d('conv1d', x.shape, filter.shape[0], options, 1, OWN_OPTIONS)
  const { bias, relu, groups = 1, ...window } = requireFinish('conv1d', options)
  requireGroups('conv1d', x, filter, groups)
  requireBias('conv1d', bias, filter)
  return scope(() => {
    const y = conv2d(expandDims(x, 1), expandDims(filter, 0), { ...flatWindow(window), bias, relu, groups })
    return reshape(y, [y.shape[0], y.shape[2], y.shape[3]])
  })
}
