/** Learning a byte-pair tokenizer from texts. */
import { type Checks, oneOf, readOptions, requireIterable, requireText, whole } from '../../arguments.js'
import { DatasetError } from '../../errors.js'
import { missing } from '../../sequence/windows.js'
import type { SpelledOptions } from '../../spelling.js'
import { characters } from './alphabet.js'
import { BytePairTokenizer } from './byte-pair-tokenizer.js'
import { MOST_TOKENS } from './options.js'
import { type PatternName, patternNames, wellFormed } from './patterns.js'
import { learnMerges } from './train.js'

export interface TrainBytePairsOptions {
  /** Tokens that there shall be, the 256 bytes and the special ones among them. There are fewer if no pairs are left. */
  vocabularySize: number
  /** Texts that become one token each; they get the last numbers. */
  specialTokens?: readonly string[]
  /** How often a pair must occur; 1 by default. */
  minCount?: number
  /** How texts are cut first: as for GPT-2 (default), for Llama 3 and GPT-4, or for Qwen 2. */
  pattern?: PatternName
}

const checks: Checks<TrainBytePairsOptions> = {
  vocabularySize: whole({ least: characters.length, most: MOST_TOKENS }),
  specialTokens: (what, name, value) => requireIterable(what, name, value, 'a list of texts'),
  minCount: whole({ least: 1 }),
  pattern: oneOf(...patternNames),
}

/**
 * Learns a byte-level byte-pair tokenizer: the most frequent pair of neighbours becomes a token, again and again.
 *
 * The number of a byte is its value, and merge k makes the token 256 + k. Of pairs that are as frequent the one with the smaller numbers
 * is merged, so the same texts give the same tokenizer. The texts may be one text, or any number of them, such as a generator gives.
 *
 * Source: R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare words with subword units", ACL 2016.
 *
 * @throws DatasetError if a text is no text, or an option does not exist or is not what it must be.
 * @example
 * ```ts
 * const tokenizer = trainBytePairs('to be or not to be', { vocabularySize: 300, specialTokens: ['<|endoftext|>'] })
 * console.log(tokenizer.size, String(tokenizer.encode('to be<|endoftext|>'))) // 266 257,258,265
 * ```
 */
export function trainBytePairs(texts: string | Iterable<string>, options: SpelledOptions<TrainBytePairsOptions>): BytePairTokenizer {
  const what = 'trainBytePairs'
  if (typeof texts !== 'string') requireIterable(what, 'texts', texts, 'text or a list of texts')
  const { vocabularySize, specialTokens = [], minCount = 1, pattern = 'gpt2' } = readOptions(what, options, checks)
  if (vocabularySize === undefined) throw missing(what, 'vocabularySize')
  const special = [...specialTokens]
  for (const [i, text] of special.entries()) requireText(what, `specialTokens[${i}]`, text)
  const most = vocabularySize - characters.length - special.length
  if (most < 0)
    throw new DatasetError(`${what}: vocabularySize is ${vocabularySize}; 256 bytes and ${special.length} special tokens need more.`)
  const tokens = [...characters]
  const merges = learnMerges(what, eachText(what, texts), pattern, most, minCount).map(([left, right]): [string, string] => {
    const pair: [string, string] = [tokens[left], tokens[right]]
    tokens.push(pair.join(''))
    return pair
  })
  return new BytePairTokenizer({
    vocabulary: new Map(tokens.map((token, id) => [token, id])),
    merges,
    specialTokens: special.map((text, i) => ({ text, id: tokens.length + i })),
    pattern,
  })
}

function* eachText(what: string, texts: string | Iterable<string>): Generator<string> {
  let i = 0
  for (const text of typeof texts === 'string' ? [texts] : texts) {
    requireText(what, `texts[${i++}]`, text)
    yield wellFormed(text)
  }
}
