/** The reviews of IMDB as document 002 prepares them for its networks over sequences: Keras' numbers, padded to one length. */
import { imdb, type NDArray, padSequences, slice } from '@cotangent/datasets'
import type { Context } from '../lib/experiment.js'

/** Words that are told apart; rarer ones have the number 2. */
export const MAX_FEATURES = 10000
/** A fifth of the training reviews is kept for validation. */
export const VALIDATION_SPLIT = 0.2

export interface PaddedReviews {
  /** [reviews, maxlen] */
  xTrain: NDArray<Int32Array>
  /** [reviews], 1 for a good one */
  yTrain: NDArray<Uint8Array>
  xTest: NDArray<Int32Array>
  yTest: NDArray<Uint8Array>
}

/** Loads all reviews and cuts or pads each to its last `maxlen` words; keeps the training reviews that `--limit` leaves. */
export async function paddedReviews(context: Context, maxlen: number): Promise<PaddedReviews> {
  const { xTrain, yTrain, xTest, yTest, source } = await imdb.loadData({ numWords: MAX_FEATURES, dir: context.data })
  const available = xTrain.length
  const train = context.limited(available, 'reviews')
  // The test reviews are prepared as in the document, which then makes no use of them.
  context.uses({ name: 'IMDB', source, train, available, unit: 'reviews' })
  return {
    xTrain: padSequences(xTrain.slice(0, train), { maxlen }),
    yTrain: slice(yTrain, 0, train),
    xTest: padSequences(xTest, { maxlen }),
    yTest,
  }
}
