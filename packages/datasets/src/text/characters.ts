/** The characters of a text as tokens. */
import { describeValue, quoted, requireText } from '../arguments.js'
import { allocate, isTypedArray } from '../array.js'
import { DatasetError } from '../errors.js'

/**
 * Numbers for the characters of a text, in the order of their code points, as nanoGPT numbers them.
 *
 * A character is a code point. `new CharacterVocabulary(vocabulary.characters.join(''))` is the same vocabulary again.
 *
 * @throws DatasetError if the text is no text or empty.
 * @example
 * ```ts
 * const vocabulary = new CharacterVocabulary('to be or not to be')
 * const tokens = vocabulary.encode('tree')
 * console.log(vocabulary.size, String(tokens), vocabulary.decode(tokens))   // 7 6,5,2,2 tree
 * ```
 */
export class CharacterVocabulary {
  /** The character of each number. */
  readonly characters: readonly string[]
  readonly #numbers: ReadonlyMap<string, number>

  constructor(text: string) {
    requireText('CharacterVocabulary', 'text', text)
    this.characters = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
    if (this.characters.length === 0) throw new DatasetError('CharacterVocabulary: the text is empty, so there are no characters.')
    this.#numbers = new Map(this.characters.map((character, i) => [character, i]))
  }

  /** How many characters there are. */
  get size(): number {
    return this.characters.length
  }

  /**
   * The number of each character of a text.
   *
   * @throws DatasetError if a character is not in the vocabulary; the message names it and its place.
   */
  encode(text: string): Int32Array {
    const what = 'CharacterVocabulary.encode'
    requireText(what, 'text', text)
    const out = allocate(what, Int32Array, text.length)
    let length = 0
    let place = 0
    for (const character of text) {
      const number = this.#numbers.get(character)
      if (number === undefined)
        throw new DatasetError(`${what}: ${quoted(character)} at ${place} is not among the ${this.size} characters.`)
      out[length++] = number
      place += character.length
    }
    return length === out.length ? out : out.slice(0, length)
  }

  /**
   * The text that numbers stand for.
   *
   * @throws DatasetError if a number is not that of a character.
   */
  decode(tokens: ArrayLike<number>): string {
    const what = 'CharacterVocabulary.decode'
    requireTokens(what, tokens)
    return Array.from(tokens, (token, i) => {
      const character = Number.isSafeInteger(token) ? this.characters[token] : undefined
      if (character === undefined) throw noToken(what, token, i, this.size)
      return character
    }).join('')
  }
}

/** Throws unless `tokens` is a list or typed array of numbers. */
export function requireTokens(what: string, tokens: unknown): void {
  if (Array.isArray(tokens) || isTypedArray(tokens)) return
  throw new DatasetError(`${what}: tokens must be a list or typed array of numbers, got ${describeValue(tokens)}.`)
}

/** The error for a number that no token has. */
export const noToken = (what: string, token: unknown, i: number, size: number): DatasetError =>
  new DatasetError(`${what}: tokens[${i}] is ${describeValue(token)}; tokens are whole numbers from 0 to ${size - 1}.`)
