/**
 * Document 001, "Use LSTM & CNN model to classify MNIST dataset": a recurrent network that reads an image row by row, and the digits that it confuses.
 *
 *   network    LSTM 256 over 28 rows of 28 pixels – Dense 10 – softmax
 *   training   Adam with rate 0.001, batches of 128, 1 epoch, the test images as validation data
 *   result     LSTM test accuracy 0.9560, and the confusion matrices of training and test images
 */
import { activation, dense, lstm, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { trainAndConfuse } from './train.js'

/** 294,410 parameters. */
export function confusionLstm(seed: number): Sequential {
  const model = new Sequential([], { seed })
  // unroll makes a graph of 28 steps in Keras; here it changes nothing.
  model.add(lstm(256, { batchInputShape: [null, 28, 28], unroll: true }))
  model.add(dense(10))
  model.add(activation('softmax'))
  return model
}

export const mnistLstmConfusion: Experiment = {
  id: 'mnist-lstm-confusion',
  document: '001',
  title: 'LSTM with confusion matrices',
  model: 'LSTM 256 over 28 rows – Dense 10 softmax; Adam',
  reported: { metric: 'test accuracy', value: 0.956 },
  defaults: { epochs: 1, batchSize: 128 },

  run: (context) => trainAndConfuse(context, { name: 'LSTM', model: confusionLstm(context.seed), imageShape: [28, 28] }),
}
