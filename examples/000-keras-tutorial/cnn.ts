/**
 * Document 000's two convolutional networks. Images have one channel, and channels come first, as the document writes them: [1, 28, 28]. Its Keras must have been set
 * to the data format channelsFirst, although the text does not say so: with channels last the image would be 1 high and 28 wide, and no 5×5 window
 * would fit it.
 */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import {
  adam,
  conv2d,
  dense,
  dropout,
  flatten,
  type History,
  imageDataFormat,
  maxPooling2d,
  Sequential,
  setImageDataFormat,
} from '@cotangent/layers'
import type { Context } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

/** Makes layers whose data format is channelsFirst. */
function channelsFirst<R>(make: () => R): R {
  const before = imageDataFormat()
  setImageDataFormat('channelsFirst')
  try {
    return make()
  } finally {
    setImageDataFormat(before)
  }
}

/** The light version: 592,074 parameters. */
export const lightCnn = (seed: number, numClasses = 10): Sequential =>
  channelsFirst(() => {
    const model = new Sequential([], { seed })
    // Channels come first: with channels last this would be an image 1 high, into which no 5×5 window fits.
    model.add(conv2d(32, [5, 5], { inputShape: [1, 28, 28], activation: 'relu' }))
    model.add(maxPooling2d({ poolSize: [2, 2] }))
    model.add(dropout(0.2)) // in training alone
    model.add(flatten())
    model.add(dense(128, { activation: 'relu' }))
    model.add(dense(numClasses, { activation: 'softmax' }))
    return model
  })

/** The full version: 198,263 parameters. */
export const fullCnn = (seed: number, numClasses = 10): Sequential =>
  channelsFirst(() => {
    const model = new Sequential([], { seed })
    model.add(conv2d(30, [5, 5], { inputShape: [1, 28, 28], activation: 'relu' }))
    model.add(maxPooling2d({ poolSize: [2, 2] }))
    model.add(conv2d(15, [3, 3], { activation: 'relu' }))
    model.add(dropout(0.2))
    model.add(flatten())
    model.add(dense(128, { activation: 'relu' }))
    model.add(dense(numClasses, { activation: 'softmax' }))
    return model
  })

/** Loads the data, trains, and returns the test error in per cent. */
export async function trainCnn(
  context: Context,
  makeModel: (seed: number, numClasses: number) => Sequential,
  verbose: 1 | 2,
): Promise<{ value: number; history: History }> {
  const { epochs, batchSize, learningRate, seed, callbacks, output } = context
  const digits = await context.mnist()

  // Pre-processing: as for the perceptron, but an image stays an image, with an axis for its one channel in front.
  const xTrain = normalize(reshape(digits.xTrain, [-1, 1, 28, 28]), 255)
  const xTest = normalize(reshape(digits.xTest, [-1, 1, 28, 28]), 255)
  const yTrain = toCategorical(digits.yTrain, 10)
  const yTest = toCategorical(digits.yTest, 10)
  const numClasses = yTest.shape[1]

  const model = makeModel(seed, numClasses)
  // The document ran a Keras before 2.3, which prints accuracy as acc.
  model.compile({ loss: 'categoricalCrossentropy', optimizer: adam({ learningRate }), metrics: ['acc'] })

  const history = await model.fit(xTrain, yTrain, { validationData: [xTest, yTest], epochs, batchSize, verbose, callbacks, output })

  const scores = await model.evaluate(xTest, yTest, { verbose: 0 })
  await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
  return { value: 100 - scores[1] * 100, history }
}
