/**
 * What a layer is: a name, weights made when the input shape is known, and a function of one tensor.
 *
 * Shapes of layers carry the batch axis, null where the size is open: `[null, 784]`. Everything random comes from keys that the model
 * derives from its seed and the layer's position, never from names.
 */
import {
  type Backend,
  type DType,
  foldKey,
  type Key,
  Parameter,
  type Shape,
  ShapeError,
  scope,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import { constrain } from './constrained.js'
import type { Constraint } from './constraints.js'
import type { Initializer } from './initializers.js'
import type { Regularizer } from './regularizers.js'

/** A shape with the batch axis first; null is open. */
export type BatchShape = readonly (number | null)[]

/** Options that every layer takes. */
export interface LayerOptions {
  /** Unique in a model; made from the class (`dense_1`) if left out. */
  name?: string
  /** Whether the optimizer changes its weights; read by `compile`. */
  trainable?: boolean
  /** On a model's first layer: the shape of one sample. */
  inputShape?: readonly (number | null)[]
  /** The same with the batch axis. */
  batchInputShape?: BatchShape
  /** Short for `inputShape: [inputDim]`. */
  inputDim?: number
  /** Initial weights, in the order of `getWeights`. */
  weights?: readonly Tensor[]
}

/** What a layer gets beside its input. */
export interface CallContext {
  /** Whether dropout drops. */
  training: boolean
  /** For this layer and step; absent when nothing random may happen. */
  key?: Key
  /** Which steps of the input count, bool [n, t]; absent where all do. */
  mask?: Tensor
}

/** What a layer gets to make its weights with. */
export interface BuildContext {
  key: Key
  dtype: DType
  backend: Backend
}

const counters = new Map<string, number>()

/** Starts automatic names (`dense_1`, `sequential_1`, …) from 1 again. */
export function resetNames(): void {
  counters.clear()
}

/** `Conv2D` → `conv2d_1`, `MaxPooling2D` → `max_pooling2d_1`: snake case and a count for each class. */
export function automaticName(className: string): string {
  const snake = className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
  const count = (counters.get(snake) ?? 0) + 1
  counters.set(snake, count)
  return `${snake}_${count}`
}

const shared = ['name', 'trainable', 'inputShape', 'batchInputShape', 'inputDim', 'weights']

/** A small stable number for a weight's name, so that a weight's key does not depend on the order of weights. */
const hashName = (name: string): number => [...name].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0, 7)

export abstract class Layer {
  /** Keras' class name: `Dense`. */
  abstract readonly className: string
  readonly name: string
  trainable: boolean
  built = false
  /** Whether, and with which activation, the layer ends in softmax or sigmoid, so that a loss may use its logits instead. */
  readonly finalActivation?: 'softmax' | 'sigmoid'
  readonly activityRegularizer?: Regularizer
  /** How many outputs it has; with more than one it has a method of its own that gives them all. */
  readonly outputs: number = 1
  /** Whether a mask may come with the input. */
  readonly supportsMasking: boolean = false
  /** The shape of a batch, known on a model's first layer before building. */
  readonly batchInputShape?: BatchShape
  readonly #weights: Parameter[] = []
  readonly #regularized: { weight: Parameter; regularizer: Regularizer }[] = []
  #initialWeights?: readonly Tensor[]

  /**
   * @param className Keras' class name, for the automatic name
   * @param own the option names this layer knows beyond the shared ones; any other is an error
   */
  constructor(className: string, options: LayerOptions, own: readonly string[]) {
    const unknown = Object.keys(options).find((option) => !shared.includes(option) && !own.includes(option))
    if (unknown) throw new ValueError(`${className}: there is no option "${unknown}". Options: ${[...own, ...shared].join(', ')}.`)
    this.name = options.name ?? automaticName(className)
    this.trainable = options.trainable ?? true
    this.#initialWeights = options.weights
    const inputShape = options.inputShape ?? (options.inputDim === undefined ? undefined : [options.inputDim])
    this.batchInputShape = options.batchInputShape ?? (inputShape && [null, ...inputShape])
  }

  /** The layers inside, on wrappers and cells of cells: their weights are this layer's. */
  get inner(): readonly Layer[] {
    return []
  }

  /** Weights that training changes, in Keras' order. */
  get trainableWeights(): Parameter[] {
    return this.trainable ? [...this.#weights.filter((w) => w.trainable), ...this.inner.flatMap((layer) => layer.trainableWeights)] : []
  }
  /** All weights: those made trainable first, then the others. */
  get weights(): Parameter[] {
    const all = [...this.#weights, ...this.inner.flatMap((layer) => layer.weights)]
    return [...all.filter((w) => w.trainable), ...all.filter((w) => !w.trainable)]
  }

  /** Makes the weights for inputs of this shape; a second call does nothing. */
  build(inputShape: BatchShape, context: BuildContext): void {
    if (this.built) return
    this.makeWeights(inputShape, context)
    this.built = true
    if (this.#initialWeights) this.setWeights(this.#initialWeights)
    this.#initialWeights = undefined
  }

  /** Makes the weights with `addWeight`; layers without any need not override it. */
  protected makeWeights(_inputShape: BatchShape, _context: BuildContext): void {}

  /** A weight, drawn from the layer's key and its own name. */
  protected addWeight(
    name: string,
    shape: Shape,
    initializer: Initializer,
    context: BuildContext,
    options: { trainable?: boolean; regularizer?: Regularizer; constraint?: Constraint } = {},
  ): Parameter {
    const { dtype, backend } = context
    const value = scope(() => initializer.build(foldKey(context.key, hashName(name)), shape, { dtype, backend }))
    const weight = new Parameter(value, { name: `${this.name}/${name}`, trainable: options.trainable })
    this.#weights.push(weight)
    if (options.regularizer) this.#regularized.push({ weight, regularizer: options.regularizer })
    if (options.constraint) constrain(weight, options.constraint)
    return weight
  }

  /** The penalties on weights, one scalar each. */
  penalties(): Tensor[] {
    return [
      ...this.#regularized.map(({ weight, regularizer }) => regularizer.call(weight)),
      ...this.inner.flatMap((layer) => layer.penalties()),
    ]
  }

  /** The shape of the output for a shape of input; throws a ShapeError when the layer cannot take it. */
  abstract outputShape(inputShape: BatchShape): BatchShape

  /** The layer as a function. */
  abstract call(x: Tensor, context: CallContext): Tensor

  /**
   * The mask that goes on with the output, for an input and its mask: by default that mask itself, if the layer can take one at all.
   *
   * @throws ValueError for a mask where there may be none.
   */
  outputMask(_x: Tensor, mask: Tensor | undefined): Tensor | undefined {
    if (mask && !this.supportsMasking) {
      throw new ValueError(
        `${this.className}: does not support masking, but its input has a mask, from an embedding with maskZero or a masking layer before it. ` +
          'Put a recurrent layer between them, or leave the mask out.',
      )
    }
    return mask
  }

  /** Forgets what a stateful layer keeps from batch to batch. */
  resetStates(): void {
    for (const layer of this.inner) layer.resetStates()
  }

  /** The output before `finalActivation`, on layers that have one. */
  logits(_x: Tensor, _context: CallContext): Tensor {
    throw new ValueError(`${this.className}: has no logits.`)
  }

  /** The options that rebuild it: what the class's `fromConfig` takes. */
  getConfig(): Record<string, unknown> {
    return { name: this.name, trainable: this.trainable, ...(this.batchInputShape ? { batchInputShape: this.batchInputShape } : {}) }
  }

  /** Replaces all weights, in the order of `weights`; the values are copied. */
  setWeights(values: readonly Tensor[]): void {
    const { weights } = this
    if (values.length !== weights.length) {
      throw new ValueError(`setWeights: layer "${this.name}" has ${weights.length} weights, got ${values.length}.`)
    }
    scope(() => {
      weights.forEach((weight, i) => {
        weight.assign(values[i].cast(weight.dtype).add(0))
      })
    })
  }

  /** Frees the weights. */
  dispose(): void {
    for (const weight of this.#weights) weight.dispose()
    for (const layer of this.inner) layer.dispose()
  }

  /** `layer "dense_2" (Dense, units 10)`, for messages. */
  describe(): string {
    const detail = this.detail()
    return `layer "${this.name}" (${this.className}${detail ? `, ${detail}` : ''})`
  }

  /** The one option that tells layers of a class apart, for messages. */
  protected detail(): string {
    return ''
  }
}

/** The size of an axis that a layer must know to make its weights. */
export function requireSize(layer: Layer, inputShape: BatchShape, axis: number): number {
  const size = inputShape.at(axis)
  if (typeof size === 'number') return size
  const shape = `[${inputShape.map((n) => n ?? '?').join(', ')}]`
  throw new ShapeError(
    `${layer.describe()}: axis ${axis} of the input ${shape} must be known. Give the first layer an inputShape with that size.`,
  )
}

/** Throws unless an option is a whole number from 1. */
export function requireCount(className: string, option: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) throw new ValueError(`${className}: ${option} must be a whole number from 1, got ${value}.`)
}
