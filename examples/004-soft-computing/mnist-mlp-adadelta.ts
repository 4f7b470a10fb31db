/**
 * Document 004, "Soft computing": the network of mnist-mlp-rmsprop with the document's second optimizer.
 *
 *   network    Dense 512 relu – Dropout 0.2 – Dense 512 relu – Dropout 0.2 – Dense 10 softmax
 *   training   Adadelta, batches of 128, 20 epochs, the test images as validation data
 *   result     after 20 epochs val_loss: 0.0615 - val_acc: 0.9831
 */
import { adadelta } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { EPSILON, trainMlp } from './mlp.js'

export const mnistMlpAdadelta: Experiment = {
  id: 'mnist-mlp-adadelta',
  document: '004',
  title: 'Three-layer perceptron, Adadelta',
  model: '784 – 512 – 512 – 10 with Dropout 0.2; Adadelta',
  reported: { metric: 'val accuracy', value: 0.9831 },
  defaults: { epochs: 20, batchSize: 128 },
  run: (context) => trainMlp(context, adadelta({ learningRate: context.learningRate, epsilon: EPSILON })),
}
