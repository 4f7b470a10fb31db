/**
 * Document 000, "Neural network tutorial using Keras": the multilayer perceptron with which it compares everything after it.
 *
 *   network    Dense 784 relu – Dense 10 softmax, weights from a normal distribution (deviation 0.05)
 *   training   Adam, batches of 200, 10 epochs, the test images as validation data
 *   result     Baseline error: 1.79%
 */
import { normalize, reshape, slice, toCategorical } from '@cotangent/datasets'
import { adam, dense, Sequential } from '@cotangent/layers'
import { imagesSection } from '@cotangent/layers/report'
import type { Experiment } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

export const mnistMlp: Experiment = {
  id: 'mnist-mlp',
  document: '000',
  title: 'Baseline multilayer perceptron',
  model: 'Dense 784 relu (normal weights) – Dense 10 softmax; Adam',
  reported: { metric: 'test error %', value: 1.79 },
  defaults: { epochs: 10, batchSize: 200 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const digits = await context.mnist()
    // The document first looks at one image, a scrawled 5.
    const first = { title: `The first training image, a ${digits.yTrain.data[0]}`, ink: true }
    await context.shows(() => imagesSection(slice(digits.xTrain, 0, 1), first))

    // Pre-processing: an image becomes a row of pixels of 0 … 1, a digit ten numbers, one of them 1.
    const [, height, width] = digits.xTrain.shape
    const numPixels = height * width
    const xTrain = normalize(reshape(digits.xTrain, [-1, numPixels]), 255)
    const xTest = normalize(reshape(digits.xTest, [-1, numPixels]), 255)
    const yTrain = toCategorical(digits.yTrain, 10)
    const yTest = toCategorical(digits.yTest, 10)
    const numClasses = yTest.shape[1]

    // Define and compile. The first layer has to say the shape of its input; Keras works out the others.
    const model = new Sequential([], { seed })
    model.add(dense(numPixels, { inputShape: [numPixels], kernelInitializer: 'normal', activation: 'relu' }))
    model.add(dense(numClasses, { kernelInitializer: 'normal', activation: 'softmax' }))
    // The document ran a Keras before 2.3, which prints accuracy as acc.
    model.compile({ loss: 'categoricalCrossentropy', optimizer: adam({ learningRate }), metrics: ['acc'] })

    // The test images are the validation data. So val_acc is the test accuracy, and to choose an epoch by it would be to choose by the test.
    const history = await model.fit(xTrain, yTrain, { validationData: [xTest, yTest], epochs, batchSize, verbose: 2, callbacks, output })

    const scores = await model.evaluate(xTest, yTest)
    const error = 100 - scores[1] * 100
    await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
    console.log(`Baseline error: ${error.toFixed(2)}%`)
    return { value: error, history }
  },
}
