/** Operations on images [n, h, w, c], and pooling of any number of axes between batch and channels. */
import { averagePool2d, averagePool3d, maxPool2d, maxPool3d, resize, type Tensor, tensor, unfold } from '@cotangent/core'
import { choice, count, flag } from '../../option-rows.js'
import type { Option } from '../../option-table.js'
import { type Kind, move, oneOrMore, required, type Values } from './kind.js'
import { blocks, patched, pooled, resized } from './shapes-networks.js'

const lastly = { data_format: 'channels_last' }
/** A number for all axes, or one for each. */
const perAxis: Option<number | readonly number[]> = required<number | readonly number[]>(oneOrMore)
const perAxisOrNone: Option<number | readonly number[] | undefined> = {
  read: (given, place) => (given === undefined || given === null ? undefined : perAxis.read(given, place)),
}
const paddings = (): Option<'valid' | 'same'> => choice(['valid', 'same'], 'valid')

const list = (value: number | readonly number[], n: number): number[] =>
  typeof value === 'number' ? new Array<number>(n).fill(value) : [...value]

function pool(kind: 'max' | 'average', x: Tensor, { poolSize, strides, padding }: Values): Tensor {
  const n = x.rank - 2
  const size = list(poolSize, n)
  const steps = list(strides ?? poolSize, n)
  if (n === 3) return (kind === 'max' ? maxPool3d : averagePool3d)(x, size as never, { strides: steps as never, padding })
  const wide = n === 1 ? x.expandDims(1) : x
  const two = (values: number[]): [number, number] => (n === 1 ? [1, values[0]] : [values[0], values[1]])
  const out = (kind === 'max' ? maxPool2d : averagePool2d)(wide, two(size), { strides: two(steps), padding })
  return n === 1 ? out.squeeze(1) : out
}
const pooling = (kind: 'max' | 'average', className: string): Kind => ({
  ...move({
    className,
    options: { poolSize: perAxis, strides: perAxisOrNone, padding: paddings() },
    extra: lastly,
    shape: ([x], { poolSize, strides, padding }) =>
      pooled(x, list(poolSize, x.length - 2), list(strides ?? poolSize, x.length - 2), padding),
    run: ([x], options) => pool(kind, x, options),
  }),
  module: 'nn',
})

export const images = {
  maxPool: pooling('max', 'MaxPool'),
  averagePool: pooling('average', 'AveragePool'),
  resize: {
    ...move({
      className: 'Resize',
      options: {
        size: required<readonly number[]>(oneOrMore),
        interpolation: choice(['bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5'], 'bilinear'),
        antialias: flag(false),
      },
      extra: { ...lastly, crop_to_aspect_ratio: false, pad_to_aspect_ratio: false, fill_mode: 'constant', fill_value: 0 },
      shape: ([x], { size }) => resized(x, size),
      run: ([x], { size, interpolation, antialias }) => resize(x, size, { interpolation, antialias }),
    }),
    module: 'image',
  },
  extractPatches: {
    ...move({
      className: 'ExtractPatches',
      options: { size: perAxis, strides: perAxisOrNone, padding: paddings() },
      extra: { ...lastly, dilation_rate: 1 },
      shape: ([x], { size, strides, padding }) => patched(x, list(size, 2), list(strides ?? size, 2), padding),
      run: ([x], { size, strides, padding }) => {
        const windows = unfold(x, list(size, 2) as [number, number], { strides: list(strides ?? size, 2) as [number, number], padding })
        return windows.reshape([...windows.shape.slice(0, 3), -1])
      },
    }),
    module: 'image',
  },
  rgbToGrayscale: {
    ...move({
      className: 'RGBToGrayscale',
      options: {},
      extra: lastly,
      shape: ([x]) => [...x.slice(0, -1), 1],
      run: ([x]) => x.mul(tensor([0.2989, 0.587, 0.114], { backend: x.backend, dtype: x.dtype })).sum({ axis: -1, keepDims: true }),
    }),
    module: 'image',
  },
  depthToSpace: {
    ...move({
      className: 'DepthToSpace',
      options: { blockSize: count() },
      extra: lastly,
      shape: ([x], { blockSize }) => blocks(x, blockSize, 'larger'),
      run: ([x], { blockSize: b }) => {
        const [n, h, w, c] = x.shape
        return x
          .reshape([n, h, w, b, b, c / b / b])
          .transpose([0, 1, 3, 2, 4, 5])
          .reshape([n, h * b, w * b, c / b / b])
      },
    }),
    module: 'nn',
  },
  spaceToDepth: {
    ...move({
      className: 'SpaceToDepth',
      options: { blockSize: count() },
      extra: lastly,
      shape: ([x], { blockSize }) => blocks(x, blockSize, 'smaller'),
      run: ([x], { blockSize: b }) => {
        const [n, h, w, c] = x.shape
        return x
          .reshape([n, h / b, b, w / b, b, c])
          .transpose([0, 1, 3, 2, 4, 5])
          .reshape([n, h / b, w / b, b * b * c])
      },
    }),
    module: 'nn',
  },
} satisfies Readonly<Record<string, Kind>>
