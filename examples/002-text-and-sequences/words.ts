/** The words behind the numbers of reviews, to show what a network read. */
import { imdb, type Tokenizer } from '@cotangent/datasets'
import { MAX_FEATURES } from './reviews.js'

/** Keras' numbers begin behind those for padding, start and unknown words. The list of words does not say so. */
const RESERVED = 3

/** The word of each of Keras' numbers; undefined for those that are no words. */
export async function wordsOfReviews(dir?: string): Promise<(string | undefined)[]> {
  const words = new Array<string | undefined>(MAX_FEATURES).fill(undefined)
  for (const [word, rank] of await imdb.getWordIndex({ dir })) if (rank + RESERVED < MAX_FEATURES) words[rank + RESERVED] = word
  return words
}

/** The word of each number of a tokenizer, up to `count` of them. */
export function wordsOf({ wordIndex }: Tokenizer, count: number): (string | undefined)[] {
  const words = new Array<string | undefined>(count).fill(undefined)
  for (const [word, number] of wordIndex) if (number < count) words[number] = word
  return words
}
