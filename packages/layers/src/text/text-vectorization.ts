/** Texts to the indices of their words, as Keras 3.16's TextVectorization. */
import { type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue, requireChoice, requireOptions, requireWhole } from '@cotangent/core/arguments'
import type { HostArray } from '../host-data.js'
import { ours } from '../own-classes.js'
import { Lookup, type LookupOptions } from './lookup.js'
import { flatten } from './values.js'

export type Standardize = 'lower_and_strip_punctuation' | 'lower' | 'strip_punctuation'

/** Options of `textVectorization`. */
export interface TextVectorizationOptions
  extends Pick<LookupOptions<string>, 'maxTokens' | 'vocabulary' | 'idfWeights' | 'padToMaxTokens'> {
  /** A change of each text that comes first, by name or by a function; null leaves it as it is. Both by default: lower case of A to Z, and no punctuation. */
  standardize?: Standardize | ((text: string) => string) | null
  /** How a text is cut: at white space (default), into characters, by a function, or not at all (null). */
  split?: 'whitespace' | 'character' | ((text: string) => readonly string[]) | null
  /** Runs of neighbouring words as words: 2 adds the pairs, 3 triples, too; a list has those widths alone. None by default. */
  ngrams?: number | readonly number[] | null
  /** `int` (default): the indices of the words in order. Otherwise a row for each text: which words are there, how often, or how often times their weight. */
  outputMode?: 'int' | 'multi_hot' | 'count' | 'tf_idf'
  /** With `int`: words of each row, which is filled up with 0 or cut; by default as many as the longest text has. */
  outputSequenceLength?: number | null
}

const punctuation = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g
/** ASCII alone: Keras' lower case leaves "Ü" as it is. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
const strip = (text: string): string => text.replace(punctuation, '')

const standards: Readonly<Record<Standardize, (text: string) => string>> = {
  lower_and_strip_punctuation: (text) => strip(lower(text)),
  lower,
  strip_punctuation: strip,
}
const splitters: Readonly<Record<'whitespace' | 'character', (text: string) => readonly string[]>> = {
  whitespace: (text) => text.split(/[\t\n\v\f\r ]+/).filter((word) => word !== ''),
  character: (text) => [...text],
}

/**
 * The indices of the words of texts.
 *
 * Texts are no tensors, so this is no layer of a model: apply it to the texts, and give the model what comes out. With `int` the index 0 fills rows up and 1
 * stands for words outside the vocabulary; with the other modes those have the index 0.
 *
 * Shape:  texts [n] → int32 [n, length]; the other modes float32 [n, vocabularySize]
 * Source: Keras 3.16, layers/preprocessing/text_vectorization.py
 */
export class TextVectorization extends Lookup<string> {
  readonly className = ours(TextVectorization, 'TextVectorization')
  readonly standardize: NonNullable<TextVectorizationOptions['standardize']> | null
  readonly split: NonNullable<TextVectorizationOptions['split']> | null
  readonly ngrams: number | readonly number[] | undefined
  readonly outputSequenceLength: number | undefined

  constructor(options: TextVectorizationOptions = {}) {
    const what = 'TextVectorization'
    const own = ['standardize', 'split', 'ngrams', 'outputSequenceLength']
    requireOptions(
      what,
      options,
      ['maxTokens', 'vocabulary', 'idfWeights', 'padToMaxTokens', 'outputMode', ...own],
      `${what}({ maxTokens: 20000 })`,
    )
    const { outputMode = 'int', ...rest } = options
    super(what, 'text', '[UNK]', { ...rest, outputMode, ...(outputMode === 'int' && { maskToken: '' }) }, own)
    requireChoice(what, 'outputMode', outputMode, ['int', 'multi_hot', 'count', 'tf_idf'])
    const { standardize = 'lower_and_strip_punctuation', split = 'whitespace', ngrams, outputSequenceLength } = options
    if (standardize !== null && typeof standardize !== 'function') requireChoice(what, 'standardize', standardize, Object.keys(standards))
    if (split !== null && typeof split !== 'function') requireChoice(what, 'split', split, Object.keys(splitters))
    const widths = ngrams === null || ngrams === undefined ? [] : Array.isArray(ngrams) ? ngrams : [ngrams]
    for (const width of widths) requireWhole(what, 'ngrams', width, { least: 1 })
    if (outputSequenceLength !== null && outputSequenceLength !== undefined) {
      requireWhole(what, 'outputSequenceLength', outputSequenceLength, { least: 1 })
      if (outputMode !== 'int')
        throw new ValueError(`${what}: outputSequenceLength goes with outputMode: 'int', which is '${outputMode}' here.`)
    }
    this.standardize = standardize
    this.split = split
    this.ngrams = ngrams ?? undefined
    this.outputSequenceLength = outputSequenceLength ?? undefined
  }
  static fromConfig(options: TextVectorizationOptions): TextVectorization {
    return new TextVectorization(options)
  }

  /** The words of a text. */
  words(text: string): readonly string[] {
    const { standardize, split, ngrams } = this
    const plain = standardize === null ? text : typeof standardize === 'function' ? standardize(text) : standards[standardize](text)
    if (typeof plain !== 'string') throw new ValueError(`${this.what}: standardize must give text, got ${describeValue(plain)}.`)
    const words = split === null ? [plain] : typeof split === 'function' ? split(plain) : splitters[split](plain)
    if (!Array.isArray(words) || words.some((word) => typeof word !== 'string')) {
      throw new ValueError(`${this.what}: split must give a list of texts, got ${describeValue(words)}.`)
    }
    if (ngrams === undefined) return words
    const widths = typeof ngrams === 'number' ? Array.from({ length: ngrams }, (_, i) => i + 1) : ngrams
    return widths.flatMap((width) => {
      const count = Math.max(0, words.length - width + 1)
      return Array.from({ length: count }, (_, i) => words.slice(i, i + width).join(' '))
    })
  }

  /** Texts as a list, or as rows of one text each. */
  #texts(what: string, texts: unknown): readonly string[] {
    const { shape, values } = flatten<string>(what, 'text', texts)
    if (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) return values
    throw new ValueError(
      `${what}: texts must be a list of texts, got ${shape.length === 0 ? 'one text: pass [text]' : `the shape [${shape.join(', ')}]`}.`,
    )
  }

  /**
   * Takes the vocabulary from texts, in place of the one before: the most frequent words first, and of those as frequent the last in order.
   *
   * @throws ValueError if the vocabulary was given as an option, or the texts are no list of texts.
   */
  adapt(texts: readonly string[] | readonly (readonly string[])[]): void {
    this.adaptTo(this.#texts(`${this.what}.adapt`, texts).map((text) => this.words(text)))
  }

  /**
   * The tensor of texts: a row for each.
   *
   * @throws CompileError if it has no vocabulary yet; ValueError if the texts are no list of texts.
   */
  apply(texts: readonly string[] | readonly (readonly string[])[]): Tensor {
    const { data, shape } = this.rows(texts)
    return tensor(data, { shape, dtype: data instanceof Int32Array ? 'int32' : 'float32' })
  }

  /** @internal The same as numbers on the host. */
  rows(texts: readonly string[] | readonly (readonly string[])[]): HostArray {
    const rows = this.#texts(`${this.what}.apply`, texts).map((text) => this.words(text))
    const longest = rows.reduce((most, { length }) => Math.max(most, length), 0)
    const width = this.outputSequenceLength ?? longest
    // A row is filled up with the mask: index 0, or nothing in a row of counts.
    const values = rows.flatMap((words) => Array.from({ length: width }, (_, i) => words[i] ?? ''))
    return this.encode({ shape: [rows.length, width], values })
  }

  /** An empty word is nothing, with every mode. */
  protected override index(value: string): number {
    if (value !== '') return super.index(value)
    return this.outputMode === 'int' ? 0 : -1
  }

  override getConfig(): Record<string, unknown> {
    const { standardize, split, ngrams, outputSequenceLength } = this
    const { maxTokens, outputMode, padToMaxTokens, vocabulary, idfWeights } = super.getConfig()
    return {
      ...{ maxTokens, standardize, split, ngrams, outputMode, outputSequenceLength, padToMaxTokens, vocabulary },
      ...(idfWeights !== undefined && { idfWeights }),
    }
  }
}

/**
 * Makes a `TextVectorization`: texts to the indices of their words, in a vocabulary that is given or that `adapt` finds.
 *
 * @example
 * ```ts
 * const vectorize = textVectorization({ outputSequenceLength: 4 })
 * vectorize.adapt(['foo bar', 'bar baz', 'baz bada boom'])
 * console.log(vectorize.getVocabulary().join())   // ,[UNK],baz,bar,foo,boom,bada
 * console.log(await vectorize.apply(['foo qux bar', 'qux baz']).array())   // [[4, 1, 3, 0], [1, 2, 0, 0]]
 *
 * const model = new Sequential([embedding(vectorize.vocabularySize, 8, { maskZero: true, inputShape: [4] }), lstm(8), dense(1)])
 * console.log(model.apply(vectorize.apply(['a bar'])).shape)   // [1, 1]
 * ```
 */
export const textVectorization = (options?: TextVectorizationOptions): TextVectorization => new TextVectorization(options)
