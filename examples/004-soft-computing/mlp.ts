/**
 * Document 004's perceptron, which the document trains twice, with different optimizers. It first shows 81 digits. Images are rows of 784 values in
 * 0 … 1, classes are one-hot, the test images are the validation data.
 */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { dense, dropout, type History, type Optimizer, Sequential } from '@cotangent/layers'
import { digitGrid } from '../lib/digit-grid.js'
import type { Context } from '../lib/experiment.js'

/** The document's Keras (2.0.8 or before) has this epsilon. */
export const EPSILON = 1e-8

/** Loads the data, trains, and returns the validation accuracy of the last epoch. */
export async function trainMlp(context: Context, optimizer: Optimizer): Promise<{ value: number; history: History }> {
  const { epochs, batchSize, seed, callbacks, output } = context
  const digits = await context.mnist()
  await context.draw('digits.svg', () => digitGrid(digits.xTrain, 9))

  const numClasses = 10
  const xTrain = normalize(reshape(digits.xTrain, [-1, 784]), 255)
  const xTest = normalize(reshape(digits.xTest, [-1, 784]), 255)
  const yTrain = toCategorical(digits.yTrain, numClasses)
  const yTest = toCategorical(digits.yTest, numClasses)
  console.log(xTrain.shape[0], 'train samples')
  console.log(xTest.shape[0], 'test samples')

  const model = new Sequential([], { seed })
  model.add(dense(512, { activation: 'relu', inputShape: [784] }))
  model.add(dropout(0.2))
  model.add(dense(512, { activation: 'relu' }))
  model.add(dropout(0.2))
  model.add(dense(numClasses, { activation: 'softmax' }))

  // Keras before 2.3 prints accuracy as acc.
  model.compile({ loss: 'categoricalCrossentropy', optimizer, metrics: ['acc'] })

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
}
