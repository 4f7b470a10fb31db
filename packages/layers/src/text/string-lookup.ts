/** Texts and whole numbers to their indices in a vocabulary, as Keras 3.16's StringLookup and IntegerLookup. */
import { type Tensor, tensor } from '@cotangent/core'
import { requireChoice } from '@cotangent/core/arguments'
import type { HostArray } from '../host-data.js'
import { Lookup, type LookupOptions } from './lookup.js'
import { flatten, type Nested } from './values.js'

/** Options of `stringLookup`; the text for values outside the vocabulary is "[UNK]" by default. */
export type StringLookupOptions = LookupOptions<string>

/** Options of `integerLookup`; the number for values outside the vocabulary is −1 by default. */
export interface IntegerLookupOptions extends LookupOptions<number> {
  /** How one of several indices for values outside is chosen: the number modulo theirs (default), or by a hash of its digits. */
  oovMethod?: 'floormod' | 'farmhash'
}

/** Options of lookups of single values beyond those of texts. */
abstract class ValueLookup<T extends string | number> extends Lookup<T> {
  /**
   * Takes the vocabulary from values, in place of the one before: the most frequent first, and of those as frequent the last in order.
   *
   * @throws ValueError if the vocabulary was given as an option, or a value is not of the right type.
   */
  adapt(values: Nested<T>): void {
    const flat = flatten<T>(`${this.what}.adapt`, this.kind, values)
    const [rows = 1] = flat.shape
    const width = flat.shape.length > 1 ? flat.values.length / Math.max(1, rows) : 1
    this.adaptTo(Array.from({ length: rows }, (_, i) => flat.values.slice(i * width, (i + 1) * width)))
  }

  /**
   * The indices of values as a tensor of int32, or the rows that `outputMode` names.
   *
   * @throws CompileError if it has no vocabulary yet; ValueError if a value is not of the right type, or is not in the vocabulary and `numOovIndices` is 0.
   */
  apply(values: Nested<T>): Tensor {
    const { data, shape } = this.rows(values)
    return tensor(data, { shape, dtype: data instanceof Int32Array ? 'int32' : 'float32' })
  }

  /** @internal The same as numbers on the host. */
  rows(values: Nested<T>): HostArray {
    return this.encode(flatten<T>(`${this.what}.apply`, this.kind, values))
  }
}

/**
 * The indices of texts in a vocabulary.
 *
 * Texts are no tensors, so this is no layer of a model: apply it to the texts, and give the model what comes out. The index 0 stands for texts outside the
 * vocabulary (one more with `maskToken`, before it), and the vocabulary comes behind. With several indices for such texts FarmHash64 chooses, or SipHash with
 * a `salt`.
 *
 * Shape:  any → the same, int32; `one_hot` [..] → [.., size]; the other modes [.., k] → [.., size]
 * Source: Keras 3.16, layers/preprocessing/index_lookup.py
 */
export class StringLookup extends ValueLookup<string> {
  readonly className = 'StringLookup'

  constructor(options: StringLookupOptions = {}) {
    super('StringLookup', 'text', '[UNK]', options)
  }
  static fromConfig(options: StringLookupOptions): StringLookup {
    return new StringLookup(options)
  }
}

/**
 * The indices of whole numbers in a vocabulary, as `StringLookup` has those of texts.
 *
 * Source: Keras 3.16, layers/preprocessing/integer_lookup.py
 */
export class IntegerLookup extends ValueLookup<number> {
  readonly className = 'IntegerLookup'
  readonly oovMethod: 'floormod' | 'farmhash'

  constructor(options: IntegerLookupOptions = {}) {
    super('IntegerLookup', 'whole numbers', -1, options, ['oovMethod'])
    const { oovMethod = 'floormod' } = options
    requireChoice('IntegerLookup', 'oovMethod', oovMethod, ['floormod', 'farmhash'])
    this.oovMethod = oovMethod
  }
  static fromConfig(options: IntegerLookupOptions): IntegerLookup {
    return new IntegerLookup(options)
  }

  protected override bucket(value: number): number {
    if (this.oovMethod === 'farmhash') return super.bucket(value)
    return ((value % this.numOovIndices) + this.numOovIndices) % this.numOovIndices
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), oovMethod: this.oovMethod }
  }
}

/**
 * Makes a `StringLookup`: texts to their indices in a vocabulary, which is given or which `adapt` finds.
 *
 * @example
 * ```ts
 * const colours = stringLookup()
 * colours.adapt(['red', 'blue', 'red', 'green', 'red', 'blue'])
 * console.log(colours.getVocabulary(), String(await colours.apply(['blue', 'pink', 'red']).data()))   // ['[UNK]', 'red', 'blue', 'green'] 2,0,1
 * console.log(colours.tokens([1, 2]))   // ['red', 'blue']
 * ```
 */
export const stringLookup = (options?: StringLookupOptions): StringLookup => new StringLookup(options)

/**
 * Makes an `IntegerLookup`: whole numbers to their indices in a vocabulary, which is given or which `adapt` finds.
 *
 * @example
 * ```ts
 * const codes = integerLookup({ vocabulary: [1200, 7], outputMode: 'one_hot' })
 * console.log(await codes.apply([7, 1200, 5]).array())   // [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
 * ```
 */
export const integerLookup = (options?: IntegerLookupOptions): IntegerLookup => new IntegerLookup(options)
