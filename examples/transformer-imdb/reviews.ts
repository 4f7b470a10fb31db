/** The reviews of IMDB as the network takes them: the last words of each, with zeros in front of short ones. */
import { imdb, type NDArray, padSequences, slice } from '@cotangent/datasets'
import type { Sizes } from './network.js'

export interface Reviews {
  source: string
  x: NDArray<Int32Array> // [reviews, words]
  y: NDArray<Uint8Array> // [reviews]; 1 for a good review
  xTest: NDArray<Int32Array>
  yTest: NDArray<Uint8Array>
  /** The word of a number. */
  word(number: number): string
}

/** All 50,000 of them, half for training; or the first `most` of each half. */
export async function loadReviews(
  { words, length }: Pick<Sizes, 'words' | 'length'>,
  dir?: string,
  most = Number.POSITIVE_INFINITY,
): Promise<Reviews> {
  const { xTrain, yTrain, xTest, yTest, source } = await imdb.loadData({ numWords: words, dir })
  const byNumber = new Map<number, string>()
  for (const [word, rank] of await imdb.getWordIndex({ dir })) byNumber.set(rank + 3, word)
  return {
    source,
    x: padSequences(xTrain.slice(0, most), { maxlen: length }),
    y: slice(yTrain, 0, Math.min(most, yTrain.shape[0])),
    xTest: padSequences(xTest.slice(0, most), { maxlen: length }),
    yTest: slice(yTest, 0, Math.min(most, yTest.shape[0])),
    word: (number) => (number === 1 ? '▸' : (byNumber.get(number) ?? '?')),
  }
}

/** The numbers of one review. */
export const reviewAt = ({ data, shape }: NDArray<Int32Array>, row: number): Int32Array =>
  data.subarray(row * shape[1], (row + 1) * shape[1])

/** The first test review of `least` to `most` words that are all known, and its row. */
export function shortReview({ xTest }: Pick<Reviews, 'xTest'>, least: number, most: number): number {
  for (let row = 0; row < xTest.shape[0]; row++) {
    const numbers = reviewAt(xTest, row)
    const count = numbers.filter((number) => number > 2).length
    if (count >= least && count <= most && !numbers.includes(2)) return row
  }
  throw new Error(`No test review has ${least} to ${most} words that are all among the known ones.`)
}
