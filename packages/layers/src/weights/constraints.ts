/**
 * Constraints: an update of a weight after each step of the optimizer (keras/constraints.py 2.3.1). Lengths ‖w‖ are taken over `axis`: 0 for the kernel of
 * a dense layer (the weights into one unit), [0, 1, 2] for a 2-D filter.
 */
import { type Tensor, ValueError } from '@cotangent/core'
import { requireWhole } from '@cotangent/core/arguments'
import { made } from '../own-classes.js'
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

/** A constraint: it replaces a weight by a nearby value that is allowed, of the same shape. */
export interface Constraint {
  /** Keras' class name, for saved models. */
  readonly className: string
  /** The options that make an equal constraint. */
  getConfig(): Record<string, unknown>
  /** The allowed value. Shape: any → the same */
  call(w: Tensor): Tensor
}

/** An option of the constraints on lengths. */
export interface AxisOption {
  /** The axis or axes over which a length is taken; 0 by default. */
  axis?: number | readonly number[]
}

/** Keras' epsilon. It keeps a weight of length 0 at 0. */
const EPSILON = 1e-7

const constraint = (className: string, config: object, call: (w: Tensor) => Tensor): Constraint =>
  made({ className, getConfig: () => ({ ...config }), call })

const lengths = (w: Tensor, axis: number | readonly number[]): Tensor => w.square().sum({ axis, keepDims: true }).sqrt()

/** Throws unless a value is an axis or a list of axes. */
const axes: Rule = (what, name, value) => (Array.isArray(value) ? listOf(whole({}))(what, name, value) : requireWhole(what, name, value))

/**
 * Limits lengths to `maxValue`, at least 0, 2 by default: w ← w·clip(‖w‖, 0, maxValue)/(‖w‖ + 1e-7) (Srivastava et al. 2014).
 *
 * @example
 * ```ts
 * const layer = dense(128, { activation: 'relu', kernelConstraint: constraints.maxNorm(3) })
 * console.log(await constraints.maxNorm(1).call(tensor([[3], [4]])).array())   // ≈ [[0.6], [0.8]]
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

/**
 * Sets negative weights to 0.
 *
 * @example
 * ```ts
 * console.log(await constraints.nonNeg().call(tensor([-1, 2])).array())   // ≈ [0, 2]
 * ```
 */
export function nonNeg(options?: object): Constraint {
  refuseOptions('nonNeg', options)
  return constraint('NonNeg', {}, (w) => w.mul(w.greaterEqual(0).cast(w.dtype)))
}

/**
 * Scales lengths to 1: w ← w/(‖w‖ + 1e-7).
 *
 * @example
 * ```ts
 * console.log(await constraints.unitNorm().call(tensor([[3], [4]])).array())   // ≈ [[0.6], [0.8]]
 * ```
 */
export function unitNorm(options: AxisOption = {}): Constraint {
  const config = readOptions<Required<AxisOption>>('unitNorm', options, { axis: 0 }, { axis: axes }, 'unitNorm({ axis: 0 })')
  return constraint('UnitNorm', config, (w) => w.div(lengths(w, config.axis).add(EPSILON)))
}

/** Options of `minMaxNorm`. */
export interface MinMaxNormOptions extends AxisOption {
  /** The smallest length, at least 0; 0 by default. */
  minValue?: number
  /** The largest length, at least `minValue`; 1 by default. */
  maxValue?: number
  /** The share of the way to the limit that one step goes, from 0 to 1; 1 by default. */
  rate?: number
}

/**
 * Moves lengths to between `minValue` and `maxValue`: w ← w·(rate·clip(‖w‖, min, max) + (1 − rate)·‖w‖)/(‖w‖ + 1e-7).
 *
 * @throws ValueError if minValue is above maxValue
 * @example
 * ```ts
 * const limit = constraints.minMaxNorm({ minValue: 10, maxValue: 20 })
 * console.log(await limit.call(tensor([[3], [4]])).array())   // ≈ [[6.0], [8.0]]
 * ```
 */
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
/** A constraint by name, as an object, in the form that saved models hold, or as a function of the weight. */
export type ConstraintIdentifier = Spelling<ConstraintName> | Constraint | SavedObject | ((w: Tensor) => Tensor)

/**
 * A constraint by name (with its defaults), as an object, from a saved model's description, or from a function. null and undefined mean none.
 *
 * @throws ValueError for an unknown name
 * @example
 * ```ts
 * console.log(constraints.getConstraint('max_norm')?.getConfig())   // { maxValue: 2, axis: 0 }
 * ```
 */
export function getConstraint(id: ConstraintIdentifier | null | undefined): Constraint | undefined {
  if (id === null || id === undefined) return undefined
  requireCalled('constraint', id, table)
  if (typeof id === 'function') return constraint(id.name || 'constraint', {}, (w) => id(w))
  if (typeof id !== 'object') return lookUp<() => Constraint>('constraint', id, table)()
  if (isConstraint(id)) return id
  return lookUp<(config?: object) => Constraint>('constraint', classNameOf('constraint', id), table)(id.config)
}
