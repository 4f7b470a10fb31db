/**
 * What `compile` makes of a loss, an optimizer and metrics: one training step and one test step on tensors. No data handling, no
 * epochs, no printing.
 */
import { foldKey, type Key, type Parameter, ShapeError, scope, type Tensor, valueAndGrad } from '@cotangent/core'
import type { BatchShape } from './layer.js'
import { getLoss, type Loss, type LossIdentifier } from './losses.js'
import { getMetric, type Metric, type MetricIdentifier, type MetricState } from './metrics.js'
import type { Model } from './model.js'
import { getOptimizer, type Optimizer, type OptimizerIdentifier } from './optimizers/index.js'

export interface CompileOptions {
  /** A name (that class's defaults) or an object. */
  optimizer: OptimizerIdentifier
  /** A name, an object, or a function (yTrue, yPred) → one value a sample. */
  loss: LossIdentifier
  /** Reported beside the loss; `'accuracy'` becomes the kind that fits loss and output. */
  metrics?: readonly MetricIdentifier[]
}

/** Running sums of an epoch, on the device. */
export interface Totals {
  samples: number
  loss: Tensor | undefined
  metrics: MetricState[]
}

export class Compiled {
  readonly optimizer: Optimizer
  readonly loss: Loss
  readonly metrics: readonly Metric[]
  /** The parameters that training changes, as of now: flipping `trainable` later has no effect until the next compile. */
  readonly parameters: readonly Parameter[]
  readonly #model: Model
  readonly #useLogits: boolean

  constructor(model: Model, options: CompileOptions, outputShape: BatchShape) {
    this.#model = model
    this.optimizer = getOptimizer(options.optimizer)
    this.loss = getLoss(options.loss)
    this.metrics = (options.metrics ?? []).map((metric) => getMetric(metric, this.loss, outputShape))
    this.parameters = model.trainableWeights
    this.#useLogits = this.loss.fromLogits !== undefined && this.loss.fromLogits.activation === model.finalActivation
  }

  /** Names in the order of values: loss, then metrics. */
  get names(): string[] {
    return ['loss', ...this.metrics.map((metric) => metric.name)]
  }

  newTotals(): Totals {
    return { samples: 0, loss: undefined, metrics: this.metrics.map((metric) => metric.start()) }
  }

  /** One step of training: the loss of the batch before the update goes to the totals. `weights` [n] are factors of the samples' losses. */
  trainStep(x: Tensor, y: Tensor, key: Key, totals: Totals, weights?: Tensor): void {
    scope(() => {
      let prediction: Tensor | undefined
      let mask: Tensor | undefined
      try {
        const { value, grads } = valueAndGrad(this.parameters, () => {
          const forward = this.#forward(x, y, weights, { training: true, key: foldKey(key, this.optimizer.iterations) })
          prediction = forward.prediction.keep()
          mask = forward.mask?.keep()
          return forward.objective
        })
        this.optimizer.step(this.parameters, grads)
        this.#collect(value, y, prediction as Tensor, mask, totals)
      } finally {
        prediction?.dispose()
        mask?.dispose()
      }
    })
  }

  /** Loss and metrics of a batch, nothing dropped, nothing changed. */
  testStep(x: Tensor, y: Tensor, totals: Totals, weights?: Tensor): void {
    scope(() => {
      const { objective, prediction, mask } = this.#forward(x, y, weights, { training: false })
      this.#collect(objective, y, prediction, mask, totals)
    })
  }

  /**
   * The mean loss of the batch plus all penalties, and what the model predicted. As in Keras 2.3, masked steps and weights are factors of the
   * single losses, and the mean is over all of them.
   */
  #forward(
    x: Tensor,
    y: Tensor,
    weights: Tensor | undefined,
    context: { training: boolean; key?: Key },
  ): { objective: Tensor; prediction: Tensor; mask?: Tensor } {
    const { loss } = this
    const { output, mask, penalties } = this.#model.run(x, context, this.#useLogits)
    requireTarget(loss, y)
    const perSample = this.#useLogits && loss.fromLogits ? loss.fromLogits.call(y, output, mask) : loss.call(y, output, mask)
    const weighted = weights ? perSample.mul(weights.cast(perSample.dtype)) : perSample
    const objective = penalties.reduce((sum, penalty) => sum.add(penalty), weighted.mean())
    return { objective, prediction: this.#useLogits ? this.#model.applyFinalActivation(output) : output, mask }
  }

  #collect(objective: Tensor, y: Tensor, prediction: Tensor, mask: Tensor | undefined, totals: Totals): void {
    const samples = y.shape[0]
    const weighted = objective.mul(samples)
    const sum = (totals.loss ? totals.loss.add(weighted) : weighted).keep()
    totals.loss?.dispose()
    totals.loss = sum
    totals.samples += samples
    for (const state of totals.metrics) state.update(y, prediction, mask)
  }

  /** The values so far, by name: loss and metrics. */
  async read(totals: Totals): Promise<Record<string, number>> {
    const logs: Record<string, number> = { loss: totals.loss ? (await totals.loss.item()) / totals.samples : Number.NaN }
    for (let i = 0; i < this.metrics.length; i++) logs[this.metrics[i].name] = await totals.metrics[i].result()
    return logs
  }

  /** Frees running sums. */
  release(totals: Totals): void {
    totals.loss?.dispose()
    totals.loss = undefined
    for (const state of totals.metrics) state.dispose()
  }
}

/** Keras' check: with one output there is nothing to choose between. The other shapes are the losses' own business. */
function requireTarget(loss: Loss, y: Tensor): void {
  if (loss.name !== 'categoricalCrossentropy' || y.shape.at(-1) !== 1 || y.rank === 1) return
  throw new ShapeError(
    `${loss.name}: the targets [${y.shape.join(', ')}] have one column, but this loss takes one-hot rows. Convert class numbers with ` +
      "toCategorical or use 'sparseCategoricalCrossentropy'; for yes/no targets use 'binaryCrossentropy'.",
  )
}
