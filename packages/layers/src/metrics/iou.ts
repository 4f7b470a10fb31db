/** Intersection over union of classes, for segmentation. Source: Keras 3.16, metrics/iou_metrics.py. */
import { matMul, type Tensor, ValueError } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { listOf, number, orNull, whole } from '../spelling/rules.js'
import { counted, factorsOf, type Metric, sums } from './state.js'

/** Options of `meanIoU` and `oneHotMeanIoU`. */
export interface MeanIoUOptions {
  /** The number of classes, at least 1. Required. */
  numClasses: number
  /** The class number of places that do not count; null by default. */
  ignoreClass?: number | null
  /** Whether targets are class numbers; false: rows of scores. True by default, false for the one-hot metrics. */
  sparseYTrue?: boolean
  /** Whether predictions are class numbers; false: rows of scores, as a softmax gives. True by default, false for the one-hot metrics. */
  sparseYPred?: boolean
  /** The name in logs, as in Keras: `mean_io_u`, `io_u`, … by default. */
  name?: string
}

/** Options of `iou` and `oneHotIoU`. */
export interface IoUOptions extends MeanIoUOptions {
  /** The classes whose scores are averaged. Required. */
  targetClassIds: readonly number[]
}

/** Options of `binaryIoU`. */
export interface BinaryIoUOptions {
  /** Predictions from this on are of class 1; ½ by default. */
  threshold?: number
  /** The classes whose scores are averaged; `[0, 1]` by default. */
  targetClassIds?: readonly number[]
  /** The name in logs; `binary_io_u` by default. */
  name?: string
}

interface Setting {
  readonly classes: number
  readonly targets: readonly number[]
  readonly ignored: number | null
  readonly truth: (t: Tensor, p: Tensor) => Tensor
  readonly predicted: (p: Tensor) => Tensor
}

/** Σ of a confusion matrix over the batches, and the mean of TP / (row + column − TP + ε) over the classes that occur. */
function overlap(what: string, name: string, config: object, { classes, targets, ignored, truth, predicted }: Setting): Metric {
  const wrong = targets.find((id) => id >= classes)
  if (wrong !== undefined) throw new ValueError(`${what}: there is no class ${wrong} among ${classes}.`)
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    const chosen = predicted(yPred)
    const t = truth(yTrue, chosen)
    // As in Keras, a matrix of whole numbers: weights are cut to those.
    const factors = factorsOf(chosen, mask, weights?.cast('int32').cast(weights.dtype))
    const flat = (x: Tensor): Tensor => x.reshape([x.size])
    const rows = flat(t).oneHot(classes, yPred.dtype)
    const counting = ignored === null ? rows : rows.mul(flat(t).notEqual(ignored).cast(yPred.dtype).expandDims(1))
    const weighed = factors ? counted(counting, flat(factors.broadcastTo(chosen.shape)).expandDims(1)) : counting
    return matMul(weighed, flat(chosen).oneHot(classes, yPred.dtype), { transposeA: true }).reshape([classes * classes])
  }
  const result = (matrix: ArrayLike<number>): number => {
    const sum = (from: number, by: number): number =>
      Array.from({ length: classes }, (_, i) => matrix[from + i * by]).reduce((a, b) => a + b)
    const scores = targets.flatMap((id) => {
      const hits = matrix[id * (classes + 1)]
      const union = sum(id * classes, 1) + sum(id, classes) - hits
      return union > 0 ? [hits / (union + EPSILON)] : []
    })
    return scores.length === 0 ? 0 : scores.reduce((a, b) => a + b) / scores.length
  }
  return { name, savedForm: { className: what, config }, start: () => sums(what, measure, result, Number.NaN) }
}

const example = (what: string): string =>
  `metrics.${what}({ numClasses: 3${/^(iou|oneHotIoU)$/.test(what) ? ', targetClassIds: [0, 1]' : ''} })`

function ofClasses(what: string, name: string, options: object, isOneHot: boolean, isMean: boolean): Metric {
  const defaults = {
    numClasses: undefined as number | undefined,
    ...(!isMean && { targetClassIds: undefined }),
    ignoreClass: null as number | null,
    ...(!isOneHot && { sparseYTrue: true }),
    sparseYPred: !isOneHot,
    name,
  }
  const rules = { numClasses: whole({ least: 1 }), ignoreClass: orNull(whole({})), targetClassIds: listOf(whole({ least: 0 })) }
  const config = readOptions<typeof defaults>(what, options, defaults, rules, example(what))
  const { numClasses, ignoreClass, sparseYPred } = config
  if (numClasses === undefined) throw new ValueError(`${what}: numClasses is missing. Write ${example(what)}.`)
  const { targetClassIds, sparseYTrue = false } = config as { targetClassIds?: readonly number[]; sparseYTrue?: boolean }
  if (!isMean && targetClassIds === undefined) throw new ValueError(`${what}: targetClassIds is missing. Write ${example(what)}.`)
  const numbers = (isSparse: boolean) => (x: Tensor) => (isSparse ? x : x.argMax())
  return overlap(what, config.name, config, {
    classes: numClasses,
    targets: targetClassIds ?? Array.from({ length: numClasses }, (_, id) => id),
    ignored: ignoreClass,
    truth: (t, chosen) => targetsLike(what, chosen, numbers(sparseYTrue)(t)),
    predicted: numbers(sparseYPred),
  })
}

/**
 * Makes the metric "mean intersection over union": of each class TP / (TP + FP + FN), and the mean over the classes that occur.
 *
 * Shape: class numbers [n, ..]; with `sparseYPred: false` predictions [n, .., classes]
 *
 * @throws ValueError without numClasses
 * @example
 * ```ts
 * const state = metrics.meanIoU({ numClasses: 2 }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0, 1, 0, 1]))
 * console.log(await state.result())   // ≈ 0.3333
 * state.dispose()
 * ```
 */
export const meanIoU = (options: SpelledOptions<MeanIoUOptions>): Metric => ofClasses('meanIoU', 'mean_io_u', options, false, true)
/**
 * Makes the metric "intersection over union" of some classes; see `meanIoU`.
 *
 * @throws ValueError without numClasses and targetClassIds
 * @example
 * ```ts
 * const state = metrics.iou({ numClasses: 2, targetClassIds: [0] }).start()
 * state.update(tensor([0, 0, 1, 1]), tensor([0, 1, 0, 1]))
 * console.log(await state.result())   // ≈ 0.3333
 * state.dispose()
 * ```
 */
export const iou = (options: SpelledOptions<IoUOptions>): Metric => ofClasses('iou', 'io_u', options, false, false)
/**
 * Makes `meanIoU` for one-hot targets and rows of scores.
 *
 * @throws ValueError without numClasses
 * @example
 * ```ts
 * const state = metrics.oneHotMeanIoU({ numClasses: 2 }).start()
 * state.update(tensor([[1, 0], [0, 1]]), tensor([[0.6, 0.4], [0.7, 0.3]]))
 * console.log(await state.result())   // ≈ 0.25
 * state.dispose()
 * ```
 */
export const oneHotMeanIoU = (options: SpelledOptions<Omit<MeanIoUOptions, 'sparseYTrue'>>): Metric =>
  ofClasses('oneHotMeanIoU', 'one_hot_mean_io_u', options, true, true)
/**
 * Makes `iou` for one-hot targets and rows of scores.
 *
 * @throws ValueError without numClasses and targetClassIds
 * @example
 * ```ts
 * const state = metrics.oneHotIoU({ numClasses: 2, targetClassIds: [0] }).start()
 * state.update(tensor([[1, 0], [0, 1]]), tensor([[0.6, 0.4], [0.7, 0.3]]))
 * console.log(await state.result())   // ≈ 0.5
 * state.dispose()
 * ```
 */
export const oneHotIoU = (options: SpelledOptions<Omit<IoUOptions, 'sparseYTrue'>>): Metric =>
  ofClasses('oneHotIoU', 'one_hot_io_u', options, true, false)

/**
 * Makes the metric "intersection over union" for two classes and predictions of the probability of class 1.
 *
 * @example
 * ```ts
 * const state = metrics.binaryIoU({ targetClassIds: [1] }).start()
 * state.update(tensor([0, 1, 1]), tensor([0.2, 0.5, 0.1]))
 * console.log(await state.result())   // ≈ 0.5
 * state.dispose()
 * ```
 */
export function binaryIoU(options: SpelledOptions<BinaryIoUOptions> = {}): Metric {
  const config = readOptions<Required<BinaryIoUOptions>>(
    'binaryIoU',
    options,
    { threshold: 0.5, targetClassIds: [0, 1], name: 'binary_io_u' },
    { threshold: number({}), targetClassIds: listOf(whole({ least: 0 })) },
    'metrics.binaryIoU({ targetClassIds: [1] })',
  )
  return overlap('binaryIoU', config.name, config, {
    classes: 2,
    targets: config.targetClassIds,
    ignored: null,
    truth: (t, p) => targetsLike('binaryIoU', p, t),
    predicted: (p) => p.greaterEqual(config.threshold).cast(p.dtype),
  })
}
