/**
 * GloVe: vectors of words, learned from how often words stand near each other (J. Pennington, R. Socher, C. Manning, 2014). Text files of
 * lines `word n1 n2 …`; the vectors are in the public domain (PDDL).
 */
import { type Checks, describeValue, readOptions, requireText, whole } from '../arguments.js'
import { allocate, type NDArray, ndarray, requireNDArray } from '../array.js'
import { DatasetError } from '../errors.js'
import type { SpelledOptions } from '../spelling.js'
import { type GloveOptions, loadVectorsOn, readVectors as read, requireDim, requireWords, type WordVectors, wantedOf } from './load.js'

/**
 * Loads the vectors of the words asked for, or of all words.
 *
 * The file is read line by line, so only the vectors asked for take memory. It is `path`, or `glove.6B.<dim>d.txt` (or `.txt.gz`) in
 * `dir`, in `COTANGENT_DATA` or in the cache; or `glove.6B.<dim>d.imdb20k.txt.gz`, a part of it made for IMDB. `source` says which. It is
 * not downloaded, because it comes in an archive of 822 MB.
 *
 * Source: J. Pennington, R. Socher, C. Manning, "GloVe: Global Vectors for Word Representation", 2014 (PDDL).
 *
 * Shape: vectors [words found, dim], float32
 *
 * @throws DatasetError if the file is nowhere, with what to put where; if a line has more or fewer numbers than `dim`, with its number; or
 * if gzip data are damaged.
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs'
 * import { glove } from '@cotangent/datasets'
 *
 * // Lines of the published files look like this, with 50 to 300 numbers.
 * writeFileSync('vectors.txt', 'the 0.1 0.2\ncat 0.5 -1\ndog 0.5 1\n')
 * const { rows, vectors } = await glove.loadVectors({ path: 'vectors.txt', dim: 2, words: ['cat', 'dog'] })
 * console.log(rows.get('dog'), vectors.shape)   // 1 [2, 2]
 * ```
 */
export const loadVectors = (options: GloveOptions = {}): Promise<WordVectors> => loadVectorsOn(options)

/** Options of `readVectors`. */
interface ReadOptions {
  dim?: number
  words?: Iterable<string>
  name?: string
}

const readChecks: Checks<ReadOptions> = { dim: requireDim, words: requireWords, name: requireText }

/**
 * Loads vectors from a stream of bytes, such as the body of a response: `loadVectors` for pages.
 *
 * Shape: vectors [words found, dim], float32
 *
 * @throws DatasetError as `loadVectors` does; an error of the stream is thrown as it is.
 * @example
 * ```ts
 * const stream = new Blob(['cat 0.5 -1\ndog 0.5 1\n']).stream()
 * const { rows, vectors } = await glove.readVectors(stream, { dim: 2 })
 * console.log([...rows.keys()], vectors.shape)   // ['cat', 'dog'] [2, 2]
 * ```
 */
export async function readVectors(
  stream: ReadableStream<Uint8Array>,
  options: { dim?: number; words?: Iterable<string>; name?: string } = {},
): Promise<WordVectors> {
  const what = 'glove.readVectors'
  if (typeof (stream as Partial<ReadableStream> | null | undefined)?.getReader !== 'function') {
    const hint = (stream as unknown) instanceof Response ? ' Pass its body.' : ''
    throw new DatasetError(`${what}: stream must be a ReadableStream of bytes, got ${describeValue(stream)}.${hint}`)
  }
  const { dim = 100, words, name = 'GloVe data' } = readOptions(what, options, readChecks)
  return { ...(await read(stream, name, dim, wantedOf(what, words))), source: name }
}

export interface EmbeddingMatrix {
  /** Row i is the vector of the word with index i; zeros for words without one, and for row 0. */
  readonly matrix: NDArray<Float32Array>
  /** Number of words below `numWords` that have a vector. */
  readonly found: number
  /** The words that have none. */
  readonly missing: readonly string[]
}

/** Options of `embeddingMatrix`. */
interface MatrixOptions {
  numWords?: number
  dim?: number
}

const matrixChecks: Checks<MatrixOptions> = { numWords: whole({ least: 1 }), dim: whole({ least: 1 }) }

/**
 * The weights of an Embedding layer: row i is the vector of the word with index i, for every index below `numWords`.
 *
 * Shape: [numWords, dim], float32; by default `numWords` is the largest index plus one.
 *
 * @throws DatasetError if `numWords` is not a whole number, at least 1; an index is not a whole number, at least 0; or `dim` is not that
 * of the vectors.
 * @example
 * ```ts
 * const vectors = { rows: new Map([['cat', 0]]), vectors: ndarray(Float32Array.of(0.5, -1), [1, 2]) }
 * const { matrix } = glove.embeddingMatrix(new Map([['the', 1], ['cat', 2]]), vectors, { numWords: 3 })
 * console.log([...matrix.data])   // [0, 0, 0, 0, 0.5, -1]
 * ```
 */
export function embeddingMatrix(
  wordIndex: ReadonlyMap<string, number>,
  words: Pick<WordVectors, 'rows' | 'vectors'>,
  options: SpelledOptions<MatrixOptions> = {},
): EmbeddingMatrix {
  const what = 'glove.embeddingMatrix'
  if (!(wordIndex instanceof Map)) {
    throw new DatasetError(`${what}: wordIndex must be a Map, got ${describeValue(wordIndex)}. Write new Map(Object.entries(wordIndex)).`)
  }
  const { rows, vectors } = (words ?? {}) as Partial<WordVectors>
  if (!(rows instanceof Map)) {
    throw new DatasetError(`${what}: the vectors must be what glove.loadVectors gives, { rows, vectors }, got ${describeValue(words)}.`)
  }
  requireNDArray(what, 'vectors', vectors)
  const { shape, data } = vectors as NDArray<Float32Array>
  const [, width] = shape
  if (shape.length !== 2) throw new DatasetError(`${what}: vectors must have the shape [words, dim], got [${shape.join(', ')}].`)
  const read = readOptions(what, options, matrixChecks)
  for (const [word, index] of wordIndex) {
    if (!(Number.isSafeInteger(index) && index >= 0)) {
      throw new DatasetError(`${what}: the index of "${word}" is ${describeValue(index)}; indices are whole numbers, at least 0.`)
    }
  }
  const { numWords = [...wordIndex.values()].reduce((a, b) => Math.max(a, b), 0) + 1, dim = width } = read
  if (dim !== width) throw new DatasetError(`${what}: dim is ${dim}, but the vectors have ${width} numbers each`)
  const out = allocate(what, Float32Array, numWords * dim)
  const missing: string[] = []
  let found = 0
  for (const [word, index] of wordIndex) {
    if (index >= numWords) continue
    const row = rows.get(word)
    if (row === undefined) missing.push(word)
    else {
      out.set(data.subarray(row * dim, (row + 1) * dim), index * dim)
      found++
    }
  }
  return { matrix: ndarray(out, [numWords, dim]), found, missing }
}
