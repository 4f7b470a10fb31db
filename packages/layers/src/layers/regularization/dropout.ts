/** Dropout of single elements. */
import { type Key, key, type Shape, type Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { dropRate, wholeOrNone } from '../../option-rows.js'
import { positional, type TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { drop } from './drop.js'

/** Options of `dropout`. */
export interface DropoutOptions extends LayerOptions {
  /**
   * The shape of the random draw; the input's by default. Elements along an axis of size 1 are dropped together. null stands for the input's size.
   */
  noiseShape?: readonly (number | null)[]
  /** A seed used instead of the model's key. Then every step drops the same elements, unlike in Keras, where a seed starts a sequence of masks. */
  seed?: number
}

const dropoutOptions = {
  rate: positional(dropRate()),
  noiseShape: {
    read(given, { className, name }): readonly (number | null)[] | undefined {
      if (given === undefined || (Array.isArray(given) && given.every((n) => n === null || (Number.isInteger(n) && n >= 1)))) return given
      throw new ValueError(
        `${className}: ${name} must be a list of sizes, null where it is that of the input, got ${describeValue(given)}.`,
      )
    },
  },
  seed: wholeOrNone(),
} satisfies TableFor<DropoutOptions>

/**
 * In training, sets elements to 0 with probability `rate` and scales the others by 1/(1 − rate), so that the expected value stays the same. It changes
 * nothing in inference, nor when rate is 0 or at least 1, as in Keras.
 *
 * Shape:  any → the same
 * Source: Srivastava et al., "Dropout", JMLR 2014; Keras 2.3.1, layers/core.py
 *
 * @throws ValueError in training without a key
 */
export class Dropout extends Layer {
  override readonly className: string = ours(Dropout, 'Dropout')
  override readonly supportsMasking = true
  declare readonly rate: number
  declare protected readonly noiseShape?: readonly (number | null)[]
  declare protected readonly seed?: number

  /** @param className that of a subclass */
  constructor(rate: number, options: DropoutOptions = {}, className = 'Dropout') {
    super(className, options, dropoutOptions, { rate })
  }

  static fromConfig({ rate, ...options }: DropoutOptions & { rate: number }): Dropout {
    return new Dropout(rate, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  override call(x: Tensor, { training, key: step }: CallContext): Tensor {
    if (!training || this.rate === 0 || this.rate >= 1) return x
    const shape: Shape = this.noiseShape ? this.noiseShape.map((n, i) => n ?? x.shape[i]) : x.shape
    return this.dropped(x, this.seed === undefined ? step : key(this.seed), shape)
  }
  protected dropped(x: Tensor, draw: Key | undefined, shape: Shape): Tensor {
    return drop('Dropout', x, this.rate, draw, shape)
  }

  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/**
 * Makes a `Dropout` layer. `rate` is the share of elements to drop, from 0 to 1.
 *
 * @example
 * ```ts
 * const model = new Sequential([dropout(0.5, { inputShape: [4] })])
 * console.log(await model.apply(tensor([[1, 2, 3, 4]])).array())   // [[1, 2, 3, 4]]
 * ```
 */
export const dropout = (rate: number, options?: DropoutOptions): Dropout => new Dropout(rate, options)
