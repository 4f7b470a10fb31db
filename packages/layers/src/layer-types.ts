/** Shapes, options and contexts of layers. */
import type { Backend, DType, Key, Tensor } from '@cotangent/core'
import type { WeightValue } from './weights/values.js'

/** A shape with the batch axis first; null where a size is open. */
export type BatchShape = readonly (number | null)[]

/** Options that every layer takes. */
export interface LayerOptions {
  /** A name that is unique in the model; made from the class, such as `dense_1`, if left out. */
  name?: string
  /** Whether the optimizer changes the weights of the layer and of layers inside it; true by default. `compile` reads it. */
  trainable?: boolean
  /** On a model's first layer: the shape of one sample, without the batch axis; none by default. */
  inputShape?: readonly (number | null)[]
  /** On a model's first layer: the shape of a batch; none by default. */
  batchInputShape?: BatchShape
  /** Short for `inputShape: [inputDim]`; none by default. */
  inputDim?: number
  /** Initial weights, in the order of `getWeights`; made by the initializers if left out. */
  weights?: readonly WeightValue[]
}

/** The context of a call: training or inference, randomness, mask. */
export interface CallContext {
  /** True in training: dropout drops, batch normalisation uses the batch's statistics. */
  training: boolean
  /** The key of this layer at this step. It is absent when nothing random may happen. */
  key?: Key
  /** Whether the layer, or one around it, is not trainable. Then moving averages and the like stay as they are. */
  frozen?: boolean
  /** Which steps of the input count, bool [n, t]. It is absent if all do. */
  mask?: Tensor
  /** @internal Layers inside append the penalties on their outputs here. */
  penalties?: Tensor[]
}

/** The context of a call with a list of inputs. */
export interface ManyContext extends Omit<CallContext, 'mask'> {
  /** The mask of each input; undefined where all steps count. */
  masks: readonly (Tensor | undefined)[]
  /** A call in reverse, which `reversibleEmbedding` alone has. */
  reverse?: boolean
}

/** The outputs of a layer that was called with a list of inputs. */
export interface LayerOutputs {
  outputs: Tensor[]
  /** The mask of each output. */
  masks: (Tensor | undefined)[]
}

/** The activation at the end of an output, if a loss can bypass it and take the logits. */
export type FinalActivation = 'softmax' | 'sigmoid' | undefined

/** The context of `build`: where and how weights are made. */
export interface BuildContext {
  key: Key
  dtype: DType
  backend: Backend
  /** Whether the key comes from a seed that was given; false for one that a model drew. */
  isSeeded?: boolean
}
