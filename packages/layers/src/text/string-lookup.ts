/** Texts to their indices in a vocabulary, as Keras 3.16's StringLookup; and what `integerLookup` shares with it. */
import { type Tensor, tensor } from '@cotangent/core'
import type { HostArray } from '../host-data.js'
import { ours } from '../own-classes.js'
import { Lookup, type LookupOptions } from './lookup.js'
import { type Flat, flatten, type Nested } from './values.js'

/** Options of `stringLookup`; the text for values outside the vocabulary is "[UNK]" by default. */
export type StringLookupOptions = LookupOptions<string>

/** A lookup of single values. */
export abstract class ValueLookup<T extends string | number> extends Lookup<T> {
  /**
   * Takes the vocabulary from values, in place of the one before: the most frequent first, and of those as frequent the last in order.
   *
   * @throws ValueError if the vocabulary was given as an option, or a value is not of the right type.
   */
  adapt(values: Nested<T>): void {
    this.adaptTo(documentsOf(flatten<T>(`${this.what}.adapt`, this.kind, values)))
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

/** The samples of values: the rows along the first axis. */
export function documentsOf<T>({ shape, values }: Flat<T>): T[][] {
  const [rows = 1] = shape
  const width = shape.length > 1 ? values.length / Math.max(1, rows) : 1
  return Array.from({ length: rows }, (_, i) => values.slice(i * width, (i + 1) * width))
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
  readonly className = ours(StringLookup, 'StringLookup')

  constructor(options: StringLookupOptions = {}) {
    super('StringLookup', 'text', '[UNK]', options)
  }
  static fromConfig(options: StringLookupOptions): StringLookup {
    return new StringLookup(options)
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
