/**
 * Document 002, "Deep learning for text and sequences": the network of `imdb-glove` with vectors of words learned from the same 200 reviews.
 *
 *   network    Embedding of 10,000 words in 100 numbers – Flatten – Dense 32 relu – Dense 1 sigmoid
 *   training   RMSprop, batches of 32, 10 epochs, 200 reviews of 100 words, 10,000 others for validation
 *   result     val_acc: 0.5227 after the last epoch
 */
import { rmsprop } from '@cotangent/layers'
import { type Experiment, lastOf } from '../lib/experiment.js'
import { reviewShows } from '../lib/shown.js'
import { denseModel, MAX_WORDS, shuffledReviews } from './raw-reviews.js'
import { wordsOf } from './words.js'

export const imdbNoGlove: Experiment = {
  id: 'imdb-no-glove',
  document: '002',
  title: 'Vectors of words from 200 film reviews',
  model: 'Embedding 10,000 × 100 – Flatten – Dense 32 – Dense 1 sigmoid; RMSprop, 200 reviews',
  reported: { metric: 'val accuracy', value: 0.5227 },
  defaults: { epochs: 10, batchSize: 32 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const { tokenizer, xTrain, yTrain, xVal, yVal, used } = await shuffledReviews(context)
    context.uses(used)

    const model = denseModel(seed)
    model.summary()
    // A million numbers for words, and 200 reviews: most words are in none of them, and keep the vector that they started with.
    model.compile({ optimizer: rmsprop({ learningRate }), loss: 'binaryCrossentropy', metrics: ['acc'] })
    const history = await model.fit(xTrain, yTrain, { epochs, batchSize, validationData: [xVal, yVal], callbacks, output })
    await context.shows(...reviewShows(model, xVal, yVal, async () => wordsOf(tokenizer, MAX_WORDS)))
    return { value: lastOf(history, 'val_acc'), history }
  },
}
