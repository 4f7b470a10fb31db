/** F1 and Fβ. Source: Keras 3, f_score_metrics.py. */
import { ShapeError, stack, type Tensor, ValueError } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { labelsLike, targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { number, oneOf, orNull, whole } from '../spelling/rules.js'
import { counted, factorsOf, type Metric, sums } from './state.js'

/** Options of `f1Score`. */
export interface F1ScoreOptions {
  /**
   * `macro` (default): the mean of the classes' scores. `weighted`: that mean, weighted by how often each class is true. `micro`: one score, from the counts
   * of all classes together.
   */
  average?: 'macro' | 'micro' | 'weighted'
  /** A prediction above it counts as positive; with null the largest of each row does. By default ½ for one column, and null for several. */
  threshold?: number | null
  /** Report only the score of this class, counted from 0; null by default. */
  classId?: number | null
  /** The name in logs; `f1_score` by default. */
  name?: string
}

/**
 * Makes the metric 2·true positives / (positives + predicted positives), 0 if there are none. Each column of the predictions has its score; `average` makes
 * one number of them.
 *
 * Shape: yTrue like yPred, or class numbers; yPred [n, .., classes]
 *
 * @throws ValueError for `average: null`, or a class that there is not
 * @example
 * ```ts
 * const state = metrics.f1Score().start()
 * state.update(tensor([0, 1, 1]), tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]))
 * console.log(await state.result())   // ≈ 0.6667
 * state.dispose()
 * ```
 */
export function f1Score(options: SpelledOptions<F1ScoreOptions> = {}): Metric {
  return score('f1Score', 'f1_score', options, {}, (hits, truth, predicted) =>
    truth + predicted > 0 ? (2 * hits) / (truth + predicted) : 0,
  )
}

/** Options of `fBetaScore`: those of `f1Score`, and β. */
export interface FBetaScoreOptions extends F1ScoreOptions {
  /** β, above 0: recall counts β times as much as precision; 1 by default. */
  beta?: number
}

/**
 * Makes the metric (1 + β²)·precision·recall / (β²·precision + recall + ε), as Keras 3 has it, with an ε in each quotient. See `f1Score`.
 *
 * Shape: yTrue like yPred, or class numbers; yPred [n, .., classes]
 *
 * @throws ValueError for `average: null`, or a class that there is not
 * @example
 * ```ts
 * const state = metrics.fBetaScore({ beta: 2, threshold: 0.5 }).start()
 * state.update(tensor([[1], [0], [1]]), tensor([[0.9], [0.8], [0.2]]))
 * console.log(await state.result())   // ≈ 0.5
 * state.dispose()
 * ```
 */
export function fBetaScore(options: SpelledOptions<FBetaScoreOptions> = {}): Metric {
  return score('fBetaScore', 'fbeta_score', options, { beta: 1 }, (hits, truth, chosen, beta) => {
    const [precision, recall] = [hits / (chosen + EPSILON), hits / (truth + EPSILON)]
    return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall + EPSILON)
  })
}

/** A score of each class, and one number made of them. */
function score(
  what: string,
  usualName: string,
  options: object,
  own: { beta?: number },
  of: (hits: number, truth: number, predicted: number, beta: number) => number,
): Metric {
  const config = readOptions<Omit<Required<F1ScoreOptions>, 'threshold'> & Pick<F1ScoreOptions, 'threshold'> & { beta?: number }>(
    what,
    options,
    { ...own, average: 'macro', threshold: undefined, classId: null, name: usualName },
    {
      beta: number({ above: 0 }),
      average: orNull(oneOf('macro', 'micro', 'weighted')),
      threshold: orNull(number({})),
      classId: orNull(whole({ least: 0 })),
    },
    `metrics.${what}({ average: 'micro' }), or of one class metrics.${what}({ classId: 1 })`,
  )
  const { average, threshold, classId, name, beta = 1 } = config
  if (average === null) throw new ValueError(`${what}: the scores of all classes are no one number. For one class give its classId.`)
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    const classes = yPred.shape[yPred.rank - 1]
    if (yPred.rank < 2)
      throw new ShapeError(`${what}: the predictions [${yPred.shape.join(', ')}] have no axis of classes: [n, .., classes].`)
    if (classId !== null && classId >= classes) {
      throw new ValueError(`${what}: there is no class ${classId} among ${classes} columns.`)
    }
    const truth =
      yTrue.size === yPred.size ? targetsLike(what, yPred, yTrue).cast('bool') : labelsLike(what, yPred, yTrue).oneHot(classes, 'bool')
    const limit = threshold === undefined && classes === 1 ? 0.5 : (threshold ?? null)
    // In a row of zeros nothing is predicted.
    const predicted =
      limit === null
        ? yPred.greaterEqual(yPred.max({ axis: -1, keepDims: true })).logicalAnd(yPred.abs().greater(1e-9))
        : yPred.greater(limit)
    const factors = factorsOf(yPred, mask, weights)
    const byClass = (x: Tensor): Tensor => {
      return counted(x.cast(yPred.dtype), factors).sum({ axis: yPred.shape.map((_, axis) => axis).slice(0, -1) }) // [classes]
    }
    return stack([byClass(truth.logicalAnd(predicted)), byClass(truth), byClass(predicted)]).reshape([3 * classes])
  }
  const result = (totals: ArrayLike<number>): number => {
    const classes = totals.length / 3
    const [both, truth, predicted] = [0, 1, 2].map((row) => Array.from({ length: classes }, (_, c) => totals[row * classes + c]))
    const total = (row: readonly number[]): number => row.reduce((sum, x) => sum + x, 0)
    if (average === 'micro' && classId === null) return of(total(both), total(truth), total(predicted), beta)
    const scores = both.map((hits, c) => of(hits, truth[c], predicted[c], beta))
    if (classId !== null) return scores[classId]
    if (average === 'macro') return total(scores) / classes
    return total(truth) > 0 ? total(scores.map((score, c) => score * truth[c])) / total(truth) : 0
  }
  return { name, savedForm: { className: what, config }, start: () => sums(what, measure, result, Number.NaN) }
}
