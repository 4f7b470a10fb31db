/** From a text to its words, and from words to numbers without a vocabulary, as Keras 2.3's `preprocessing.text` does it. */
import { DatasetError } from '../errors.js'
import { md5 } from './md5.js'

/** Keras' default filter: punctuation but the apostrophe, tab, newline. */
export const defaultFilters = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

/** How a text is cut into words. */
export interface SplitOptions {
  /** Characters that separate words, as `split` does; punctuation but the apostrophe, tab and newline by default. */
  filters?: string
  /** Lower case first; true by default. */
  lower?: boolean
  /** What separates words; a space by default. */
  split?: string
}

/**
 * A function that cuts texts; the filter is compiled once.
 *
 * Errors: an empty `split`.
 */
export function wordSplitter(options: SplitOptions = {}): (text: string) => string[] {
  const { filters = defaultFilters, lower = true, split = ' ' } = options
  if (split === '') throw new DatasetError('split is empty: give the text that separates words (for single characters, charLevel)')
  const filter = filters && new RegExp(`[${[...filters].map((c) => `\\u{${c.codePointAt(0)!.toString(16)}}`).join('')}]`, 'gu')
  // In a replacement `$` has a meaning.
  const replacement = split.replaceAll('$', '$$$$')
  return (text) => {
    const cased = lower ? text.toLowerCase() : text
    const plain = filter ? cased.replace(filter, replacement) : cased
    return plain.split(split).filter((word) => word !== '')
  }
}

/**
 * The words of a text: lower case, every character of `filters` taken as a separator, empty words dropped. Keras'
 * `text_to_word_sequence`. Nothing in it knows Unicode but the lower case.
 *
 * ```ts
 * textToWordSequence("Good news, everyone! It's me") // ['good', 'news', 'everyone', "it's", 'me']
 * ```
 */
export const textToWordSequence = (text: string, options: SplitOptions = {}): string[] => wordSplitter(options)(text)

/** FNV-1a of the UTF-8 bytes, 32 bits. */
function fnv1a(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The 128-bit number of an MD5 digest modulo m, byte by byte from the most significant. */
const md5Modulo = (word: string, m: number): number => md5(word).reduce((rest, byte) => (rest * 256 + byte) % m, 0)

export interface HashingOptions extends SplitOptions {
  /**
   * 'md5' gives Keras' numbers. 'hash' (default) stands in Keras for Python's own, whose numbers differ from run to run; here it is
   * FNV-1a, which doesn't. A function must return a whole number.
   */
  hashFunction?: 'hash' | 'md5' | ((word: string) => number)
}

/**
 * A number in 1 … n - 1 for each word, by its hash: no vocabulary is kept, and different words may meet. Keras' `hashing_trick`.
 *
 * Errors: n that is not a whole number in 2 … 2^32; a hash function that returns something else than a whole number.
 *
 * ```ts
 * hashingTrick('The cat sat on the mat.', 20, { hashFunction: 'md5' }) // [17, 4, 13, 16, 17, 9]
 * ```
 */
export function hashingTrick(text: string, n: number, options: HashingOptions = {}): number[] {
  const { hashFunction = 'hash', ...split } = options
  if (!(Number.isInteger(n) && n >= 2 && n <= 2 ** 32)) {
    throw new DatasetError(`hashingTrick: n is ${n}; it must be a whole number in 2 … 2^32 (words get 1 … n - 1)`)
  }
  const m = n - 1
  const rest = (word: string): number => {
    if (hashFunction === 'md5') return md5Modulo(word, m)
    if (hashFunction === 'hash') return fnv1a(word) % m
    if (typeof hashFunction !== 'function')
      throw new DatasetError(`hashingTrick: hashFunction is ${hashFunction}: expected 'hash', 'md5' or a function`)
    const hash = hashFunction(word)
    if (!Number.isSafeInteger(hash)) throw new DatasetError(`hashingTrick: the hash of "${word}" is ${hash}; it must be a whole number`)
    // Python's modulo is never negative.
    return ((hash % m) + m) % m
  }
  return wordSplitter(split)(text).map((word) => rest(word) + 1)
}

/**
 * `hashingTrick` with the 'hash' function: numbers in 1 … n - 1, which despite Keras' name for it are no one-hot rows.
 *
 * ```ts
 * oneHot('The cat sat on the mat.', 50).length // 6
 * ```
 */
export const oneHot = (text: string, n: number, options: SplitOptions = {}): number[] =>
  hashingTrick(text, n, { ...options, hashFunction: 'hash' })
