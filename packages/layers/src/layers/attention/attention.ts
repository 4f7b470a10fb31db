/** Dot-product attention (Luong, Pham, Manning 2015), as in tf.keras 2.x, layers/dense_attention.py. Keras 2.3 has no such layer. */
import { arange, matMul, type Parameter, ShapeError, type Tensor, ValueError, where } from '@cotangent/core'
import type { BatchShape, BuildContext, Layer, LayerOptions, ManyContext } from '../../layer.js'
import { dropRate, flag } from '../../option-rows.js'
import type { TableFor, ValuesOf } from '../../option-table.js'
import { getInitializer } from '../../weights/initializers.js'
import { MergeLayer } from '../merge/merge-layer.js'
import { drop } from '../regularization/drop.js'

/** Options of `attention`. */
export interface AttentionOptions extends LayerOptions {
  /** Multiply the scores by a learned number, which starts at 1. False by default. */
  useScale?: boolean
  /** Let step i of the query see only the steps up to i of the values. False by default. */
  causal?: boolean
  /** The share of the attention weights that training drops, from 0 to 1; 0 by default. */
  dropout?: number
}

const attentionOptions = { useScale: flag(false), causal: flag(false), dropout: dropRate(0) } satisfies TableFor<AttentionOptions>

/**
 * y = softmax(q·kᵀ)·v: for each step of the query a weighted mean of the values.
 *
 * Inputs are [query, value] or [query, value, key]. Without keys, the values are the keys, too. Masked steps of the value get no weight. Masked steps of
 * the query give 0, and the mask of the query is the mask of the output.
 *
 * Shape:   [n, tq, d], [n, tv, v], [n, tv, d] → [n, tq, v]
 * Weights: with `useScale` scale []
 *
 * @throws ShapeError if an input has not three axes, query and key differ in features, or value and key in steps
 */
export class Attention extends MergeLayer implements ValuesOf<typeof attentionOptions> {
  override readonly className = 'Attention'
  declare readonly useScale: boolean
  declare readonly causal: boolean
  declare readonly dropout: number
  #scale?: Parameter

  constructor(options: AttentionOptions = {}) {
    super('Attention', options, attentionOptions)
  }
  static fromConfig(options: AttentionOptions): Attention {
    return new Attention(options)
  }

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    const [query, value, key = value] = requireSequences(this, inputShapes)
    if (query[2] !== null && key[2] !== null && query[2] !== key[2]) {
      throw new ShapeError(`${this.describe()}: query and key must have as many features, got ${query[2]} and ${key[2]}.`)
    }
    return [query[0], query[1], value[2]]
  }
  protected override get needsBuilding(): boolean {
    return this.useScale
  }
  protected override makeMergeWeights(_inputShapes: readonly BatchShape[], context: BuildContext): void {
    if (this.useScale) this.#scale = this.addWeight('scale', [], getInitializer('ones'), context)
  }

  override merge([query, value, key = value]: readonly Tensor[], { training, key: random, masks }: ManyContext): Tensor {
    const products = matMul(query, key, { transposeB: true }) // [n, tq, tv]
    const scores = this.#scale ? products.mul(this.#scale) : products
    const weights = attentionWeights(scores, [masks[1]?.expandDims(1), this.causal ? causalMask(scores) : undefined])
    const dropped = training && this.dropout > 0 ? drop('Attention', weights, this.dropout, random) : weights
    const y = matMul(dropped, value)
    return masks[0] ? where(masks[0].expandDims(2), y, 0) : y
  }

  override mergedMask(_xs: readonly Tensor[], [query]: readonly (Tensor | undefined)[]): Tensor | undefined {
    return query
  }
}

/** Shapes of query, value and perhaps key, or an error that says which one is wrong. */
export function requireSequences(layer: Layer, shapes: readonly BatchShape[]): readonly BatchShape[] {
  if (shapes.length < 2 || shapes.length > 3)
    throw new ValueError(`${layer.describe()}: takes [query, value] or [query, value, key], got ${shapes.length} inputs.`)
  const shown = shapes.map((shape) => `[${shape.map((n) => n ?? '?').join(', ')}]`).join(', ')
  if (shapes.some((shape) => shape.length !== 3))
    throw new ShapeError(`${layer.describe()}: inputs must be sequences [batch, steps, features], got ${shown}.`)
  const [, value, key = value] = shapes
  if (key[1] !== null && value[1] !== null && key[1] !== value[1])
    throw new ShapeError(`${layer.describe()}: there must be a value for every key, got ${value[1]} values and ${key[1]} keys in ${shown}.`)
  return shapes
}

/** softmax over the last axis of the scores. Scores that a mask excludes are lowered by 10⁹ first, as in TensorFlow. */
export function attentionWeights(scores: Tensor, masks: readonly (Tensor | undefined)[]): Tensor {
  const given = masks.filter((mask) => mask !== undefined)
  if (given.length === 0) return scores.softmax()
  const counts = given.reduce((both, mask) => both.logicalAnd(mask))
  return scores.sub(counts.logicalNot().cast(scores.dtype).mul(1e9)).softmax()
}

/** True where key step j ≤ query step i: [.., tq, tv] → [tq, tv]. */
export function causalMask(scores: Tensor): Tensor {
  const [queries, keys] = scores.shape.slice(-2)
  const steps = (n: number): Tensor => arange(0, n, 1, { dtype: 'int32', backend: scores.backend })
  return steps(queries).expandDims(1).greaterEqual(steps(keys))
}

/**
 * Makes an `Attention` layer. It takes [query, value] or [query, value, key].
 *
 * @example
 * ```ts
 * const question = input({ shape: [4, 8] })
 * const story = input({ shape: [20, 8] })
 * const found = attention().apply([question, story])
 * console.log(found.shape)   // [null, 4, 8]
 * ```
 */
export const attention = (options?: AttentionOptions): Attention => new Attention(options)
