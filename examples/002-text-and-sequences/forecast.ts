/** Shared by the eight forecasts of document 002: the windows, the training, and the error beside the naive forecast's. */
import type { SeriesWindows } from '@cotangent/datasets'
import { type History, rmsprop, type Sequential } from '@cotangent/layers'
import { forecastSection, seriesSection } from '@cotangent/layers/report'
import type { Context } from '../lib/experiment.js'
import type { MakeSections } from '../lib/recording.js'
import { looksInside } from '../lib/shown.js'
import { loadWeather, temperature, type Weather } from './weather.js'

/** Batches of training in an epoch. */
const stepsPerEpoch = 500

/** A remark for those who compare with the document's numbers. */
export const oneBatch = "one batch's: Keras 2.3 prints the loss of the last batch of validation, always the same 128 windows"

/** Makes a network for windows of this shape. */
export type MakeModel = (shape: Weather['shape'], seed: number) => Sequential

/** @param step windows have every `step`-th row of ten minutes */
export async function forecast(
  context: Context,
  { makeModel, step }: { makeModel: MakeModel; step?: 3 | 6 },
): Promise<{ value: number; history: History; also: Record<string, number> }> {
  const { epochs, learningRate, seed, callbacks, output } = context
  const weather = await loadWeather(context, step)
  const { train, validation, lastBatch, shape, degrees } = weather
  await context.shows(...temperatureShows(weather))
  const naive = naiveError(validation)
  console.log(`Naive       tomorrow as now: MAE ${inBoth(naive, degrees)} over the validation windows\n`)

  const model = makeModel(shape, seed)
  model.compile({ optimizer: rmsprop({ learningRate }), loss: 'mae' })
  // Windows are drawn without end, so an epoch is so many batches. It does not see every window once.
  const history = await model.fit(train, {
    stepsPerEpoch: context.stepsPerEpoch ?? stepsPerEpoch,
    epochs,
    validationData: validation,
    callbacks,
    output,
  })

  // Our val_loss is the mean over all windows of validation, that of Keras 2.3 the loss of the last batch.
  const error = history.history.val_loss[epochs - 1]
  const [ofLastBatch] = await model.evaluate(lastBatch)
  await context.shows(() => tenDaysOf(model, weather), ...looksInside(model, firstOf(validation)))
  model.dispose()
  console.log(`\nValidation MAE ${inBoth(error, degrees)}: ${beside(error, naive)} the naive forecast's ${inBoth(naive, degrees)}`)
  console.log(`val_loss as Keras 2.3 prints it, of the last batch alone: ${ofLastBatch.toFixed(4)}`)
  return { value: error, history, also: { degreesCelsius: error * degrees, naive, naiveDegreesCelsius: naive * degrees, ofLastBatch } }
}

const DAY = 24 * 60
const inDegrees = { label: 'temperature', unit: '°C' }

/** The document's two curves: the whole series, and its first ten days. */
function temperatureShows({ celsius, minutes }: Weather): MakeSections[] {
  const x = { label: 'day', step: minutes / DAY }
  const tenDays = (10 * DAY) / minutes
  return [
    () => seriesSection({ temperature: celsius }, { title: 'The temperature, whole', x, y: inDegrees }),
    () => seriesSection({ temperature: celsius.subarray(0, tenDays) }, { title: 'The temperature of the first ten days', x, y: inDegrees }),
  ]
}

/** The network's forecast of the first ten days of validation, each hour a day ahead. */
const tenDaysOf = (model: Sequential, { validation, minutes, mean, degrees }: Weather) =>
  forecastSection(model, validation, {
    title: 'Ten days of validation, each foretold a day before',
    says: 'The naive forecast says that it will be as warm as it was a day before.',
    windows: (10 * DAY) / minutes,
    column: temperature,
    scale: { mean, deviation: degrees },
    x: { label: 'day', step: minutes / DAY },
    y: inDegrees,
  })

/** The first batch of windows. */
function firstOf(windows: SeriesWindows) {
  const [[x]] = windows
  return x
}

/** The mean error of the forecast that the temperature stays as it is: mean |samples[:, -1, 1] - targets|. */
export function naiveError(windows: SeriesWindows): number {
  let [sum, count] = [0, 0]
  for (const [x, y] of windows) {
    const [batch, steps, features] = x.shape
    for (let i = 0; i < batch; i++) sum += Math.abs(x.data[((i + 1) * steps - 1) * features + 1] - y.data[i])
    count += batch
  }
  return sum / count
}

const inBoth = (error: number, degrees: number): string => `${error.toFixed(4)} (${(error * degrees).toFixed(2)} °C)`

const beside = (error: number, naive: number): string => (error < naive ? 'below' : 'not below')
