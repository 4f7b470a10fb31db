/** Whole numbers to their indices in a vocabulary. */
import { equal, gather, maximum, minimum, mod, searchSorted, Tensor, tensor, ValueError, where } from '@cotangent/core'
import { SymbolicTensor } from '../../graph/symbolic-tensor.js'
import { isShaped, isTyped } from '../../host-data.js'
import { type BatchShape, type CallContext, Layer, type LayerOptions } from '../../layer.js'
import { ours } from '../../own-classes.js'
import type { LookupOptions } from '../../text/lookup.js'
import { NumberLookup, type OovMethod } from '../../text/number-lookup.js'
import { type Flat, flatten, type IndexMode, type Nested } from '../../text/values.js'
import { type AdaptData, hostBatches } from './adapt-data.js'
import { encoded } from './encoded.js'

/** Options of `integerLookup`; the number for values outside the vocabulary is −1 by default. */
export interface IntegerLookupOptions extends LookupOptions<number>, LayerOptions {
  /** How one of several indices for values outside is chosen: the number modulo theirs (default), or by a hash of its digits. */
  oovMethod?: OovMethod
  /** Whether the layer goes the way back, from indices to numbers; false by default. */
  invert?: boolean
}

/** An adapted vocabulary in a file. */
interface Adapted {
  adaptedVocabulary?: readonly number[]
  adaptedIdfWeights?: readonly number[]
}

const own = ['maxTokens', 'numOovIndices', 'maskToken', 'oovToken', 'vocabulary', 'idfWeights', 'outputMode', 'padToMaxTokens', 'salt']
const names = [...own, 'oovMethod', 'invert']

/**
 * The indices of whole numbers in a vocabulary.
 *
 * The vocabulary is given, or `adapt` takes it from data; it is part of the config, not a weight. The index 0 stands for numbers outside (one more with
 * `maskToken`, before it), and the vocabulary comes behind. A tensor's numbers are taken as int32; lists may hold greater ones.
 *
 * Shape:  any → the same, int32; `one_hot` [n, ..] → [n, .., size], in the place of a last axis of 1; the other modes [n, .., k] → [n, .., size]
 * Source: Keras 3.16, layers/preprocessing/integer_lookup.py
 *
 * @throws CompileError if it has no vocabulary yet; ValueError for a number outside if `numOovIndices` is 0 and its values can be read at once
 */
export class IntegerLookup extends Layer {
  override readonly className = ours(IntegerLookup, 'IntegerLookup')
  readonly #lookup: NumberLookup

  constructor(options: IntegerLookupOptions = {}) {
    super('IntegerLookup', options, names)
    const given = Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))
    this.#lookup = new NumberLookup({ ...given, outputMode: options.outputMode ?? undefined, oovMethod: options.oovMethod ?? undefined })
  }
  static fromConfig({ adaptedVocabulary, adaptedIdfWeights, ...options }: IntegerLookupOptions & Adapted): IntegerLookup {
    const layer = new IntegerLookup(options)
    if (adaptedVocabulary) layer.setVocabulary(adaptedVocabulary, adaptedIdfWeights)
    return layer
  }

  get maxTokens(): number | undefined {
    return this.#lookup.maxTokens
  }
  get numOovIndices(): number {
    return this.#lookup.numOovIndices
  }
  get maskToken(): number | undefined {
    return this.#lookup.maskToken
  }
  get oovToken(): number {
    return this.#lookup.oovToken
  }
  get outputMode(): IndexMode {
    return this.#lookup.outputMode
  }
  get padToMaxTokens(): boolean {
    return this.#lookup.padToMaxTokens
  }
  get salt(): LookupOptions<number>['salt'] {
    return this.#lookup.salt
  }
  get oovMethod(): OovMethod {
    return this.#lookup.oovMethod
  }
  get invert(): boolean {
    return this.#lookup.invert
  }
  /** How many values the vocabulary has, special ones included: the rows that an embedding needs. */
  get vocabularySize(): number {
    return this.#lookup.vocabularySize
  }
  /** Columns of a row that is not `int`. */
  get columns(): number {
    return this.#lookup.columns
  }
  /** The weights of `tf_idf`, of the special values, too; none with another mode. */
  get idfWeights(): readonly number[] {
    return this.#lookup.idfWeights
  }
  /** @internal Whether the vocabulary was an option. */
  get isGiven(): boolean {
    return this.#lookup.isGiven
  }

  /** The vocabulary with the special values before it. */
  getVocabulary(): number[] {
    return this.#lookup.getVocabulary()
  }
  /**
   * Sets the vocabulary; it may begin with the special values or not.
   *
   * @throws ValueError if a number is there twice, or there are more than `maxTokens`; or the weights for `tf_idf` are missing.
   */
  setVocabulary(vocabulary: readonly number[], idfWeights?: readonly number[]): void {
    this.#lookup.setVocabulary(vocabulary, idfWeights)
  }
  /** The numbers that indices stand for; `oovToken` for an index outside. */
  tokens(indices: Nested<number>): Nested<number> {
    return this.#lookup.tokens(indices)
  }

  /** @internal A model that begins with it takes whole numbers of any size. */
  override indexCount(): number {
    return Number.POSITIVE_INFINITY
  }

  protected override ownConfig(): Record<string, unknown> {
    return this.#lookup.getConfig()
  }

  /**
   * Takes the vocabulary from data, in place of the one before: the most frequent numbers first, and of those as frequent the greatest. Lists are read at once,
   * before the promise is given.
   *
   * @throws ValueError if the vocabulary was given as an option, or a value is no whole number.
   * @example
   * ```ts
   * const ids = integerLookup({ maskToken: 0 })
   * await ids.adapt(tensor([[7, 1200], [7, 0]]))
   * console.log(ids.getVocabulary())   // [0, -1, 7, 1200]
   * ```
   */
  async adapt(data: Nested<number> | AdaptData): Promise<void> {
    const what = `${this.className}.adapt`
    const isList = Array.isArray(data) && !data.some((item) => item instanceof Tensor || isShaped(item) || isTyped(item))
    if (isList) return this.#lookup.adapt(data)
    const batches: Flat<number>[] = []
    for await (const { shape, data: read } of hostBatches(`${what}: data`, data as AdaptData)) {
      batches.push({ shape, values: flatten<number>(what, 'whole numbers', Array.from(read)).values })
    }
    this.#lookup.adaptToAll(batches)
  }

  /** The layer's place in a graph, for symbolic inputs; for numbers in lists a tensor of int32, or the rows that `outputMode` names. */
  override apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor
  override apply(values: Nested<number>): Tensor
  override apply(given: SymbolicTensor | readonly SymbolicTensor[] | Nested<number>): SymbolicTensor | Tensor {
    const isSymbolic = given instanceof SymbolicTensor || (Array.isArray(given) && given[0] instanceof SymbolicTensor)
    if (isSymbolic) return super.apply(given as SymbolicTensor)
    if (!this.invert) return this.#lookup.apply(given as Nested<number>)
    return tensor(this.tokens(given as Nested<number>) as number[], { dtype: 'int32' })
  }

  override outputShape(shape: BatchShape): BatchShape {
    const { outputMode, columns } = this
    if (outputMode === 'int') return shape
    if (outputMode === 'one_hot' && (shape.length === 1 || shape.at(-1) !== 1)) return [...shape, columns]
    return [...shape.slice(0, -1), columns]
  }

  override call(x: Tensor, _context: CallContext): Tensor {
    const numbers = x.dtype === 'int32' ? x : x.cast('int32')
    if (this.invert) return this.#numbersOf(numbers)
    const index = this.#indexOf(numbers)
    const { outputMode, columns, idfWeights } = this
    if (outputMode === 'int') return index
    // `encoded` counts over axis 1, this layer over the last one.
    const rows = outputMode === 'one_hot' || index.rank < 2 ? index : index.reshape([-1, index.shape[index.rank - 1]])
    const counts = encoded(rows, columns, outputMode === 'tf_idf' ? 'count' : outputMode)
    const shaped = index.rank > 2 && outputMode !== 'one_hot' ? counts.reshape([...index.shape.slice(0, -1), columns]) : counts
    if (outputMode !== 'tf_idf') return shaped
    const weights = Float64Array.from({ length: columns }, (_, i) => idfWeights[i] ?? 0)
    return shaped.mul(tensor(weights, { dtype: shaped.dtype, backend: x.backend }))
  }

  #indexOf(x: Tensor): Tensor {
    const lookup = this.#lookup
    this.getVocabulary() // throws without one
    const { numOovIndices, oovMethod, firstOutside } = lookup
    const int32 = (data: Int32Array): Tensor => tensor(data, { dtype: 'int32', backend: x.backend })
    const byHash = numOovIndices > 1 && oovMethod === 'farmhash'
    if (byHash || numOovIndices === 0) {
      const values = x.backend.readSync?.(x.storage)
      if (!values && byHash) {
        throw new ValueError(`${this.describe()}: oovMethod 'farmhash' needs a backend whose values can be read at once. Take 'floormod'.`)
      }
      if (values) return int32(Int32Array.from(values, (value) => lookup.indexIn(value))).reshape(x.shape)
    }
    const outside = numOovIndices > 1 ? mod(x, tensor(numOovIndices, { dtype: 'int32', backend: x.backend })).add(firstOutside) : undefined
    const usual = tensor(numOovIndices === 0 ? -1 : firstOutside, { dtype: 'int32', backend: x.backend })
    const { keys, indices } = lookup.table
    if (keys.length === 0) return outside ?? usual.add(x.mul(0))
    const sorted = int32(keys)
    const at = minimum(searchSorted(sorted, x), keys.length - 1)
    return where(equal(gather(sorted, at), x), gather(int32(indices), at), outside ?? usual)
  }

  /** The way back. */
  #numbersOf(x: Tensor): Tensor {
    const all = this.getVocabulary()
    const table = tensor(Int32Array.from([...all, this.oovToken]), { dtype: 'int32', backend: x.backend })
    // A negative index, or one beyond the vocabulary, is that of the last row.
    const fits = equal(minimum(maximum(x, 0), all.length), x)
    return gather(table, where(fits, x, tensor(all.length, { dtype: 'int32', backend: x.backend })))
  }

  protected override detail(): string {
    return this.outputMode
  }
}

/**
 * Makes an `IntegerLookup` layer: whole numbers to their indices in a vocabulary, which is given or which `adapt` finds.
 *
 * @example
 * ```ts
 * const codes = integerLookup({ vocabulary: [1200, 7], outputMode: 'one_hot', inputShape: [1] })
 * console.log(await codes.apply([7, 1200, 5]).array())   // [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
 * const model = new Sequential([codes, dense(1)])
 * console.log((await model.predict([[7], [1200], [5]])).shape)   // [3, 1]
 * ```
 */
export const integerLookup = (options?: IntegerLookupOptions): IntegerLookup => new IntegerLookup(options)
