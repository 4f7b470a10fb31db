/** Where data enter a graph. */
import { type DType, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer } from '../layer.js'
import { LayerNode, type SymbolicTensor } from './symbolic-tensor.js'

export interface InputOptions {
  /** The shape of one sample; null is open. */
  shape?: readonly (number | null)[]
  /** The same with the batch axis, for batches of a fixed size. */
  batchShape?: BatchShape
  /** What the data are cast to; the model's dtype if left out. */
  dtype?: DType
  /** By which data may be given; `input_1` and so on if left out. */
  name?: string
}

/** The layer behind `input`: it has no weights, and gives what is fed. */
export class InputLayer extends Layer {
  override readonly className = 'InputLayer'
  override readonly supportsMasking = true
  declare readonly batchInputShape: BatchShape
  readonly dtype?: DType

  constructor({ shape, batchShape, dtype, name }: InputOptions) {
    const given = batchShape ?? (shape && [null, ...shape])
    if (!Array.isArray(given) || given.some((n) => n !== null && !(Number.isInteger(n) && n > 0))) {
      throw new ValueError(
        `input: give the shape of one sample, such as { shape: [28, 28] } ([] for single numbers), each size at least 1, or null where open; got ${JSON.stringify(shape ?? batchShape)}.`,
      )
    }
    super('Input', { name, batchInputShape: given }, [])
    this.dtype = dtype
    new LayerNode(this, [], [given])
  }
  static fromConfig({ batchInputShape, batchShape, dtype, name }: InputOptions & { batchInputShape?: BatchShape }): InputLayer {
    return new InputLayer({ batchShape: batchInputShape ?? batchShape, dtype, name })
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor, _context: CallContext): Tensor {
    return x
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), dtype: this.dtype }
  }
}

/**
 * The symbolic tensor that data are fed to.
 *
 * @example
 * ```ts
 * const image = input({ shape: [28, 28], name: 'image' })
 * const classes = dense(10, { activation: 'softmax' }).apply(flatten().apply(image))
 * const net = new GraphModel({ inputs: image, outputs: classes })
 * ```
 */
export const input = (options: InputOptions): SymbolicTensor => new InputLayer(options).output
