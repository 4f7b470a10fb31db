/** Shared by the eight forecasts of document 002: the windows, the training, and the error beside the naive forecast's. */
import type { SeriesWindows } from '@cotangent/datasets'
import { type History, rmsprop, type Sequential } from '@cotangent/layers'
import type { Context } from '../lib/experiment.js'
import { loadWeather, type Weather } from './weather.js'

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
  const { train, validation, lastBatch, shape, degrees } = await loadWeather(context, step)
  const naive = naiveError(validation)
  console.log(`Naive       tomorrow as now: MAE ${inBoth(naive, degrees)} over the validation windows\n`)

  const model = makeModel(shape, seed)
  model.compile({ optimizer: rmsprop({ learningRate }), loss: 'mae' })
  const history = await model.fit(train, {
    stepsPerEpoch: context.stepsPerEpoch ?? stepsPerEpoch,
    epochs,
    validationData: validation,
    callbacks,
    output,
  })

  const error = history.history.val_loss[epochs - 1]
  const [ofLastBatch] = await model.evaluate(lastBatch)
  model.dispose()
  console.log(`\nValidation MAE ${inBoth(error, degrees)}: ${beside(error, naive)} the naive forecast's ${inBoth(naive, degrees)}`)
  console.log(`val_loss as Keras 2.3 prints it, of the last batch alone: ${ofLastBatch.toFixed(4)}`)
  return { value: error, history, also: { degreesCelsius: error * degrees, naive, naiveDegreesCelsius: naive * degrees, ofLastBatch } }
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
