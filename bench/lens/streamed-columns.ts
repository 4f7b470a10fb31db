/**
 * An example for `npm run bench -- lens matMul 128x784x512 --variant bench/lens/streamed-columns.ts`: the packed product with the two operands of a step
 * of k exchanged. Our kernel holds a row of B in registers and splats A's elements one by one. Here A's elements are splatted first, and B's
 * vectors stream past them; so MR + 1 registers hold operands instead of NR/4 + 1.
 *
 * A variant must know this (gemm-kernel.ts tells more). A comes in panels of `mr` rows, k by k; the last panel has the rows that are
 * left. B comes in panels of `nr` columns, k by k; the last one is filled up with any numbers. C is m × n, with `cRow` bytes from row to row; all other sizes count
 * floats. Nothing outside C may be written. With `accumulate` the product is added to C.
 */
import { type FunctionBuilder, f32x4, i32, type Local, type ModuleBuilder, storeSome, type Tile, v128 } from '@cotangent/core/kernels'

type Index = Local<'i32'>

/** Σ over k of one panel of A, `rows` high, times one panel of B. Leaves `a` behind the panel. */
function sums(f: FunctionBuilder, rows: number, { nr }: Tile, a: Index, b: Index, k: Index): Local<'v128'>[][] {
  const totals = Array.from({ length: rows }, () => Array.from({ length: nr / 4 }, () => f.local('v128')))
  for (const total of totals.flat()) f.set(total, f.splat(0))
  const left = Array.from({ length: rows }, () => f.local('v128'))
  const right = f.local('v128')
  f.for(0, k, 1, () => {
    left.forEach((splat, i) => {
      f.set(splat, v128.load32Splat(a, 4 * i))
    })
    for (let v = 0; v < nr / 4; v++) {
      f.set(right, v128.load(b, 16 * v))
      left.forEach((splat, i) => {
        f.set(totals[i][v], f.madd(splat, right, totals[i][v]))
      })
    }
    f.advance(a, 4 * rows)
    f.advance(b, 4 * nr)
  })
  return totals
}

/** Stores a row of sums, of which `columns` exist. */
function store(f: FunctionBuilder, to: Index, row: readonly Local<'v128'>[], columns: Index, accumulate: Index): void {
  const [at, rest] = [f.let(to), f.let(columns)]
  f.block((end) => {
    for (const sum of row) {
      f.if(i32.ne(accumulate, 0), () => f.set(sum, f32x4.add(sum, v128.load(at))))
      f.if(i32.ltS(rest, 4), () => {
        storeSome(f, 'float32', at, sum, rest)
        f.break(end)
      })
      f.do(v128.store(at, sum))
      f.advance(at, 16)
      f.advance(rest, -4)
    }
  })
}

/** Writes `packed`. */
export default function emit(module: ModuleBuilder, tile: Tile): void {
  const parameters = { c: 'i32', a: 'i32', b: 'i32', m: 'i32', n: 'i32', k: 'i32', cRow: 'i32', accumulate: 'i32' } as const
  module.export('packed', parameters, null, (f, { c, a, b, m, n, k, cRow, accumulate }) => {
    const [aAt, bAt, cAt, left, columns] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    const panel = (rows: number): void => {
      f.set(bAt, b)
      for (const row of sums(f, rows, tile, aAt, bAt, k)) {
        store(f, cAt, row, columns, accumulate)
        f.advance(cAt, cRow)
      }
      f.advance(left, -rows)
    }
    f.while(i32.gtS(n, 0), () => {
      f.set(columns, n)
      f.if(i32.gtS(n, tile.nr), () => f.set(columns, tile.nr))
      f.set(aAt, a)
      f.set(cAt, c)
      f.set(left, m)
      f.while(i32.geS(left, tile.mr), () => panel(tile.mr))
      for (let rows = 1; rows < tile.mr; rows++) f.if(i32.eq(left, rows), () => panel(rows))
      f.advance(b, i32.mul(k, 4 * tile.nr))
      f.advance(c, 4 * tile.nr)
      f.advance(n, -tile.nr)
    })
  })
}
