/**
 * Weather in Jena: 14 measurements every 10 minutes from 2009 to 2016, by the Max Planck Institute for Biogeochemistry; F. Chollet's "Deep
 * Learning with Python" (6.3) predicts the temperature of the next day from them.
 */
import { requireText } from '../arguments.js'
import { fromText, type JenaClimate, type JenaOptions, loadJena } from './load.js'

export { columns } from './columns.js'

/**
 * Loads the weather: the whole file if it is there, otherwise a part of it, which `source` names with its columns and rows.
 *
 * Looked for in `dir`, or in `COTANGENT_DATA` and the cache, directly or in a folder `jena`, plain, as `.gz` or as `.zip`. Nothing is
 * downloaded: no checksum was published. Parts: 'hourly' (2009 to 2016, every 6th row), 'start' (rows 0 … 20001), 'beginning' (rows
 * 0 … 3999), 'end' (the last 1000 rows), 'later' (2024). Columns that a part lacks and that follow from pressure, temperature and humidity are
 * computed as the station does and named in `computed`; the hourly part so has 12 of the 14 (no max. wv, no wd).
 *
 * Nothing is mended: the whole file has -9999 for wind speeds that were not measured, and a few times are missing or there twice.
 *
 * Shape: data [rows, columns], float64: whole [420551, 14], hourly [70038, 12].
 *
 * Errors: a file that is nowhere, with what to put where; other rows than the part has; a value or a line that is damaged, with its line.
 *
 * ```ts
 * import { jenaClimate, seriesWindows, standardize } from '@cotangent/datasets'
 *
 * const { data, minutes } = await jenaClimate.loadData()
 * const hours = 60 / minutes // rows an hour
 * const weather = standardize(data, { rows: Math.floor((200000 / 6) * hours) })
 * const train = seriesWindows(weather.data, { lookback: 240 * hours, delay: 24 * hours, step: hours, maxIndex: 3333 * hours, shuffle: true })
 * ```
 */
export const loadData = (options: JenaOptions = {}): Promise<JenaClimate> => loadJena(options)

/**
 * The same from the text of a CSV in the station's form: for pages, and for other stations' data in that form.
 *
 * Errors: a header of other columns, a value or a line that is damaged, with its line.
 *
 * ```ts
 * const { data, computed } = jenaClimate.parseCsv(
 *   'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n01.01.2009 00:10:00,996.52,-8.02,93.3,3.33\n',
 * )
 * data.shape // [1, 10]
 * computed[0] // 'Tpot (K)'
 * ```
 */
export function parseCsv(text: string, name = 'CSV'): JenaClimate {
  requireText('jenaClimate.parseCsv', 'text', text)
  requireText('jenaClimate.parseCsv', 'name', name)
  return fromText(text, name)
}
