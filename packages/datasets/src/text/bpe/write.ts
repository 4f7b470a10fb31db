/** A tokenizer as the files that Hugging Face's libraries and GPT-2's program read. */
import type { BytePairTokenizer } from './byte-pair-tokenizer.js'
import { patterns } from './patterns.js'

/** An object of a JSON file. */
export type Json = Readonly<Record<string, unknown>>

/** Everything in a file beyond the tokens, to be written again as it was. `model` is without vocabulary and merges. */
export interface ReadParts {
  readonly top: Json
  readonly model: Json
}

export const readParts = new WeakMap<BytePairTokenizer, ReadParts>()

const byteLevel = (addPrefixSpace: boolean, useRegex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: addPrefixSpace,
  trim_offsets: true,
  use_regex: useRegex,
})

function preTokenizer({ pattern, addPrefixSpace }: BytePairTokenizer): Json {
  if (pattern === 'gpt2') return byteLevel(addPrefixSpace, true)
  const split = { type: 'Split', pattern: { Regex: patterns[pattern].written }, behavior: 'Isolated', invert: false }
  return { type: 'Sequence', pretokenizers: [split, byteLevel(addPrefixSpace, false)] }
}

const plainModel: Json = {
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
}

/** `{"a": 0, …}` in the order of the numbers. (As an object, tokens such as "7" would come first.) */
const tableOf = (entries: Iterable<readonly [string, number]>, separator: string): string =>
  `{${Array.from(entries)
    .sort(([, a], [, b]) => a - b)
    .map(([token, id]) => `${JSON.stringify(token)}: ${id}`)
    .join(separator)}}`

/** The text of `tokenizer.json`. */
export function jsonOf(tokenizer: BytePairTokenizer): string {
  const { top = {}, model = plainModel } = readParts.get(tokenizer) ?? {}
  const added = tokenizer.specialTokens.map(({ text, id, stripLeft = false, stripRight = false, special = true }) => ({
    id,
    content: text,
    single_word: false,
    lstrip: stripLeft,
    rstrip: stripRight,
    normalized: false,
    special,
  }))
  const whole = {
    version: '1.0',
    truncation: null,
    padding: null,
    post_processor: null,
    decoder: byteLevel(true, true),
    ...top,
    added_tokens: added,
    normalizer: tokenizer.normalization ? { type: tokenizer.normalization } : null,
    pre_tokenizer: preTokenizer(tokenizer),
  }
  const merges = tokenizer.merges.map((pair) => JSON.stringify(pair.join(' ')))
  const settings = JSON.stringify({ ...model, ignore_merges: tokenizer.ignoreMerges }, null, 2).slice(0, -2)
  const vocabulary = tableOf(tokenizer.vocabulary, ',\n')
  return `${JSON.stringify(whole, null, 2).slice(0, -2)},\n"model": ${settings},\n"vocab": ${vocabulary},\n"merges": [${merges.join(',\n')}]\n}\n}\n`
}

/** The texts of `vocab.json` and `merges.txt`. */
export function filesOf({ vocabulary, merges, specialTokens }: BytePairTokenizer): { vocabulary: string; merges: string } {
  const all = new Map([...vocabulary, ...specialTokens.map(({ text, id }): [string, number] => [text, id])])
  return {
    vocabulary: tableOf(all, ', '),
    merges: `#version: 0.2\n${merges.map((pair) => `${pair.join(' ')}\n`).join('')}`,
  }
}
