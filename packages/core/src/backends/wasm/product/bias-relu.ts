/** Adds a bias to each column of a matrix product, then takes relu: the end of `affine`. */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, type Vector, v128 } from '../assembler/instructions.js'

/** A block of C that has just been computed, and the operands of this step. */
interface Finish {
  /** Address of the block's first element; moved. */
  c: Local<'i32'>
  /** Rows of the block; counted down. */
  rows: Local<'i32'>
  columns: I32
  cRow: I32
  /** Address of the first column's bias. */
  bias: Local<'i32'>
  relu: Local<'i32'>
}

/**
 * Emits c[i, j] += bias[j], then max(0, ·) if `relu`. It runs over a block that was just written and is still in the cache. Inside the register tile
 * it would take registers from the sums, in V8 11.
 */
export function emitFinish(f: FunctionBuilder, { c, rows, columns, cRow, bias, relu }: Finish): void {
  const [at, biasAt, left] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const least = f.let(f.splat(-Infinity))
  f.if(relu, () => f.set(least, f.splat(0)))
  const four = (v: number): Vector => f32x4.max(least, f32x4.add(v128.load(at, 16 * v), v128.load(biasAt, 16 * v)))
  f.while(i32.gtS(rows, 0), () => {
    f.set(at, c)
    f.set(biasAt, bias)
    f.set(left, columns)
    const turn = (vectors: number): void => {
      for (let v = 0; v < vectors; v++) f.do(v128.store(at, four(v), 16 * v))
      f.advance(at, 16 * vectors)
      f.advance(biasAt, 16 * vectors)
      f.advance(left, -4 * vectors)
    }
    f.while(i32.geS(left, 8), () => turn(2))
    f.while(i32.geS(left, 4), () => turn(1))
    f.if(i32.gtS(left, 0), () => storeSome(f, 'float32', at, f.let(four(0)), left))
    f.advance(c, cRow)
    f.advance(rows, -1)
  })
}

/** Writes `finish(c, rows, columns, cRow, bias, relu)`. */
export function emitFinishKernel(module: ModuleBuilder): void {
  const parameters = { c: 'i32', rows: 'i32', columns: 'i32', cRow: 'i32', bias: 'i32', relu: 'i32' } as const
  module.export('finish', parameters, null, (f, block) => emitFinish(f, block))
}
