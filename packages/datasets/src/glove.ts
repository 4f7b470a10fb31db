/**
 * GloVe: vectors of words, learned from how often words stand near each other (J. Pennington, R. Socher, C. Manning, 2014). Text files of
 * lines `word n1 n2 …`; the vectors are in the public domain (PDDL).
 */
import { type NDArray, ndarray } from './array.js'
import { DatasetError } from './errors.js'
import { type GloveOptions, loadVectorsOn, readVectors as read, type WordVectors } from './glove-load.js'

/**
 * Loads the vectors of some words, or of all, reading the file line by line: what is kept is what was asked for.
 *
 * The file is `path`, or `glove.6B.<dim>d.txt` (or `.txt.gz`) in `dir`, in `COTANGENT_DATA` or in the cache, or a part of it made for IMDB,
 * `glove.6B.<dim>d.imdb20k.txt.gz`; `source` says which. It is not downloaded: it comes in an archive of 822 MB.
 *
 * Shape: vectors [words found, dim], float32.
 *
 * Errors: a file that is nowhere, with what to put where; a line with more or fewer numbers than `dim`, with its number; damaged gzip data.
 *
 * ```ts
 * const tokenizer = new Tokenizer({ numWords: 10000 }).fitOnTexts(texts)
 * const vectors = await glove.loadVectors({ words: tokenizer.wordIndex.keys() })
 * const { matrix, found } = glove.embeddingMatrix(tokenizer.wordIndex, vectors, { numWords: 10000 })
 * ```
 */
export const loadVectors = (options: GloveOptions = {}): Promise<WordVectors> => loadVectorsOn(options)

/**
 * `loadVectors` from a stream of bytes, such as the body of a response: for pages.
 *
 * Errors: as `loadVectors`; whatever the stream fails with.
 */
export async function readVectors(
  stream: ReadableStream<Uint8Array>,
  options: { dim?: number; words?: Iterable<string>; name?: string } = {},
): Promise<WordVectors> {
  const { dim = 100, words, name = 'GloVe data' } = options
  return { ...(await read(stream, name, dim, words)), source: name }
}

export interface EmbeddingMatrix {
  /** Row i is the vector of the word with index i; zeros for words without one, and for row 0. */
  readonly matrix: NDArray<Float32Array>
  /** How many words below `numWords` have a vector. */
  readonly found: number
  /** Those that have none. */
  readonly missing: readonly string[]
}

/**
 * The weights of an Embedding layer: for every word with an index below `numWords`, its vector.
 *
 * Shape: [numWords, dim]; `numWords` is the largest index plus one by default.
 *
 * Errors: `numWords` that is not a whole number ≥ 1, an index that is not a whole number ≥ 0; another `dim` than that of the vectors.
 *
 * ```ts
 * const vectors = { rows: new Map([['cat', 0]]), vectors: ndarray(Float32Array.of(0.5, -1), [1, 2]) }
 * const { matrix } = glove.embeddingMatrix(new Map([['the', 1], ['cat', 2]]), vectors, { numWords: 3 })
 * matrix.data // Float32Array [0, 0,  0, 0,  0.5, -1]
 * ```
 */
export function embeddingMatrix(
  wordIndex: ReadonlyMap<string, number>,
  { rows, vectors }: Pick<WordVectors, 'rows' | 'vectors'>,
  options: { numWords?: number; dim?: number } = {},
): EmbeddingMatrix {
  const [, width] = vectors.shape
  const { numWords = [...wordIndex.values()].reduce((a, b) => Math.max(a, b), 0) + 1, dim = width } = options
  if (!(Number.isSafeInteger(numWords) && numWords >= 1)) {
    throw new DatasetError(`embeddingMatrix: numWords is ${numWords}; it must be a whole number ≥ 1`)
  }
  if (dim !== width) throw new DatasetError(`embeddingMatrix: dim is ${dim}, but the vectors have ${width} numbers each`)
  const out = new Float32Array(numWords * dim)
  const missing: string[] = []
  let found = 0
  for (const [word, index] of wordIndex) {
    if (!(Number.isSafeInteger(index) && index >= 0)) {
      throw new DatasetError(`embeddingMatrix: the index of "${word}" is ${index}; indices are whole numbers ≥ 0`)
    }
    if (index >= numWords) continue
    const row = rows.get(word)
    if (row === undefined) missing.push(word)
    else {
      out.set(vectors.data.subarray(row * dim, (row + 1) * dim), index * dim)
      found++
    }
  }
  return { matrix: ndarray(out, [numWords, dim]), found, missing }
}
