/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by an LSTM in both directions.
 *
 *   network    LSTM 32 over 240 rows, one an hour, forward and backward, dropout 0.2 and recurrent dropout 0.2 – Dense 1
 *   training   RMSprop on the mean absolute error, 20 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.1292, val_loss 0.4860
 */
import { bidirectional, dense, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 12,097 parameters with 14 columns. */
export const bidirectionalForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  // The backward half ends with the hour of ten days ago, which says least about tomorrow; so the document does not expect it to help.
  model.add(bidirectional(lstm(32, { dropout: 0.2, recurrentDropout: 0.2 }), { inputShape: [null, features] }))
  model.add(dense(1))
  return model
}

export const jenaLstmBidirectional: Experiment = {
  id: 'jena-lstm-bidirectional',
  document: '002',
  title: 'Temperature of the next day: LSTM in both directions',
  model: 'Bidirectional LSTM 32 with dropout 0.2 over 240 hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.486, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 20, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: bidirectionalForecaster }),
}
