/**
 * Document 000, "Neural network tutorial using Keras": the full version of its convolutional network.
 *
 *   network    Conv 30 5×5 relu – max pooling 2×2 – Conv 15 3×3 relu – Dropout 0.2 – Dense 128 relu – Dense 10 softmax
 *   training   Adam, batches of 200, 10 epochs, the test images as validation data
 *   result     Larger CNN error: 0.90%
 *
 * The document's code has verbose 2 and "Full CNN error"; its output has verbose 1 and "Larger CNN error". This program follows the output.
 */
import type { Experiment } from '../lib/experiment.js'
import { fullCnn, trainCnn } from './cnn.js'

export const mnistCnnFull: Experiment = {
  id: 'mnist-cnn-full',
  document: '000',
  title: 'Convolutional network, full version',
  model: 'Conv 30 5×5 – pool – Conv 15 3×3 – Dropout 0.2 – Dense 128 – 10; Adam',
  reported: { metric: 'test error %', value: 0.9 },
  defaults: { epochs: 10, batchSize: 200 },

  async run(context) {
    const { value, history } = await trainCnn(context, fullCnn, 1)
    console.log(`Larger CNN error: ${value.toFixed(2)}%`)
    return { value, history }
  },
}
