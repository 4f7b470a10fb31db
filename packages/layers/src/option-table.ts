/**
 * The options of a layer as a table. Each row checks a value, has a default, and writes the value into a config. `Layer` makes three things from the table: the
 * check for unknown options, the properties of the layer, and `getConfig`. The options interface has the types and their documentation. The class declares the
 * properties (`declare readonly units: number`); `implements ValuesOf<typeof …>` makes the compiler compare their types with the table.
 *
 * ```ts
 * const options = { units: positional(count()), useBias: flag(true) } satisfies TableFor<DenseOptions>
 * ```
 */
import type { LayerOptions } from './layer-types.js'

/** The place of a value: class, option and the other options. */
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
  /** The property's value, made from the given one; undefined was left out. */
  read(given: unknown, place: Place): Value
  /** The entries of a config. If left out: the value under its name. */
  config?(value: Value, name: string): Record<string, unknown>
  /** The names of the options that the row reads, if they differ from the row's name. */
  readonly names?: readonly string[]
  /** Whether the lists of options in errors have it after the others. */
  readonly listedLast?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a row's value is in and out of its functions, so rows of all kinds have no other common type.
type AnyOption = Option<any>

/** Rows by the names of properties. */
export type OptionTable = Readonly<Record<string, AnyOption>>

/** The names of rows whose values may be undefined. */
type MayBeMissing<Table extends OptionTable> = {
  [Name in keyof Table]: undefined extends ReturnType<Table[Name]['read']> ? Name : never
}[keyof Table]

/** The properties that a table makes. The settings of weights are left out: they are the layer's own business. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Name in Exclude<keyof Table, MayBeMissing<Table> | 'settings'>]: ReturnType<Table[Name]['read']>
} & { readonly [Name in MayBeMissing<Table>]?: ReturnType<Table[Name]['read']> }

/** A table for an options interface. `satisfies` makes the compiler find an option that is missing. Those of weights are one row, `settings`. */
export type TableFor<Options> = OptionTable &
  Record<Exclude<keyof Options, keyof LayerOptions | `${string}Initializer` | `${string}Regularizer` | `${string}Constraint`>, AnyOption>

/** The names that an object of options may have. */
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

/** The config of a layer with these properties. */
export function tableConfig(table: OptionTable, values: object): Record<string, unknown> {
  const config: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = (values as Readonly<Record<string, unknown>>)[name]
    Object.assign(config, row.config ? row.config(value, name) : { [name]: value })
  }
  return config
}

/** A value given as an argument before the options. It is no option, and stands in configs. */
export const positional = <Value>(row: Option<Value>): Option<Value> => ({ ...row, names: [] })

/** The same row, listed after the others in errors. */
export const listedLast = <Value>(row: Option<Value>): Option<Value> => ({ ...row, listedLast: true })

/** A row whose option has another name than the layer's property. */
export const named = <Value>(option: string, row: Option<Value>): Option<Value> => ({
  ...row,
  names: [option],
  read: (_given, place) => row.read(place.options[option], { ...place, name: option }),
  config: (value) => (row.config ? row.config(value, option) : { [option]: value }),
})

/** A property without an option, since for this class there is no choice. */
export const fixed = <Value>(value: Value): Option<Value> => ({ names: [], read: () => value, config: () => ({}) })

/** Options that a layer takes for a layer inside it. */
export const passedOn = (names: readonly string[]): Option<undefined> => ({ names, read: () => undefined, config: () => ({}) })
