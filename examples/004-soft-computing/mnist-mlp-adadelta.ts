/**
 * Document 004, "Soft computing": the same network as mnist-mlp-rmsprop, with the optimizer that the document changes to.
 *
 *   network    Dense 512 relu – Dropout 0.2 – Dense 512 relu – Dropout 0.2 – Dense 10 softmax
 *   training   Adadelta, batches of 128, 20 epochs, the test images as validation data
 *   result     after 20 epochs val_loss: 0.0615 - val_acc: 0.9831
 */
import { adadelta, dense, dropout, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { loadDigits } from './data.js'

export const mnistMlpAdadelta: Experiment = {
  id: 'mnist-mlp-adadelta',
  document: '004',
  title: 'Three-layer perceptron, Adadelta',
  model: '784 – 512 – 512 – 10 with Dropout 0.2; Adadelta',
  reported: { metric: 'val accuracy', value: 0.9831 },
  defaults: { epochs: 20, batchSize: 128 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const { xTrain, yTrain, xTest, yTest } = await loadDigits(context)

    const model = new Sequential([], { seed })
    model.add(dense(512, { activation: 'relu', inputShape: [784] }))
    model.add(dropout(0.2))
    model.add(dense(512, { activation: 'relu' }))
    model.add(dropout(0.2))
    model.add(dense(10, { activation: 'softmax' }))

    // The document's Keras (2.0.8 or before) has this epsilon, and prints accuracy as acc.
    model.compile({ loss: 'categoricalCrossentropy', optimizer: adadelta({ learningRate, epsilon: 1e-8 }), metrics: ['acc'] })

    const history = await model.fit(xTrain, yTrain, {
      batchSize,
      epochs,
      verbose: 1,
      validationData: [xTest, yTest],
      style: '2.0.8',
      callbacks,
      output,
    })
    return { value: history.history.val_acc.at(-1) as number, history }
  },
}
