/** The options that all optimizers share, read and checked. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireNumber, requireObject, requireText } from '@cotangent/core/arguments'
import { camelCase, type Rule, readOptions, type SavedObject, type SpelledOptions } from '../spelling/names.js'
import { fromZero, listOf, number, oneOf, orNull, share, whole } from '../spelling/rules.js'
import { getSchedule, LearningRateSchedule } from './schedules.js'

/** Options that every optimizer takes. */
export interface OptimizerOptions {
  /** The size of a step, at least 0: a number or a schedule. Each optimizer has its default. */
  learningRate?: number | LearningRateSchedule | SavedObject
  /** Keras' older name of `learningRate`; none by default. */
  lr?: number
  /** Update i (from 0) has the rate learningRate / (1 + decay·i); at least 0, 0 by default. */
  decay?: number
  /** λ, at least 0: each update first shrinks the parameters by η·λ of their value (Loshchilov and Hutter 2019). null (default): they do not decay. */
  weightDecay?: number | null
  /** Parameters whose name contains one of these texts do not decay, for example `['bias', 'gamma', 'beta']`. None by default. */
  excludeFromWeightDecay?: readonly string[] | null
  /** Gradients with a larger norm are scaled down to this norm; null (default) or 0: no limit. `clipScope` says whose norm is meant. */
  clipnorm?: number | null
  /** Each element of a gradient is limited to ± this, after `clipnorm`; null (default) or 0: no limit. */
  clipvalue?: number | null
  /** All gradients are scaled down so that together they have at most this norm, as in Keras 3; null by default. It excludes the other two limits. */
  globalClipnorm?: number | null
  /**
   * Whose norm `clipnorm` limits: `global`, that of all gradients together (Keras 2, default), or `perVariable`, that of each (default with `keras3`).
   */
  clipScope?: 'global' | 'perVariable' | null
  /** The number of batches whose mean gradient makes one update, at least 1; 1 by default. */
  gradientAccumulationSteps?: number | null
  /** Keep a running mean of the parameters; `fit` replaces the parameters by it at its end. False by default. */
  useEma?: boolean
  /** The share of the running mean that stays at each update, from 0 to 1; 0.99 by default. */
  emaMomentum?: number
  /** Replace the parameters by the running mean also during training, each time after this number of updates; null (default): never. */
  emaOverwriteFrequency?: number | null
  /** Whose defaults and formulas to use where Keras' versions differ: `keras2` (2.3, default) or `keras3`. */
  variant?: 'keras2' | 'keras3'
}

/** The options that all optimizers share, with defaults filled in. */
export type BaseSettings = Required<Omit<OptimizerOptions, 'learningRate' | 'lr'>> & { learningRate: number | LearningRateSchedule }

/** The first argument of Keras' optimizers, the learning rate. The functions here accept it first, or among the options. */
export type LearningRate = number | LearningRateSchedule

/** The arguments `(options)` or `(learningRate, options)` of an optimizer's function, as options. */
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
  weightDecay: orNull(fromZero),
  excludeFromWeightDecay: orNull(listOf(requireText)),
  clipnorm: orNull(fromZero),
  clipvalue: orNull(fromZero),
  globalClipnorm: orNull(fromZero),
  clipScope: orNull(oneOf('global', 'perVariable')),
  gradientAccumulationSteps: orNull(whole({ least: 1 })),
  emaMomentum: share,
  emaOverwriteFrequency: orNull(whole({ least: 1 })),
  variant: oneOf('keras2', 'keras3'),
}

/** Ranges of the options that belong to some optimizers only. */
const ownRules = {
  momentum: share,
  rho: share,
  // Below 1, since formulas divide by 1 − βᵗ.
  beta1: number({ least: 0, below: 1 }),
  beta2: number({ least: 0, below: 1 }),
  epsilon: fromZero,
  scheduleDecay: fromZero,
  initialAccumulatorValue: fromZero,
  warmupSteps: whole({ least: 0 }),
  // Ftrl
  learningRatePower: number({ most: 0 }),
  l1RegularizationStrength: fromZero,
  l2RegularizationStrength: fromZero,
  l2ShrinkageRegularizationStrength: fromZero,
  beta: fromZero,
  // Adafactor
  beta2Decay: number({ most: 0 }),
  epsilon1: fromZero,
  epsilon2: fromZero,
  clipThreshold: number({ above: 0 }),
  // Muon
  adamBeta1: number({ least: 0, below: 1 }),
  adamBeta2: number({ least: 0, below: 1 }),
  adamWeightDecay: orNull(fromZero),
  adamLrRatio: fromZero,
  nsSteps: whole({ least: 0 }),
  rmsRate: orNull(fromZero),
  excludeLayers: orNull(listOf(requireText)),
}

/** Reads the options of an optimizer, with defaults filled in: those of Keras 3 with `variant: 'keras3'`. */
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
    weightDecay: null,
    excludeFromWeightDecay: null,
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

/** A learning rate, checked: a number, at least 0, or a schedule. */
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

/**
 * Throws if limits are combined that exclude each other. Keras 2 clips by norm and then by value. Keras 3 allows one limit; so does `globalClipnorm`.
 */
function requireClipping(what: string, { clipnorm, clipvalue, globalClipnorm, variant }: BaseSettings): void {
  const given = Object.entries({ clipnorm, clipvalue, globalClipnorm }).filter(([, value]) => value !== null)
  if (given.length > 1 && (variant === 'keras3' || globalClipnorm !== null)) {
    throw new ValueError(
      `${what}: only one of clipnorm, clipvalue and globalClipnorm may be set, got ${given.map(([name]) => name).join(' and ')}.`,
    )
  }
}
