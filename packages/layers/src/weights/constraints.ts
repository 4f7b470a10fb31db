/**
 * Constraints: what a weight is forced to be after each step of the optimizer (keras/constraints.py 2.3.1). Lengths are taken over `axis`:
 * 0 for the kernel of a dense layer (the weights into one unit), [0, 1, 2] for a 2-D filter.
 */
import { type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import {
  classNameOf,
  lookUp,
  type Rule,
  readOptions,
  refuseOptions,
  requireCalled,
  type SavedObject,
  type SpelledOptions,
  type Spelling,
} from '../spelling/names.js'
import { fromZero, listOf, share, whole } from '../spelling/rules.js'

/** A rule that takes a weight to the nearest it may be, of the same shape. */
export interface Constraint {
  /** Keras' class name, for saved models. */
  readonly className: string
  /** The options that make an equal one. */
  getConfig(): Record<string, unknown>
  call(w: Tensor): Tensor
}

/** Over which axes a length is taken: 0 by default. */
export interface AxisOption {
  axis?: number | readonly number[]
}

/** Keras' epsilon: a weight of length 0 stays 0. */
const EPSILON = 1e-7

const constraint = (className: string, config: object, call: (w: Tensor) => Tensor): Constraint => ({
  className,
  getConfig: () => ({ ...config }),
  call,
})

const lengths = (w: Tensor, axis: number | readonly number[]): Tensor => w.square().sum({ axis, keepDims: true }).sqrt()

/** An axis, or a list of axes. */
const axes: Rule = (what, name, value) => (Array.isArray(value) ? listOf(whole({}))(what, name, value) : requireWhole(what, name, value))

/**
 * Lengths limited to `maxValue`, 2 by default: w·clip(‖w‖, 0, maxValue)/(‖w‖ + 1e-7) (Srivastava et al. 2014).
 *
 * @example
 * ```ts
 * dense(128, { activation: 'relu', kernelConstraint: constraints.maxNorm(3) })
 * ```
 */
export function maxNorm(options: number | SpelledOptions<AxisOption & { maxValue?: number }> = {}): Constraint {
  const given = typeof options === 'number' ? { maxValue: options } : options
  const config = readOptions<Required<AxisOption> & { maxValue: number }>(
    'maxNorm',
    given,
    { maxValue: 2, axis: 0 },
    { maxValue: fromZero, axis: axes },
    'maxNorm(2), or maxNorm({ maxValue: 2, axis: 0 })',
  )
  return constraint('MaxNorm', config, (w) => {
    const norms = lengths(w, config.axis)
    return w.mul(norms.clip(0, config.maxValue).div(norms.add(EPSILON)))
  })
}

/** Negative weights become 0. */
export function nonNeg(options?: object): Constraint {
  refuseOptions('nonNeg', options)
  return constraint('NonNeg', {}, (w) => w.mul(w.greaterEqual(0).cast(w.dtype)))
}

/** Lengths of 1: w/(‖w‖ + 1e-7). */
export function unitNorm(options: AxisOption = {}): Constraint {
  const config = readOptions<Required<AxisOption>>('unitNorm', options, { axis: 0 }, { axis: axes }, 'unitNorm({ axis: 0 })')
  return constraint('UnitNorm', config, (w) => w.div(lengths(w, config.axis).add(EPSILON)))
}

/** Options of `minMaxNorm`. */
export interface MinMaxNormOptions extends AxisOption {
  minValue?: number
  maxValue?: number
  /** The share of the way that a step goes: 1 enforces the limits at once. */
  rate?: number
}

/** Lengths between `minValue` (0) and `maxValue` (1): w·(rate·clip(‖w‖, min, max) + (1 − rate)·‖w‖)/(‖w‖ + 1e-7). */
export function minMaxNorm(options: SpelledOptions<MinMaxNormOptions> = {}): Constraint {
  const config = readOptions<Required<MinMaxNormOptions>>(
    'minMaxNorm',
    options,
    { minValue: 0, maxValue: 1, rate: 1, axis: 0 },
    { minValue: fromZero, maxValue: fromZero, rate: share, axis: axes },
    'minMaxNorm({ minValue: 0, maxValue: 1 })',
  )
  const { minValue, maxValue, rate, axis } = config
  if (minValue > maxValue) throw new ValueError(`minMaxNorm: minValue ${minValue} is above maxValue ${maxValue}.`)
  return constraint('MinMaxNorm', config, (w) => {
    const norms = lengths(w, axis)
    const wanted = norms
      .clip(minValue, maxValue)
      .mul(rate)
      .add(norms.mul(1 - rate))
    return w.mul(wanted.div(norms.add(EPSILON)))
  })
}

const isConstraint = (id: Constraint | SavedObject): id is Constraint => 'call' in id && typeof id.call === 'function'

const table = { maxNorm, nonNeg, unitNorm, minMaxNorm }

/** Names of the constraints. */
export type ConstraintName = keyof typeof table
/** How a constraint may be given: by name, as an object, as what a saved model holds, or as a function of the weight. */
export type ConstraintIdentifier = Spelling<ConstraintName> | Constraint | SavedObject | ((w: Tensor) => Tensor)

/**
 * A constraint by name (with its defaults), object, description or function; nothing means none.
 *
 * @throws ValueError for an unknown name.
 */
export function getConstraint(id: ConstraintIdentifier | null | undefined): Constraint | undefined {
  if (id === null || id === undefined) return undefined
  requireCalled('constraint', id, table)
  if (typeof id === 'function') return constraint(id.name || 'constraint', {}, (w) => id(w))
  if (typeof id !== 'object') return lookUp<() => Constraint>('constraint', id, table)()
  if (isConstraint(id)) return id
  return lookUp<(config?: object) => Constraint>('constraint', classNameOf('constraint', id), table)(id.config)
}
