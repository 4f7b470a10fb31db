/** A model: a network that can be trained, with Keras' compile, fit, evaluate and predict. */
import type { Parameter, Tensor } from '@cotangent/core'
import { CompileError } from '../errors.js'
import type { Optimizer } from '../optimizers/index.js'
import type { SpelledOptions } from '../spelling/names.js'
import type { BatchSource } from '../training/batch-source.js'
import { readArguments } from '../training/checks.js'
import { type CompileOptions, readCompileOptions } from '../training/compile-options.js'
import type { ModelData } from '../training/data.js'
import { evaluate, fit, type History } from '../training/fit.js'
import { type EvaluateOptions, type FitOptions, type PredictOptions, readEvaluateOptions, readFitOptions } from '../training/fit-options.js'
import { requireNoTraining, requireUnused, using } from '../training/model-use.js'
import { classesOf, onBatch, predict, predictOne } from '../training/predict.js'
import type { Weighting } from '../training/sample-weights.js'
import { type Compilable, Trainer } from '../training/trainer.js'
import type { WeightValue } from '../weights/values.js'
import { Network } from './network.js'

export type * from './model-types.js'

declare module '../callbacks/callback.js' {
  interface TrainedModel extends Model {}
}

export abstract class Model extends Network implements Compilable {
  /** Set by a callback to end `fit` after the epoch. */
  stopTraining = false
  /** What the last `fit` recorded. */
  history?: History
  #trainer?: Trainer
  #pending?: ReturnType<typeof readCompileOptions>

  get optimizer(): Optimizer {
    return this.trainer().optimizer
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
    const fresh = this.built ? new Trainer(this, read) : undefined
    this.#trainer?.optimizer.dispose()
    this.#trainer = fresh
    this.#pending = read
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
    return using(this, 'predict', false, () => predictOne(this, 'predict', x, options))
  }

  /** The same for models of several outputs: one tensor an output. */
  predictAll(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor[]> {
    return using(this, 'predictAll', false, () => predict(this, 'predictAll', x, options))
  }

  /** The same as `predict`; Keras' name for it where outputs are probabilities. */
  predictProba(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Tensor> {
    return using(this, 'predictProba', false, () => predictOne(this, 'predictProba', x, options))
  }

  /** The class of each sample: the position of the largest output, or for one output whether it is above 1/2. */
  async predictClasses(x: ModelData, options?: SpelledOptions<PredictOptions>): Promise<Int32Array> {
    return classesOf(await using(this, 'predictClasses', false, () => predictOne(this, 'predictClasses', x, options)))
  }

  /** One step of training on one batch; gives `[loss, metric…]` before the step. */
  async trainOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Weighting>): Promise<number[]> {
    return using(this, 'trainOnBatch', true, () => onBatch(this, 'trainOnBatch', [x, y, weights]))
  }

  /** `[loss, metric…]` of one batch. */
  async testOnBatch(x: ModelData, y: ModelData, weights?: SpelledOptions<Pick<Weighting, 'sampleWeight'>>): Promise<number[]> {
    return using(this, 'testOnBatch', false, () => onBatch(this, 'testOnBatch', [x, y, weights]))
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

  /** As long as what was compiled fits, the weights that it trains. */
  protected override trainedWeights(): readonly Parameter[] {
    return this.#trainer?.fits ? this.#trainer.parameters : super.trainedWeights()
  }

  /** Frees all weights and the optimizer's state. */
  override dispose(): void {
    super.dispose()
    this.#trainer?.optimizer.dispose()
  }
}
