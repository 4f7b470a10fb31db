/** Attention of one head by sums (Bahdanau, Cho, Bengio 2015). Source: Keras 3.16, layers/attention/additive_attention.py. */
import type { Parameter, Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, requireSize } from '../../layer.js'
import { flag } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { getInitializer } from '../../weights/initializers.js'
import { SequenceAttention, tanhOfPairs } from './attention.js'
import { type AttentionLayerOptions, attentionLayerOptions } from './attention-layer.js'

/** Options of `additiveAttention`. */
export interface AdditiveAttentionOptions extends AttentionLayerOptions {
  /** Multiply each feature of tanh(q + k) by a learned number of its own. True by default. */
  useScale?: boolean
}

const additiveAttentionOptions = { useScale: flag(true), ...attentionLayerOptions } satisfies TableFor<AdditiveAttentionOptions>

/**
 * y = softmax(Σ scale·tanh(q + k))·v: for each step of the query a weighted mean of the values.
 *
 * Inputs and masks are those of `Attention`.
 *
 * Shape:   [n, tq, d], [n, tv, v], [n, tv, d] → [n, tq, v]; with `returnAttentionScores` also [n, tq, tv]
 * Weights: with `useScale` scale [d]
 *
 * @throws ShapeError if an input has not three axes, query and key differ in features, or value and key in steps
 */
export class AdditiveAttention extends SequenceAttention implements ValuesOf<typeof additiveAttentionOptions> {
  override readonly className = ours(AdditiveAttention, 'AdditiveAttention')
  declare readonly useScale: boolean
  #scale?: Parameter

  constructor(options: AdditiveAttentionOptions = {}) {
    super('AdditiveAttention', options, additiveAttentionOptions)
  }
  static fromConfig(options: AdditiveAttentionOptions): AdditiveAttention {
    return new AdditiveAttention(options)
  }

  protected override get needsBuilding(): boolean {
    return this.useScale
  }
  protected override makeMergeWeights([query]: readonly BatchShape[], context: BuildContext): void {
    if (this.useScale) this.#scale = this.addWeight('scale', [requireSize(this, query, 2)], getInitializer('glorotUniform'), context)
  }

  protected override scores(query: Tensor, key: Tensor): Tensor {
    const pairs = tanhOfPairs(query, key)
    return (this.#scale ? pairs.mul(this.#scale) : pairs).sum({ axis: -1 })
  }
}

/**
 * Makes an `AdditiveAttention` layer. It takes [query, value] or [query, value, key].
 *
 * @example
 * ```ts
 * const answer = input({ shape: [4, 8] })
 * const sentence = input({ shape: [20, 8] })
 * const context = additiveAttention().apply([answer, sentence])
 * console.log(context.shape)   // [null, 4, 8]
 * ```
 */
export const additiveAttention = (options?: AdditiveAttentionOptions): AdditiveAttention => new AdditiveAttention(options)
