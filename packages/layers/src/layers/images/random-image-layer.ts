/** The base of layers that change images at random in training: draws for each image, and the options that these layers share. */
import { type FillMode, type Key, type Tensor, threefry2x32, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { CallContext } from '../../layer.js'
import { choice, numberFrom } from '../../option-rows.js'
import type { Option } from '../../option-table.js'
import { type Sizes, SpatialLayer, type SpatialOptions } from '../spatial-layer.js'
import { asFloats } from './sizes.js'

/** A number f, or the least and the greatest value of a draw. */
export type RandomFactor = number | readonly [number, number]

/** The least and the greatest value of a draw; of a number f, −f and f. */
export function rangeOf(factor: RandomFactor): readonly [number, number] {
  if (typeof factor === 'number') return [-Math.abs(factor), Math.abs(factor)]
  return factor[0] <= factor[1] ? factor : [factor[1], factor[0]]
}

/** Whether a value is a number, or a pair of numbers, from `least` to 1. */
function isFactor(value: unknown, least: number): value is RandomFactor {
  const numbers = Array.isArray(value) && value.length === 2 ? value : [value]
  return numbers.every((n) => typeof n === 'number' && n >= least && n <= 1)
}

const wanted = (least: number): string => `must be a number from ${least} to 1, or the least and the greatest of such numbers`

/** A row for a factor, kept as it was given. null is a value if it may be missing. */
export const factorOf = <Missing extends null = never>(missing?: Missing): Option<RandomFactor | Missing> => ({
  read(given, { className, name }) {
    if (missing === null && (given === null || given === undefined)) return null as Missing
    if (isFactor(given, -1)) return given
    throw new ValueError(`${className}: ${name} ${wanted(-1)}, got ${describeValue(given)}.`)
  },
})

/** A row for a factor, kept as a pair. */
export const factorPair = (pair: (factor: RandomFactor) => readonly [number, number], least = -1): Option<readonly [number, number]> => ({
  read(given, { className, name }) {
    if (isFactor(given, least)) return pair(given)
    throw new ValueError(`${className}: ${name} ${wanted(least)}, got ${describeValue(given)}.`)
  },
})

/** A row for the range of an image's values; from 0 to 255 by default. */
export const valueRange = (): Option<readonly [number, number]> => ({
  read(given, { className, name }) {
    const range = given ?? [0, 255]
    const right = Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]
    if (right) return range as unknown as readonly [number, number]
    throw new ValueError(
      `${className}: ${name} must be the least and the greatest value of images, such as [0, 1], got ${describeValue(given)}.`,
    )
  },
})

/** Options of layers that turn, move or zoom. */
export interface RandomSamplingOptions extends SpatialOptions {
  /** The values around an image abcd: `reflect` (default) dcba|abcd|dcba, `wrap`, `nearest`, or `constant`, the fill value. */
  fillMode?: FillMode
  /** `bilinear` (default) mixes the four pixels around a point; `nearest` takes one. */
  interpolation?: 'bilinear' | 'nearest'
  /** For `constant`; 0 by default. */
  fillValue?: number
}

/** The rows of these options. */
export const samplingOptions = {
  fillMode: choice<FillMode>(['reflect', 'wrap', 'nearest', 'constant'], 'reflect'),
  interpolation: choice<'bilinear' | 'nearest'>(['bilinear', 'nearest'], 'bilinear'),
  fillValue: numberFrom({}, 0),
}

/** Two numbers from 0 to below 1 for an image. */
export type Draws = readonly [number, number]

/** A value between two, by a number from 0 to 1. */
export const between = ([low, high]: readonly [number, number], u: number): number => low + (high - low) * u

/**
 * Changes images at random in training, each by draws of its own. In inference they stay as they are. All draws come from the model's seed, so there is no option
 * for one.
 */
export abstract class RandomImageLayer extends SpatialLayer {
  /** The images as training has them; `draws` holds two numbers for each. */
  protected abstract changed(x: Tensor, draws: readonly Draws[]): Tensor

  /** The images as inference has them. */
  protected unchanged(x: Tensor): Tensor {
    return x
  }
  protected override outputSizes(sizes: Sizes): Sizes {
    return sizes
  }
  protected override transform(x: Tensor, { training, key }: CallContext): Tensor {
    if (!training) return this.unchanged(asFloats(x))
    if (!key) throw new ValueError(`${this.className}: training needs a key. Pass { training: true, key } to apply.`)
    return this.changed(asFloats(x), drawsOf(key, x.shape[0]))
  }
}

const drawsOf = (key: Key, images: number): Draws[] =>
  Array.from({ length: images }, (_, i) => {
    const [a, b] = threefry2x32(key, [i, 0])
    return [a / 2 ** 32, b / 2 ** 32]
  })
