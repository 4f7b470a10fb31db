/**
 * The raw texts of IMDB, prepared as in document 002 for its two networks on 200 reviews: cut into words, numbered, padded to 100 words,
 * shuffled. Also GloVe's vectors of the words.
 *
 * The document shuffles without a seed. Here the run's seed is the seed of NumPy's generator, so both networks get the same 200 reviews.
 */
import { glove, imdb, type NDArray, ndarray, padSequences, RandomState, slice, Tokenizer } from '@cotangent/datasets'

import { dense, embedding, flatten, Sequential } from '@cotangent/layers'
import type { Context, DataSource } from '../lib/experiment.js'
import type { Numbers } from '../lib/hash.js'
import { tupleText } from '../lib/python.js'

const MAXLEN = 100
const TRAINING_SAMPLES = 200
const VALIDATION_SAMPLES = 10000
export const MAX_WORDS = 10000
export const EMBEDDING_DIM = 100
/** Words in the published file glove.6B.100d.txt. */
const GLOVE_WORDS = 400_000

type Reviews = NDArray<Int32Array>
type Labels = NDArray<Uint8Array>

export interface ShuffledReviews {
  tokenizer: Tokenizer
  /** Shape [reviews, 100]. */
  xTrain: Reviews
  /** Shape [reviews]; 1 for a good review. */
  yTrain: Labels
  /** Shape [10000, 100]. */
  xVal: Reviews
  yVal: Labels
  /** The argument for `context.uses`. */
  used: DataSource & { contents: readonly Numbers[] }
}

/** A copy with the items of the first axis in another order: `array[indices]`. */
function taken<T extends Int32Array | Uint8Array>({ shape, data }: NDArray<T>, indices: Int32Array): NDArray<T> {
  const [count, ...rest] = shape
  const stride = data.length / count
  const out = data.slice() as T
  indices.forEach((from, to) => {
    out.set(data.subarray(from * stride, (from + 1) * stride), to * stride)
  })
  return ndarray(out, [indices.length, ...rest])
}

/** Texts as rows of 100 numbers of words, by the dictionary of the training reviews. */
const padded = (tokenizer: Tokenizer, texts: readonly string[]): Reviews =>
  padSequences(tokenizer.textsToSequences(texts), { maxlen: MAXLEN })

/** The dictionary is made of all 25,000 training reviews. `--limit` keeps the first of the 200 reviews to train on. */
export async function shuffledReviews(context: Context): Promise<ShuffledReviews> {
  const { texts, labels: inOrder, source } = await imdb.loadReviews({ part: 'train', dir: context.data })
  const tokenizer = new Tokenizer({ numWords: MAX_WORDS })
  tokenizer.fitOnTexts(texts) // all words are counted; numWords matters from here on
  const inRows = padded(tokenizer, texts)
  console.log('Shape of data tensor: ', tupleText(inRows.shape))
  console.log('Shape of label tensor: ', tupleText(inOrder.shape))

  const indices = Int32Array.from(texts.keys())
  // The files come in order, all bad reviews first: without shuffling, the first 200 would all be bad.
  new RandomState(context.seed).shuffle(indices)
  const data = taken(inRows, indices)
  const labels = taken(inOrder, indices)

  const train = context.limited(TRAINING_SAMPLES, 'reviews')
  const end = TRAINING_SAMPLES + VALIDATION_SAMPLES
  const parts = {
    xTrain: slice(data, 0, train),
    yTrain: slice(labels, 0, train),
    xVal: slice(data, TRAINING_SAMPLES, end),
    yVal: slice(labels, TRAINING_SAMPLES, end),
  }
  const counts = { train, available: TRAINING_SAMPLES, validation: VALIDATION_SAMPLES }
  const contents = Object.values(parts).map((part) => part.data)
  return { tokenizer, ...parts, used: { name: "IMDB's texts", source, ...counts, unit: 'reviews', contents } }
}

/** The 25,000 test reviews, numbered by the same dictionary. */
export async function testReviews({ data }: Context, tokenizer: Tokenizer): Promise<{ xTest: Reviews; yTest: Labels }> {
  const { texts, labels } = await imdb.loadReviews({ part: 'test', dir: data })
  return { xTest: padded(tokenizer, texts), yTest: labels }
}

/** GloVe's vectors of the dictionary's words. If the file holds only a part of GloVe, the result is reported as a departure from the document. */
export async function gloveMatrix(
  { data }: Context,
  { wordIndex }: Tokenizer,
): Promise<{ vectors: number; matrix: NDArray<Float32Array>; departures: string[] }> {
  const loaded = await glove.loadVectors({ dir: data, dim: EMBEDDING_DIM, words: wordIndex.keys() })
  const { matrix, found, missing } = glove.embeddingMatrix(wordIndex, loaded, { numWords: MAX_WORDS })
  const departures =
    loaded.lines < GLOVE_WORDS ? [`a part of GloVe, with vectors of ${found} of the ${found + missing.length} words used`] : []
  return { vectors: loaded.lines, matrix, departures }
}

/** The network of both experiments: 1,320,065 parameters. */
export function denseModel(seed: number): Sequential {
  const model = new Sequential([], { seed })
  model.add(embedding(MAX_WORDS, EMBEDDING_DIM, { inputLength: MAXLEN }))
  model.add(flatten())
  // 320,032 weights for 200 reviews: accuracy in training is soon 1, and on other reviews stays near ½.
  model.add(dense(32, { activation: 'relu' }))
  model.add(dense(1, { activation: 'sigmoid' }))
  return model
}
