/**
 * Matrix product in WebAssembly: the register tile and the loops over tiles. gemm-pack.ts packs the operands, gemm.ts calls the
 * kernels.
 *
 * A product C = A·B is computed in tiles of MR × NR outputs. The sums of a tile stay in registers while k runs:
 *
 * ```
 *              b (NR floats, NR/4 vectors)
 *   a0   │ acc00 acc01 acc02 │      for each k: load one row of b (NR/4 vectors); for each of the MR rows splat one
 *   a1   │ acc10 acc11 acc12 │      element of a into a vector and multiply-add it to the row's accumulators
 *   a2   │ acc20 acc21 acc22 │
 * ```
 *
 * So a loaded float of A is used NR times, a loaded float of B MR times. x64 has 16 vector registers. V8 up to 12 (Node 20 and 22)
 * moves all loads of a loop turn to its start; so MR·NR/4 + MR + NR/4 must be at most 15, and unrolling over k makes it slower.
 * V8 13 keeps the program's order, and 6 × 8 unrolled four times is best. Without fused multiply-add each product needs a register
 * for a moment, and 4 × 8 is best everywhere. All this is measured; see `tileFor`. The tile changes no bit of the result.
 *
 * For large matrices B is first *packed* in panels of NR columns, so that a tile reads it from start to end. The method is that of Goto and van de Geijn, "Anatomy
 * of high-performance matrix multiplication", ACM TOMS 34 (2008). They pack A, too, in panels of MR rows (the k-th element of each row, then the next k). Here a tile
 * reads the rows of A where they lie, which saves 2 to 8 % of products of 128 to 784; only where they are columns in memory they are packed.
 * The last panel of A has only the rows that are left; there is a tile for every such height. The last panel of B is as wide as the
 * others. It is filled with whatever lies behind the matrix; those columns are computed but not stored.
 *
 * Each output is Σ over k in ascending order (a chain of multiply-adds), in whatever tile it is computed. The file is a little over 300 lines because the
 * tile and the loops that walk it belong together.
 */
import type { FunctionBuilder, Local, ModuleBuilder, ParameterLocals } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { type I32, i32, v128 } from '../assembler/instructions.js'
import type { WidthCheck } from '../engine/width.js'
import { emitFinish } from './bias-relu.js'

/** A register tile: rows, columns (a multiple of 4), and steps of k per loop turn. */
export interface Tile {
  readonly mr: number
  readonly nr: number
  readonly unroll: number
}

/** The best tile for an engine's register allocation. `v8Version` is V8's major version, or 0 for another engine. `wide`: with 256-bit vectors. */
export function tileFor(v8Version: number, relaxed: boolean, wide = false): Tile {
  if (wide) return { mr: 6, nr: 16, unroll: 4 }
  if (!relaxed) return { mr: 4, nr: 8, unroll: 1 }
  return v8Version >= 13 ? { mr: 6, nr: 8, unroll: 4 } : { mr: 3, nr: 12, unroll: 1 }
}

/** How a tile walks its operands: where they start, and byte distances from row to row and from k to k + 1. */
interface TileOperands {
  /** Address of A's first element; moved. */
  a: Local<'i32'>
  /** Address of B's first row; moved. */
  b: Local<'i32'>
  /** Bytes from one row of A to the next; a plain number if A is packed. */
  aRow: I32
  /** Bytes from k to k + 1 in A. */
  aStep: I32
  /** Bytes from k to k + 1 in B. */
  bStep: I32
}

/** A loop around the steps of k: `count` runs of them; A moves by `aNext` bytes after each run. */
export interface Runs {
  readonly count: I32
  readonly aNext: number
}

interface Output {
  /** Address of the tile's first element. */
  c: Local<'i32'>
  /** Bytes from one row of C to the next. */
  cRow: I32
  /** Columns of this tile that exist in C. */
  columns: I32
  /** Not 0: add to C, which holds the sum over earlier k. */
  accumulate: I32
}

/**
 * Emits one tile of `rows` rows. Leaves `a` and `b` behind the last element read. `runs`, outermost first, repeat the steps of k: that is how
 * a convolution walks an image.
 */
export function emitTile(
  f: FunctionBuilder,
  rows: number,
  tile: Tile,
  operands: TileOperands,
  output: Output,
  k: I32,
  runs: readonly Runs[] = [],
): void {
  const vectors = tile.nr / 4
  const { a, b, aRow, aStep, bStep } = operands
  const { c, cRow, columns, accumulate } = output
  const accumulators = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => f.local('v128')))
  const row = f.local('i32')

  f.if(
    i32.ne(accumulate, 0),
    () => {
      f.set(row, c)
      accumulators.forEach((line, i) => {
        if (i > 0) f.advance(row, cRow)
        line.forEach((accumulator, v) => {
          f.set(accumulator, v128.load(row, 16 * v))
        })
      })
    },
    () => {
      for (const line of accumulators) for (const accumulator of line) f.set(accumulator, f.splat(0))
    },
  )

  // Where k + 1 is: an offset, and several steps move the pointers at once; else each step moves them. Where the rows of A are: offsets of one pointer, or a pointer for
  // each row.
  const fixed = typeof aStep === 'number' && typeof bStep === 'number'
  const rowOffset = fixed && typeof aRow === 'number' ? aRow : undefined
  const pointers = [a]
  if (rowOffset === undefined) for (let i = 1; i < rows; i++) pointers.push(f.let(i32.add(pointers[i - 1], aRow)))

  const bRow = Array.from({ length: vectors }, () => f.local('v128'))
  const splat = f.local('v128')
  const steps = (count: number): void => {
    for (let u = 0; u < count; u++) {
      bRow.forEach((vector, v) => {
        f.set(vector, v128.load(b, (fixed ? u * bStep : 0) + 16 * v))
      })
      accumulators.forEach((line, i) => {
        f.set(splat, v128.load32Splat(pointers[i] ?? a, (fixed ? u * aStep : 0) + (rowOffset ?? 0) * i))
        line.forEach((accumulator, v) => {
          f.set(accumulator, f.madd(splat, bRow[v], accumulator))
        })
      })
      if (!fixed) {
        for (const pointer of pointers) f.advance(pointer, aStep)
        f.advance(b, bStep)
      }
    }
    if (fixed) {
      for (const pointer of pointers) f.advance(pointer, count * aStep)
      f.advance(b, count * bStep)
    }
  }
  const left = f.local('i32')
  const turns = fixed ? tile.unroll : 1
  const walk = ([run, ...inner]: readonly Runs[]): void => {
    if (run) {
      const again = (): void => {
        walk(inner)
        if (run.aNext !== 0) f.advance(a, run.aNext)
      }
      if (run.count === 1) again()
      else f.for(0, run.count, 1, again)
      return
    }
    f.set(left, k)
    if (turns > 1) {
      f.while(i32.geS(left, turns), () => {
        steps(turns)
        f.advance(left, -turns)
      })
    }
    f.while(i32.gtS(left, 0), () => {
      steps(1)
      f.advance(left, -1)
    })
  }
  walk(runs)

  f.set(row, c)
  f.if(
    i32.eq(columns, tile.nr),
    () => {
      accumulators.forEach((line, i) => {
        if (i > 0) f.advance(row, cRow)
        line.forEach((accumulator, v) => {
          f.do(v128.store(row, accumulator, 16 * v))
        })
      })
    },
    () => {
      const [at, rest] = [f.local('i32'), f.local('i32')]
      accumulators.forEach((line, i) => {
        if (i > 0) f.advance(row, cRow)
        f.set(at, row)
        f.set(rest, columns)
        f.block((end) => {
          for (const accumulator of line) {
            f.if(i32.ltS(rest, 4), () => {
              storeSome(f, 'float32', at, accumulator, rest)
              f.break(end)
            })
            f.do(v128.store(at, accumulator))
            f.advance(at, 16)
            f.advance(rest, -4)
          }
        })
      })
    },
  )
}

/** Loops over the rows of one band of columns: whole tiles first, then one tile of the rows that are left. */
export function emitBand(f: FunctionBuilder, tile: Tile, m: I32, perTile: (rows: number) => void): void {
  const left = f.local('i32')
  f.set(left, m)
  f.while(i32.geS(left, tile.mr), () => {
    perTile(tile.mr)
    f.advance(left, -tile.mr)
  })
  for (let rows = 1; rows < tile.mr; rows++) f.if(i32.eq(left, rows), () => perTile(rows))
}

const tileParameters = { c: 'i32', a: 'i32', b: 'i32', m: 'i32', n: 'i32', k: 'i32', cRow: 'i32' } as const

/** Writes `packed(c, a, b, m, n, k, cRow, accumulate)` for packed panels: C = A·B, or C += A·B if `accumulate` is not 0. */
export function emitPacked(module: ModuleBuilder, tile: Tile): void {
  module.export('packed', { ...tileParameters, accumulate: 'i32' }, null, (f, parameters) => emitPanels(f, tile, parameters))
}

/** Writes `rows(c, a, b, m, n, k, cRow, accumulate, aRow)`: the same with the rows of A where they lie, `aRow` bytes from each other. */
export function emitRows(module: ModuleBuilder, tile: Tile): void {
  module.export('rows', { ...tileParameters, accumulate: 'i32', aRow: 'i32' }, null, (f, parameters) =>
    emitPanels(f, tile, parameters, parameters.aRow),
  )
}

/** The operands and sizes of a product. Those that may be constants of a kernel are `I32`. */
interface PanelParameters extends ParameterLocals<Pick<typeof tileParameters, 'c' | 'a' | 'b' | 'm' | 'n'>> {
  readonly k: I32
  readonly cRow: I32
  readonly accumulate: I32
}

/** Emits the loops over panels of B and tiles of C. `aRow`: A is not packed. Moves c, b and n. */
export function emitPanels(f: FunctionBuilder, tile: Tile, { c, a, b, m, n, k, cRow, accumulate }: PanelParameters, aRow?: I32): void {
  const [columns, aAt, bAt, cAt] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const panelBytes = f.let(i32.mul(k, 4 * tile.nr))
  f.while(i32.gtS(n, 0), () => {
    f.set(columns, n)
    f.if(i32.gtS(n, tile.nr), () => f.set(columns, tile.nr))
    f.set(aAt, a)
    f.set(cAt, c)
    emitBand(f, tile, m, (rows) => {
      f.set(bAt, b)
      const [start, bStep] = [aRow && f.let(aAt), 4 * tile.nr]
      const operands = aRow ? { a: aAt, b: bAt, aRow, aStep: 4, bStep } : { a: aAt, b: bAt, aRow: 4, aStep: 4 * rows, bStep }
      emitTile(f, rows, tile, operands, { c: cAt, cRow, columns, accumulate }, k)
      if (aRow && start) f.set(aAt, i32.add(start, i32.mul(aRow, rows)))
      f.advance(cAt, i32.mul(cRow, rows))
    })
    f.advance(b, panelBytes)
    f.advance(c, 4 * tile.nr)
    f.advance(n, -tile.nr)
  })
}

const CHECKED: Tile = { mr: 3, nr: 16, unroll: 1 }

/** The self-test of products at 256 bits: tiles of several heights, a last panel that is not full, and sums that go on. */
export const productCheck: WidthCheck = {
  name: 'product',
  timed: true,
  emit(module) {
    emitPacked(module, CHECKED)
    emitRows(module, CHECKED)
  },
  run({ packed, rows }) {
    const [m, n, k] = [39, 58, 61]
    const [c, a, b] = [0, 16384, 32768]
    packed(c, a, b, m, n, k, 4 * n, 0)
    rows(c, b, a, m, n, k, 4 * n, 1, 4 * k)
  },
}

/**
 * Writes `strided(c, a, b, m, n, k, cRow, aRow, aStep, bStep, bPanel, rowBlock, kBlock, bias, relu)`: C = A·B without packing. A has any strides; the
 * columns of B are consecutive, and `bPanel` bytes lead from one band of NR columns to the next. To stay in the cache, it works in blocks of `rowBlock`
 * rows, each finished before the next, and inside them in blocks of `kBlock` steps of k. `bias` is an address, or 0 for none.
 */
export function emitStrided(module: ModuleBuilder, tile: Tile): void {
  const strides = { aRow: 'i32', aStep: 'i32', bStep: 'i32', bPanel: 'i32' } as const
  const parameters = { ...tileParameters, ...strides, rowBlock: 'i32', kBlock: 'i32', bias: 'i32', relu: 'i32' } as const
  module.export('strided', parameters, null, (f, { c, a, b, m, n, k, cRow, aRow, aStep, bStep, bPanel, rowBlock, kBlock, bias, relu }) => {
    const [rows, steps, stepsLeft, columns, columnsLeft] = Array.from({ length: 5 }, () => f.local('i32'))
    const [aBlock, aTile, aAt, bBlock, bBand, bAt, cBand, cTile] = Array.from({ length: 8 }, () => f.local('i32'))
    const accumulate = f.local('i32')
    const setLeast = (to: Local<'i32'>, x: Local<'i32'>, y: I32): void => {
      f.set(to, x)
      f.if(i32.gtS(x, y), () => f.set(to, y))
    }
    f.while(i32.gtS(m, 0), () => {
      setLeast(rows, m, rowBlock)
      f.set(aBlock, a)
      f.set(bBlock, b)
      f.set(accumulate, 0)
      f.set(stepsLeft, k)
      f.loop((again) => {
        setLeast(steps, stepsLeft, kBlock)
        f.set(bBand, bBlock)
        f.set(cBand, c)
        f.set(columnsLeft, n)
        f.while(i32.gtS(columnsLeft, 0), () => {
          setLeast(columns, columnsLeft, tile.nr)
          f.set(aTile, aBlock)
          f.set(cTile, cBand)
          emitBand(f, tile, rows, (height) => {
            f.set(aAt, aTile)
            f.set(bAt, bBand)
            emitTile(f, height, tile, { a: aAt, b: bAt, aRow, aStep, bStep }, { c: cTile, cRow, columns, accumulate }, steps)
            f.advance(aTile, i32.mul(aRow, height))
            f.advance(cTile, i32.mul(cRow, height))
          })
          f.advance(bBand, bPanel)
          f.advance(cBand, 4 * tile.nr)
          f.advance(columnsLeft, -tile.nr)
        })
        f.advance(aBlock, i32.mul(aStep, steps))
        f.advance(bBlock, i32.mul(bStep, steps))
        f.advance(stepsLeft, i32.mul(steps, -1))
        f.set(accumulate, 1)
        f.break(again, i32.gtS(stepsLeft, 0))
      })
      f.advance(a, i32.mul(aRow, rows))
      f.advance(m, i32.mul(rows, -1))
      f.if(
        bias,
        () => emitFinish(f, { c, rows, columns: n, cRow, bias, relu }),
        () => f.advance(c, i32.mul(cRow, rows)),
      )
    })
  })
}
