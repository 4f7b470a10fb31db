/**
 * How a text is cut before bytes are merged. Patterns of files are looked up here and never run: one from a stranger could take time
 * exponential in the text. `\s` is Unicode's white space here, as in the libraries that the patterns were written for.
 */
import { DatasetError } from '../../errors.js'

const space = '\\p{White_Space}'
const insensitive = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
/** The pattern that GPT-4, Llama 3 and Qwen 2 share but for the numbers. */
const modern = (numbers: string): string =>
  `${insensitive}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^${space}\\p{L}\\p{N}]+[\\r\\n]*|${space}*[\\r\\n]+|${space}+(?!\\P{White_Space})|${space}+`
const modernSource = (numbers: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

export type PatternName = 'gpt2' | 'llama3' | 'qwen2'

/** Our pattern, and as `tokenizer.json` writes it. */
export const patterns: Readonly<Record<PatternName, { readonly ours: RegExp; readonly written: string }>> = {
  gpt2: {
    ours: new RegExp(
      `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${space}\\p{L}\\p{N}]+|${space}+(?!\\P{White_Space})|${space}+`,
      'gu',
    ),
    written: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  },
  llama3: { ours: new RegExp(modern('\\p{N}{1,3}'), 'gu'), written: modernSource('\\p{N}{1,3}') },
  qwen2: { ours: new RegExp(modern('\\p{N}'), 'gu'), written: modernSource('\\p{N}') },
}

export const patternNames = Object.keys(patterns) as readonly PatternName[]

/**
 * Pieces of a text, in order; together they are the text.
 *
 * @throws DatasetError if a run of letters is longer than the regular expression has memory for: it keeps a way back for each of them.
 */
export function* piecesOf(what: string, text: string, pattern: PatternName): Generator<string> {
  try {
    for (const [piece] of text.matchAll(patterns[pattern].ours)) yield piece
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new DatasetError(`${what}: the text has millions of letters in a row, without a space: cut it into parts.`, { cause: error })
  }
}

/**
 * A place to cut a text such that nothing behind it changes the pieces before it, the last there is behind `from`; 0 if there is none.
 *
 * A space behind something that is no white space begins a piece in every pattern, and so does a mark of punctuation behind a letter or
 * number. Neither joins what stands before it in Unicode's normal forms.
 */
export function safeCut(text: string, from: number): number {
  for (let at = text.length - 1; at > Math.max(0, from); at--) {
    if (text[at] === ' ' ? /\P{White_Space}/u.test(text[at - 1]) : mark.test(text[at]) && wordEnd.test(text[at - 1])) return at
  }
  return 0
}

/** The text with U+FFFD in the place of halves of surrogate pairs, which UTF-8 has not. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd')

const mark = /^\p{P}$/u
const wordEnd = /^[\p{L}\p{N}]$/u
