/** Shared by the two recurrent networks of document 002: reviews of 500 words, and the training. */
import { type History, rmsprop, type Sequential } from '@cotangent/layers'
import { type Context, lastOf } from '../lib/experiment.js'
import { tupleText } from '../lib/python.js'
import { reviewShows } from '../lib/shown.js'
import { heldOut, paddedReviews, VALIDATION_SPLIT } from './reviews.js'
import { wordsOfReviews } from './words.js'

const MAXLEN = 500

export async function trainRecurrent(context: Context, model: Sequential): Promise<{ value: number; history: History }> {
  const { epochs, batchSize, learningRate, callbacks, output } = context
  console.log('Loading data...')
  const reviews = await paddedReviews(context, MAXLEN)
  const { xTrain, yTrain, xTest } = reviews
  console.log(xTrain.shape[0], 'train sequences')
  console.log(xTest.shape[0], 'test sequences')
  console.log('input_train shape', tupleText(xTrain.shape))
  console.log('input_test shape', tupleText(xTest.shape))

  // The document sets batch_size = 32 with the data, and then trains with batches of 128.
  model.compile({ optimizer: rmsprop({ learningRate }), loss: 'binaryCrossentropy', metrics: ['acc'] })
  const history = await model.fit(xTrain, yTrain, { epochs, batchSize, validationSplit: VALIDATION_SPLIT, callbacks, output })
  const { x, y } = heldOut(reviews)
  await context.shows(...reviewShows(model, x, y, () => wordsOfReviews(context.data)))
  return { value: lastOf(history, 'val_acc'), history }
}
