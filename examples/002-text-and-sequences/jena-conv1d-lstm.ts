/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by convolutions whose output an LSTM reads.
 *
 *   network    Conv1D 32 5 relu over 480 rows, one every half hour – max pooling 3 – Conv1D 32 5 relu – LSTM 32, dropout 0.2 and recurrent dropout 0.2 – Dense 1
 *   training   RMSprop on the mean absolute error, 40 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.0611, val_loss 0.5860
 */
import { conv1d, dense, lstm, maxPooling1d, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 15,777 parameters with 14 columns. */
export const conv1dLstmForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  model.add(conv1d(32, 5, { activation: 'relu', inputShape: [null, features] }))
  model.add(maxPooling1d({ poolSize: 3 }))
  model.add(conv1d(32, 5, { activation: 'relu' }))
  // 480 half hours come out of the convolutions as 154 steps.
  model.add(lstm(32, { dropout: 0.2, recurrentDropout: 0.2 }))
  model.add(dense(1))
  return model
}

export const jenaConv1dLstm: Experiment = {
  id: 'jena-conv1d-lstm',
  document: '002',
  title: 'Temperature of the next day: convolutions, then LSTM',
  model: 'Conv1D 32 5 – pool 3 – Conv1D 32 5 – LSTM 32 with dropout 0.2 over 480 half hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.586, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 40, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: conv1dLstmForecaster, step: 3 }),
}
