/** Images with more or less contrast or brightness, at random. */
import { type Tensor, tensor } from '@cotangent/core'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type SpatialOptions, spatialOptions } from '../spatial-layer.js'
import { between, type Draws, factorPair, type RandomFactor, RandomImageLayer, rangeOf, valueRange } from './random-image-layer.js'

/** Options of `randomContrast` and `randomBrightness`. */
export interface RandomColorOptions extends SpatialOptions {
  /** The least and the greatest value of an image; [0, 255] by default. Values stay between them. */
  valueRange?: readonly [number, number]
}

const eachImage = (values: readonly number[], x: Tensor): Tensor =>
  tensor(Float64Array.from(values), { shape: [values.length, 1, 1, 1], dtype: x.dtype, backend: x.backend })

/** (x − mean)·factor + mean, with the mean of each channel of each image, kept in the range. */
export function contrasted(x: Tensor, factors: readonly number[], [low, high]: readonly [number, number]): Tensor {
  const mean = x.mean({ axis: [1, 2], keepDims: true })
  return x.sub(mean).mul(eachImage(factors, x)).add(mean).clip(low, high)
}
/** x + factor·(high − low), kept in the range. */
export const brightened = (x: Tensor, factors: readonly number[], [low, high]: readonly [number, number]): Tensor =>
  x
    .add(
      eachImage(
        factors.map((factor) => factor * (high - low)),
        x,
      ),
    )
    .clip(low, high)

const contrastOptions = {
  ...spatialOptions(2),
  factor: positional(factorPair((factor) => (typeof factor === 'number' ? [factor, factor] : factor), 0)),
  valueRange: valueRange(),
} satisfies TableFor<RandomColorOptions & { factor: RandomFactor }>

const brightnessOptions = {
  ...spatialOptions(2),
  factor: positional(factorPair(rangeOf)),
  valueRange: valueRange(),
} satisfies TableFor<RandomColorOptions & { factor: RandomFactor }>

/**
 * In training, moves the values of each image away from the mean of their channel, or towards it. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_contrast.py. There a number f is the pair [0, f], against its documentation
 *
 * @throws ValueError in training without a key
 */
export class RandomContrast extends RandomImageLayer implements ValuesOf<typeof contrastOptions> {
  override readonly className = ours(RandomContrast, 'RandomContrast')
  declare readonly factor: readonly [number, number]
  declare readonly valueRange: readonly [number, number]

  constructor(factor: RandomFactor, options: RandomColorOptions = {}) {
    super('RandomContrast', 2, options, contrastOptions, { factor })
  }
  static fromConfig({ factor, ...options }: RandomColorOptions & { factor: RandomFactor }): RandomContrast {
    return new RandomContrast(factor, options)
  }
  protected override changed(x: Tensor, draws: readonly Draws[]): Tensor {
    const [less, more] = this.factor
    return contrasted(
      x,
      draws.map(([u]) => between([1 - less, 1 + more], u)),
      this.valueRange,
    )
  }
}

/**
 * In training, makes each image lighter or darker. It changes nothing in inference.
 *
 * Shape:  [n, h, w, c] → the same
 * Source: Keras 3.16, layers/preprocessing/image_preprocessing/random_brightness.py
 *
 * @throws ValueError in training without a key
 */
export class RandomBrightness extends RandomImageLayer implements ValuesOf<typeof brightnessOptions> {
  override readonly className = ours(RandomBrightness, 'RandomBrightness')
  declare readonly factor: readonly [number, number]
  declare readonly valueRange: readonly [number, number]

  constructor(factor: RandomFactor, options: RandomColorOptions = {}) {
    super('RandomBrightness', 2, options, brightnessOptions, { factor })
  }
  static fromConfig({ factor, ...options }: RandomColorOptions & { factor: RandomFactor }): RandomBrightness {
    return new RandomBrightness(factor, options)
  }
  protected override changed(x: Tensor, draws: readonly Draws[]): Tensor {
    return brightened(
      x,
      draws.map(([u]) => between(this.factor, u)),
      this.valueRange,
    )
  }
}

/**
 * Makes a `RandomContrast` layer. `factor` 0.2 draws what multiplies the contrast from 0.8 to 1.2, and `[0.1, 0.3]` from 0.9 to 1.3.
 *
 * @example
 * ```ts
 * const layer = randomContrast(0.5, { valueRange: [0, 1] })
 * const x = tensor([[[[0.4], [0.6]]]])
 * console.log(await layer.call(x, { training: true, key: key(1) }).mean().array())   // ≈ 0.5
 * ```
 */
export const randomContrast = (factor: RandomFactor, options?: RandomColorOptions): RandomContrast => new RandomContrast(factor, options)
/**
 * Makes a `RandomBrightness` layer. `factor` is a share of the range of values: 0.2 draws from −51 to 51, added to images from 0 to 255.
 *
 * @example
 * ```ts
 * const layer = randomBrightness([0.5, 0.5], { valueRange: [0, 1] })   // always half the range lighter
 * console.log((await layer.call(tensor([[[[0.25], [0.75]]]]), { training: true, key: key(1) }).flatten().array()).toString())   // 0.75,1
 * ```
 */
export const randomBrightness = (factor: RandomFactor, options?: RandomColorOptions): RandomBrightness =>
  new RandomBrightness(factor, options)
