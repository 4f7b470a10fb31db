/**
 * Packs the operands of a matrix product into panels (gemm-kernel.ts says why). Panels of A are MR rows high, panels of B are NR
 * columns wide; both are stored k by k. A is packed where its rows are columns in memory. B has two routines: one where k is consecutive
 * in memory, one where the other axis is. Where k is consecutive, blocks of 4 × 4 are transposed in registers.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome, transposed } from '../assembler/elements.js'
import { i32, type Vector, v128 } from '../assembler/instructions.js'
import type { Tile } from './gemm-kernel.js'

/** Steps of k that A's panels take in turns: a cache line of A holds floats of several panels, and long columns would push each other out of the cache. */
const BLOCK_STEPS = 8

/** Rows of this panel: min(height, left). */
function panelHeight(f: FunctionBuilder, left: Local<'i32'>, height: number): Local<'i32'> {
  const rows = f.let(left)
  f.if(i32.gtS(left, height), () => f.set(rows, height))
  return rows
}

/** Stores one step of k of a panel with `rows` rows: as whole vectors, or `exactly` that many floats. */
function storeGroups(
  f: FunctionBuilder,
  to: Local<'i32'>,
  vectors: readonly Local<'v128'>[],
  rows: Local<'i32'> | number,
  exactly: boolean,
): void {
  for (const [g, vector] of vectors.entries()) {
    const whole = (): void => f.do(v128.store(to, vector, 16 * g))
    if (typeof rows === 'number') {
      whole()
      continue
    }
    const some = (): void => storeSome(f, 'float32', f.let(i32.add(to, 16 * g)), vector, f.let(i32.add(rows, -4 * g)))
    if (exactly) f.if(i32.geS(rows, 4 * g + 4), whole, () => f.if(i32.gtS(rows, 4 * g), some))
    else if (g === 0) whole()
    else f.if(i32.gtS(rows, 4 * g), whole)
  }
}

/**
 * Writes `packAColumns(to, from, m, k, column)` for A with consecutive rows. Vectors are stored in ascending order of k. One may stick out over the end of a group of
 * MR floats; the next store overwrites what it spoiled. The last step of a panel is stored exactly, because the next panel may be there, or another thread may be
 * packing it.
 */
export function emitPackA(module: ModuleBuilder, { mr }: Tile): void {
  const groups = Math.ceil(mr / 4)
  module.export('packAColumns', { to: 'i32', from: 'i32', m: 'i32', k: 'i32', column: 'i32' }, null, (f, { to, from, m, k, column }) => {
    const [steps, left, panel, at, line, toStep] = Array.from({ length: 6 }, () => f.local('i32'))
    const panelBytes = f.let(i32.mul(k, 4 * mr))
    /** Packs the steps of one panel that stand in this block; the last one exactly, unless the number of rows is plain. */
    const put = (rows: Local<'i32'> | number): void => {
      const exactly = typeof rows !== 'number'
      const step = f.let(i32.shl(rows, 2))
      f.set(at, line)
      f.set(left, steps)
      const one = (exactly = false): void => {
        const vectors = Array.from({ length: groups }, (_, g) => f.let(v128.load(at, 16 * g)))
        storeGroups(f, toStep, vectors, rows, exactly)
        f.advance(toStep, step)
        f.advance(at, column)
        f.advance(left, -1)
      }
      f.while(i32.gtS(left, exactly ? 1 : 0), () => one())
      if (exactly) one(true)
    }
    const done = f.let(i32.const(0))
    f.while(i32.ltS(done, k), () => {
      f.set(steps, i32.sub(k, done))
      const goesOn = f.let(i32.gtS(steps, BLOCK_STEPS))
      f.if(goesOn, () => f.set(steps, BLOCK_STEPS))
      f.set(line, from)
      f.set(panel, to)
      const rowsLeft = f.let(m)
      f.while(i32.gtS(rowsLeft, 0), () => {
        const rows = panelHeight(f, rowsLeft, mr)
        f.set(toStep, i32.add(panel, i32.mul(done, i32.shl(rows, 2))))
        f.if(
          i32.and(goesOn, i32.eq(rows, mr)),
          () => put(mr),
          () => put(rows),
        )
        f.advance(line, 4 * mr)
        f.advance(panel, panelBytes)
        f.advance(rowsLeft, -mr)
      })
      f.advance(from, i32.mul(column, BLOCK_STEPS))
      f.advance(done, BLOCK_STEPS)
    })
  })
}

/** Emits four neighbouring columns of a panel: k numbers from each of four pointers, `changed`, go to `at` and below. All pointers move. */
export function emitFourColumns(
  f: FunctionBuilder,
  pointers: readonly Local<'i32'>[],
  at: Local<'i32'>,
  k: Local<'i32'>,
  nr: number,
  changed = (x: Vector): Vector => x,
): void {
  const left = f.let(k)
  const put = (count: number): void => {
    const lines = transposed(pointers.map((pointer) => f.let(changed(v128.load(pointer))))).map((line) => f.let(line))
    for (let l = 0; l < count; l++) f.do(v128.store(at, lines[l], 4 * nr * l))
    f.advance(at, 4 * nr * count)
    for (const pointer of pointers) f.advance(pointer, 4 * count)
    f.advance(left, -count)
  }
  f.while(i32.geS(left, 4), () => put(4))
  f.while(i32.gtS(left, 0), () => put(1))
}

/** Writes `packBRows(to, from, n, k, row)` for B with consecutive columns, and `packBColumns(to, from, n, k, column)` for B with consecutive k. */
export function emitPackB(module: ModuleBuilder, { nr }: Tile): void {
  module.export('packBRows', { to: 'i32', from: 'i32', n: 'i32', k: 'i32', row: 'i32' }, null, (f, { to, from, n, k, row }) => {
    const [left, at] = [f.local('i32'), f.local('i32')]
    f.while(i32.gtS(n, 0), () => {
      f.set(at, from)
      f.set(left, k)
      f.while(i32.gtS(left, 0), () => {
        for (let v = 0; v < nr / 4; v++) f.do(v128.store(to, v128.load(at, 16 * v), 16 * v))
        f.advance(to, 4 * nr)
        f.advance(at, row)
        f.advance(left, -1)
      })
      f.advance(from, 4 * nr)
      f.advance(n, -nr)
    })
  })
  module.export('packBColumns', { to: 'i32', from: 'i32', n: 'i32', k: 'i32', column: 'i32' }, null, (f, { to, from, n, k, column }) => {
    const [at, group] = [f.local('i32'), f.local('i32')]
    const panelBytes = f.let(i32.mul(k, 4 * nr))
    f.while(i32.gtS(n, 0), () => {
      f.for(0, nr, 4, (first) => {
        // Columns beyond the last one read one that exists.
        const start = f.let(first)
        f.if(i32.geS(start, n), () => f.set(start, 0))
        const pointers: Local<'i32'>[] = [f.let(i32.add(from, i32.mul(start, column)))]
        for (let i = 1; i < 4; i++) {
          const pointer = f.let(pointers[i - 1])
          f.if(i32.ltS(i32.add(start, i), n), () => f.advance(pointer, column))
          pointers.push(pointer)
        }
        f.set(at, i32.add(to, i32.shl(first, 2)))
        emitFourColumns(f, pointers, at, k, nr)
      })
      f.advance(to, panelBytes)
      f.set(group, i32.mul(column, nr))
      f.advance(from, group)
      f.advance(n, -nr)
    })
  })
}
