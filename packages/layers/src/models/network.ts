/**
 * A network: layers, weights and the forward pass. A subclass says how the layers are connected; `Model` adds training. Keras has the same two classes, in
 * engine/network.py and engine/training.py.
 *
 * A network is also a layer: in a graph, in a Sequential, or inside a wrapper. The file has just over 300 lines: its weights' draws, its keys and its runs share
 * private state.
 */
import {
  type Backend,
  currentBackend,
  type DType,
  foldKey,
  type Key,
  key,
  type Parameter,
  scope,
  Tensor,
  ValueError,
} from '@cotangent/core'
import { describeValue, requireChoice, requireFunction } from '@cotangent/core/arguments'
import { CompileError } from '../errors.js'
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import { collecting } from '../inside.js'
import { type BatchShape, type BuildContext, type CallContext, Layer, trainableFirst } from '../layer.js'
import { print, warn } from '../platform.js'
import { readOptions } from '../spelling/names.js'
import { requireInputs } from '../training/checks.js'
import type { InputPort, Outputs, Port, Purpose, Trainable } from '../training/trainable.js'
import { anyAsDrawn, drawAgain } from '../weights/drawn.js'
import type { ModelOptions } from './model-types.js'
import { type SummaryRow, type SummaryStyle, summaryLines } from './summary-text.js'

const KEYS: Readonly<Record<Purpose, number>> = { weights: 0, dropout: 1, shuffle: 2 }

/** Layers, weights and the forward pass. */
export abstract class Network extends Layer implements Trainable {
  override readonly supportsMasking = true
  readonly seed: number
  readonly dtype: DType
  readonly backend: Backend
  abstract readonly layers: readonly Layer[]
  #root: Key
  /** Whether the seed was drawn here. Then weights made inside another model use that model's key. */
  readonly #ownSeed: boolean
  #hasRun = false

  /** @param own names of options that this class has in addition to those of all models */
  constructor(className: string, options: ModelOptions = {}, own: readonly string[] = []) {
    super(className, options, ['seed', 'dtype', 'backend', ...own])
    this.#ownSeed = options.seed === undefined
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
    this.backend = options.backend ?? currentBackend()
    this.dtype = options.dtype ?? this.backend.defaultDType ?? 'float32'
    this.#root = key(this.seed)
  }

  /** Makes all weights, for a shape of input. A second call does nothing. */
  abstract override build(inputShape?: BatchShape, context?: BuildContext): void
  abstract override get built(): boolean
  /** The inputs, in order. */
  abstract readonly inputPorts: readonly InputPort[]
  /** The outputs, in order. */
  abstract readonly outputPorts: readonly Port[]

  /** The symbolic tensors of the inputs. */
  abstract readonly inputs: readonly SymbolicTensor[]
  /** The symbolic tensors of the outputs. */
  abstract readonly outputs: readonly SymbolicTensor[]
  /**
   * The symbolic tensor of the only output. Apply further layers to it, or end another model there.
   *
   * @throws ValueError for a model of several outputs
   */
  override get output(): SymbolicTensor {
    if (this.outputs.length === 1) return this.outputs[0]
    throw new ValueError(`${this.name}: has ${this.outputs.length} outputs, so it has no one output. Take them of outputs.`)
  }

  /** The shape of the first output, with the batch axis open. */
  outputShapeOf(): BatchShape {
    return this.outputPorts[0]?.shape ?? []
  }
  /** The shape of the first input, with the batch axis open. */
  inputShapeOf(): BatchShape {
    return this.inputPorts[0].shape
  }

  override get inner(): readonly Layer[] {
    return this.layers
  }
  /** False, since the name of the outermost network would stand before every record. */
  protected override get isNamedAlone(): boolean {
    return false
  }
  protected override get needsBuilding(): boolean {
    return true
  }
  protected override requireBuilt(): void {
    if (this.built) return
    throw new CompileError(
      `${this.name}: the model has no weights yet, since the shape of its input is not known. Give its first layer an inputShape, or call ` +
        'build([null, …]) or fit first.',
    )
  }
  /** @internal A model's first use is itself, as Keras counts. */
  override get firstNodeIndex(): number {
    return 1
  }
  /**
   * The parameters that training changes.
   *
   * @throws CompileError for a model without weights: a training loop would change nothing
   */
  override get trainableWeights(): Parameter[] {
    return [...new Set(super.trainableWeights)]
  }
  /** Another name for `trainableWeights`, as training loops use it. */
  get params(): Parameter[] {
    return this.trainableWeights
  }
  /** All parameters, layer by layer. */
  override get weights(): Parameter[] {
    return [...new Set(this.layers.flatMap((layer) => trainableFirst(layer.weights)))]
  }
  /**
   * The layer with that name.
   *
   * @throws ValueError if there is none
   */
  getLayer(name: string): Layer {
    const layer = this.layers.find((candidate) => candidate.name === name)
    if (layer) return layer
    const names = `Layers: ${this.layers.map((l) => l.name).join(', ')}.`
    if (typeof name === 'string') throw new ValueError(`${this.name}.getLayer: there is no layer "${name}". ${names}`)
    throw new ValueError(
      `${this.name}.getLayer: expected the name of a layer, got ${describeValue(name)}. By its place it is model.layers[0]. ${names}`,
    )
  }
  /** @internal The key for one purpose. */
  keyFor(purpose: Purpose): Key {
    return foldKey(this.#root, KEYS[purpose])
  }
  /** @internal Draws from now on as a model of that seed does. */
  drawAs(seed: number): void {
    this.#root = key(seed)
    ;(this as { seed: number }).seed = seed
  }
  /** The context with which its layers make their weights, inside another model or not. */
  protected buildContext(outer?: BuildContext): BuildContext {
    const { dtype, backend } = this
    if (outer && (outer.dtype !== dtype || outer.backend !== backend)) {
      const show = (kind: DType, { name }: Backend): string => `${kind} on ${name}`
      throw new ValueError(
        `${this.describe()}: has weights in ${show(dtype, backend)}, the model around it in ${show(outer.dtype, outer.backend)}.`,
      )
    }
    const follows = outer !== undefined && this.#ownSeed
    return {
      ...{ dtype, backend },
      key: follows ? outer.key : this.keyFor('weights'),
      isSeeded: follows ? outer.isSeeded : !this.#ownSeed,
    }
  }

  /**
   * Draws its weights again for the model around it, if that has a seed that was given and this has none: so that one seed makes every run the same. Weights that
   * were trained, set or read from a file stay, and so do those of a model that has run already, since somebody may have seen them.
   */
  protected followOuter(outer: BuildContext): void {
    const { key, isSeeded } = this.buildContext(outer)
    if (!this.#ownSeed || !isSeeded) return
    const weights = this.#ownDraws()
    if (!anyAsDrawn(weights)) return
    if (!this.#hasRun) drawAgain(weights, key)
    else
      warn(
        `${this.describe()}: has no seed and ran before it was put into a model with one, so its weights stay, and differ in each run. Give it a seed.`,
      )
  }

  /** The weights inside that are drawn from its own seed: all but those of models with a seed that was given. */
  #ownDraws(): Parameter[] {
    const of = (layer: Layer): Parameter[] => {
      if (layer instanceof Network) return layer.#ownSeed ? layer.#ownDraws() : []
      const inside = new Set(layer.inner.flatMap(({ weights }) => weights))
      return [...layer.weights.filter((weight) => !inside.has(weight)), ...layer.inner.flatMap(of)]
    }
    return [...new Set(this.layers.flatMap(of))]
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.outputShapes([inputShape])[0]
  }
  override call(x: Tensor, { mask, ...context }: CallContext): Tensor {
    return this.callAll([x], { ...context, masks: [mask] }).outputs[0]
  }

  /**
   * The model as a function of tensors, or of symbolic tensors as a layer of a graph.
   *
   * @param context.training whether dropout drops; then `key` is needed
   * @param context.losses a list that gets the penalties on weights and activities, and what layers add to the loss
   * @param context.masks a list that gets for each output the mask of its steps, undefined if all count
   * @throws ShapeError that names the layer, for example if the batch axis is missing
   * @example
   * ```ts
   * console.log(model.apply(x).shape)   // [64, 4]
   * ```
   */
  override apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor
  override apply(inputs: Tensor | readonly Tensor[], context?: ApplyContext): Tensor
  override apply(inputs: Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[], context?: ApplyContext): Tensor | SymbolicTensor {
    if (!areTensors(inputs)) return super.apply(inputs as SymbolicTensor)
    if (this.outputCount !== 1)
      throw new ValueError(`${this.name}: has ${this.outputCount} outputs. Take them all: const [y, …] = model.applyAll(x).`)
    return this.applyAll(inputs, context)[0]
  }

  /** The model as a function of tensors: a list of all outputs. */
  override applyAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor[]
  override applyAll(inputs: Tensor | readonly Tensor[], context?: ApplyContext): Tensor[]
  override applyAll(
    inputs: Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[],
    { training = false, key, losses, masks }: ApplyContext = {},
  ): Tensor[] | SymbolicTensor[] {
    if (!areTensors(inputs)) return super.applyAll(inputs as SymbolicTensor)
    const [outputs, penalties, ofSteps] = scope(() => {
      const result = this.run(inputs instanceof Tensor ? [inputs] : inputs, { training, key }, [])
      return [result.outputs, losses ? result.penalties : [], masks ? result.masks : []]
    })
    losses?.push(...penalties)
    masks?.push(...ofSteps)
    return outputs
  }

  /** @internal */
  run(xs: readonly Tensor[], context: { training: boolean; key?: Key }, logits: readonly boolean[]): Outputs {
    if (!this.built) this.build([null, ...xs[0].shape.slice(1)])
    this.#hasRun = true
    requireInputs(this, xs)
    const penalties = this.penalties()
    // Indices are checked and cast by the layer that uses them.
    const inputs = xs.map((x, i) => (this.inputPorts[i].indexCount === undefined ? x.cast(this.inputPorts[i].dtype) : x))
    const metrics: Record<string, Tensor> = {}
    const result = collecting({ losses: penalties, metrics }, () =>
      this.callAll(inputs, { ...context, masks: xs.map(() => undefined), penalties }, logits),
    )
    return { ...result, penalties, metrics }
  }

  /**
   * Prints the table of layers, as Keras does.
   *
   * @param options.style '2.3' (default), or '2.2.4' for the older form without the model's name
   * @throws CompileError if the model has no weights yet
   */
  summary(options?: { style?: SummaryStyle; print?: (line: string) => void }): void {
    const settings = readOptions('summary', options, { style: '2.3' as SummaryStyle, print }, { print: requireFunction })
    for (const line of this.summaryLines(settings.style)) settings.print(line)
  }

  /**
   * The lines that `summary` prints.
   *
   * @example
   * ```ts
   * const net = new Sequential([dense(10, { inputShape: [784] })])
   * console.log(net.summaryLines().at(-4))   // Total params: 7,850
   * ```
   */
  summaryLines(style: SummaryStyle = '2.3'): string[] {
    requireChoice('summary', 'style', style, ['2.3', '2.2.4'])
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model is not built, so shapes are not known. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    const count = (weights: readonly Parameter[]): number => weights.reduce((n, w) => n + w.size, 0)
    return summaryLines({
      modelName: this.name,
      layers: this.layerRows(),
      trainable: count(this.trainedWeights()),
      nonTrainable: count(this.weights) - count(this.trainableWeights),
      style,
    })
  }

  protected abstract layerRows(): SummaryRow[]

  /** The weights that the summary counts as trainable. */
  protected trainedWeights(): readonly Parameter[] {
    return this.trainableWeights
  }

  /**
   * The number of all weights.
   *
   * @throws CompileError if the model has no weights yet
   */
  countParams(): number {
    this.requireBuilt()
    return this.weights.reduce((n, w) => n + w.size, 0)
  }

  /** Its text for console.log in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.built
      ? this.summaryLines().join('\n')
      : `${this.name} (not built; layers: ${this.layers.map((layer) => layer.name).join(', ')})`
  }
}

/** How a model is called. */
interface ApplyContext {
  training?: boolean
  key?: Key
  losses?: Tensor[]
  masks?: (Tensor | undefined)[]
}

const areTensors = (inputs: unknown): inputs is Tensor | readonly Tensor[] =>
  inputs instanceof Tensor || (Array.isArray(inputs) && inputs.length > 0 && inputs.every((x) => x instanceof Tensor))
