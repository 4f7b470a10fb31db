/**
 * The base of layers of images (2-D), sequences (1-D) and volumes (3-D): data format, sizes of windows, rules for shapes. A subclass works on channels last; for
 * `channelsFirst` this class moves the channels there and back.
 */

import { type Padding, ShapeError, type Tensor, ValueError, windowExtent } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../layer.js'
import type { Option, OptionTable, Place } from '../option-table.js'
import type { Spelling } from '../spelling/names.js'
import { type DataFormat, dataFormatOf, imageDataFormat, moveAxis } from './data-format.js'

/** Sizes of the axes between batch and channels; null where a size is open. */
export type Sizes = readonly (number | null)[]

/** Options of every layer of images, sequences or volumes. */
export interface SpatialOptions extends LayerOptions {
  /** Where the channels are: `channelsLast` or `channelsFirst`. By default `imageDataFormat()`, and `channelsLast` for sequences. */
  dataFormat?: Spelling<DataFormat>
}

const show = (shape: Sizes): string => `[${shape.map((n) => n ?? '?').join(', ')}]`

/** 1: sequences, 2: images, 3: volumes. */
export type Rank = 1 | 2 | 3

const axesOfRank = { 1: ['steps'], 2: ['height', 'width'], 3: ['depth', 'height', 'width'] } as const

/** The rows of options that all these layers have. */
export const spatialOptions = (rank: Rank) => ({ dataFormat: dataFormatOf(rank === 1 ? () => 'channelsLast' : imageDataFormat) })

/** A layer of images [n, h, w, c], sequences [n, t, c] or volumes [n, d, h, w, c], in either data format. */
export abstract class SpatialLayer extends Layer {
  declare readonly dataFormat: DataFormat
  protected readonly rank: Rank

  /** @param own the table of all its options, with `spatialOptions` in it */
  constructor(className: string, rank: Rank, options: SpatialOptions, own: OptionTable, args: object = {}) {
    super(className, options, own, args)
    this.rank = rank
  }

  /** The sizes of the output. Throws if there can be none. */
  protected abstract outputSizes(sizes: Sizes): Sizes
  /** The channels of the output: those of the input, unless overridden. */
  protected outputChannels(channels: number | null): number | null {
    return channels
  }
  /** The layer's work, with channels last on both sides. */
  protected abstract transform(x: Tensor, context: CallContext): Tensor

  protected get channelAxis(): number {
    return this.dataFormat === 'channelsLast' ? this.rank + 1 : 1
  }

  /** Batch, sizes and channels of a shape in the layer's data format. */
  protected parts(inputShape: BatchShape): { batch: number | null; sizes: Sizes; channels: number | null } {
    if (inputShape.length !== this.rank + 2) throw this.#wrongRank(inputShape)
    const [batch, ...rest] = inputShape
    const [channels] = rest.splice(this.channelAxis - 1, 1)
    return { batch, sizes: rest, channels }
  }

  #wrongRank(inputShape: BatchShape): ShapeError {
    const axes: string[] = [...axesOfRank[this.rank]]
    axes.splice(this.channelAxis - 1, 0, 'channels')
    const example = { 1: 'reshape([100, 1])', 2: 'reshape([28, 28, 1])', 3: 'reshape([16, 28, 28, 1])' }[this.rank]
    const remedy =
      inputShape.length < this.rank + 2
        ? `If there is only one channel, give the data an axis of size 1 for it, or put a layer such as ${example} before this one.`
        : 'Put a reshape layer before this one.'
    return new ShapeError(
      `${this.describe()}: takes inputs of ${this.rank + 2} axes [batch, ${axes.join(', ')}], got ${show(inputShape)}. ${remedy}`,
    )
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const { batch, sizes, channels } = this.parts(inputShape)
    const shape = [...this.outputSizes(sizes)]
    shape.splice(this.channelAxis - 1, 0, this.outputChannels(channels))
    return [batch, ...shape]
  }

  override call(x: Tensor, context: CallContext): Tensor {
    return this.channelsLast(x, (t) => this.transform(t, context))
  }

  /** Runs `work` on x with channels last, and moves the channels of the result back. */
  protected channelsLast(x: Tensor, work: (x: Tensor) => Tensor): Tensor {
    this.parts(x.shape)
    if (this.dataFormat === 'channelsLast') return work(x)
    return moveAxis(work(moveAxis(x, 1, x.rank - 1)), x.rank - 1, 1)
  }

  /** The sizes after a sliding window. If there are none, an error names the layer, the sizes, and a remedy. */
  protected windowed(sizes: Sizes, option: string, { kernel, strides, padding, dilation }: WindowSettings): Sizes {
    const out = sizes.map((n, i) => (n === null ? null : windowExtent(n, kernel[i], strides[i], dilation?.[i] ?? 1, padding).out))
    if (out.every((n) => n === null || n > 0)) return out
    const reach = kernel.map((k, i) => (k - 1) * (dilation?.[i] ?? 1) + 1)
    const spread = reach.some((n, i) => n !== kernel[i]) ? `, spread over ${show(reach)} by its dilation,` : ''
    const axes = axesOfRank[this.rank].join(this.rank === 2 ? ' and ' : ', ')
    const other = this.dataFormat === 'channelsLast' ? 'channelsFirst' : 'channelsLast'
    throw new ShapeError(
      `${this.describe()}: the window ${show(kernel)}${spread} is larger than the input, whose ${axes} are ${show(sizes)} with dataFormat ` +
        `'${this.dataFormat}'. Use a smaller ${option} or padding 'same'; if ${this.dataFormat === 'channelsLast' ? 'the channels come first' : 'the channels come last'}, set dataFormat: '${other}'.`,
    )
  }
}

/** How a window slides. */
export interface WindowSettings {
  kernel: readonly number[]
  strides: readonly number[]
  padding: Padding
  dilation?: readonly number[]
}

/** A number for each axis, or one for all. */
export type PerAxis = number | readonly number[]

/** A list of numbers as it is; anything else in a few words. */
export const shown = (value: unknown): string =>
  Array.isArray(value) && value.flat().every((n) => typeof n === 'number') ? JSON.stringify(value) : describeValue(value)

/** Whole numbers, at least `least`, one for each axis. */
function readSizes(className: string, option: string, value: unknown, rank: Rank, least: number): number[] {
  const sizes = typeof value === 'number' ? new Array<number>(rank).fill(value) : Array.isArray(value) ? [...value] : []
  if (sizes.length !== rank || sizes.some((n) => !Number.isSafeInteger(n) || n < least)) {
    const wanted = ['a whole number', 'a whole number or two', 'a whole number or three'][rank - 1]
    throw new ValueError(`${className}: ${option} must be ${wanted}, at least ${least}, got ${shown(value)}.`)
  }
  return sizes
}

/** A row for sizes, one for each axis. If they are left out, they are `usual`, or follow from another option. */
export const sizesOf = (rank: Rank, usual?: PerAxis | ((place: Place) => PerAxis)): Option<readonly number[]> => ({
  read: (given, place) =>
    readSizes(
      place.className,
      place.name,
      usual === undefined ? given : (given ?? (typeof usual === 'function' ? usual(place) : usual)),
      rank,
      1,
    ),
})

/** A row for sizes, at least 0; undefined if they are left out. */
export const sizesOrNone = (rank: Rank): Option<readonly number[] | undefined> => ({
  read: (given, { className, name }) => (given === undefined || given === null ? undefined : readSizes(className, name, given, rank, 0)),
})

/** Three sizes for `conv3d` and its relatives. */
export const asTriple = (sizes: readonly number[]): [number, number, number] => [sizes[0], sizes[1], sizes[2]]

/** Two sizes for `conv2d` and its relatives. One size, of a sequence, becomes the second of the two. */
export const asPair = (sizes: readonly number[], first = 1): [number, number] =>
  sizes.length === 2 ? [sizes[0], sizes[1]] : [first, sizes[0]]
