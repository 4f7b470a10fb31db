/**
 * A layer: a name, weights made when the input shape is known, and a function of one tensor. Over 300 lines, because it is the whole contract of a
 * layer, and its methods share private state: weights, layers inside, places in graphs.
 *
 * Models call a layer by its general form, with lists of inputs and outputs (`outputShapes`, `buildAll`, `callAll`). A layer of one input and one
 * output writes the simple form alone (`outputShape`, `makeWeights`, `call`); several inputs are a `MergeLayer`.
 *
 * Shapes of layers carry the batch axis, null where the size is open: `[null, 784]`. Everything random comes from keys that the model
 * derives from its seed and the layer's position, never from names.
 */
import {
  foldKey,
  type Key,
  labelled,
  Parameter,
  type Shape,
  ShapeError,
  scope,
  showShape,
  Tensor,
  ValueError,
  zeros,
} from '@cotangent/core'
import { describeValue, requireText } from '@cotangent/core/arguments'
import { CompileError } from './errors.js'
import { connect, type LayerNode, type SymbolicTensor } from './graph/symbolic-tensor.js'
import { addedNow, around, inside, isAround, keyInside, layersAmong, stackChanged } from './inside.js'
import { requireLayerOptions, requireWeightSize } from './layer-options.js'
import type { BatchShape, BuildContext, CallContext, FinalActivation, LayerOptions, LayerOutputs, ManyContext } from './layer-types.js'
import { type OptionTable, optionNames, readTable, tableConfig } from './option-table.js'
import { automaticName } from './spelling/automatic-names.js'
import { constrain } from './weights/constrained.js'
import type { Constraint } from './weights/constraints.js'
import { noteDrawn } from './weights/drawn.js'
import type { Initializer } from './weights/initializers.js'
import { countWeight } from './weights/limit.js'
import type { Regularizer } from './weights/regularizers.js'
import { assignWeights, type WeightValue } from './weights/values.js'

export { requireCount } from './layer-options.js'
export type * from './layer-types.js'

/** A small stable number for a weight's name, so that a weight's key does not depend on the order of weights. */
const hashName = (name: string): number => [...name].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0, 7)

export abstract class Layer {
  /** Keras' class name: `Dense`. */
  abstract readonly className: string
  readonly name: string
  trainable: boolean
  readonly activityRegularizer?: Regularizer
  /** @internal How often it got other constants to compute with, so that a step that was recorded is no longer right. */
  revision = 0
  /** How many outputs it has. */
  readonly outputCount: number = 1
  /** Whether a mask may come with the input. */
  readonly supportsMasking: boolean = false
  /** The shape of a batch, known on a model's first layer before building. */
  readonly batchInputShape?: BatchShape
  /** Its places in graphs: one for each time it was applied. */
  readonly inboundNodes: LayerNode[] = []
  readonly #table?: OptionTable
  #built = false
  readonly #weights: Parameter[] = []
  readonly #regularized: { weight: Parameter; regularizer: Regularizer }[] = []
  #initialWeights?: readonly WeightValue[]
  /** The Sequentials that it is in. */
  readonly #stacks = new Set<Stack>()
  /** The layers inside, once it is built. */
  #inner?: readonly Layer[]
  /** The layers inside by their place, of which their keys are made. */
  readonly #places = new Map<Layer, number>()

  /**
   * @param className Keras' class name, for the automatic name
   * @param own the option names this layer knows beyond the shared ones; any other is an error. The layers here give a table of their options
   * (option-table.ts), of which properties and config are made, too
   * @param args arguments before the options, by their names in the table
   */
  constructor(className: string, options: LayerOptions, own: readonly string[] | OptionTable, args: object = {}) {
    const table = Array.isArray(own) ? undefined : (own as OptionTable)
    requireLayerOptions(className, options, table ? optionNames(table) : (own as readonly string[]))
    this.name = options.name ?? automaticName(className)
    this.trainable = options.trainable ?? true
    this.#initialWeights = options.weights
    const inputShape = options.inputShape ?? (options.inputDim === undefined ? undefined : [options.inputDim])
    this.batchInputShape = options.batchInputShape ?? (inputShape && [null, ...inputShape])
    this.#watchCalls()
    this.#table = table
    if (table) Object.assign(this, readTable(className, table, { ...options, ...args }))
  }

  /** Sees to it that every call of the layer, from wherever, goes through `enter`, whatever a class makes of `call` and `callAll`. */
  #watchCalls(): void {
    const { call, callAll } = this
    const value = (method: unknown): PropertyDescriptor => ({ value: method, writable: true, configurable: true })
    Object.defineProperties(this, {
      call: value((x: Tensor, context: CallContext) => this.enter(context, (own) => requireResult(this, call.call(this, x, own)))),
      callAll: value((xs: readonly Tensor[], context: ManyContext, logits?: readonly boolean[]) =>
        this.enter(context, (own) => callAll.call(this, xs, own, logits)),
      ),
    })
  }

  /**
   * Runs the layer's work with the context that it has at its place: frozen if a layer around it is, and with a key of its own if it was given that of
   * the layer around it.
   */
  protected enter<Context extends { key?: Key; frozen?: boolean }, Result>(given: Context, work: (context: Context) => Result): Result {
    const outer = around()
    if (outer?.layer === this) return work(given)
    this.requireBuilt()
    if (outer) outer.layer.#requirePart(this)
    const frozen = !this.trainable || given?.frozen === true || outer?.frozen === true
    const key = given?.key && this.#keyAt(given.key)
    // Most calls go on as they came.
    const same = given !== undefined && key === given.key && frozen === (given.frozen ?? false)
    const call = (): Result => work(same ? given : { ...given, key, frozen })
    return inside(this, key, frozen, outer || this.isNamedAlone ? () => labelled(this.name, call) : call)
  }

  /** Whether records of its ops say its name, `dense_1/affine`, also where no layer is around it. */
  protected get isNamedAlone(): boolean {
    return true
  }

  /** The key for its place in the layer around it, unless that gave it another than its own. */
  #keyAt(key: Key): Key {
    const outer = around()
    if (!outer?.key || outer.layer.givesItsKey || outer.key[0] !== key[0] || outer.key[1] !== key[1]) return key
    outer.uses ??= new Map()
    const use = outer.uses.get(this) ?? 0
    outer.uses.set(this, use + 1)
    return keyInside(key, outer.layer.#placeOf(this), use)
  }

  /** Throws for a layer that is called inside this one, and whose weights this one does not have. */
  #requirePart(layer: Layer): void {
    if (!this.built || this.#places.has(layer) || this.#holds(layer) || !layer.built || layer.weights.length === 0) return
    throw new ValueError(
      `${this.describe()}: calls ${layer.describe()}, which is no part of it, so that its weights would be neither trained nor saved. ` +
        'Keep it in a property, or build it in makeWeights(inputShape, context).',
    )
  }

  #placeOf(layer: Layer): number {
    if (!this.#places.has(layer)) this.#places.set(layer, this.#places.size)
    return this.#places.get(layer) as number
  }

  /** Whether the layer inside gets the key that it is given: around another layer, with nothing random of its own. */
  protected get givesItsKey(): boolean {
    return false
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

  /**
   * The layers inside: their weights are this layer's. Found among its properties, in arrays, sets, maps and plain objects, too, in their order; then
   * those built in `makeWeights` and kept elsewhere.
   */
  get inner(): readonly Layer[] {
    return this.#inner ?? layersAmong(this, isLayer)
  }

  /**
   * Weights that training changes, in Keras' order.
   *
   * @throws CompileError for a layer that has not got its weights yet.
   */
  get trainableWeights(): Parameter[] {
    this.requireBuilt()
    return this.trainable ? [...this.#weights.filter((w) => w.trainable), ...this.inner.flatMap((layer) => layer.trainableWeights)] : []
  }
  /** All weights: those made trainable first, then the others. None as long as it is not built. */
  get weights(): Parameter[] {
    const all = [...this.#weights, ...this.inner.flatMap((layer) => layer.weights)]
    return trainableFirst(all)
  }

  /** Whether it must be built before it can be called. */
  protected get needsBuilding(): boolean {
    return this.makeWeights !== Layer.prototype.makeWeights || this.makeAllWeights !== Layer.prototype.makeAllWeights
  }

  /** Throws for a layer that has not got its weights yet. */
  protected requireBuilt(): void {
    if (this.built || !this.needsBuilding || isAround(this)) return
    throw new CompileError(
      `${this.describe()}: has no weights yet. A layer gets them in a model whose input shape is known; a layer inside another one by that one's ` +
        'makeWeights(inputShape, context): this.layer.build(inputShape, context).',
    )
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
  /** The symbolic output of a layer that was applied once, or is in one Sequential whose input shape is known. */
  get output(): SymbolicTensor {
    if (this.inboundNodes.length === 0 && this.#stacks.size === 1) for (const stack of this.#stacks) stack.connect()
    const [node, ...others] = this.inboundNodes
    if (node && others.length === 0 && node.outputs.length === 1) return node.outputs[0]
    const problem = node ? (others.length > 0 ? `was applied ${others.length + 1} times` : 'has several outputs') : 'was not applied yet'
    throw new ValueError(`${this.describe()}: ${problem}, so it has no one output. Keep what apply gives.`)
  }

  /** @internal Notes that it is in a Sequential, or no longer. */
  inStack(stack: Stack, isIn: boolean): void {
    stackChanged()
    if (isIn) this.#stacks.add(stack)
    else this.#stacks.delete(stack)
  }

  /** Makes the weights for inputs of this shape; a second call does nothing. */
  build(inputShape: BatchShape, context: BuildContext): void {
    this.buildAll([inputShape], context)
  }

  /** The same for a list of inputs. */
  buildAll(inputShapes: readonly BatchShape[], context: BuildContext): void {
    const { key } = this.enterBuild(context)
    if (this.built) return
    try {
      inside(this, key, false, () => {
        for (const layer of layersAmong(this, isLayer)) if (!isAround(layer)) this.#placeOf(layer)
        this.makeAllWeights(inputShapes, { ...context, key })
        this.#inner = this.#findInner()
      })
      this.#built = true
      this.#requireInner()
      if (this.#initialWeights) this.setWeights(this.#initialWeights)
    } catch (error) {
      this.#unbuild()
      throw error
    }
    this.#initialWeights = undefined
  }

  /** @internal Notes that it is inside the layer that is being built, if there is one, and gives it the key of its place there. */
  protected enterBuild(context: BuildContext): BuildContext {
    const outer = around()
    if (!outer || outer.layer === this) return context
    outer.layer.#placeOf(this)
    return { ...context, key: this.#keyAt(context.key) }
  }

  /** The layers among the properties and those built meanwhile, without those inside another one of these. */
  #findInner(): Layer[] {
    const found = [...new Set([...layersAmong(this, isLayer), ...this.#places.keys()])].filter((layer) => !isAround(layer))
    return found.filter((layer) => !found.some((other) => other !== layer && other.#holds(layer)))
  }
  #holds(layer: Layer): boolean {
    return this.inner.some((own) => own === layer || own.#holds(layer))
  }

  /** Throws for a layer inside that would be left out of training or files. */
  #requireInner(): void {
    const inner = this.#inner ?? []
    const unbuilt = inner.find((layer) => !layer.built && layer.needsBuilding)
    if (unbuilt) {
      throw new CompileError(
        `${this.describe()}: ${unbuilt.describe()} inside it has no weights. Build it in makeWeights(inputShape, context): ` +
          'this.layer.build(inputShape, context). A layer that is no part of it belongs in a private field (#layer).',
      )
    }
    const own = new Set(this.weights)
    const unlisted = inner.find((layer) => layer.weights.some((weight) => !own.has(weight)))
    if (!unlisted) return
    throw new ValueError(
      `${this.describe()}: ${unlisted.describe()} is among its properties, but inner does not list it. Leave inner out: layers inside are found.`,
    )
  }

  #unbuild(): void {
    for (const weight of this.#weights) weight.dispose()
    this.#weights.length = 0
    this.#regularized.length = 0
    this.#inner = undefined
    this.#built = false
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
    requireWeightSize(this, name, shape, dtype)
    countWeight(this, name, shape, dtype, !blank && initializer.className === 'Orthogonal')
    const value = scope(() =>
      blank ? zeros(shape, { dtype, backend }) : initializer.build(foldKey(context.key, hashName(name)), shape, { dtype, backend }),
    )
    const weight = new Parameter(value, { name: `${this.name}/${name}`, trainable: options.trainable })
    if (context.isSeeded === false && !blank) noteDrawn(weight, initializer)
    this.#weights.push(weight)
    if (options.regularizer) this.#regularized.push({ weight, regularizer: options.regularizer })
    if (options.constraint) constrain(weight, options.constraint)
    return weight
  }

  /** The penalties on weights, one scalar each. */
  penalties(): Tensor[] {
    return [
      ...this.#regularized.map(({ weight, regularizer }) => labelled(this.name, () => regularizer.call(weight))),
      ...this.inner.flatMap((layer) => layer.penalties()),
    ]
  }

  /**
   * Adds a scalar to the loss of the model, from within `call`; as Keras' `add_loss`. Where no model runs it does nothing.
   *
   * @throws ValueError unless the value is a scalar tensor
   * @example
   * ```ts
   * class Quiet extends Layer {
   *   readonly className = 'Quiet'
   *   constructor(options: LayerOptions) {
   *     super('Quiet', options, [])
   *   }
   *   outputShape(inputShape: BatchShape) {
   *     return inputShape
   *   }
   *   call(x: Tensor) {
   *     this.addLoss(x.square().mean().mul(0.01))
   *     this.addMetric(x.abs().mean(), 'loudness')
   *     return x
   *   }
   * }
   * const net = new Sequential([new Quiet({ inputShape: [1] })])
   * net.compile({ optimizer: 'sgd', loss: 'mse' })
   * console.log(await net.evaluate([[10]], [[10]], { returnDict: true }))   // ≈ { loss: 1, loudness: 10 }
   * ```
   */
  addLoss(value: Tensor): void {
    this.#requireScalar('addLoss', value)
    addedNow()?.losses.push(value)
  }

  /**
   * Reports a scalar beside the metrics, from within `call`: its mean over the samples. A name that is added twice in a step has the last value.
   *
   * @throws ValueError unless the value is a scalar tensor, and the name a text
   */
  addMetric(value: Tensor, name: string): void {
    this.#requireScalar('addMetric', value)
    requireText(`${this.describe()}: addMetric`, 'name', name)
    const added = addedNow()
    if (added) added.metrics[name] = value
  }

  #requireScalar(what: string, value: unknown): void {
    if (value instanceof Tensor && value.rank === 0) return
    const got = value instanceof Tensor ? `a tensor ${showShape(value.shape)}` : describeValue(value)
    throw new ValueError(`${this.describe()}: ${what} takes a scalar tensor, such as x.square().mean(); got ${got}.`)
  }

  /** The shape of the output for a shape of input; throws a ShapeError when the layer cannot take it. */
  abstract outputShape(inputShape: BatchShape): BatchShape

  /** The shapes of all outputs for the shapes of all inputs; `_reverse`: of a call in reverse, which `reversibleEmbedding` alone has. */
  outputShapes(inputShapes: readonly BatchShape[], _reverse?: boolean): BatchShape[] {
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

  /** @internal The states that a stateful layer keeps from batch to batch. */
  get keptStates(): readonly Tensor[] {
    return []
  }

  /** Forgets what a stateful layer keeps from batch to batch. */
  resetStates(_states?: readonly Tensor[]): void {
    for (const layer of this.inner) layer.resetStates()
  }

  /** The output before `finalActivation`, on layers that have one. */
  logits(_x: Tensor, _context: CallContext): Tensor {
    throw new ValueError(`${this.className}: has no logits.`)
  }

  /** The options that rebuild it: what the class's `fromConfig` takes. */
  getConfig(): Record<string, unknown> {
    const { name, trainable, batchInputShape } = this
    return { name, trainable, ...(batchInputShape && { batchInputShape }), ...this.ownConfig() }
  }

  /** The options that are not those of every layer. */
  protected ownConfig(): Record<string, unknown> {
    return this.#table ? tableConfig(this.#table, this) : {}
  }

  /** Copies of all weights on the host, in the order of `weights`. */
  async getWeights(): Promise<{ name: string; shape: readonly number[]; data: Float32Array | Float64Array }[]> {
    this.requireBuilt()
    return Promise.all(
      this.weights.map(async (w) => ({ name: w.name, shape: w.shape, data: (await w.data()) as Float32Array | Float64Array })),
    )
  }

  /**
   * Replaces all weights, in the order of `weights`; the values are copied.
   *
   * @param values tensors, nested arrays, objects `{ shape, data }` as `getWeights` gives them, or typed arrays with the elements row by row
   * @throws ValueError or ShapeError that names the weight that does not fit; then none has changed.
   * @example
   * ```ts
   * const layer = dense(2, { inputShape: [1] })
   * const model = new Sequential([layer])
   * layer.setWeights([[[1, 2]], [3, 4]])
   * console.log(await model.apply(tensor([[10]])).array())   // [[13, 24]]
   * ```
   */
  setWeights(values: readonly WeightValue[]): void {
    this.requireBuilt()
    assignWeights(this.describe(), this.weights, values)
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

/** A chain of layers that can give its layers their places in a graph. */
interface Stack {
  connect(): void
}

const isLayer = (value: object): value is Layer => value instanceof Layer

/** The result of `call`, or an error if it is no tensor. */
function requireResult(layer: Layer, result: unknown): Tensor {
  if (result instanceof Tensor) return result
  const isPromise = typeof (result as { then?: unknown } | undefined)?.then === 'function'
  const got = isPromise ? 'a Promise, and a layer cannot wait: call must not be async' : describeValue(result)
  throw new ValueError(`${layer.describe()}: call must return a tensor, got ${got}.${result === undefined ? ' Is a return missing?' : ''}`)
}

/** Whether weights are made without being drawn. */
let blank = false

/** @internal Makes layers whose weights are 0 for now, since their values come from a file; drawing them takes longer than all else. */
export function withBlankWeights<T>(work: () => T): T {
  const before = blank
  blank = true
  try {
    return work()
  } finally {
    blank = before
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
