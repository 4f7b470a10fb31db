/**
 * A Tokenizer from JSON text in Keras' form: the tables are JSON *texts* inside the JSON.
 *
 * Reading keeps the order of words: `JSON.parse` alone would put words such as "2010" first.
 */
import { requireText } from '../arguments.js'
import { DatasetError, reasonOf } from '../errors.js'
import { Tokenizer } from './tokenizer.js'

const fail = (problem: string): never => {
  throw new DatasetError(`tokenizerFromJson: ${problem}`)
}

function parsed(json: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    return fail(`${what} is not JSON: ${reasonOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${what} is not a JSON object`)
  return value as Record<string, unknown>
}

/** The entries of a flat JSON object, in the order they are written. */
function entriesOf(config: Record<string, unknown>, name: string): [string, unknown][] {
  const text = config[name]
  if (typeof text !== 'string') return fail(`config.${name} is not a JSON text`)
  const flat = parsed(text, `config.${name}`)
  const entries = Array.from(
    text.matchAll(/("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,{}[\]"]+)/g),
    ([, key, value]): [string, unknown] => [JSON.parse(key), JSON.parse(value)],
  )
  const same = entries.length === Object.keys(flat).length && entries.every(([key, value]) => flat[key] === value)
  return same ? entries : fail(`config.${name} is not a flat table`)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function counts(config: Record<string, unknown>, name: string): [string, number][] {
  return entriesOf(config, name).map(([key, value]) => (isCount(value) ? [key, value] : fail(`config.${name}: "${key}" has no count`)))
}

const indexOf = (key: string, name: string): number => {
  const index = Number(key)
  return isCount(index) ? index : fail(`config.${name}: "${key}" is not an index`)
}

/**
 * Makes a Tokenizer of the JSON text that Keras' `to_json()` or our `toJson()` gives.
 *
 * @throws DatasetError if the text is not such JSON; the message names the faulty part.
 * @example
 * ```ts
 * const { numWords, oovToken } = tokenizerFromJson(new Tokenizer({ numWords: 9, oovToken: '?' }).toJson())
 * console.log(numWords, oovToken)   // 9 ?
 * ```
 */
export function tokenizerFromJson(json: string): Tokenizer {
  requireText('tokenizerFromJson', 'json', json)
  const outer = parsed(json, 'the text')
  if (outer.class_name !== 'Tokenizer') fail(`class_name is ${JSON.stringify(outer.class_name)}; expected "Tokenizer"`)
  const { config } = outer
  if (typeof config !== 'object' || config === null) return fail('config is missing')
  const c = config as Record<string, unknown>
  const typed = <T>(name: string, types: readonly string[]): T => {
    const value = c[name] ?? undefined
    return types.includes(typeof value) ? (value as T) : fail(`config.${name} is ${JSON.stringify(c[name])}; expected ${types[0]}`)
  }
  const tokenizer = new Tokenizer({
    numWords: typed<number | undefined>('num_words', ['number', 'undefined']),
    filters: typed<string>('filters', ['string']),
    lower: typed<boolean>('lower', ['boolean']),
    split: typed<string>('split', ['string']),
    charLevel: typed<boolean>('char_level', ['boolean']),
    oovToken: typed<string | undefined>('oov_token', ['string', 'undefined']),
  })
  if (!isCount(c.document_count)) return fail(`config.document_count is ${JSON.stringify(c.document_count)}; expected a count`)
  tokenizer.documentCount = c.document_count
  for (const [word, count] of counts(c, 'word_counts')) tokenizer.wordCounts.set(word, count)
  for (const [word, count] of counts(c, 'word_docs')) tokenizer.wordDocs.set(word, count)
  for (const [word, index] of counts(c, 'word_index')) tokenizer.wordIndex.set(word, index)
  for (const [key, count] of counts(c, 'index_docs')) tokenizer.indexDocs.set(indexOf(key, 'index_docs'), count)
  for (const [key, word] of entriesOf(c, 'index_word')) {
    tokenizer.indexWord.set(indexOf(key, 'index_word'), typeof word === 'string' ? word : fail(`config.index_word: ${key} is no word`))
  }
  return tokenizer
}
