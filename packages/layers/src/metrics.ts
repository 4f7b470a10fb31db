/**
 * Metrics, with Keras 2.3's definitions (keras/metrics.py 2.3.1) and names: a metric given by name is reported under the name as typed.
 *
 * An epoch's value is made of sums over its batches. They stay on the device until somebody asks for the result: mean-type metrics add up
 * one value a sample, precision and recall add up counts. Sums are float32 where the predictions are, and exact for counts up to 2²⁴.
 *
 * Shape: yTrue [n, ..], yPred [n, ..] → [n]
 */
import { isFinite, matMul, scope, stack, type Tensor, type TypedArray, ValueError, where } from '@cotangent/core'
import { type Loss, type LossName, lossAliases, lossNames, lossValues } from './losses.js'
import { maskFactors, perSample } from './masks.js'
import { lookUp, readOptions, type Spelling } from './names.js'

/** A metric's sums over the batches seen so far. */
export interface MetricState {
  /** Adds a batch; what a mask [n, ..] says does not count, does not. Weights come as a mask of numbers. */
  update(yTrue: Tensor, yPred: Tensor, mask?: Tensor): void
  /** The value so far; reads from the device. NaN before the first batch. */
  result(): Promise<number>
  /** Frees the sums. */
  dispose(): void
}

/** Something reported beside the loss. */
export interface Metric {
  /** The key in logs and history. */
  readonly name: string
  /** New sums, for an epoch or an evaluation. */
  start(): MetricState
}

/** A metric that is the mean over samples. */
export interface MeanMetric extends Metric {
  /** The value of each sample, [n]. */
  perSample(yTrue: Tensor, yPred: Tensor): Tensor
}

/** A metric of the user's: one value a sample, or a scalar. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor

/** Adds up what `measure` makes of each batch. */
function sums(
  measure: (yTrue: Tensor, yPred: Tensor, mask?: Tensor) => Tensor,
  result: (totals: TypedArray, samples: number) => number,
): MetricState {
  let totals: Tensor | undefined
  let samples = 0
  return {
    update(yTrue, yPred, mask) {
      const before = totals
      totals = scope(() => {
        const batch = measure(yTrue, yPred, mask)
        return before ? before.add(batch) : batch
      }).keep()
      before?.dispose()
      samples += yPred.shape[0]
    },
    result: async () => (totals ? result(await totals.data(), samples) : Number.NaN),
    dispose() {
      totals?.dispose()
      totals = undefined
      samples = 0
    },
  }
}

/** Σ of the values that count, and how many do: [2]. */
function maskedSums(values: Tensor, mask: Tensor): Tensor {
  const factors = maskFactors(mask, values)
  return stack([values.mul(factors).sum(), factors.broadcastTo(values.shape).sum()])
}

/**
 * A metric of a function of one value a sample.
 *
 * @example
 * ```ts
 * model.compile({ …, metrics: [meanMetric('top3', (t, p) => topKCategoricalAccuracy(t, p, 3))] })
 * ```
 */
export function meanMetric(name: string, measure: MetricFunction): MeanMetric {
  const each = (yTrue: Tensor, yPred: Tensor): Tensor => perSample(measure(yTrue, yPred), yPred.shape[0])
  return {
    name,
    perSample: each,
    start: () =>
      sums(
        (t, p, mask) => (mask ? maskedSums(measure(t, p), mask) : each(t, p).sum().reshape([1])),
        ([total, count], samples) => (count === 0 ? 0 : total / (count ?? samples)),
      ),
  }
}

/** Class numbers [..b] of [..b] or [..b, 1], in the dtype of p. */
const classNumbers = (yTrue: Tensor, p: Tensor): Tensor => yTrue.reshape(p.shape.slice(0, -1)).cast(p.dtype)

/** Whether y = p rounded (½ goes to 0), over the last axis; another threshold than ½ asks whether y = (p > threshold). */
export function binaryAccuracy(yTrue: Tensor, yPred: Tensor, { threshold = 0.5 }: { threshold?: number } = {}): Tensor {
  const decided = threshold === 0.5 ? yPred.round() : yPred.greater(threshold).cast(yPred.dtype)
  return yTrue.reshape(yPred.shape).cast(yPred.dtype).equal(decided).cast(yPred.dtype).mean({ axis: -1 })
}

/** Whether the largest prediction is at the largest target. */
export const categoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor => yTrue.argMax().equal(yPred.argMax()).cast(yPred.dtype)

/** Whether the largest prediction is at the class number. */
export const sparseCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor =>
  classNumbers(yTrue, yPred).equal(yPred.argMax().cast(yPred.dtype)).cast(yPred.dtype)

/** Whether fewer than k predictions are above that of the class; a prediction that is not finite is not among the top. */
function inTopK(classes: Tensor, p: Tensor, k: number): Tensor {
  const chosen = where(classes.oneHot(p.shape[p.rank - 1], 'bool'), p, 0).sum({ axis: -1, keepDims: true }) // [..b, 1]
  const above = p.greater(chosen).sum({ axis: -1 }) // [..b]
  return above.less(k).logicalAnd(isFinite(chosen).reshape(above.shape)).cast(p.dtype)
}

/** Whether the target is among the k largest predictions. */
export const topKCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor, k = 5): Tensor => inTopK(yTrue.argMax(), yPred, k)
/** Whether the class number is among the k largest predictions. */
export const sparseTopKCategoricalAccuracy = (yTrue: Tensor, yPred: Tensor, k = 5): Tensor => inTopK(classNumbers(yTrue, yPred), yPred, k)

/** cos of the angle between target and prediction: as a metric Keras 2.3 reports it with the positive sign. */
const cosineProximity: MetricFunction = (yTrue, yPred) => lossValues('cosineProximity')(yTrue, yPred).neg()

/** Options of `precision` and `recall`. */
export interface ThresholdOptions {
  /** Above it a prediction counts as positive; ½ by default. */
  threshold?: number
  name?: string
}

/** Of `chosen` elements, the share that are positive in both: Σ y·[p > threshold] / Σ chosen, 0 over nothing. */
function positives(kind: 'precision' | 'recall', options: ThresholdOptions, chosen: (truth: Tensor, predicted: Tensor) => Tensor): Metric {
  const { threshold, name } = readOptions(kind, options, { threshold: 0.5, name: kind as string })
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor): Tensor => {
    const counted = (x: Tensor): Tensor => (mask ? x.mul(maskFactors(mask, x)) : x)
    const truth = yTrue.reshape(yPred.shape).cast('bool').cast(yPred.dtype)
    const predicted = yPred.greater(threshold).cast(yPred.dtype)
    const counts = [counted(truth.mul(predicted)).sum(), counted(chosen(truth, predicted)).sum()]
    return counts[0]
      .reshape([1])
      .pad([[0, 1]])
      .add(counts[1].reshape([1]).pad([[1, 0]])) // [2]
  }
  return { name, start: () => sums(measure, ([both, all]) => (all > 0 ? both / all : 0)) }
}

/** True positives / predicted positives. */
export const precision = (options: ThresholdOptions = {}): Metric => positives('precision', options, (_, predicted) => predicted)
/** True positives / positives. */
export const recall = (options: ThresholdOptions = {}): Metric => positives('recall', options, (truth) => truth)

/**
 * How often class i (row) was taken for class j (column).
 *
 * Shape: class numbers [n], or rows of scores or one-hot rows [n, classes] → int32 [classes, classes]
 * Cost:  2·n·classes² flops; exact up to 2²⁴ samples
 */
export function confusionMatrix(yTrue: Tensor, yPred: Tensor, classes: number): Tensor {
  const rows = (y: Tensor): Tensor => {
    if (y.rank > 2 || (y.rank === 2 && y.shape[1] !== classes && y.shape[1] !== 1)) {
      throw new ValueError(`confusionMatrix: class numbers [n] or rows [n, ${classes}] are needed, got [${y.shape.join(', ')}].`)
    }
    return (y.rank === 2 && y.shape[1] > 1 ? y.argMax() : y.reshape([y.size])).oneHot(classes)
  }
  return scope(() => matMul(rows(yTrue), rows(yPred), { transposeA: true }).cast('int32'))
}

const accuracies = {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
} satisfies Record<string, MetricFunction>

const byOutput = <Name>(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
  [binary, sparse, other]: readonly [Name, Name, Name],
): Name => (outputShape.at(-1) === 1 || loss === 'binaryCrossentropy' ? binary : loss === 'sparseCategoricalCrossentropy' ? sparse : other)

/**
 * Which accuracy `'accuracy'` means: binary for an output of one value or the loss binaryCrossentropy (then element by element), sparse for the
 * sparse loss, else categorical.
 */
export function resolveAccuracy(
  loss: string | undefined,
  outputShape: readonly (number | null)[],
): 'binaryAccuracy' | 'sparseCategoricalAccuracy' | 'categoricalAccuracy' {
  return byOutput(loss, outputShape, ['binaryAccuracy', 'sparseCategoricalAccuracy', 'categoricalAccuracy'])
}

type Maker = (name: string, loss: string | undefined, outputShape: readonly (number | null)[]) => Metric

const makers: Readonly<Record<string, Maker>> = {
  accuracy: (name, loss, outputShape) => meanMetric(name, accuracies[resolveAccuracy(loss, outputShape)]),
  crossentropy: (name, loss, outputShape) =>
    meanMetric(
      name,
      lossValues(byOutput(loss, outputShape, ['binaryCrossentropy', 'sparseCategoricalCrossentropy', 'categoricalCrossentropy'])),
    ),
  precision: (name) => precision({ name }),
  recall: (name) => recall({ name }),
  ...Object.fromEntries(Object.entries(accuracies).map(([key, measure]): [string, Maker] => [key, (name) => meanMetric(name, measure)])),
  ...Object.fromEntries(lossNames.map((key): [string, Maker] => [key, (name) => meanMetric(name, lossValues(key))])),
  cosineProximity: (name) => meanMetric(name, cosineProximity),
}
const aliases = { acc: 'accuracy', ce: 'crossentropy', ...lossAliases } as const

/** Names of the metrics: accuracies, counts, and every loss. */
export type MetricName = 'accuracy' | 'crossentropy' | 'precision' | 'recall' | keyof typeof accuracies | LossName | keyof typeof aliases
/** How a metric may be given. */
export type MetricIdentifier = Spelling<MetricName> | Metric | MetricFunction

/**
 * A metric by name, object or function.
 *
 * @param loss the model's loss, by which `'accuracy'` is resolved
 * @param outputShape the model's output shape
 * @throws ValueError for an unknown name.
 * @example
 * ```ts
 * const metric = getMetric('acc', getLoss('binaryCrossentropy'), [null, 1])   // binaryAccuracy, reported as "acc"
 * ```
 */
export function getMetric(id: MetricIdentifier, loss?: Loss | string, outputShape: readonly (number | null)[] = []): Metric {
  if (typeof id === 'function') return meanMetric(id.name || 'metric', id)
  if (typeof id === 'object' && id !== null) return id
  return lookUp('metric', id, makers, aliases)(id, typeof loss === 'object' ? loss.name : loss, outputShape)
}
