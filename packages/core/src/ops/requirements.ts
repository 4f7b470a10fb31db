/** Checks of arguments that several ops share. An op runs them before anything else. */
import { describeValue, requireBoolean, requireOptions, requireWhole } from '../arguments.js'
import { shapeError, ValueError } from '../errors.js'
import { type DType, requireDType } from '../tensor/dtype.js'
import { type Shape, slidingWindow } from '../tensor/shape.js'
import { requireTensor, type Tensor } from '../tensor/tensor.js'
import type { ConvFinish, Window1dOptions } from './windows/conv.js'
import type { WindowOptions } from './windows/window.js'

const FLOATS: readonly DType[] = ['float32', 'float64']

/** Throws unless x is a tensor of floats. */
export function requireFloats(op: string, name: string, x: unknown): asserts x is Tensor {
  requireTensor(op, name, x)
  requireDType(op, name, x.dtype, FLOATS)
}

/**
 * Throws for an argument too many. `last` is the last argument that the op takes, `more` are those behind it. The extra arguments that array methods pass are
 * allowed: `tensors.map(relu)` calls relu(x, 0, tensors), and `tensors.reduce(add)` calls add(sum, x, 1, tensors).
 */
export function requireNoMore(op: string, last: unknown, more: readonly unknown[], takes: string): void {
  const [index, list] = more
  if (more.every((extra) => extra === undefined) || (Array.isArray(list) && list[index as number] === last)) return
  throw new ValueError(`${op}: takes ${takes}, got ${describeValue(index)} as well.`)
}

const WINDOW_OPTIONS = ['strides', 'padding', 'dilation'] as const

/** Throws unless these are options of a 2-D window. `more` names further options of the op. */
export function requireWindowOptions(op: string, options: unknown, more: readonly string[] = []): void {
  requireOptions(op, options, more.length > 0 ? [...WINDOW_OPTIONS, ...more] : WINDOW_OPTIONS)
}

const WINDOW_1D_OPTIONS = ['stride', 'padding', 'dilation'] as const

/** Throws unless these are options of a 1-D window that fits x [n, t, c]. `step` is the default of the stride, `more` names further options of the op. */
export function requireWindow1d(
  op: string,
  x: Shape,
  size: number,
  options: Window1dOptions,
  step: number,
  more: readonly string[] = [],
): void {
  requireOptions(op, options, more.length > 0 ? [...WINDOW_1D_OPTIONS, ...more] : WINDOW_1D_OPTIONS)
  const { stride = step, padding = 'valid', dilation = 1 } = options
  requireWhole(op, 'stride', stride, { least: 1 })
  requireWhole(op, 'dilation', dilation, { least: 1 })
  slidingWindow(op, [x[0], 1, x[1], x[2]], [1, size], [1, stride], padding, [1, dilation])
}

/** 1-D options as 2-D options, for a height of 1. */
export const flatWindow = ({ stride = 1, padding, dilation = 1 }: Window1dOptions): WindowOptions => ({
  strides: [1, stride],
  padding,
  dilation: [1, dilation],
})

/** Throws unless x has a last axis, and each of the others has one number for each of its positions. */
export function requireChannels(op: string, x: Tensor, others: Record<string, Tensor | undefined>): void {
  requireFloats(op, 'x', x)
  if (x.rank === 0) throw shapeError(op, 'a scalar has no last axis', [{ name: 'x', shape: x.shape }])
  const channels = x.shape[x.rank - 1]
  for (const [name, t] of Object.entries(others)) {
    if (t === undefined) continue
    requireTensor(op, name, t)
    if (t.rank === 1 && t.shape[0] === channels) continue
    throw shapeError(op, `${name} needs one number for each position of x's last axis`, [
      { name: 'x', shape: x.shape, bad: [x.rank - 1] },
      { name, shape: t.shape },
    ])
  }
}

/** The options; throws for what bias and relu cannot be. */
export function requireFinish<O extends ConvFinish>(op: string, finish: O): O {
  if (finish.relu !== undefined) requireBoolean(op, 'relu', finish.relu)
  if (finish.bias !== undefined) requireTensor(op, 'bias', finish.bias)
  return finish
}

const LAYOUT: Readonly<Record<number, string>> = {
  3: 'x is [batch, steps, channels], the filter [steps, channels, filters].',
  4: 'x is [batch, height, width, channels], the filter [height, width, channels, filters].',
  5: 'x is [batch, depth, height, width, channels], the filter [depth, height, width, channels, filters].',
}

/** Throws unless the channels of x, [.., c], meet those of the filter, [.., c/groups, f], and the filters divide into the groups. */
export function requireGroups(op: string, x: Tensor, filter: Tensor, groups: number): void {
  if (groups !== 1) requireWhole(op, 'groups', groups, { least: 1 })
  const [channels, width, filters] = [x.shape[x.rank - 1], filter.shape[filter.rank - 2], filter.shape[filter.rank - 1]]
  if (channels === width * groups && filters % groups === 0) return
  const divided = groups > 1 ? `, in ${groups} groups` : ''
  throw shapeError(
    op,
    channels === width * groups
      ? `${filters} filters do not divide into ${groups} groups`
      : `channels differ (${channels} vs ${width}${divided})`,
    [
      { name: 'x', shape: x.shape, bad: [-1] },
      { name: 'filter', shape: filter.shape, bad: channels === width * groups ? [-1] : [-2] },
    ],
    LAYOUT[x.rank],
  )
}

/** Throws unless the bias, if there is one, has a number for each filter. */
export function requireBias(op: string, bias: Tensor | undefined, filter: Tensor): void {
  if (!bias || (bias.rank === 1 && bias.shape[0] === filter.shape[filter.rank - 1])) return
  throw shapeError(op, 'the bias needs one number for each filter', [
    { name: 'filter', shape: filter.shape, bad: [-1] },
    { name: 'bias', shape: bias.shape },
  ])
}
