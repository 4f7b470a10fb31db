/**
 * Convolution of images and its two adjoints as ops. Each one's derivatives are the other two:
 * y = conv2d(x, F) is linear in x (its adjoint there is conv2dTranspose) and linear in F (conv2dFilterGradient).
 * conv.ts, conv-transpose.ts and conv-filter-gradient.ts have the public functions, which check the arguments.
 */

import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { windowKernels } from '../../backends/families/windows.js'
import { type Shape, slidingWindow, type Window } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { foldWindows, unfoldWindows, type WindowOptions } from './window.js'

type ConvOptions = WindowOptions & { relu?: boolean }
type TransposeOptions = WindowOptions & { size: readonly [number, number] }
type GradientOptions = WindowOptions & { kernelSize: readonly [number, number] }

/** The three ops are each other's derivatives, so each has its type before the others are defined. */
type Run<O> = (inputs: readonly Tensor[], options: O) => Tensor

export const geometry = (x: Shape, filter: Shape, { strides, padding, dilation }: WindowOptions): Window =>
  slidingWindow('conv2d', x, [filter[0], filter[1]], strides, padding, dilation)

/** The window of the convolution in the other direction, from the output to x. */
export const transposedGeometry = (x: Shape, filter: Shape, { size, strides, padding, dilation }: TransposeOptions): Window =>
  slidingWindow('conv2dTranspose', [x[0], ...size, filter[2]], [filter[0], filter[1]], strides, padding, dilation)

export const filterGeometry = (x: Shape, { kernelSize, strides, padding, dilation }: GradientOptions): Window =>
  slidingWindow('conv2dFilterGradient', x, kernelSize, strides, padding, dilation)

// Inputs: x, the filter, and optionally the bias.
export const convolve: Run<ConvOptions> = defineComposed<ConvOptions>({
  name: 'conv2d',
  compose: ([x, filter, bias], options, ops) => {
    const [kh, kw, channels, filters] = filter.shape
    const window = geometry(x.shape, filter.shape, options)
    const rows = ops.reshape(unfoldWindows(x, window), [x.shape[0] * window.outSize[0] * window.outSize[1], kh * kw * channels])
    const y = ops.matMul(rows, ops.reshape(filter, [kh * kw * channels, filters])) // [n·oh·ow, filters]
    const z = bias ? ops.add(y, bias) : y
    return ops.reshape(options.relu ? ops.relu(z) : z, [x.shape[0], ...window.outSize, filters])
  },
  fused: {
    family: windowKernels,
    kernel: 'conv2d',
    rule: 'dZ = dY (with relu: where y > 0), dX = conv2dTranspose(dZ, F), dF = conv2dFilterGradient(X, dZ), dB = Σ dZ',
    shape: ([x, filter], options) => ({
      shape: [x.shape[0], ...geometry(x.shape, filter.shape, options).outSize, filter.shape[3]],
      dtype: x.dtype,
    }),
    forward: (fused, out, [x, filter, bias], { relu = false, ...options }) =>
      fused.conv2d(out, x, filter, bias, geometry(x.shape, filter.shape, options), relu),
    vjp: ({ dY, y, options: { relu, ...options } }, [x, filter, bias], ops) => {
      let gated: Tensor | undefined
      const dZ = (): Tensor => {
        gated ??= relu ? ops.gate(dY, y) : dY
        return gated
      }
      return [
        () => transposed([dZ(), filter], { ...options, size: [x.shape[1], x.shape[2]] }),
        () => filterGradient([x, dZ()], { ...options, kernelSize: [filter.shape[0], filter.shape[1]] }),
        ...(bias ? [() => ops.sum(dZ(), { axis: [0, 1, 2] })] : []),
      ]
    },
  },
  samples: conv2dSamples(),
})

export const transposed: Run<TransposeOptions> = defineComposed<TransposeOptions>({
  name: 'conv2dTranspose',
  compose: ([x, filter], options, ops) => {
    const [n, h, w, channels] = x.shape
    const [kh, kw, filters] = filter.shape
    const window = transposedGeometry(x.shape, filter.shape, options)
    const rows = ops.matMul(ops.reshape(x, [n * h * w, channels]), ops.reshape(filter, [kh * kw * filters, channels]), { transposeB: true })
    return foldWindows(ops.reshape(rows, [n, h, w, kh, kw, filters]), [n, ...options.size, filters], window)
  },
  fused: {
    family: windowKernels,
    kernel: 'conv2dInput',
    rule: 'dX = conv2d(dY, F), dF = conv2dFilterGradient(dY, X)',
    shape: ([x, filter], { size }) => ({ shape: [x.shape[0], ...size, filter.shape[2]], dtype: x.dtype }),
    forward: (fused, out, [x, filter], options) => fused.conv2dInput(out, x, filter, transposedGeometry(x.shape, filter.shape, options)),
    vjp: ({ dY, options: { size: _, ...options } }, [x, filter]) => [
      () => convolve([dY, filter], options),
      () => filterGradient([dY, x], { ...options, kernelSize: [filter.shape[0], filter.shape[1]] }),
    ],
  },
  samples: conv2dTransposeSamples(),
})

export const filterGradient: Run<GradientOptions> = defineComposed<GradientOptions>({
  name: 'conv2dFilterGradient',
  compose: ([x, dY], options, ops) => {
    const window = filterGeometry(x.shape, options)
    const [kh, kw] = options.kernelSize
    const [n, oh, ow, filters] = dY.shape
    const rows = ops.reshape(unfoldWindows(x, window), [n * oh * ow, kh * kw * x.shape[3]])
    const dF = ops.matMul(rows, ops.reshape(dY, [n * oh * ow, filters]), { transposeA: true })
    return ops.reshape(dF, [kh, kw, x.shape[3], filters])
  },
  fused: {
    family: windowKernels,
    kernel: 'conv2dFilter',
    rule: 'dX = conv2dTranspose(dY, cotangent), d(dY) = conv2d(x, cotangent)',
    shape: ([x, dY], { kernelSize }) => ({ shape: [...kernelSize, x.shape[3], dY.shape[3]], dtype: x.dtype }),
    forward: (fused, out, [x, dY], options) => fused.conv2dFilter(out, x, dY, filterGeometry(x.shape, options)),
    vjp: ({ dY: cotangent, options: { kernelSize: _, ...options } }, [x, dY]) => [
      () => transposed([dY, cotangent], { ...options, size: [x.shape[1], x.shape[2]] }),
      () => convolve([x, cotangent], options),
    ],
  },
  samples: conv2dFilterGradientSamples(),
})

function conv2dSamples(): Sample<ConvOptions>[] {
  return [
    sampleWith({}, [2, 5, 5, 1], [3, 3, 1, 2]),
    sampleWith({ strides: [2, 1], padding: 'same' }, [1, 5, 4, 3], [2, 3, 3, 2]),
    sampleWith({ dilation: [2, 2] }, [1, 7, 7, 2], [2, 2, 2, 3]),
    sampleWith({}, [2, 3, 3, 2], [1, 1, 2, 4]),
    sampleWith({}, [0, 4, 4, 1], [2, 2, 1, 3]),
    sampleWith({ padding: 'same' }, [4, 12, 11, 3], [3, 3, 3, 5]),
    sampleWith({ strides: [1, 2], relu: true }, [2, 6, 5, 3], [3, 2, 3, 4], [4]),
    sampleWith({ padding: 'same' }, [3, 9, 8, 1], [5, 5, 1, 13], [13]),
    sampleWith({ padding: 'same', relu: true }, [2, 10, 9, 8], [3, 3, 8, 12], [12]),
    sampleWith({ padding: 'causal', dilation: [2, 2] }, [1, 8, 9, 2], [3, 3, 2, 5], [5]),
  ]
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

function conv2dFilterGradientSamples(): Sample<GradientOptions>[] {
  return [
    sampleWith({ kernelSize: [3, 3] }, [2, 5, 5, 1], [2, 3, 3, 2]),
    sampleWith({ kernelSize: [2, 3], strides: [2, 1], padding: 'same' }, [1, 5, 4, 3], [1, 3, 4, 2]),
    sampleWith({ kernelSize: [2, 2], dilation: [2, 2] }, [1, 7, 7, 2], [1, 5, 5, 3]),
    sampleWith({ kernelSize: [2, 2] }, [0, 4, 4, 1], [0, 3, 3, 3]),
    sampleWith({ kernelSize: [3, 4], padding: 'same' }, [11, 9, 8, 5], [11, 9, 8, 13]),
  ]
}
