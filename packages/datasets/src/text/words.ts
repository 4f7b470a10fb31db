/** From a text to its words, and from words to numbers without a vocabulary, as Keras 2.3's `preprocessing.text` does it. */
import { type Checks, describeValue, readOptions, requireBoolean, requireChoice, requireText, requireWhole } from '../arguments.js'
import { DatasetError } from '../errors.js'
import type { SpelledOptions } from '../spelling.js'
import { md5 } from './md5.js'

/** Keras' default filter: punctuation but the apostrophe, tab, newline. */
export const defaultFilters = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

/** Options for cutting a text into words. */
export interface SplitOptions {
  /** Characters that separate words, as `split` does; punctuation but the apostrophe, tab and newline by default. */
  filters?: string
  /** Lower case first; true by default. */
  lower?: boolean
  /** The text that separates words; a space by default. */
  split?: string
}

export const splitChecks: Checks<SplitOptions> = { filters: requireText, lower: requireBoolean, split: requireText }

/**
 * A function that cuts texts; the filter is compiled once.
 *
 * @throws DatasetError if `split` is empty.
 */
export function wordSplitter(what: string, options: SplitOptions): (text: string) => string[] {
  const { filters = defaultFilters, lower = true, split = ' ' } = options
  if (split === '') throw new DatasetError(`${what}: split is empty: give the text that separates words (for single characters, charLevel)`)
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
 * The words of a text, as Keras' `text_to_word_sequence`: in lower case, cut at every character of `filters`, without empty words.
 *
 * Only the lower case follows Unicode.
 *
 * @throws DatasetError if the text is no text, an option does not exist, or `split` is empty.
 * @example
 * ```ts
 * console.log(textToWordSequence("Good news, everyone! It's me"))   // ['good', 'news', 'everyone', "it's", 'me']
 * ```
 */
export function textToWordSequence(text: string, options: SpelledOptions<SplitOptions> = {}): string[] {
  const what = 'textToWordSequence'
  requireText(what, 'text', text)
  return wordSplitter(what, readOptions(what, options, splitChecks))(text)
}

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
   * 'md5' gives Keras' numbers. 'hash', the default, is FNV-1a. (In Keras 'hash' is Python's own function, whose numbers differ from run to
   * run.) A function must return a whole number.
   */
  hashFunction?: 'hash' | 'md5' | ((word: string) => number)
}

/**
 * A number in 1 … n - 1 for each word, by its hash, as Keras' `hashing_trick`.
 *
 * No vocabulary is kept, so different words may get the same number.
 *
 * @throws DatasetError if n is not a whole number in 2 … 2^32, a hash function returns anything but a whole number, or an option does not
 * exist.
 * @example
 * ```ts
 * hashingTrick('The cat sat on the mat.', 20, { hashFunction: 'md5' })   // [17, 4, 13, 16, 17, 9]
 * ```
 */
export function hashingTrick(text: string, n: number, options: SpelledOptions<HashingOptions> = {}): number[] {
  const what = 'hashingTrick'
  return hashed(what, text, n, readOptions(what, options, hashingChecks))
}

const hashingChecks: Checks<HashingOptions> = {
  ...splitChecks,
  hashFunction(what, name, value) {
    if (typeof value !== 'function') requireChoice(what, name, value, ['hash', 'md5'])
  },
}

function hashed(what: string, text: string, n: number, { hashFunction = 'hash', ...split }: HashingOptions): number[] {
  requireText(what, 'text', text)
  requireWhole(what, 'n', n, { least: 2, most: 2 ** 32 })
  const m = n - 1
  const rest = (word: string): number => {
    if (hashFunction === 'md5') return md5Modulo(word, m)
    if (hashFunction === 'hash') return fnv1a(word) % m
    const hash = hashFunction(word)
    if (!Number.isSafeInteger(hash))
      throw new DatasetError(`${what}: the hash of "${word}" must be a whole number, got ${describeValue(hash)}.`)
    // Python's modulo is never negative.
    return ((hash % m) + m) % m
  }
  return wordSplitter(what, split)(text).map((word) => rest(word) + 1)
}

/**
 * Numbers in 1 … n - 1 for the words of a text: `hashingTrick` with the 'hash' function. Despite the name, which is Keras', these are no
 * one-hot rows.
 *
 * @throws DatasetError as `hashingTrick` does.
 * @example
 * ```ts
 * oneHot('The cat sat on the mat.', 50).length   // 6
 * ```
 */
export const oneHot = (text: string, n: number, options: SpelledOptions<SplitOptions> = {}): number[] =>
  hashed('oneHot', text, n, readOptions('oneHot', options, splitChecks))
