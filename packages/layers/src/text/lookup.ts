/** A vocabulary, and the index of each value in it: what the lookups of strings, of whole numbers and of the words of texts share. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireBoolean, requireChoice, requireOptions, requireWhole } from '@cotangent/core/arguments'
import { CompileError } from '../errors.js'
import type { HostArray } from '../host-data.js'
import { fingerprint, type Salt } from './hashes.js'
import { type Flat, flatten, type IndexMode, indexRows, type Nested, requireSalt } from './values.js'

/** Options of all lookups. */
export interface LookupOptions<T extends string | number> {
  /** The most that the vocabulary may have, special values included; no limit by default. */
  maxTokens?: number | null
  /** How many indices values have that are not in the vocabulary; 1 by default. With 0 such a value is an error. */
  numOovIndices?: number
  /** A value that counts as missing and has the index 0; none by default. */
  maskToken?: T | null
  /** The token for values outside the vocabulary. */
  oovToken?: T
  /** The vocabulary, if it is known; otherwise `adapt` finds it. */
  vocabulary?: readonly T[]
  /** Weights of the vocabulary for `tf_idf`, if they are known. */
  idfWeights?: readonly number[]
  /** `int` (default): indices. `one_hot`: a row for each. `multi_hot`, `count`, `tf_idf`: a row for each sample. */
  outputMode?: IndexMode
  /** Whether rows have `maxTokens` columns, also if the vocabulary is smaller; false by default. */
  padToMaxTokens?: boolean
  /** A key for the hash that chooses among several indices for values outside; none by default. */
  salt?: Salt | null
}

const names = ['maxTokens', 'numOovIndices', 'maskToken', 'oovToken', 'vocabulary', 'idfWeights', 'outputMode', 'padToMaxTokens', 'salt']

/** The order of UTF-8 bytes, which is that of code points. */
export function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x === y) continue
    const isHalf = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000
    return isHalf(x) === isHalf(y) ? x - y : isHalf(x) ? 1 : -1
  }
  return a.length - b.length
}

export abstract class Lookup<T extends string | number> {
  abstract readonly className: string
  readonly maxTokens: number | undefined
  readonly numOovIndices: number
  readonly maskToken: T | undefined
  readonly oovToken: T
  readonly outputMode: IndexMode
  readonly padToMaxTokens: boolean
  readonly salt: Salt | undefined
  /** Whether the vocabulary was an option. */
  readonly #given: boolean
  #tokens: readonly T[] | undefined
  #indices: ReadonlyMap<T, number> = new Map()
  #idf: readonly number[] = []
  protected readonly what: string
  protected readonly kind: 'text' | 'whole numbers'

  constructor(what: string, kind: 'text' | 'whole numbers', oovToken: T, options: LookupOptions<T>, others: readonly string[] = []) {
    this.what = what
    this.kind = kind
    requireOptions(what, options, [...names, ...others], `${what}({ outputMode: 'count' })`)
    const { maxTokens, numOovIndices = 1, maskToken, outputMode = 'int', padToMaxTokens = false, salt, vocabulary } = options
    const right = (value: unknown): boolean => (kind === 'text' ? typeof value === 'string' : Number.isSafeInteger(value))
    for (const [name, value] of [
      ['maskToken', maskToken],
      ['oovToken', options.oovToken],
    ] as const) {
      if ((value ?? undefined) !== undefined && !right(value))
        throw new ValueError(`${what}: ${name} must be ${kind}, got ${describeValue(value)}.`)
    }
    requireWhole(what, 'numOovIndices', numOovIndices, { least: 0 })
    requireChoice(what, 'outputMode', outputMode, ['int', 'one_hot', 'multi_hot', 'count', 'tf_idf'])
    requireBoolean(what, 'padToMaxTokens', padToMaxTokens)
    if ((salt ?? undefined) !== undefined) requireSalt(what, salt)
    this.numOovIndices = numOovIndices
    this.maskToken = maskToken ?? undefined
    this.oovToken = options.oovToken ?? oovToken
    this.outputMode = outputMode
    this.padToMaxTokens = padToMaxTokens
    this.salt = salt ?? undefined
    if ((maxTokens ?? undefined) !== undefined) requireWhole(what, 'maxTokens', maxTokens, { least: this.special.length + 1 })
    this.maxTokens = maxTokens ?? undefined
    if (padToMaxTokens && this.maxTokens === undefined) throw new ValueError(`${what}: padToMaxTokens needs maxTokens.`)
    const { idfWeights } = options
    if ((idfWeights ?? undefined) !== undefined) {
      if (outputMode !== 'tf_idf')
        throw new ValueError(`${what}: idfWeights goes with outputMode: 'tf_idf', which is '${outputMode}' here.`)
      if (!Array.isArray(idfWeights) || !idfWeights.every((weight) => Number.isFinite(weight)))
        throw new ValueError(`${what}: idfWeights must be a list of numbers, got ${describeValue(idfWeights)}.`)
    }
    this.#given = (vocabulary ?? undefined) !== undefined
    if (vocabulary !== undefined && vocabulary !== null) this.setVocabulary(vocabulary, options.idfWeights)
  }

  /** The values before the vocabulary: the mask, only among indices, and one for each index of values outside. */
  protected get special(): readonly T[] {
    const mask = this.maskToken !== undefined && this.outputMode === 'int' ? [this.maskToken] : []
    return [...mask, ...new Array<T>(this.numOovIndices).fill(this.oovToken)]
  }

  /**
   * Sets the vocabulary; it may begin with the special values or not.
   *
   * @throws ValueError if a value is there twice, is not of the right type, or there are more than `maxTokens`; or the weights for `tf_idf` are missing.
   */
  setVocabulary(vocabulary: readonly T[], idfWeights?: readonly number[]): void {
    const { what, special } = this
    if (!Array.isArray(vocabulary)) throw new ValueError(`${what}: vocabulary must be a list, got ${describeValue(vocabulary)}.`)
    const { values } = flatten<T>(`${what}: vocabulary`, this.kind, vocabulary)
    const begins = special.length > 0 && special.every((value, i) => values[i] === value)
    const tokens = begins ? values.slice(special.length) : values
    const indices = new Map<T, number>()
    for (const [i, token] of tokens.entries()) {
      if (indices.has(token) || special.includes(token)) {
        throw new ValueError(
          `${what}: the vocabulary has ${JSON.stringify(token)} ${indices.has(token) ? 'twice' : 'not at its place among the special values'}.`,
        )
      }
      indices.set(token, special.length + i)
    }
    const total = special.length + tokens.length
    if (this.maxTokens !== undefined && total > this.maxTokens) {
      throw new ValueError(`${what}: the vocabulary has ${total} values, the special ones included; maxTokens is ${this.maxTokens}.`)
    }
    if (this.outputMode === 'tf_idf') {
      const count = idfWeights?.length
      if (count !== tokens.length && count !== total) {
        throw new ValueError(
          `${what}: outputMode 'tf_idf' needs idfWeights, one for each value of the vocabulary, got ${describeValue(idfWeights)}.`,
        )
      }
      const own = (idfWeights as readonly number[]).slice((count as number) - tokens.length)
      const mean = own.reduce((sum, weight) => sum + weight, 0) / Math.max(1, own.length)
      this.#idf = [...new Array<number>(special.length).fill(mean), ...own]
    }
    this.#tokens = tokens
    this.#indices = indices
  }

  /** Takes the vocabulary from values: the most frequent first, and of those as frequent the last in order. */
  protected adaptTo(documents: Iterable<readonly T[]>): void {
    if (this.#given) throw new ValueError(`${this.what}: the vocabulary was given, so it cannot be adapted.`)
    const counts = new Map<T, number>()
    const inDocuments = new Map<T, number>()
    let total = 0
    for (const document of documents) {
      total++
      for (const value of document) counts.set(value, (counts.get(value) ?? 0) + 1)
      for (const value of new Set(document)) inDocuments.set(value, (inDocuments.get(value) ?? 0) + 1)
    }
    counts.delete(this.oovToken)
    if (this.maskToken !== undefined) counts.delete(this.maskToken)
    const order = (a: T, b: T): number => (typeof a === 'string' ? byBytes(a, b as string) : (a as number) - (b as number))
    const sorted = [...counts].sort(([a, n], [b, m]) => m - n || order(b, a)).map(([value]) => value)
    const tokens = sorted.slice(0, (this.maxTokens ?? Number.POSITIVE_INFINITY) - this.special.length)
    this.setVocabulary(
      tokens,
      tokens.map((token) => Math.log(1 + total / (1 + (inDocuments.get(token) as number)))),
    )
  }

  /** The vocabulary with the special values before it. */
  getVocabulary(): T[] {
    return [...this.special, ...this.#known()]
  }
  /** How many values the vocabulary has, special ones included: the rows that an embedding needs. */
  get vocabularySize(): number {
    return this.special.length + this.#known().length
  }
  /** Columns of a row that is not `int`. */
  get columns(): number {
    return this.padToMaxTokens ? (this.maxTokens as number) : this.vocabularySize
  }
  /** The weights of `tf_idf`, of the special values, too; none with another mode. */
  get idfWeights(): readonly number[] {
    return this.#idf
  }

  #known(): readonly T[] {
    if (this.#tokens) return this.#tokens
    throw new CompileError(`${this.what}: has no vocabulary yet. Call adapt(…) or setVocabulary(…) first.`)
  }

  /** @internal Whether the vocabulary was an option. */
  get isGiven(): boolean {
    return this.#given
  }
  /** The indices of the vocabulary, without the special values. */
  protected get indices(): ReadonlyMap<T, number> {
    return this.#indices
  }

  /** The index of a value; −1 for one that is masked where there is no index for it. */
  protected index(value: T): number {
    const index = this.#indices.get(value)
    if (index !== undefined) return index
    if (value === this.maskToken) return this.outputMode === 'int' ? 0 : -1
    const first = this.special.length - this.numOovIndices
    if (this.numOovIndices === 1) return first
    if (this.numOovIndices > 1) return first + this.bucket(value)
    throw new ValueError(`${this.what}: ${JSON.stringify(value)} is not in the vocabulary, and numOovIndices is 0.`)
  }
  /** Which of several indices a value outside the vocabulary has. */
  protected bucket(value: T): number {
    return Number(fingerprint(value, this.salt) % BigInt(this.numOovIndices))
  }

  protected encode(flat: Flat<T>): HostArray {
    this.#known()
    const values = flat.values.map((value) => this.index(value))
    return indexRows({ shape: flat.shape, values }, this.outputMode, this.columns, this.#idf)
  }

  /**
   * The values that indices stand for; `oovToken` for an index outside.
   *
   * @throws ValueError for an index that is no whole number.
   */
  tokens(indices: Nested<number>): Nested<T> {
    const all = this.getVocabulary()
    flatten<number>(`${this.what}.tokens`, 'whole numbers', indices)
    const back = (index: Nested<number>): Nested<T> => (typeof index === 'number' ? (all[index] ?? this.oovToken) : index.map(back))
    return back(indices)
  }

  /** The options that make it again; an adapted vocabulary is among them. */
  getConfig(): Record<string, unknown> {
    const { maxTokens, numOovIndices, maskToken, oovToken, outputMode, padToMaxTokens, salt } = this
    return {
      ...{ maxTokens, numOovIndices, maskToken, oovToken, outputMode, padToMaxTokens, salt },
      ...(this.#tokens && { vocabulary: this.#tokens }),
      ...(outputMode === 'tf_idf' && this.#tokens && { idfWeights: this.#idf.slice(this.special.length) }),
    }
  }
}
