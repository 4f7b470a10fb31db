/**
 * Document 000, "Neural network tutorial using Keras": the light version of its convolutional network.
 *
 *   network    Conv 32 5×5 relu – max pooling 2×2 – Dropout 0.2 – Dense 128 relu – Dense 10 softmax
 *   training   Adam, batches of 200, 10 epochs, the test images as validation data
 *   result     simple CNN error: 1.00%
 */
import type { Experiment } from '../lib/experiment.js'
import { lightCnn, trainCnn } from './cnn.js'

export const mnistCnnLight: Experiment = {
  id: 'mnist-cnn-light',
  document: '000',
  title: 'Convolutional network, light version',
  model: 'Conv 32 5×5 – pool – Dropout 0.2 – Dense 128 – 10; Adam',
  reported: { metric: 'test error %', value: 1 },
  defaults: { epochs: 10, batchSize: 200 },

  async run(context) {
    const { value, history } = await trainCnn(context, lightCnn, 2)
    console.log(`simple CNN error: ${value.toFixed(2)}%`)
    return { value, history }
  },
}
