/** Layers that add or multiply noise in training, and do nothing else. */

import { type Key, normal, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { dropRate, numberFrom } from '../../option-rows.js'
import { positional, type ValuesOf } from '../../option-table.js'

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

/** Adds noise of mean 0 and the given standard deviation in training. Shape: any → the same. */
export class GaussianNoise extends Noise implements ValuesOf<typeof gaussianNoiseOptions> {
  override readonly className = 'GaussianNoise'
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

/** As it was given, also beyond 0 and 1. */
const gaussianDropoutOptions = {
  rate: positional<number>({
    read(given, place) {
      dropRate().read(given, place)
      return given as number
    },
  }),
}

/**
 * Multiplies by noise of mean 1 and standard deviation √(rate/(1 − rate)) in training: the mean and variance of dropout at that rate
 * (Srivastava et al. 2014). As in Keras it is the identity when rate is not between 0 and 1. Shape: any → the same.
 */
export class GaussianDropout extends Noise implements ValuesOf<typeof gaussianDropoutOptions> {
  override readonly className = 'GaussianDropout'
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

/** Adds noise in training: `gaussianNoise(0.1)`. */
export const gaussianNoise = (stddev: number, options?: LayerOptions): GaussianNoise => new GaussianNoise(stddev, options)
/** Multiplies by noise in training: `gaussianDropout(0.3)`. */
export const gaussianDropout = (rate: number, options?: LayerOptions): GaussianDropout => new GaussianDropout(rate, options)
