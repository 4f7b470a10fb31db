/** A table whose rows are picked by index: words as vectors. */
import { checkValues, gather, type Parameter, ShapeError, type Tensor, ValueError, where } from '@cotangent/core'
import { requireOptions } from '@cotangent/core/arguments'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireCount } from '../../layer.js'
import { layerOptions } from '../../layer-options.js'
import { count, countOrNone, flag, regularizer, weightsOf } from '../../option-rows.js'
import { listedLast, type OptionTable, optionNames, positional, type TableFor, type ValuesOf } from '../../option-table.js'
import { ours } from '../../own-classes.js'
import type { Regularizer, RegularizerIdentifier } from '../../weights/regularizers.js'
import type { WeightOptions, WeightSettings } from '../../weights/settings.js'

/** Options of `Embedding`. By default the table starts as `uniform`: evenly from −0.05 to 0.05. */
export interface EmbeddingOptions extends LayerOptions, WeightOptions<'embeddings'> {
  /**
   * Whether index 0 stands for "no word". Then the output has a mask that excludes those steps, for recurrent layers and losses. False by default.
   */
  maskZero?: boolean
  /** The number of indices in a sample. Layers such as `flatten` need to know it. Open by default. */
  inputLength?: number
  /** A penalty on the output, which is added to the loss; none by default. */
  activityRegularizer?: RegularizerIdentifier
}

/** The rows of its options. */
export const embeddingOptions = {
  inputDim: positional(count()),
  outputDim: positional(count()),
  settings: listedLast(weightsOf({ embeddings: 'uniform' })),
  maskZero: flag(false),
  inputLength: countOrNone(),
  activityRegularizer: listedLast(regularizer()),
} satisfies TableFor<EmbeddingOptions>

/**
 * y = table[x]: one row of the table for each index. The gradient of a row is the sum over all places where its index stands.
 *
 * Shape:   [n, ..] of whole numbers from 0 to inputDim − 1 → [n, .., outputDim]
 * Weights: embeddings [inputDim, outputDim]
 * Source:  Keras 2.3.1, layers/embeddings.py
 *
 * @throws ShapeError if samples have not `inputLength` indices
 * @throws ValueError for an index that is no whole number, where the device can tell
 */
export class Embedding extends Layer implements ValuesOf<typeof embeddingOptions> {
  override readonly className: string = ours(Embedding, 'Embedding')
  declare readonly activityRegularizer?: Regularizer
  declare readonly inputDim: number
  declare readonly outputDim: number
  declare readonly maskZero: boolean
  declare readonly inputLength?: number
  declare protected readonly settings: WeightSettings<'embeddings'>
  #embeddings?: Parameter

  /** @param className that of a subclass, with its table */
  constructor(
    inputDim: number,
    outputDim: number,
    options: EmbeddingOptions = {},
    className = 'Embedding',
    own: OptionTable = embeddingOptions,
  ) {
    requireOptions(className, options, [...optionNames(own), ...layerOptions])
    const { inputLength } = options
    if (inputLength !== undefined) requireCount(className, 'inputLength', inputLength)
    const isShaped = [options.inputShape, options.batchInputShape, options.inputDim].some((given) => given !== undefined)
    const shaped = isShaped ? options : { ...options, inputShape: [inputLength ?? null] }
    super(className, shaped, own, { inputDim, outputDim })
  }

  static fromConfig({
    inputDim,
    outputDim,
    ...options
  }: Omit<EmbeddingOptions, 'inputDim'> & { inputDim: number; outputDim: number }): Embedding {
    return new Embedding(inputDim, outputDim, options)
  }

  protected override makeWeights(_inputShape: BatchShape, context: BuildContext): void {
    const setting = this.settings.of('embeddings')
    this.#embeddings = this.addWeight('embeddings', [this.inputDim, this.outputDim], setting.initializer, context, setting)
  }

  /** The table, once it is made. */
  protected get table(): Parameter | undefined {
    return this.#embeddings
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch, length, ...rest] = inputShape
    const { inputLength } = this
    if (inputLength === undefined || length === undefined) return [...inputShape, this.outputDim]
    if (length !== null && length !== inputLength) {
      throw new ShapeError(`${this.describe()}: inputLength is ${inputLength}, but the input has ${length} indices in a sample.`)
    }
    return [batch, inputLength, ...rest, this.outputDim]
  }

  /** @internal */
  override indexCount(): number {
    return this.inputDim
  }

  /** Float indices as int32. A cast alone would pick row 0 for NaN and −0.5, and a wrong row above 2²⁴, where float32 skips whole numbers. */
  #whole(x: Tensor): Tensor {
    const most = x.dtype === 'float32' ? 2 ** 24 : 2 ** 31 - 1
    const read = checkValues(this.describe(), x, (values) => {
      const at = values.findIndex((value: number) => !Number.isInteger(value) || Math.abs(value) > most)
      if (at < 0) return
      throw new ValueError(
        `${this.describe()}: an index is ${values[at]} (at position ${at} of the input), but indices of ${x.dtype} must be whole numbers ` +
          `up to ${most}.${Number.isInteger(values[at]) ? " Give it int32: input({ …, dtype: 'int32' })." : ''}`,
      )
    })
    // A device whose values cannot be read here gets −1, which `gather` refuses.
    return read ? x.cast('int32') : where(x.equal(x.floor()).logicalAnd(x.abs().lessEqual(most)), x, -1).cast('int32')
  }

  override outputMask(x: Tensor): Tensor | undefined {
    return this.maskZero ? x.notEqual(0) : undefined
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    return gather(this.#embeddings as Parameter, x.dtype.startsWith('float') ? this.#whole(x) : x.cast('int32'))
  }

  protected override detail(): string {
    return `${this.inputDim} × ${this.outputDim}`
  }
}

/**
 * Makes an `Embedding`: a table of `inputDim` rows with `outputDim` numbers each.
 *
 * @example
 * ```ts
 * const model = new Sequential([embedding(10000, 32, { maskZero: true }), lstm(32), dense(1)])
 * console.log(model.countParams())   // 328353
 * ```
 */
export const embedding = (inputDim: number, outputDim: number, options?: EmbeddingOptions): Embedding =>
  new Embedding(inputDim, outputDim, options)
