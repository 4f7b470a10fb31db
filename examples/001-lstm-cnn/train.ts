/** Shared by the two networks of document 001: preprocessing, training, and the confusion matrices of training and test images. */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { adam, type History, type Sequential } from '@cotangent/layers'
import { confusionMatrix, numpyText } from '../lib/confusion.js'
import type { Context } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

/** @param network its name in the printed line, and the shape of an image that it takes */
export async function trainAndConfuse(
  context: Context,
  network: { name: string; model: Sequential; imageShape: readonly number[] },
): Promise<{ value: number; history: History }> {
  const { epochs, batchSize, learningRate = 0.001, callbacks, output } = context
  const { name, model, imageShape } = network
  const digits = await context.mnist()
  // One-hot classes are for the loss. The matrices below take the digits themselves.
  const xTrain = normalize(reshape(digits.xTrain, [-1, ...imageShape]), 255)
  const xTest = normalize(reshape(digits.xTest, [-1, ...imageShape]), 255)
  const yTrain = toCategorical(digits.yTrain, 10)
  const yTest = toCategorical(digits.yTest, 10)

  model.summary()
  model.compile({ optimizer: adam({ learningRate }), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const history = await model.fit(xTrain, yTrain, { batchSize, epochs, verbose: 1, validationData: [xTest, yTest], callbacks, output })

  const scores = await model.evaluate(xTest, yTest, { verbose: 0 })
  console.log(`${name} test accuracy:`, scores[1])

  // predict_classes reads all images again, 70,000 of them; the matrix of the training images takes most of that time.
  const trainMatrix = confusionMatrix(digits.yTrain.data, await model.predictClasses(xTrain), 10)
  const testMatrix = confusionMatrix(digits.yTest.data, await model.predictClasses(xTest), 10)
  console.log(numpyText(trainMatrix), '\n\n', numpyText(testMatrix))
  await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
  return { value: scores[1], history }
}
