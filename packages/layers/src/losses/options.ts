/** The options of losses, and which loss takes which. */
import { requireBoolean, unknownOption } from '@cotangent/core/arguments'
import { type Rule, readOptions, type SpelledOptions } from '../spelling/names.js'
import { fromZero, listOf, number, oneOf, orNull, share, whole } from '../spelling/rules.js'
import { type Reduction, reductions } from './reduction.js'

/** Options that some losses take. */
export interface LossOptions {
  /** Predictions are logits (crossentropies); false by default. */
  fromLogits?: boolean
  /**
   * Arithmetic of Keras 2.3 (default); of 2.2 and before: log-odds binaryCrossentropy, no logits, hinge without mapping 0/1 to ±1; or of Keras 3: no ε inside
   * the logarithms of binaryCrossentropy.
   */
  form?: '2.3' | '2.2' | '3'
  /** Share of the target that is spread evenly over the classes (categorical and binary crossentropy, and the focal ones); 0 by default. */
  labelSmoothing?: number
  /** Where `huber` turns from a parabola to a line, above 0; 1 by default. */
  delta?: number
  /** The class number whose places have no loss and do not count in the mean (sparseCategoricalCrossentropy); none by default. */
  ignoreClass?: number | null
  /** The axis of vectors (cosineProximity, −1 by default), or the axes that are summed (dice, tversky; null, the default: all). */
  axis?: number | readonly number[] | null
  /** The exponent of the focal losses, at least 0, 2 by default; the scale of `circle`, 80 by default. */
  gamma?: number
  /** The factor of the class 1, or of all (focal losses, ¼ by default); that of false positives (tversky, ½ by default). */
  alpha?: number
  /** The factor of false negatives (tversky, ½ by default). */
  beta?: number
  /** Weigh class 1 by α and class 0 by 1 − α (binaryFocalCrossentropy); false by default. */
  applyClassBalancing?: boolean
  /** How far alike pairs may be, from 0 to 1 (circle); 0.4 by default. */
  margin?: number
  /** From 0, excluded, to 1: near 0 it is crossentropy, at 1 the mean absolute error (categoricalGeneralizedCrossEntropy); ½ by default. */
  q?: number
  /**
   * How the losses of a batch become one number, as in Keras 3: `sum_over_batch_size`, the weighted sum over the number of losses that no mask leaves out;
   * `sum`; `mean_with_sample_weight`, over the sum of the weights; `none` for loops of your own. Left out: as in Keras 2.3, where masked losses are 0 and count.
   */
  reduction?: Reduction
}

const unset = (name: keyof LossOptions) => [name, undefined] as const
export const lossOptionNames = [
  'fromLogits',
  'form',
  'labelSmoothing',
  'delta',
  'ignoreClass',
  'axis',
  'gamma',
  'alpha',
  'beta',
  'applyClassBalancing',
  'margin',
  'q',
  'reduction',
] as const satisfies readonly (keyof LossOptions)[]
const lossDefaults: LossOptions = Object.fromEntries(lossOptionNames.map(unset))

const axisRule: Rule = (what, name, value) => (Array.isArray(value) ? listOf(whole({})) : whole({}))(what, name, value)
const lossRules = {
  fromLogits: requireBoolean,
  form: oneOf('2.3', '2.2', '3'),
  labelSmoothing: share,
  delta: number({ above: 0 }),
  ignoreClass: orNull(whole({})),
  axis: orNull(axisRule),
  gamma: fromZero,
  alpha: fromZero,
  beta: fromZero,
  applyClassBalancing: requireBoolean,
  margin: share,
  q: number({ above: 0, most: 1 }),
  reduction: oneOf(...reductions),
}

/** Values that say nothing: any loss takes them. */
const neutral: { readonly [Name in keyof LossOptions]?: unknown } = {
  fromLogits: false,
  form: '2.3',
  labelSmoothing: 0,
  delta: 1,
  ignoreClass: null,
  axis: -1,
}

const crossentropies = ['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy']
const focal = ['binaryFocalCrossentropy', 'categoricalFocalCrossentropy']
const overlaps = ['dice', 'tversky']
/** Which losses take which options; `reduction` is for all. */
const takers: Readonly<Record<keyof LossOptions, readonly string[] | undefined>> = {
  fromLogits: [...crossentropies, ...focal],
  form: [...crossentropies, 'hinge', 'squaredHinge'],
  labelSmoothing: ['categoricalCrossentropy', 'binaryCrossentropy', ...focal],
  delta: ['huber'],
  ignoreClass: ['sparseCategoricalCrossentropy'],
  axis: ['cosineProximity', ...overlaps],
  gamma: [...focal, 'circle'],
  alpha: [...focal, 'tversky'],
  beta: ['tversky'],
  applyClassBalancing: ['binaryFocalCrossentropy'],
  margin: ['circle'],
  q: ['categoricalGeneralizedCrossEntropy'],
  reduction: undefined,
}

/** Whether a loss takes an option. */
export const lossTakes = (loss: string, option: keyof LossOptions): boolean => takers[option]?.includes(loss) ?? true

/** Losses that Keras 2.3 has not: a mean is that of Keras 3 from the start. */
const ofKeras3: ReadonlySet<string> = new Set([
  'binaryFocalCrossentropy',
  'categoricalFocalCrossentropy',
  'categoricalGeneralizedCrossEntropy',
  'dice',
  'tversky',
  'circle',
  'ctc',
])
/** Whether the mean of a loss is that of Keras 3 without the option. */
export const meansCounted = (loss: string): boolean => ofKeras3.has(loss)

/** Options that `getLoss` has checked and bound to a loss, which reads them at every step. */
const bound = new WeakSet<object>()
/** Marks options as checked. */
export const bindOptions = (options: LossOptions): void => void bound.add(options)

/** The options of a loss, checked; those that it has none of are refused. */
export function readLossOptions(what: string, options: SpelledOptions<LossOptions>): LossOptions {
  if (bound.has(options)) return options as LossOptions
  const given = readOptions(what, options, lossDefaults, lossRules)
  const own = lossOptionNames.filter((name) => lossTakes(what, name))
  const foreign = lossOptionNames.find((name) => !own.includes(name) && given[name] !== undefined && given[name] !== neutral[name])
  if (foreign) throw unknownOption(what, foreign, own)
  return Object.fromEntries(own.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}
