/**
 * Document 001, "Use LSTM & CNN model to classify MNIST dataset": the convolutional network, and the digits that it confuses.
 *
 *   network    Conv 32 5×5 same relu – max pooling – Conv 48 5×5 relu – max pooling – Dense 256 relu – Dense 84 relu – Dense 10 softmax
 *   training   Adam with rate 0.001, batches of 64, 1 epoch, the test images as validation data
 *   result     CNN test accuracy 0.9889, and the confusion matrices of training and test images
 */
import { conv2d, dense, flatten, maxPooling2d, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { trainAndConfuse } from './train.js'

/** 369,174 parameters. */
export function confusionCnn(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(conv2d(32, [5, 5], { padding: 'same', activation: 'relu', inputShape: [28, 28, 1] }))
  model.add(maxPooling2d({ strides: 2 })) // 14 × 14; windows of 2 × 2 are the default
  model.add(conv2d(48, [5, 5], { padding: 'valid', activation: 'relu' }))
  model.add(maxPooling2d({ strides: 2 }))
  model.add(flatten())
  model.add(dense(256, { activation: 'relu' }))
  model.add(dense(84, { activation: 'relu' }))
  model.add(dense(10, { activation: 'softmax' }))
  return model
}

export const mnistCnnConfusion: Experiment = {
  id: 'mnist-cnn-confusion',
  document: '001',
  title: 'Convolutional network with confusion matrices',
  model: 'Conv 32 5×5 – pool – Conv 48 5×5 – pool – 256 – 84 – 10; Adam',
  reported: { metric: 'test accuracy', value: 0.9889 },
  defaults: { epochs: 1, batchSize: 64 },

  run: (context) => trainAndConfuse(context, { name: 'CNN', model: confusionCnn(context.seed), imageShape: [28, 28, 1] }),
}
