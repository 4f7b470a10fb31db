/**
 * A model: layers, weights, and Keras' compile, fit, evaluate, predict. How the layers are connected is the subclass's business.
 *
 * A model is a layer, too: in a graph, in a Sequential, or inside a wrapper.
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
import { type BatchShape, type BuildContext, type CallContext, Layer, trainableFirst } from '../layer.js'
import { print } from '../platform.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import type { BatchSource } from '../training/batch-source.js'
import { readArguments, requireInputs } from '../training/checks.js'
import { readCompileOptions } from '../training/compile-options.js'
import type { ModelData } from '../training/data.js'
import { evaluate, fit, type History } from '../training/fit.js'
import { type EvaluateOptions, type FitOptions, type PredictOptions, readEvaluateOptions, readFitOptions } from '../training/fit-options.js'
import { requireNoTraining, requireUnused, using } from '../training/model-use.js'
import { classesOf, onBatch, predict, predictOne } from '../training/predict.js'
import type { Weighting } from '../training/sample-weights.js'
import { Compiled, type CompileOptions } from '../training/trainer.js'
import type { WeightValue } from '../weights/values.js'
import type { InputPort, ModelOptions, Port } from './model-types.js'
import { type SummaryRow, type SummaryStyle, summaryLines } from './summary-text.js'

export type * from './model-types.js'

/** Purposes that the root key is folded with. */
const KEYS = { weights: 0, dropout: 1, shuffle: 2 } as const

export abstract class Model extends Layer {
  override readonly supportsMasking = true
  readonly seed: number
  readonly dtype: DType
  readonly backend: Backend
  /** Set by a callback to end `fit` after the epoch. */
  stopTraining = false
  /** What the last `fit` recorded. */
  history?: History
  abstract readonly layers: readonly Layer[]
  #compiled?: Compiled
  #pending?: ReturnType<typeof readCompileOptions>
  readonly #root: Key
  /** Whether the seed was drawn here: then weights made inside another model come from that model's. */
  readonly #ownSeed: boolean

  /** @param own names of options beside those of all models */
  constructor(className: string, options: ModelOptions = {}, own: readonly string[] = []) {
    super(className, options, ['seed', 'dtype', 'backend', ...own])
    this.#ownSeed = options.seed === undefined
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
    this.dtype = options.dtype ?? 'float32'
    this.backend = options.backend ?? currentBackend()
    this.#root = key(this.seed)
  }

  /** Makes all weights for a shape of input; a second call does nothing. */
  abstract override build(inputShape?: BatchShape, context?: BuildContext): void
  abstract override get built(): boolean
  /** What it takes, in order. */
  abstract readonly inputPorts: readonly InputPort[]
  /** What it gives, in order. */
  abstract readonly outputPorts: readonly Port[]

  /** The symbolic tensors that data are fed to. */
  abstract readonly inputs: readonly SymbolicTensor[]
  /** The symbolic tensors that it computes. */
  abstract readonly outputs: readonly SymbolicTensor[]
  /** What a model of one output computes, as a symbolic tensor: to go on from, or to end another model at. */
  override get output(): SymbolicTensor {
    if (this.outputs.length === 1) return this.outputs[0]
    throw new ValueError(`${this.name}: has ${this.outputs.length} outputs, so it has no one output. Take them of outputs.`)
  }

  /** Shape of the first output, the batch axis open. */
  outputShapeOf(): BatchShape {
    return this.outputPorts[0]?.shape ?? []
  }
  /** Shape of the first input, the batch axis open. */
  inputShapeOf(): BatchShape {
    return this.inputPorts[0].shape
  }

  override get inner(): readonly Layer[] {
    return this.layers
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
   * Parameters that training changes.
   *
   * @throws CompileError for a model that is not built: a loop of one's own would train nothing.
   */
  override get trainableWeights(): Parameter[] {
    return [...new Set(super.trainableWeights)]
  }
  /** The same, under the name that training loops use. */
  get params(): Parameter[] {
    return this.trainableWeights
  }
  /** All parameters, layer by layer. */
  override get weights(): Parameter[] {
    return [...new Set(this.layers.flatMap((layer) => trainableFirst(layer.weights)))]
  }
  get optimizer(): Compiled['optimizer'] {
    return this.compiled().optimizer
  }
  /** The layer of a name. */
  getLayer(name: string): Layer {
    const layer = this.layers.find((candidate) => candidate.name === name)
    if (layer) return layer
    const names = `Layers: ${this.layers.map((l) => l.name).join(', ')}.`
    if (typeof name === 'string') throw new ValueError(`${this.name}.getLayer: there is no layer "${name}". ${names}`)
    throw new ValueError(
      `${this.name}.getLayer: expected the name of a layer, got ${describeValue(name)}. By its place it is model.layers[0]. ${names}`,
    )
  }
  /** @internal The key for a purpose. */
  keyFor(purpose: keyof typeof KEYS): Key {
    return foldKey(this.#root, KEYS[purpose])
  }
  /** What its layers make their weights with, by themselves or inside another model. */
  protected buildContext(outer?: BuildContext): BuildContext {
    const { dtype, backend } = this
    if (outer && (outer.dtype !== dtype || outer.backend !== backend)) {
      const show = (kind: DType, { name }: Backend): string => `${kind} on ${name}`
      throw new ValueError(
        `${this.describe()}: has weights in ${show(dtype, backend)}, the model around it in ${show(outer.dtype, outer.backend)}.`,
      )
    }
    return { key: outer && this.#ownSeed ? outer.key : this.keyFor('weights'), dtype, backend }
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return this.outputShapes([inputShape])[0]
  }
  override call(x: Tensor, { mask, ...context }: CallContext): Tensor {
    return this.callAll([x], { ...context, masks: [mask] }).outputs[0]
  }

  /**
   * The model as a function of tensors; or of symbolic tensors, as a layer of a graph.
   *
   * @param context.training whether dropout drops; then `key` is needed
   * @throws ShapeError that names the layer, e.g. for a missing batch axis
   */
  override apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor
  override apply(inputs: Tensor | readonly Tensor[], context?: { training?: boolean; key?: Key }): Tensor
  override apply(
    inputs: Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[],
    context?: { training?: boolean; key?: Key },
  ): Tensor | SymbolicTensor {
    if (!areTensors(inputs)) return super.apply(inputs as SymbolicTensor)
    if (this.outputCount !== 1)
      throw new ValueError(`${this.name}: has ${this.outputCount} outputs. Take them all: const [y, …] = model.applyAll(x).`)
    return this.applyAll(inputs, context)[0]
  }

  /** The same for models of several outputs. */
  override applyAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor[]
  override applyAll(inputs: Tensor | readonly Tensor[], context?: { training?: boolean; key?: Key }): Tensor[]
  override applyAll(
    inputs: Tensor | SymbolicTensor | readonly (Tensor | SymbolicTensor)[],
    { training = false, key }: { training?: boolean; key?: Key } = {},
  ): Tensor[] | SymbolicTensor[] {
    if (!areTensors(inputs)) return super.applyAll(inputs as SymbolicTensor)
    return scope(() => this.run(inputs instanceof Tensor ? [inputs] : inputs, { training, key }, []).outputs)
  }

  /** @internal Outputs (or logits), their masks, and all penalties: on weights, and on activities. */
  run(
    xs: readonly Tensor[],
    context: { training: boolean; key?: Key },
    logits: readonly boolean[],
  ): { outputs: Tensor[]; masks: (Tensor | undefined)[]; penalties: Tensor[] } {
    if (!this.built) this.build([null, ...xs[0].shape.slice(1)])
    requireInputs(this, xs)
    const penalties = this.penalties()
    // Indices are cast where they are used, and looked at there.
    const inputs = xs.map((x, i) => (this.inputPorts[i].indexCount === undefined ? x.cast(this.inputPorts[i].dtype) : x))
    return { ...this.callAll(inputs, { ...context, masks: xs.map(() => undefined), penalties }, logits), penalties }
  }

  /**
   * Chooses loss, optimizer and metrics. Reads `trainable` of the layers now, as Keras does: changed later, it has no effect on training until the next
   * compile. A second call starts a new optimizer state; it is needed after layers were added or taken away.
   *
   * @throws ValueError for what there is not; then what was compiled before stays.
   * @example
   * ```ts
   * model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
   * ```
   */
  compile(options: SpelledOptions<CompileOptions>): void {
    requireNoTraining(this, 'compile')
    const read = readCompileOptions(options)
    const fresh = this.built ? new Compiled(this, read) : undefined
    this.#compiled?.optimizer.dispose()
    this.#compiled = fresh
    this.#pending = read
  }

  /** @internal */
  compiled(): Compiled {
    if (this.#compiled?.fits === false)
      throw new CompileError(
        `${this.name}: layers were added or taken away since compile. Call compile again; the optimizer then starts anew.`,
      )
    if (this.#compiled) return this.#compiled
    if (!this.#pending) throw new CompileError(`${this.name}: call compile({ optimizer, loss }) before training or evaluating.`)
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model has no weights yet. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    this.#compiled = new Compiled(this, this.#pending)
    return this.#compiled
  }

  /**
   * Trains for a number of epochs.
   *
   * @param x samples along the first axis: host arrays (uploaded batch by batch) or a tensor; of several inputs a list in their order, or a record by name
   * @param y targets, one for each sample; of several outputs likewise
   * @returns losses and metrics by epoch
   */
  fit(x: ModelData, y: ModelData, options?: SpelledOptions<FitOptions>): Promise<History>
  /**
   * Trains on batches as they come, of which one at a time is held.
   *
   * @param batches anything that can be iterated, `await`ed or not, and gives [x, y] or [x, y, sampleWeight]; a generator needs `stepsPerEpoch`
   */
  fit(batches: BatchSource, options?: SpelledOptions<FitOptions>): Promise<History>
  fit(x: ModelData | BatchSource, second?: ModelData | SpelledOptions<FitOptions>, third?: SpelledOptions<FitOptions>): Promise<History> {
    const { y, options } = readArguments<SpelledOptions<FitOptions>>(this, second, third)
    return using(this, 'fit', true, (use) => fit(this, x, y, readFitOptions(options), use))
  }

  /** Loss and metrics of data, nothing dropped: `[loss, metric…]`, with several outputs `[loss, …losses of the outputs, …metrics]`. */
  evaluate(x: ModelData, y: ModelData, options?: SpelledOptions<EvaluateOptions>): Promise<number[]>
  /** The same of batches as they come; a generator needs `steps`. */
  evaluate(batches: BatchSource, options?: SpelledOptions<EvaluateOptions>): Promise<number[]>
  evaluate(
    x: ModelData | BatchSource,
    second?: ModelData | SpelledOptions<EvaluateOptions>,
    third?: SpelledOptions<EvaluateOptions>,
  ): Promise<number[]> {
    const { y, options } = readArguments<SpelledOptions<EvaluateOptions>>(this, second, third)
    return using(this, 'evaluate', false, (use) => evaluate(this, x, y, readEvaluateOptions(options), use))
  }

  /** The outputs for all samples, in order, as one tensor that you own. Shape: [n, ..in] → [n, ..out] */
  predict(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
    return predictOne(this, 'predict', x, options)
  }

  /** The same for models of several outputs: one tensor an output. */
  predictAll(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor[]> {
    return predict(this, 'predictAll', x, options)
  }

  /** The same as `predict`; Keras' name for it where outputs are probabilities. */
  predictProba(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
    return predictOne(this, 'predictProba', x, options)
  }

  /** The class of each sample: the position of the largest output, or for one output whether it is above 1/2. */
  async predictClasses(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Int32Array> {
    return classesOf(await predictOne(this, 'predictClasses', x, options))
  }

  /** One step of training on one batch; gives `[loss, metric…]` before the step. */
  async trainOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Weighting>): Promise<number[]> {
    return onBatch(this, 'trainOnBatch', [x, y, weights], (compiled, xs, ys, totals, factors) =>
      compiled.trainStep(xs, ys, this.keyFor('dropout'), totals, factors),
    )
  }

  /** `[loss, metric…]` of one batch. */
  async testOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Pick<Weighting, 'sampleWeight'>>): Promise<number[]> {
    return onBatch(this, 'testOnBatch', [x, y, weights], (compiled, xs, ys, totals, factors) => compiled.testStep(xs, ys, totals, factors))
  }

  /** Copies of all weights on the host, in Keras' order. */
  override async getWeights(): Promise<{ name: string; shape: readonly number[]; data: Float32Array | Float64Array }[]> {
    return using(this, 'getWeights', false, () => super.getWeights())
  }

  /** Replaces all weights, in the order of `getWeights`; nothing changes unless all fit. */
  override setWeights(values: readonly WeightValue[]): void {
    requireUnused(this, 'setWeights')
    super.setWeights(values)
  }

  /**
   * Prints the table of layers, as Keras does.
   *
   * @param options.style '2.3' (default), or '2.2.4' for the older form without the model's name
   */
  summary(options?: { style?: SummaryStyle; print?: (line: string) => void }): void {
    const settings = readOptions('summary', options, { style: '2.3' as SummaryStyle, print }, { print: requireFunction })
    for (const line of this.summaryLines(settings.style)) settings.print(line)
  }

  /** The lines of `summary`. */
  summaryLines(style: SummaryStyle = '2.3'): string[] {
    requireChoice('summary', 'style', style, ['2.3', '2.2.4'])
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model is not built, so shapes are not known. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    const count = (weights: readonly Parameter[]): number => weights.reduce((n, w) => n + w.size, 0)
    const trainable = this.#compiled?.fits ? count(this.#compiled.parameters) : count(this.trainableWeights)
    return summaryLines({
      modelName: this.name,
      layers: this.layerRows(),
      trainable,
      nonTrainable: count(this.weights) - count(this.trainableWeights),
      style,
    })
  }

  protected abstract layerRows(): SummaryRow[]

  /** Total number of weights. */
  countParams(): number {
    this.requireBuilt()
    return this.weights.reduce((n, w) => n + w.size, 0)
  }

  /** Frees all weights and the optimizer's state. */
  override dispose(): void {
    super.dispose()
    this.#compiled?.optimizer.dispose()
  }

  /** What console.log shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.built
      ? this.summaryLines().join('\n')
      : `${this.name} (not built; layers: ${this.layers.map((layer) => layer.name).join(', ')})`
  }
}

const areTensors = (inputs: unknown): inputs is Tensor | readonly Tensor[] =>
  inputs instanceof Tensor || (Array.isArray(inputs) && inputs.length > 0 && inputs.every((x) => x instanceof Tensor))
