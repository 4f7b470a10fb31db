/** Numbers of categories as rows of zeros and ones. */
import { ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer, type LayerOptions, type LayerOutputs, type ManyContext } from '../../layer.js'
import { choice, count } from '../../option-rows.js'
import { positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import { type EncodingMode, encoded, encodedShape } from './encoded.js'

/** Options of `categoryEncoding`. */
export interface CategoryEncodingOptions extends LayerOptions {
  /**
   * `multi_hot` (default): one row for a sample, 1 for each category that is there. `one_hot`: a row for each number. `count`: how often each category is
   * there, or the sum of its weights, which are a second input.
   */
  outputMode?: EncodingMode
}

const categoryEncodingOptions = {
  numTokens: positional(count()),
  outputMode: choice<EncodingMode>(['multi_hot', 'one_hot', 'count'], 'multi_hot'),
} satisfies TableFor<CategoryEncodingOptions & { numTokens: number }>

/**
 * Rows of zeros and ones for numbers of categories from 0 to numTokens − 1.
 *
 * A number outside is an error where its values can be read at once, otherwise a row of zeros.
 *
 * Shape:  [n, k] → [n, numTokens]; one_hot: [n, ..] → [n, .., numTokens], in the place of a last axis of 1
 * Source: Keras 3.16, layers/preprocessing/category_encoding.py
 *
 * @throws ValueError for a number outside, and for weights with another mode than `count`
 */
export class CategoryEncoding extends Layer implements ValuesOf<typeof categoryEncodingOptions> {
  override readonly className = ours(CategoryEncoding, 'CategoryEncoding')
  declare readonly numTokens: number
  declare readonly outputMode: EncodingMode

  constructor(numTokens: number, options: CategoryEncodingOptions = {}) {
    super('CategoryEncoding', options, categoryEncodingOptions, { numTokens })
  }
  static fromConfig({ numTokens, ...options }: CategoryEncodingOptions & { numTokens: number }): CategoryEncoding {
    return new CategoryEncoding(numTokens, options)
  }

  /** @internal */
  override indexCount(input: number): number | undefined {
    return input === 0 ? this.numTokens : undefined
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return encodedShape(inputShape, this.numTokens, this.outputMode)
  }
  override outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    this.#requireInputs(inputShapes)
    return [this.outputShape(inputShapes[0])]
  }

  #requireInputs(shapes: readonly BatchShape[]): void {
    if (shapes.length < 1 || shapes.length > 2)
      throw new ValueError(`${this.describe()}: takes numbers and perhaps weights, got ${shapes.length} inputs.`)
    if (shapes.length === 1) return
    if (this.outputMode !== 'count') {
      throw new ValueError(`${this.describe()}: weights go with outputMode: 'count', which is '${this.outputMode}' here.`)
    }
    const [numbers, weights] = shapes.map((shape) => shape.map((n) => n ?? '?').join(', '))
    if (numbers !== weights) throw new ShapeError(`${this.describe()}: the numbers are [${numbers}], but the weights [${weights}].`)
  }

  override buildAll(inputShapes: readonly BatchShape[], context: Parameters<Layer['buildAll']>[1]): void {
    super.buildAll(inputShapes.slice(0, 1), context)
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    return this.#encoded(x)
  }
  override callAll(xs: readonly Tensor[], { masks }: ManyContext): LayerOutputs {
    this.#requireInputs(xs.map((x) => x.shape))
    return { outputs: [this.#encoded(xs[0], xs[1])], masks: [this.outputMask(xs[0], masks[0])] }
  }

  #encoded(x: Tensor, weights?: Tensor): Tensor {
    const values = x.backend.readSync?.(x.storage)
    const at = values?.findIndex((value: number) => !(Number.isInteger(value) && value >= 0 && value < this.numTokens)) ?? -1
    if (values && at >= 0) {
      throw new ValueError(
        `${this.describe()}: number ${values[at]} (at position ${at} of the input) is no category: they are whole numbers from 0 to ${this.numTokens - 1}.`,
      )
    }
    return encoded(x, this.numTokens, this.outputMode, weights)
  }

  protected override detail(): string {
    return `${this.numTokens} categories`
  }
}

/**
 * Makes a `CategoryEncoding` layer: rows of zeros and ones for numbers of categories.
 *
 * @example
 * ```ts
 * const model = new Sequential([categoryEncoding(4, { inputShape: [2] })])
 * console.log((await model.apply(tensor([[0, 2], [3, 3]])).array()).toString())   // 1,0,1,0,0,0,0,1
 * ```
 */
export const categoryEncoding = (numTokens: number, options?: CategoryEncodingOptions): CategoryEncoding =>
  new CategoryEncoding(numTokens, options)
