/**
 * Names in Keras' spellings and ours: `glorotUniform`, `glorot_uniform` and `GlorotUniform` are one name. Looking up a name and reading an options object
 * accept all spellings. An error lists the known names and suggests the nearest.
 */
import { ValueError } from '@cotangent/core'
import {
  canonical,
  describeValue,
  nearest,
  requireBoolean,
  requireNumber,
  requireObject,
  requireText,
  unknownOption,
} from '@cotangent/core/arguments'

/** `glorotUniform` → `glorot_uniform` as a type. Digits get no underscore, except in Keras' `beta_1` and `epsilon_1`. */
export type SnakeCase<Name extends string> = Name extends `beta${infer Digit extends '1' | '2'}${infer Rest}`
  ? `beta_${Digit}${SnakeCase<Rest>}`
  : Name extends `Beta${infer Digit extends '1' | '2'}${infer Rest}`
    ? `_beta_${Digit}${SnakeCase<Rest>}`
    : Name extends `epsilon${infer Digit extends '1' | '2'}${infer Rest}`
      ? `epsilon_${Digit}${SnakeCase<Rest>}`
      : Name extends `${infer First}${infer Rest}`
        ? First extends Lowercase<First>
          ? `${First}${SnakeCase<Rest>}`
          : `_${Lowercase<First>}${SnakeCase<Rest>}`
        : Name

/** A name in camelCase or in Keras' snake_case. */
export type Spelling<Name extends string> = Name | SnakeCase<Name>

/** Options in camelCase or in Keras' snake_case. */
export type SpelledOptions<Options> = Options & { [Key in keyof Options as SnakeCase<Key & string>]?: Options[Key] }

/** `glorotUniform` and `GlorotUniform` → `glorot_uniform`; `beta1` → `beta_1`. */
export function snakeCase(name: string): string {
  return name
    .replace(/^[A-Z]/, (first) => first.toLowerCase())
    .replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
    .replace(/(^|_)(beta|epsilon)(?=\d)/, '$1$2_')
}

/** `glorot_uniform` and `GlorotUniform` → `glorotUniform`; `beta_1` → `beta1`. */
export function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/gi, (_, next: string) => next.toUpperCase()).replace(/^[A-Z]/, (first) => first.toLowerCase())
}

/** The object with its own keys, not those inside its values, in Keras' spelling. */
export const snakeKeys = (config: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeCase(key), value]))

/** The object with its own keys, not those inside its values, in our spelling. */
export const camelKeys = (config: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [camelCase(key), value]))

/** The description of an initializer, regularizer, optimizer or the like in a saved model. Keras' files say `class_name`. */
export interface SavedObject {
  readonly className?: string
  readonly class_name?: string
  readonly config?: object
}

/** The description of an object. `getInitializer`, `getRegularizer` and `getOptimizer` make an equal object of it. */
export const savedForm = (object: { readonly className: string; getConfig(): Record<string, unknown> }): SavedObject => ({
  className: object.className,
  config: object.getConfig(),
})

/** The class name in a description. Throws if there is none. */
export function classNameOf(kind: string, object: SavedObject): string {
  const name = object?.className ?? object?.class_name
  if (typeof name === 'string') return name
  throw new ValueError(`${kind}: an object with a className (or class_name) and a config was expected.`)
}

/** The error for a name that is not in a list. */
export function unknownName(kind: string, name: unknown, names: readonly string[]): ValueError {
  if (typeof name !== 'string') return new ValueError(`${kind}: expected a name or an object, got ${describeValue(name)}.`)
  const near = nearest(name, names)
  return new ValueError(`There is no ${kind} "${name}".${near ? ` Did you mean "${near}"?` : ''} There are: ${names.join(', ')}.`)
}

/**
 * Finds an entry of a table by name, in any spelling.
 *
 * @param kind the kind of thing, for the message: `loss`, `initializer`
 * @param table entries by their camelCase names
 * @param aliases other names, each for a name of the table
 * @throws ValueError that lists the names and suggests the nearest
 * @example
 * ```ts
 * lookUp('loss', 'mean_squared_error', { meanSquaredError: 1 })   // 1
 * ```
 */
export function lookUp<Entry>(
  kind: string,
  name: string,
  table: Readonly<Record<string, Entry>>,
  aliases: Readonly<Record<string, string>> = {},
): Entry {
  const wanted = typeof name === 'string' ? canonical(name) : undefined
  const alias = Object.keys(aliases).find((key) => canonical(key) === wanted)
  const target = alias === undefined ? wanted : canonical(aliases[alias])
  const found = Object.keys(table).find((key) => canonical(key) === target)
  if (found === undefined) throw unknownName(kind, name, [...Object.keys(table), ...Object.keys(aliases)])
  return table[found]
}

/** The entry of a record under a name from outside. Members of every object, such as `constructor`, are undefined here. */
export const entryOf = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** A check of an option's value: throws for a wrong one. */
export type Rule = (what: string, name: string, value: unknown) => void

/** The check of an option without a rule: the value must be a number, a boolean or text, as its default is. */
function usualRule(fallback: unknown): Rule | undefined {
  if (typeof fallback === 'number') return requireNumber
  if (typeof fallback === 'boolean') return requireBoolean
  return typeof fallback === 'string' ? requireText : undefined
}

/**
 * The given options, with defaults for the others. Keys may be in either spelling; undefined means the default.
 *
 * @param what the function whose options these are, for messages
 * @param rules checks of values; an option without one must be of the kind of its default
 * @param example a correct call, for the error about something that is no options object
 * @throws ValueError for something that is no object, an unknown key, or a wrong value
 */
export function readOptions<Options extends object>(
  what: string,
  given: object | undefined,
  defaults: Options,
  rules: { readonly [Key in keyof Options]?: Rule } = {},
  example?: string,
): Options {
  const options = { ...defaults }
  if (given === undefined) return options
  const names = Object.keys(defaults)
  requireObject(what, given, names, example)
  const read = new Set<string>()
  for (const [key, value] of Object.entries(given)) {
    const name = camelCase(key)
    if (!Object.hasOwn(defaults, name)) throw unknownOption(what, key, names)
    if (value === undefined) continue
    if (read.has(name)) throw new ValueError(`${what}: "${name}" is given twice, in both spellings.`)
    read.add(name)
    const rule = (rules as Readonly<Record<string, Rule | undefined>>)[name] ?? usualRule(defaults[name as keyof Options])
    rule?.(what, key, value)
    options[name as keyof Options] = value
  }
  return options
}

/** Throws if there are options, for functions that take none. */
export const refuseOptions = (what: string, given: object | undefined): void => void readOptions(what, given, {})

/** Throws if a maker was given where its result is needed: `adam` instead of `adam()`. */
export function requireCalled(what: string, given: unknown, makers: Readonly<Record<string, unknown>>): void {
  if (typeof given !== 'function') return
  const maker = Object.keys(makers).find((name) => makers[name] === given)
  if (maker !== undefined) throw new ValueError(`${what}: ${maker} is the function that makes one. Call it: ${maker}().`)
}
