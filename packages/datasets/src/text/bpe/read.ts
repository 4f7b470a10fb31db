/** Tokenizers from `tokenizer.json` of Hugging Face's libraries, and from GPT-2's `vocab.json` with `merges.txt`. */
import { type Checks, describeValue, quoted, readOptions, requireIterable, requireText } from '../../arguments.js'
import { DatasetError, reasonOf } from '../../errors.js'
import { BytePairTokenizer } from './byte-pair-tokenizer.js'
import type { Normalization } from './options.js'
import { type PatternName, patternNames, patterns } from './patterns.js'
import type { SpecialToken } from './special-tokens.js'
import { type Json, readParts } from './write.js'

/** Reads parts of one file; messages begin with the function's name and say where in the file. */
class Reader {
  readonly #what: string

  constructor(what: string) {
    this.#what = what
  }

  fail(problem: string): never {
    throw new DatasetError(`${this.#what}: ${problem}`)
  }

  parse(json: string, name: string): unknown {
    try {
      return JSON.parse(json)
    } catch (error) {
      throw new DatasetError(`${this.#what}: ${name} is not JSON: ${reasonOf(error)}`, { cause: error })
    }
  }

  object(value: unknown, name: string): Json {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
    return this.fail(`${name} must be an object, found ${describeValue(value)}`)
  }

  list(value: unknown, name: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.fail(`${name} must be a list, found ${describeValue(value)}`)
  }

  vocabulary(value: unknown, name: string): Map<string, number> {
    const entries = Object.entries(this.object(value, name))
    for (const [token, id] of entries) {
      if (Number.isSafeInteger(id)) continue
      this.fail(`${name}: ${quoted(token)} has the number ${describeValue(id)}; numbers of tokens are whole`)
    }
    return new Map(entries as [string, number][])
  }

  /** A merge as "a b" or as ["a", "b"]. */
  merge(value: unknown, name: string): [string, string] {
    const parts = typeof value === 'string' ? value.split(' ') : value
    const right = Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string' && part !== '')
    return right ? (parts as [string, string]) : this.fail(`${name} must be two tokens, found ${describeValue(value)}`)
  }

  /** A tokenizer of what was read. */
  make(...args: ConstructorParameters<typeof BytePairTokenizer>): BytePairTokenizer {
    try {
      return new BytePairTokenizer(...args)
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error
      throw new DatasetError(`${this.#what}: ${error.message.replace(/^BytePairTokenizer: /, '')}`, { cause: error })
    }
  }
}

/** How the file cuts texts. */
function readCutting(reader: Reader, value: unknown): { pattern: PatternName; addPrefixSpace: boolean } {
  const name = 'pre_tokenizer'
  const outer = reader.object(value, name)
  const steps = outer.type === 'Sequence' ? reader.list(outer.pretokenizers, `${name}.pretokenizers`) : [outer]
  const objects = steps.map((step) => reader.object(step, `a step of ${name}`))
  const last: Json = objects.at(-1) ?? {}
  const split: Json | undefined = objects.at(-2)
  const types = objects.map(({ type }) => String(type)).join(', ')
  if (steps.length > 2 || last.type !== 'ByteLevel' || (split && split.type !== 'Split')) {
    reader.fail(
      `${name} is ${quoted(types)}; ByteLevel, alone or behind one Split, is what can be read: other tokenizers do not work on bytes`,
    )
  }
  const addPrefixSpace = last.add_prefix_space === true
  if (!split) {
    if (last.use_regex === false) reader.fail(`${name} does not cut texts (use_regex is false), which cannot be read`)
    return { pattern: 'gpt2', addPrefixSpace }
  }
  const { Regex: written } = reader.object(split.pattern, `${name}.pattern`)
  const known = patternNames.find((one) => patterns[one].written === written)
  if (!known || split.behavior !== 'Isolated' || split.invert === true || last.use_regex !== false) {
    reader.fail(
      `${name} cuts texts by ${describeValue(written)}; the patterns known are those of ${patternNames.join(', ')}. (Patterns from files are not run.)`,
    )
  }
  return { pattern: known, addPrefixSpace }
}

function readNormalizer(reader: Reader, value: unknown): Normalization | undefined {
  if (value === null || value === undefined) return undefined
  const { type } = reader.object(value, 'normalizer')
  if (type === 'NFC' || type === 'NFD' || type === 'NFKC' || type === 'NFKD') return type
  return reader.fail(`normalizer is ${describeValue(type)}; none and Unicode's normal forms can be read`)
}

function readAdded(reader: Reader, value: unknown, i: number): SpecialToken {
  const name = `added_tokens[${i}]`
  const { content, id, lstrip, rstrip, special, single_word } = reader.object(value, name)
  if (typeof content !== 'string' || !Number.isSafeInteger(id)) reader.fail(`${name} must have a content and an id`)
  if (single_word === true) reader.fail(`${name}: single_word cannot be read`)
  return {
    text: content,
    id: id as number,
    ...(lstrip === true && { stripLeft: true }),
    ...(rstrip === true && { stripRight: true }),
    ...(special === false && { special: false }),
  }
}

/**
 * Reads the text of a file `tokenizer.json`, as Hugging Face's libraries write it, of a byte-level BPE: GPT-2's, RoBERTa's, Llama 3's,
 * Qwen's and their relatives.
 *
 * `toJson` of the tokenizer writes all of it again, also what is not used here: truncation, padding, the tokens put around a text.
 *
 * @throws DatasetError if the text is not such JSON, or the tokenizer is of another kind; the message names the part of the file.
 * @example
 * ```ts
 * const trained = trainBytePairs('low lower lowest', { vocabularySize: 260 })
 * const tokenizer = bytePairsFromJson(trained.toJson())
 * console.log(String(tokenizer.encode('slow')))   // 115,257
 * ```
 */
export function bytePairsFromJson(json: string): BytePairTokenizer {
  const what = 'bytePairsFromJson'
  requireText(what, 'json', json)
  const reader = new Reader(what)
  const { model, added_tokens, normalizer, pre_tokenizer, ...top } = reader.object(reader.parse(json, 'the text'), 'the text')
  const { vocab, merges, ignore_merges, ...rest } = reader.object(model, 'model')
  // Files before 2020 leave the type out.
  if (rest.type !== 'BPE' && rest.type !== undefined) reader.fail(`model.type is ${describeValue(rest.type)}; expected "BPE"`)
  for (const name of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix', 'byte_fallback']) {
    if (rest[name]) reader.fail(`model.${name} is ${describeValue(rest[name])}, which cannot be read: only byte-level BPE can`)
  }
  const normalization = readNormalizer(reader, normalizer)
  const tokenizer = reader.make({
    vocabulary: reader.vocabulary(vocab, 'model.vocab'),
    merges: reader.list(merges, 'model.merges').map((pair, i) => reader.merge(pair, `model.merges[${i}]`)),
    specialTokens: reader.list(added_tokens ?? [], 'added_tokens').map((token, i) => readAdded(reader, token, i)),
    ignoreMerges: ignore_merges === true,
    ...readCutting(reader, pre_tokenizer),
    ...(normalization && { normalization }),
  })
  readParts.set(tokenizer, { top, model: rest })
  return tokenizer
}

/** Options of `bytePairsFromFiles`. */
export interface FilesOptions {
  /** Texts of the vocabulary that are special tokens; `<|endoftext|>` by default, if it is there. */
  specialTokens?: readonly string[]
}

const filesChecks: Checks<FilesOptions> = {
  specialTokens: (what, name, value) => requireIterable(what, name, value, 'a list of texts'),
}

/**
 * Reads the texts of GPT-2's files `vocab.json` (or `encoder.json`) and `merges.txt` (or `vocab.bpe`).
 *
 * @throws DatasetError if the vocabulary is not JSON of tokens and whole numbers, a line has not two tokens, or a special token is not in
 * the vocabulary; the message names the line.
 * @example
 * ```ts
 * const { vocabulary, merges } = trainBytePairs('low lower lowest', { vocabularySize: 260 }).toFiles()
 * const tokenizer = bytePairsFromFiles(vocabulary, merges)
 * console.log(String(tokenizer.encode('slow')))   // 115,257
 * ```
 */
export function bytePairsFromFiles(vocabulary: string, merges: string, options: FilesOptions = {}): BytePairTokenizer {
  const what = 'bytePairsFromFiles'
  requireText(what, 'vocabulary', vocabulary)
  requireText(what, 'merges', merges)
  const { specialTokens } = readOptions(what, options, filesChecks)
  const reader = new Reader(what)
  const tokens = reader.vocabulary(reader.parse(vocabulary, 'the vocabulary'), 'the vocabulary')
  const special = [...(specialTokens ?? ['<|endoftext|>'].filter((text) => tokens.has(text)))].map((text) => {
    const id = tokens.get(text)
    return id === undefined ? reader.fail(`the special token ${describeValue(text)} is not in the vocabulary`) : { text, id }
  })
  const pairs: [string, string][] = []
  for (const [i, line] of merges.split(/\r?\n/).entries()) {
    if (line === '' || (i === 0 && line.startsWith('#version'))) continue
    pairs.push(reader.merge(line, `line ${i + 1} of the merges`))
  }
  return reader.make({ vocabulary: tokens, merges: pairs, specialTokens: special })
}
