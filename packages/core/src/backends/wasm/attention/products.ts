/**
 * The products of attention, for one block of queries and one block of keys. Scores lie in scratch memory with the keys as rows: [keys, QUERIES]. So each operand is
 * read where it lies, with several heads side by side, and only the queries of a block are packed, which are few:
 *
 * ```
 *   scores  [keys, queries] = K [keys, d] · Qᵀ           rows of K; panels of queries         also V·dYᵀ
 *   Y       [queries, e]   += Pᵀ [queries, keys] · V     columns of P; rows of V              also dSᵀ·K
 *   dV      [keys, e]      += P [keys, queries] · dY     rows of P; rows of dY                also dS·Q
 * ```
 *
 * Under a causal mask, key x is open to query q if x ≤ q + `diagonal`, both counted from the start of their blocks. What lies beyond is 0, so each product leaves out
 * the tiles, or the steps of a tile, in which nothing is open.
 */
import { call, type FunctionReference, type Local, type ModuleBuilder } from '../assembler/assembler.js'
import { f32x4, type I32, i32, type Statement, type Value, type ValueType } from '../assembler/instructions.js'
import { emitBand, emitTile, type Tile } from '../product/gemm-kernel.js'
import { emitFourColumns } from '../product/gemm-pack.js'

/** The most queries of a block: the columns of a block of scores. */
export const QUERIES = 64
/** The most keys of a block. With as many queries, scores and their cotangents are 32 KiB. */
export const KEYS = 64

/** Byte distances in the operands, as in a tile: constants of the shape. */
interface Strides {
  readonly aRow: number
  readonly aStep: number
  readonly bStep: number
  readonly cRow: number
  /** B is in panels of NR columns; else its columns are consecutive. */
  readonly panels?: boolean
}

/** The part of a product that the diagonal shortens: the rows of a panel, the steps of a row from behind, or from the front. */
export type Shortened = 'rows' | 'lastSteps' | 'firstSteps'

/** A function that returns nothing of interest. */
export type Procedure = FunctionReference<'i32'>

/** Calls it. */
export const run = (callee: Procedure, ...values: readonly (I32 | Value<ValueType>)[]): Statement => ({
  emit(code) {
    call(callee, ...values.map((value) => (typeof value === 'number' ? i32.const(value) : value))).emit(code)
    code.byte(0x1a) // drop
  },
})

export const nothing = i32.const(0)

/** Writes a function (c, a, b, m, n, k, accumulate, diagonal): C [m, n] (+)= A [m, k] · B [k, n]. */
export function emitProduct(module: ModuleBuilder, tile: Tile, strides: Strides, shortened?: Shortened): Procedure {
  const { aRow, aStep, bStep, cRow, panels } = strides
  const parameters = { c: 'i32', a: 'i32', b: 'i32', m: 'i32', n: 'i32', k: 'i32', accumulate: 'i32', diagonal: 'i32' } as const
  return module.function(parameters, 'i32', (f, { c, a, b, m, n, k, accumulate, diagonal }) => {
    const [columns, rows, steps, row, aTile, aAt, bAt, cTile] = Array.from({ length: 8 }, () => f.local('i32'))
    const setLeast = (to: Local<'i32'>, x: I32, y: I32): void => {
      f.set(to, x)
      f.if(i32.gtS(x, y), () => f.set(to, y))
    }
    const panelBytes = panels ? f.let(i32.mul(k, 4 * tile.nr)) : 4 * tile.nr
    f.while(i32.gtS(n, 0), () => {
      setLeast(columns, n, tile.nr)
      f.set(rows, m)
      if (shortened === 'rows') {
        f.advance(diagonal, tile.nr)
        setLeast(rows, m, diagonal)
      }
      f.set(aTile, a)
      f.set(cTile, c)
      f.set(row, 0)
      emitBand(f, tile, rows, (height) => {
        f.set(aAt, aTile)
        f.set(bAt, b)
        f.set(steps, k)
        if (shortened === 'lastSteps') setLeast(steps, k, f.let(i32.add(i32.add(diagonal, row), height)))
        if (shortened === 'firstSteps') {
          const first = f.let(i32.sub(row, diagonal))
          f.if(i32.gtS(first, 0), () => {
            f.advance(aAt, i32.mul(first, aStep))
            f.advance(bAt, i32.mul(first, bStep))
            f.set(steps, i32.sub(k, first))
          })
        }
        emitTile(f, height, tile, { a: aAt, b: bAt, aRow, aStep, bStep }, { c: cTile, cRow, columns, accumulate }, steps)
        f.advance(aTile, aRow * height)
        f.advance(cTile, cRow * height)
        f.advance(row, height)
      })
      f.advance(b, panelBytes)
      f.advance(c, 4 * tile.nr)
      f.advance(n, -tile.nr)
    })
    return nothing
  })
}

/** Writes a function (to, from, rows, steps, row, factor): packs rows of any distance as the columns of panels, times a factor. Columns that do not exist repeat the last one. */
export function emitPack(module: ModuleBuilder, { nr }: Tile): Procedure {
  const parameters = { to: 'i32', from: 'i32', rows: 'i32', steps: 'i32', row: 'i32', factor: 'f32' } as const
  return module.function(parameters, 'i32', (f, { to, from, rows, steps, row, factor }) => {
    const factors = f.let(f32x4.splat(factor))
    const at = f.local('i32')
    const panelBytes = f.let(i32.mul(steps, 4 * nr))
    f.while(i32.gtS(rows, 0), () => {
      f.for(0, nr, 4, (first) => {
        const pointers: Local<'i32'>[] = []
        for (let i = 0; i < 4; i++) {
          const index = f.let(i32.add(first, i))
          f.if(i32.geS(index, rows), () => f.set(index, i32.add(rows, -1)))
          pointers.push(f.let(i32.add(from, i32.mul(index, row))))
        }
        f.set(at, i32.add(to, i32.shl(first, 2)))
        emitFourColumns(f, pointers, at, steps, nr, (x) => f32x4.mul(x, factors))
      })
      f.advance(to, panelBytes)
      f.advance(from, i32.mul(row, nr))
      f.advance(rows, -nr)
    })
    return nothing
  })
}
