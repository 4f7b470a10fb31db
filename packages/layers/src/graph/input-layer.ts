/** The layer where data enter a graph. */
import { type DType, type Tensor, ValueError } from '@cotangent/core'
import { type BatchShape, type CallContext, Layer } from '../layer.js'
import { ours } from '../own-classes.js'
import { LayerNode } from './symbolic-tensor.js'

/** Options of `input`: the shape of one sample, or of a batch. */
export interface InputOptions {
  /** The shape of one sample, sizes at least 1; null where a size is open, [] for single numbers. */
  shape?: readonly (number | null)[]
  /** The shape of a batch, for batches of a fixed size. */
  batchShape?: BatchShape
  /** The dtype to which data are cast; the model's by default, int32 if all layers behind the input take indices. */
  dtype?: DType
  /** The name by which data may be given; `input_1` and so on by default. */
  name?: string
}

/** The layer behind `input`. It has no weights; its output is the data. Shape: any → the same */
export class InputLayer extends Layer {
  override readonly className = ours(InputLayer, 'InputLayer')
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
