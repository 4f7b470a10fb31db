/**
 * A metric is sums over the batches of an epoch, and one number made of them at the end.
 *
 * The sums stay on the device until somebody asks for the result. They have the dtype of the predictions: in float32, counts are exact up to 2²⁴.
 */
import { type Backend, scope, stack, type Tensor, where } from '@cotangent/core'
import { requireFunction, requireText } from '@cotangent/core/arguments'
import { fromHost, type HostArray } from '../host-data.js'
import { maskFactors, perSample } from '../losses/masks.js'
import { requireTensor, requireValues, targetsForFunction, withColumns } from '../losses/targets.js'
import { made } from '../own-classes.js'
import type { SavedObject } from '../spelling/names.js'

/** The sums of a metric over the batches so far. */
export interface MetricState<Result = number> {
  /**
   * Adds a batch.
   *
   * @param mask bool, begins like the predictions [n, ..]: elements that it marks false are left out
   * @param weights [n], or [n, t] for each step: how much a sample counts, 1 if left out; a mean is then a weighted mean
   */
  update(yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): void
  /** The value so far, read from the device; NaN before the first batch. */
  result(): Promise<Result>
  /** Frees the sums. */
  dispose(): void
  /** The sums on the host, for a training that goes on later; undefined before the first batch. A metric without it starts anew there. */
  save?(): Promise<SavedSums | undefined>
  /** Puts saved sums back. */
  load?(saved: SavedSums, backend: Backend): void
  /** @internal The sums themselves, where they are all that the metric remembers; a recorded step takes them from here and puts them back. */
  readonly running?: RunningSums
}

/** @internal The sums of a metric on the device, and the samples in batches without mask and weights. */
export interface RunningSums {
  totals?: Tensor
  samples: number
}

/** The sums of a metric on the host. */
export interface SavedSums extends HostArray {
  /** The samples in batches without mask and weights. */
  samples: number
}

/** A number reported beside the loss. */
export interface Metric {
  /** The name in logs and history. */
  readonly name: string
  /** Makes new sums, for an epoch or an evaluation. */
  start(): MetricState
  /** The description that saved models hold. A user's metric has none. */
  readonly savedForm?: SavedObject
}

/** A metric that is a mean over samples. */
export interface MeanMetric extends Metric {
  /** The value of each sample, [n]. */
  perSample(yTrue: Tensor, yPred: Tensor): Tensor
}

/**
 * A user's metric: it returns one value or more for each sample, or one number for all. It gets the targets in the form that a `LossFunction` gets.
 */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor

/** @internal The factor of each value, from its mask and its sample's weight. */
export function factorsOf(values: Tensor, mask: Tensor | undefined, weights: Tensor | undefined): Tensor | undefined {
  const [byMask, bySample] = [mask, weights].map((factor) => factor && maskFactors(factor, values))
  return byMask && bySample ? byMask.mul(bySample) : (byMask ?? bySample)
}

/** @internal Values times factors. Where the factor is 0 the result is 0, whatever the value. */
export const counted = (values: Tensor, factors: Tensor | undefined): Tensor =>
  factors ? where(factors.notEqual(0), values, 0).mul(factors) : values

/**
 * @internal Adds up the sums that `measure` makes of each batch. A batch without mask and weights may have a shorter row of sums.
 *
 * @param what the metric, for messages
 * @param result makes the value from the sums and the number of samples in batches without mask and weights
 * @param nothing the value before the first batch
 */
export function sums<Result>(
  what: string,
  measure: (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor) => Tensor,
  result: (totals: ArrayLike<number>, samples: number) => Result,
  nothing: Result,
): MetricState<Result> {
  const running: RunningSums = { samples: 0 }
  return {
    running,
    update(yTrue, yPred, mask, weights) {
      requireTensor(what, 'yTrue', yTrue)
      requireTensor(what, 'yPred', yPred)
      const before = running.totals
      running.totals = scope(() => {
        const batch = measure(yTrue, yPred, mask, weights)
        if (!before) return batch
        const size = Math.max(before.size, batch.size)
        const [a, b] = [before, batch].map((row) => (row.size < size ? row.pad([[0, size - row.size]]) : row))
        return a.add(b)
      }).keep()
      before?.dispose()
      if (!mask && !weights) running.samples += yPred.shape[0]
    },
    result: async () => (running.totals ? result(await running.totals.data(), running.samples) : nothing),
    dispose() {
      running.totals?.dispose()
      running.totals = undefined
      running.samples = 0
    },
    save: async () => running.totals && { shape: running.totals.shape, data: await running.totals.data(), samples: running.samples },
    load(saved, backend) {
      running.totals = fromHost(saved, backend)
      running.samples = saved.samples
    },
  }
}

/**
 * Makes a metric from a function that returns one value for each sample. The function gets targets in the shape of the predictions, or class numbers [..b]
 * for predictions [..b, c].
 *
 * @param finish makes the metric's value from the mean; the mean itself by default
 * @throws ValueError or ShapeError when it is used, if targets do not fit or the function does not return one value for each sample
 * @example
 * ```ts
 * const top3 = meanMetric('top3', (t, p) => topKCategoricalAccuracy(t, p, 3))
 * model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: [top3] })
 * console.log(top3.name)   // top3
 * ```
 */
export function meanMetric(name: string, measure: MetricFunction, finish: (mean: number) => number = (mean) => mean): MeanMetric {
  requireText('meanMetric', 'name', name)
  requireFunction('meanMetric', 'measure', measure, "meanMetric('mine', (yTrue, yPred) => …)")
  requireFunction('meanMetric', 'finish', finish)
  const what = `metric "${name}"`
  return meanOf(name, (t, p) => requireValues(what, measure(targetsForFunction(what, p, t), p), p), finish)
}

/** @internal A metric from a function of this package, which checks shapes itself. Predictions [n] are n samples of one value. */
export const builtInMean = (name: string, measure: MetricFunction, finish?: (mean: number) => number): MeanMetric =>
  made(meanOf(name, (t, p) => measure(...withColumns(t, p)), finish))

function meanOf(name: string, measure: MetricFunction, finish: (mean: number) => number = (mean) => mean): MeanMetric {
  const each = (yTrue: Tensor, yPred: Tensor): Tensor => perSample(measure(yTrue, yPred), yPred.shape[0])
  return {
    name,
    perSample: each,
    start: () =>
      sums(
        `metric "${name}"`,
        (t, p, mask, weights) => {
          // A mask, or weights of steps, apply to the values before they are averaged for each sample.
          const values = mask || (weights && weights.rank > 1) ? measure(t, p) : each(t, p)
          const factors = factorsOf(values, mask, weights)
          // If all values count, the host knows the number of samples.
          if (!factors) return values.sum().reshape([1])
          // A sample counts as much as the mean of its factors, so that it counts 1 where there are none, as in Keras 3.
          const steps = Math.max(1, values.size / Math.max(1, p.shape[0]))
          return stack([counted(values, factors).sum(), factors.broadcastTo(values.shape).sum()]).div(steps)
        },
        (totals, samples) => {
          const count = (totals[1] ?? 0) + samples
          return count === 0 ? 0 : finish(totals[0] / count)
        },
        Number.NaN,
      ),
  }
}
