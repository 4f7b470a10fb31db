/** The options that all optimizers share, read and checked. */
import { ValueError } from '@cotangent/core'
import { readOptions, type SavedObject } from '../names.js'
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

export type BaseSettings = Required<Omit<OptimizerOptions, 'learningRate'>> & { learningRate: number | LearningRateSchedule }

/** The options of an optimizer over its defaults: those of Keras 3 where that variant is asked for. */
export function readSettings<Own extends { learningRate: number }>(
  what: string,
  options: object,
  keras2: Own,
  keras3: Partial<Own> = {},
): Omit<Own, 'learningRate'> & BaseSettings {
  const { variant = 'keras2' } = options as OptimizerOptions
  if (variant !== 'keras2' && variant !== 'keras3') throw new ValueError(`${what}: variant must be 'keras2' or 'keras3', got '${variant}'.`)
  const shared: BaseSettings = {
    learningRate: keras2.learningRate,
    lr: Number.NaN,
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
  const settings = readOptions(what, options, { ...shared, ...keras2, ...(variant === 'keras3' ? keras3 : {}) } as Omit<
    Own,
    'learningRate'
  > &
    BaseSettings)
  if (!Number.isNaN(settings.lr)) settings.learningRate = settings.lr
  settings.learningRate = readRate(what, settings.learningRate)
  requireClipping(what, settings)
  const { gradientAccumulationSteps, emaMomentum, emaOverwriteFrequency } = settings
  for (const [name, value] of Object.entries({ gradientAccumulationSteps, emaOverwriteFrequency })) {
    if (value !== null && !(Number.isInteger(value) && value >= 1))
      throw new ValueError(`${what}: ${name} must be a whole number from 1, or null, got ${value}.`)
  }
  if (!(emaMomentum >= 0 && emaMomentum <= 1)) throw new ValueError(`${what}: emaMomentum must be from 0 to 1, got ${emaMomentum}.`)
  return settings
}

/** A rate that can be one: a number from 0, or a schedule. */
export function readRate(what: string, rate: number | LearningRateSchedule | SavedObject): number | LearningRateSchedule {
  if (rate instanceof LearningRateSchedule || (typeof rate === 'object' && rate !== null)) return getSchedule(rate)
  if (!(rate >= 0)) throw new ValueError(`${what}: learningRate must be a number from 0, or a schedule, got ${rate}.`)
  return rate
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
