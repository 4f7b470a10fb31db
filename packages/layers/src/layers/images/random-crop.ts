/** Parts of images cut out at random. */
import type { Tensor } from '@cotangent/core'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { Sizes, SpatialOptions } from '../spatial-layer.js'
import { type Draws, RandomImageLayer } from './random-image-layer.js'
import { fitted, sizeOptions, window } from './sizes.js'

const cropOptions = sizeOptions satisfies TableFor<SpatialOptions & { height: number; width: number }>

/**
 * In training, cuts one part out of all images of a batch. In inference, and from smaller images, it takes the largest part from the middle that has the new shape,
 * and resizes it, as Keras' documentation says and tf.keras 2 did. Keras 3 hands images through uncut in inference.
 *
 * Shape:  [n, h, w, c] → [n, height, width, c]
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_crop.py
 *
 * @throws ValueError in training without a key
 */
export class RandomCrop extends RandomImageLayer implements ValuesOf<typeof cropOptions> {
  override readonly className = ours(RandomCrop, 'RandomCrop')
  declare readonly height: number
  declare readonly width: number

  constructor(height: number, width: number, options: SpatialOptions = {}) {
    super('RandomCrop', 2, options, cropOptions, { height, width })
  }
  static fromConfig({ height, width, ...options }: SpatialOptions & { height: number; width: number }): RandomCrop {
    return new RandomCrop(height, width, options)
  }
  protected override outputSizes(): Sizes {
    return [this.height, this.width]
  }
  protected override unchanged(x: Tensor): Tensor {
    return fitted(x, [this.height, this.width])
  }
  protected override changed(x: Tensor, draws: readonly Draws[]): Tensor {
    const sizes = [this.height, this.width]
    const left = sizes.map((n, i) => x.shape[i + 1] - n)
    if (draws.length === 0 || left.some((n) => n < 0)) return this.unchanged(x)
    return window(
      x,
      sizes,
      left.map((n, i) => Math.floor(draws[0][i] * (n + 1))),
    )
  }
}

/**
 * Makes a `RandomCrop` layer: a part of the height and width given, at another place in each batch.
 *
 * @example
 * ```ts
 * const model = new Sequential([randomCrop(24, 24, { inputShape: [28, 28, 3] })])
 * console.log(model.output.shape)   // [null, 24, 24, 3]
 * ```
 */
export const randomCrop = (height: number, width: number, options?: SpatialOptions): RandomCrop => new RandomCrop(height, width, options)
