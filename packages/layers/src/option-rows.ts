/** Rows for tables of options: the kinds of values that options of layers have. A row refuses wrong values, and has a default. */
import { ValueError } from '@cotangent/core'
import { describeValue, type NumberRange, requireBoolean, requireChoice, requireNumber, requireWhole } from '@cotangent/core/arguments'
import { type Activation, type ActivationIdentifier, getActivation } from './activations.js'
import { readOption } from './layer-options.js'
import type { Option, Place } from './option-table.js'
import { savedForm } from './spelling/names.js'
import type { InitializerIdentifier } from './weights/initializers.js'
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from './weights/regularizers.js'
import { WeightSettings, weightOptionNames } from './weights/settings.js'

/** Throws for a wrong value. */
type Check = (className: string, name: string, value: unknown) => void

/** A value that passes a check. If there is a default, null counts as left out. */
const checked = <Value>(check: Check, usual?: Value): Option<Value> => ({
  read(given, { className, name }) {
    const value = usual === undefined ? given : (given ?? usual)
    check(className, name, value)
    return value as Value
  },
})

/** A value that passes a check, or the default if it is left out. null is a value here. */
const given = <Value>(check: Check, usual: Value): Option<Value> => ({
  read(value, { className, name }) {
    if (value === undefined) return usual
    check(className, name, value)
    return value as Value
  },
})

const number =
  (range: NumberRange): Check =>
  (className, name, value) =>
    requireNumber(className, name, value, range)
const whole =
  (range: NumberRange): Check =>
  (className, name, value) =>
    requireWhole(className, name, value, range)

/** A whole number, at least 1. */
export const count = (usual?: number): Option<number> => checked(whole({ least: 1 }), usual)
/** A whole number, at least 1; undefined if it is left out. */
export const countOrNone = (): Option<number | undefined> => given<number | undefined>(whole({ least: 1 }), undefined)
/** A whole number; undefined if it is left out. */
export const wholeOrNone = (): Option<number | undefined> => given<number | undefined>(whole({}), undefined)
/** The number of an axis. */
export const axisNumber = (usual: number): Option<number> => checked(whole({}), usual)
/** A number in a range. */
export const numberFrom = (range: NumberRange, usual?: number): Option<number> => checked(number(range), usual)
/** A number in a range; null is refused. */
export const givenNumber = (range: NumberRange, usual: number): Option<number> => given(number(range), usual)
/** true or false. */
export const flag = (usual: boolean): Option<boolean> => given(requireBoolean, usual)
/** One of some values. */
export const choice = <Value extends string | number>(choices: readonly Value[], usual: Value): Option<Value> =>
  checked((className, name, value) => requireChoice(className, name, value, choices), usual)
/** One of some values; null may be among them. */
export const givenChoice = <Value extends string | number | null>(choices: readonly Value[], usual: Value): Option<Value> =>
  given((className, name, value) => requireChoice(className, name, value, choices), usual)

/** A value read by a function that knows no layers. Its errors get the names of layer and option. */
export const readBy = <Value>(read: (given: unknown) => Value, config?: Option<Value>['config']): Option<Value> => ({
  read: (_given, { className, name, options }: Place) => readOption(className, name, options, read),
  ...(config && { config }),
})

/** A rate of dropout, from 0 to 1. A number outside is moved to the nearer limit, as in Keras. */
export const dropRate = (usual?: number): Option<number> => ({
  read(value, { className, name }) {
    const rate = usual === undefined ? value : (value ?? usual)
    if (typeof rate === 'number' && Number.isFinite(rate)) return Math.min(1, Math.max(0, rate))
    throw new ValueError(`${className}: ${name} must be a number from 0 to 1, got ${describeValue(rate)}.`)
  },
})

/** An activation by name or function; `linear` by default. A config has its name. */
export const activationOf = (usual?: ActivationIdentifier): Option<Activation> =>
  readBy(
    (id) => getActivation((id ?? usual) as ActivationIdentifier),
    (value, name) => ({ [name]: value.name }),
  )

/** A regularizer, or none. */
export const regularizer = (): Option<Regularizer | undefined> =>
  readBy(
    (id) => getRegularizer(id as RegularizerIdentifier),
    (value, name) => ({ [name]: value && savedForm(value) }),
  )

/** Initializer, regularizer and constraint of each weight, with the default initializers. All of them are one row, `settings`. */
export const weightsOf = <Name extends string>(
  initializers: Readonly<Record<Name, InitializerIdentifier>>,
): Option<WeightSettings<Name>> => ({
  names: weightOptionNames(Object.keys(initializers)),
  read: (_given, { className, options }) => new WeightSettings(className, options, initializers),
  config: (settings) => settings.getConfig(),
})
