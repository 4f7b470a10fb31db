/** Dropout. */
import { key, type Shape, type Tensor, ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { dropRate, wholeOrNone } from '../../option-rows.js'
import { positional, type TableFor } from '../../option-table.js'
import { drop } from './drop.js'

export interface DropoutOptions extends LayerOptions {
  /** Axes of size 1 share one draw; the input's shape by default. */
  noiseShape?: readonly (number | null)[]
  /** Replaces the key of the model; the same mask at every step. */
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
 * In training, sets elements to 0 with probability `rate` and scales the others by 1/(1 − rate), so that the expectation stays; else the
 * identity (Srivastava et al., "Dropout", JMLR 2014; the inverted form). As in Keras it is the identity, too, when rate is 0 or 1 or more.
 */
export class Dropout extends Layer {
  override readonly className = 'Dropout'
  override readonly supportsMasking = true
  declare readonly rate: number
  declare protected readonly noiseShape?: readonly (number | null)[]
  declare protected readonly seed?: number

  constructor(rate: number, options: DropoutOptions = {}) {
    super('Dropout', options, dropoutOptions, { rate })
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
    return drop('Dropout', x, this.rate, this.seed === undefined ? step : key(this.seed), shape)
  }

  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/** Dropout at the given rate. */
export const dropout = (rate: number, options?: DropoutOptions): Dropout => new Dropout(rate, options)
