/**
 * Weather in Jena: 14 measurements every 10 minutes from 2009 to 2016, by the Max Planck Institute for Biogeochemistry; F. Chollet's "Deep
 * Learning with Python" (6.3) predicts the temperature of the next day from them.
 */
import { requireText } from '../arguments.js'
import { fromText, type JenaClimate, type JenaOptions, loadJena } from './load.js'

export { columns } from './columns.js'

/**
 * Loads the weather: the whole file if it is there, otherwise a part of it. `source` names the file, its columns and its rows.
 *
 * The file is looked for in `dir`, or in `COTANGENT_DATA` and the cache, directly or in a folder `jena`, plain, as `.gz` or as `.zip`.
 * Nothing is downloaded, because no checksum was published.
 *
 * The parts are 'hourly' (2009 to 2016, every 6th row), 'start' (rows 0 … 20001), 'beginning' (rows 0 … 3999), 'end' (the last 1000 rows)
 * and 'later' (2024). Some columns that a part lacks follow from pressure, temperature and humidity. They are computed as the station
 * does, and named in `computed`. So the hourly part has 12 of the 14 columns (no max. wv, no wd).
 *
 * Nothing is corrected: the whole file has -9999 for wind speeds that were not measured, and a few times are missing or there twice.
 *
 * Source: Max Planck Institute for Biogeochemistry, Jena.
 *
 * Shape: data [rows, columns], float64, in the units of `columns`: whole [420551, 14], hourly [70038, 12]
 *
 * @throws DatasetError if the file is nowhere, with what to put where; if it has other rows than the part should have; or if a value or a
 * line is damaged, with its line.
 * @example
 * ```ts no-run="needs the file of the weather"
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
 * Reads the weather from the text of a CSV file in the station's form: for pages, and for data of your own in that form.
 *
 * Shape: data [rows, columns], float64
 *
 * @throws DatasetError if the header has other columns, or a value or a line is damaged, with its line.
 * @example
 * ```ts
 * const { data, computed } = jenaClimate.parseCsv(
 *   'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n01.01.2009 00:10:00,996.52,-8.02,93.3,3.33\n',
 * )
 * console.log(data.shape, computed[0])   // [1, 10] Tpot (K)
 * ```
 */
export function parseCsv(text: string, name = 'CSV'): JenaClimate {
  requireText('jenaClimate.parseCsv', 'text', text)
  requireText('jenaClimate.parseCsv', 'name', name)
  return fromText(text, name)
}
