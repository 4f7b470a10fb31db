/**
 * IMDB: 50,000 film reviews, half of them good and half bad, as lists of word numbers or as texts (A. Maas et al., "Learning Word Vectors
 * for Sentiment Analysis", ACL 2011).
 *
 * Numbers as Keras gives them: the rank of a word by frequency plus `indexFrom`, 1 before each review, 2 for a word left out.
 */
import { type LoadOptions, readLoadOptions } from '../locating/dataset.js'
import { nodeHost } from '../locating/host.js'
import type { SpelledOptions } from '../spelling.js'
import { type ImdbDataset, type ImdbOptions, loadImdb, wordIndexFor } from './load.js'
import { loadReviewsOn, type ReviewOptions, type Reviews } from './reviews.js'

/**
 * Loads the reviews as Keras 2.3's `imdb.load_data` does, in the same order with the same numbers: shuffled by NumPy's generator, `indexFrom`
 * added and `startChar` put in front, long ones left out (`maxlen`), words outside `skipTop … numWords - 1` replaced by `oovChar`.
 *
 * Places are those of `mnist.loadData`: `dir`, `COTANGENT_DATA`, the cache, a download of `imdb.npz`. A review that `maxlen` drops from
 * the training set does not pull one over from the test set, as it does in Keras.
 *
 * Shape: xTrain, xTest: 25,000 reviews each, as views of one int32 memory; yTrain, yTest [25000] uint8.
 *
 * Errors: as `mnist.loadData`; an archive that holds anything but lists of whole numbers; options that do not exist or are not whole numbers; a `maxlen`
 * that leaves nothing.
 *
 * ```ts
 * import { imdb, padSequences } from '@cotangent/datasets'
 *
 * const { xTrain, yTrain } = await imdb.loadData({ numWords: 10000 })
 * const x = padSequences(xTrain, { maxlen: 500 }) // int32 [25000, 500]
 * ```
 */
export const loadData = (options: SpelledOptions<ImdbOptions> = {}): Promise<ImdbDataset> => loadImdb(options)

/**
 * The rank of each of the 88,584 words, 1 for the most frequent, in the order of rank. `loadData` adds `indexFrom` (3) to it.
 *
 * Errors: as `mnist.loadData`.
 *
 * ```ts
 * const wordIndex = await imdb.getWordIndex()
 * wordIndex.get('the') // 1
 * ```
 */
export const getWordIndex = async (options: LoadOptions = {}): Promise<Map<string, number>> =>
  wordIndexFor(readLoadOptions('imdb.getWordIndex', options), await nodeHost())

/**
 * The raw reviews of one part: all bad ones, then all good ones, as tutorials read them (`for label in ['neg', 'pos']`), each half in the order
 * of file names. Python's `os.listdir` leaves that order to the file system; by name is what the usual ones give, and every machine can.
 *
 * They are looked for in `dir`, or in `COTANGENT_DATA` and the cache: the tree `aclImdb/train/neg/*.txt …` or `train/neg …`, archives
 * `aclImdb_train_neg.tar.gz …` of each half, or the published `aclImdb_v1.tar.gz`. They are not downloaded, as no checksum of them was
 * published.
 *
 * Shape: labels [reviews], uint8; 25,000 reviews in each part of the published data.
 *
 * Errors: reviews that are nowhere, with what to put where; a half that is empty or missing; a damaged archive.
 *
 * ```ts
 * import { imdb, Tokenizer } from '@cotangent/datasets'
 *
 * const { texts, labels } = await imdb.loadReviews({ part: 'train' })
 * const tokenizer = new Tokenizer({ numWords: 10000 }).fitOnTexts(texts)
 * ```
 */
export const loadReviews = (options: ReviewOptions = {}): Promise<Reviews> => loadReviewsOn(options)
