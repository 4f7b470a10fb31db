/** The gradient of a convolution by its filter, as an op of its own. So the derivative of `conv2d` has a derivative in turn. */
import { shapeError } from '../../errors.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireWindowOptions } from '../requirements.js'
import { filterGeometry, filterGradient } from './convolution.js'
import type { WindowOptions } from './window.js'

/**
 * The gradient of `conv2d` by its filter: the adjoint in the second argument, ⟨conv2d(x, F), dY⟩ = ⟨F, conv2dFilterGradient(x, dY)⟩.
 *
 * Shape:    x [n, h, w, c], dY [n, oh, ow, f] → [kh, kw, c, f]; a conv2d with these options must turn [h, w] into [oh, ow]
 * Gradient: dX = conv2dTranspose(dY, cotangent), d(dY) = conv2d(x, cotangent)
 * Cost:     2·n·oh·ow·kh·kw·c·f flops
 *
 * @throws ShapeError if dY does not have the shape of conv2d's output.
 * @example
 * ```ts
 * const dF = conv2dFilterGradient(ones([2, 5, 5, 1]), ones([2, 3, 3, 4]), [3, 3]) // [3, 3, 1, 4]
 * ```
 */
export function conv2dFilterGradient(x: Tensor, dY: Tensor, kernelSize: readonly [number, number], options: WindowOptions = {}): Tensor {
  requireFloats('conv2dFilterGradient', 'x', x)
  requireTensor('conv2dFilterGradient', 'dY', dY)
  requireWindowOptions('conv2dFilterGradient', options)
  const { outSize } = filterGeometry(x.shape, { ...options, kernelSize })
  if (dY.rank !== 4 || dY.shape[0] !== x.shape[0] || dY.shape[1] !== outSize[0] || dY.shape[2] !== outSize[1]) {
    throw shapeError('conv2dFilterGradient', `a convolution of x gives [${[x.shape[0], ...outSize].join(', ')}, filters]`, [
      { name: 'x', shape: x.shape },
      { name: 'dY', shape: dY.shape },
    ])
  }
  return filterGradient([x, dY], { ...options, kernelSize })
}
