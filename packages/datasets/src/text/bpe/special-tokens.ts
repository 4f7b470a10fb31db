/** Tokens that are found in a text before it is cut into pieces. */
import { describeValue, requireText } from '../../arguments.js'
import { DatasetError } from '../../errors.js'

/** A token whose text is found as it stands. */
export interface SpecialToken {
  readonly text: string
  readonly id: number
  /** Takes the white space before it along. */
  readonly stripLeft?: boolean
  /** Takes the white space behind it along. */
  readonly stripRight?: boolean
  /** False for a word that was only added to the vocabulary: `skipSpecialTokens` does not leave it out. */
  readonly special?: boolean
}

/** Where a special token stands in a text. */
interface Found {
  readonly begin: number
  readonly end: number
  readonly id: number
}

export class SpecialTokens {
  readonly all: readonly SpecialToken[]
  /** Characters of the longest. */
  readonly longest: number
  readonly #pattern: RegExp | undefined
  readonly #byText: ReadonlyMap<string, SpecialToken>
  readonly #ids: ReadonlySet<number>
  readonly #skipped: ReadonlySet<number>

  /** @throws DatasetError if one is no { text, id }, empty or there twice. */
  constructor(what: string, tokens: Iterable<SpecialToken>) {
    this.all = [...tokens]
    const byText = new Map<string, SpecialToken>()
    for (const [i, token] of this.all.entries()) {
      if (typeof token !== 'object' || token === null) {
        throw new DatasetError(`${what}: specialTokens[${i}] must be { text, id }, got ${describeValue(token)}.`)
      }
      requireText(what, `specialTokens[${i}].text`, token.text)
      if (token.text === '' || byText.has(token.text)) {
        throw new DatasetError(`${what}: specialTokens[${i}] ${token.text === '' ? 'has an empty text' : `is "${token.text}" once more`}.`)
      }
      byText.set(token.text, token)
    }
    this.#byText = byText
    this.#ids = new Set(this.all.map(({ id }) => id))
    this.#skipped = new Set(this.all.filter(({ special = true }) => special).map(({ id }) => id))
    this.longest = Math.max(0, ...this.all.map(({ text }) => text.length))
    // Of those that begin at one place the longest counts.
    const texts = [...byText.keys()].sort((a, b) => b.length - a.length).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    this.#pattern = texts.length > 0 ? new RegExp(texts.join('|'), 'g') : undefined
  }

  id(text: string): number | undefined {
    return this.#byText.get(text)?.id
  }

  /** Whether the token's text stands as it is, not in GPT-2's alphabet. */
  has(id: number): boolean {
    return this.#ids.has(id)
  }

  /** Whether `skipSpecialTokens` leaves the token out. */
  skips(id: number): boolean {
    return this.#skipped.has(id)
  }

  *find(text: string): Generator<Found> {
    if (!this.#pattern) return
    let least = 0
    for (const { 0: found, index } of text.matchAll(this.#pattern)) {
      const { id, stripLeft, stripRight } = this.#byText.get(found)!
      let begin = index
      let end = index + found.length
      if (stripLeft) while (begin > least && isSpace(text[begin - 1])) begin--
      if (stripRight) while (end < text.length && isSpace(text[end])) end++
      yield { begin, end, id }
      least = end
    }
  }
}

const isSpace = (character: string): boolean => /\p{White_Space}/u.test(character)
