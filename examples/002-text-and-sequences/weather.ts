/**
 * The weather of document 002: its rows and columns, and the windows made of them.
 *
 * The document uses ten-minute rows with 14 columns: rows 0 … 19999 for training, 20001 … 29999 for validation. If that file is missing, a published part of it
 * is used. A window of every 6th row is a window of every row in the hourly file, which has 12 columns. Windows of every 3rd row come from the ten-minute
 * rows of 2024.
 */
import { jenaClimate, RandomState, type SeriesWindows, seriesWindows, standardize } from '@cotangent/datasets'
import { UsageError } from '../lib/arguments.js'
import { type Context, thousands } from '../lib/experiment.js'
import { type Period, type Rows, splitRows, tenMinutes } from './split.js'

/** The column that is predicted: T (degC). */
export const temperature = 1

/** The windows to train and to validate on. */
export interface Weather {
  /** Windows drawn at random, without end. */
  train: SeriesWindows
  /** Windows in order, once. */
  validation: SeriesWindows
  /** The batch whose loss Keras 2.3 prints as val_loss. */
  lastBatch: SeriesWindows
  /** The number of rows in a window, and of columns in a row. */
  shape: readonly [steps: number, features: number]
  /** Degrees Celsius in one standardised unit, and at its zero. */
  degrees: number
  mean: number
  /** The measured temperature, row by row, in degrees Celsius. */
  celsius: Float64Array
  /** Minutes from one row to the next. */
  minutes: number
}

/**
 * Loads the weather, reports which rows and columns are used, and makes windows of them.
 *
 * @param step windows have every `step`-th row of ten minutes
 */
export async function loadWeather(context: Context, step: 3 | 6 = 6): Promise<Weather> {
  const { batchSize, seed, trainRows, data: dir } = context
  if (context.limited(Number.MAX_SAFE_INTEGER, 'rows') < Number.MAX_SAFE_INTEGER)
    throw new UsageError('--limit is for samples, and windows are drawn anew all the time: say with --train-rows from how many rows.')
  let found = await jenaClimate.loadData({ dir })
  if (found.minutes / 10 > step) found = await jenaClimate.loadData({ dir, part: 'later' })
  const { minutes, columns, computed } = found
  const period: Period = found.firstRow === 0 ? 'document' : 'later'
  const split = splitRows(found.data.shape[0], minutes, period, trainRows)
  const { lookback, delay, scale } = split

  // In the document these are 200,000 rows, far more than it trains on: those for validation are among them.
  const { data, mean, std } = standardize(found.data, { rows: scale[1] + 1 })
  const every = step / (minutes / 10)
  const windows = { lookback, delay, step: every, target: temperature }
  const within = ([first, last]: Rows) => ({ minIndex: first, maxIndex: last + 1 })
  const weather: Weather = {
    // One generator for all epochs: each epoch goes on where the last one ended.
    train: seriesWindows(data, { ...windows, batchSize, ...within(split.train), shuffle: true, seed: new RandomState(seed) }),
    validation: seriesWindows(data, { ...windows, batchSize, ...within(split.validation), repeat: false }),
    lastBatch: seriesWindows(data, { ...windows, ...within([split.lastBatch[0] - lookback, split.lastBatch[1]]), repeat: false }),
    shape: [lookback / every, columns.length],
    degrees: std[temperature],
    mean: mean[temperature],
    celsius: Float64Array.from({ length: found.data.shape[0] }, (_, row) => found.data.data[row * columns.length + temperature]),
    minutes,
  }

  const held = [...weather.validation.rows()].reduce((sum, rows) => sum + rows.length, 0)
  const all = jenaClimate.columns.length
  const own = columns.filter((name) => !computed.includes(name))
  const file = found.source.replace(/^.*?([^\\/]+\.csv)/, '$1').replace(/; in the file: .*/, '')
  const print = (what: string, says: string): void => console.log(what.padEnd(12) + says)
  print('Data', file)
  print('Columns', `${columns.length} of the document's ${all}; in the file: ${own.join(', ')}`)
  if (computed.length > 0) print('', `computed from them: ${computed.join(', ')}`)
  print('Scaled', `by mean and standard deviation of ${span(scale)}; that of the temperature is ${weather.degrees.toFixed(4)} °C`)
  print('Windows', `${weather.shape[0]} rows, ${step * 10} minutes apart; target: the temperature ${tenMinutes.delay / 6} hours later`)
  print('Training', `${span(split.train)}: ${thousands(split.train[1] + 1 - lookback)} windows, drawn at random`)
  print('Validation', `${span(split.validation)}: ${thousands(held)} windows in order, ${weather.validation.batchesPerCycle} batches`)

  const departures: string[] = []
  if (period === 'later') departures.push(`rows of 2024, ${thousands(split.train[1] + 1)} of them for training`)
  if (minutes === 60) departures.push('hourly rows')
  if (columns.length < all) departures.push(`${columns.length} of ${all} columns, ${computed.length} of them computed`)
  if (minutes === 60 || period === 'later') departures.push(`${thousands(held)} validation windows`)
  if (trainRows !== undefined && trainRows !== tenMinutes.trainRows) departures.push(`--train-rows ${thousands(trainRows)}`)
  const train = split.train[1] + 1
  const [name, source] = ['Jena weather', file.replace(/: .*/, '')]
  context.uses({ name, source, train, available: train, unit: 'rows', departures, contents: [found.data.data] })
  return weather
}

const span = ([first, last]: Rows): string => `rows ${first} … ${last}`
