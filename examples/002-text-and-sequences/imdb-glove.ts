/**
 * Document 002, "Deep learning for text and sequences": GloVe's vectors of words, kept as they are, and 200 reviews to learn from.
 *
 *   network    Embedding of 10,000 words in 100 numbers, frozen – Flatten – Dense 32 relu – Dense 1 sigmoid
 *   training   RMSprop, batches of 32, 10 epochs, 200 reviews of 100 words, 10,000 others for validation
 *   result     val_acc: 0.5839 after the last epoch; all test reviews: [0.7379635489845275, 0.5704799890518188]
 *
 *   file       pre_trained_glove_model.h5, the weights, in the directory of --out
 *
 * The network that is evaluated on the test reviews loads these weights. (The document loads them into its other network, which has the same shape.)
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scope, tensor } from '@cotangent/core'
import { ndarray, slice } from '@cotangent/datasets'
import { rmsprop } from '@cotangent/layers'
import { loadWeights, saveWeights } from '@cotangent/layers/node'
import { type Experiment, lastOf } from '../lib/experiment.js'
import { arrayText } from '../lib/numpy.js'
import { tupleText } from '../lib/python.js'
import { reviewShows } from '../lib/shown.js'
import { denseModel, EMBEDDING_DIM, gloveMatrix, MAX_WORDS, shuffledReviews, testReviews } from './raw-reviews.js'
import { wordsOf } from './words.js'

export const imdbGlove: Experiment = {
  id: 'imdb-glove',
  document: '002',
  title: "GloVe's vectors of words and 200 film reviews",
  model: 'Embedding 10,000 × 100 from GloVe, frozen – Flatten – Dense 32 – Dense 1 sigmoid; RMSprop, 200 reviews',
  reported: { metric: 'val accuracy', value: 0.5839, remark: 'and 0.5705 on the test reviews' },
  defaults: { epochs: 10, batchSize: 32 },

  async run(context) {
    const { epochs, batchSize, learningRate, seed, callbacks, output } = context
    const { tokenizer, xTrain, yTrain, xVal, yVal, used } = await shuffledReviews(context)
    const { vectors, matrix, departures } = await gloveMatrix(context, tokenizer)
    console.log(`Found ${vectors} word vectors.`)
    console.log(tupleText(matrix.shape))
    // The document's matrix is float64, so it prints eight digits of numbers that are float32.
    console.log(arrayText(ndarray(Float64Array.from(slice(matrix, 1, 2).data), [EMBEDDING_DIM])))

    const model = denseModel(seed)
    // This comes before the freezing, as in the document, so all weights still count as trainable.
    model.summary()
    scope(() => model.layers[0].setWeights([tensor(matrix.data, { shape: matrix.shape })]))
    // Before compile: the optimizer takes the weights that are trainable then.
    model.layers[0].trainable = false

    model.compile({ optimizer: rmsprop({ learningRate }), loss: 'binaryCrossentropy', metrics: ['acc'] })
    const history = await model.fit(xTrain, yTrain, { epochs, batchSize, validationData: [xVal, yVal], callbacks, output })

    await context.shows(...reviewShows(model, xVal, yVal, async () => wordsOf(tokenizer, MAX_WORDS)))
    const folder = context.out ?? (await mkdtemp(join(tmpdir(), 'glove-')))
    const other = denseModel(seed + 1)
    try {
      const path = join(folder, 'pre_trained_glove_model.h5')
      await saveWeights(model, path)
      await loadWeights(other, path)
    } finally {
      if (context.out === undefined) await rm(folder, { recursive: true, force: true })
    }
    other.compile({ optimizer: 'rmsprop', loss: 'binaryCrossentropy', metrics: ['acc'] })

    const { xTest, yTest } = await testReviews(context, tokenizer)
    context.uses({ ...used, test: yTest.shape[0], departures, contents: [...used.contents, matrix.data] })
    const scores = await other.evaluate(xTest, yTest, { verbose: 1, output })
    console.log(`[${scores.join(', ')}]`)
    return { value: lastOf(history, 'val_acc'), history, also: { testAccuracy: scores[1] } }
  },
}
