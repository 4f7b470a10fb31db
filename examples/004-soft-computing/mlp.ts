/**
 * Document 004's perceptron, which the document trains twice, with different optimizers. It first shows 81 digits. Images are rows of 784 values in
 * 0 … 1, classes are one-hot, the test images are the validation data.
 */
import { normalize, reshape, toCategorical } from '@cotangent/datasets'
import { dense, dropout, type History, type Optimizer, Sequential } from '@cotangent/layers'
import { imagesSection } from '@cotangent/layers/report'
import { digitGrid } from '../lib/digit-grid.js'
import type { Context } from '../lib/experiment.js'
import { classifierShows } from '../lib/shown.js'

/** The document's Keras (2.0.8 or before) has this epsilon. */
export const EPSILON = 1e-8

/** Loads the data, trains, and returns the validation accuracy of the last epoch. */
export async function trainMlp(context: Context, optimizer: Optimizer): Promise<{ value: number; history: History }> {
  const { epochs, batchSize, seed, callbacks, output } = context
  const digits = await context.mnist()
  // The document first shows the first 81 digits, white on black.
  await context.draw('digits.svg', () => digitGrid(digits.xTrain, 9))
  await context.shows(() => imagesSection(digits.xTrain, { title: 'The first 81 training images', columns: 9, most: 81 }))

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

  // Keras before 2.3 prints accuracy as acc. It is measured on each batch as training goes on, with dropout; val_acc after the epoch, without.
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
  await context.shows(...classifierShows(model, xTest, digits.xTest, digits.yTest))
  // There is no evaluate: the figure is that of the last epoch, which need not be the best.
  return { value: history.history.val_acc.at(-1) as number, history }
}
