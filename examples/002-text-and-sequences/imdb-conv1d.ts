/**
 * Document 002, "Deep learning for text and sequences": convolutions over the last 500 words of a review.
 *
 *   network    Embedding of 10,000 words in 128 numbers – Conv1D 32×7 relu – max pooling 5 – Conv1D 32×7 relu – global max pooling – Dense 1
 *   training   RMSprop with rate 0.0001, batches of 128, 10 epochs, the last fifth of the training reviews for validation
 *   result     val_acc: 0.7654 after the last epoch
 *
 * The last layer is linear, as in the document. So the loss takes raw outputs for probabilities and clips them to 0 … 1. If the outputs of all reviews start
 * below 0, the gradient is zero and the loss stays near 7.71. Nearly half of all seeds start so; the report then says it.
 */
import { conv1d, dense, embedding, globalMaxPooling1d, maxPooling1d, rmsprop, Sequential } from '@cotangent/layers'
import { type Experiment, lastOf } from '../lib/experiment.js'
import { tupleText } from '../lib/python.js'
import { reviewShows } from '../lib/shown.js'
import { heldOut, MAX_FEATURES, paddedReviews, VALIDATION_SPLIT } from './reviews.js'
import { wordsOfReviews } from './words.js'

const MAX_LEN = 500

/** 1,315,937 parameters. */
export function imdbConv1dModel(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(embedding(MAX_FEATURES, 128, { inputLength: MAX_LEN }))
  model.add(conv1d(32, 7, { activation: 'relu' }))
  model.add(maxPooling1d({ poolSize: 5 }))
  model.add(conv1d(32, 7, { activation: 'relu' }))
  model.add(globalMaxPooling1d()) // in the place of Flatten: 32 numbers, whatever the length
  model.add(dense(1)) // linear, as in the document: see above
  return model
}

/**
 * A sentence if the training never began: after two epochs or more, every validation loss equals the first to one part in a million. A network that
 * moves at all changes its loss by more; without a gradient the loss stays the same to the last bit.
 */
export function deadStart(valLoss: readonly number[]): string | undefined {
  const [first] = valLoss
  if (valLoss.length < 2 || valLoss.some((loss) => !(Math.abs(loss - first) <= 1e-6 * Math.abs(first)))) return undefined
  return `A dead start: the validation loss is ${first.toFixed(4)} after every epoch. The raw outputs began below 0, where the loss clips them and has no gradient; another seed will do.`
}

export const imdbConv1d: Experiment = {
  id: 'imdb-conv1d',
  document: '002',
  title: 'Convolutions over the words of a film review',
  model: 'Embedding 10,000 × 128 – Conv1D 32×7 – pool 5 – Conv1D 32×7 – global max – Dense 1; RMSprop 0.0001',
  reported: { metric: 'val accuracy', value: 0.7654 },
  defaults: { epochs: 10, batchSize: 128 },

  async run(context) {
    const { epochs, batchSize, learningRate = 1e-4, seed, callbacks, output } = context
    console.log('Loading data...')
    const reviews = await paddedReviews(context, MAX_LEN)
    const { xTrain, yTrain, xTest } = reviews
    console.log(xTrain.shape[0], 'train sequences')
    console.log(xTest.shape[0], 'test sequences')
    console.log('Pad sequences (samples x time)')
    console.log('x_train shape:', tupleText(xTrain.shape))
    console.log('x_test shape:', tupleText(xTest.shape))

    const model = imdbConv1dModel(seed)
    model.summary()
    // The loss cuts the raw outputs to 0 … 1, and has no gradient where it cuts. The accuracy asks whether they are above ½.
    model.compile({ optimizer: rmsprop({ learningRate }), loss: 'binaryCrossentropy', metrics: ['acc'] })
    const history = await model.fit(xTrain, yTrain, { epochs, batchSize, validationSplit: VALIDATION_SPLIT, callbacks, output })
    const { x, y } = heldOut(reviews)
    await context.shows(...reviewShows(model, x, y, () => wordsOfReviews(context.data), 'clipped'))
    return { value: lastOf(history, 'val_acc'), history, remark: deadStart(history.history.val_loss) }
  },
}
