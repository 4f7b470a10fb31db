/**
 * What a metric is: sums over the batches of an epoch, and the number made of them at the end.
 *
 * The sums stay on the device until somebody asks for the result. They are float32 where the predictions are: counts are exact up to 2²⁴.
 */
import { scope, stack, type Tensor, where } from '@cotangent/core'
import { requireFunction, requireText } from '@cotangent/core/arguments'
import { maskFactors, perSample } from '../losses/masks.js'
import { requireTensor, requireValues, targetsForFunction, withColumns } from '../losses/targets.js'
import type { SavedObject } from '../spelling/names.js'

/** A metric's sums over the batches seen so far. */
export interface MetricState<Result = number> {
  /**
   * Adds a batch.
   *
   * @param mask [n, ..]: what it says does not count, does not
   * @param weights [n], or [n, t] for each step: how much a sample counts, 1 if left out; a mean is then over the weights
   */
  update(yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): void
  /** The value so far; reads from the device. NaN before the first batch. */
  result(): Promise<Result>
  /** Frees the sums. */
  dispose(): void
}

/** Something reported beside the loss. */
export interface Metric {
  /** The key in logs and history. */
  readonly name: string
  /** New sums, for an epoch or an evaluation. */
  start(): MetricState
  /** What makes it again, for saved models; metrics of the user's own have none. */
  readonly savedForm?: SavedObject
}

/** A metric that is the mean over samples. */
export interface MeanMetric extends Metric {
  /** The value of each sample, [n]. */
  perSample(yTrue: Tensor, yPred: Tensor): Tensor
}

/** A metric of the user's: one value a sample, or more, or a scalar. It gets the targets that a `LossFunction` gets. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor

/** @internal How much each value counts: by its mask, and by its sample's weight. */
export function factorsOf(values: Tensor, mask: Tensor | undefined, weights: Tensor | undefined): Tensor | undefined {
  const [byMask, bySample] = [mask, weights].map((factor) => factor && maskFactors(factor, values))
  return byMask && bySample ? byMask.mul(bySample) : (byMask ?? bySample)
}

/** @internal Values times their factors (as `factorsOf` gives them), and 0 where those are 0, whatever the value. */
export const counted = (values: Tensor, factors: Tensor | undefined): Tensor =>
  factors ? where(factors.notEqual(0), values, 0).mul(factors) : values

/**
 * @internal Adds up what `measure` makes of each batch: a row of sums, which may be shorter for batches without mask and weights.
 *
 * @param what whose sums they are, for messages
 * @param result makes the value of the sums, and of the number of samples in batches without mask and weights
 * @param nothing the value before the first batch
 */
export function sums<Result>(
  what: string,
  measure: (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor) => Tensor,
  result: (totals: ArrayLike<number>, samples: number) => Result,
  nothing: Result,
): MetricState<Result> {
  let totals: Tensor | undefined
  let samples = 0
  return {
    update(yTrue, yPred, mask, weights) {
      requireTensor(what, 'yTrue', yTrue)
      requireTensor(what, 'yPred', yPred)
      const before = totals
      totals = scope(() => {
        const batch = measure(yTrue, yPred, mask, weights)
        if (!before) return batch
        const size = Math.max(before.size, batch.size)
        const [a, b] = [before, batch].map((row) => (row.size < size ? row.pad([[0, size - row.size]]) : row))
        return a.add(b)
      }).keep()
      before?.dispose()
      if (!mask && !weights) samples += yPred.shape[0]
    },
    result: async () => (totals ? result(await totals.data(), samples) : nothing),
    dispose() {
      totals?.dispose()
      totals = undefined
      samples = 0
    },
  }
}

/**
 * A metric of a function of one value a sample. The function gets targets in the shape of the predictions, or class numbers [..b] for
 * predictions [..b, c].
 *
 * @param finish makes the metric's value of the mean
 * @throws ValueError, ShapeError when it is used: for targets that do not fit, and for what is no value a sample.
 * @example
 * ```ts
 * const top3 = meanMetric('top3', (t, p) => topKCategoricalAccuracy(t, p, 3))
 * model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: [top3] })
 * ```
 */
export function meanMetric(name: string, measure: MetricFunction, finish: (mean: number) => number = (mean) => mean): MeanMetric {
  requireText('meanMetric', 'name', name)
  requireFunction('meanMetric', 'measure', measure, "meanMetric('mine', (yTrue, yPred) => …)")
  requireFunction('meanMetric', 'finish', finish)
  const what = `metric "${name}"`
  return meanOf(name, (t, p) => requireValues(what, measure(targetsForFunction(what, p, t), p), p), finish)
}

/** @internal A metric of a function of this package, which checks shapes itself. Predictions [n] are n samples of one value. */
export const builtInMean = (name: string, measure: MetricFunction, finish?: (mean: number) => number): MeanMetric =>
  meanOf(name, (t, p) => measure(...withColumns(t, p)), finish)

function meanOf(name: string, measure: MetricFunction, finish: (mean: number) => number = (mean) => mean): MeanMetric {
  const each = (yTrue: Tensor, yPred: Tensor): Tensor => perSample(measure(yTrue, yPred), yPred.shape[0])
  return {
    name,
    perSample: each,
    start: () =>
      sums(
        `metric "${name}"`,
        (t, p, mask, weights) => {
          // A mask, and weights of steps, are factors of what comes before the mean of a sample.
          const values = mask || (weights && weights.rank > 1) ? measure(t, p) : each(t, p)
          const factors = factorsOf(values, mask, weights)
          // How many count, the host knows where all do.
          return factors ? stack([counted(values, factors).sum(), factors.broadcastTo(values.shape).sum()]) : values.sum().reshape([1])
        },
        (totals, samples) => {
          const count = (totals[1] ?? 0) + samples
          return count === 0 ? 0 : finish(totals[0] / count)
        },
        Number.NaN,
      ),
  }
}
