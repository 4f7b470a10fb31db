/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by an LSTM that drops inputs and states.
 *
 *   network    LSTM 32 over 240 rows, one an hour, dropout 0.2 and recurrent dropout 0.2 – Dense 1
 *   training   RMSprop on the mean absolute error, 40 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.1378, val_loss 0.2181
 */
import { dense, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 6,049 parameters with 14 columns. */
export const lstmDropoutForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  // All steps of a window drop the same inputs and states: other ones at each step would hide what the error says.
  model.add(lstm(32, { dropout: 0.2, recurrentDropout: 0.2, inputShape: [null, features] }))
  model.add(dense(1))
  return model
}

export const jenaLstmDropout: Experiment = {
  id: 'jena-lstm-dropout',
  document: '002',
  title: 'Temperature of the next day: LSTM with dropout',
  model: 'LSTM 32 with dropout 0.2 over 240 hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.2181, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 40, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: lstmDropoutForecaster }),
}
