/**
 * Where the channels of images stand. Kernels and the engine have them last. A layer with `channelsFirst` moves them there and back, so weights are the
 * same in both formats.
 */
import type { Tensor } from '@cotangent/core'
import { readBy } from '../option-rows.js'
import type { Option } from '../option-table.js'
import { lookUp, type Spelling, snakeCase } from '../spelling/names.js'

/** `channelsLast`: [batch, height, width, channels]; `channelsFirst`: [batch, channels, height, width]. */
export type DataFormat = 'channelsLast' | 'channelsFirst'

const formats: Record<DataFormat, DataFormat> = { channelsLast: 'channelsLast', channelsFirst: 'channelsFirst' }
let current: DataFormat = 'channelsLast'

/**
 * The data format of layers of images that do not say their own: `channelsLast`, or what `setImageDataFormat` set.
 *
 * @example
 * ```ts
 * console.log(imageDataFormat())   // channelsLast
 * ```
 */
export const imageDataFormat = (): DataFormat => current

/**
 * Sets the data format of layers of images made from now on: 2-D convolution, 2-D pooling and the like, and `flatten`. Layers of sequences keep
 * `channelsLast`, as in Keras.
 *
 * @throws ValueError for an unknown format
 * @example
 * ```ts
 * setImageDataFormat('channelsFirst')
 * const layer = conv2d(32, [5, 5], { inputShape: [1, 28, 28] })
 * console.log(layer.dataFormat)   // channelsFirst
 * setImageDataFormat('channelsLast')
 * ```
 */
export function setImageDataFormat(format: Spelling<DataFormat>): void {
  current = readDataFormat(format, current)
}

/** A data format in camelCase or snake_case, or the fallback if it is left out. */
export const readDataFormat = (format: Spelling<DataFormat> | null | undefined, fallback: DataFormat): DataFormat =>
  format === null || format === undefined ? fallback : lookUp<DataFormat>('data format', format, formats)

/** A row for a data format, in a table of options. A config has it in Keras' spelling. */
export const dataFormatOf = (usual: () => DataFormat): Option<DataFormat> =>
  readBy(
    (format) => readDataFormat(format as Spelling<DataFormat>, usual()),
    (value, name) => ({ [name]: snakeCase(value) }),
  )

/** x with one axis moved elsewhere; without a copy if that axis has size 1. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x
  const axes = x.shape.map((_, i) => i).filter((i) => i !== from)
  axes.splice(to, 0, from)
  return x.shape[from] === 1 ? x.reshape(axes.map((axis) => x.shape[axis])) : x.transpose(axes)
}
