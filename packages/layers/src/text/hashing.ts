/** Texts or whole numbers to bins by their hash, without a vocabulary. */
import { type Tensor, tensor, ValueError } from '@cotangent/core'
import { describeValue, requireChoice, requireOptions, requireWhole } from '@cotangent/core/arguments'
import type { HostArray } from '../host-data.js'
import { ours } from '../own-classes.js'
import { fingerprint, type Salt } from './hashes.js'
import { flatten, indexRows, type Nested, requireSalt } from './values.js'

/** Options of `hashing`. */
export interface HashingOptions {
  /** A value that has the bin 0 for itself; none by default. */
  maskValue?: string | number | null
  /** A key for the hash, which then is SipHash; none by default. */
  salt?: Salt | null
  /** `int` (default): bins. `one_hot`: a row for each value. `multi_hot`, `count`: a row for each sample. */
  outputMode?: 'int' | 'one_hot' | 'multi_hot' | 'count'
}

/**
 * The bins of texts or whole numbers: the hash of the text, or of the number's digits, modulo `numBins`.
 *
 * Values in one bin cannot be told apart; in exchange there is no vocabulary to learn or to store. The hash is FarmHash64, or SipHash with a `salt`.
 *
 * Shape:  any → the same, int32; `one_hot` [..] → [.., numBins]; the other modes [.., k] → [.., numBins]
 * Source: Keras 3.16, layers/preprocessing/hashing.py
 */
export class Hashing {
  readonly className = ours(Hashing, 'Hashing')
  readonly numBins: number
  readonly maskValue: string | number | undefined
  readonly salt: Salt | undefined
  readonly outputMode: 'int' | 'one_hot' | 'multi_hot' | 'count'

  constructor(numBins: number, options: HashingOptions = {}) {
    const what = 'Hashing'
    requireWhole(what, 'numBins', numBins, { least: 1, most: 2 ** 31 - 1 })
    requireOptions(what, options, ['maskValue', 'salt', 'outputMode'], 'hashing(10, { salt: 7 })')
    const { maskValue, salt, outputMode = 'int' } = options
    const isValue = typeof maskValue === 'string' || Number.isSafeInteger(maskValue ?? 0)
    if (!isValue) throw new ValueError(`${what}: maskValue must be text or a whole number, got ${describeValue(maskValue)}.`)
    if ((salt ?? undefined) !== undefined) requireSalt(what, salt)
    requireChoice(what, 'outputMode', outputMode, ['int', 'one_hot', 'multi_hot', 'count'])
    this.numBins = numBins
    this.maskValue = maskValue ?? undefined
    this.salt = salt ?? undefined
    this.outputMode = outputMode
  }
  static fromConfig({ numBins, ...options }: HashingOptions & { numBins: number }): Hashing {
    return new Hashing(numBins, options)
  }

  /**
   * The bins of values as a tensor of int32, or the rows that `outputMode` names.
   *
   * @throws ValueError if the values are neither all texts nor all whole numbers.
   */
  apply(values: Nested<string> | Nested<number>): Tensor {
    const { data, shape } = this.rows(values)
    return tensor(data, { shape, dtype: data instanceof Int32Array ? 'int32' : 'float32' })
  }

  /** @internal The same as numbers on the host. */
  rows(values: Nested<string> | Nested<number>): HostArray {
    let first: unknown = values
    while (Array.isArray(first)) first = first[0]
    const flat = flatten<string | number>('Hashing.apply', typeof first === 'number' ? 'whole numbers' : 'text', values)
    const masked = this.maskValue !== undefined
    const bins = masked ? this.numBins - 1 : this.numBins
    const binOf = (value: string | number): number => {
      if (masked && value === this.maskValue) return 0
      // With one bin and a mask there is nothing else to be in.
      return (masked ? 1 : 0) + (bins === 0 ? 0 : Number(fingerprint(value, this.salt) % BigInt(bins)))
    }
    return indexRows({ shape: flat.shape, values: flat.values.map(binOf) }, this.outputMode, this.numBins)
  }

  /** The arguments that make it again. */
  getConfig(): Record<string, unknown> {
    const { numBins, maskValue, salt, outputMode } = this
    return { numBins, maskValue, salt, outputMode }
  }
}

/**
 * Makes a `Hashing`: texts or whole numbers to bins by their hash.
 *
 * @example
 * ```ts
 * console.log(String(await hashing(3).apply(['A', 'B', 'C', 'D', 'E']).data()))   // 1,0,1,1,2
 * ```
 */
export const hashing = (numBins: number, options?: HashingOptions): Hashing => new Hashing(numBins, options)
