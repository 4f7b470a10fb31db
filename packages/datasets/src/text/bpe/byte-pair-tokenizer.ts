/** Byte-level byte-pair encoding, as GPT-2 and the models after it have it: texts to numbers of tokens and back. */
import { describeValue, quoted, readOptions, requireText, requireWhole } from '../../arguments.js'
import { allocate } from '../../array.js'
import { DatasetError } from '../../errors.js'
import { joined } from '../../stream.js'
import { noToken, requireTokens } from '../characters.js'
import { bytesOfToken, characters } from './alphabet.js'
import { type Merge, mergePairs, pairKey } from './merging.js'
import {
  type BytePairs,
  checks,
  type DecodeOptions,
  decodeChecks,
  type EncodeOptions,
  encodeChecks,
  MOST_TOKENS,
  type Normalization,
} from './options.js'
import { type PatternName, piecesOf, wellFormed } from './patterns.js'
import { type SpecialToken, SpecialTokens } from './special-tokens.js'
import { decodedStream, encodedStream } from './streams.js'
import { filesOf, jsonOf } from './write.js'

/** Pieces longer than this are not remembered, nor are more than `MOST_REMEMBERED`. */
const LONGEST_REMEMBERED = 64
const MOST_REMEMBERED = 2 ** 16

/**
 * A byte-level byte-pair tokenizer, as GPT-2's, Llama 3's and Qwen's. `trainBytePairs` learns one from texts; `bytePairsFromJson` and
 * `bytePairsFromFiles` read one.
 *
 * A text is cut into pieces of letters, numbers or marks with the space before them, and each piece into the bytes of its UTF-8. Then
 * neighbours are merged, the pair that was learned first before the others. So every text has tokens, and `decode(encode(text))` is the
 * text; only half of a surrogate pair, which is no character, becomes U+FFFD.
 *
 * Source: R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare words with subword units", ACL 2016; A. Radford et al.,
 * "Language models are unsupervised multitask learners", 2019.
 *
 * @throws DatasetError if a number is no whole number or there twice, or a merge has a part or a result that is no token.
 * @example
 * ```ts
 * const tokenizer = trainBytePairs('low lower lowest newest widest', { vocabularySize: 262 })
 * const tokens = tokenizer.encode('lowest')
 * console.log(Array.from(tokens, (id) => tokenizer.token(id)), tokenizer.decode(tokens))   // ['low', 'est'] lowest
 * ```
 */
export class BytePairTokenizer {
  /** The number of each token that is not special, written in GPT-2's alphabet. */
  readonly vocabulary: ReadonlyMap<string, number>
  /** Pairs of tokens, the most urgent first. */
  readonly merges: readonly (readonly [string, string])[]
  readonly specialTokens: readonly SpecialToken[]
  /** One more than the greatest number: the rows that an embedding needs. */
  readonly size: number
  readonly pattern: PatternName
  readonly addPrefixSpace: boolean
  readonly ignoreMerges: boolean
  readonly normalization: Normalization | undefined
  readonly #texts = new Map<number, string>()
  readonly #bytes = new Map<number, Uint8Array>()
  readonly #byteIds: readonly (number | undefined)[]
  readonly #merges = new Map<number, Merge>()
  readonly #special: SpecialTokens
  #remembered = new Map<string, Int32Array>()

  constructor(definition: BytePairs) {
    const what = 'BytePairTokenizer'
    const { vocabulary, merges, specialTokens = [], ...rest } = readOptions(what, definition, checks)
    if (!vocabulary || !merges) throw new DatasetError(`${what}: the option ${vocabulary ? 'merges' : 'vocabulary'} is missing.`)
    this.vocabulary = vocabulary
    this.merges = merges
    this.#special = new SpecialTokens(what, specialTokens)
    this.specialTokens = this.#special.all
    this.pattern = rest.pattern ?? 'gpt2'
    this.addPrefixSpace = rest.addPrefixSpace ?? false
    this.ignoreMerges = rest.ignoreMerges ?? false
    this.normalization = rest.normalization

    let largest = -1
    const add = (token: unknown, id: unknown): void => {
      requireText(what, 'a token', token)
      if (!Number.isSafeInteger(id) || (id as number) < 0 || (id as number) >= MOST_TOKENS) {
        throw new DatasetError(
          `${what}: the number of ${quoted(token as string)} must be a whole number below 2^26, got ${describeValue(id)}.`,
        )
      }
      const other = this.#texts.get(id as number)
      if (other !== undefined && other !== token) {
        throw new DatasetError(`${what}: ${quoted(other)} and ${quoted(token as string)} have the same number ${id}.`)
      }
      this.#texts.set(id as number, token as string)
      largest = Math.max(largest, id as number)
    }
    for (const [token, id] of vocabulary) add(token, id)
    for (const { text, id } of this.specialTokens) add(text, id)
    this.size = largest + 1
    this.#byteIds = characters.map((character) => vocabulary.get(character))
    let rank = 0
    for (const pair of merges) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new DatasetError(`${what}: merges[${rank}] must be two tokens, got ${describeValue(pair)}.`)
      }
      const [left, right] = pair as readonly [string, string]
      const [a, b, id] = [left, right, left + right].map((token) => {
        const found = vocabulary.get(token)
        if (found === undefined)
          throw new DatasetError(`${what}: merges[${rank}] needs the token ${quoted(String(token))}, which is not there.`)
        return found
      })
      this.#merges.set(pairKey(a, b), { rank: rank++, id })
    }
  }

  /** The number of a token, by its text in GPT-2's alphabet, special or not; undefined if there is none. */
  id(token: string): number | undefined {
    requireText('BytePairTokenizer.id', 'token', token)
    return this.vocabulary.get(token) ?? this.#special.id(token)
  }

  /** The text of a token in GPT-2's alphabet, special or not; undefined if there is none. */
  token(id: number): string | undefined {
    requireWhole('BytePairTokenizer.token', 'id', id)
    return this.#texts.get(id)
  }

  /**
   * The tokens of a text. It takes time in proportion to the text.
   *
   * Tokens that a tokenizer's file puts around a text (`post_processor`) are left to you: `[tokenizer.id('<s>')!, ...tokens]`.
   *
   * @throws DatasetError if the text is no text, or a byte has no token (in a vocabulary from elsewhere).
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const what = 'BytePairTokenizer.encode'
    requireText(what, 'text', text)
    const { specialTokens = true } = readOptions(what, options, encodeChecks)
    return this.#encode(what, text, specialTokens, true)
  }

  /**
   * The text that tokens stand for. Bytes that are no UTF-8, such as half of a character, become U+FFFD.
   * @throws DatasetError if there is no such token.
   */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const what = 'BytePairTokenizer.decode'
    requireTokens(what, tokens)
    const { skipSpecialTokens = false } = readOptions(what, options, decodeChecks)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#decode(what, tokens, skipSpecialTokens))
  }

  /**
   * The tokens of a text that comes in chunks, such as a ReadableStream of text: the same as of the whole text, wherever it was cut.
   *
   * It keeps back the end of a chunk that later text could still change, until it is certain.
   *
   * @throws DatasetError if a chunk is no text, and as `encode` does.
   */
  encodeStream(chunks: Iterable<string> | AsyncIterable<string>, options: EncodeOptions = {}): AsyncGenerator<Int32Array, void> {
    const what = 'BytePairTokenizer.encodeStream'
    const { specialTokens = true } = readOptions(what, options, encodeChecks)
    const special = specialTokens ? this.#special : new SpecialTokens(what, [])
    return encodedStream(what, chunks, special, (text, begins) => this.#encode(what, text, specialTokens, begins))
  }

  /**
   * The text of tokens that come one by one or in lists, as a model writes them. A character that lacks bytes waits for them.
   *
   * @throws DatasetError if there is no such token.
   */
  decodeStream(
    tokens: Iterable<number | ArrayLike<number>> | AsyncIterable<number | ArrayLike<number>>,
    options: DecodeOptions = {},
  ): AsyncGenerator<string, void> {
    const what = 'BytePairTokenizer.decodeStream'
    const { skipSpecialTokens = false } = readOptions(what, options, decodeChecks)
    return decodedStream(what, tokens, (some) => this.#decode(what, some, skipSpecialTokens))
  }

  /** The text of a file `tokenizer.json`, as Hugging Face's libraries read it. What such a file said beyond tokens is in it again. */
  toJson(): string {
    return jsonOf(this)
  }

  /** The texts of GPT-2's files `vocab.json` and `merges.txt`. They have no place for patterns; special tokens are in the vocabulary. */
  toFiles(): { vocabulary: string; merges: string } {
    return filesOf(this)
  }

  /** @param begins whether a segment begins here: the text, or what stands behind a special token */
  #encode(what: string, text: string, special: boolean, begins: boolean): Int32Array {
    const parts: Int32Array[] = []
    let length = 0
    const add = (ids: Int32Array): void => {
      parts.push(ids)
      length += ids.length
    }
    const plain = (segment: string, first: boolean): void => {
      let cut = this.normalization ? segment.normalize(this.normalization) : segment
      if (this.addPrefixSpace && first && cut !== '' && !cut.startsWith(' ')) cut = ` ${cut}`
      for (const piece of piecesOf(what, cut, this.pattern)) add(this.#piece(what, piece))
    }
    const whole = wellFormed(text)
    let at = 0
    for (const { begin, end, id } of special ? this.#special.find(whole) : []) {
      plain(whole.slice(at, begin), begins || at > 0)
      add(Int32Array.of(id))
      at = end
    }
    plain(whole.slice(at), begins || at > 0)
    const out = allocate(what, Int32Array, length)
    let to = 0
    for (const part of parts) {
      out.set(part, to)
      to += part.length
    }
    return out
  }

  #piece(what: string, piece: string): Int32Array {
    const remembered = this.#remembered.get(piece)
    if (remembered) return remembered
    const bytes = new TextEncoder().encode(piece)
    const whole = this.ignoreMerges ? this.vocabulary.get(Array.from(bytes, (byte) => characters[byte]).join('')) : undefined
    const ids = whole === undefined ? this.#merged(what, bytes) : Int32Array.of(whole)
    if (piece.length <= LONGEST_REMEMBERED) {
      if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered = new Map()
      this.#remembered.set(piece, ids)
    }
    return ids
  }

  #merged(what: string, bytes: Uint8Array): Int32Array {
    const ids = Int32Array.from(bytes, (byte) => {
      const id = this.#byteIds[byte]
      if (id !== undefined) return id
      throw new DatasetError(`${what}: the vocabulary has no token for the byte ${byte} (${quoted(characters[byte])}).`)
    })
    return ids.slice(0, mergePairs(ids, this.#merges))
  }

  #decode(what: string, tokens: ArrayLike<number>, skipSpecial: boolean): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array[] = []
    let length = 0
    for (let i = 0; i < tokens.length; i++) {
      const id: unknown = tokens[i]
      let bytes = this.#bytes.get(id as number)
      if (bytes === undefined) {
        const text = this.#texts.get(id as number)
        if (text === undefined) throw noToken(what, id, i, this.size)
        bytes = this.#special.has(id as number) ? new TextEncoder().encode(text) : bytesOfToken(text)
        this.#bytes.set(id as number, bytes)
      }
      if (skipSpecial && this.#special.skips(id as number)) continue
      parts.push(bytes)
      length += bytes.length
    }
    return joined(parts, length)
  }
}
