/** Document 004's data: the first 81 digits shown, images as rows of 784 values in 0 … 1, classes one-hot. */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { digitGrid } from '../lib/digit-grid.js'
import type { Context } from '../lib/experiment.js'

export async function loadDigits(context: Context) {
  const digits = await context.mnist()
  await context.draw('digits.svg', () => digitGrid(digits.xTrain, 9))

  const numClasses = 10
  const xTrain = normalize(reshape(digits.xTrain, [-1, 784]), 255)
  const xTest = normalize(reshape(digits.xTest, [-1, 784]), 255)
  const yTrain = toCategorical(digits.yTrain, numClasses)
  const yTest = toCategorical(digits.yTest, numClasses)
  console.log(xTrain.shape[0], 'train samples')
  console.log(xTest.shape[0], 'test samples')
  return { xTrain, yTrain, xTest, yTest }
}
