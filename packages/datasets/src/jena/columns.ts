/** The columns of the weather station in Jena, and those that follow from others. */
import { DatasetError } from '../errors.js'

/** The station's 14 columns, in its order. */
export const columns = [
  'p (mbar)',
  'T (degC)',
  'Tpot (K)',
  'Tdew (degC)',
  'rh (%)',
  'VPmax (mbar)',
  'VPact (mbar)',
  'VPdef (mbar)',
  'sh (g/kg)',
  'H2OC (mmol/mol)',
  'rho (g/m**3)',
  'wv (m/s)',
  'max. wv (m/s)',
  'wd (deg)',
] as const

export type JenaColumn = (typeof columns)[number]

export const isColumn = (name: string): name is JenaColumn => (columns as readonly string[]).includes(name)

/** Pressure, temperature, relative humidity, saturation vapour pressure: what the others follow from. */
type Base = Readonly<Record<'p' | 'T' | 'rh' | 'vpMax', number>>

const vpAct = ({ rh, vpMax }: Base): number => (vpMax * rh) / 100
const kelvin = (T: number): number => T + 273.16

/**
 * The station computes these too. Largest error against its own, rounded, values in 5,000 rows: Tpot 0.010, VPact 0.0094, VPdef 0.0069,
 * sh 0.0077, H2OC 0.0098, rho 0.036.
 */
export const formulas: Readonly<Partial<Record<JenaColumn, (base: Base) => number>>> = {
  'Tpot (K)': ({ p, T }) => kelvin(T) * (1000 / p) ** 0.286,
  'VPact (mbar)': vpAct,
  'VPdef (mbar)': (base) => base.vpMax - vpAct(base),
  'sh (g/kg)': (base) => (622 * vpAct(base)) / (base.p - 0.378 * vpAct(base)),
  'H2OC (mmol/mol)': (base) => (1000 * vpAct(base)) / base.p,
  'rho (g/m**3)': (base) => (1e5 * (base.p - 0.378 * vpAct(base))) / (287.058 * kelvin(base.T)),
}

const baseColumns = { p: 'p (mbar)', T: 'T (degC)', rh: 'rh (%)', vpMax: 'VPmax (mbar)' } as const

/** A table with names for its columns. */
export interface Table {
  readonly columns: readonly JenaColumn[]
  /** Row-major, [rows, columns]. */
  readonly values: Float64Array
}

/**
 * The table with every column that follows from its own added, in the station's order, and which those are. What the table has is never
 * replaced.
 *
 * @throws DatasetError if columns are missing and p, T, rh or VPmax is among them, or if a row gives no number (a pressure of 0), with its line.
 */
export function complete(table: Table, name: string): Table & { readonly computed: readonly JenaColumn[] } {
  const computed = columns.filter((column) => Object.hasOwn(formulas, column) && !table.columns.includes(column))
  if (computed.length === 0) return { ...table, computed }
  const at = (column: JenaColumn): number => {
    const index = table.columns.indexOf(column)
    if (index >= 0) return index
    throw new DatasetError(`${name}: ${computed.join(', ')} cannot be computed without the column ${column}`)
  }
  const [p, T, rh, vpMax] = [at(baseColumns.p), at(baseColumns.T), at(baseColumns.rh), at(baseColumns.vpMax)]
  const all = columns.filter((column) => table.columns.includes(column) || computed.includes(column))
  const width = table.columns.length
  const rows = table.values.length / width
  const out = new Float64Array(rows * all.length)
  const cells = all.map((column) => ({ from: table.columns.indexOf(column), formula: formulas[column] }))
  for (let row = 0; row < rows; row++) {
    const v = table.values.subarray(row * width, (row + 1) * width)
    const base: Base = { p: v[p], T: v[T], rh: v[rh], vpMax: v[vpMax] }
    cells.forEach(({ from, formula }, column) => {
      const value = from >= 0 ? v[from] : formula!(base)
      if (!Number.isFinite(value)) {
        throw new DatasetError(`${name}: line ${row + 2}: ${all[column]} cannot be computed, it would be ${value}`)
      }
      out[row * all.length + column] = value
    })
  }
  return { columns: all, values: out, computed }
}
