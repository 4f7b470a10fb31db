/** Images mirrored at random. */
import { flip, type Tensor, tensor, where } from '@cotangent/core'
import { choice } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type SpatialOptions, spatialOptions } from '../spatial-layer.js'
import { type Draws, RandomImageLayer } from './random-image-layer.js'

/** How images are mirrored: left and right, top and bottom, or both at once. */
export type FlipMode = 'horizontal' | 'vertical' | 'horizontal_and_vertical'

/** Options of `randomFlip`. */
export interface RandomFlipOptions extends SpatialOptions {
  /** Which sides change places; `horizontal_and_vertical` by default. */
  mode?: FlipMode
}

const flipOptions = {
  ...spatialOptions(2),
  mode: choice<FlipMode>(['horizontal', 'vertical', 'horizontal_and_vertical'], 'horizontal_and_vertical'),
} satisfies TableFor<RandomFlipOptions>

/** Mirrors the images for which `flips` is true. */
export function flipped(x: Tensor, mode: FlipMode, flips: readonly boolean[]): Tensor {
  const axes = { horizontal: [2], vertical: [1], horizontal_and_vertical: [1, 2] }[mode]
  const mirrored = axes.reduce((y, axis) => flip(y, axis), x)
  return where(tensor(flips.map(Number), { shape: [flips.length, 1, 1, 1], dtype: 'bool', backend: x.backend }), mirrored, x)
}

/**
 * In training, mirrors each image with probability ½. With both directions, one draw is for both, as in Keras. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_flip.py
 *
 * @throws ValueError in training without a key
 */
export class RandomFlip extends RandomImageLayer implements ValuesOf<typeof flipOptions> {
  override readonly className = ours(RandomFlip, 'RandomFlip')
  declare readonly mode: FlipMode

  constructor(options: RandomFlipOptions = {}) {
    super('RandomFlip', 2, options, flipOptions)
  }
  static fromConfig(options: RandomFlipOptions): RandomFlip {
    return new RandomFlip(options)
  }
  protected override changed(x: Tensor, draws: readonly Draws[]): Tensor {
    return flipped(
      x,
      this.mode,
      draws.map(([u]) => u <= 0.5),
    )
  }
}

/**
 * Makes a `RandomFlip` layer, which mirrors images at random in training.
 *
 * @example
 * ```ts
 * const layer = randomFlip({ mode: 'horizontal' })
 * const x = tensor([[[[1], [2]]], [[[3], [4]]], [[[5], [6]]]])
 * console.log((await layer.call(x, { training: true, key: key(2) }).flatten().array()).toString().length)   // 11
 * console.log((await layer.call(x, { training: false }).flatten().array()).toString())   // 1,2,3,4,5,6
 * ```
 */
export const randomFlip = (options?: RandomFlipOptions): RandomFlip => new RandomFlip(options)
