/**
 * A block of scores, [keys, QUERIES] in scratch memory, and the walks over it: two vectors of queries at a time, a *unit*, go down the keys. Under a causal mask alone
 * (`triangular`) a unit ends at its last open key; scores behind it are never read.
 */
import type { FunctionBuilder, Local } from '../assembler/assembler.js'
import { type I32, i32 } from '../assembler/instructions.js'
import type { Tile } from '../product/gemm-kernel.js'
import { QUERIES } from './products.js'

/** The sizes and options that a module is compiled for. */
export interface AttentionShape {
  readonly heads: number
  /** Heads of keys and values. */
  readonly groups: number
  /** Numbers of a query and a key, and of a value, in each head. */
  readonly depth: number
  readonly width: number
  readonly masked: boolean
  readonly biased: boolean
  readonly causal: boolean
  readonly tile: Tile
}

/** The diagonal alone closes scores: the rest of a block of scores need not exist. */
export const triangular = ({ masked, biased, causal }: AttentionShape): boolean => causal && !masked && !biased

/** Closed scores are looked up in a block of masks. */
export const closes = (shape: AttentionShape): boolean => shape.masked || (shape.causal && !triangular(shape))

/** The score of a closed position, the least float32: a row of nothing else has equal weights, where −∞ would give NaN. */
export const CLOSED = -3.4028234663852886e38

/** Bytes from one key to the next in a block of scores, and of a unit of queries. */
export const KEY = 4 * QUERIES
export const UNIT = 8
export const VECTORS = UNIT / 4

/** The numbers that are kept of each query: byte offsets of arrays [QUERIES]. */
export const state = { maxima: 0, sums: KEY, factors: 2 * KEY, deltas: 3 * KEY, bytes: 4 * KEY } as const

export const vectors = <T>(make: (v: number) => T): T[] => Array.from({ length: VECTORS }, (_, v) => make(v))

/** Emits a walk over units of queries: `body` gets the byte offset of a unit and the number of its first query. */
export function overUnits(f: FunctionBuilder, queries: Local<'i32'>, body: (offset: Local<'i32'>, first: Local<'i32'>) => void): void {
  f.for(0, queries, UNIT, (first) => body(f.let(i32.shl(first, 2)), first))
}

/** Emits a walk down `count` keys; pointers move from key to key. */
export function downKeys(f: FunctionBuilder, count: I32, pointers: readonly Local<'i32'>[], body: () => void): void {
  const left = f.local('i32')
  f.set(left, count)
  f.while(i32.gtS(left, 0), () => {
    body()
    for (const pointer of pointers) f.advance(pointer, KEY)
    f.advance(left, -1)
  })
}

/** The number of keys that a unit looks at: all, or those up to the diagonal. */
export function openKeys(
  f: FunctionBuilder,
  shape: AttentionShape,
  keys: Local<'i32'>,
  diagonal: Local<'i32'>,
  first: Local<'i32'>,
): Local<'i32'> {
  const count = f.let(keys)
  if (!triangular(shape)) return count
  const open = f.let(i32.add(i32.add(diagonal, first), UNIT))
  f.if(i32.ltS(open, count), () => f.set(count, open))
  f.if(i32.ltS(count, 0), () => f.set(count, 0))
  return count
}
