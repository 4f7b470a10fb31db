/**
 * Document 002, "Deep learning for text and sequences": an LSTM that reads the last 500 words of a review.
 *
 *   network    Embedding of 10,000 words in 32 numbers – LSTM 32 – Dense 1 sigmoid
 *   training   RMSprop, batches of 128, 10 epochs, the last fifth of the training reviews for validation
 *   result     val_acc: 0.8732 after the last epoch
 */
import { dense, embedding, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { trainRecurrent } from './recurrent.js'
import { MAX_FEATURES } from './reviews.js'

/** 328,353 parameters. */
export function imdbLstmModel(seed: number): Sequential {
  const model = new Sequential([], { seed })
  // Padding is read like a word, as in the document: mask_zero is false by default.
  model.add(embedding(MAX_FEATURES, 32))
  model.add(lstm(32))
  model.add(dense(1, { activation: 'sigmoid' }))
  return model
}

export const imdbLstm: Experiment = {
  id: 'imdb-lstm',
  document: '002',
  title: 'LSTM over the words of a film review',
  model: 'Embedding 10,000 × 32 – LSTM 32 – Dense 1 sigmoid; RMSprop',
  reported: { metric: 'val accuracy', value: 0.8732 },
  defaults: { epochs: 10, batchSize: 128 },

  run: (context) => trainRecurrent(context, imdbLstmModel(context.seed)),
}
