/** What goes in and out of layers beside tensors: shapes, options, and what they get to be built and called with. */
import type { Backend, DType, Key, Tensor } from '@cotangent/core'
import type { WeightValue } from './weights/values.js'

/** A shape with the batch axis first; null is open. */
export type BatchShape = readonly (number | null)[]

/** Options that every layer takes. */
export interface LayerOptions {
  /** Unique in a model; made from the class (`dense_1`) if left out. */
  name?: string
  /** Whether the optimizer changes its weights, and those of layers inside; read by `compile`. */
  trainable?: boolean
  /** On a model's first layer: the shape of one sample. */
  inputShape?: readonly (number | null)[]
  /** The same with the batch axis. */
  batchInputShape?: BatchShape
  /** Short for `inputShape: [inputDim]`. */
  inputDim?: number
  /** Initial weights, in the order of `getWeights`: what `setWeights` takes. */
  weights?: readonly WeightValue[]
}

/** What a layer gets beside its input. */
export interface CallContext {
  /** Whether dropout drops. */
  training: boolean
  /** For this layer and step; absent when nothing random may happen. */
  key?: Key
  /** Whether the layer, or one around it, is not trainable: then what it keeps by the way, as moving averages, stays as it is. */
  frozen?: boolean
  /** Which steps of the input count, bool [n, t]; absent where all do. */
  mask?: Tensor
  /** @internal Where layers inside put the penalties on their activities. */
  penalties?: Tensor[]
}

/** What a layer gets beside a list of inputs. */
export interface ManyContext extends Omit<CallContext, 'mask'> {
  /** The mask of each input. */
  masks: readonly (Tensor | undefined)[]
}

/** What a layer makes of a list of inputs. */
export interface LayerOutputs {
  outputs: Tensor[]
  /** The mask of each output. */
  masks: (Tensor | undefined)[]
}

/** Which activation an output ends in, where a loss may use what goes into it. */
export type FinalActivation = 'softmax' | 'sigmoid' | undefined

/** What a layer gets to make its weights with. */
export interface BuildContext {
  key: Key
  dtype: DType
  backend: Backend
}
