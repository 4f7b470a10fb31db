/** Rows of a table by index: words as vectors. */
import { gather, type Parameter, ShapeError, type Tensor, ValueError, where } from '@cotangent/core'
import { requireOptions } from '@cotangent/core/arguments'
import { type BatchShape, type BuildContext, type CallContext, Layer, type LayerOptions, requireCount } from '../../layer.js'
import { layerOptions, readFlag, readOption } from '../../layer-options.js'
import { savedForm } from '../../spelling/names.js'
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from '../../weights/regularizers.js'
import { type WeightOptions, WeightSettings, weightOptionNames } from '../../weights/settings.js'

/** The initializer of the table is `uniform` by default. */
export interface EmbeddingOptions extends LayerOptions, WeightOptions<'embeddings'> {
  /** Index 0 stands for no word: the steps that have it get a mask, which recurrent layers and losses heed. */
  maskZero?: boolean
  /** The number of indices a sample, which layers behind it, as `flatten`, may have to know. */
  inputLength?: number
  activityRegularizer?: RegularizerIdentifier
}

const own = ['maskZero', 'inputLength', ...weightOptionNames(['embeddings']), 'activityRegularizer']

/**
 * The rows of a table for indices. An index that comes up several times collects the gradient of all of them.
 *
 * Shape:   [n, ..] of whole numbers from 0 to inputDim − 1 → [n, .., outputDim]
 * Weights: embeddings [inputDim, outputDim]
 */
export class Embedding extends Layer {
  override readonly className = 'Embedding'
  override readonly activityRegularizer?: Regularizer
  readonly inputDim: number
  readonly outputDim: number
  readonly maskZero: boolean
  readonly inputLength?: number
  readonly #settings: WeightSettings<'embeddings'>
  #embeddings?: Parameter

  constructor(inputDim: number, outputDim: number, options: EmbeddingOptions = {}) {
    requireOptions('Embedding', options, [...own, ...layerOptions])
    const { inputLength } = options
    if (inputLength !== undefined) requireCount('Embedding', 'inputLength', inputLength)
    const isShaped = [options.inputShape, options.batchInputShape, options.inputDim].some((given) => given !== undefined)
    const shaped = isShaped ? options : { ...options, inputShape: [inputLength ?? null] }
    super('Embedding', shaped, own)
    requireCount('Embedding', 'inputDim', inputDim)
    requireCount('Embedding', 'outputDim', outputDim)
    this.inputDim = inputDim
    this.outputDim = outputDim
    this.maskZero = readFlag('Embedding', 'maskZero', options.maskZero, false)
    this.inputLength = inputLength
    this.#settings = new WeightSettings('Embedding', options, { embeddings: 'uniform' })
    this.activityRegularizer = readOption('Embedding', 'activityRegularizer', options, getRegularizer)
  }

  static fromConfig({
    inputDim,
    outputDim,
    ...options
  }: Omit<EmbeddingOptions, 'inputDim'> & { inputDim: number; outputDim: number }): Embedding {
    return new Embedding(inputDim, outputDim, options)
  }

  protected override makeWeights(_inputShape: BatchShape, context: BuildContext): void {
    const setting = this.#settings.of('embeddings')
    this.#embeddings = this.addWeight('embeddings', [this.inputDim, this.outputDim], setting.initializer, context, setting)
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch, length, ...rest] = inputShape
    const { inputLength } = this
    if (inputLength === undefined || length === undefined) return [...inputShape, this.outputDim]
    if (length !== null && length !== inputLength) {
      throw new ShapeError(`${this.describe()}: inputLength is ${inputLength}, but the input has ${length} indices a sample.`)
    }
    return [batch, inputLength, ...rest, this.outputDim]
  }

  /** @internal */
  override indexCount(): number {
    return this.inputDim
  }

  /** Indices that come as floats. A cast alone would pick row 0 for NaN and −0.5, and a wrong row where float32 has no more whole numbers. */
  #whole(x: Tensor): Tensor {
    const most = x.dtype === 'float32' ? 2 ** 24 : 2 ** 31 - 1
    const values = x.backend.readSync?.(x.storage)
    // Where the values cannot be looked at, `gather` refuses −1.
    if (!values) return where(x.equal(x.floor()).logicalAnd(x.abs().lessEqual(most)), x, -1).cast('int32')
    const at = values.findIndex((value) => !Number.isInteger(value) || Math.abs(value) > most)
    if (at < 0) return x.cast('int32')
    throw new ValueError(
      `${this.describe()}: an index is ${values[at]} (at position ${at} of the input), but indices of ${x.dtype} must be whole numbers ` +
        `up to ${most}.${Number.isInteger(values[at]) ? " Give it int32: input({ …, dtype: 'int32' })." : ''}`,
    )
  }

  override outputMask(x: Tensor): Tensor | undefined {
    return this.maskZero ? x.notEqual(0) : undefined
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    return gather(this.#embeddings as Parameter, x.dtype.startsWith('float') ? this.#whole(x) : x.cast('int32'))
  }

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      ...this.#settings.getConfig(),
      maskZero: this.maskZero,
      inputLength: this.inputLength,
      activityRegularizer: this.activityRegularizer && savedForm(this.activityRegularizer),
    }
  }
  protected override detail(): string {
    return `${this.inputDim} × ${this.outputDim}`
  }
}

/**
 * A table of `inputDim` rows of `outputDim` numbers.
 *
 * @example
 * ```ts
 * const model = new Sequential([embedding(10000, 32, { maskZero: true }), lstm(32), dense(1)])
 * ```
 */
export const embedding = (inputDim: number, outputDim: number, options?: EmbeddingOptions): Embedding =>
  new Embedding(inputDim, outputDim, options)
