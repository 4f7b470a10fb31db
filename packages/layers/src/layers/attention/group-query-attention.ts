/** Attention whose heads share keys and values (Ainslie et al., "GQA", 2023). Source: Keras 3.16, layers/attention/grouped_query_attention.py. */
import { ValueError } from '@cotangent/core'
import type { BatchShape } from '../../layer.js'
import { count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { requireSequences } from './attention-layer.js'
import { type HeadSizes, ProjectedAttention, type ProjectedAttentionOptions, projectedAttentionOptions } from './projected-attention.js'

/** Options of `groupQueryAttention`. */
export type GroupQueryAttentionOptions = ProjectedAttentionOptions

const groupQueryAttentionOptions = {
  headDim: positional(count()),
  numQueryHeads: positional(count()),
  numKeyValueHeads: positional(count()),
  ...projectedAttentionOptions,
} satisfies TableFor<GroupQueryAttentionOptions>

/** The arguments before the options. */
interface HeadCounts {
  headDim: number
  numQueryHeads: number
  numKeyValueHeads: number
}

/**
 * Each head computes softmax(q·kᵀ/√headDim)·v, with q, k and v projected from query, key and value. Neighbouring heads of the query share the k and v of one
 * head. A last projection joins all heads.
 *
 * Inputs and masks are those of `MultiHeadAttention`.
 *
 * Shape:   [n, tq, q], [n, tv, v], [n, tv, k] → [n, tq, q]; with `returnAttentionScores` also [n, numQueryHeads, tq, tv]
 * Weights: query/kernel [q, numQueryHeads, headDim], query/bias [numQueryHeads, headDim]; the same for key and value with numKeyValueHeads;
 *          with `useGate` gate/kernel and gate/bias as for the query, before those of value;
 *          attention_output/kernel [numQueryHeads, headDim, q], attention_output/bias [q]
 *
 * @throws ValueError if numQueryHeads is no multiple of numKeyValueHeads
 * @throws ShapeError if an input has not three axes, or value and key differ in steps
 */
export class GroupQueryAttention extends ProjectedAttention implements ValuesOf<typeof groupQueryAttentionOptions> {
  override readonly className = ours(GroupQueryAttention, 'GroupQueryAttention')
  /** Features of query, key and value in each head. */
  declare readonly headDim: number
  declare readonly numQueryHeads: number
  declare readonly numKeyValueHeads: number

  constructor(headDim: number, numQueryHeads: number, numKeyValueHeads: number, options: GroupQueryAttentionOptions = {}) {
    super('GroupQueryAttention', options, groupQueryAttentionOptions, { headDim, numQueryHeads, numKeyValueHeads })
    if (numQueryHeads % numKeyValueHeads === 0) return
    throw new ValueError(
      `GroupQueryAttention: numQueryHeads must be a multiple of numKeyValueHeads, got ${numQueryHeads} and ${numKeyValueHeads}.`,
    )
  }
  static fromConfig({
    headDim,
    numQueryHeads,
    numKeyValueHeads,
    ...options
  }: GroupQueryAttentionOptions & HeadCounts): GroupQueryAttention {
    return new GroupQueryAttention(headDim, numQueryHeads, numKeyValueHeads, options)
  }

  protected override get heads(): HeadSizes {
    return { query: this.numQueryHeads, value: this.numKeyValueHeads, keyDim: this.headDim, valueDim: this.headDim }
  }
  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    requireSequences(this, inputShapes.slice(0, 3))
    return super.mergedShape(inputShapes)
  }

  protected override detail(): string {
    return `${this.numQueryHeads} heads`
  }
}

/**
 * Makes a `GroupQueryAttention` of `numQueryHeads` heads with `headDim` features each, and `numKeyValueHeads` heads of keys and values.
 *
 * @example
 * ```ts
 * const words = input({ shape: [12, 16] })
 * const y = groupQueryAttention(8, 4, 2, { useCausalMask: true }).apply([words, words])
 * console.log(y.shape)   // [null, 12, 16]
 * ```
 */
export const groupQueryAttention = (
  headDim: number,
  numQueryHeads: number,
  numKeyValueHeads: number,
  options?: GroupQueryAttentionOptions,
): GroupQueryAttention => new GroupQueryAttention(headDim, numQueryHeads, numKeyValueHeads, options)
