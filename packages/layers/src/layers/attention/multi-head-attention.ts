/** Attention of several heads (Vaswani et al., "Attention is all you need", 2017). Source: Keras 3.16, layers/attention/multi_head_attention.py. */
import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import type { BatchShape, BuildContext } from '../../layer.js'
import { requireWholeList } from '../../layer-options.js'
import { count } from '../../option-rows.js'
import { named, type Option, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { axesOf } from '../axes.js'
import { type HeadSizes, ProjectedAttention, type ProjectedAttentionOptions, projectedAttentionOptions } from './projected-attention.js'

/** Options of `MultiHeadAttention`. */
export interface MultiHeadAttentionOptions extends ProjectedAttentionOptions {
  /** Features of the value in each head, at least 1; `keyDim` by default. */
  valueDim?: number
  /** Features of the output, at least 1, or a list of sizes; those of the query by default. */
  outputShape?: number | readonly number[]
  /** The axes along which the query attends; by default all between batch and features. The others are part of the batch. */
  attentionAxes?: number | readonly number[]
}

/** A row for one whole number or a list of them; undefined if it is left out. */
const oneOrMore = (example: string, least: number): Option<number | readonly number[] | undefined> => ({
  read(given, { className, name }) {
    if (given === undefined || given === null) return undefined
    const list = typeof given === 'number' ? [given] : (given as readonly number[])
    requireWholeList(className, name, list, `such as ${example}, or one`, least)
    if (list.length === 0) throw new ValueError(`${className}: ${name} must not be an empty list, got ${describeValue(given)}.`)
    return given as number | readonly number[]
  },
})

const multiHeadAttentionOptions = {
  numHeads: positional(count()),
  keyDim: positional(count()),
  valueDim: { read: (given, place): number => count(place.before.keyDim as number).read(given, place) },
  outputDim: named('outputShape', oneOrMore('[4, 8]', 1)),
  attentionAxes: oneOrMore('[1, 2]', -Infinity),
  ...projectedAttentionOptions,
} satisfies TableFor<Omit<MultiHeadAttentionOptions, 'outputShape'>>

/**
 * Each head computes softmax(q·kᵀ/√keyDim)·v, with q, k and v projected from query, key and value. A last projection joins all heads.
 *
 * Inputs are [query, value], [query, value, key] or [query, value, key, mask]. Without keys, the values are the keys, too. The mask, bool [n, tq, tv], says
 * which steps of the query see which values. Masked steps of value and key get no weight. The mask of the query is the mask of the output.
 *
 * Shape:   [n, tq, q], [n, tv, v], [n, tv, k] → [n, tq, outputShape]; with `returnAttentionScores` also [n, heads, tq, tv]
 * Weights: query/kernel [q, heads, keyDim], query/bias [heads, keyDim]; the same for key, with `useGate` for gate, and for value;
 *          attention_output/kernel [heads, valueDim, outputShape], attention_output/bias [outputShape]
 *
 * @throws ShapeError if the inputs have not three or more axes, all as many, or value and key differ in steps
 */
export class MultiHeadAttention extends ProjectedAttention implements ValuesOf<typeof multiHeadAttentionOptions> {
  override readonly className = ours(MultiHeadAttention, 'MultiHeadAttention')
  declare readonly numHeads: number
  /** Features of query and key in each head. */
  declare readonly keyDim: number
  declare readonly valueDim: number
  declare readonly outputDim?: number | readonly number[]
  /** As given; once it is built, the axes counted from the front. */
  declare attentionAxes?: number | readonly number[]

  constructor(numHeads: number, keyDim: number, options: MultiHeadAttentionOptions = {}) {
    super('MultiHeadAttention', options, multiHeadAttentionOptions, { numHeads, keyDim })
  }
  static fromConfig({
    numHeads,
    keyDim,
    ...options
  }: MultiHeadAttentionOptions & { numHeads: number; keyDim: number }): MultiHeadAttention {
    return new MultiHeadAttention(numHeads, keyDim, options)
  }

  protected override get heads(): HeadSizes {
    return { query: this.numHeads, value: this.numHeads, keyDim: this.keyDim, valueDim: this.valueDim }
  }
  protected override outputFeatures(features: number | null): readonly (number | null)[] {
    return this.outputDim === undefined ? [features] : [this.outputDim].flat()
  }
  protected override axesFor(rank: number): readonly number[] {
    if (this.attentionAxes === undefined) return super.axesFor(rank)
    // The last axis has the features.
    return axesOf(
      this,
      [this.attentionAxes].flat().map((axis) => (axis < 0 ? axis + rank : axis)),
      new Array<null>(rank - 1).fill(null),
    )
  }
  protected override makeMergeWeights(inputShapes: readonly BatchShape[], context: BuildContext): void {
    super.makeMergeWeights(inputShapes, context)
    this.attentionAxes = this.axesFor(inputShapes[0].length)
  }

  protected override detail(): string {
    return `${this.numHeads} heads`
  }
}

/**
 * Makes a `MultiHeadAttention` of `numHeads` heads, each with `keyDim` features of query and key.
 *
 * @example
 * ```ts
 * const words = input({ shape: [12, 16] })
 * const y = multiHeadAttention(2, 8).apply([words, words])
 * console.log(y.shape)   // [null, 12, 16]
 * ```
 */
export const multiHeadAttention = (numHeads: number, keyDim: number, options?: MultiHeadAttentionOptions): MultiHeadAttention =>
  new MultiHeadAttention(numHeads, keyDim, options)
