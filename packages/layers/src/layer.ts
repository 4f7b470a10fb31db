/**
 * What a layer is: a name, weights made when the input shape is known, and a function of one tensor.
 *
 * Models call a layer by its general form, with lists of inputs and outputs (`outputShapes`, `buildAll`, `callAll`). A layer of one input and one
 * output writes the simple form alone (`outputShape`, `makeWeights`, `call`); several inputs are a `MergeLayer`.
 *
 * Shapes of layers carry the batch axis, null where the size is open: `[null, 784]`. Everything random comes from keys that the model
 * derives from its seed and the layer's position, never from names.
 */
import { foldKey, Parameter, type Shape, ShapeError, scope, type Tensor, ValueError } from '@cotangent/core'
import { automaticName } from './automatic-names.js'
import { constrain } from './constrained.js'
import type { Constraint } from './constraints.js'
import { connect, type LayerNode, type SymbolicTensor } from './graph/symbolic-tensor.js'
import type { Initializer } from './initializers.js'
import type { BatchShape, BuildContext, CallContext, FinalActivation, LayerOptions, LayerOutputs, ManyContext } from './layer-types.js'
import type { Regularizer } from './regularizers.js'

export type * from './layer-types.js'

const shared = ['name', 'trainable', 'inputShape', 'batchInputShape', 'inputDim', 'weights']

/** A small stable number for a weight's name, so that a weight's key does not depend on the order of weights. */
const hashName = (name: string): number => [...name].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0, 7)

export abstract class Layer {
  /** Keras' class name: `Dense`. */
  abstract readonly className: string
  readonly name: string
  trainable: boolean
  readonly activityRegularizer?: Regularizer
  /** How many outputs it has. */
  readonly outputCount: number = 1
  /** Whether a mask may come with the input. */
  readonly supportsMasking: boolean = false
  /** The shape of a batch, known on a model's first layer before building. */
  readonly batchInputShape?: BatchShape
  /** Its places in graphs: one for each time it was applied. */
  readonly inboundNodes: LayerNode[] = []
  #built = false
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

  /** Whether it has its weights. */
  get built(): boolean {
    return this.#built
  }
  /** Whether, and with which activation, the layer ends in softmax or sigmoid, so that a loss may use its logits instead. */
  get finalActivation(): FinalActivation {
    return undefined
  }
  /** The same for each output. */
  get finalActivations(): readonly FinalActivation[] {
    return [this.finalActivation]
  }

  /** @internal The number of its first use in a graph. */
  get firstNodeIndex(): number {
    return 0
  }

  /** @internal How many rows an input picks from, where it takes indices: a model that begins with it takes whole numbers, as int32. */
  indexCount(_input: number): number | undefined {
    return undefined
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
    return trainableFirst(all)
  }

  /**
   * The layer's place in a graph: the symbolic output for symbolic inputs. Applied again, it shares its weights.
   *
   * @throws ShapeError that names the layer, if the shapes do not fit
   * @example
   * ```ts
   * const x = input({ shape: [784] })
   * const y = dense(10, { activation: 'softmax' }).apply(dense(128).apply(x))
   * ```
   */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    if (this.outputCount !== 1) {
      throw new ValueError(`${this.describe()}: has ${this.outputCount} outputs. Take them all: const [y, …] = layer.applyAll(x).`)
    }
    return connect(this, inputs)[0]
  }
  /** All symbolic outputs, of layers with several: `const [y, h, c] = lstm(8, { returnState: true }).applyAll(x)`. */
  applyAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor[] {
    return connect(this, inputs)
  }
  /** The symbolic output of a layer that was applied once. */
  get output(): SymbolicTensor {
    const [node, ...others] = this.inboundNodes
    if (node && others.length === 0 && node.outputs.length === 1) return node.outputs[0]
    const problem = node ? (others.length > 0 ? `was applied ${others.length + 1} times` : 'has several outputs') : 'was not applied yet'
    throw new ValueError(`${this.describe()}: ${problem}, so it has no one output. Keep what apply gives.`)
  }

  /** Makes the weights for inputs of this shape; a second call does nothing. */
  build(inputShape: BatchShape, context: BuildContext): void {
    this.buildAll([inputShape], context)
  }

  /** The same for a list of inputs. */
  buildAll(inputShapes: readonly BatchShape[], context: BuildContext): void {
    if (this.built) return
    this.makeAllWeights(inputShapes, context)
    this.#built = true
    if (this.#initialWeights) this.setWeights(this.#initialWeights)
    this.#initialWeights = undefined
  }

  /** Makes the weights of a layer of several inputs. */
  protected makeAllWeights(inputShapes: readonly BatchShape[], context: BuildContext): void {
    this.makeWeights(this.only(inputShapes), context)
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

  /** The shapes of all outputs for the shapes of all inputs. */
  outputShapes(inputShapes: readonly BatchShape[]): BatchShape[] {
    return [this.outputShape(this.only(inputShapes))]
  }

  /** The layer as a function. */
  abstract call(x: Tensor, context: CallContext): Tensor

  /**
   * All outputs for all inputs, with their masks.
   *
   * @param logits for which outputs to stop before the final activation
   */
  callAll(xs: readonly Tensor[], { masks, ...context }: ManyContext, logits: readonly boolean[] = []): LayerOutputs {
    const x = this.only(xs)
    const inner: CallContext = { ...context, mask: masks[0] }
    return { masks: [this.outputMask(x, inner.mask)], outputs: [logits[0] ? this.logits(x, inner) : this.call(x, inner)] }
  }

  /** The one input of a layer that takes one. */
  protected only<Input>(inputs: readonly Input[]): Input {
    if (inputs.length !== 1) throw new ValueError(`${this.describe()}: takes one input, got ${inputs.length}.`)
    return inputs[0]
  }

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

/** Weights with those made trainable first, as Keras lists them. */
export const trainableFirst = (weights: readonly Parameter[]): Parameter[] => [
  ...weights.filter((w) => w.trainable),
  ...weights.filter((w) => !w.trainable),
]

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
