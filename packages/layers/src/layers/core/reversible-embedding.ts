/** An embedding whose table also turns vectors back into scores of words. */
import { type Parameter, ShapeError, Tensor } from '@cotangent/core'
import { connect, type SymbolicTensor } from '../../graph/symbolic-tensor.js'
import { type BatchShape, type BuildContext, type LayerOutputs, type ManyContext, requireSize } from '../../layer.js'
import { flag, numberFrom } from '../../option-rows.js'
import type { Option, TableFor } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { Embedding, type EmbeddingOptions, embeddingOptions } from './embedding.js'

/** Options of `reversibleEmbedding`. */
export interface ReversibleEmbeddingOptions extends EmbeddingOptions {
  /** Whether `reverse` uses the same table; true by default. Otherwise it has a second weight. */
  tieWeights?: boolean
  /** A bound c of the scores that `reverse` gives: c·tanh(score/c); none by default. */
  logitSoftCap?: number | null
}

const cap = numberFrom({ above: 0 })
const reversibleEmbeddingOptions = {
  ...embeddingOptions,
  tieWeights: flag(true),
  logitSoftCap: {
    read: (given, place) => (given === null || given === undefined ? undefined : cap.read(given, place)),
  } as Option<number | undefined>,
} satisfies TableFor<ReversibleEmbeddingOptions>

/**
 * An `Embedding` with a way back: `reverse` gives each vector's products with all rows of the table, the scores of a language model.
 *
 * Shape:   [n, ..] of whole numbers → [n, .., outputDim]; `reverse` [n, .., outputDim] → [n, .., inputDim]
 * Weights: embeddings [inputDim, outputDim]; without `tieWeights` also reverse_embeddings [outputDim, inputDim]
 * Source:  Keras 3, layers/core/reversible_embedding.py
 */
export class ReversibleEmbedding extends Embedding {
  override readonly className: string = ours(ReversibleEmbedding, 'ReversibleEmbedding')
  declare readonly tieWeights: boolean
  declare readonly logitSoftCap?: number
  #reverse?: Parameter

  constructor(inputDim: number, outputDim: number, options: ReversibleEmbeddingOptions = {}) {
    super(inputDim, outputDim, options, 'ReversibleEmbedding', reversibleEmbeddingOptions)
  }
  static override fromConfig({
    inputDim,
    outputDim,
    ...options
  }: Omit<ReversibleEmbeddingOptions, 'inputDim'> & { inputDim: number; outputDim: number }): ReversibleEmbedding {
    return new ReversibleEmbedding(inputDim, outputDim, options)
  }

  protected override makeWeights(inputShape: readonly (number | null)[], context: BuildContext): void {
    super.makeWeights(inputShape, context)
    if (this.tieWeights) return
    const { initializer } = this.settings.of('embeddings')
    this.#reverse = this.addWeight('reverse_embeddings', [this.outputDim, this.inputDim], initializer, context)
  }

  /**
   * The scores of all rows for each vector: of a symbolic tensor in a graph, or of a tensor in layers of your own that keep this one in a property. In `.keras` files the
   * call is Keras' `embedding(x, reverse=True)`.
   *
   * @throws ShapeError if the vectors have another size than the rows
   * @example
   * ```ts
   * const words = reversibleEmbedding(3, 2)
   * new Sequential([words]).build([null, 4])
   * words.setWeights([[[1, 0], [0, 1], [1, 1]]])
   * console.log(await words.reverse(tensor([[2, 5]])).array())   // [[2, 5, 7]]
   * ```
   */
  reverse(x: Tensor): Tensor
  reverse(x: SymbolicTensor): SymbolicTensor
  reverse(x: Tensor | SymbolicTensor): Tensor | SymbolicTensor {
    return x instanceof Tensor ? this.#scores(x) : connect(this, x, { reverse: true })[0]
  }

  override outputShapes(inputShapes: readonly BatchShape[], reverse = false): BatchShape[] {
    if (!reverse) return super.outputShapes(inputShapes)
    const shape = this.only(inputShapes)
    const size = requireSize(this, shape, -1)
    if (size !== this.outputDim)
      throw new ShapeError(`${this.describe()}: reverse takes vectors of ${this.outputDim} numbers, as the rows are, got ${size}.`)
    return [[...shape.slice(0, -1), this.inputDim]]
  }
  override callAll(xs: readonly Tensor[], { reverse, ...context }: ManyContext, logits?: readonly boolean[]): LayerOutputs {
    // As in Keras, the scores have no mask.
    return reverse ? { outputs: [this.#scores(this.only(xs))], masks: [undefined] } : super.callAll(xs, context, logits)
  }

  #scores(x: Tensor): Tensor {
    requireSize(this, x.shape, -1)
    return this.enter({}, () => {
      const scores = this.#reverse ? x.matMul(this.#reverse) : x.matMul((this.table as Parameter).transpose())
      const { logitSoftCap: c } = this
      return c === undefined ? scores : scores.div(c).tanh().mul(c)
    })
  }
}

/**
 * Makes a `ReversibleEmbedding`: a table of words that also gives the scores of all words.
 *
 * @example
 * ```ts
 * const model = new Sequential([reversibleEmbedding(100, 8, { tieWeights: false, inputLength: 5 })])
 * console.log(model.output.shape, model.countParams())   // [null, 5, 8] 1600
 * ```
 */
export const reversibleEmbedding = (inputDim: number, outputDim: number, options?: ReversibleEmbeddingOptions): ReversibleEmbedding =>
  new ReversibleEmbedding(inputDim, outputDim, options)
