/** Dropout that keeps the mean and the variance of self-normalising networks (Klambauer et al. 2017). */
import { bernoulli, key, type Shape, type Tensor, ValueError, where } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer } from '../../layer.js'
import { type DropoutOptions, dropoutOptions } from './dropout.js'

/** −λα of `selu`, the value far below 0. */
const FLOOR = -1.6732632423543772 * 1.0507009873554805

/** a·(x where kept, −λα elsewhere) + b, with the a and b that keep mean 0 and variance 1. */
export function alphaDrop(x: Tensor, kept: Tensor, rate: number): Tensor {
  const a = ((1 - rate) * (1 + rate * FLOOR ** 2)) ** -0.5
  return where(kept, x, FLOOR)
    .mul(a)
    .add(-a * FLOOR * rate)
}

/**
 * In training, sets elements to −λα, the value of `selu` far below 0, with probability `rate`, and scales all so that mean 0 and variance 1 stay. It belongs behind
 * `selu` with `lecunNormal` kernels. It changes nothing in inference, nor when rate is 0 or at least 1.
 *
 * Shape:  any → the same
 * Source: Keras 3, layers/regularization/alpha_dropout.py
 *
 * @throws ValueError in training without a key
 */
export class AlphaDropout extends Layer {
  override readonly className = 'AlphaDropout'
  override readonly supportsMasking = true
  declare readonly rate: number
  declare protected readonly noiseShape?: readonly (number | null)[]
  declare protected readonly seed?: number

  constructor(rate: number, options: DropoutOptions = {}) {
    super('AlphaDropout', options, dropoutOptions, { rate })
  }
  static fromConfig({ rate, ...options }: DropoutOptions & { rate: number }): AlphaDropout {
    return new AlphaDropout(rate, options)
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor, { training, key: step }: CallContext): Tensor {
    if (!training || this.rate === 0 || this.rate >= 1) return x
    const draw = this.seed === undefined ? step : key(this.seed)
    if (!draw) throw new ValueError('AlphaDropout: training needs a key. Pass { training: true, key } to apply.')
    const shape: Shape = this.noiseShape ? this.noiseShape.map((n, i) => n ?? x.shape[i]) : x.shape
    return alphaDrop(x, bernoulli(draw, shape, 1 - this.rate, { dtype: 'bool', backend: x.backend }), this.rate)
  }
  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/**
 * Makes an `AlphaDropout` layer, for networks of `selu`. `rate` is the share of elements to drop, from 0 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([dense(8, { activation: 'selu', kernelInitializer: 'lecunNormal', inputShape: [4] }), alphaDropout(0.1)])
 * console.log(model.output.shape)   // [null, 8]
 * ```
 */
export const alphaDropout = (rate: number, options?: DropoutOptions): AlphaDropout => new AlphaDropout(rate, options)
