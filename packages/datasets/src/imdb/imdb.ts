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
 * Loads the reviews as lists of word numbers, as Keras 2.3's `imdb.load_data` does: in the same order, with the same numbers.
 *
 * The reviews are shuffled by NumPy's generator. `indexFrom` is added to each rank and `startChar` is put in front. Reviews of `maxlen`
 * words or more are dropped. Words outside `skipTop … numWords - 1` are replaced by `oovChar`. One difference: a review that `maxlen`
 * drops from the training set does not pull one over from the test set.
 *
 * The places are `dir`, `COTANGENT_DATA`, the cache, a download of `imdb.npz`.
 *
 * Source: A. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011; the archive is Keras'.
 *
 * Shape: xTrain, xTest: 25,000 reviews each, views of one int32 memory; yTrain, yTest [25000], uint8
 *
 * @throws DatasetError as `mnist.loadData` does; also if the archive holds anything but lists of whole numbers, an option does not exist
 * or is not a whole number, or `maxlen` leaves nothing.
 * @example
 * ```ts no-run="needs the archive of IMDB"
 * import { imdb, padSequences } from '@cotangent/datasets'
 *
 * const { xTrain, yTrain } = await imdb.loadData({ numWords: 10000 })
 * const x = padSequences(xTrain, { maxlen: 500 })   // x.shape = [25000, 500]
 * ```
 */
export const loadData = (options: SpelledOptions<ImdbOptions> = {}): Promise<ImdbDataset> => loadImdb(options)

/**
 * The rank of each of the 88,584 words, 1 for the most frequent, in the order of rank. `loadData` adds `indexFrom` (3) to it.
 *
 * Source: `imdb_word_index.json`, as published by Keras.
 *
 * @throws DatasetError as `mnist.loadData` does.
 * @example
 * ```ts
 * import { mkdirSync, writeFileSync } from 'node:fs'
 * import { imdb } from '@cotangent/datasets'
 *
 * // Without options the published file is loaded; this is a small one of the same form.
 * mkdirSync('small/imdb', { recursive: true })
 * writeFileSync('small/imdb/imdb_word_index.json', JSON.stringify({ film: 2, the: 1 }))
 * const wordIndex = await imdb.getWordIndex({ dir: 'small', verify: false })
 * console.log([...wordIndex.keys()], wordIndex.get('the'))   // ['the', 'film'] 1
 * ```
 */
export const getWordIndex = async (options: LoadOptions = {}): Promise<Map<string, number>> =>
  wordIndexFor(readLoadOptions('imdb.getWordIndex', options), await nodeHost())

/**
 * Loads the texts of one part: first all bad reviews, then all good ones, each half in the order of file names.
 *
 * Tutorials read them like this (`for label in ['neg', 'pos']`). Python's `os.listdir` leaves the order of files to the file system; the
 * order by name is what the usual ones give.
 *
 * The places are `dir`, `COTANGENT_DATA` and the cache. Each may hold the tree `aclImdb/train/neg/*.txt …` or `train/neg …`, an archive of
 * each half (`aclImdb_train_neg.tar.gz …`), or the published `aclImdb_v1.tar.gz`. Nothing is downloaded, because no checksum was
 * published.
 *
 * Source: A. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011.
 *
 * Shape: texts: one string each; labels [reviews], uint8. The published data have 25,000 reviews in each part.
 *
 * @throws DatasetError if the reviews are nowhere, with what to put where; if a half is empty or missing; or if an archive is damaged.
 * @example
 * ```ts
 * import { mkdirSync, writeFileSync } from 'node:fs'
 * import { imdb } from '@cotangent/datasets'
 *
 * // The published reviews have this layout, too.
 * mkdirSync('tiny/train/neg', { recursive: true })
 * mkdirSync('tiny/train/pos', { recursive: true })
 * writeFileSync('tiny/train/neg/0_2.txt', 'Dull.')
 * writeFileSync('tiny/train/pos/0_9.txt', 'Bright!')
 * const { texts, labels } = await imdb.loadReviews({ dir: 'tiny', part: 'train' })
 * console.log(texts, [...labels.data])   // ['Dull.', 'Bright!'] [0, 1]
 * ```
 */
export const loadReviews = (options: ReviewOptions = {}): Promise<Reviews> => loadReviewsOn(options)
