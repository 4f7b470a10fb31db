/** The gradient of a convolution by its filter, as an op of its own. So the derivative of `conv2d` has a derivative in turn. */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { type Shape, slidingWindow, type Window } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireWindowOptions } from '../requirements.js'
import type { WindowOptions } from './window.js'

type GradientOptions = WindowOptions & { kernelSize: readonly [number, number] }

const geometry = (x: Shape, { kernelSize, strides, padding, dilation }: GradientOptions): Window =>
  slidingWindow('conv2dFilterGradient', x, kernelSize, strides, padding, dilation)

const call = defineComposed<GradientOptions>({
  name: 'conv2dFilterGradient',
  compose: ([x, dY], options, ops) => {
    const window = geometry(x.shape, options)
    const [kh, kw] = options.kernelSize
    const [n, oh, ow, filters] = dY.shape
    const rows = ops.reshape(ops.unfoldWindows(x, window), [n * oh * ow, kh * kw * x.shape[3]])
    const dF = ops.matMul(rows, ops.reshape(dY, [n * oh * ow, filters]), { transposeA: true })
    return ops.reshape(dF, [kh, kw, x.shape[3], filters])
  },
  fused: {
    kernel: 'conv2dFilter',
    rule: 'dX = conv2dTranspose(dY, cotangent), d(dY) = conv2d(x, cotangent)',
    shape: ([x, dY], { kernelSize }) => ({ shape: [...kernelSize, x.shape[3], dY.shape[3]], dtype: x.dtype }),
    forward: (fused, out, [x, dY], options) => fused.conv2dFilter(out, x, dY, geometry(x.shape, options)),
    vjp: ({ dY: cotangent, options: { kernelSize: _, ...options } }, [x, dY], ops) => [
      () => ops.conv2dTranspose(dY, cotangent, [x.shape[1], x.shape[2]], options),
      () => ops.conv2d(x, cotangent, options),
    ],
  },
  samples: conv2dFilterGradientSamples(),
})

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
  const { outSize } = geometry(x.shape, { ...options, kernelSize })
  if (dY.rank !== 4 || dY.shape[0] !== x.shape[0] || dY.shape[1] !== outSize[0] || dY.shape[2] !== outSize[1]) {
    throw shapeError('conv2dFilterGradient', `a convolution of x gives [${[x.shape[0], ...outSize].join(', ')}, filters]`, [
      { name: 'x', shape: x.shape },
      { name: 'dY', shape: dY.shape },
    ])
  }
  return call([x, dY], { ...options, kernelSize })
}

function conv2dFilterGradientSamples(): Sample<GradientOptions>[] {
  return [
    sampleWith({ kernelSize: [3, 3] }, [2, 5, 5, 1], [2, 3, 3, 2]),
    sampleWith({ kernelSize: [2, 3], strides: [2, 1], padding: 'same' }, [1, 5, 4, 3], [1, 3, 4, 2]),
    sampleWith({ kernelSize: [2, 2], dilation: [2, 2] }, [1, 7, 7, 2], [1, 5, 5, 3]),
    sampleWith({ kernelSize: [2, 2] }, [0, 4, 4, 1], [0, 3, 3, 3]),
    sampleWith({ kernelSize: [3, 4], padding: 'same' }, [11, 9, 8, 5], [11, 9, 8, 13]),
  ]
}
