/** What training needs of a model: how its layers are connected is not its business. `Network` (models/network.ts) is one. */
import type { Backend, DType, Key, Parameter, Tensor } from '@cotangent/core'
import type { BatchShape, FinalActivation } from '../layer-types.js'

/** An input or output of a model. */
export interface Port {
  /** By which data may be given. */
  name: string
  /** The batch axis open. */
  shape: BatchShape
}

/** An input, with what its data are cast to. */
export interface InputPort extends Port {
  dtype: DType
  /** How many rows its values pick from, where they are indices. */
  indexCount?: number
}

/** What a model's root key is folded with: each use of random numbers has a key of its own. */
export type Purpose = 'weights' | 'dropout' | 'shuffle'

/** What a forward pass gives. */
export interface Outputs {
  /** One tensor for each output: its values, or its logits where those were asked for. */
  outputs: Tensor[]
  /** For each output which steps count; undefined where all do. */
  masks: (Tensor | undefined)[]
  /** Scalars that are added to the loss: those on weights, and on activities. */
  penalties: Tensor[]
}

export interface Trainable {
  readonly name: string
  readonly dtype: DType
  readonly backend: Backend
  readonly built: boolean
  /** Known once it is built. */
  readonly inputPorts: readonly InputPort[]
  readonly outputPorts: readonly Port[]
  readonly outputCount: number
  /** The activation that each output ends in, where a loss may take the logits that go into it. */
  readonly finalActivations: readonly FinalActivation[]
  /** The parameters that training changes. */
  readonly trainableWeights: readonly Parameter[]
  /** The layers inside. */
  readonly inner: readonly Part[]
  /** Makes the weights for a shape of input. */
  build(inputShape: BatchShape): void
  /**
   * The forward pass.
   *
   * @param logits for which outputs to stop before the final activation
   */
  run(xs: readonly Tensor[], context: { training: boolean; key?: Key }, logits: readonly boolean[]): Outputs
  /** The key for a purpose. */
  keyFor(purpose: Purpose): Key
  /** For messages. */
  describe(): string
}

/** A layer, as far as training looks at it. */
export interface Part {
  readonly inner: readonly Part[]
}
