/** Attention of one head by dot products (Luong, Pham, Manning 2015). Source: Keras 3.16, layers/attention/attention.py. */
import { matMul, type Parameter, ShapeError, scaledDotProductAttention, type Tensor, tanh, where } from '@cotangent/core'
import type { BatchShape, BuildContext, ManyContext } from '../../layer.js'
import { choice, flag } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { getInitializer } from '../../weights/initializers.js'
import {
  AttentionLayer,
  type AttentionLayerOptions,
  allOf,
  attentionLayerOptions,
  causalMask,
  openSoftmax,
  requireSequences,
} from './attention-layer.js'

/** Attention of whole sequences, without projections. A subclass says how a query and a key score. */
export abstract class SequenceAttention extends AttentionLayer {
  /** Shape: [n, tq, d], [n, tv, d] → [n, tq, tv] */
  protected abstract scores(query: Tensor, key: Tensor): Tensor

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    requireSequences(this, inputShapes)
    const [query, value, key = value] = inputShapes
    if (query[2] !== null && key[2] !== null && query[2] !== key[2]) {
      throw new ShapeError(`${this.describe()}: query and key must have as many features, got ${query[2]} and ${key[2]}.`)
    }
    return [query[0], query[1], value[2]]
  }
  protected override scoresShape([query, value]: readonly BatchShape[]): BatchShape {
    return [query[0], query[1], value[1]]
  }

  protected override attend([query, value, key = value]: readonly Tensor[], context: ManyContext): readonly [Tensor, Tensor?] {
    const [ofQuery, ofValue] = context.masks
    const open = ofValue?.expandDims(1)
    const means = this.returnAttentionScores || this.drops(context) ? undefined : this.means(query, key, value, open)
    const [y, weights] = means ? [means] : this.#weighted(query, key, value, open, context)
    return [ofQuery ? where(ofQuery.expandDims(2), y, 0) : y, weights]
  }
  /** The weighted means at once, if there is an op for these scores. Shape: [n, tq, d], [n, tv, d], [n, tv, v], a mask [n, 1, tv] → [n, tq, v] */
  protected means(_query: Tensor, _key: Tensor, _value: Tensor, _open: Tensor | undefined): Tensor | undefined {
    return undefined
  }
  /** The weighted means, and the weights. */
  #weighted(query: Tensor, key: Tensor, value: Tensor, open: Tensor | undefined, context: ManyContext): readonly [Tensor, Tensor] {
    const scores = this.scores(query, key)
    const past = this.useCausalMask ? causalMask(query.shape[1], key.shape[1], scores) : undefined
    const weights = this.dropped(openSoftmax(scores, allOf([open, past])), context)
    return [matMul(weights, value), weights]
  }
}

/** tanh(q + k) for all pairs. Shape: [n, tq, d], [n, tv, d] → [n, tq, tv, d] */
export const tanhOfPairs = (query: Tensor, key: Tensor, scale?: Tensor): Tensor => {
  const sums = query.expandDims(2).add(key.expandDims(1))
  return tanh(scale ? sums.mul(scale) : sums)
}

/** Options of `attention`. */
export interface AttentionOptions extends AttentionLayerOptions {
  /** Multiply the scores, or the sums inside `concat`, by a learned number, which starts at 1. False by default. */
  useScale?: boolean
  /** `dot` (default): q·k. `concat`: w·Σ tanh(q + k), with a learned number w, which starts at 1. */
  scoreMode?: 'dot' | 'concat'
}

const attentionOptions = {
  useScale: flag(false),
  scoreMode: choice<'dot' | 'concat'>(['dot', 'concat'], 'dot'),
  ...attentionLayerOptions,
} satisfies TableFor<AttentionOptions>

/**
 * y = softmax(q·kᵀ)·v: for each step of the query a weighted mean of the values.
 *
 * Inputs are [query, value] or [query, value, key]. Without keys, the values are the keys, too. Masked steps of the value get no weight. Masked steps of
 * the query give 0, and the mask of the query is the mask of the output.
 *
 * Shape:   [n, tq, d], [n, tv, v], [n, tv, d] → [n, tq, v]; with `returnAttentionScores` also [n, tq, tv]
 * Weights: with `useScale` scale []; with `concat` concat_score_weight []
 *
 * @throws ShapeError if an input has not three axes, query and key differ in features, or value and key in steps
 */
export class Attention extends SequenceAttention implements ValuesOf<typeof attentionOptions> {
  override readonly className = ours(Attention, 'Attention')
  declare readonly useScale: boolean
  declare readonly scoreMode: 'dot' | 'concat'
  #scale?: Parameter
  #concatWeight?: Parameter

  constructor(options: AttentionOptions = {}) {
    super('Attention', options, attentionOptions)
  }
  static fromConfig(options: AttentionOptions): Attention {
    return new Attention(options)
  }

  protected override get needsBuilding(): boolean {
    return this.useScale || this.scoreMode === 'concat'
  }
  protected override makeMergeWeights(_inputShapes: readonly BatchShape[], context: BuildContext): void {
    if (this.useScale) this.#scale = this.addWeight('scale', [], getInitializer('ones'), context)
    if (this.scoreMode === 'concat') this.#concatWeight = this.addWeight('concat_score_weight', [], getInitializer('ones'), context)
  }

  protected override scores(query: Tensor, key: Tensor): Tensor {
    if (this.#concatWeight) return tanhOfPairs(query, key, this.#scale).sum({ axis: -1 }).mul(this.#concatWeight)
    const products = matMul(query, key, { transposeB: true })
    return this.#scale ? products.mul(this.#scale) : products
  }
  protected override means(query: Tensor, key: Tensor, value: Tensor, open: Tensor | undefined): Tensor | undefined {
    if (this.scoreMode !== 'dot') return undefined
    const [q, k, v] = [this.#scale ? query.mul(this.#scale) : query, key, value].map((x) => x.expandDims(2)) // one head
    return scaledDotProductAttention(q, k, v, { mask: open?.expandDims(1), causal: this.useCausalMask, scale: 1 }).squeeze(2)
  }
}

/**
 * Makes an `Attention` layer. It takes [query, value] or [query, value, key].
 *
 * @example
 * ```ts
 * const question = input({ shape: [4, 8] })
 * const story = input({ shape: [20, 8] })
 * const [found, scores] = attention({ returnAttentionScores: true }).applyAll([question, story])
 * console.log(found.shape, scores.shape)   // [null, 4, 8] [null, 4, 20]
 * ```
 */
export const attention = (options?: AttentionOptions): Attention => new Attention(options)
