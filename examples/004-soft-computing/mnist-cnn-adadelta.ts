/**
 * Document 004, "Soft computing": the convolutional network, whose input is images, not rows.
 *
 *   network    Conv 32 3×3 relu – Conv 64 3×3 relu – max pooling 2×2 – Dropout 0.25 – Dense 128 relu – Dropout 0.5 – Dense 10 softmax
 *   training   Adadelta, batches of 128, 12 epochs, the test images as validation data
 *   result     after 12 epochs val_acc: 0.9902
 */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { adadelta, conv2d, dense, dropout, flatten, imageDataFormat, maxPooling2d, Sequential } from '@cotangent/layers'
import type { Experiment } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'
import { EPSILON } from './mlp.js'

const NUM_CLASSES = 10

/** The shape of an image with one channel. The document asks for the data format, since TensorFlow and Theano put the channels in different places. */
const imageShape = (): number[] => (imageDataFormat() === 'channelsFirst' ? [1, 28, 28] : [28, 28, 1])

/** 1,199,882 parameters. */
export function adadeltaCnn(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(conv2d(32, [3, 3], { activation: 'relu', inputShape: imageShape() }))
  model.add(conv2d(64, [3, 3], { activation: 'relu' }))
  model.add(maxPooling2d({ poolSize: [2, 2] }))
  model.add(dropout(0.25))
  model.add(flatten())
  model.add(dense(128, { activation: 'relu' }))
  model.add(dropout(0.5))
  model.add(dense(NUM_CLASSES, { activation: 'softmax' }))
  return model
}

export const mnistCnnAdadelta: Experiment = {
  id: 'mnist-cnn-adadelta',
  document: '004',
  title: 'Convolutional network, Adadelta',
  model: 'Conv 32 3×3 – Conv 64 3×3 – pool – Dropout 0.25 – 128 – Dropout 0.5 – 10; Adadelta',
  reported: { metric: 'val accuracy', value: 0.9902 },
  defaults: { epochs: 12, batchSize: 128 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const digits = await context.mnist()
    const xTrain = normalize(reshape(digits.xTrain, [-1, ...imageShape()]), 255)
    const xTest = normalize(reshape(digits.xTest, [-1, ...imageShape()]), 255)
    const yTrain = toCategorical(digits.yTrain, NUM_CLASSES)
    const yTest = toCategorical(digits.yTest, NUM_CLASSES)
    console.log(xTrain.shape[0], 'train samples')
    console.log(xTest.shape[0], 'test samples')

    const model = adadeltaCnn(seed)
    // Keras before 2.3 prints accuracy as acc; the learning rate of its Adadelta is 1.
    model.compile({ loss: 'categoricalCrossentropy', optimizer: adadelta({ learningRate, epsilon: EPSILON }), metrics: ['acc'] })
    const history = await model.fit(xTrain, yTrain, {
      batchSize,
      epochs,
      verbose: 1,
      validationData: [xTest, yTest],
      style: '2.0.8',
      callbacks,
      output,
    })
    await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
    return { value: history.history.val_acc.at(-1) as number, history }
  },
}
