/**
 * Document 002, "Deep learning for text and sequences": words as vectors, learned from the last 20 words of a review.
 *
 *   network    Embedding of 10,000 words in 8 numbers – Flatten – Dense 1 sigmoid
 *   training   RMSprop, batches of 32, 10 epochs, the last fifth of the training reviews for validation
 *   result     val_acc: 0.7548 after the last epoch
 */
import { dense, embedding, flatten, rmsprop, Sequential } from '@cotangent/layers'
import { type Experiment, lastOf } from '../lib/experiment.js'
import { arrayText } from '../lib/numpy.js'
import { reviewShows } from '../lib/shown.js'
import { heldOut, MAX_FEATURES, paddedReviews, VALIDATION_SPLIT } from './reviews.js'
import { wordsOfReviews } from './words.js'

const MAXLEN = 20

/** 80,161 parameters. */
export function imdbEmbeddingModel(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(embedding(MAX_FEATURES, 8, { inputLength: MAXLEN }))
  model.add(flatten())
  model.add(dense(1, { activation: 'sigmoid' }))
  return model
}

export const imdbEmbedding: Experiment = {
  id: 'imdb-embedding',
  document: '002',
  title: 'Vectors of words from the ends of film reviews',
  model: 'Embedding 10,000 × 8 of 20 words – Flatten – Dense 1 sigmoid; RMSprop',
  reported: { metric: 'val accuracy', value: 0.7548 },
  defaults: { epochs: 10, batchSize: 32 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    // All inputs need one length for Flatten. Of a review the last 20 words are left, less than a tenth.
    const reviews = await paddedReviews(context, MAXLEN)
    const { xTrain, yTrain, xTest } = reviews
    console.log(arrayText(xTrain))
    console.log()
    console.log(arrayText(xTest))
    console.log(xTrain.shape[1])

    const model = imdbEmbeddingModel(seed)
    model.compile({ optimizer: rmsprop({ learningRate }), loss: 'binaryCrossentropy', metrics: ['acc'] })
    model.summary()
    const history = await model.fit(xTrain, yTrain, { epochs, batchSize, validationSplit: VALIDATION_SPLIT, callbacks, output })
    const { x, y } = heldOut(reviews)
    await context.shows(...reviewShows(model, x, y, () => wordsOfReviews(context.data)))
    return { value: lastOf(history, 'val_acc'), history }
  },
}
