/**
 * Transposed convolution (Zeiler et al.: "Deconvolutional networks", 2010): the gradient of `conv2d` by its input. Each input cell adds its filter, times
 * the value of the cell, to the output.
 */
import { shapeError } from '../../errors.js'
import { requirePair } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireWindowOptions } from '../requirements.js'
import { transposed, transposedGeometry } from './convolution.js'
import type { WindowOptions } from './window.js'

/**
 * Transposed convolution: the adjoint of `conv2d` in its first argument, ⟨conv2d(y, F), x⟩ = ⟨y, conv2dTranspose(x, F)⟩.
 *
 * Shape:    x [n, h, w, c], filter [kh, kw, f, c] → [n, ..size, f]; a conv2d with these options must turn `size` into [h, w]
 * Gradient: dX = conv2d(dY, filter), dFilter = conv2dFilterGradient(dY, x)
 * Cost:     2·n·h·w·kh·kw·c·f flops
 *
 * @throws ShapeError if the channels differ, or conv2d turns `size` into another size than [h, w].
 * @example
 * ```ts
 * const y = conv2dTranspose(ones([1, 3, 3, 4]), ones([3, 3, 2, 4]), [5, 5]) // [1, 5, 5, 2]
 * ```
 */
export function conv2dTranspose(x: Tensor, filter: Tensor, size: readonly [number, number], options: WindowOptions = {}): Tensor {
  requireFloats('conv2dTranspose', 'x', x)
  requireTensor('conv2dTranspose', 'the filter', filter)
  requirePair('conv2dTranspose', 'size', size, 0)
  requireWindowOptions('conv2dTranspose', options)
  const operands = [
    { name: 'x', shape: x.shape },
    { name: 'filter', shape: filter.shape },
  ]
  if (filter.rank !== 4 || x.rank !== 4 || x.shape[3] !== filter.shape[3]) {
    throw shapeError(
      'conv2dTranspose',
      x.rank === 4 && filter.rank === 4 ? `channels differ (${x.shape[3]} vs ${filter.shape[3]})` : 'both x and the filter need 4 axes',
      operands,
      'x is [batch, height, width, channels], the filter [height, width, filters, channels].',
    )
  }
  const { outSize } = transposedGeometry(x.shape, filter.shape, { ...options, size })
  if (outSize[0] !== x.shape[1] || outSize[1] !== x.shape[2]) {
    throw shapeError(
      'conv2dTranspose',
      `a convolution takes the size [${size.join(', ')}] to [${outSize.join(', ')}], not to x's [${x.shape[1]}, ${x.shape[2]}]`,
      operands,
    )
  }
  return transposed([x, filter], { ...options, size })
}
