/** Dropout that keeps the mean and the variance of self-normalising networks (Klambauer et al. 2017). */
import { bernoulli, type Key, type Shape, type Tensor, ValueError, where } from '@cotangent/core'
import { ours } from '../../own-classes.js'
import { Dropout, type DropoutOptions } from './dropout.js'

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
export class AlphaDropout extends Dropout {
  override readonly className = ours(AlphaDropout, 'AlphaDropout')

  constructor(rate: number, options: DropoutOptions = {}) {
    super(rate, options, 'AlphaDropout')
  }
  static override fromConfig({ rate, ...options }: DropoutOptions & { rate: number }): AlphaDropout {
    return new AlphaDropout(rate, options)
  }
  protected override dropped(x: Tensor, draw: Key | undefined, shape: Shape): Tensor {
    if (!draw) throw new ValueError('AlphaDropout: training needs a key. Pass { training: true, key } to apply.')
    return alphaDrop(x, bernoulli(draw, shape, 1 - this.rate, { dtype: 'bool', backend: x.backend }), this.rate)
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
