/**
 * Images turned, zoomed and moved at random. An output pixel (x, y) reads the input at (a0·x + a1·y + a2, b0·x + b1·y + b2); the functions here make these numbers.
 */
import { affineTransform, type FillMode, type Tensor } from '@cotangent/core'
import { type OptionTable, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type SpatialOptions, spatialOptions } from '../spatial-layer.js'
import {
  between,
  type Draws,
  factorOf,
  factorPair,
  type RandomFactor,
  RandomImageLayer,
  type RandomSamplingOptions,
  rangeOf,
  samplingOptions,
} from './random-image-layer.js'

type Size = readonly [height: number, width: number]

/** A turn by an angle in degrees about the middle, counter-clockwise as seen. */
export function turn(degrees: number, [height, width]: Size): number[] {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const [x, y] = [(width - 1) / 2, (height - 1) / 2]
  return [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y]
}
/** A zoom about the middle. Above 1 the image gets smaller. */
export const zoom = ([down, across]: Size, [height, width]: Size): number[] => [
  across,
  0,
  ((width - 1) / 2) * (1 - across),
  0,
  down,
  ((height - 1) / 2) * (1 - down),
]
/** A move by pixels, to the right and down. */
export const move = (right: number, down: number): number[] => [1, 0, -right, 0, 1, -down]

abstract class RandomAffine extends RandomImageLayer {
  declare readonly fillMode: FillMode
  declare readonly interpolation: 'bilinear' | 'nearest'
  declare readonly fillValue: number

  constructor(className: string, options: RandomSamplingOptions, own: OptionTable, args: object) {
    super(className, 2, options, own, args)
  }
  /** The numbers of one image. */
  protected abstract matrix(draws: Draws, size: Size): number[]

  protected override changed(x: Tensor, draws: readonly Draws[]): Tensor {
    const { fillMode, interpolation, fillValue } = this
    const size: Size = [x.shape[1], x.shape[2]]
    return affineTransform(
      x,
      draws.map((each) => this.matrix(each, size)),
      { fillMode, interpolation, fillValue },
    )
  }
}

const shared = { ...spatialOptions(2), ...samplingOptions }

const rotationOptions = { ...shared, factor: positional(factorPair(rangeOf)) } satisfies TableFor<
  RandomSamplingOptions & { factor: RandomFactor }
>

/**
 * In training, turns each image about its middle. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_rotation.py
 *
 * @throws ValueError in training without a key
 */
export class RandomRotation extends RandomAffine implements ValuesOf<typeof rotationOptions> {
  override readonly className = ours(RandomRotation, 'RandomRotation')
  declare readonly factor: readonly [number, number]

  constructor(factor: RandomFactor, options: RandomSamplingOptions = {}) {
    super('RandomRotation', options, rotationOptions, { factor })
  }
  static fromConfig({ factor, ...options }: RandomSamplingOptions & { factor: RandomFactor }): RandomRotation {
    return new RandomRotation(factor, options)
  }
  protected override matrix([u]: Draws, size: Size): number[] {
    return turn(360 * between(this.factor, u), size)
  }
}

/** Options of `randomZoom`. */
export interface RandomZoomOptions extends RandomSamplingOptions {
  /** The change of the width; by default the draw for the height is for both, so that nothing is distorted. */
  widthFactor?: RandomFactor | null
}

const zoomOptions = { ...shared, heightFactor: positional(factorOf()), widthFactor: factorOf(null) } satisfies TableFor<
  RandomZoomOptions & { heightFactor: RandomFactor }
>

/**
 * In training, zooms each image about its middle. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_zoom.py
 *
 * @throws ValueError in training without a key
 */
export class RandomZoom extends RandomAffine implements ValuesOf<typeof zoomOptions> {
  override readonly className = ours(RandomZoom, 'RandomZoom')
  declare readonly heightFactor: RandomFactor
  declare readonly widthFactor: RandomFactor | null

  constructor(heightFactor: RandomFactor, options: RandomZoomOptions = {}) {
    super('RandomZoom', options, zoomOptions, { heightFactor })
  }
  static fromConfig({ heightFactor, ...options }: RandomZoomOptions & { heightFactor: RandomFactor }): RandomZoom {
    return new RandomZoom(heightFactor, options)
  }
  protected override matrix([u, v]: Draws, size: Size): number[] {
    const down = 1 + between(rangeOf(this.heightFactor), u)
    return zoom([down, this.widthFactor === null ? down : 1 + between(rangeOf(this.widthFactor), v)], size)
  }
}

const translationOptions = { ...shared, heightFactor: positional(factorOf()), widthFactor: positional(factorOf()) } satisfies TableFor<
  SpatialOptions & { heightFactor: RandomFactor; widthFactor: RandomFactor }
>

/**
 * In training, moves each image. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_translation.py
 *
 * @throws ValueError in training without a key
 */
export class RandomTranslation extends RandomAffine implements ValuesOf<typeof translationOptions> {
  override readonly className = ours(RandomTranslation, 'RandomTranslation')
  declare readonly heightFactor: RandomFactor
  declare readonly widthFactor: RandomFactor

  constructor(heightFactor: RandomFactor, widthFactor: RandomFactor, options: RandomSamplingOptions = {}) {
    super('RandomTranslation', options, translationOptions, { heightFactor, widthFactor })
  }
  static fromConfig({
    heightFactor,
    widthFactor,
    ...options
  }: RandomSamplingOptions & { heightFactor: RandomFactor; widthFactor: RandomFactor }): RandomTranslation {
    return new RandomTranslation(heightFactor, widthFactor, options)
  }
  protected override matrix([u, v]: Draws, [height, width]: Size): number[] {
    return move(width * between(rangeOf(this.widthFactor), v), height * between(rangeOf(this.heightFactor), u))
  }
}

/**
 * Makes a `RandomRotation` layer. `factor` is a share of a full turn: 0.1 draws from −36° to 36°, `[0, 0.25]` from 0° to 90°, counter-clockwise.
 *
 * @example
 * ```ts
 * const layer = randomRotation([0.25, 0.25])   // always 90°
 * const x = tensor([[[[1], [2]], [[3], [4]]]])
 * console.log((await layer.call(x, { training: true, key: key(1) }).flatten().array()).map(Math.round).toString())   // 2,4,1,3
 * ```
 */
export const randomRotation = (factor: RandomFactor, options?: RandomSamplingOptions): RandomRotation => new RandomRotation(factor, options)
/**
 * Makes a `RandomZoom` layer. `heightFactor` 0.2 draws from −20 % to 20 %; above 0 the image gets smaller.
 *
 * @example
 * ```ts
 * const model = new Sequential([randomZoom(0.2, { fillMode: 'nearest', inputShape: [28, 28, 1] }), flatten(), dense(10)])
 * console.log(model.output.shape)   // [null, 10]
 * ```
 */
export const randomZoom = (heightFactor: RandomFactor, options?: RandomZoomOptions): RandomZoom => new RandomZoom(heightFactor, options)
/**
 * Makes a `RandomTranslation` layer. The factors are shares of height and width: 0.1 draws from −10 % to 10 %, down and to the right.
 *
 * @example
 * ```ts
 * const layer = randomTranslation(0, [0.5, 0.5], { fillMode: 'constant' })   // always half the width to the right
 * const x = tensor([[[[1], [2]]]])
 * console.log((await layer.call(x, { training: true, key: key(1) }).flatten().array()).toString())   // 0,1
 * ```
 */
export const randomTranslation = (
  heightFactor: RandomFactor,
  widthFactor: RandomFactor,
  options?: RandomSamplingOptions,
): RandomTranslation => new RandomTranslation(heightFactor, widthFactor, options)
