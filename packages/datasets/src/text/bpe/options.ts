/** Arguments of byte-pair tokenizers and their methods. */
import { type Checks, describeValue, oneOf, requireBoolean, requireIterable } from '../../arguments.js'
import { DatasetError } from '../../errors.js'
import { type PatternName, patternNames } from './patterns.js'
import type { SpecialToken } from './special-tokens.js'

/** The parts of a tokenizer. */
export interface BytePairs {
  /** The number of each token, written in GPT-2's alphabet: a space is "Ġ". */
  vocabulary: ReadonlyMap<string, number>
  /** Pairs of tokens to merge, the most urgent first. */
  merges: readonly (readonly [string, string])[]
  /** Tokens that are found in a text before it is cut, such as `<|endoftext|>`. */
  specialTokens?: readonly SpecialToken[]
  /** How texts are cut: as for GPT-2 (default), for Llama 3 and GPT-4, or for Qwen 2. */
  pattern?: PatternName
  /** A space before a text that does not begin with one; false by default. */
  addPrefixSpace?: boolean
  /** A piece that is a token stays whole, whatever the merges say; false by default. */
  ignoreMerges?: boolean
  /** Unicode's normal form that texts are brought to first; none by default. */
  normalization?: Normalization
}

export type Normalization = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

export const checks: Checks<BytePairs> = {
  vocabulary(what, name, value) {
    if (!(value instanceof Map)) throw new DatasetError(`${what}: ${name} must be a Map of tokens to numbers, got ${describeValue(value)}.`)
  },
  merges: (what, name, value) => requireIterable(what, name, value, 'a list of pairs of tokens'),
  specialTokens: (what, name, value) => requireIterable(what, name, value, 'a list of { text, id }'),
  pattern: oneOf(...patternNames),
  addPrefixSpace: requireBoolean,
  ignoreMerges: requireBoolean,
  normalization: oneOf('NFC', 'NFD', 'NFKC', 'NFKD'),
}

/** Ids are below this, so that two of them are one exact number. */
export const MOST_TOKENS = 2 ** 26

/** Options of `encode` and `encodeStream`. */
export interface EncodeOptions {
  /** False takes the texts of special tokens as any other text: for what a user wrote. True by default. */
  specialTokens?: boolean
}

/** Options of `decode` and `decodeStream`. */
export interface DecodeOptions {
  /** Leaves out special tokens; false by default. */
  skipSpecialTokens?: boolean
}

export const encodeChecks: Checks<EncodeOptions> = { specialTokens: requireBoolean }
export const decodeChecks: Checks<DecodeOptions> = { skipSpecialTokens: requireBoolean }
