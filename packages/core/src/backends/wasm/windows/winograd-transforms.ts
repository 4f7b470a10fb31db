/**
 * The small matrices of winograd-kernel.ts, applied to grids of vectors. A vector holds four channels, filters or weights. Also here: the kernels that only
 * transform filters, and their gradients.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, type I32, i32, type Vector, v128 } from '../assembler/instructions.js'

/** A row of a grid of vectors. */
export type Vectors = Local<'v128'>[]
type Combination = (f: FunctionBuilder, column: readonly Vector[]) => Vector[]

/** Bᵀ·column. */
export const inputColumn: Combination = (_, [a, b, c, d]) => [f32x4.sub(a, c), f32x4.add(b, c), f32x4.sub(c, b), f32x4.sub(b, d)]
/** Aᵀ·column. */
export const outputColumn: Combination = (_, [a, b, c, d]) => [f32x4.add(f32x4.add(a, b), c), f32x4.sub(f32x4.sub(b, c), d)]
/** A·column. */
export const cotangentColumn: Combination = (_, [a, b]) => [a, f32x4.add(a, b), f32x4.sub(a, b), f32x4.neg(b)]
/** G·column. */
const filterColumn: Combination = (f, [a, b, c]) => {
  const ends = f.let(f32x4.mul(f32x4.add(a, c), f.splat(0.5)))
  const middle = f.let(f32x4.mul(b, f.splat(0.5)))
  return [a, f32x4.add(ends, middle), f32x4.sub(ends, middle), c]
}
/** Gᵀ·column. */
const filterGradientColumn: Combination = (f, [a, b, c, d]) => {
  const sum = f.let(f32x4.mul(f32x4.add(b, c), f.splat(0.5)))
  const difference = f32x4.mul(f32x4.sub(b, c), f.splat(0.5))
  return [f32x4.add(a, sum), difference, f32x4.add(sum, d)]
}

/** M·x·Mᵀ, where `combine` multiplies a column by M. x and the result are lists of rows. */
export function transform(f: FunctionBuilder, x: readonly Vectors[], combine: Combination): Vectors[] {
  const columns = x[0].map((_, j) =>
    combine(
      f,
      x.map((row) => row[j]),
    ).map((value) => f.let(value)),
  )
  return columns[0].map((_, i) =>
    combine(
      f,
      columns.map((column) => column[i]),
    ).map((value) => f.let(value)),
  )
}

/** Loads size × size vectors, from `at` + row·rowBytes + column·columnBytes. */
export const loadGrid = (f: FunctionBuilder, at: Local<'i32'>, size: number, rowBytes: number, columnBytes: number): Vectors[] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => f.let(v128.load(at, i * rowBytes + j * columnBytes))))

/** Stores 4 × 4 vectors `stride` bytes apart. */
export const storeAll = (f: FunctionBuilder, at: Local<'i32'>, grid: readonly Vectors[], stride: number): void =>
  grid.flat().forEach((value, k) => {
    f.do(v128.store(at, value, k * stride))
  })

/**
 * Writes `filter(u, filter, size, turned)`: the 16 matrices U of a filter of 9·`size` floats. Each has the filter's own layout [c, f]. `turned`: the filter is
 * turned by 180°, for the input gradient. Also writes `filterGradient(dF, dU, size)`: dF = Gᵀ·dU·G.
 */
export function emitWinogradFilters(module: ModuleBuilder): void {
  const along = (f: FunctionBuilder, size: I32, body: () => void): void => f.for(0, size, 4, body)
  const gridAt = (f: FunctionBuilder, at: Local<'i32'>, rows: number, bytes: Local<'i32'>): Vectors[] => {
    const pointer = f.let(at)
    return Array.from({ length: rows }, () =>
      Array.from({ length: rows }, () => {
        const value = f.let(v128.load(pointer))
        f.advance(pointer, bytes)
        return value
      }),
    )
  }
  const putGrid = (f: FunctionBuilder, at: Local<'i32'>, grid: readonly Vectors[], bytes: Local<'i32'>): void => {
    const pointer = f.let(at)
    for (const value of grid.flat()) {
      f.do(v128.store(pointer, value))
      f.advance(pointer, bytes)
    }
  }
  for (const turned of [false, true]) {
    module.export(turned ? 'turnedFilter' : 'filter', { u: 'i32', filter: 'i32', size: 'i32' }, null, (f, { u, filter, size }) => {
      const bytes = f.let(i32.shl(size, 2))
      along(f, size, () => {
        const g = gridAt(f, filter, 3, bytes)
        putGrid(f, u, transform(f, turned ? g.map((row) => row.toReversed()).toReversed() : g, filterColumn), bytes)
        f.advance(filter, 16)
        f.advance(u, 16)
      })
    })
  }
  module.export('filterGradient', { dF: 'i32', dU: 'i32', size: 'i32' }, null, (f, { dF, dU, size }) => {
    const bytes = f.let(i32.shl(size, 2))
    along(f, size, () => {
      putGrid(f, dF, transform(f, gridAt(f, dU, 4, bytes), filterGradientColumn), bytes)
      f.advance(dF, 16)
      f.advance(dU, 16)
    })
  })
}
