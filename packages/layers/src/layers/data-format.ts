/**
 * Where the channels of images stand. Kernels and the engine have them last; a layer with `channelsFirst` moves them there and back, so
 * weights are the same in both formats.
 */
import type { Tensor } from '@cotangent/core'
import { readBy } from '../option-rows.js'
import type { Option } from '../option-table.js'
import { lookUp, type Spelling, snakeCase } from '../spelling/names.js'

/** `channelsLast`: [batch, height, width, channels]; `channelsFirst`: [batch, channels, height, width]. */
export type DataFormat = 'channelsLast' | 'channelsFirst'

const formats: Record<DataFormat, DataFormat> = { channelsLast: 'channelsLast', channelsFirst: 'channelsFirst' }
let current: DataFormat = 'channelsLast'

/** The data format of layers of images that are made without one: `channelsLast`, unless `setImageDataFormat` said otherwise. */
export const imageDataFormat = (): DataFormat => current

/**
 * Sets the data format of layers of images that are made from now on (2-D convolution, pooling …, and Flatten). Layers of sequences keep
 * `channelsLast`, as in Keras.
 *
 * @example
 * ```ts
 * setImageDataFormat('channelsFirst')
 * const layer = conv2d(32, [5, 5], { inputShape: [1, 28, 28] })
 * setImageDataFormat('channelsLast')
 * ```
 */
export function setImageDataFormat(format: Spelling<DataFormat>): void {
  current = readDataFormat(format, current)
}

/** A data format in either spelling. */
export const readDataFormat = (format: Spelling<DataFormat> | null | undefined, fallback: DataFormat): DataFormat =>
  format === null || format === undefined ? fallback : lookUp<DataFormat>('data format', format, formats)

/** A row for tables of options: a data format, `usual` if it is left out. A config says it in Keras' spelling. */
export const dataFormatOf = (usual: () => DataFormat): Option<DataFormat> =>
  readBy(
    (format) => readDataFormat(format as Spelling<DataFormat>, usual()),
    (value, name) => ({ [name]: snakeCase(value) }),
  )

/** x with one axis moved elsewhere; no copy where that axis has size 1. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x
  const axes = x.shape.map((_, i) => i).filter((i) => i !== from)
  axes.splice(to, 0, from)
  return x.shape[from] === 1 ? x.reshape(axes.map((axis) => x.shape[axis])) : x.transpose(axes)
}
