/** Images of the host as a sheet of bytes. */
import { ShapeError, showShape, ValueError } from '@cotangent/core'
import { describeValue, requireChoice, requireText, requireWhole } from '@cotangent/core/arguments'
import { type HostArray, isShaped, type NestedRows, type NumericArray, readHost, type ShapedValues } from '../../host-data.js'
import type { DataFormat } from '../../layers/data-format.js'
import { readOptions } from '../../spelling/names.js'
import type { ImageSheet, ImagesSection } from '../record.js'
import { base64 } from './base64.js'

/** Numbers of the host with a shape, or nested arrays. */
export type HostData = ShapedValues | NumericArray | readonly NestedRows[]

/** How numbers become images. */
export interface ImageOptions {
  /** The values that are drawn as 0 and as 255. By default 0 and 255 for bytes, 0 and 1 for other numbers. */
  range?: readonly [low: number, high: number]
  /** Whether the highest value is ink on white paper, as in MNIST; false by default: it is white on black. */
  ink?: boolean
  /** Where the channels stand, if images have some; `channelsLast` by default. */
  dataFormat?: DataFormat
}

/** @internal The defaults of these options, for `readOptions`. */
export const imageDefaults = {
  range: undefined as ImageOptions['range'],
  ink: false,
  dataFormat: 'channelsLast' as DataFormat,
}

const isRange = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1]

/** @internal The checks of these options, for `readOptions`. */
export const imageRules = {
  range(what: string, name: string, value: unknown): void {
    if (!isRange(value)) throw new ValueError(`${what}: ${name} must be [low, high], two numbers that rise, got ${describeValue(value)}.`)
  },
  dataFormat: (what: string, name: string, value: unknown): void => requireChoice(what, name, value, ['channelsLast', 'channelsFirst']),
}

/** @internal Throws unless the value is a whole number from 1 on. */
export const requireCount = (what: string, name: string, value: unknown): void => requireWhole(what, name, value, { least: 1 })

/** @internal Images with their sizes read off the shape. */
export interface Images {
  count: number
  height: number
  width: number
  channels: 1 | 3
  first: boolean
  values: HostArray['data']
}

/** @internal */
export function readImages(what: string, data: unknown, { dataFormat = 'channelsLast' }: ImageOptions): Images {
  const { shape, data: values } = readHost(what, data)
  const first = dataFormat === 'channelsFirst'
  const [count, a, b, c] = shape
  const [height, width, channels] = shape.length === 3 ? [a, b, 1] : first ? [b, c, a] : [a, b, c]
  if ((shape.length !== 3 && shape.length !== 4) || (channels !== 1 && channels !== 3) || height === 0 || width === 0) {
    const wanted = first ? '[images, 1 or 3, height, width]' : '[images, height, width, 1 or 3]'
    throw new ShapeError(
      `${what}: images must be [images, height, width] or ${wanted}, got ${showShape(shape)}. Reshape them, or say the other dataFormat.`,
    )
  }
  return { count, height, width, channels, first: first && shape.length === 4, values }
}

/** @internal The images of some rows as a sheet. */
export function sheetOf(what: string, images: Images, rows: ArrayLike<number>, how: ImageOptions): ImageSheet {
  const { height, width, channels } = images
  return { count: rows.length, height, width, channels, bytes: base64(bytesOf(what, images, rows, how)), ...(how.ink && { ink: true }) }
}

function bytesOf(what: string, images: Images, rows: ArrayLike<number>, { range }: ImageOptions): Uint8Array {
  const { height, width, channels, first, values } = images
  const isBytes = values instanceof Uint8Array || (values as unknown) instanceof Uint8ClampedArray
  const [low, high] = range ?? (isBytes ? [0, 255] : [0, 1])
  const size = height * width * channels
  const bytes = new Uint8Array(rows.length * size)
  // From [c, h, w] the next channel of a pixel is a whole plane away.
  const [ofChannel, ofPixel] = first ? [height * width, 1] : [1, channels]
  for (let i = 0; i < rows.length; i++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const value = values[rows[i] * size + pixel * ofPixel + channel * ofChannel]
        if (!(value >= low && value <= high)) {
          const place = `image ${rows[i]} has ${value} in row ${Math.floor(pixel / width)}, column ${pixel % width}`
          throw new ValueError(
            `${what}: ${place}, which is not in ${low} … ${high}. Say which values are black and white: range: [low, high].`,
          )
        }
        bytes[i * size + pixel * channels + channel] = Math.round(((value - low) / (high - low)) * 255)
      }
    }
  }
  return bytes
}

/** Options of `imagesSection`. */
export interface ImagesOptions extends ImageOptions {
  title?: string
  /** A sentence or two: how to read it. */
  says?: string
  /** Images in a row; as many as fit by default. */
  columns?: number
  /** A text under each image. */
  captions?: readonly string[]
  /** How many images are taken, from the first on; 100 by default. */
  most?: number
}

/**
 * Images in a grid: those of a data set, or those that a network made.
 *
 * Shape: images [n, height, width] or [n, height, width, 1 or 3], bytes or numbers of 0 … 1. Several arrays stand one after the other: ten images and
 * their ten reconstructions in ten columns are two rows.
 *
 * @throws ShapeError for another shape; ValueError for a value out of the range, such as NaN, or captions that are not as many as the images
 * @example
 * ```ts
 * const digits = { data: new Uint8Array(81 * 28 * 28), shape: [81, 28, 28] }
 * const { images, columns } = imagesSection(digits, { title: 'The first 81 digits', columns: 9, ink: true })
 * console.log(images.count, images.height, columns)   // 81 28 9
 * ```
 */
export function imagesSection(images: HostData | readonly ShapedValues[], options?: ImagesOptions): ImagesSection {
  const what = 'imagesSection'
  const { title, says, columns, captions, most, ...how } = readOptions(
    what,
    options,
    {
      ...imageDefaults,
      title: 'Images',
      says: undefined as string | undefined,
      columns: undefined as number | undefined,
      captions: undefined as readonly string[] | undefined,
      most: 100,
    },
    {
      ...imageRules,
      says: requireText,
      columns: requireCount,
      captions: requireTexts,
      most: requireCount,
    },
  )
  const isList = Array.isArray(images) && images.length > 0 && images.every(isShaped)
  const parts = isList ? images.map((part, i) => readImages(`${what}: images[${i}]`, part, how)) : [readImages(what, images, how)]
  requireOneSize(what, parts)
  const count = Math.min(
    most,
    parts.reduce((sum, part) => sum + part.count, 0),
  )
  if (captions && captions.length !== count)
    throw new ValueError(`${what}: ${captions.length} captions for ${count} images. Give one for each, or none.`)
  const { height, width, channels } = parts[0]
  const bytes = new Uint8Array(count * height * width * channels)
  let next = 0
  for (const [i, part] of parts.entries()) {
    const taken = Math.min(part.count, count - next)
    const rows = Int32Array.from({ length: taken }, (_, row) => row)
    bytes.set(bytesOf(isList ? `${what}: images[${i}]` : what, part, rows, how), next * height * width * channels)
    next += taken
  }
  return {
    kind: 'images',
    title,
    ...(says && { says }),
    images: { count, height, width, channels, bytes: base64(bytes), ...(how.ink && { ink: true }) },
    ...(columns && { columns }),
    ...(captions && { captions: [...captions] }),
  }
}

function requireOneSize(what: string, [head, ...others]: readonly Images[]): void {
  const odd = others.find((part) => part.height !== head.height || part.width !== head.width || part.channels !== head.channels)
  if (!odd) return
  const sizes = [head, odd].map(({ height, width, channels }) => `${height} × ${width} × ${channels}`)
  throw new ShapeError(`${what}: all images must have one size, got ${sizes.join(' and ')}.`)
}

/** @internal Throws unless the value is a list of texts. */
export function requireTexts(what: string, name: string, value: unknown): void {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return
  throw new ValueError(`${what}: ${name} must be a list of texts, got ${describeValue(value)}.`)
}
