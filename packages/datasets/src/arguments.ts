/**
 * Checks of arguments, and the only place with messages about them. They are for plain JavaScript, for values from forms, command lines and JSON, and for
 * mistakes that types do not find, such as a misspelt option in an object built elsewhere.
 *
 * The messages have the words of @cotangent/core/arguments. They are written twice because this package does not depend on core; a test compares both.
 * `what` is the name of the function as its user knows it (`Tokenizer.fitOnTexts`); every message begins with it.
 */
import { DatasetError } from './errors.js'
import { camelCase, nearest } from './spelling.js'

/** Text in quotes, its beginning if it is long: of files, too, which may hold anything. */
export const quoted = (text: string): string => JSON.stringify(text.length > 30 ? `${text.slice(0, 27)}…` : text)

/** A value in a few words, for messages: `null`, `text "abc"`, `an array of 3`, `a Promise: await it first`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `text ${quoted(value)}`
  if (typeof value === 'bigint') return `the BigInt ${value}n`
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function'
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (ArrayBuffer.isView(value)) return `${article(value.constructor.name)} of ${(value as { length?: number }).length ?? value.byteLength}`
  if (typeof (value as { then?: unknown }).then === 'function') return 'a Promise: await it first'
  const { storage, dtype, shape } = value as { storage?: unknown; dtype?: unknown; shape?: readonly number[] }
  if (storage && Array.isArray(shape)) return `a tensor of ${dtype} [${shape.join(', ')}]`
  const { name } = value.constructor ?? {}
  if (name && name !== 'Object') return article(name)
  const keys = Object.keys(value)
  return keys.length === 0 ? 'an empty object' : `an object with ${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''}`
}

const article = (noun: string): string => `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`

/** Throws if a value is not what it must be. */
export type Check = (what: string, name: string, value: unknown) => void

/** A check for each option of a function; the type sees to it that none is forgotten. */
export type Checks<Options> = { readonly [Name in keyof Options]-?: Check }

/**
 * The options of a function by their names here; keys may be in Keras' snake_case. What is undefined is left out.
 *
 * @throws DatasetError if the options are no object, an option does not exist (with the nearest that does), a value fails its check, or an option comes twice.
 */
export function readOptions<Options extends object>(what: string, given: Options | undefined, checks: Checks<Options>): Partial<Options> {
  const names = Object.keys(checks)
  const read: Record<string, unknown> = {}
  if (given === undefined) return read as Partial<Options>
  const plain = typeof given === 'object' && given !== null && !(Symbol.iterator in given) && !ArrayBuffer.isView(given)
  if (!plain || 'storage' in given || 'then' in given) {
    const there = names.length > 0 ? ` Options: ${names.join(', ')}.` : ''
    throw new DatasetError(`${what}: expected an object of options, got ${describeValue(given)}.${there}`)
  }
  for (const key in given) {
    const name = Object.hasOwn(checks, key) ? key : camelCase(key)
    if (!Object.hasOwn(checks, name)) throw unknownOption(what, key, names)
    const value: unknown = given[key]
    if (value === undefined) continue
    if (Object.hasOwn(read, name)) throw new DatasetError(`${what}: the option ${name} is there twice, in two spellings.`)
    checks[name as keyof Options](what, name, value)
    read[name] = value
  }
  return read as Partial<Options>
}

/** The error for an option that does not exist; it suggests the nearest. */
export function unknownOption(what: string, key: string, names: readonly string[]): DatasetError {
  const near = nearest(key, names)
  const there = names.length > 0 ? `Options: ${names.join(', ')}.` : 'It takes no options.'
  return new DatasetError(`${what}: there is no option "${key}".${near ? ` Did you mean "${near}"?` : ''} ${there}`)
}

/** Limits of a number, both included. */
export interface NumberRange {
  least?: number
  most?: number
}

function requireInRange(what: string, name: string, value: unknown, right: boolean, kind: string, range: NumberRange): void {
  const { least = -Infinity, most = Infinity } = range
  if (right && (value as number) >= least && (value as number) <= most) return
  const limits =
    range.least === undefined
      ? range.most === undefined
        ? ''
        : ` up to ${most}`
      : range.most === undefined
        ? `, at least ${least}`
        : ` from ${least} to ${most}`
  const given = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
  const hint = given ? ` Convert it first: Number(${JSON.stringify(value)}).` : ''
  throw new DatasetError(`${what}: ${name} must be ${kind}${limits}, got ${describeValue(value)}.${hint}`)
}

/** Throws unless `value` is a finite number in the range. Text that reads as a number is an error too. */
export const requireNumber = (what: string, name: string, value: unknown, range: NumberRange = {}): void =>
  requireInRange(what, name, value, typeof value === 'number' && Number.isFinite(value), 'a number', range)

/** Throws unless `value` is a whole number in the range. */
export const requireWhole = (what: string, name: string, value: unknown, range: NumberRange = {}): void =>
  requireInRange(what, name, value, Number.isSafeInteger(value), 'a whole number', range)

/** Throws unless `value` is true or false. */
export const requireBoolean: Check = (what, name, value) => {
  if (typeof value !== 'boolean') throw new DatasetError(`${what}: ${name} must be true or false, got ${describeValue(value)}.`)
}

/** Throws unless `value` is one of the choices; suggests the nearest. */
export function requireChoice(what: string, name: string, value: unknown, choices: readonly string[]): void {
  if ((choices as readonly unknown[]).includes(value)) return
  const near = typeof value === 'string' ? nearest(value, choices) : undefined
  const shown = choices.map((choice) => `'${choice}'`)
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}` : shown[0]
  throw new DatasetError(`${what}: ${name} must be ${list}, got ${describeValue(value)}.${near ? ` Did you mean '${near}'?` : ''}`)
}

/** Throws unless `value` is a function. */
export const requireFunction: Check = (what, name, value) => {
  if (typeof value !== 'function') throw new DatasetError(`${what}: ${name} must be a function, got ${describeValue(value)}.`)
}

/** Throws unless `value` is a string. */
export const requireText: Check = (what, name, value) => {
  if (typeof value !== 'string') throw new DatasetError(`${what}: ${name} must be text, got ${describeValue(value)}.`)
}

/** Throws unless `value` is a Uint8Array. */
export function requireBytes(what: string, value: unknown, name = 'bytes'): void {
  if (value instanceof Uint8Array) return
  const hint = value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? ' Write new Uint8Array(buffer).' : ''
  throw new DatasetError(`${what}: ${name} must be a Uint8Array, got ${describeValue(value)}.${hint}`)
}

/** Throws unless `value` can be iterated, and is no text, whose letters nobody means. */
export function requireIterable(what: string, name: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) return
  throw new DatasetError(`${what}: ${name} must be ${example}, got ${describeValue(value)}.`)
}

/** A check of a whole number in a range. */
export const whole =
  (range: NumberRange): Check =>
  (what, name, value) =>
    requireWhole(what, name, value, range)

/** A check of a choice. */
export const oneOf =
  (...choices: readonly string[]): Check =>
  (what, name, value) =>
    requireChoice(what, name, value, choices)

/** A check that lets null pass, which stands for Python's None. */
export const orNull =
  (check: Check): Check =>
  (what, name, value) => {
    if (value !== null) check(what, name, value)
  }
