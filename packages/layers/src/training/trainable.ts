/** The interface of a model as training sees it. It does not say how layers are connected. `Network` (models/network.ts) implements it. */
import type { Backend, DType, Key, Parameter, Tensor } from '@cotangent/core'
import type { BatchShape, FinalActivation } from '../layer-types.js'

/** An input or output of a model. */
export interface Port {
  /** The name by which data may be given. */
  name: string
  /** The shape, with the batch axis open. */
  shape: BatchShape
}

/** An input, with the dtype to which its data are cast. */
export interface InputPort extends Port {
  dtype: DType
  /** If its values are indices: the number of rows that they pick from. */
  indexCount?: number
}

/** A purpose of random numbers. Each is folded into the model's root key, so that it has a key of its own. */
export type Purpose = 'weights' | 'dropout' | 'shuffle'

/** The result of a forward pass. */
export interface Outputs {
  /** One tensor for each output: its values, or its logits if those were asked for. */
  outputs: Tensor[]
  /** For each output, the mask of the steps that count; undefined if all do. */
  masks: (Tensor | undefined)[]
  /** Scalars that are added to the loss: penalties on weights and on outputs of layers, and what layers add. */
  penalties: Tensor[]
  /** Scalars that layers report, by name. */
  metrics: Readonly<Record<string, Tensor>>
}

/** A model as training sees it. */
export interface Trainable {
  readonly name: string
  readonly trainable: boolean
  /** How often it got other constants to compute with. */
  readonly revision: number
  readonly dtype: DType
  readonly backend: Backend
  readonly built: boolean
  /** Known once the model is built. */
  readonly inputPorts: readonly InputPort[]
  readonly outputPorts: readonly Port[]
  readonly outputCount: number
  /** The activation at the end of each output, if a loss can take the logits before it. */
  readonly finalActivations: readonly FinalActivation[]
  /** The parameters that training changes. */
  readonly trainableWeights: readonly Parameter[]
  /** The layers inside. */
  readonly inner: readonly Part[]
  /** Makes the weights, for a shape of input. */
  build(inputShape: BatchShape): void
  /**
   * The forward pass.
   *
   * @param logits for each output, whether to stop before the final activation
   */
  run(xs: readonly Tensor[], context: { training: boolean; key?: Key }, logits: readonly boolean[]): Outputs
  /** The key for one purpose. */
  keyFor(purpose: Purpose): Key
  readonly seed: number
  /** Draws from now on as a model of that seed does. */
  drawAs(seed: number): void
  /** Its name for messages. */
  describe(): string
}

/** A layer, as far as training looks at it. */
export interface Part {
  readonly trainable: boolean
  /** How often it got other constants to compute with. */
  readonly revision: number
  readonly inner: readonly Part[]
}

/** All layers of a model, with those inside others. */
export const layersIn = (layer: Part): Part[] => layer.inner.flatMap((inner) => [inner, ...layersIn(inner)])
