/**
 * The options of a layer as a table: name → what its value must be, what it is if left out, and how a config says it. `Layer` makes of it the check for
 * unknown options, the properties of the layer, and `getConfig`. The types and their documentation stand in the layer's options interface; the class
 * declares the properties (`declare readonly units: number`), and `implements ValuesOf<typeof …>` holds their types to the table.
 *
 * ```ts
 * const options = { units: positional(count()), useBias: flag(true) } satisfies TableFor<DenseOptions>
 * ```
 */
import type { LayerOptions } from './layer-types.js'

/** Where a value was given. */
export interface Place {
  readonly className: string
  /** The name of the option. */
  readonly name: string
  /** All options that were given. */
  readonly options: Readonly<Record<string, unknown>>
  /** The values of the options before it in the table. */
  readonly before: Readonly<Record<string, unknown>>
}

/** One row of a table. */
export interface Option<Value> {
  /** The value of the layer's property, of what was given: undefined if it was left out. */
  read(given: unknown, place: Place): Value
  /** What a config says: the value under its name, if left out here. */
  config?(value: Value, name: string): Record<string, unknown>
  /** The options that the row is about, where it is not the one of its name. */
  readonly names?: readonly string[]
  /** Whether the list of options in errors has it behind the others. */
  readonly listedLast?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a row's value is in and out of its functions, so rows of all kinds have no other common type.
type AnyOption = Option<any>

export type OptionTable = Readonly<Record<string, AnyOption>>

/** The names of a table whose values may be undefined. */
type MayBeMissing<Table extends OptionTable> = {
  [Name in keyof Table]: undefined extends ReturnType<Table[Name]['read']> ? Name : never
}[keyof Table]

/** The properties that a table makes, without the settings of weights, which are the layer's own business. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Name in Exclude<keyof Table, MayBeMissing<Table> | 'settings'>]: ReturnType<Table[Name]['read']>
} & { readonly [Name in MayBeMissing<Table>]?: ReturnType<Table[Name]['read']> }

/** A table for an options interface: `satisfies` sees to it that none of its options is forgotten. Those of weights are one row, `settings`. */
export type TableFor<Options> = OptionTable &
  Record<Exclude<keyof Options, keyof LayerOptions | `${string}Initializer` | `${string}Regularizer` | `${string}Constraint`>, AnyOption>

/** The names that may be given in an object of options. */
export function optionNames(table: OptionTable): string[] {
  const rows = Object.entries(table)
  return [...rows.filter(([, row]) => !row.listedLast), ...rows.filter(([, row]) => row.listedLast)].flatMap(
    ([name, row]) => row.names ?? [name],
  )
}

/** The properties of a layer. */
export function readTable(className: string, table: OptionTable, options: object): Record<string, unknown> {
  const given = options as Readonly<Record<string, unknown>>
  const values: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = row.read(given[name], { className, name, options: given, before: values })
    if (value !== undefined) values[name] = value
  }
  return values
}

/** What a config says of a layer with these properties. */
export function tableConfig(table: OptionTable, values: object): Record<string, unknown> {
  const config: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = (values as Readonly<Record<string, unknown>>)[name]
    Object.assign(config, row.config ? row.config(value, name) : { [name]: value })
  }
  return config
}

/** An argument of its own before the options: it is no option, and a config says it. */
export const positional = <Value>(row: Option<Value>): Option<Value> => ({ ...row, names: [] })

/** The same row, which the list of options in errors has behind the others. */
export const listedLast = <Value>(row: Option<Value>): Option<Value> => ({ ...row, listedLast: true })

/** A row whose option has another name than the layer's property. */
export const named = <Value>(option: string, row: Option<Value>): Option<Value> => ({
  ...row,
  names: [option],
  read: (_given, place) => row.read(place.options[option], { ...place, name: option }),
  config: (value) => (row.config ? row.config(value, option) : { [option]: value }),
})

/** A property that is no option, since for this class there is no choice. */
export const fixed = <Value>(value: Value): Option<Value> => ({ names: [], read: () => value, config: () => ({}) })

/** Options that are given to a layer and belong to one inside. */
export const passedOn = (names: readonly string[]): Option<undefined> => ({ names, read: () => undefined, config: () => ({}) })
