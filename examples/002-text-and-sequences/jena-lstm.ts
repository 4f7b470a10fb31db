/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by an LSTM over ten days.
 *
 *   network    LSTM 32 over 240 rows, one an hour – Dense 1
 *   training   RMSprop on the mean absolute error, 20 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.0534, val_loss 0.5119
 */
import { dense, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 6,049 parameters with 14 columns. */
export const lstmForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  // The number of steps is open, null; an LSTM does not need it.
  model.add(lstm(32, { inputShape: [null, features] }))
  model.add(dense(1))
  return model
}

export const jenaLstm: Experiment = {
  id: 'jena-lstm',
  document: '002',
  title: 'Temperature of the next day: LSTM',
  model: 'LSTM 32 over 240 hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.5119, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 20, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: lstmForecaster }),
}
