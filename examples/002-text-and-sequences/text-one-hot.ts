/**
 * Document 002, "Deep learning for text and sequences": two sentences as numbers of words and as a one-hot matrix.
 *
 * It trains nothing. The document prints two tables: the number of each word, and how often each word occurs. (The document's variable `word_docs` holds
 * `word_counts`.)
 */
import { type NDArray, Tokenizer } from '@cotangent/datasets'
import type { Demonstration } from '../lib/demonstration.js'
import { dictText, orderedDictText } from '../lib/python.js'

export const textOneHot = {
  id: 'text-one-hot',
  document: '002',
  title: 'Two sentences as numbers of words and as a one-hot matrix',
  flags: [],

  run(): { sequences: number[][]; oneHotResults: NDArray<Float64Array> } {
    const samples = ['The cat sat on the mat.', 'The dog ate my homework.']

    const tokenizer = new Tokenizer({ numWords: 1000 })
    tokenizer.fitOnTexts(samples)

    const sequences = tokenizer.textsToSequences(samples)
    const oneHotResults = tokenizer.textsToMatrix(samples)

    const { wordIndex, wordCounts } = tokenizer
    for (const [index, text] of [dictText(wordIndex), orderedDictText(wordCounts)].entries()) console.log(index, text)
    return { sequences, oneHotResults }
  },
} satisfies Demonstration
