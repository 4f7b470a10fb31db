/** The vocabulary of `integerLookup`: the indices of whole numbers, on the host and as a table for tensors. */
import { requireBoolean, requireChoice } from '@cotangent/core/arguments'
import { ours } from '../own-classes.js'
import type { LookupOptions } from './lookup.js'
import { documentsOf, ValueLookup } from './string-lookup.js'
import type { Flat } from './values.js'

export type OovMethod = 'floormod' | 'farmhash'

/** The options of a vocabulary of whole numbers. */
export interface NumberLookupOptions extends LookupOptions<number> {
  oovMethod?: OovMethod
  invert?: boolean
}

/** Numbers in rising order, and the index of each. */
export interface NumberTable {
  readonly keys: Int32Array
  readonly indices: Int32Array
}

const isInt32 = (value: number): boolean => value === (value | 0)

export class NumberLookup extends ValueLookup<number> {
  readonly className = ours(NumberLookup, 'IntegerLookup')
  readonly oovMethod: OovMethod
  readonly invert: boolean
  /** Made for one vocabulary. */
  #table?: { readonly of: ReadonlyMap<number, number>; readonly table: NumberTable }

  constructor(options: NumberLookupOptions) {
    super('IntegerLookup', 'whole numbers', -1, options, ['oovMethod', 'invert'])
    const { oovMethod = 'floormod', invert = false } = options
    requireChoice('IntegerLookup', 'oovMethod', oovMethod, ['floormod', 'farmhash'])
    requireBoolean('IntegerLookup', 'invert', invert)
    if (invert) requireChoice('IntegerLookup with invert', 'outputMode', this.outputMode, ['int'])
    this.oovMethod = oovMethod
    this.invert = invert
  }

  /** Takes the vocabulary from all samples of these batches. */
  adaptToAll(batches: readonly Flat<number>[]): void {
    this.adaptTo(batches.flatMap(documentsOf))
  }

  protected override bucket(value: number): number {
    if (this.oovMethod === 'farmhash') return super.bucket(value)
    return ((value % this.numOovIndices) + this.numOovIndices) % this.numOovIndices
  }

  /** The first index of values outside the vocabulary. */
  get firstOutside(): number {
    return this.special.length - this.numOovIndices
  }

  /** The index of one number. */
  indexIn(value: number): number {
    return this.index(value)
  }

  /** The indices of values of an int32 tensor, that of the mask included: its index is −1 where there is none for it. */
  get table(): NumberTable {
    const { indices, maskToken } = this
    if (this.#table?.of === indices) return this.#table.table
    const mask = maskToken === undefined ? [] : [maskToken]
    const keys = [...indices.keys(), ...mask].filter(isInt32).sort((a, b) => a - b)
    const table = { keys: Int32Array.from(keys), indices: Int32Array.from(keys, (key) => this.index(key)) }
    this.#table = { of: indices, table }
    return table
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), oovMethod: this.oovMethod, invert: this.invert }
  }
}
