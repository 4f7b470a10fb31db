/** Helpers that the kernels forward and backward share: the sizes of a module, the product of one panel, walks along the units of a row. */
import { call, type FunctionBuilder, type FunctionReference, type Local, type ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, type Vector, v128 } from '../assembler/instructions.js'
import { SCRATCH_BYTES } from '../engine/memory.js'
import { emitBand, emitTile, type Tile } from '../product/gemm-kernel.js'
import type { Cell } from './cell.js'

/** The sizes and options that a module is compiled for. */
export interface RecurrenceShape {
  readonly cell: Cell
  readonly units: number
  readonly tile: Tile
  readonly masked: boolean
  readonly dropped: boolean
  readonly goBackwards: boolean
  /** Backward: dY is 0 in all parts but the states. */
  readonly statesOnly: boolean
  /** The product of the inputs is part of the kernel; else z is given. */
  readonly from?: InputSide
}

/** The inputs x [n, t, width] of a kernel that computes z = x·W + b itself, some steps at a time. */
export interface InputSide {
  readonly width: number
  /** Whether there is a bias b. */
  readonly biased: boolean
  /** Backward: whether dX is wanted. */
  readonly wantsX: boolean
  /** Backward: dY is 0 but for the states after the last step. */
  readonly lastOnly: boolean
}

/** A number of floats rounded up to whole vectors. */
export const wholeVectors = (floats: number): number => 4 * Math.ceil(floats / 4)

/** The most rows of the batch in a block: whole tiles of 3, 4 and 6 rows. With few units, more rows are faster: the rows of a step lie behind each other. */
const ROWS = 132

/** Rows of a block if a row needs this many floats of scratch memory, and other things `taken` bytes. */
export const blockRows = (floats: number, taken = 0): number =>
  Math.max(1, Math.min(ROWS, Math.floor((SCRATCH_BYTES - 256 - taken) / (4 * floats))))

/** Panels of a gate, bytes of a panel, bytes of a gate, and the number of units rounded up to whole panels. */
export function panelsOf({ units, tile }: Pick<RecurrenceShape, 'units' | 'tile'>) {
  const count = Math.ceil(units / tile.nr)
  const bytes = 4 * tile.nr * units
  return { count, bytes, gateBytes: count * bytes, wide: count * tile.nr }
}

/**
 * With `from`, several steps of a block of rows are one chunk, so that products have this many rows. One product then has more rows than a step has, or sums over
 * more of them, and longer pieces of x are read at once.
 */
const CHUNK = 128

const chunkRows = (floats: number): number => Math.max(1, Math.min(CHUNK, Math.floor(SCRATCH_BYTES / 2 / (4 * floats))))

/** Forward: floats of a row of x and of z in scratch memory, and how many rows have room there. */
export function chunkOf({ cell: { gates }, units, tile, from }: RecurrenceShape) {
  if (!from) return { xFloats: 0, zFloats: 0, rows: 0 }
  const [xFloats, zFloats] = [wholeVectors(from.width), gates * panelsOf({ units, tile }).wide]
  return { xFloats, zFloats, rows: chunkRows(xFloats + zFloats) }
}

/** Floats between rows of dZ. Without them, rows of 32 · 4 floats lie where they displace each other in the first-level cache. */
const PADDING = 16

/** Backward: the same for rows of x and of dX, of h before the step, and of dZ. */
export function gradientChunkOf({ cell: { columns }, units }: RecurrenceShape, { width }: InputSide) {
  const [xFloats, hFloats, zFloats] = [wholeVectors(width), wholeVectors(units), wholeVectors(columns * units) + PADDING]
  return { xFloats, hFloats, zFloats, rows: chunkRows(2 * xFloats + hFloats + zFloats) }
}

/** Writes a function (c, a, b, rows, accumulate) for one panel: c [rows, NR] (+)= a [rows, k] · b. Rows of a and c have given distances in bytes. */
export function emitPanelProduct(module: ModuleBuilder, tile: Tile, k: number, aRow: number, cRow: number): FunctionReference<'i32'> {
  const parameters = { c: 'i32', a: 'i32', b: 'i32', rows: 'i32', accumulate: 'i32' } as const
  return module.function(parameters, 'i32', (f, { c, a, b, rows, accumulate }) => {
    const [aAt, bAt] = [f.local('i32'), f.local('i32')]
    emitBand(f, tile, rows, (height) => {
      f.set(aAt, a)
      f.set(bAt, b)
      const operands = { a: aAt, b: bAt, aRow, aStep: 4, bStep: 4 * tile.nr }
      emitTile(f, height, tile, operands, { c, cRow, columns: tile.nr, accumulate }, k)
      f.advance(a, aRow * height)
      f.advance(c, cRow * height)
    })
    return i32.const(0)
  })
}

/**
 * Writes a function (inside, outside, count, n, next, sample) that copies `count` steps of n rows: from x [n, t, width] to scratch memory [count, n, ⌈width/4⌉·4], or
 * back. `outside` is the address of the first step in x; the next step is `next` bytes further, the next row `sample` bytes. It goes row by row,
 * since there the steps lie side by side.
 */
export function emitCopyChunk(module: ModuleBuilder, width: number, way: 'in' | 'out'): FunctionReference<'i32'> {
  const parameters = { inside: 'i32', outside: 'i32', count: 'i32', n: 'i32', next: 'i32', sample: 'i32' } as const
  return module.function(parameters, 'i32', (f, { inside, outside, count, n, next, sample }) => {
    const row = 4 * wholeVectors(width)
    const stepBytes = f.let(i32.mul(n, row))
    const [insideAt, outsideAt, a, b] = Array.from({ length: 4 }, () => f.local('i32'))
    const [from, to] = way === 'in' ? [b, a] : [a, b]
    const vectors = way === 'in' ? wholeVectors(width) / 4 : Math.floor(width / 4)
    const rest = way === 'in' ? 0 : width % 4
    f.for(0, n, 1, () => {
      f.set(insideAt, inside)
      f.set(outsideAt, outside)
      f.for(0, count, 1, () => {
        f.set(a, insideAt)
        f.set(b, outsideAt)
        const turns = Math.floor(vectors / UNROLLED)
        const some = (vectors: number): void => {
          for (let v = 0; v < vectors; v++) f.do(v128.store(to, v128.load(from, 16 * v), 16 * v))
          for (const pointer of [a, b]) f.advance(pointer, 16 * vectors)
        }
        if (turns > 0) f.for(0, turns, 1, () => some(UNROLLED))
        some(vectors - turns * UNROLLED)
        if (rest > 0) storeSome(f, 'float32', to, v128.load(from), f.let(i32.const(rest)))
        f.advance(insideAt, stepBytes)
        f.advance(outsideAt, next)
      })
      f.advance(inside, row)
      f.advance(outside, sample)
    })
    return i32.const(0)
  })
}

/** Vectors that a copy moves in one turn. */
const UNROLLED = 8

/** Calls a function that returns nothing of interest. */
export const run = (f: FunctionBuilder, callee: FunctionReference<'i32'>, ...values: readonly I32[]): void =>
  f.set(f.local('i32'), call(callee, ...values))

/** Emits a walk along `width` units: two vectors a turn, then one, then the rest (`some` is the number of its units). Moves the pointers. */
export function emitUnits(
  f: FunctionBuilder,
  width: I32,
  pointers: readonly Local<'i32'>[],
  body: (vectors: number, some?: Local<'i32'>) => void,
): void {
  const left = f.local('i32')
  f.set(left, width)
  for (const vectors of [2, 1])
    f.while(i32.geS(left, 4 * vectors), () => {
      body(vectors)
      for (const pointer of pointers) f.advance(pointer, 16 * vectors)
      f.advance(left, -4 * vectors)
    })
  f.if(left, () => body(1, left))
}

/** Stores vectors side by side; with `some`, only that many units of the last one. */
export function storeUnits(f: FunctionBuilder, to: Local<'i32'>, vectors: readonly Vector[], some: Local<'i32'> | undefined): void {
  if (some) storeSome(f, 'float32', f.let(to), vectors[0], some)
  else for (const [v, vector] of vectors.entries()) f.do(v128.store(to, vector, 16 * v))
}

/** All ones if the step counts: the mask at this address is above 0. */
export const counts = (f: FunctionBuilder, mask: Local<'i32'>): Vector => f32x4.gt(v128.load32Splat(mask), f.splat(0))
