/** A model: a network that can be trained. Source of its behaviour: Keras 2.3.1, engine/training.py. Most of its lines are documentation of one class. */
import { type Parameter, type StepInfo, Tensor } from '@cotangent/core'
import { CompileError } from '../errors.js'
import type { Optimizer } from '../optimizers/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import type { BatchSource } from '../training/batch-source.js'
import { readArguments } from '../training/checks.js'
import { type CompileOptions, readCompileOptions } from '../training/compile-options.js'
import type { ModelData } from '../training/data.js'
import { evaluate, fit, type History } from '../training/fit.js'
import {
  type EvaluateOptions,
  type FitOptions,
  hasCallbacks,
  type PredictOptions,
  readEvaluateOptions,
  readFitOptions,
} from '../training/fit-options.js'
import { requireNoTraining, requireUnused, using } from '../training/model-use.js'
import type { StepParts, TestBatch, TrainBatch } from '../training/own-steps.js'
import { classesOf, onBatch, predict, predictOne } from '../training/predict.js'
import type { Weighting } from '../training/sample-weights.js'
import { type Compilable, Trainer } from '../training/trainer.js'
import type { WeightValue } from '../weights/values.js'
import { Network } from './network.js'

export type * from './model-types.js'

declare module '../callbacks/callback.js' {
  interface TrainedModel extends Model {}
}

/** A network with Keras' compile, fit, evaluate and predict. `Sequential` and `GraphModel` extend it. */
export abstract class Model extends Network implements Compilable {
  /** A callback sets it to true to end `fit` after the epoch. */
  stopTraining = false
  /** The values of each epoch of the last `fit`. */
  history?: History
  #trainer?: Trainer
  #pending?: ReturnType<typeof readCompileOptions>

  get optimizer(): Optimizer {
    return this.trainer().optimizer
  }

  /**
   * Chooses loss, optimizer and metrics. It reads `trainable` of the layers now, as Keras does: a later change has no effect on training until the next compile.
   * Compiling again starts a new optimizer state. It is needed after layers were added or removed.
   *
   * @throws ValueError for an unknown name or option; then the former choice stays
   * @example
   * ```ts
   * model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
   * console.log(model.optimizer.className)   // RMSprop
   * ```
   */
  compile(options: SpelledOptions<CompileOptions>): void {
    requireNoTraining(this, 'compile')
    const read = readCompileOptions(options, this.trainStep !== undefined)
    const fresh = this.built ? new Trainer(this, read) : undefined
    this.#trainer?.dispose()
    this.#trainer = fresh
    this.#pending = read
  }

  /**
   * How the last step of training ran: recorded, so that the kernels were called without the code of the layers; or as a program, and why.
   *
   * @throws CompileError before compile
   * @example
   * ```ts
   * for (let step = 0; step < 5; step++) await model.trainOnBatch(x, y)
   * console.log(model.stepInfo.recorded) // true
   * ```
   */
  get stepInfo(): StepInfo {
    return this.trainer().stepInfo
  }

  /** @internal */
  trainer(): Trainer {
    if (this.#trainer?.fits === false)
      throw new CompileError(
        `${this.name}: layers were added or taken away since compile. Call compile again; the optimizer then starts anew.`,
      )
    if (this.#trainer) return this.#trainer
    if (!this.#pending) throw new CompileError(`${this.name}: call compile({ optimizer, loss }) before training or evaluating.`)
    if (!this.built)
      throw new CompileError(
        `${this.name}: the model has no weights yet. Give its first layer an inputShape, or call build([null, …]) or fit.`,
      )
    this.#trainer = new Trainer(this, this.#pending)
    return this.#trainer
  }

  /**
   * Trains for a number of epochs.
   *
   * @param x samples along the first axis: host arrays (uploaded batch by batch) or a tensor. For several inputs: a list in their order, or a record by name
   * @param y targets, one for each sample; for several outputs as for inputs
   * @returns losses and metrics of each epoch
   * @throws CompileError before `compile`; ShapeError or ValueError if data or options do not fit, before any weight changes
   * @example
   * ```ts
   * const { history } = await model.fit(x, y, { batchSize: 16, epochs: 5, verbose: 0 })
   * console.log(history.loss.length, history.loss[4] < history.loss[0])   // 5 true
   * ```
   */
  fit(x: ModelData, y: ModelData, options?: SpelledOptions<FitOptions>): Promise<History>
  /**
   * Trains on batches as they come, and holds one at a time.
   *
   * @param batches an iterable or async iterable of [x, y] or [x, y, sampleWeight]. A generator needs `stepsPerEpoch`
   */
  fit(batches: BatchSource, options?: SpelledOptions<FitOptions>): Promise<History>
  /** Trains a model with a `trainStep` of its own, to which y is then x. */
  fit(x: ModelData, options?: SpelledOptions<FitOptions>): Promise<History>
  fit(x: ModelData | BatchSource, second?: ModelData | SpelledOptions<FitOptions>, third?: SpelledOptions<FitOptions>): Promise<History> {
    const { y, options } = readArguments<SpelledOptions<FitOptions>>(this, second, third)
    return using(this, 'fit', true, (use) => fit(this, x, y, readFitOptions(options), use))
  }

  /**
   * Computes loss and metrics of data, without dropout. Returns `[loss, metric…]`; with several outputs `[loss, …loss of each output, …metrics]`. Keras returns a
   * bare number if there are no metrics.
   *
   * @throws CompileError before `compile`; ShapeError or ValueError if data do not fit
   * @example
   * ```ts
   * const [loss, accuracy] = await model.evaluate(x, y)
   * console.log(loss > 0, accuracy <= 1)   // true true
   * ```
   */
  evaluate(x: ModelData, y: ModelData, options: SpelledOptions<EvaluateOptions> & { returnDict: true }): Promise<Record<string, number>>
  evaluate(x: ModelData, y: ModelData, options?: SpelledOptions<EvaluateOptions>): Promise<number[]>
  /** Computes loss and metrics of batches as they come. A generator needs `steps`. */
  evaluate(batches: BatchSource, options: SpelledOptions<EvaluateOptions> & { returnDict: true }): Promise<Record<string, number>>
  evaluate(batches: BatchSource, options?: SpelledOptions<EvaluateOptions>): Promise<number[]>
  evaluate(
    x: ModelData | BatchSource,
    second?: ModelData | SpelledOptions<EvaluateOptions>,
    third?: SpelledOptions<EvaluateOptions>,
  ): Promise<number[] | Record<string, number>> {
    const { y, options } = readArguments<SpelledOptions<EvaluateOptions>>(this, second, third)
    return using(this, 'evaluate', hasCallbacks(options), async (use) => {
      const settings = readEvaluateOptions(options)
      const values = await evaluate(this, x, y, settings, use)
      return settings.returnDict ? values : Object.values(values)
    })
  }

  /**
   * The names of the values that `evaluate` gives, in their order.
   *
   * @throws CompileError before compile
   * @example
   * ```ts
   * console.log(model.metricsNames)   // ['loss', 'accuracy']
   * ```
   */
  get metricsNames(): string[] {
    return this.trainer().names
  }

  /**
   * Define it in a class of your own, and `fit` and `trainOnBatch` call it for each batch in place of their step: callbacks, history and progress stay. It computes
   * gradients, steps optimizers, and returns the numbers to report, as scalars; they are averaged over the epoch. Validation and `evaluate` keep the compiled loss, unless
   * the class has a `testStep`, too; where there are none, `compile` needs no loss. `fit(x)` without targets gives x as y.
   *
   * @example
   * ```ts
   * class Squares extends Sequential {
   *   trainStep({ x, y, key }: TrainBatch) {
   *     const { value, grads } = valueAndGrad(this.trainableWeights, () => this.apply(x, { training: true, key }).sub(y).square().mean())
   *     this.optimizer.step(this.trainableWeights, grads)
   *     return { squares: value }
   *   }
   * }
   * const net = new Squares([dense(1, { inputShape: [2] })])
   * net.compile({ optimizer: 'sgd', loss: 'mse' })
   * const { history } = await net.fit([[1, 2]], [[3]], { verbose: 0 })
   * console.log(Object.keys(history))   // ['squares']
   * ```
   */
  trainStep?(batch: TrainBatch): Readonly<Record<string, Tensor>>

  /**
   * Define it in a class of your own, and `evaluate`, `testOnBatch` and the validation of `fit` call it for each batch in place of their step. It returns the numbers
   * to report, as scalars.
   *
   * @example
   * ```ts
   * class Squares extends Sequential {
   *   testStep({ x, y }: TestBatch) {
   *     return { squares: this.apply(x).sub(y).square().mean() }
   *   }
   * }
   * const net = new Squares([dense(1, { inputShape: [2], kernelInitializer: 'ones' })])
   * net.compile({ optimizer: 'sgd', loss: 'mae' })
   * console.log(await net.evaluate([[1, 2]], [[5]]))   // [4]
   * ```
   */
  testStep?(batch: TestBatch): Readonly<Record<string, Tensor>>

  /**
   * Define it in a class of your own, and `predict` and its relatives call it for each batch. It returns a tensor with a row for each sample, or a list of such.
   *
   * @example
   * ```ts
   * class Doubled extends Sequential {
   *   predictStep({ x }: { x: Tensor }) {
   *     return this.apply(x).mul(2)
   *   }
   * }
   * const net = new Doubled([dense(1, { inputShape: [2], kernelInitializer: 'ones' })])
   * console.log([...(await (await net.predict([[1, 2]])).data())])   // [6]
   * ```
   */
  predictStep?(batch: { readonly x: Tensor; readonly xs: readonly Tensor[] }): Tensor | readonly Tensor[]

  /**
   * The compiled loss of predictions, with what layers add to it, as a scalar: for a `trainStep` of your own. A class that overrides it trains on that loss, without a
   * `trainStep`.
   *
   * @param batch what `trainStep` and `testStep` get
   * @param predictions those of the only output, or of all
   * @param parts the lists that `apply(x, { losses, masks })` filled. To use masks later, return them from the function whose gradient is taken
   * @throws CompileError before `compile`
   * @example
   * ```ts
   * class Plain extends Sequential {
   *   trainStep(batch: TrainBatch) {
   *     const losses: Tensor[] = []
   *     const { value, grads, outputs } = valueAndGrad(this.trainableWeights, () => {
   *       const outputs = this.apply(batch.x, { training: true, key: batch.key, losses })
   *       return { value: this.computeLoss(batch, outputs, { losses }), outputs }
   *     })
   *     this.optimizer.step(this.trainableWeights, grads)
   *     return { loss: value, ...this.computeMetrics(batch, outputs) }
   *   }
   * }
   * const net = new Plain([dense(1, { inputShape: [2] })])
   * net.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] })
   * const { history } = await net.fit([[1, 2]], [[3]], { verbose: 0 })
   * console.log(Object.keys(history))   // ['loss', 'mae']
   * ```
   */
  computeLoss(batch: TestBatch, predictions: Tensor | readonly Tensor[], parts: StepParts = {}): Tensor {
    return this.trainer().loss(batch, listOf(predictions), parts)
  }

  /**
   * Adds a batch to the compiled metrics, which are reported beside what a step returns. It returns no numbers. A class that overrides it may return further scalars to
   * report, as `{ ...super.computeMetrics(…), mine }`.
   *
   * @throws ValueError outside of a step of `fit` or `evaluate`; CompileError before `compile`
   */
  computeMetrics(batch: TestBatch, predictions: Tensor | readonly Tensor[], parts: StepParts = {}): Readonly<Record<string, Tensor>> {
    return this.trainer().addMetrics(batch, listOf(predictions), parts)
  }

  /** @internal Whether a class of the user's has a loss of its own. */
  get ownLoss(): boolean {
    return this.computeLoss !== Model.prototype.computeLoss
  }
  /** @internal Whether a class of the user's has metrics of its own. */
  get ownMetrics(): boolean {
    return this.computeMetrics !== Model.prototype.computeMetrics
  }

  /**
   * Computes the outputs for all samples, in order, as one tensor that you own. Shape: [n, ..in] → [n, ..out]
   *
   * @throws ValueError for a model of several outputs; ShapeError if data do not fit
   * @example
   * ```ts
   * console.log((await model.predict(x)).shape)   // [64, 4]
   * ```
   */
  predict(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
    return using(this, 'predict', hasCallbacks(options), (use) => predictOne(this, 'predict', x, options, use))
  }

  /** Computes the outputs for all samples: one tensor for each output of the model. */
  predictAll(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor[]> {
    return using(this, 'predictAll', hasCallbacks(options), (use) => predict(this, 'predictAll', x, options, use))
  }

  /** Does the same as `predict`. Keras has this name for outputs that are probabilities. */
  predictProba(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
    return using(this, 'predictProba', hasCallbacks(options), (use) => predictOne(this, 'predictProba', x, options, use))
  }

  /**
   * The class of each sample: the position of the largest value. If the output has one value, whether it is above ½.
   *
   * @example
   * ```ts
   * console.log((await model.predictClasses(x)).length)   // 64
   * ```
   */
  async predictClasses(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Int32Array> {
    return classesOf(
      await using(this, 'predictClasses', hasCallbacks(options), (use) => predictOne(this, 'predictClasses', x, options, use)),
    )
  }

  /** Trains one step on one batch. Returns `[loss, metric…]`, computed before the update. */
  async trainOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Weighting>): Promise<number[]> {
    return using(this, 'trainOnBatch', true, () => onBatch(this, 'trainOnBatch', [x, y, weights]))
  }

  /** Computes `[loss, metric…]` of one batch. */
  async testOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Pick<Weighting, 'sampleWeight'>>): Promise<number[]> {
    return using(this, 'testOnBatch', false, () => onBatch(this, 'testOnBatch', [x, y, weights]))
  }

  /**
   * Copies of all weights on the host, in Keras' order.
   *
   * @example
   * ```ts
   * console.log((await model.getWeights()).map(({ shape }) => shape))   // [[8, 4], [4]]
   * ```
   */
  override async getWeights(): Promise<{ name: string; shape: readonly number[]; data: Float32Array | Float64Array }[]> {
    return using(this, 'getWeights', false, () => super.getWeights())
  }

  /**
   * Replaces all weights, in the order of `getWeights`. Nothing changes unless all fit.
   *
   * @throws ShapeError or ValueError if a value does not fit, or `fit` is running
   */
  override setWeights(values: readonly WeightValue[]): void {
    requireUnused(this, 'setWeights')
    super.setWeights(values)
  }

  /** The weights that the compiled training changes, as long as it fits the layers. */
  protected override trainedWeights(): readonly Parameter[] {
    return this.#trainer?.fits ? this.#trainer.parameters : super.trainedWeights()
  }

  /** Frees all weights and the optimizer's state. */
  override dispose(): void {
    super.dispose()
    this.#trainer?.dispose()
  }
}

const listOf = (tensors: Tensor | readonly Tensor[]): readonly Tensor[] => (tensors instanceof Tensor ? [tensors] : tensors)
