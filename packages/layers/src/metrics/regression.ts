/** Metrics of regressions: R², correlations. Source: Keras 3.16, metrics/regression_metrics.py and correlation_metrics.py. */
import { ShapeError, stack, type Tensor, ValueError } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { targetsLike } from '../losses/targets.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { oneOf, orNull, whole } from '../spelling/rules.js'
import { builtInMean, factorsOf, type MeanMetric, type Metric, sums } from './state.js'

/** Options of `r2Score`. */
export interface R2ScoreOptions {
  /** `uniform_average` (default): the mean of the columns' scores; `variance_weighted_average`: weighted by how much the targets of each vary. */
  classAggregation?: 'uniform_average' | 'variance_weighted_average'
  /** Report only the score of this column, counted from 0; null by default. */
  classId?: number | null
  /** The number of inputs of the regression, for the adjusted R²; 0, the default: R² itself. */
  numRegressors?: number
  /** The name in logs; `r2_score` by default. */
  name?: string
}

/**
 * Makes the metric R² = 1 − Σ(y − p)² / Σ(y − ȳ)², the share of the targets' variance that is explained, over all samples of an epoch. A column whose targets
 * are all alike has the score 0. Adjusted for k inputs and n samples it is 1 − (1 − R²)(n − 1)/(n − k − 1).
 *
 * Shape: yTrue and yPred [n, columns]
 *
 * @throws ValueError for `classAggregation: null`, or a column that there is not
 * @example
 * ```ts
 * const state = metrics.r2Score().start()
 * state.update(tensor([[1], [2], [3]]), tensor([[1], [2], [4]]))
 * console.log(await state.result())   // ≈ 0.5
 * state.dispose()
 * ```
 */
export function r2Score(options: SpelledOptions<R2ScoreOptions> = {}): Metric {
  const config = readOptions<Required<R2ScoreOptions>>(
    'r2Score',
    options,
    { classAggregation: 'uniform_average', classId: null, numRegressors: 0, name: 'r2_score' },
    {
      classAggregation: orNull(oneOf('uniform_average', 'variance_weighted_average')),
      classId: orNull(whole({ least: 0 })),
      numRegressors: whole({ least: 0 }),
    },
    'metrics.r2Score({ numRegressors: 3 })',
  )
  const { classAggregation, classId, numRegressors, name } = config
  if ((classAggregation as string | null) === null)
    throw new ValueError('r2Score: the scores of all columns are no one number. For one column give its classId.')
  /** For each column Σwy², Σwy, Σw(y − p)², Σw, and the number of samples that count. */
  const measure = (yTrue: Tensor, yPred: Tensor, mask?: Tensor, weights?: Tensor): Tensor => {
    const p = yPred.rank === 1 ? yPred.expandDims(1) : yPred
    if (p.rank !== 2) throw new ShapeError(`r2Score: predictions [n, columns] are needed, got [${p.shape.join(', ')}].`)
    if (classId !== null && classId >= p.shape[1]) throw new ValueError(`r2Score: there is no column ${classId} among ${p.shape[1]}.`)
    const t = targetsLike('r2Score', p, yTrue)
    const w = (factorsOf(p, mask, weights) ?? p.mul(0).add(1)).broadcastTo(p.shape)
    const some = w.notEqual(0).cast(p.dtype).max({ axis: 1, keepDims: true }).broadcastTo(p.shape)
    const columns = [t.square().mul(w), t.mul(w), t.sub(p).square().mul(w), w, some].map((x) => x.sum({ axis: 0 }))
    return stack(columns).reshape([5 * p.shape[1]])
  }
  const result = (totals: ArrayLike<number>): number => {
    const columns = totals.length / 5
    const variances: number[] = []
    const scores = Array.from({ length: columns }, (_, c) => {
      const [squares, sum, residual, count] = [0, 1, 2, 3].map((row) => totals[row * columns + c])
      variances[c] = squares - (sum * sum) / count
      const r2 = 1 - residual / variances[c]
      return Number.isFinite(r2) || Number.isNaN(r2) ? r2 : 0
    })
    const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
    const uniform = classAggregation === 'uniform_average'
    const score =
      classId !== null
        ? scores[classId]
        : uniform
          ? total(scores) / columns
          : total(scores.map((r2, c) => r2 * variances[c])) / total(variances)
    const [n, k] = [totals[4 * columns], numRegressors]
    return k === 0 || k >= n - 1 ? score : 1 - ((1 - score) * (n - 1)) / (n - k - 1)
  }
  return { name, savedForm: { className: 'r2Score', config }, start: () => sums('r2Score', measure, result, Number.NaN) }
}

const kept = { axis: -1, keepDims: true } as const
const centred = (x: Tensor): Tensor => x.sub(x.mean(kept))

/** A mean over rows, with the option `name`. */
const ofRows = (what: string, options: { name?: string }, usual: string, measure: (t: Tensor, p: Tensor) => Tensor): MeanMetric => {
  const config = readOptions(what, options, { name: usual })
  return { ...builtInMean(config.name, (t, p) => measure(targetsLike(what, p, t), p)), savedForm: { className: what, config } }
}

/**
 * Makes the metric "Pearson's correlation" of each row of targets and predictions, averaged over the samples: from −1 to 1.
 *
 * Shape: yTrue and yPred [n, .., k], k at least 2
 *
 * @example
 * ```ts
 * const state = metrics.pearsonCorrelation().start()
 * state.update(tensor([[0, 1, 2]]), tensor([[1, 3, 5]]))
 * console.log(await state.result())   // ≈ 1
 * state.dispose()
 * ```
 */
export const pearsonCorrelation = (options: { name?: string } = {}): MeanMetric =>
  ofRows('pearsonCorrelation', options, 'pearson_correlation', (t, p) => {
    const [a, b] = [centred(t), centred(p)].map((x) => x.div(x.square().mean(kept).sqrt()))
    return a.mul(b).mean({ axis: -1 })
  })

/**
 * Makes the metric "concordance correlation" (Lin 1989) of each row: 2·cov/(var y + var p + (ȳ − p̄)²), averaged over the samples. It is 1 only where
 * predictions equal targets.
 *
 * Shape: yTrue and yPred [n, .., k], k at least 2
 *
 * @example
 * ```ts
 * const state = metrics.concordanceCorrelation().start()
 * state.update(tensor([[0, 1, 2]]), tensor([[0, 1, 2]]))
 * console.log(await state.result())   // ≈ 1
 * state.dispose()
 * ```
 */
export const concordanceCorrelation = (options: { name?: string } = {}): MeanMetric =>
  ofRows('concordanceCorrelation', options, 'concordance_correlation', (t, p) => {
    const [a, b] = [centred(t), centred(p)]
    const between = t.mean(kept).sub(p.mean(kept)).square()
    const spread = a.square().mean(kept).add(b.square().mean(kept)).add(between)
    return a.mul(b).mul(2).div(spread.add(EPSILON)).mean({ axis: -1 })
  })
