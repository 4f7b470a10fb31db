/**
 * Windows over volumes, [n, d, h, w, c]. A window of three axes is one of depth and one of the plane: the 2-D kernels do both, the first over [n, d, h·w, c].
 */
import { requireChoice } from '../../arguments.js'
import { shapeError } from '../../errors.js'
import { listed, requireWholes, type Shape, slidingWindow, type Window } from '../../tensor/shape.js'
import type { WindowOptions } from './window.js'

/** Three numbers: of depth, height and width. */
export type Triple = readonly [number, number, number]

/** How a window slides over a volume. */
export interface Window3dOptions {
  /** Steps along depth, height and width; [1, 1, 1] by default, for pooling the pool size. */
  strides?: Triple
  /** `valid` (default): only whole windows. `same`: ⌈n/stride⌉ positions, the odd cell of padding at the end. */
  padding?: 'valid' | 'same'
  /** Gaps between the cells of a window; [1, 1, 1] by default. */
  dilation?: Triple
}

export const WINDOW_3D_OPTIONS = ['strides', 'padding', 'dilation'] as const

/** A window over a volume, taken apart. */
export interface Window3d {
  /** Along depth, over [n, d, h·w, c]. */
  depth: Window
  /** The options of the window over a plane, for 2-D ops. */
  plane: WindowOptions & { strides: readonly [number, number] }
  /** Depth, height and width of the output. */
  outSize: Triple
}

/** The window over `x: [n, d, h, w, c]`; throws when it does not fit. */
export function slidingWindow3d(
  op: string,
  x: Shape,
  kernel: Shape,
  { strides = [1, 1, 1], padding = 'valid', dilation = [1, 1, 1] }: Window3dOptions,
  kernelName = 'the filter',
): Window3d {
  if (x.length !== 5) {
    throw shapeError(op, `x must have 5 axes [batch, depth, height, width, channels], got ${x.length}`, [{ name: 'x', shape: x }])
  }
  for (const [name, values] of [
    [kernelName, kernel],
    ['strides', strides],
    ['dilation', dilation],
  ] as const) {
    requireWholes(op, name, values, 3)
    if (values.some((n) => n < 1))
      throw shapeError(op, `${name} must be whole numbers from 1, got ${listed(values)}`, [{ name: 'x', shape: x }])
  }
  requireChoice(op, 'padding', padding, ['valid', 'same'])
  const [n, d, h, w, c] = x
  const plane = { strides: [strides[1], strides[2]], padding, dilation: [dilation[1], dilation[2]] } as const
  const { outSize } = slidingWindow(op, [n, h, w, c], [kernel[1], kernel[2]], plane.strides, padding, plane.dilation)
  const depth = slidingWindow(op, [n, d, h * w, c], [kernel[0], 1], [strides[0], 1], padding, [dilation[0], 1])
  return { depth, plane, outSize: [depth.outSize[0], outSize[0], outSize[1]] }
}
