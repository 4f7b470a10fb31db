/** The options that all optimizers share, read and checked. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireNumber, requireObject, requireText } from '@cotangent/core/arguments'
import { camelCase, type Rule, readOptions, type SavedObject, type SpelledOptions } from '../spelling/names.js'
import { fromZero, listOf, number, oneOf, orNull, share, whole } from '../spelling/rules.js'
import { getSchedule, LearningRateSchedule } from './schedules.js'

/** Options that every optimizer takes. */
export interface OptimizerOptions {
  /** A number, or a schedule. */
  learningRate?: number | LearningRateSchedule | SavedObject
  /** Keras' older name of `learningRate`. */
  lr?: number
  /** The rate of step i (from 0) is learningRate / (1 + decay·i). */
  decay?: number
  /** Gradients are scaled down to this norm when theirs reaches it. */
  clipnorm?: number | null
  /** Gradients are limited to ± this, after `clipnorm`. */
  clipvalue?: number | null
  /** Keras 3: all gradients are scaled down so that together they have at most this norm. Goes with no other clipping. */
  globalClipnorm?: number | null
  /** Whose norm `clipnorm` means: that of all gradients together (Keras 2), or of each by itself (Keras 3). */
  clipScope?: 'global' | 'perVariable' | null
  /** Parameters change after every so many batches, by the mean of their gradients. */
  gradientAccumulationSteps?: number | null
  /** Keep a running mean of the parameters, which `fit` puts in their place at its end. */
  useEma?: boolean
  /** Its momentum; 0.99 by default. */
  emaMomentum?: number
  /** Put the running mean in place of the parameters after every so many updates, too. */
  emaOverwriteFrequency?: number | null
  /** Defaults and formulas of Keras 2.3, or of Keras 3 where they differ. */
  variant?: 'keras2' | 'keras3'
}

export type BaseSettings = Required<Omit<OptimizerOptions, 'learningRate' | 'lr'>> & { learningRate: number | LearningRateSchedule }

/** What Keras' optimizers take first: the rate. Ours take it so, too, or among the options. */
export type LearningRate = number | LearningRateSchedule

/** The arguments `(options)` or `(learningRate, options)` of an optimizer's function as options. */
export function rateFirst<Options extends OptimizerOptions>(
  what: string,
  first: LearningRate | SpelledOptions<Options> | undefined,
  options: SpelledOptions<Options> | undefined,
): SpelledOptions<Options> | undefined {
  const example = `${what}(0.001), or ${what}({ learningRate: 0.001 })`
  if (typeof first === 'number' || first instanceof LearningRateSchedule) {
    const others = options === undefined ? {} : options
    requireObject(what, others, [], `${what}(0.001, { … })`)
    const twice = Object.keys(others).find((key) => ['lr', 'learningRate'].includes(camelCase(key)))
    if (twice) throw new ValueError(`${what}: the learning rate is given twice, first and as ${twice}.`)
    return { ...others, learningRate: first } as SpelledOptions<Options>
  }
  if (first !== undefined) requireObject(what, first, [], example)
  if (first !== undefined && options !== undefined)
    throw new ValueError(`${what}: it takes (options) or (learningRate, options), got two objects. Write ${example}.`)
  return first ?? options
}

const sharedRules = {
  learningRate: readLearningRate as Rule,
  lr: fromZero,
  decay: fromZero,
  clipnorm: orNull(fromZero),
  clipvalue: orNull(fromZero),
  globalClipnorm: orNull(fromZero),
  clipScope: orNull(oneOf('global', 'perVariable')),
  gradientAccumulationSteps: orNull(whole({ least: 1 })),
  emaMomentum: share,
  emaOverwriteFrequency: orNull(whole({ least: 1 })),
  variant: oneOf('keras2', 'keras3'),
}

/** Rules for the options of several optimizers: shares of what was, and what denominators are kept from 0 by. */
const ownRules = {
  momentum: share,
  rho: share,
  // 1 − βᵗ is divided by.
  beta1: number({ least: 0, below: 1 }),
  beta2: number({ least: 0, below: 1 }),
  epsilon: fromZero,
  scheduleDecay: fromZero,
  initialAccumulatorValue: fromZero,
  weightDecay: fromZero,
  excludeFromWeightDecay: listOf(requireText),
}

/** The options of an optimizer over its defaults: those of Keras 3 where that variant is asked for. */
export function readSettings<Own extends { learningRate: number }>(
  what: string,
  options: object,
  keras2: Own,
  keras3: Partial<Own> = {},
): Omit<Own, 'learningRate'> & BaseSettings {
  const example = `${what}({ learningRate: ${keras2.learningRate} })`
  requireObject(what, options, [], example)
  const { variant = 'keras2' } = options as OptimizerOptions
  const shared: BaseSettings & { lr?: number } = {
    learningRate: keras2.learningRate,
    lr: undefined,
    decay: 0,
    clipnorm: null,
    clipvalue: null,
    globalClipnorm: null,
    clipScope: null,
    gradientAccumulationSteps: null,
    useEma: false,
    emaMomentum: 0.99,
    emaOverwriteFrequency: null,
    variant,
  }
  const defaults = { ...shared, ...keras2, ...(variant === 'keras3' ? keras3 : {}) }
  const { lr, ...settings } = readOptions<BaseSettings & { lr?: number }>(what, options, defaults, { ...sharedRules, ...ownRules }, example)
  if (lr !== undefined) {
    const { learningRate, learning_rate } = options as SpelledOptions<OptimizerOptions>
    if (learningRate !== undefined || learning_rate !== undefined)
      throw new ValueError(`${what}: lr is the older name of learningRate; give one of them.`)
    settings.learningRate = lr
  }
  settings.learningRate = readLearningRate(what, 'learningRate', settings.learningRate)
  requireClipping(what, settings)
  return settings as unknown as Omit<Own, 'learningRate'> & BaseSettings
}

/** A rate that can be one: a number, at least 0, or a schedule. */
export function readLearningRate(what: string, name: string, rate: unknown): LearningRate {
  if (rate instanceof LearningRateSchedule) return rate
  if (typeof rate === 'object' && rate !== null && ('className' in rate || 'class_name' in rate)) return getSchedule(rate as SavedObject)
  if (typeof rate === 'function')
    throw new ValueError(
      `${what}: ${name} must be a number, at least 0, or a schedule, got ${describeValue(rate)}. Call it, or extend LearningRateSchedule.`,
    )
  requireNumber(what, name, rate, { least: 0 })
  return rate as number
}

/** Keras 2 clips by norm and then by value; Keras 3, and its `globalClipnorm` here too, allow one way only. */
function requireClipping(what: string, { clipnorm, clipvalue, globalClipnorm, variant }: BaseSettings): void {
  const given = Object.entries({ clipnorm, clipvalue, globalClipnorm }).filter(([, value]) => value !== null)
  if (given.length > 1 && (variant === 'keras3' || globalClipnorm !== null)) {
    throw new ValueError(
      `${what}: only one of clipnorm, clipvalue and globalClipnorm may be set, got ${given.map(([name]) => name).join(' and ')}.`,
    )
  }
}
