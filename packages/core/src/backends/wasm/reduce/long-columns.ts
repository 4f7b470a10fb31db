/**
 * Sums of long columns: x [length, inner] over `length`, where threads cannot share the columns because there are few of them. The bias of a convolution has
 * such a gradient.
 *
 * Threads share the blocks of rows that reduce.ts cuts every sum into: a first job writes the total of each block, a second adds the totals in order, in float64.
 * So the order of additions is that of reduce.ts, for any number of threads. A block is read row by row, 32 columns at a time.
 */
import type { Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, f64x2, i32, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { lazy } from '../engine/made-once.js'

/** Writes `blocks(out, x, length, inner, block)`: the totals of the blocks of `length` rows, each of `block` rows but the last, out [blocks, inner]. */
function emitBlocks(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', length: 'i32', inner: 'i32', block: 'i32' } as const
  module.export('blocks', parameters, null, (f, { out, x, length, inner, block }) => {
    const [rows, left, columns, from, at] = Array.from({ length: 5 }, () => f.local('i32'))
    const rowBytes = f.let(i32.shl(inner, 2))
    const some = (vectors: number): Local<'v128'>[] => {
      const sums = Array.from({ length: vectors }, () => f.let(f.splat(0)))
      f.set(at, from)
      f.set(left, rows)
      f.while(i32.gtS(left, 0), () => {
        sums.forEach((sum, v) => {
          f.set(sum, f32x4.add(sum, v128.load(at, 16 * v)))
        })
        f.advance(at, rowBytes)
        f.advance(left, -1)
      })
      return sums
    }
    f.while(i32.gtS(length, 0), () => {
      f.set(rows, length)
      f.if(i32.gtS(length, block), () => f.set(rows, block))
      f.set(columns, inner)
      f.set(from, x)
      for (const vectors of [8, 4, 1]) {
        f.while(i32.geS(columns, 4 * vectors), () => {
          some(vectors).forEach((sum, v) => {
            f.do(v128.store(out, sum, 16 * v))
          })
          f.advance(out, 16 * vectors)
          f.advance(from, 16 * vectors)
          f.advance(columns, -4 * vectors)
        })
      }
      f.if(columns, () => {
        const [sum] = some(1)
        storeSome(f, 'float32', f.let(out), sum, columns)
        f.advance(out, i32.shl(columns, 2))
      })
      f.advance(x, i32.mul(rowBytes, rows))
      f.advance(length, i32.sub(0, rows))
    })
  })
}

/** Writes `add(out, totals, blocks, inner)`: the sum of the blocks' totals [blocks, inner], in float64. */
function emitAdd(module: ModuleBuilder): void {
  module.export('add', { out: 'i32', totals: 'i32', blocks: 'i32', inner: 'i32' }, null, (f, { out, totals, blocks, inner }) => {
    const [at, left] = [f.local('i32'), f.local('i32')]
    const [low, high, total] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(inner, 2))
    const four = (): Vector => {
      f.set(at, totals)
      f.set(low, f.splat64(0))
      f.set(high, f.splat64(0))
      f.set(left, blocks)
      f.while(i32.gtS(left, 0), () => {
        f.set(total, v128.load(at))
        f.set(low, f64x2.add(low, f64x2.promoteLowF32x4(total)))
        f.set(high, f64x2.add(high, f64x2.promoteLowF32x4(shuffle32(total, total, [2, 3, 2, 3]))))
        f.advance(at, rowBytes)
        f.advance(left, -1)
      })
      return shuffle32(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), [0, 1, 4, 5])
    }
    f.while(i32.geS(inner, 4), () => {
      f.do(v128.store(out, four()))
      f.advance(out, 16)
      f.advance(totals, 16)
      f.advance(inner, -4)
    })
    f.if(inner, () => storeSome(f, 'float32', out, four(), inner))
  })
}

/** Sums x [length, inner] at `from` over `length` into `to`, in blocks of `block` rows. */
export function createLongColumns(engine: Engine, block: number): (to: number, from: number, length: number, inner: number) => void {
  const kernels = lazy(() =>
    engine.compile((module) => {
      emitBlocks(module)
      emitAdd(module)
    }),
  )
  return (to, from, length, inner) => {
    const { blocks, add } = kernels() as Record<'blocks' | 'add', KernelFunction>
    const count = Math.ceil(length / block)
    const bytes = 4 * count * inner
    const totals = engine.memory.alloc(bytes)
    try {
      engine.split(count, Math.ceil(16 / inner), length * inner * NANOSECONDS, (begin, end, call) => {
        const first = begin * block
        call(blocks, totals + 4 * begin * inner, from + 4 * first * inner, Math.min(length, end * block) - first, inner, block)
      })
      engine.split(1, 1, 0, (_begin, _end, call) => call(add, to, totals, count, inner))
    } finally {
      engine.memory.free(totals, bytes)
    }
  }
}

/** Estimated nanoseconds of an element. */
const NANOSECONDS = 0.15
