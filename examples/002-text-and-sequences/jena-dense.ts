/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by a plain network that knows no order.
 *
 *   network    Flatten of 240 rows, one an hour – Dense 32 relu – Dense 1
 *   training   RMSprop on the mean absolute error, 20 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.0542, val_loss 5.6241
 */
import { dense, flatten, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 107,585 parameters with 14 columns. */
export const denseForecaster: MakeModel = ([steps, features], seed) => {
  const model = new Sequential([], { seed })
  // All numbers of a window in one row: which came first is lost.
  model.add(flatten({ inputShape: [steps, features] }))
  model.add(dense(32, { activation: 'relu' }))
  model.add(dense(1))
  return model
}

export const jenaDense: Experiment = {
  id: 'jena-dense',
  document: '002',
  title: 'Temperature of the next day: plain network',
  model: 'Flatten 240 hours – Dense 32 relu – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 5.6241, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 20, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: denseForecaster }),
}
