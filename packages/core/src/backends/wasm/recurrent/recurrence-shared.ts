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
}

/** The most rows of the batch in a block: whole tiles of 3, 4 and 6 rows. With few units, more rows are faster: the rows of a step lie behind each other. */
const ROWS = 132

/** Rows of a block if a row needs this many floats of scratch memory. */
export const blockRows = (floats: number): number => Math.max(1, Math.min(ROWS, Math.floor((SCRATCH_BYTES - 256) / (4 * floats))))

/** Panels of a gate, bytes of a panel, bytes of a gate, and the number of units rounded up to whole panels. */
export function panelsOf({ units, tile }: Pick<RecurrenceShape, 'units' | 'tile'>) {
  const count = Math.ceil(units / tile.nr)
  const bytes = 4 * tile.nr * units
  return { count, bytes, gateBytes: count * bytes, wide: count * tile.nr }
}

/** Writes a function (c, a, b, rows, accumulate) for one panel: c [rows, NR] (+)= a [rows, units] · b. Rows of a and c have given distances in bytes. */
export function emitPanelProduct(
  module: ModuleBuilder,
  { units, tile }: RecurrenceShape,
  aRow: number,
  cRow: number,
): FunctionReference<'i32'> {
  const parameters = { c: 'i32', a: 'i32', b: 'i32', rows: 'i32', accumulate: 'i32' } as const
  return module.function(parameters, 'i32', (f, { c, a, b, rows, accumulate }) => {
    const [aAt, bAt] = [f.local('i32'), f.local('i32')]
    emitBand(f, tile, rows, (height) => {
      f.set(aAt, a)
      f.set(bAt, b)
      const operands = { a: aAt, b: bAt, aRow, aStep: 4, bStep: 4 * tile.nr }
      emitTile(f, height, tile, operands, { c, cRow, columns: tile.nr, accumulate }, units)
      f.advance(a, aRow * height)
      f.advance(c, cRow * height)
    })
    return i32.const(0)
  })
}

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
