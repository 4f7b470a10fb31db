/**
 * A model: layers, weights, and Keras' compile, fit, evaluate, predict. How the layers are connected is the subclass's business.
 */
import {
  addContext,
  type Backend,
  currentBackend,
  type DType,
  foldKey,
  type Key,
  key,
  type Parameter,
  scope,
  sizeOf,
  type Tensor,
  ValueError,
} from '@cotangent/core'
import type { BatchSource } from './batch-source.js'
import { fromValues, hostFloats, newWeight, readArguments, requireInput, requireSample, targetRows } from './checks.js'
import { Compiled, type CompileOptions } from './compiled.js'
import { type Data, identityOrder, type Rows, rowsOf } from './data.js'
import { CompileError } from './errors.js'
import { type EvaluateOptions, evaluate, type FitOptions, fit, type History } from './fit.js'
import { automaticName, type BatchShape, type CallContext, type Layer } from './layer.js'
import { print } from './platform.js'
import { type SummaryStyle, summaryLines } from './summary-text.js'

export interface ModelOptions {
  name?: string
  /** Root of all randomness: weights, dropout, shuffling. Drawn and kept in `model.seed` if left out. */
  seed?: number
  /** float32; float64 on the reference backend. */
  dtype?: DType
  /** Where the weights live; the default backend if left out. */
  backend?: Backend
}

/** Purposes that the root key is folded with. */
const KEYS = { weights: 0, dropout: 1, shuffle: 2 } as const

export abstract class Model {
  readonly name: string
  readonly seed: number
  readonly dtype: DType
  readonly backend: Backend
  /** Set by a callback to end `fit` after the epoch. */
  stopTraining = false
  /** What the last `fit` recorded. */
  history?: History
  abstract readonly layers: readonly Layer[]
  #compiled?: Compiled
  #pending?: CompileOptions
  readonly #root: Key

  constructor(className: string, options: ModelOptions = {}) {
    this.name = options.name ?? automaticName(className)
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
    this.dtype = options.dtype ?? 'float32'
    this.backend = options.backend ?? currentBackend()
    this.#root = key(this.seed)
  }

  /** The layer whose output is the model's. */
  abstract readonly outputLayer: Layer
  /** Makes all weights for a shape of input; a second call does nothing. */
  abstract build(inputShape?: BatchShape): void
  abstract readonly built: boolean
  /** Shape of the output, the batch axis open. */
  abstract outputShapeOf(): BatchShape
  /** Shape of the input, the batch axis open. */
  abstract inputShapeOf(): BatchShape
  /** Runs the layers; with `logits`, stops before the final activation. Collects activity penalties. */
  protected abstract forward(
    x: Tensor,
    context: { training: boolean; key?: Key },
    logits: boolean,
    penalties: Tensor[],
  ): { output: Tensor; mask?: Tensor }

  /** Parameters that training changes. */
  get trainableWeights(): Parameter[] {
    return this.layers.flatMap((layer) => layer.trainableWeights)
  }
  /** The same, under the name that training loops use. */
  get params(): Parameter[] {
    return this.trainableWeights
  }
  /** All parameters, layer by layer. */
  get weights(): Parameter[] {
    return this.layers.flatMap((layer) => layer.weights)
  }
  get finalActivation(): 'softmax' | 'sigmoid' | undefined {
    return this.outputLayer.finalActivation
  }
  get optimizer(): Compiled['optimizer'] {
    return this.compiled().optimizer
  }
  /** @internal The key for a purpose. */
  keyFor(purpose: keyof typeof KEYS): Key {
    return foldKey(this.#root, KEYS[purpose])
  }

  /**
   * The model as a function of a tensor.
   *
   * @param context.training whether dropout drops; then `key` is needed
   * @throws ShapeError that names the layer, e.g. for a missing batch axis
   */
  apply(x: Tensor, context: { training?: boolean; key?: Key } = {}): Tensor {
    return scope(() => this.run(x, { training: context.training ?? false, key: context.key }, false).output)
  }

  /** @internal Output (or logits), its mask, and all penalties: on weights, and on activities. */
  run(x: Tensor, context: { training: boolean; key?: Key }, logits: boolean): { output: Tensor; mask?: Tensor; penalties: Tensor[] } {
    if (!this.built) this.build([null, ...x.shape.slice(1)])
    requireInput(this, x)
    const penalties = this.layers.flatMap((layer) => layer.penalties())
    return { ...this.forward(x.cast(this.dtype), context, logits, penalties), penalties }
  }

  /** @internal */
  applyFinalActivation(logits: Tensor): Tensor {
    return this.finalActivation === 'softmax' ? logits.softmax() : logits.sigmoid()
  }

  /** Runs one layer, with its mask, and names it in any error. */
  protected callLayer(
    layer: Layer,
    index: number,
    x: Tensor,
    context: CallContext,
    logits = false,
  ): { output: Tensor; mask: Tensor | undefined } {
    const inner: CallContext = { ...context, key: context.key && foldKey(context.key, index) }
    try {
      return { mask: layer.outputMask(x, inner.mask), output: logits ? layer.logits(x, inner) : layer.call(x, inner) }
    } catch (error) {
      throw addContext(error, `in ${layer.describe()}`)
    }
  }

  /**
   * Chooses loss, optimizer and metrics. Reads `trainable` of the layers now. A second call starts a new optimizer state.
   *
   * @example
   * ```ts
   * model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
   * ```
   */
  compile(options: CompileOptions): void {
    this.#compiled?.optimizer.dispose()
    this.#compiled = undefined
    this.#pending = options
    if (this.built) this.compiled()
  }

  /** @internal */
  compiled(): Compiled {
    if (this.#compiled) return this.#compiled
    if (!this.#pending) throw new CompileError(`${this.name}: call compile({ optimizer, loss }) before training or evaluating.`)
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model has no weights yet. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    this.#compiled = new Compiled(this, this.#pending, this.outputShapeOf())
    return this.#compiled
  }

  /**
   * Trains for a number of epochs.
   *
   * @param x samples along the first axis: host arrays (uploaded batch by batch) or a tensor
   * @param y targets, one for each sample
   * @returns losses and metrics by epoch
   */
  fit(x: Data, y: Data, options?: FitOptions): Promise<History>
  /**
   * Trains on batches as they come, of which one at a time is held.
   *
   * @param batches anything that can be iterated, `await`ed or not, and gives [x, y] or [x, y, sampleWeight]; a generator needs `stepsPerEpoch`
   */
  fit(batches: BatchSource, options?: FitOptions): Promise<History>
  fit(x: Data | BatchSource, second?: Data | FitOptions, third?: FitOptions): Promise<History> {
    const { y, options } = readArguments<FitOptions>(second, third)
    return fit(this, x, y, options)
  }

  /** Loss and metrics of data, nothing dropped: `[loss, metric…]`. */
  evaluate(x: Data, y: Data, options?: EvaluateOptions): Promise<number[]>
  /** The same of batches as they come; a generator needs `steps`. */
  evaluate(batches: BatchSource, options?: EvaluateOptions): Promise<number[]>
  evaluate(x: Data | BatchSource, second?: Data | EvaluateOptions, third?: EvaluateOptions): Promise<number[]> {
    const { y, options } = readArguments<EvaluateOptions>(second, third)
    return evaluate(this, x, y, options)
  }

  /** @internal Rows of x, with the model built for them. */
  inputRows(what: string, x: Data): Rows {
    const rows = rowsOf(what, x, this.backend)
    if (!this.built) this.build([null, ...rows.sampleShape])
    requireSample(this, what, rows.sampleShape)
    return rows
  }

  /** The outputs for all samples, in order, as one tensor that you own. Shape: [n, ..in] → [n, ..out] */
  async predict(x: Data, options: { batchSize?: number } = {}): Promise<Tensor> {
    const { batchSize = 32 } = options
    const rows = this.inputRows('predict', x)
    const order = identityOrder(rows.count)
    let shape = [
      rows.count,
      ...this.outputShapeOf()
        .slice(1)
        .map((n) => n ?? 0),
    ]
    let values = hostFloats(this.dtype, sizeOf(shape))
    for (let begin = 0; begin < rows.count; begin += batchSize) {
      const end = Math.min(rows.count, begin + batchSize)
      const output = scope(() => this.run(rows.take(order, begin, end, this.dtype), { training: false }, false).output.keep())
      if (begin === 0) {
        // Sizes that the model leaves open are those of the data.
        shape = [rows.count, ...output.shape.slice(1)]
        values = hostFloats(this.dtype, sizeOf(shape))
      }
      values.set(await output.data(), begin * sizeOf(shape.slice(1)))
      output.dispose()
    }
    return scope(() => fromValues(values, shape, this.dtype, this.backend))
  }

  /** The same as `predict`; Keras' name for it where outputs are probabilities. */
  predictProba(x: Data, options?: { batchSize?: number }): Promise<Tensor> {
    return this.predict(x, options)
  }

  /** The class of each sample: the position of the largest output, or for one output whether it is above 1/2. */
  async predictClasses(x: Data, options?: { batchSize?: number }): Promise<Int32Array> {
    const outputs = await this.predict(x, options)
    const classes = scope(() => (outputs.shape.at(-1) === 1 ? outputs.greater(0.5).cast('int32') : outputs.argMax()).keep())
    const values = (await classes.data()) as Int32Array
    outputs.dispose()
    classes.dispose()
    return values
  }

  /** One step of training on one batch; gives `[loss, metric…]` before the step. */
  async trainOnBatch(x: Data, y: Data): Promise<number[]> {
    return this.#onBatch('trainOnBatch', x, y, (compiled, xs, ys, totals) => compiled.trainStep(xs, ys, this.keyFor('dropout'), totals))
  }

  /** `[loss, metric…]` of one batch. */
  async testOnBatch(x: Data, y: Data): Promise<number[]> {
    return this.#onBatch('testOnBatch', x, y, (compiled, xs, ys, totals) => compiled.testStep(xs, ys, totals))
  }

  async #onBatch(
    what: string,
    x: Data,
    y: Data,
    step: (compiled: Compiled, x: Tensor, y: Tensor, totals: ReturnType<Compiled['newTotals']>) => void,
  ): Promise<number[]> {
    const xs = this.inputRows(what, x)
    const compiled = this.compiled()
    const ys = targetRows(this, `${what}: y`, y, xs.count)
    const totals = compiled.newTotals()
    try {
      scope(() => {
        const order = identityOrder(xs.count)
        step(compiled, xs.take(order, 0, xs.count, this.dtype), ys.take(order, 0, xs.count, this.dtype), totals)
      })
      const logs = await compiled.read(totals)
      return compiled.names.map((name) => logs[name])
    } finally {
      compiled.release(totals)
    }
  }

  /** Copies of all weights on the host, in Keras' order. */
  async getWeights(): Promise<{ name: string; shape: readonly number[]; data: Float32Array | Float64Array }[]> {
    return Promise.all(
      this.weights.map(async (w) => ({ name: w.name, shape: w.shape, data: (await w.data()) as Float32Array | Float64Array })),
    )
  }

  /** Replaces all weights, in the order of `getWeights`; nothing changes unless all fit. */
  setWeights(values: readonly Data[]): void {
    const { weights } = this
    if (values.length !== weights.length) throw new ValueError(`setWeights: the model has ${weights.length} weights, got ${values.length}.`)
    scope(() => {
      const fresh = values.map((value, i) => newWeight(`setWeights: value ${i} ("${weights[i].name}")`, value, weights[i]))
      weights.forEach((weight, i) => {
        weight.assign(fresh[i])
      })
    })
  }

  /**
   * Prints the table of layers, as Keras does.
   *
   * @param options.style '2.3' (default), or '2.2.4' for the older form without the model's name
   */
  summary(options: { style?: SummaryStyle; print?: (line: string) => void } = {}): void {
    for (const line of this.summaryLines(options.style)) (options.print ?? print)(line)
  }

  /** The lines of `summary`. */
  summaryLines(style: SummaryStyle = '2.3'): string[] {
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model is not built, so shapes are not known. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    const count = (weights: readonly Parameter[]): number => weights.reduce((n, w) => n + w.size, 0)
    const trainable = this.#compiled ? count(this.#compiled.parameters) : count(this.trainableWeights)
    return summaryLines({
      modelName: this.name,
      layers: this.layerRows(),
      trainable,
      nonTrainable: count(this.weights) - count(this.trainableWeights),
      style,
    })
  }

  protected abstract layerRows(): { name: string; className: string; outputShape: BatchShape; params: number }[]

  /** Total number of weights. */
  countParams(): number {
    return this.weights.reduce((n, w) => n + w.size, 0)
  }

  /** Forgets what stateful layers keep from batch to batch. */
  resetStates(): void {
    for (const layer of this.layers) layer.resetStates()
  }

  /** Frees all weights and the optimizer's state. */
  dispose(): void {
    for (const layer of this.layers) layer.dispose()
    this.#compiled?.optimizer.dispose()
  }

  /** What console.log shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.built
      ? this.summaryLines().join('\n')
      : `${this.name} (not built; layers: ${this.layers.map((layer) => layer.name).join(', ')})`
  }
}
