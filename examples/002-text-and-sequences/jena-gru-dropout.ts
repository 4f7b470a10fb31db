/**
 * Document 002, "Deep learning for text and sequences": the temperature of the next day, by a GRU that drops inputs and states.
 *
 *   network    GRU 32 over 240 rows, one an hour, dropout 0.2 and recurrent dropout 0.2 – Dense 1
 *   training   RMSprop on the mean absolute error, 40 epochs of 500 batches of 128 windows drawn at random from 20,000 rows
 *   result     none: the loss became too large in its Keras, and the document goes on with LSTMs
 *
 * In Keras 2.3 the update gate keeps a state that recurrent dropout has already masked and scaled by 1 / 0.8. So a kept state can grow by a quarter at every
 * step, without bound over 240 steps. Here, as in the definition, only the inputs of gates and candidate are masked.
 */
import { dense, gru, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { forecast, type MakeModel } from './forecast.js'

/** 4,545 parameters with 14 columns. */
export const gruForecaster: MakeModel = ([, features], seed) => {
  const model = new Sequential([], { seed })
  model.add(gru(32, { dropout: 0.2, recurrentDropout: 0.2, inputShape: [null, features] }))
  model.add(dense(1))
  return model
}

export const jenaGruDropout: Experiment = {
  id: 'jena-gru-dropout',
  document: '002',
  title: 'Temperature of the next day: GRU with dropout',
  model: 'GRU 32 with dropout 0.2 over 240 hours – Dense 1; RMSprop on MAE',
  reported: { metric: 'val MAE', remark: 'no figure: in its Keras the loss became too large' },
  flags: ['train-rows'],
  defaults: { epochs: 40, batchSize: 128 },

  run: (context) => forecast(context, { makeModel: gruForecaster }),
}
