/** The reviews of IMDB, prepared as in document 002 for its networks over sequences: Keras' numbers, padded to one length. */
import { imdb, type NDArray, padSequences, slice } from '@cotangent/datasets'
import type { Context } from '../lib/experiment.js'

/** The number of different words; rarer words all have the number 2. */
export const MAX_FEATURES = 10000
/** A fifth of the training reviews is used for validation. */
export const VALIDATION_SPLIT = 0.2

export interface PaddedReviews {
  /** Shape [reviews, maxlen]. */
  xTrain: NDArray<Int32Array>
  /** Shape [reviews]; 1 for a good review. */
  yTrain: NDArray<Uint8Array>
  xTest: NDArray<Int32Array>
  yTest: NDArray<Uint8Array>
}

/** The reviews that `validationSplit` keeps for validation: the last fifth, before anything is shuffled. */
export function heldOut({ xTrain, yTrain }: PaddedReviews): { x: PaddedReviews['xTrain']; y: PaddedReviews['yTrain'] } {
  const [count] = xTrain.shape
  const first = Math.floor(count * (1 - VALIDATION_SPLIT))
  return { x: slice(xTrain, first, count), y: slice(yTrain, first, count) }
}

/** Loads all reviews and cuts or pads each to its last `maxlen` words; `--limit` keeps the first training reviews. */
export async function paddedReviews(context: Context, maxlen: number): Promise<PaddedReviews> {
  const { xTrain, yTrain, xTest, yTest, source } = await imdb.loadData({ numWords: MAX_FEATURES, dir: context.data })
  const available = xTrain.length
  const train = context.limited(available, 'reviews')
  // Zeros come in front of short reviews, and of long ones the beginning goes: a network reads the words at the end last.
  const padded = padSequences(xTrain.slice(0, train), { maxlen })
  const labels = slice(yTrain, 0, train)
  context.uses({ name: 'IMDB', source, train, available, unit: 'reviews', contents: [padded.data, labels.data] })
  return {
    xTrain: padded,
    yTrain: labels,
    // The test reviews are prepared as in the document, which never uses them.
    xTest: padSequences(xTest, { maxlen }),
    yTest,
  }
}
