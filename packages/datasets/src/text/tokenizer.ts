/** Keras 2.3's `Tokenizer`: a vocabulary counted from texts, and texts as numbers or as rows of a matrix by it. */
import {
  type Checks,
  describeValue,
  orNull,
  readOptions,
  requireBoolean,
  requireChoice,
  requireIterable,
  requireText,
  whole,
} from '../arguments.js'
import { allocate, isTypedArray, type NDArray, ndarray } from '../array.js'
import { DatasetError } from '../errors.js'
import type { SpelledOptions } from '../spelling.js'
import { tokenizerToJson } from './to-json.js'
import { defaultFilters, type SplitOptions, splitChecks, wordSplitter } from './words.js'

export interface TokenizerOptions extends SplitOptions {
  /** Sequences keep only indices below this: the `numWords - 1` most frequent words. All by default. */
  numWords?: number | null
  /** Every character is a word; false by default. */
  charLevel?: boolean
  /** A word that stands for those outside the vocabulary, with index 1. By default they are dropped. */
  oovToken?: string | null
}

/** A text, or one already cut into words. */
export type Text = string | readonly string[]

/** The value that `textsToMatrix` writes for a word: 1 if it occurs, its count, its share of the words, or term frequency × inverse document frequency. */
export type MatrixMode = 'binary' | 'count' | 'freq' | 'tfidf'

const modes: readonly MatrixMode[] = ['binary', 'count', 'freq', 'tfidf']

// Keras takes 0 for "all", as it takes None.
const checks: Checks<TokenizerOptions> = {
  ...splitChecks,
  numWords: orNull(whole({ least: 0 })),
  charLevel: requireBoolean,
  oovToken: orNull(requireText),
}

const increase = <K>(counts: Map<K, number>, key: K, by = 1): Map<K, number> => counts.set(key, (counts.get(key) ?? 0) + by)

/**
 * Counts words, numbers them, and turns texts into numbers, as Keras 2.3's `Tokenizer`.
 *
 * Words are numbered from 1 by falling count; words of equal count are in the order of first sight. If there is an `oovToken`, it is 1. 0
 * is for padding. The vocabulary always holds all words; `numWords` only limits which of them sequences and matrices show.
 *
 * @throws DatasetError if an option does not exist or has another type, `split` is empty, or an item of texts or sequences is none, with
 * its number. In that case nothing was counted.
 * @example
 * ```ts
 * const tokenizer = new Tokenizer({ numWords: 1000 })
 * tokenizer.fitOnTexts(['The cat sat on the mat.', 'The dog ate my homework.'])
 * console.log(tokenizer.wordIndex.get('the'), tokenizer.textsToSequences(['The dog sat']))   // 1 [[1, 6, 3]]
 * ```
 */
export class Tokenizer {
  readonly numWords: number | undefined
  readonly filters: string
  readonly lower: boolean
  readonly split: string
  readonly charLevel: boolean
  readonly oovToken: string | undefined

  /** The count of each word, in the order of first sight. */
  readonly wordCounts: Map<string, number> = new Map()
  /** The number of texts that each word occurs in. */
  readonly wordDocs: Map<string, number> = new Map()
  /** `wordDocs` by index. */
  readonly indexDocs: Map<number, number> = new Map()
  /** From word to index, most frequent first. */
  readonly wordIndex: Map<string, number> = new Map()
  /** From index to word. */
  readonly indexWord: Map<number, string> = new Map()
  /** The number of texts or sequences it was fitted on. */
  documentCount = 0
  readonly #cut: (text: string) => string[]

  constructor(options: SpelledOptions<TokenizerOptions> = {}) {
    const read = readOptions('Tokenizer', options, checks)
    const { numWords, filters = defaultFilters, lower = true, split = ' ', charLevel = false, oovToken } = read
    this.numWords = numWords || undefined
    this.filters = filters
    this.lower = lower
    this.split = split
    this.charLevel = charLevel
    this.oovToken = oovToken ?? undefined
    this.#cut = wordSplitter('Tokenizer', { filters, lower, split })
  }

  #words(text: Text): readonly string[] {
    if (typeof text !== 'string') return this.lower ? text.map((word) => word.toLowerCase()) : text
    return this.charLevel ? [...(this.lower ? text.toLowerCase() : text)] : this.#cut(text)
  }

  /** Counts the words of more texts and numbers all words anew. */
  fitOnTexts(texts: Iterable<Text>): this {
    // One look-up a word: looking words up is what takes the time. Nothing of the Tokenizer changes before all texts are counted.
    const tallies = new Map<string, { count: number; texts: number; last: number }>()
    let number = 0
    for (const text of eachText('Tokenizer.fitOnTexts', texts)) {
      number++
      for (const word of this.#words(text)) {
        const tally = tallies.get(word)
        if (tally === undefined) tallies.set(word, { count: 1, texts: 1, last: number })
        else {
          tally.count++
          if (tally.last !== number) tally.texts++
          tally.last = number
        }
      }
    }
    this.documentCount += number
    for (const [word, { count, texts }] of tallies) {
      increase(this.wordCounts, word, count)
      increase(this.wordDocs, word, texts)
    }
    // The sort is stable: ties keep the order of first sight.
    const byCount = [...this.wordCounts].sort(([, a], [, b]) => b - a).map(([word]) => word)
    this.wordIndex.clear()
    this.indexWord.clear()
    const vocabulary = this.oovToken === undefined ? byCount : [this.oovToken, ...byCount]
    vocabulary.forEach((word, i) => {
      this.wordIndex.set(word, i + 1)
    })
    for (const [word, index] of this.wordIndex) this.indexWord.set(index, word)
    for (const [word, count] of this.wordDocs) this.indexDocs.set(this.wordIndex.get(word)!, count)
    return this
  }

  /** Counts in how many sequences each index occurs. 'tfidf' needs this if there are only numbers, no texts. */
  fitOnSequences(sequences: Iterable<ArrayLike<number>>): this {
    // Nothing changes before all sequences are checked.
    const found = Array.from(eachSequence('Tokenizer.fitOnSequences', sequences), (sequence) => new Set(Array.from(sequence)))
    this.documentCount += found.length
    for (const indices of found) for (const index of indices) increase(this.indexDocs, index)
    return this
  }

  #shown(index: number): boolean {
    return this.numWords === undefined || index < this.numWords
  }

  get #oovIndex(): number | undefined {
    return this.oovToken === undefined ? undefined : this.wordIndex.get(this.oovToken)
  }

  /**
   * The indices of each text's words. A word that is unknown, or not below `numWords`, becomes the index of `oovToken`, or is dropped if
   * there is none.
   */
  textsToSequences(texts: Iterable<Text>): number[][] {
    return this.#sequencesOf('Tokenizer.textsToSequences', texts)
  }

  #sequencesOf(what: string, texts: Iterable<Text>): number[][] {
    const oov = this.#oovIndex
    return Array.from(eachText(what, texts), (text) => {
      const out: number[] = []
      for (const word of this.#words(text)) {
        const index = this.wordIndex.get(word)
        const kept = index !== undefined && this.#shown(index) ? index : oov
        if (kept !== undefined) out.push(kept)
      }
      return out
    })
  }

  /**
   * The words of each sequence's indices, joined by spaces. An index that is unknown, or not below `numWords`, becomes `oovToken`, or is
   * dropped if there is none.
   */
  sequencesToTexts(sequences: Iterable<ArrayLike<number>>): string[] {
    const oov = this.#oovIndex === undefined ? undefined : this.indexWord.get(this.#oovIndex)
    return Array.from(eachSequence('Tokenizer.sequencesToTexts', sequences), (sequence) => {
      const out: string[] = []
      for (const index of Array.from(sequence)) {
        const word = this.indexWord.get(index)
        const kept = word !== undefined && this.#shown(index) ? word : oov
        if (kept !== undefined) out.push(kept)
      }
      return out.join(' ')
    })
  }

  /**
   * A row for each text, a column for each index (column 0 stays empty).
   *
   * Shape: [texts, numWords], or [texts, words + 1] without `numWords`.
   */
  textsToMatrix(texts: Iterable<Text>, mode: MatrixMode = 'binary'): NDArray<Float64Array> {
    const what = 'Tokenizer.textsToMatrix'
    this.#requireMatrix(what, mode)
    return this.#matrixOf(what, this.#sequencesOf(what, texts), mode)
  }

  /**
   * A row for each sequence, a column for each index. Indices beyond the width are left out, but they count in the length that 'freq'
   * divides by.
   *
   * 'tfidf' is (1 + ln count) · ln(1 + documents / (1 + documents with the word)), and 0 where the word does not occur.
   *
   * Shape: [sequences, numWords], or [sequences, words + 1] without `numWords`
   *
   * @throws DatasetError if there is neither `numWords` nor a vocabulary, for 'tfidf' before anything was counted, or if an index is not a
   * whole number, at least 0.
   * @example
   * ```ts
   * const { shape, data } = new Tokenizer({ numWords: 3 }).sequencesToMatrix([[1, 2, 2], [1]], 'count')
   * console.log(shape, [...data])   // [2, 3] [0, 1, 2, 0, 1, 0]
   * ```
   */
  sequencesToMatrix(sequences: Iterable<ArrayLike<number>>, mode: MatrixMode = 'binary'): NDArray<Float64Array> {
    const what = 'Tokenizer.sequencesToMatrix'
    this.#requireMatrix(what, mode)
    return this.#matrixOf(what, [...eachSequence(what, sequences)], mode)
  }

  #requireMatrix(what: string, mode: MatrixMode): void {
    requireChoice(what, 'mode', mode, modes)
    if (this.numWords === undefined && this.wordIndex.size === 0) {
      throw new DatasetError(`${what}: how wide is the matrix? Give the Tokenizer numWords, or fit it on texts first`)
    }
    if (mode === 'tfidf' && this.documentCount === 0) {
      throw new DatasetError(`${what}: 'tfidf' needs the counts of documents: fit the Tokenizer on texts or sequences first`)
    }
  }

  #matrixOf(what: string, rows: readonly ArrayLike<number>[], mode: MatrixMode): NDArray<Float64Array> {
    const width = this.numWords ?? this.wordIndex.size + 1
    const out = allocate(what, Float64Array, rows.length * width)
    rows.forEach((sequence, row) => {
      const counts = new Map<number, number>()
      for (let i = 0; i < sequence.length; i++) {
        const index = sequence[i]
        if (index < width) increase(counts, index)
      }
      for (const [index, count] of counts) out[row * width + index] = this.#cell(mode, index, count, sequence.length)
    })
    return ndarray(out, [rows.length, width])
  }

  /** The JSON text that Keras' `to_json()` gives; `tokenizerFromJson` and Keras' `tokenizer_from_json` read it. */
  toJson(): string {
    return tokenizerToJson(this)
  }

  #cell(mode: MatrixMode, index: number, count: number, length: number): number {
    if (mode === 'count') return count
    if (mode === 'freq') return count / length
    if (mode === 'binary') return 1
    return (1 + Math.log(count)) * Math.log(1 + this.documentCount / (1 + (this.indexDocs.get(index) ?? 0)))
  }
}

/**
 * Texts, checked one by one.
 *
 * @throws DatasetError for a single text (which is iterable, too, and would be taken for texts of one letter), and for an item that is neither text nor a list of words.
 */
function* eachText(what: string, texts: Iterable<Text>): IterableIterator<Text> {
  if (typeof texts === 'string') throw new DatasetError(`${what}: texts must be a list of texts, got one text: pass [text].`)
  requireIterable(what, 'texts', texts, 'a list of texts')
  let number = 0
  for (const text of texts) {
    const name = `texts[${number++}]`
    if (typeof text === 'string') yield text
    else if (!Array.isArray(text)) throw new DatasetError(`${what}: ${name} must be text or a list of words, got ${describeValue(text)}.`)
    else {
      for (let i = 0; i < text.length; i++) requireText(what, `${name}[${i}]`, text[i])
      yield text
    }
  }
}

/**
 * Sequences, checked one by one.
 *
 * @throws DatasetError if one is no list, or an index is not a whole number, at least 0.
 */
function* eachSequence(what: string, sequences: Iterable<ArrayLike<number>>): IterableIterator<ArrayLike<number>> {
  requireIterable(what, 'sequences', sequences, 'a list of sequences')
  let row = 0
  for (const sequence of sequences) {
    const name = `sequences[${row++}]`
    if (!Array.isArray(sequence) && !isTypedArray(sequence)) {
      throw new DatasetError(`${what}: ${name} must be a list of indices, got ${describeValue(sequence)}.`)
    }
    for (let i = 0; i < sequence.length; i++) {
      const index: unknown = sequence[i]
      if (Number.isSafeInteger(index) && (index as number) >= 0) continue
      throw new DatasetError(`${what}: ${name}[${i}] is ${describeValue(index)}; indices are whole numbers, at least 0.`)
    }
    yield sequence
  }
}
