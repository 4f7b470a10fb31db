/**
 * Convolution of volumes, channels last, and its adjoint. The cells of a window that lie behind each other become channels of one 2-D convolution, whose
 * kernels do the work.
 */
import { requireOptions } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { shapeError } from '../../errors.js'
import { requireWholes, sameShape } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireBias, requireFinish, requireFloats, requireGroups } from '../requirements.js'
import { type ConvFinish, type ConvGroups, conv2d } from './conv.js'
import { conv2dTranspose } from './conv-transpose.js'
import { inGroups } from './grouped.js'
import { foldWindows, unfoldWindows } from './window.js'
import { slidingWindow3d, type Triple, WINDOW_3D_OPTIONS, type Window3dOptions } from './window3d.js'

type Conv3dOptions = Window3dOptions & { groups: number; relu: boolean }
type TransposeOptions = Window3dOptions & { size: Triple }

/** [kd, kh, kw, a, b] → [kh, kw, kd·a, b] */
function flatFilter(filter: Tensor, ops: Ops): Tensor {
  const [kd, kh, kw, a, b] = filter.shape
  return ops.reshape(ops.transpose(filter, [1, 2, 0, 3, 4]), [kh, kw, kd * a, b])
}

// Inputs: x, the filter, and the bias if there is one.
const call = defineComposed<Conv3dOptions>({
  name: 'conv3d',
  compose: ([x, filter, bias], { groups, relu, ...options }, ops) => {
    if (groups > 1) {
      const y = inGroups(x, filter, groups, (part, ofPart) => call([part, ofPart], { ...options, groups: 1, relu: false }), ops)
      const z = bias ? ops.add(y, bias) : y
      return relu ? ops.relu(z) : z
    }
    const [n, d, h, w, c] = x.shape
    const { depth, plane, outSize } = slidingWindow3d('conv3d', x.shape, filter.shape.slice(0, 3), options)
    const slabs = unfoldWindows(ops.reshape(x, [n, d, h * w, c]), depth) // [n, od, h·w, kd, 1, c]
    const deep = ops.reshape(slabs, [n * outSize[0], h, w, filter.shape[0] * c])
    const y = conv2d(deep, flatFilter(filter, ops), { ...plane, bias, relu })
    return ops.reshape(y, [n, ...outSize, filter.shape[4]])
  },
  samples: conv3dSamples(),
}) as (inputs: readonly Tensor[], options: Conv3dOptions) => Tensor

/**
 * 3-D convolution, plus a bias and relu where asked for.
 *
 * Shape:    [n, d, h, w, c] ∗ [kd, kh, kw, c/groups, f] → [n, od, oh, ow, f]
 * Gradient: dX = conv3dTranspose(dY, F), dF = windows of X · dY, dBias = Σ dY (with relu: of dY where y > 0)
 * Cost:     2·n·od·oh·ow·kd·kh·kw·c·f/groups flops, and kd copies of x
 *
 * @throws ShapeError if the channels do not meet, or the window is larger than the padded input.
 * @example
 * ```ts
 * const film = ones([1, 8, 6, 6, 3])
 * const y = conv3d(film, ones([3, 3, 3, 3, 4]), { padding: 'same', relu: true })   // [1, 8, 6, 6, 4]
 * ```
 */
export function conv3d(x: Tensor, filter: Tensor, options: Window3dOptions & ConvFinish & ConvGroups = {}): Tensor {
  requireFloats('conv3d', 'x', x)
  requireTensor('conv3d', 'the filter', filter)
  requireOptions('conv3d', options, [...WINDOW_3D_OPTIONS, 'bias', 'relu', 'groups'])
  const { bias, relu = false, groups = 1, ...window } = requireFinish('conv3d', options)
  requireRanks('conv3d', x, filter)
  requireGroups('conv3d', x, filter, groups)
  requireBias('conv3d', bias, filter)
  slidingWindow3d('conv3d', x.shape, filter.shape.slice(0, 3), window)
  return call(bias ? [x, filter, bias] : [x, filter], { ...window, groups, relu })
}

const callTranspose = defineComposed<TransposeOptions>({
  name: 'conv3dTranspose',
  compose: ([x, filter], { size, ...options }, ops) => {
    const [n, d, h, w, c] = x.shape
    const [kd, , , filters] = filter.shape
    const image = [n, ...size, filters]
    const { depth, plane } = slidingWindow3d('conv3dTranspose', image, filter.shape.slice(0, 3), options)
    const flat = conv2dTranspose(ops.reshape(x, [n * d, h, w, c]), flatFilter(filter, ops), [size[1], size[2]], plane)
    const slabs = ops.reshape(flat, [n, d, size[1] * size[2], kd, 1, filters])
    return ops.reshape(foldWindows(slabs, [n, size[0], size[1] * size[2], filters], depth), image)
  },
  samples: conv3dTransposeSamples(),
})

/**
 * The adjoint of `conv3d` in its first argument: ⟨conv3d(y, F), x⟩ = ⟨y, conv3dTranspose(x, F)⟩. `convTranspose3d` works out the size.
 *
 * Shape:    [n, d, h, w, c] ∗ [kd, kh, kw, f, c] → [n, ..size, f]; a conv3d with these options must make [d, h, w] of `size`
 * Gradient: dX = conv3d(dY, F), dF = windows of dY · X
 * Cost:     2·n·d·h·w·kd·kh·kw·c·f flops, and kd copies of the output
 *
 * @throws ShapeError if the channels differ, or `size` is not one that conv3d takes to [d, h, w].
 * @example
 * ```ts
 * const y = conv3dTranspose(ones([1, 2, 2, 2, 3]), ones([2, 2, 2, 5, 3]), [4, 4, 4], { strides: [2, 2, 2] })   // [1, 4, 4, 4, 5]
 * ```
 */
export function conv3dTranspose(x: Tensor, filter: Tensor, size: Triple, options: Window3dOptions = {}): Tensor {
  requireFloats('conv3dTranspose', 'x', x)
  requireTensor('conv3dTranspose', 'the filter', filter)
  requireWholes('conv3dTranspose', 'size', size, 3)
  requireOptions('conv3dTranspose', options, WINDOW_3D_OPTIONS)
  requireRanks('conv3dTranspose', x, filter)
  const operands = [
    { name: 'x', shape: x.shape },
    { name: 'filter', shape: filter.shape },
  ]
  if (x.shape[4] !== filter.shape[4]) {
    throw shapeError(
      'conv3dTranspose',
      `channels differ (${x.shape[4]} vs ${filter.shape[4]})`,
      operands,
      'x is [batch, depth, height, width, channels], the filter [depth, height, width, filters, channels].',
    )
  }
  const { outSize } = slidingWindow3d('conv3dTranspose', [x.shape[0], ...size, filter.shape[3]], filter.shape.slice(0, 3), options)
  if (!sameShape(outSize, x.shape.slice(1, 4))) {
    const from = x.shape.slice(1, 4).join(', ')
    throw shapeError(
      'conv3dTranspose',
      `a convolution takes the size [${size.join(', ')}] to [${outSize.join(', ')}], not to x's [${from}]`,
      operands,
    )
  }
  return callTranspose([x, filter], { ...options, size })
}

function requireRanks(op: string, x: Tensor, filter: Tensor): void {
  if (x.rank === 5 && filter.rank === 5) return
  throw shapeError(op, 'both x and the filter need 5 axes', [
    { name: 'x', shape: x.shape },
    { name: 'filter', shape: filter.shape },
  ])
}

function conv3dSamples(): Sample<Conv3dOptions>[] {
  const plain = { groups: 1, relu: false }
  return [
    sampleWith(plain, [1, 3, 4, 3, 2], [2, 2, 2, 2, 3]),
    sampleWith({ ...plain, relu: true, strides: [2, 1, 2], padding: 'same' }, [2, 5, 3, 4, 1], [2, 3, 2, 1, 2], [2]),
    sampleWith({ ...plain, dilation: [2, 1, 2] }, [1, 4, 3, 4, 1], [2, 2, 2, 1, 2]),
    sampleWith({ ...plain, groups: 2, relu: true }, [1, 3, 3, 2, 4], [2, 1, 2, 2, 6], [6]),
    sampleWith(plain, [0, 2, 2, 2, 1], [2, 2, 2, 1, 1]),
    sampleWith({ ...plain, padding: 'same' }, [1, 6, 7, 9, 5], [3, 3, 3, 5, 4]),
  ]
}

function conv3dTransposeSamples(): Sample<TransposeOptions>[] {
  return [
    sampleWith({ size: [3, 4, 3] }, [1, 2, 3, 2, 3], [2, 2, 2, 2, 3]),
    sampleWith({ size: [4, 3, 5], strides: [2, 1, 2], padding: 'same' }, [1, 2, 3, 3, 1], [3, 2, 3, 2, 1]),
    sampleWith({ size: [4, 3, 4], dilation: [2, 1, 2] }, [1, 2, 2, 2, 2], [2, 2, 2, 1, 2]),
    sampleWith({ size: [3, 3, 3] }, [0, 2, 2, 2, 1], [2, 2, 2, 1, 1]),
  ]
}
