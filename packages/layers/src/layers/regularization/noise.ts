/** Layers that add or multiply noise in training, and change nothing in inference. Source: Keras 2.3.1, layers/noise.py. */

import { type Key, normal, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { dropRate, numberFrom } from '../../option-rows.js'
import { positional, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'

abstract class Noise extends Layer {
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  protected abstract readonly active: boolean
  protected abstract noisy(x: Tensor, key: Key): Tensor

  override call(x: Tensor, { training, key }: CallContext): Tensor {
    if (!training || !this.active) return x
    if (!key) throw new ValueError(`${this.className}: training needs a key. Pass { training: true, key } to apply.`)
    return this.noisy(x, key)
  }
}

const gaussianNoiseOptions = { stddev: positional(numberFrom({ least: 0 })) }

/**
 * y = x + noise in training, with noise of mean 0 and standard deviation `stddev`; y = x in inference.
 *
 * Shape: any → the same
 *
 * @throws ValueError in training without a key
 */
export class GaussianNoise extends Noise implements ValuesOf<typeof gaussianNoiseOptions> {
  override readonly className = ours(GaussianNoise, 'GaussianNoise')
  override readonly supportsMasking = true
  declare readonly stddev: number

  constructor(stddev: number, options: LayerOptions = {}) {
    super('GaussianNoise', options, gaussianNoiseOptions, { stddev })
  }
  static fromConfig({ stddev, ...options }: LayerOptions & { stddev: number }): GaussianNoise {
    return new GaussianNoise(stddev, options)
  }
  protected override get active(): boolean {
    return this.stddev > 0
  }
  protected override noisy(x: Tensor, key: Key): Tensor {
    return x.add(normal(key, x.shape, { stddev: this.stddev, dtype: x.dtype, backend: x.backend }))
  }
  protected override detail(): string {
    return `stddev ${this.stddev}`
  }
}

/** The rate is kept as it was given, also outside 0 to 1, so that the config says the same. */
const gaussianDropoutOptions = {
  rate: positional<number>({
    read(given, place) {
      dropRate().read(given, place)
      return given as number
    },
  }),
}

/**
 * y = x·noise in training, with noise of mean 1 and standard deviation √(rate/(1 − rate)): the mean and variance of dropout (Srivastava et al. 2014).
 * y = x in inference, and if rate is not between 0 and 1, as in Keras.
 *
 * Shape: any → the same
 *
 * @throws ValueError in training without a key
 */
export class GaussianDropout extends Noise implements ValuesOf<typeof gaussianDropoutOptions> {
  override readonly className = ours(GaussianDropout, 'GaussianDropout')
  override readonly supportsMasking = true
  declare readonly rate: number

  constructor(rate: number, options: LayerOptions = {}) {
    super('GaussianDropout', options, gaussianDropoutOptions, { rate })
  }
  static fromConfig({ rate, ...options }: LayerOptions & { rate: number }): GaussianDropout {
    return new GaussianDropout(rate, options)
  }
  protected override get active(): boolean {
    return this.rate > 0 && this.rate < 1
  }
  protected override noisy(x: Tensor, key: Key): Tensor {
    const stddev = Math.sqrt(this.rate / (1 - this.rate))
    return x.mul(normal(key, x.shape, { mean: 1, stddev, dtype: x.dtype, backend: x.backend }))
  }
  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/**
 * Makes a `GaussianNoise` layer. `stddev` is the standard deviation of the noise, at least 0.
 *
 * @example
 * ```ts
 * const model = new Sequential([gaussianNoise(0.1, { inputShape: [2] })])
 * console.log(await model.apply(tensor([[1, 2]])).array())   // [[1, 2]]
 * ```
 */
export const gaussianNoise = (stddev: number, options?: LayerOptions): GaussianNoise => new GaussianNoise(stddev, options)
/**
 * Makes a `GaussianDropout` layer. `rate` sets the size of the noise as in `dropout`.
 *
 * @example
 * ```ts
 * const model = new Sequential([gaussianDropout(0.3, { inputShape: [2] })])
 * console.log(await model.apply(tensor([[1, 2]])).array())   // [[1, 2]]
 * ```
 */
export const gaussianDropout = (rate: number, options?: LayerOptions): GaussianDropout => new GaussianDropout(rate, options)
