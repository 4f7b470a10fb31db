/** Operations that move elements: shapes, axes, positions. */
import { argSort, concat, pad, roll, sort, stack, type Tensor, unstack, where } from '@cotangent/core'
import { requireNumber } from '@cotangent/core/arguments'
import type { BatchShape } from '../../layer-types.js'
import { choice, count } from '../../option-rows.js'
import {
  axes,
  axis,
  index,
  type Kind,
  move,
  oneOrMore,
  optional,
  pairs,
  required,
  same,
  sizes,
  type Values,
  whole,
  wholeNumber,
  wholes,
} from './kind.js'
import {
  along,
  axisIn,
  broadcast,
  concatenated,
  croppedIndex,
  cut,
  diagonalOf,
  grown,
  moved,
  ones,
  paddedImage,
  pairsFor,
  part,
  repeated,
  reshaped,
  sizesOf,
  squeezed,
  stacked,
  swapped,
  taken,
  transposed,
  widened,
} from './shapes.js'

const total = (sizes: readonly number[]): number => sizes.reduce((sum, n) => sum + n, 0)

/** Positions as whole numbers from the front. */
function fromFront(indices: Tensor, n: number): Tensor {
  const at = indices.cast('int32')
  return where(at.less(0), at.add(n), at)
}

/** Where new axes stand, from the front. */
const newAxes = (axis: number | readonly number[], rank: number): number[] => {
  const list = [axis].flat()
  return list.map((at) => (at < 0 ? at + rank + list.length : at)).sort((a, b) => a - b)
}

/** A border of the values inside it, mirrored: without the edge itself (`reflect`) or with it. */
function mirrored(x: Tensor, pads: readonly (readonly [number, number])[], mode: string): Tensor {
  return pads.reduce((out, [before, after], axis) => {
    if (before === 0 && after === 0) return out
    const n = x.shape[axis]
    const period = mode === 'reflect' ? Math.max(1, 2 * n - 2) : 2 * n
    const position = (i: number): number => {
      const at = ((i % period) + period) % period
      return at < n ? at : period - at - (mode === 'reflect' ? 0 : 1)
    }
    return out.gather(
      Array.from({ length: before + n + after }, (_, i) => position(i - before)),
      { axis },
    )
  }, x)
}

/** Options of the diagonals of matrices. */
const ofDiagonal = {
  options: { k: wholeNumber(0) },
  words: { k: 'offset' },
  extra: { axis1: -2, axis2: -1 },
  read: ({ axis1 = 0, axis2 = 1, ...config }: Values, x: BatchShape) => ({
    ...config,
    axis1: axis1 < 0 ? axis1 : axis1 - x.length,
    axis2: axis2 < 0 ? axis2 : axis2 - x.length,
  }),
}

export const moves = {
  reshape: move({
    className: 'Reshape',
    options: { shape: required<readonly number[]>(sizes) },
    words: { shape: 'newshape' },
    // Ravel has no shape of its own.
    read: ({ newshape = [-1], ...config }) => ({ ...config, newshape }),
    shape: ([x], { shape }) => reshaped(x, shape),
    run: ([x], { shape }) => x.reshape(shape),
  }),
  transpose: move({
    className: 'Transpose',
    options: { axes: optional<readonly number[]>(wholes) },
    read: ({ axis1, axis2, source, destination, ...config }, x) => {
      if (axis1 !== undefined) return { ...config, axes: swapped(axis1, axis2, x) }
      return source === undefined ? config : { ...config, axes: moved([source].flat(), [destination].flat(), x) }
    },
    shape: ([x], { axes }) => transposed(x, axes),
    run: ([x], { axes }) => x.transpose(axes ?? x.shape.map((_, i) => x.rank - 1 - i)),
  }),
  expandDims: move({
    className: 'ExpandDims',
    options: { axis: required<number | readonly number[]>(oneOrMore) },
    shape: ([x], { axis }) => newAxes(axis, x.length).reduce<BatchShape>((shape, at) => widened(shape, at), x),
    run: ([x], { axis }) => newAxes(axis, x.rank).reduce((out, at) => out.expandDims(at), x),
  }),
  squeeze: move({
    className: 'Squeeze',
    options: { axis: axes() },
    // Left out, it means all axes of size 1 but the batch.
    shape: ([x], { axis }) => squeezed(x, axis ?? ones(x)),
    run: ([x], { axis }) => x.squeeze(axis ?? ones(x.shape)),
  }),
  flip: move({
    className: 'Flip',
    options: { axis: axes() },
    read: (config, _, className) =>
      className === 'Fliplr' ? { ...config, axis: 1 } : className === 'Flipud' ? { ...config, axis: 0 } : config,
    shape: same,
    run: ([x], { axis }) => x.flip(axis),
  }),
  tile: move({
    className: 'Tile',
    options: { repeats: required<readonly number[]>(wholes) },
    // Keras counts from the last axis.
    read: ({ repeats, ...config }, x) => {
      const given = [repeats].flat()
      return { ...config, repeats: [...x.map(() => 1).slice(given.length), ...given] }
    },
    shape: ([x], { repeats }) => repeated(x, repeats),
    run: ([x], { repeats }) => x.tile(repeats),
  }),
  repeat: move({
    className: 'Repeat',
    options: { repeats: required<number>(whole), axis: axis() },
    shape: ([x], { repeats, axis }) =>
      repeated(
        x,
        x.map((_, i) => (i === axisIn(axis, x.length, x) ? repeats : 1)),
      ),
    run: ([x], { repeats, axis }) => x.repeat(repeats, { axis }),
  }),
  at: move({
    className: 'GetItem',
    options: { index },
    read: (config, x) =>
      config.top_cropping === undefined && config.target_height === undefined
        ? config
        : { name: config.name, index: croppedIndex(config, x) },
    shape: ([x], { index }) => part(x, index),
    run: ([x], { index }) => x.at(...index),
  }),
  concat: {
    ...move({
      className: 'Concatenate',
      options: { axis: axis(-1) },
      read: (config, _, className) =>
        className === 'Hstack' ? { ...config, axis: 1 } : className === 'Vstack' ? { ...config, axis: 0 } : config,
      shape: (shapes, { axis }) => concatenated(shapes, axis),
      run: (xs, { axis }) => concat(xs, axis),
    }),
    operands: 'list',
  },
  stack: {
    ...move({
      className: 'Stack',
      options: { axis: axis(1) },
      shape: (shapes, { axis }) => stacked(shapes, axis),
      run: (xs, { axis }) => stack(xs, axis),
    }),
    operands: 'list',
  },
  gather: {
    ...move({
      className: 'Take',
      options: { axis: required<number>(whole) },
      shape: ([x, indices], { axis }) => taken(x, indices, axis),
      run: ([x, indices], { axis }) => x.gather(fromFront(indices, x.shape[axis < 0 ? axis + x.rank : axis]), { axis }),
    }),
    operands: 2,
  },
  takeAlongAxis: {
    ...move({
      className: 'TakeAlongAxis',
      options: { axis: axis(-1) },
      shape: ([x, indices], { axis }) => along(x, indices, axis),
      run: ([x, indices], { axis }) => {
        const at = axis < 0 ? axis + x.rank : axis
        const size = x.shape.map((n, i) => (i === at ? indices.shape[i] : Math.max(n, indices.shape[i])))
        const from = x.shape.map((n, i) => (i === at ? n : size[i]))
        return x.broadcastTo(from).takeAlongAxis(fromFront(indices, x.shape[at]).broadcastTo(size), { axis: at })
      },
    }),
    operands: 2,
  },
  pad: move({
    className: 'Pad',
    options: {
      pads: required<readonly (readonly [number, number])[]>(pairs),
      mode: choice(['constant', 'reflect', 'symmetric'], 'constant'),
      value: optional<number>(requireNumber),
    },
    words: { pads: 'pad_width' },
    inCall: { constant_values: 'value' },
    read: ({ pad_width, ...config }, x) =>
      pad_width === undefined ? { name: config.name, pad_width: paddedImage(config, x) } : { ...config, pad_width: pairsFor(pad_width, x) },
    shape: ([x], { pads }) => grown(x, pads),
    run: ([x], { pads, mode, value }) => (mode === 'constant' ? pad(x, pads, value ?? 0) : mirrored(x, pads, mode)),
  }),
  roll: move({
    className: 'Roll',
    options: { shift: required<number | readonly number[]>(oneOrMore), axis: required<number | readonly number[]>(oneOrMore) },
    shape: same,
    run: ([x], { shift, axis }) => roll(x, shift, { axis }),
  }),
  broadcastTo: move({
    className: 'BroadcastTo',
    options: { shape: required<readonly number[]>(wholes) },
    shape: ([x], { shape }) => {
      broadcast(x, shape)
      return shape
    },
    run: ([x], { shape }) => x.broadcastTo(shape),
  }),
  diagonal: move({ className: 'Diagonal', ...ofDiagonal, shape: ([x], { k }) => diagonalOf(x, k), run: ([x], { k }) => x.diagonal(k) }),
  trace: move({
    className: 'Trace',
    ...ofDiagonal,
    shape: ([x], { k }) => diagonalOf(x, k).slice(0, -1),
    run: ([x], { k }) => x.diagonal(k).sum({ axis: -1 }),
  }),
  diff: move({
    className: 'Diff',
    options: { n: count(1), axis: axis(-1) },
    shape: ([x], { n, axis }) => {
      const at = axisIn(axis, x.length, x)
      return x.map((size, i) => (i === at && size !== null ? Math.max(0, size - n) : size))
    },
    run: ([x], { n, axis }) => {
      const at = axis < 0 ? axis + x.rank : axis
      const part = (out: Tensor, slice: string): Tensor => out.at(...out.shape.map((_, i) => (i === at ? slice : ':')))
      return Array.from({ length: n }).reduce<Tensor>((out) => part(out, '1:').sub(part(out, ':-1')), x)
    },
  }),
  sort: move({ className: 'Sort', options: { axis: axis(-1) }, shape: same, run: ([x], { axis }) => sort(x, { axis }) }),
  argSort: {
    ...move({ className: 'Argsort', options: { axis: axis(-1) }, shape: same, run: ([x], { axis }) => argSort(x, { axis }) }),
    dtype: 'int32',
  },
  tril: move({ className: 'Tril', options: { k: wholeNumber(0) }, shape: same, run: ([x], { k }) => x.tril(k) }),
  triu: move({ className: 'Triu', options: { k: wholeNumber(0) }, shape: same, run: ([x], { k }) => x.triu(k) }),
  split: move({
    className: 'Split',
    options: { parts: required<number | readonly number[]>(oneOrMore), axis: axis() },
    read: ({ indices_or_sections: at, axis = 0, ...config }, x, className) => ({
      ...config,
      axis,
      parts: sizesOf(at, axis, x, className === 'ArraySplit'),
    }),
    write: ({ parts, axis }) => ({
      indices_or_sections:
        typeof parts === 'number' ? parts : parts.slice(0, -1).map((_: number, i: number) => total(parts.slice(0, i + 1))),
      axis,
    }),
    count: ({ parts }) => (typeof parts === 'number' ? parts : parts.length),
    shape: ([x], { parts, axis }) => cut(x, parts, axis),
    run: ([x], { parts, axis }) => x.split(parts, axis),
  }),
  unstack: {
    ...move({
      className: 'Unstack',
      options: { num: count(), axis: axis() },
      read: ({ num, axis = 0, ...config }, x) => ({ ...config, axis, num: num ?? x[axisIn(axis, x.length, x)] }),
      count: ({ num }) => num,
      shape: ([x], { num, axis }) => cut(x, num, axis).map((shape) => squeezed(shape, axis)),
      run: ([x], { axis }) => unstack(x, axis),
    }),
    module: 'core',
  },
} satisfies Readonly<Record<string, Kind>>
