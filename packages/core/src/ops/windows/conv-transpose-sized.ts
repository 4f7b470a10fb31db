/**
 * Transposed convolutions in one to three dimensions whose output size follows from the options, as in Keras and PyTorch. `conv2dTranspose` and
 * `conv3dTranspose`, which do the work, take the size itself.
 */
import { requireChoice, requireOptions, requireWhole } from '../../arguments.js'
import { shapeError } from '../../errors.js'
import { scope } from '../../tensor/scope.js'
import { requireWholes, windowExtent } from '../../tensor/shape.js'
import { requireTensor, type Tensor } from '../../tensor/tensor.js'
import { requireFloats } from '../requirements.js'
import { expandDims, slice, squeeze } from '../shape/move.js'
import { conv2dTranspose } from './conv-transpose.js'
import { conv3dTranspose } from './conv3d.js'
import type { Triple } from './window3d.js'

/** One axis of a transposed convolution. */
interface Axis {
  n: number
  kernel: number
  stride: number
  dilation: number
  padding: 'valid' | 'same'
  outputPadding?: number
}

/** Cells between the first and the last of a filter, both counted. */
const reachOf = ({ kernel, dilation }: Axis): number => (kernel - 1) * dilation + 1

/** The rule of `transposedExtent`, in the name of `op`. */
function extentOf(op: string, axis: Axis): { out: number; before: number } {
  const { n, kernel, stride, dilation, padding, outputPadding } = axis
  requireWhole(op, 'n', n, { least: 1 })
  requireWhole(op, 'kernel', kernel, { least: 1 })
  requireWhole(op, 'stride', stride, { least: 1 })
  requireWhole(op, 'dilation', dilation, { least: 1 })
  requireChoice(op, 'padding', padding, ['valid', 'same'])
  if (outputPadding !== undefined) requireWhole(op, 'outputPadding', outputPadding, { least: 0, below: stride })
  const reach = reachOf(axis)
  const last = (n - 1) * stride
  if (padding === 'valid') return { out: last + (outputPadding === undefined ? Math.max(reach, stride) : reach + outputPadding), before: 0 }
  const out = outputPadding === undefined ? n * stride : last + (reach % 2) + outputPadding
  return { out, before: Math.floor(Math.max(last + reach - out, 0) / 2) }
}

/**
 * Output size of a transposed convolution along one axis, and how many cells of the whole result (n − 1)·stride + k_eff are cut off before it.
 *
 * valid: (n − 1)·s + max(k_eff, s), same: n·s. With an output padding p, valid: (n − 1)·s + k_eff + p, same: (n − 1)·s + (k_eff mod 2) + p.
 * k_eff = (k − 1)·dilation + 1. This is Keras' rule.
 *
 * Shape:    numbers of one axis
 * Gradient: none
 *
 * @example
 * ```ts
 * transposedExtent(4, 3, 2, 1, 'same')      // { out: 8, before: 0 }
 * transposedExtent(4, 3, 2, 1, 'same', 0)   // { out: 7, before: 1 }
 * ```
 */
export function transposedExtent(
  n: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: 'valid' | 'same',
  outputPadding?: number,
): { out: number; before: number } {
  return extentOf('transposedExtent', { n, kernel, stride, dilation, padding, outputPadding })
}

/** How a transposed convolution of a plane spreads its filter. */
export interface ConvTranspose2dOptions {
  /** Steps between the filters in the output; [1, 1] by default. */
  strides?: readonly [number, number]
  padding?: 'valid' | 'same'
  /** Gaps between the cells of a filter; [1, 1] by default. */
  dilation?: readonly [number, number]
  /** Cells more at the end, fewer than the strides; see `transposedExtent`. */
  outputPadding?: readonly [number, number]
}

/** The same along one axis. */
export interface ConvTranspose1dOptions {
  stride?: number
  padding?: 'valid' | 'same'
  dilation?: number
  outputPadding?: number
}

/** The same of a volume. */
export interface ConvTranspose3dOptions {
  strides?: Triple
  padding?: 'valid' | 'same'
  dilation?: Triple
  outputPadding?: Triple
}

interface Options {
  strides?: readonly number[]
  padding?: 'valid' | 'same'
  dilation?: readonly number[]
  outputPadding?: readonly number[]
}

const OPTIONS = ['strides', 'padding', 'dilation', 'outputPadding'] as const

type Transpose = (size: number[], padding: 'valid' | 'same') => Tensor

/** Works out the size of `axes` axes and runs the transposed convolution; `run` gets a size and a padding that fit each other. */
function sized(op: string, x: Tensor, filter: Tensor, axes: number, options: Options, run: Transpose): Tensor {
  const {
    strides = new Array<number>(axes).fill(1),
    padding = 'valid',
    dilation = new Array<number>(axes).fill(1),
    outputPadding,
  } = options
  requireWholes(op, 'strides', strides, axes)
  requireWholes(op, 'dilation', dilation, axes)
  if (outputPadding !== undefined) requireWholes(op, 'outputPadding', outputPadding, axes)
  const along = strides.map(
    (stride, i): Axis => ({
      n: x.shape[i + 1],
      kernel: filter.shape[i],
      stride,
      dilation: dilation[i],
      padding,
      outputPadding: outputPadding?.[i],
    }),
  )
  const extents = along.map((axis) => extentOf(op, axis))
  const size = extents.map(({ out }) => out)
  const bad = size.indexOf(0)
  if (bad >= 0) throw shapeError(op, 'nothing is left of the output', [{ name: 'x', shape: x.shape, bad: [bad + 1] }])
  const direct = along.every(({ n, kernel, stride, dilation }, i) => {
    const back = windowExtent(size[i], kernel, stride, dilation, padding)
    return back.out === n && back.before === extents[i].before
  })
  if (direct) return run(size, padding)
  // No convolution of that size leads back to x: cut it from the whole result.
  return scope(() => {
    const whole = along.map((axis) => (axis.n - 1) * axis.stride + reachOf(axis))
    return slice(run(whole, 'valid'), [0, ...extents.map(({ before }) => before)], [-1, ...size])
  })
}

/** Checks what the functions for one to three axes have in common. */
function requireOperands(op: string, x: Tensor, filter: Tensor, axes: number): void {
  requireFloats(op, 'x', x)
  requireTensor(op, 'the filter', filter)
  if (x.rank === axes + 2 && filter.rank === axes + 2 && x.shape[axes + 1] === filter.shape[axes + 1]) return
  const ranks = x.rank === axes + 2 && filter.rank === axes + 2
  throw shapeError(
    op,
    ranks ? `channels differ (${x.shape[axes + 1]} vs ${filter.shape[axes + 1]})` : `both x and the filter need ${axes + 2} axes`,
    [
      { name: 'x', shape: x.shape, bad: ranks ? [-1] : [] },
      { name: 'filter', shape: filter.shape, bad: ranks ? [-1] : [] },
    ],
    'Channels are the last axis of x and of the filter, whose filters are the axis before.',
  )
}

/**
 * Transposed convolution of sequences: each step adds its filter, scaled, to the output.
 *
 * Shape:    [n, t, c] ∗ [k, f, c] → [n, ot, f]; ot as `transposedExtent` says
 * Gradient: dX = conv1d(dY, F), dF = windows of dY · X
 *
 * @throws ShapeError if the channels differ.
 * @example
 * ```ts
 * const y = convTranspose1d(ones([1, 4, 3]), ones([2, 5, 3]), { stride: 2 })   // [1, 8, 5]
 * ```
 */
export function convTranspose1d(x: Tensor, filter: Tensor, options: ConvTranspose1dOptions = {}): Tensor {
  requireOperands('convTranspose1d', x, filter, 1)
  requireOptions('convTranspose1d', options, ['stride', 'padding', 'dilation', 'outputPadding'])
  const { stride = 1, padding, dilation = 1, outputPadding } = options
  const given = {
    strides: [stride],
    padding,
    dilation: [dilation],
    outputPadding: outputPadding === undefined ? undefined : [outputPadding],
  }
  return scope(() => {
    const run: Transpose = ([steps], padding) =>
      squeeze(
        conv2dTranspose(expandDims(x, 1), expandDims(filter, 0), [1, steps], { strides: [1, stride], padding, dilation: [1, dilation] }),
        1,
      )
    return sized('convTranspose1d', x, filter, 1, given, run)
  })
}

/**
 * Transposed convolution of images: each pixel adds its filter, scaled, to the output.
 *
 * Shape:    [n, h, w, c] ∗ [kh, kw, f, c] → [n, oh, ow, f]; oh and ow as `transposedExtent` says
 * Gradient: dX = conv2d(dY, F), dF = conv2dFilterGradient(dY, X)
 *
 * @throws ShapeError if the channels differ.
 * @example
 * ```ts
 * const y = convTranspose2d(ones([1, 4, 4, 3]), ones([3, 3, 5, 3]), { strides: [2, 2], padding: 'same' })   // [1, 8, 8, 5]
 * ```
 */
export function convTranspose2d(x: Tensor, filter: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  requireOperands('convTranspose2d', x, filter, 2)
  requireOptions('convTranspose2d', options, OPTIONS)
  const { strides, dilation } = options
  const run: Transpose = ([h, w], padding) => conv2dTranspose(x, filter, [h, w], { strides, padding, dilation })
  return sized('convTranspose2d', x, filter, 2, options, run)
}

/**
 * Transposed convolution of volumes: each cell adds its filter, scaled, to the output.
 *
 * Shape:    [n, d, h, w, c] ∗ [kd, kh, kw, f, c] → [n, od, oh, ow, f]; sizes as `transposedExtent` says
 * Gradient: dX = conv3d(dY, F), dF = windows of dY · X
 *
 * @throws ShapeError if the channels differ.
 * @example
 * ```ts
 * const y = convTranspose3d(ones([1, 2, 2, 2, 3]), ones([2, 2, 2, 5, 3]), { strides: [2, 2, 2] })   // [1, 4, 4, 4, 5]
 * ```
 */
export function convTranspose3d(x: Tensor, filter: Tensor, options: ConvTranspose3dOptions = {}): Tensor {
  requireOperands('convTranspose3d', x, filter, 3)
  requireOptions('convTranspose3d', options, OPTIONS)
  const { strides, dilation } = options
  const run: Transpose = ([d, h, w], padding) => conv3dTranspose(x, filter, [d, h, w], { strides, padding, dilation })
  return sized('convTranspose3d', x, filter, 3, options, run)
}
