/** From ranks of words to the sequences Keras' `imdb.load_data` gives, into one new memory. */
import { type Checks, orNull, whole } from '../arguments.js'
import { DatasetError } from '../errors.js'
import { RandomState } from '../numpy-random.js'

/** Ranks of words (1 for the most frequent), review by review, and labels. */
export interface RawReviews {
  readonly x: readonly Int32Array[]
  readonly y: Uint8Array
}

/** Options for making sequences of ranks: Keras' arguments and defaults. */
export interface SequenceOptions {
  /** Words with this number or a larger one are left out. By default it is the largest number there is, so that one word is left out, as in Keras. */
  numWords?: number | null
  /** Words below this number are left out, `startChar` among them; 0 by default. */
  skipTop?: number
  /** Reviews of this length or longer are dropped. */
  maxlen?: number | null
  /** The seed of NumPy's generator, which shuffles the training set and then the test set; 113 by default. */
  seed?: number
  /** The number in front of each review, or null for none; 1 by default. */
  startChar?: number | null
  /** The number that replaces a word left out; null drops the word; 2 by default. */
  oovChar?: number | null
  /** Added to every rank; 3 by default. */
  indexFrom?: number
}

const wordNumber = whole({ least: 0, most: 2 ** 31 - 1 })
const count = orNull(whole({ least: 1, most: 2 ** 31 - 1 }))

export const sequenceChecks: Checks<SequenceOptions> = {
  numWords: count,
  skipTop: wordNumber,
  maxlen: count,
  seed: whole({ least: 0, most: 2 ** 32 - 1 }),
  startChar: orNull(wordNumber),
  oovChar: orNull(wordNumber),
  indexFrom: wordNumber,
}

/** The largest number of any sequence, words and starts. */
function largestOf(parts: readonly RawReviews[], startChar: number | null, indexFrom: number): number {
  let largest = startChar ?? 0
  for (const { x } of parts) for (const review of x) for (const rank of review) if (rank + indexFrom > largest) largest = rank + indexFrom
  return largest
}

/**
 * Both parts, shuffled and numbered.
 *
 * @throws DatasetError if `maxlen` leaves nothing.
 */
export function prepare(train: RawReviews, test: RawReviews, options: SequenceOptions): readonly [RawReviews, RawReviews] {
  const { numWords = null, skipTop = 0, maxlen = null, seed = 113, startChar = 1, oovChar = 2, indexFrom = 3 } = options
  const random = new RandomState(seed)
  const front = startChar === null ? 0 : 1
  const shuffled = [train, test].map(({ x, y }): RawReviews => {
    const order = random.permutation(x.length)
    const kept = maxlen === null ? order : order.filter((i) => x[i].length + front < maxlen)
    return { x: Array.from(kept, (i) => x[i]), y: Uint8Array.from(kept, (i) => y[i]) }
  })
  if (maxlen !== null && shuffled.every(({ x }) => x.length === 0)) {
    throw new DatasetError(
      `imdb.loadData: no review is shorter than maxlen = ${maxlen}, ${startChar === null ? '' : 'its start included; '}raise maxlen`,
    )
  }
  // Keras takes the largest of what maxlen has left.
  const limit = numWords ?? largestOf(shuffled, startChar, indexFrom)
  const number = ({ x, y }: RawReviews): RawReviews => {
    const values = new Int32Array(x.reduce((sum, review) => sum + review.length + front, 0))
    let at = 0
    const put = (index: number): void => {
      if (index >= skipTop && index < limit) values[at++] = index
      else if (oovChar !== null) values[at++] = oovChar
    }
    const views = x.map((review) => {
      const begin = at
      if (startChar !== null) put(startChar)
      for (let i = 0; i < review.length; i++) put(review[i] + indexFrom)
      return values.subarray(begin, at)
    })
    return { x: views, y }
  }
  return [number(shuffled[0]), number(shuffled[1])]
}
