/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by two LSTMs, one over the other.
 *
 *   network    LSTM 32 over 240 rows, one an hour – LSTM 32, both with dropout 0.2 and recurrent dropout 0.2 – Dense 1
 *   training   RMSprop on the mean absolute error, 20 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.1409, val_loss 0.5908
 */
import { dense, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 14,369 parameters with 14 columns. */
export const stackedForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  // returnSequences: the second LSTM needs a sequence, the output of every step.
  model.add(lstm(32, { dropout: 0.2, recurrentDropout: 0.2, returnSequences: true, inputShape: [null, features] }))
  model.add(lstm(32, { dropout: 0.2, recurrentDropout: 0.2 }))
  model.add(dense(1))
  return model
}

export const jenaLstmStacked: Experiment = {
  id: 'jena-lstm-stacked',
  document: '002',
  title: 'Temperature of the next day: two LSTMs with dropout',
  model: 'LSTM 32 – LSTM 32, dropout 0.2, over 240 hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.5908, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 20, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: stackedForecaster }),
}
