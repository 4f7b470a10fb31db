/** Checks of options' values, for `readOptions`. An option without one must be of the kind of its default. */
import { ValueError } from '@cotangent/core'
import { describeValue, type NumberRange, requireChoice, requireNumber, requireWhole } from '@cotangent/core/arguments'
import type { Rule } from './names.js'

/** A finite number in a range. */
export const number =
  (range: NumberRange): Rule =>
  (what, name, value) =>
    requireNumber(what, name, value, range)

/** A whole number in a range. */
export const whole =
  (range: NumberRange): Rule =>
  (what, name, value) =>
    requireWhole(what, name, value, range)

/** One of these values. */
export const oneOf =
  (...choices: readonly (string | number | null)[]): Rule =>
  (what, name, value) =>
    requireChoice(what, name, value, choices)

/** null, or a value that passes another check. */
export const orNull =
  (rule: Rule): Rule =>
  (what, name, value) => {
    if (value !== null) rule(what, name, value)
  }

/** A number, at least 0. */
export const fromZero = number({ least: 0 })
/** A number from 0 to 1. */
export const share = number({ least: 0, most: 1 })
/** The seed of a key, or null. */
export const seedRule = orNull(whole({ least: 0 }))
/** 0 or 1, for `verbose`. */
export const saysSo = oneOf(0, 1)
/** A list whose entries pass a check. */
export const listOf =
  (rule: Rule): Rule =>
  (what, name, value) => {
    if (!Array.isArray(value)) throw new ValueError(`${what}: ${name} must be a list, got ${describeValue(value)}.`)
    for (const [i, entry] of value.entries()) rule(what, `${name}[${i}]`, entry)
  }
