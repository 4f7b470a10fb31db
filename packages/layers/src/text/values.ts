/** Texts or whole numbers in nested lists, and the tensors that indices of them become. */
import { ValueError } from '@cotangent/core'
import { describeValue, requireWhole } from '@cotangent/core/arguments'
import type { HostArray } from '../host-data.js'
import type { Salt } from './hashes.js'

/** One value, or lists of them, as deep as you like. */
export type Nested<T> = T | readonly Nested<T>[]

export interface Flat<T> {
  readonly shape: readonly number[]
  readonly values: readonly T[]
}

/**
 * The values in order, and their shape.
 *
 * @throws ValueError for a value of another type, or lists of different lengths; the message says where.
 */
export function flatten<T extends string | number>(what: string, kind: 'text' | 'whole numbers', given: unknown): Flat<T> {
  const values: T[] = []
  const right = (value: unknown): boolean => (kind === 'text' ? typeof value === 'string' : Number.isSafeInteger(value))
  const walk = (value: unknown, place: string): number[] => {
    if (!Array.isArray(value)) {
      if (!right(value)) throw new ValueError(`${what}: ${place} must be ${kind}, got ${describeValue(value)}.`)
      values.push(value as T)
      return []
    }
    let shape: number[] | undefined
    for (const [i, item] of value.entries()) {
      const own = walk(item, `${place}[${i}]`)
      if (shape && shape.join() !== own.join()) {
        throw new ValueError(
          `${what}: ${place}[${i}] has the shape [${own.join(', ')}], but ${place}[0] has [${shape.join(', ')}]. Lists must be equally long.`,
        )
      }
      shape = own
    }
    return [value.length, ...(shape ?? [])]
  }
  return { shape: walk(given, 'values'), values }
}

/** How indices become rows: as they are, or as rows of zeros and ones, of counts, of counts times weights. */
export type IndexMode = 'int' | 'one_hot' | 'multi_hot' | 'count' | 'tf_idf'

/**
 * Indices as rows of numbers. An index of −1 adds nothing, except with `int`.
 *
 * @param size columns of a row
 * @param weights of the columns, for `tf_idf`
 */
export function indexRows({ shape, values }: Flat<number>, mode: IndexMode, size: number, weights: ArrayLike<number> = []): HostArray {
  if (mode === 'int') return { shape, data: Int32Array.from(values) }
  const each = mode === 'one_hot'
  const lead = each ? (shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape) : shape.slice(0, -1)
  const rows = lead.reduce((product, n) => product * n, 1)
  const data = new Float32Array(rows * size)
  const width = rows === 0 ? 0 : values.length / rows
  for (const [i, index] of values.entries()) {
    if (index < 0) continue
    const at = Math.floor(i / width) * size + index
    data[at] = mode === 'count' || mode === 'tf_idf' ? data[at] + 1 : 1
  }
  if (mode === 'tf_idf') for (let i = 0; i < data.length; i++) data[i] *= weights[i % size] ?? 0
  return { shape: [...lead, size], data }
}

/** Throws unless it is a salt. */
export function requireSalt(what: string, value: unknown): asserts value is Salt {
  if (Array.isArray(value) && value.length === 2) for (const one of value) requireWhole(what, 'salt', one)
  else requireWhole(what, 'salt', value)
}
