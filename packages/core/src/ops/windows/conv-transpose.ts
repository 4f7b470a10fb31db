/**
 * Transposed convolution (Zeiler et al.: "Deconvolutional networks", 2010): the gradient of `conv2d` by its input. Each input cell adds its filter, times
 * the value of the cell, to the output.
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { requirePair, type Shape, slidingWindow, type Window } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireWindowOptions } from '../requirements.js'
import type { WindowOptions } from './window.js'

type TransposeOptions = WindowOptions & { size: readonly [number, number] }

/** The window of the convolution in the other direction, from the output to x. */
const geometry = (x: Shape, filter: Shape, { size, strides, padding, dilation }: TransposeOptions): Window =>
  slidingWindow('conv2dTranspose', [x[0], ...size, filter[2]], [filter[0], filter[1]], strides, padding, dilation)

const call = defineComposed<TransposeOptions>({
  name: 'conv2dTranspose',
  compose: ([x, filter], options, ops) => {
    const [n, h, w, channels] = x.shape
    const [kh, kw, filters] = filter.shape
    const window = geometry(x.shape, filter.shape, options)
    const rows = ops.matMul(ops.reshape(x, [n * h * w, channels]), ops.reshape(filter, [kh * kw * filters, channels]), { transposeB: true })
    return ops.foldWindows(ops.reshape(rows, [n, h, w, kh, kw, filters]), [n, ...options.size, filters], window)
  },
  fused: {
    kernel: 'conv2dInput',
    rule: 'dX = conv2d(dY, F), dF = conv2dFilterGradient(dY, X)',
    shape: ([x, filter], { size }) => ({ shape: [x.shape[0], ...size, filter.shape[2]], dtype: x.dtype }),
    forward: (fused, out, [x, filter], options) => fused.conv2dInput(out, x, filter, geometry(x.shape, filter.shape, options)),
    vjp: ({ dY, options: { size: _, ...options } }, [x, filter], ops) => [
      () => ops.conv2d(dY, filter, options),
      () => ops.conv2dFilterGradient(dY, x, [filter.shape[0], filter.shape[1]], options),
    ],
  },
  samples: conv2dTransposeSamples(),
})

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
  const { outSize } = geometry(x.shape, filter.shape, { ...options, size })
  if (outSize[0] !== x.shape[1] || outSize[1] !== x.shape[2]) {
    throw shapeError(
      'conv2dTranspose',
      `a convolution takes the size [${size.join(', ')}] to [${outSize.join(', ')}], not to x's [${x.shape[1]}, ${x.shape[2]}]`,
      operands,
    )
  }
  return call([x, filter], { ...options, size })
}

function conv2dTransposeSamples(): Sample<TransposeOptions>[] {
  return [
    sampleWith({ size: [5, 5] }, [2, 3, 3, 2], [3, 3, 1, 2]),
    sampleWith({ size: [4, 6], strides: [2, 2], padding: 'same' }, [1, 2, 3, 2], [3, 2, 3, 2]),
    sampleWith({ size: [5, 5], dilation: [2, 3] }, [1, 3, 2, 1], [2, 2, 2, 1]),
    sampleWith({ size: [3, 3] }, [0, 2, 2, 1], [2, 2, 3, 1]),
    sampleWith({ size: [14, 18], strides: [2, 2], padding: 'same' }, [2, 7, 9, 5], [3, 3, 6, 5]),
  ]
}
