/**
 * Convolution of each channel by itself (Chollet: "Xception", 2017), channels last, and its two adjoints. These three ops take one filter for each channel,
 * [kh, kw, c]. For several, `depthwiseConv2d` first repeats x along its channels.
 */

import { defineComposed } from '../../autodiff/dispatch.js'
import type { Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { windowKernels } from '../../backends/families/windows.js'
import { shapeError } from '../../errors.js'
import { type Shape, slidingWindow, type Window } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats, requireWindowOptions } from '../requirements.js'
import { foldWindows, unfoldWindows, type WindowOptions } from './window.js'

type KernelOptions = WindowOptions & { kernelSize: readonly [number, number] }
type InputOptions = WindowOptions & { size: readonly [number, number] }

/** The three ops are each other's derivatives, so each is declared before the others are defined. */
type Run<O> = (inputs: readonly Tensor[], options: O) => Tensor

const geometry = (op: string, x: Shape, kernel: Shape, { strides, padding, dilation }: WindowOptions): Window =>
  slidingWindow(op, x, [kernel[0], kernel[1]], strides, padding, dilation)

const cases: { x: Shape; filter: Shape; options: WindowOptions }[] = [
  { x: [2, 4, 5, 3], filter: [3, 2, 3], options: {} },
  { x: [1, 5, 4, 2], filter: [3, 3, 2], options: { strides: [2, 1], padding: 'same' } },
  { x: [1, 6, 6, 1], filter: [2, 2, 1], options: { dilation: [2, 3] } },
  { x: [1, 5, 6, 5], filter: [3, 2, 5], options: { dilation: [2, 1], padding: 'causal' } },
  { x: [0, 4, 4, 2], filter: [2, 2, 2], options: {} },
  { x: [3, 13, 11, 7], filter: [3, 3, 7], options: { padding: 'same' } },
]
const outputOf = ({ x, filter, options }: (typeof cases)[number]): Shape => [
  x[0],
  ...geometry('depthwise', x, filter, options).outSize,
  x[3],
]

/** Rows of windows with their cells on axis 1: [n·oh·ow, kh·kw, c]. */
const cellShape = (n: number, { outSize, kernelSize }: Window, c: number): Shape => [
  n * outSize[0] * outSize[1],
  kernelSize[0] * kernelSize[1],
  c,
]

const callForward: Run<WindowOptions> = defineComposed<WindowOptions>({
  name: 'depthwise',
  compose: ([x, filter], options, ops) => {
    const window = geometry('depthwise', x.shape, filter.shape, options)
    const shape = cellShape(x.shape[0], window, x.shape[3])
    const y = ops.sum(ops.mul(ops.reshape(unfoldWindows(x, window), shape), ops.reshape(filter, shape.slice(1))), { axis: 1 })
    return ops.reshape(y, [x.shape[0], ...window.outSize, x.shape[3]])
  },
  fused: {
    family: windowKernels,
    kernel: 'depthwiseConv2d',
    rule: 'dX = depthwiseInputGradient(dY, F), dF = depthwiseFilterGradient(X, dY)',
    shape: ([x, filter], options) => ({
      shape: [x.shape[0], ...geometry('depthwise', x.shape, filter.shape, options).outSize, x.shape[3]],
      dtype: x.dtype,
    }),
    forward: (fused, out, [x, filter], options) =>
      fused.depthwiseConv2d(out, x, filter, geometry('depthwise', x.shape, filter.shape, options)),
    vjp: ({ dY, options }, [x, filter]) => [
      () => callInput([dY, filter], { ...options, size: [x.shape[1], x.shape[2]] }),
      () => callFilter([x, dY], { ...options, kernelSize: [filter.shape[0], filter.shape[1]] }),
    ],
  },
  samples: cases.map(({ x, filter, options }) => ({ inputs: [x, filter], options })),
})

const imageShape = (dY: { shape: Shape }, size: Shape): Shape => [dY.shape[0], ...size, dY.shape[3]]

const callInput: Run<InputOptions> = defineComposed<InputOptions>({
  name: 'depthwiseInputGradient',
  compose: ([dY, filter], { size, ...options }, ops) => {
    const shape = imageShape(dY, size)
    const window = geometry('depthwiseInputGradient', shape, filter.shape, options)
    const [positions, cells, c] = cellShape(dY.shape[0], window, dY.shape[3])
    const windows = ops.mul(ops.reshape(dY, [positions, 1, c]), ops.reshape(filter, [cells, c]))
    return foldWindows(ops.reshape(windows, [dY.shape[0], ...window.outSize, ...window.kernelSize, c]), shape, window)
  },
  fused: {
    family: windowKernels,
    kernel: 'depthwiseConv2dInput',
    rule: 'd(dY) = depthwise(cotangent, F), dF = depthwiseFilterGradient(cotangent, dY)',
    shape: ([dY], { size }) => ({ shape: imageShape(dY, size), dtype: dY.dtype }),
    forward: (fused, out, [dY, filter], { size: _, ...options }) =>
      fused.depthwiseConv2dInput(out, dY, filter, geometry('depthwiseInputGradient', out.shape, filter.shape, options)),
    vjp: ({ dY: cotangent, options: { size: _, ...options } }, [dY, filter]) => [
      () => callForward([cotangent, filter], options),
      () => callFilter([cotangent, dY], { ...options, kernelSize: [filter.shape[0], filter.shape[1]] }),
    ],
  },
  samples: cases.map(
    (row): Sample<InputOptions> => ({
      inputs: [outputOf(row), row.filter],
      options: { ...row.options, size: [row.x[1], row.x[2]] },
    }),
  ),
})

const callFilter: Run<KernelOptions> = defineComposed<KernelOptions>({
  name: 'depthwiseFilterGradient',
  compose: ([x, dY], { kernelSize, ...options }, ops) => {
    const window = geometry('depthwiseFilterGradient', x.shape, kernelSize, options)
    const [positions, cells, c] = cellShape(x.shape[0], window, x.shape[3])
    const products = ops.mul(ops.reshape(unfoldWindows(x, window), [positions, cells, c]), ops.reshape(dY, [positions, 1, c]))
    return ops.reshape(ops.sum(products, { axis: 0 }), [...kernelSize, c])
  },
  fused: {
    family: windowKernels,
    kernel: 'depthwiseConv2dFilter',
    rule: 'dX = depthwiseInputGradient(dY, cotangent), d(dY) = depthwise(x, cotangent)',
    shape: ([x], { kernelSize }) => ({ shape: [...kernelSize, x.shape[3]], dtype: x.dtype }),
    forward: (fused, out, [x, dY], { kernelSize, ...options }) =>
      fused.depthwiseConv2dFilter(out, x, dY, geometry('depthwiseFilterGradient', x.shape, kernelSize, options)),
    vjp: ({ dY: cotangent, options: { kernelSize: _, ...options } }, [x, dY]) => [
      () => callInput([dY, cotangent], { ...options, size: [x.shape[1], x.shape[2]] }),
      () => callForward([x, cotangent], options),
    ],
  },
  samples: cases.map(
    (row): Sample<KernelOptions> => ({
      inputs: [row.x, outputOf(row)],
      options: { ...row.options, kernelSize: [row.filter[0], row.filter[1]] },
    }),
  ),
})

const call = defineComposed<WindowOptions>({
  name: 'depthwiseConv2d',
  compose: ([x, filter], options, ops) => {
    const [kh, kw, channels, multiplier] = filter.shape
    const filters = ops.reshape(filter, [kh, kw, channels * multiplier])
    if (multiplier === 1) return callForward([x, filters], options)
    const [n, h, w] = x.shape
    const repeated = ops.broadcastTo(ops.reshape(x, [n, h, w, channels, 1]), [n, h, w, channels, multiplier])
    return callForward([ops.reshape(repeated, [n, h, w, channels * multiplier]), filters], options)
  },
  samples: depthwiseConv2dSamples(),
})

/**
 * 2-D convolution of each channel with filters of its own: output channel c·m + j is input channel c with its filter j.
 *
 * Shape:    x [n, h, w, c], filter [kh, kw, c, m] → [n, oh, ow, c·m]
 * Gradient: channel by channel as `conv2d`
 * Cost:     2·n·oh·ow·kh·kw·c·m flops
 *
 * @throws ShapeError if the channels differ, or the window is larger than the padded input.
 * @example
 * ```ts
 * const y = depthwiseConv2d(ones([1, 5, 5, 3]), ones([3, 3, 3, 2])) // [1, 3, 3, 6]
 * ```
 */
export function depthwiseConv2d(x: Tensor, filter: Tensor, options: WindowOptions = {}): Tensor {
  requireFloats('depthwiseConv2d', 'x', x)
  requireTensor('depthwiseConv2d', 'the filter', filter)
  requireWindowOptions('depthwiseConv2d', options)
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
  geometry('depthwiseConv2d', x.shape, filter.shape, options)
  return call([x, filter], options)
}

function depthwiseConv2dSamples(): Sample<WindowOptions>[] {
  return [
    sampleWith({}, [2, 4, 5, 3], [3, 2, 3, 2]),
    sampleWith({ strides: [2, 1], padding: 'same' }, [1, 5, 4, 2], [3, 3, 2, 1]),
    sampleWith({ dilation: [2, 3] }, [1, 6, 6, 1], [2, 2, 1, 3]),
    sampleWith({}, [0, 4, 4, 2], [2, 2, 2, 1]),
    sampleWith({ padding: 'same' }, [3, 13, 11, 7], [3, 3, 7, 1]),
  ]
}
