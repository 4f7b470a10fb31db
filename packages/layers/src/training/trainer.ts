/**
 * The trainer: `compile` makes it of losses, an optimizer and metrics. It does one training step or one test step on tensors; data, epochs and printing
 * are the business of others. It has over 300 lines because a step, its loss, its metrics and its sums share private state.
 */
import {
  eachStep,
  foldKey,
  type Key,
  labelled,
  type Parameter,
  type Shape,
  type StepInfo,
  scope,
  type Tensor,
  ValueError,
  valueAndGrad,
  zeros,
} from '@cotangent/core'
import { activateLogits } from '../call-layer.js'
import type { GradientWatcher, History } from '../callbacks/callback.js'
import { CompileError } from '../errors.js'
import { stackChanges } from '../inside.js'
import type { Optimizer } from '../optimizers/index.js'
import { warn } from '../platform.js'
import { type CompiledOutput, type CompileOptions, readOutputs } from './compile-options.js'
import { meanLoss } from './mean-loss.js'
import {
  batchOf,
  type Factors,
  oneOrAll,
  requireScalar,
  requireScalars,
  type StepParts,
  type TestBatch,
  type WithStep,
} from './own-steps.js'
import { RecordedSteps, type StepBatch, unknownMetric, userCodeIn } from './recorded-step.js'
import { addScalars, plus, type Totals } from './totals.js'
import { layersIn, type Part, type Trainable } from './trainable.js'

interface Forward {
  /** The objective: what training makes small. */
  value: Tensor
  /** Where there are several outputs the mean loss of each, before its weight. */
  losses: Tensor[]
  predictions: Tensor[]
  masks: (Tensor | undefined)[]
  /** The reports of layers. */
  added: Readonly<Record<string, Tensor>>
}

/** A model that is compiled, or will be once it has its weights. */
export interface Compilable extends Trainable, WithStep {
  /** Set by a callback to end `fit` after the epoch. */
  stopTraining: boolean
  /** The record of the last `fit`. */
  history?: History
  /** The trainer that `compile` made. @throws CompileError before compile, and while there are no weights */
  trainer(): Trainer
}

export class Trainer {
  readonly optimizer: Optimizer
  /** Those that have a loss. */
  readonly outputs: readonly CompiledOutput[]
  /** The parameters that training changes, as of now: flipping `trainable` later has no effect until the next compile. */
  readonly parameters: readonly Parameter[]
  readonly #model: Trainable
  /** All layers, those inside others too, as they were. */
  readonly #layers: readonly Part[]
  /** The number of changes to stacks up to which they are known to be the same. */
  #seen = stackChanges()
  /** Whether losses of outputs are told beside the whole. */
  readonly #several: boolean
  /** For which of the model's outputs the loss takes logits. */
  readonly #fromLogits: readonly boolean[]
  /** Steps of a `trainStep` of the user's so far. Their keys depend on it. */
  ownSteps = 0
  /** The sums of the step that runs. */
  #running?: Totals
  readonly #runEagerly?: boolean
  /** The user's code in it, once somebody asked. */
  #users?: { metric?: string; part?: string }
  readonly #recorded = new RecordedSteps(
    (batch, totals) => this.#train(batch, totals),
    () => this.newTotals(),
    () => this.#state(),
  )
  /** For each output, the last shape of targets that `tryTargets` found right. */
  readonly #tried: string[] = []

  constructor(model: Trainable, options: CompileOptions & { optimizer: Optimizer }) {
    this.#model = model
    this.#layers = layersIn(model)
    this.optimizer = options.optimizer
    this.outputs = readOutputs(model, options)
    this.#runEagerly = options.runEagerly
    this.parameters = model.trainableWeights
    if (this.parameters.length === 0)
      warn(`${model.name}: no weight is trainable, so training will change none. See \`trainable\` of its layers.`)
    this.#several = model.outputCount > 1
    this.#fromLogits = model.outputPorts.map((_, i) => this.outputs.some(({ index, fromLogits }) => index === i && fromLogits))
  }

  /** Whether the model still has the layers that it had: one that was added or taken away since has part in nothing here. */
  get fits(): boolean {
    const changes = stackChanges()
    if (this.#seen === changes) return true
    const now = layersIn(this.#model)
    const same = now.length === this.#layers.length && now.every((layer, i) => layer === this.#layers[i])
    if (same) this.#seen = changes
    return same
  }

  /** Names in the order of values: loss, with several outputs the loss of each, then metrics. */
  get names(): string[] {
    const { outputs } = this
    return [
      'loss',
      ...(this.#several ? outputs.map(({ name }) => `${name}_loss`) : []),
      ...outputs.flatMap(({ metrics }) => metrics.map(({ label }) => label)),
    ]
  }

  newTotals(): Totals {
    return {
      samples: 0,
      losses: [],
      metrics: this.outputs.map(({ metrics }) => metrics.map(({ metric }) => metric.start())),
      added: new Map(),
    }
  }

  /**
   * Throws what a loss of ours throws for targets of this shape: it is tried on one sample of zeros, so that nothing has been trained when it throws.
   * A function of the user's is not called: what it does besides is not known.
   */
  tryTargets(i: number, sample: Shape): void {
    const output: CompiledOutput | undefined = this.outputs[i]
    if (output?.loss.options === undefined || this.#tried[i] === sample.join()) return
    const { backend } = this.#model
    const shape = this.#model.outputPorts[output.index].shape.slice(1).map((n, axis) => n ?? sample[axis] ?? 1)
    scope(() => void meanLoss(output, zeros([1, ...sample], { backend }), zeros([1, ...shape], { backend })))
    this.#tried[i] = sample.join()
  }

  /**
   * One step of training: the loss of the batch before the update goes to the totals. Steps are recorded and done again (recorded-step.ts), with the same
   * bits, unless the model has code of the user's, or somebody looks at the gradients.
   */
  trainStep(xs: readonly Tensor[], ys: readonly Tensor[], key: Key, totals: Totals, factors?: Factors, see?: GradientWatcher): void {
    const model = this.#model as WithStep
    if (model.trainStep) {
      const step = (batch: TestBatch): unknown => model.trainStep?.({ ...batch, key: foldKey(key, this.ownSteps++) })
      this.#ownStep('trainStep', step, batchOf(xs, ys, factors), totals)
      return
    }
    const batch = { xs, ys, factors, key: foldKey(key, this.optimizer.steps) }
    if (this.eagerBecause === undefined && !see) this.#recorded.run(batch, totals)
    else scope(() => this.#train(batch, totals, see))
  }

  /** Frees the state of the optimizer, and what was recorded. */
  dispose(): void {
    this.#recorded.dispose()
    this.optimizer.dispose()
  }

  /** Why steps are not recorded; undefined if they are. */
  get eagerBecause(): string | undefined {
    if (this.#runEagerly === true) return 'compile said so'
    this.#users ??= {
      metric: unknownMetric(this.outputs),
      part: userCodeIn(this.#model, this.#layers, this.outputs, this.optimizer),
    }
    const { metric, part } = this.#users
    if (metric !== undefined) return `the metric ${metric} remembers more than sums of this package`
    if (part === undefined || this.#runEagerly === false) return undefined
    return `${part} is not of this package; compile({ runEagerly: false }) records all the same`
  }

  /** How the last step of training ran. */
  get stepInfo(): StepInfo {
    const reason = (this.#model as WithStep).trainStep ? 'the model has a trainStep of its own' : this.eagerBecause
    return reason === undefined ? this.#recorded.info : { recorded: false, reason }
  }

  /** On what a recorded step depends beside its arguments. */
  #state(): unknown[] {
    const state: unknown[] = [this.#model.trainable, this.#model.revision]
    for (const { trainable, revision } of this.#layers) state.push(trainable, revision)
    return state
  }

  #train({ xs, ys, factors, key }: StepBatch, totals: Totals, see?: GradientWatcher): void {
    const forward = (): Forward => this.#forward(xs, ys, factors, { training: true, key })
    if (this.parameters.length === 0) {
      // A model whose layers are all frozen has a loss and metrics, and as in Keras its moving averages move; there is nothing to update.
      const result = forward()
      eachStep(() => [this.optimizer.steps++])
      this.#collect(result, xs, ys, factors, totals)
      return
    }
    // A weight that only outputs without a loss need has no gradient.
    const unconnected = this.outputs.length < this.#model.outputCount ? 'zeros' : 'error'
    const { grads, ...result } = valueAndGrad(this.parameters, forward, { unconnected })
    see?.(this.parameters, grads)
    this.optimizer.step(this.parameters, grads)
    this.#collect(result, xs, ys, factors, totals)
  }

  /** A step of the user's: its numbers are reported in the place of loss and metrics. */
  #ownStep(name: 'trainStep' | 'testStep', step: (batch: TestBatch) => unknown, batch: TestBatch, totals: Totals): void {
    const samples = batch.y.shape[0]
    scope(() =>
      addScalars(
        requireScalars(
          `${this.#model.name}.${name}`,
          this.#within(totals, () => step(batch)),
        ),
        samples,
        totals,
      ),
    )
    totals.samples += samples
  }

  /** Runs code of the user's that may call `computeMetrics`. */
  #within<Result>(totals: Totals, code: () => Result): Result {
    const outer = this.#running
    this.#running = totals
    try {
      return code()
    } finally {
      this.#running = outer
    }
  }

  /** `Model.computeLoss`: what training makes small. */
  loss({ ys, weights }: TestBatch, predictions: readonly Tensor[], { losses = [], masks = [] }: StepParts): Tensor {
    const means = this.outputs.map((output, i) => {
      const { index, weight } = output
      const loss = meanLoss({ ...output, fromLogits: false }, ys[i], predictions[index], masks[index], weights[i])
      return weight === 1 ? loss : loss.mul(weight)
    })
    return [...means, ...losses].reduce((sum, term) => sum.add(term))
  }

  /** `Model.computeMetrics`: adds a batch to the metrics of the step that runs. */
  addMetrics({ ys, weights }: TestBatch, predictions: readonly Tensor[], { masks = [] }: StepParts): Record<string, Tensor> {
    const totals = this.#running
    if (!totals)
      throw new ValueError(`${this.#model.name}.computeMetrics: adds to the metrics of fit and evaluate. Call it in trainStep or testStep.`)
    totals.measured = true
    for (const [i, { index, metrics }] of this.outputs.entries()) {
      for (const [m, { weighted }] of metrics.entries())
        totals.metrics[i][m].update(ys[i], predictions[index], masks[index], weighted ? weights[i] : undefined)
    }
    return {}
  }

  /** Throws if there is no loss to evaluate with, and no step of the user's that needs none. */
  requireLoss(what: string): void {
    if (this.outputs.length === 0 && !(this.#model as WithStep).testStep)
      throw new CompileError(`${this.#model.name}: ${what} needs a loss: compile({ optimizer, loss }).`)
  }

  /** Loss and metrics of a batch, nothing dropped, nothing changed. */
  testStep(xs: readonly Tensor[], ys: readonly Tensor[], totals: Totals, factors?: Factors): void {
    const model = this.#model as WithStep
    if (model.testStep) this.#ownStep('testStep', (batch) => model.testStep?.(batch), batchOf(xs, ys, factors), totals)
    else scope(() => this.#collect(this.#forward(xs, ys, factors, { training: false }), xs, ys, factors, totals))
  }

  /**
   * The mean losses of the batch plus all penalties, and what the model predicted. As in Keras 2.3, masked steps and weights are factors of the
   * single losses, and the mean is over all of them.
   */
  #forward(xs: readonly Tensor[], ys: readonly Tensor[], factors: Factors | undefined, context: { training: boolean; key?: Key }): Forward {
    const model = this.#model as WithStep
    if (model.ownLoss) {
      // A loss of the user's gets predictions, not logits.
      const { penalties: losses, metrics: added, outputs: predictions, masks } = this.#model.run(xs, context, [])
      const value = requireScalar(
        `${this.#model.name}.computeLoss`,
        model.computeLoss?.(batchOf(xs, ys, factors), oneOrAll(predictions), { losses, masks }),
      )
      return { value, losses: [], predictions, masks, added }
    }
    const { penalties, metrics: added, ...all } = this.#model.run(xs, context, this.#fromLogits)
    const outputs = this.outputs.map(({ index }) => all.outputs[index])
    const masks = this.outputs.map(({ index }) => all.masks[index])
    const losses = this.outputs.map((output, i) =>
      labelled(this.#several ? `${output.name}_loss` : 'loss', () => meanLoss(output, ys[i], outputs[i], masks[i], factors?.[i])),
    )
    const weighted = losses.map((loss, i) => (this.outputs[i].weight === 1 ? loss : loss.mul(this.outputs[i].weight)))
    const predictions = [...all.outputs]
    // Where no metric looks at a prediction, it stays logits.
    const activated = activateLogits(
      outputs,
      this.outputs.map(({ fromLogits, metrics }) => fromLogits && (model.ownMetrics === true || metrics.length > 0)),
      this.outputs.map(({ finalActivation }) => finalActivation),
    )
    for (const [i, { index }] of this.outputs.entries()) predictions[index] = activated[i]
    return {
      value: [...weighted, ...penalties].reduce((sum, term) => sum.add(term)),
      losses: this.#several ? losses : [],
      predictions,
      masks: all.masks,
      added,
    }
  }

  #collect(
    { value, losses, predictions, masks, added }: Forward,
    xs: readonly Tensor[],
    ys: readonly Tensor[],
    factors: Factors | undefined,
    totals: Totals,
  ): void {
    const samples = ys[0].shape[0]
    totals.losses = [value, ...losses].map((loss, i) => plus(totals.losses[i], loss.mul(samples)))
    totals.samples += samples
    addScalars(added, samples, totals)
    const model = this.#model as WithStep
    const batch = batchOf(xs, ys, factors)
    this.#within(totals, () => {
      if (!model.ownMetrics) return void this.addMetrics(batch, predictions, { masks })
      const values = model.computeMetrics?.(batch, oneOrAll(predictions), { masks })
      addScalars(requireScalars(`${this.#model.name}.computeMetrics`, values), samples, totals)
    })
  }

  /** The values so far, by name: losses and metrics. */
  async read(totals: Totals): Promise<Record<string, number>> {
    const logs: Record<string, number> = {}
    const added = async (): Promise<void> => {
      for (const [name, sum] of totals.added) logs[name] = (await sum.item()) / totals.samples
    }
    const own = totals.losses.length === 0 && totals.added.size > 0
    const { names } = this
    const count = names.length - totals.metrics.flat().length
    if (own) await added()
    else
      for (const [i, name] of names.slice(0, count).entries()) {
        const sum = totals.losses[i]
        if (sum || !(this.#model as WithStep).ownLoss || i === 0) logs[name] = sum ? (await sum.item()) / totals.samples : Number.NaN
      }
    if (!own || totals.measured) for (const [i, state] of totals.metrics.flat().entries()) logs[names[count + i]] = await state.result()
    if (!own) await added()
    return logs
  }
}
