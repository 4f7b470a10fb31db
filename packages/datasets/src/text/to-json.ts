/** A Tokenizer as the JSON text that Keras' `Tokenizer.to_json()` gives, byte for byte. */
import type { Tokenizer } from './tokenizer.js'

/** Escapes what is not ASCII, as Python's `json.dumps` does. */
const ascii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (c) => (c === '\u007f' ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))

const quoted = (text: string): string => ascii(JSON.stringify(text))

/** `{"a": 1, "b": 2}`, spaced as Python does. */
const table = (entries: Iterable<readonly [string | number, string | number]>): string =>
  `{${Array.from(entries, ([key, value]) => `${quoted(String(key))}: ${typeof value === 'string' ? quoted(value) : value}`).join(', ')}}`

/** The JSON text of a Tokenizer. */
export function tokenizerToJson(t: Tokenizer): string {
  const optional = (value: string | undefined): string => (value === undefined ? 'null' : quoted(value))
  const config = [
    ['num_words', String(t.numWords ?? null)],
    ['filters', quoted(t.filters)],
    ['lower', String(t.lower)],
    ['split', quoted(t.split)],
    ['char_level', String(t.charLevel)],
    ['oov_token', optional(t.oovToken)],
    ['document_count', String(t.documentCount)],
    ['word_counts', quoted(table(t.wordCounts))],
    ['word_docs', quoted(table(t.wordDocs))],
    ['index_docs', quoted(table(t.indexDocs))],
    ['index_word', quoted(table(t.indexWord))],
    ['word_index', quoted(table(t.wordIndex))],
  ]
  return `{"class_name": "Tokenizer", "config": {${config.map(([key, value]) => `"${key}": ${value}`).join(', ')}}}`
}
