/** Attention of several heads (Vaswani et al., "Attention is all you need", 2017), as in tf.keras 2.x, layers/multi_head_attention.py. */
import { affine, matMul, type Parameter, type Tensor } from '@cotangent/core'
import { type BatchShape, type BuildContext, type LayerOptions, type ManyContext, requireSize } from '../../layer.js'
import { count, countOrNone, dropRate, flag, weightsOf } from '../../option-rows.js'
import { named, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'
import { MergeLayer } from '../merge/merge-layer.js'
import { drop } from '../regularization/drop.js'
import { attentionWeights, causalMask, requireSequences } from './attention.js'

/**
 * Options of `MultiHeadAttention`. Those for kernel and bias count for all four projections; initializers are `glorotUniform` and `zeros` by default.
 */
export interface MultiHeadAttentionOptions extends LayerOptions, WeightOptions<'kernel' | 'bias'> {
  /** Features of the value in each head, at least 1; `keyDim` by default. */
  valueDim?: number
  /** Whether the projections add a bias; true by default. */
  useBias?: boolean
  /** The share of the attention weights that training drops, from 0 to 1; 0 by default. */
  dropout?: number
  /** Features of the output, at least 1; those of the query by default. */
  outputShape?: number
  /** Let step i of the query see only the steps up to i of the values. False by default. In Keras this is an argument of the call. */
  useCausalMask?: boolean
}

const multiHeadAttentionOptions = {
  numHeads: positional(count()),
  keyDim: positional(count()),
  valueDim: { read: (given, place): number => count(place.before.keyDim as number).read(given, place) },
  useBias: flag(true),
  dropout: dropRate(0),
  outputDim: named('outputShape', countOrNone()),
  useCausalMask: flag(false),
  settings: weightsOf({ kernel: 'glorotUniform', bias: 'zeros' }),
} satisfies TableFor<Omit<MultiHeadAttentionOptions, 'outputShape'>>

const projections = ['query', 'key', 'value', 'attention_output'] as const
type Projection = (typeof projections)[number]

/**
 * Each head computes softmax(q·kᵀ/√keyDim)·v, with q, k and v projected from query, key and value. A last projection joins all heads.
 *
 * Inputs are [query, value] or [query, value, key]. Without keys, the values are the keys, too. Attention is along the steps. Masked steps of value and
 * key get no weight. The mask of the query is the mask of the output.
 *
 * Shape:   [n, tq, q], [n, tv, v], [n, tv, k] → [n, tq, outputShape]
 * Weights: query/kernel [q, heads, keyDim], query/bias [heads, keyDim]; the same for key and value;
 *          attention_output/kernel [heads, valueDim, outputShape], attention_output/bias [outputShape]
 *
 * @throws ShapeError if an input has not three axes, or value and key differ in steps
 */
export class MultiHeadAttention extends MergeLayer implements ValuesOf<typeof multiHeadAttentionOptions> {
  override readonly className = 'MultiHeadAttention'
  declare readonly numHeads: number
  /** Features of query and key in each head. */
  declare readonly keyDim: number
  declare readonly valueDim: number
  declare readonly useBias: boolean
  declare readonly dropout: number
  declare readonly outputDim?: number
  declare readonly useCausalMask: boolean
  declare protected readonly settings: WeightSettings<'kernel' | 'bias'>
  readonly #weights: Partial<Record<Projection, { kernel: Parameter; bias?: Parameter }>> = {}

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

  override mergedShape(inputShapes: readonly BatchShape[]): BatchShape {
    const [[batch, steps, features]] = requireSequences(this, inputShapes)
    return [batch, steps, this.outputDim ?? features]
  }

  protected override makeMergeWeights([query, value, key = value]: readonly BatchShape[], context: BuildContext): void {
    const [heads, output] = [this.numHeads, this.outputDim ?? requireSize(this, query, 2)]
    const shapes: Record<Projection, number[]> = {
      query: [requireSize(this, query, 2), heads, this.keyDim],
      key: [requireSize(this, key, 2), heads, this.keyDim],
      value: [requireSize(this, value, 2), heads, this.valueDim],
      attention_output: [heads, this.valueDim, output],
    }
    const [kernel, bias] = [this.settings.of('kernel'), this.settings.of('bias')]
    for (const name of projections) {
      const shape = shapes[name]
      const biasShape = name === 'attention_output' ? [output] : shape.slice(1)
      this.#weights[name] = {
        kernel: this.addWeight(`${name}/kernel`, shape, kernel.initializer, context, kernel),
        bias: this.useBias ? this.addWeight(`${name}/bias`, biasShape, bias.initializer, context, bias) : undefined,
      }
    }
  }

  /** x·W + b over the last axis of x, for a kernel of `inputs` rows. Shape: [n, t, in] → [n, t, out] */
  #project(name: Projection, x: Tensor, inputs: number): Tensor {
    const { kernel, bias } = this.#weights[name] as { kernel: Parameter; bias?: Parameter }
    const flat = kernel.reshape([inputs, kernel.size / inputs])
    return bias ? affine(x, flat, bias.reshape([bias.size])) : matMul(x, flat)
  }

  /** A projection, divided into heads. Shape: [n, t, in] → [n, heads, t, size] */
  #heads(name: Projection, x: Tensor): Tensor {
    const [n, t, inputs] = x.shape
    const y = this.#project(name, x, inputs)
    return y.reshape([n, t, this.numHeads, y.shape[2] / this.numHeads]).transpose([0, 2, 1, 3])
  }

  override merge([query, value, key = value]: readonly Tensor[], { training, key: random, masks }: ManyContext): Tensor {
    const [n, steps] = query.shape
    const [q, k, v] = [this.#heads('query', query), this.#heads('key', key), this.#heads('value', value)]
    const scores = matMul(q.mul(1 / Math.sqrt(this.keyDim)), k, { transposeB: true }) // [n, heads, tq, tv]
    const [ofQuery, ofValue, ofKey] = masks
    const weights = attentionWeights(scores, [
      ofQuery?.reshape([n, 1, steps, 1]),
      ofValue?.reshape([n, 1, 1, value.shape[1]]),
      ofKey?.reshape([n, 1, 1, value.shape[1]]),
      this.useCausalMask ? causalMask(scores) : undefined,
    ])
    const dropped = training && this.dropout > 0 ? drop('MultiHeadAttention', weights, this.dropout, random) : weights
    const found = matMul(dropped, v) // [n, heads, tq, valueDim]
    const joined = found.transpose([0, 2, 1, 3]).reshape([n, steps, this.numHeads * this.valueDim])
    return this.#project('attention_output', joined, this.numHeads * this.valueDim)
  }

  override mergedMask(_xs: readonly Tensor[], [query]: readonly (Tensor | undefined)[]): Tensor | undefined {
    return query
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
