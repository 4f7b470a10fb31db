/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by convolutions over time.
 *
 *   network    Conv1D 32 5 relu over 240 rows, one an hour – max pooling 3 – Conv1D 32 5 relu – max pooling 3 – Conv1D 32 5 relu – global max pooling – Dense 1
 *   training   RMSprop on the mean absolute error, 20 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     loss 0.1066, val_loss 0.3351
 */
import { conv1d, dense, globalMaxPooling1d, maxPooling1d, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel, oneBatch } from './forecast.js'

/** 12,609 parameters with 14 columns. */
export const conv1dForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  model.add(conv1d(32, 5, { activation: 'relu', inputShape: [null, features] }))
  model.add(maxPooling1d({ poolSize: 3 }))
  model.add(conv1d(32, 5, { activation: 'relu' }))
  model.add(maxPooling1d({ poolSize: 3 }))
  model.add(conv1d(32, 5, { activation: 'relu' }))
  model.add(globalMaxPooling1d()) // when a pattern was seen is lost, and the last hours matter most
  model.add(dense(1))
  return model
}

export const jenaConv1d: Experiment = {
  id: 'jena-conv1d',
  document: '002',
  title: 'Temperature of the next day: convolutions over time',
  model: 'Conv1D 32 5 – pool 3 – Conv1D 32 5 – pool 3 – Conv1D 32 5 – global pool – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', value: 0.3351, remark: oneBatch },
  flags: ['train-rows'],
  defaults: { epochs: 20, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: conv1dForecaster }),
}
