/** Dropout. */
import { key, type Shape, type Tensor, ValueError } from '@cotangent/core'
import { describeValue, requireWhole } from '@cotangent/core/arguments'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { readDropRate } from '../../layer-options.js'
import { drop } from './drop.js'

export interface DropoutOptions extends LayerOptions {
  /** Axes of size 1 share one draw; the input's shape by default. */
  noiseShape?: readonly (number | null)[]
  /** Replaces the key of the model; the same mask at every step. */
  seed?: number
}

/**
 * In training, sets elements to 0 with probability `rate` and scales the others by 1/(1 − rate), so that the expectation stays; else the
 * identity (Srivastava et al., "Dropout", JMLR 2014; the inverted form). As in Keras it is the identity, too, when rate is 0 or 1 or more.
 */
export class Dropout extends Layer {
  override readonly className = 'Dropout'
  override readonly supportsMasking = true
  readonly rate: number
  readonly #noiseShape?: readonly (number | null)[]
  readonly #seed?: number

  constructor(rate: number, options: DropoutOptions = {}) {
    super('Dropout', options, ['noiseShape', 'seed'])
    this.rate = readDropRate('Dropout', rate)
    const { noiseShape, seed } = options
    if (noiseShape !== undefined && !(Array.isArray(noiseShape) && noiseShape.every((n) => n === null || (Number.isInteger(n) && n >= 1))))
      throw new ValueError(
        `Dropout: noiseShape must be a list of sizes, null where it is that of the input, got ${describeValue(noiseShape)}.`,
      )
    if (seed !== undefined) requireWhole('Dropout', 'seed', seed)
    this.#noiseShape = options.noiseShape
    this.#seed = options.seed
  }

  static fromConfig({ rate, ...options }: DropoutOptions & { rate: number }): Dropout {
    return new Dropout(rate, options)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  override call(x: Tensor, { training, key: step }: CallContext): Tensor {
    if (!training || this.rate === 0 || this.rate >= 1) return x
    const shape: Shape = this.#noiseShape ? this.#noiseShape.map((n, i) => n ?? x.shape[i]) : x.shape
    return drop('Dropout', x, this.rate, this.#seed === undefined ? step : key(this.#seed), shape)
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), rate: this.rate, noiseShape: this.#noiseShape, seed: this.#seed }
  }
  protected override detail(): string {
    return `rate ${this.rate}`
  }
}

/** Dropout at the given rate. */
export const dropout = (rate: number, options?: DropoutOptions): Dropout => new Dropout(rate, options)
