/**
 * The trainer: `compile` makes it of losses, an optimizer and metrics. It does one training step or one test step on tensors; data, epochs and printing
 * are the business of others.
 */
import {
  foldKey,
  type Key,
  labelled,
  type Parameter,
  type Shape,
  scope,
  stopGradient,
  Tensor,
  ValueError,
  valueAndGrad,
  zeros,
} from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { activateLogits } from '../call-layer.js'
import type { History } from '../callbacks/callback.js'
import { stackChanges } from '../inside.js'
import type { MetricState } from '../metrics/index.js'
import type { Optimizer } from '../optimizers/index.js'
import { warn } from '../platform.js'
import { type CompiledOutput, type CompileOptions, readOutputs } from './compile-options.js'
import { meanLoss } from './mean-loss.js'
import type { Part, Trainable } from './trainable.js'

/** All layers of a model, with those inside others. */
const layersIn = (layer: Part): Part[] => layer.inner.flatMap((inner) => [inner, ...layersIn(inner)])

/** Running sums of an epoch, on the device. */
export interface Totals {
  samples: number
  /** Σ of the batches' losses times their samples; where there are several outputs, followed by those of each output. */
  losses: Tensor[]
  /** For each output, in the order of its metrics. */
  metrics: MetricState[][]
  /** Σ of scalars that layers add or a `trainStep` of the user's gives, times the samples, by name. */
  added: Map<string, Tensor>
}

/** A batch as a `trainStep` of one's own gets it. */
export interface TrainBatch {
  /** The first input, and all of them. */
  readonly x: Tensor
  readonly xs: readonly Tensor[]
  /** The targets of the first output, and all of them. */
  readonly y: Tensor
  readonly ys: readonly Tensor[]
  /** For each output the factors of its samples, if there are any. */
  readonly weights: Factors
  /** The key of this step, for dropout and draws of one's own. */
  readonly key: Key
}

/** The factors of each output's samples, where there are any. */
export type Factors = readonly (Tensor | undefined)[]

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
export interface Compilable extends Trainable {
  /** Set by a callback to end `fit` after the epoch. */
  stopTraining: boolean
  /** The record of the last `fit`. */
  history?: History
  /** The trainer that `compile` made. @throws CompileError before compile, and while there are no weights */
  trainer(): Trainer
}

/** A model with a step of the user's. */
interface WithStep {
  trainStep?(batch: TrainBatch): unknown
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
  #ownSteps = 0
  /** For each output, the last shape of targets that `tryTargets` found right. */
  readonly #tried: string[] = []

  constructor(model: Trainable, options: CompileOptions & { optimizer: Optimizer }) {
    this.#model = model
    this.#layers = layersIn(model)
    this.optimizer = options.optimizer
    this.outputs = readOutputs(model, options)
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
    const output = this.outputs[i]
    if (output.loss.options === undefined || this.#tried[i] === sample.join()) return
    const { backend } = this.#model
    const shape = this.#model.outputPorts[output.index].shape.slice(1).map((n, axis) => n ?? sample[axis] ?? 1)
    scope(() => void meanLoss(output, zeros([1, ...sample], { backend }), zeros([1, ...shape], { backend })))
    this.#tried[i] = sample.join()
  }

  /** One step of training: the loss of the batch before the update goes to the totals. */
  trainStep(xs: readonly Tensor[], ys: readonly Tensor[], key: Key, totals: Totals, factors?: Factors): void {
    const model = this.#model as WithStep
    if (model.trainStep) {
      this.#ownStep((batch) => model.trainStep?.(batch), xs, ys, key, totals, factors)
      return
    }
    scope(() => {
      const forward = (): Forward => this.#forward(xs, ys, factors, { training: true, key: foldKey(key, this.optimizer.steps) })
      if (this.parameters.length === 0) {
        // A model whose layers are all frozen has a loss and metrics, and as in Keras its moving averages move; there is nothing to update.
        const result = forward()
        this.optimizer.steps++
        this.#collect(result, ys, factors, totals)
        return
      }
      // A weight that only outputs without a loss need has no gradient.
      const unconnected = this.outputs.length < this.#model.outputCount ? 'zeros' : 'error'
      const { grads, ...result } = valueAndGrad(this.parameters, forward, { unconnected })
      this.optimizer.step(this.parameters, grads)
      this.#collect(result, ys, factors, totals)
    })
  }

  /** A step of the user's: its numbers are reported in the place of loss and metrics. */
  #ownStep(
    step: (batch: TrainBatch) => unknown,
    xs: readonly Tensor[],
    ys: readonly Tensor[],
    key: Key,
    totals: Totals,
    factors: Factors = [],
  ): void {
    const what = `${this.#model.name}.trainStep`
    scope(() => {
      const values = step({ x: xs[0], xs, y: ys[0], ys, weights: factors, key: foldKey(key, this.#ownSteps++) })
      if (typeof values !== 'object' || values === null || typeof (values as { then?: unknown }).then === 'function')
        throw new ValueError(`${what}: must return a record of scalars, such as { loss }, got ${describeValue(values)}.`)
      for (const [name, value] of Object.entries(values)) {
        if (!(value instanceof Tensor) || value.rank !== 0)
          throw new ValueError(`${what}: "${name}" must be a scalar tensor, got ${describeValue(value)}.`)
      }
      this.#add(values as Record<string, Tensor>, ys[0].shape[0], totals)
    })
    totals.samples += ys[0].shape[0]
  }

  /** Adds scalars to the sums, each as often as the batch has samples. */
  #add(values: Readonly<Record<string, Tensor>>, samples: number, { added }: Totals): void {
    for (const [name, value] of Object.entries(values)) {
      const before = added.get(name)
      const batch = stopGradient(value).mul(samples)
      added.set(name, (before ? before.add(batch) : batch).keep())
      before?.dispose()
    }
  }

  /** Loss and metrics of a batch, nothing dropped, nothing changed. */
  testStep(xs: readonly Tensor[], ys: readonly Tensor[], totals: Totals, factors?: Factors): void {
    scope(() => this.#collect(this.#forward(xs, ys, factors, { training: false }), ys, factors, totals))
  }

  /**
   * The mean losses of the batch plus all penalties, and what the model predicted. As in Keras 2.3, masked steps and weights are factors of the
   * single losses, and the mean is over all of them.
   */
  #forward(xs: readonly Tensor[], ys: readonly Tensor[], factors: Factors | undefined, context: { training: boolean; key?: Key }): Forward {
    const { penalties, metrics: added, ...all } = this.#model.run(xs, context, this.#fromLogits)
    const outputs = this.outputs.map(({ index }) => all.outputs[index])
    const masks = this.outputs.map(({ index }) => all.masks[index])
    const losses = this.outputs.map((output, i) =>
      labelled(this.#several ? `${output.name}_loss` : 'loss', () => meanLoss(output, ys[i], outputs[i], masks[i], factors?.[i])),
    )
    const weighted = losses.map((loss, i) => (this.outputs[i].weight === 1 ? loss : loss.mul(this.outputs[i].weight)))
    return {
      value: [...weighted, ...penalties].reduce((sum, term) => sum.add(term)),
      losses: this.#several ? losses : [],
      predictions: activateLogits(
        outputs,
        this.outputs.map(({ fromLogits }) => fromLogits),
        this.outputs.map(({ finalActivation }) => finalActivation),
      ),
      masks,
      added,
    }
  }

  #collect(
    { value, losses, predictions, masks, added }: Forward,
    ys: readonly Tensor[],
    factors: Factors | undefined,
    totals: Totals,
  ): void {
    const samples = ys[0].shape[0]
    totals.losses = [value, ...losses].map((loss, i) => {
      const before = totals.losses[i]
      const batch = loss.mul(samples)
      const sum = (before ? before.add(batch) : batch).keep()
      before?.dispose()
      return sum
    })
    totals.samples += samples
    this.#add(added, samples, totals)
    for (const [i, { metrics }] of this.outputs.entries()) {
      for (const [m, { weighted }] of metrics.entries())
        totals.metrics[i][m].update(ys[i], predictions[i], masks[i], weighted ? factors?.[i] : undefined)
    }
  }

  /** The values so far, by name: losses and metrics. */
  async read(totals: Totals): Promise<Record<string, number>> {
    const logs: Record<string, number> = {}
    if (totals.losses.length > 0 || totals.added.size === 0) {
      const values: number[] = []
      for (let i = 0; i < (this.#several ? this.outputs.length + 1 : 1); i++) {
        const sum = totals.losses[i]
        values.push(sum ? (await sum.item()) / totals.samples : Number.NaN)
      }
      for (const state of totals.metrics.flat()) values.push(await state.result())
      for (const [i, name] of this.names.entries()) logs[name] = values[i]
    }
    for (const [name, sum] of totals.added) logs[name] = (await sum.item()) / totals.samples
    return logs
  }

  /** Frees running sums. */
  release(totals: Totals): void {
    for (const sum of totals.losses) sum.dispose()
    totals.losses = []
    for (const state of totals.metrics.flat()) state.dispose()
    for (const sum of totals.added.values()) sum.dispose()
    totals.added.clear()
  }
}
