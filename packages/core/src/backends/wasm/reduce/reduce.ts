/**
 * Reductions of x [outer, length, inner] over `length`: out[o, i] = f over l of x[o, l, i].
 *
 * The order of a float sum is fixed; threads do not change it, because each takes outputs of its own:
 *
 * - `length` is cut into blocks of BLOCK elements. The totals of the blocks are added in order, in float64, and rounded once.
 * - inner > 1: a block is summed element after element; each lane has its own column.
 * - inner = 1: element j of a block is added to partial sum j mod 16 (four vectors of four lanes). Elements beyond the last
 *   multiple of 16 go to partial sums 0 to 3, by j mod 4. Then the vectors are added, (0+1)+(2+3), then the lanes likewise.
 *
 * A block has 512 elements, so a partial sum has at most 512 terms, and the error of a sum does not grow with its length.
 * Products follow the same order in float32. max and min need no order; NaN wins, as in WebAssembly's own max and min. Sums and
 * products of whole numbers are exact (reduce-int.ts).
 */
import type { DType } from '../../../tensor/dtype.js'
import type { ReduceExtent } from '../../../tensor/shape.js'
import type { Kernels, Operand, ReduceKernel } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, firstLanes, loadLanes, storeLanes, storeSome } from '../assembler/elements.js'
import { f32, f32x4, f64x2, i32, i32x4, shuffle32, type Value, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { createLongColumns } from './long-columns.js'
import { emitIntReduce, type IntFold, withinInt32 } from './reduce-int.js'

const BLOCK = 512

/** One reduction: its neutral element and its step. */
interface Fold {
  neutral(f: FunctionBuilder): Local<'v128'>
  combine(f: FunctionBuilder, a: Vector, b: Vector): Vector
  /** The totals of blocks are added in float64. */
  inDouble: boolean
}

const floatFolds: Readonly<Record<string, Fold>> = {
  sum: { neutral: (f) => f.splat(0), combine: (_, a, b) => f32x4.add(a, b), inDouble: true },
  prod: { neutral: (f) => f.splat(1), combine: (_, a, b) => f32x4.mul(a, b), inDouble: false },
  max: { neutral: (f) => f.splat(-Infinity), combine: (_, a, b) => f32x4.max(a, b), inDouble: false },
  min: { neutral: (f) => f.splat(Infinity), combine: (_, a, b) => f32x4.min(a, b), inDouble: false },
}

/** Maxima and minima of whole numbers. (Their sums and products are in reduce-int.ts.) */
const intFolds: Readonly<Record<string, Fold>> = {
  max: { neutral: (f) => f.splatInt(-(2 ** 31)), combine: (_, a, b) => i32x4.maxS(a, b), inDouble: false },
  min: { neutral: (f) => f.splatInt(2 ** 31 - 1), combine: (_, a, b) => i32x4.minS(a, b), inDouble: false },
}

const upperHalf = (x: Local<'v128'>): Vector => shuffle32(x, x, [2, 3, 2, 3])

/** Combines the four lanes, in lane 0: (0+2) + (1+3). */
function acrossLanes(f: FunctionBuilder, fold: Fold, x: Local<'v128'>): Vector {
  const pairs = f.let(fold.combine(f, x, upperHalf(x)))
  return fold.combine(f, pairs, shuffle32(pairs, pairs, [1, 0, 1, 0]))
}

/** Emits the reduction of `length` neighbouring elements, in lane 0; moves `x` behind them. */
function emitRow(f: FunctionBuilder, dtype: DType, fold: Fold, x: Local<'i32'>, length: Local<'i32'>): Vector {
  const bytes = elementBytes(dtype)
  const [left, n] = [f.local('i32'), f.local('i32')]
  const sums = [0, 1, 2, 3].map(() => f.local('v128'))
  const total = f.local('v128')
  f.set(left, length)
  f.set(total, fold.inDouble ? f.splat64(0) : fold.neutral(f))
  f.while(i32.gtS(left, 0), () => {
    f.set(n, left)
    f.if(i32.gtS(left, BLOCK), () => f.set(n, BLOCK))
    f.advance(left, i32.sub(0, n))
    for (const sum of sums) f.set(sum, fold.neutral(f))
    f.while(i32.geS(n, 16), () => {
      sums.forEach((sum, v) => {
        f.set(sum, fold.combine(f, sum, loadLanes(dtype, x, 4 * v * bytes)))
      })
      f.advance(x, 16 * bytes)
      f.advance(n, -16)
    })
    f.while(i32.geS(n, 4), () => {
      f.set(sums[0], fold.combine(f, sums[0], loadLanes(dtype, x)))
      f.advance(x, 4 * bytes)
      f.advance(n, -4)
    })
    f.if(n, () => {
      const some = v128.bitselect(loadLanes(dtype, x), fold.neutral(f), firstLanes(f, n))
      f.set(sums[0], fold.combine(f, sums[0], some))
      f.advance(x, bytes === 1 ? n : i32.shl(n, 2))
    })
    const block = f.let(fold.combine(f, fold.combine(f, sums[0], sums[1]), fold.combine(f, sums[2], sums[3])))
    const one = f.let(acrossLanes(f, fold, block))
    f.set(total, fold.inDouble ? f64x2.add(total, f64x2.promoteLowF32x4(one)) : fold.combine(f, total, one))
  })
  return fold.inDouble ? f32x4.demoteF64x2Zero(total) : total
}

/** Emits the sum of a row of floats, in lane 0, as `reduce` computes it; moves `x` behind the row. */
export const emitRowSum = (f: FunctionBuilder, x: Local<'i32'>, length: Local<'i32'>): Vector =>
  emitRow(f, 'float32', floatFolds.sum, x, length)

/** Writes `kernel(out, x, outer, length)` for inner = 1. */
function emitRows(module: ModuleBuilder, dtype: DType, fold: Fold): void {
  const bytes = elementBytes(dtype)
  module.export('kernel', { out: 'i32', x: 'i32', outer: 'i32', length: 'i32' }, null, (f, { out, x, outer, length }) => {
    f.while(i32.gtS(outer, 0), () => {
      const result = emitRow(f, dtype, fold, x, length)
      if (bytes === 1) f.do(i32.store8(out, i32x4.extractLane(result, 0)))
      else f.do(v128.store32Lane(out, result, 0))
      f.advance(out, bytes)
      f.advance(outer, -1)
    })
  })
}

/** Writes `kernel(out, x, outer, length, inner, begin, end)` for columns begin to end of inner > 1. */
function emitColumns(module: ModuleBuilder, dtype: DType, fold: Fold): void {
  const bytes = elementBytes(dtype)
  const parameters = { out: 'i32', x: 'i32', outer: 'i32', length: 'i32', inner: 'i32', begin: 'i32', end: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, outer, length, inner, begin, end }) => {
    const [left, n, at, column, to] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    const rowBytes = f.let(bytes === 1 ? inner : i32.shl(inner, 2))
    const scaled = (count: Value<'i32'>): Value<'i32'> => (bytes === 1 ? count : i32.shl(count, 2))

    /** Reduces `vectors` times four columns, from `column` on; returns the results. */
    const reduceColumns = (vectors: number): Vector[] => {
      const sums = Array.from({ length: vectors }, () => f.local('v128'))
      const lows = sums.map(() => f.local('v128'))
      const highs = sums.map(() => f.local('v128'))
      f.set(at, i32.add(x, scaled(column)))
      f.set(left, length)
      for (const local of fold.inDouble ? [...lows, ...highs] : lows) f.set(local, fold.inDouble ? f.splat64(0) : fold.neutral(f))
      f.while(i32.gtS(left, 0), () => {
        f.set(n, left)
        f.if(i32.gtS(left, BLOCK), () => f.set(n, BLOCK))
        f.advance(left, i32.sub(0, n))
        for (const sum of sums) f.set(sum, fold.neutral(f))
        f.loop((again) => {
          sums.forEach((sum, v) => {
            f.set(sum, fold.combine(f, sum, loadLanes(dtype, at, 4 * v * bytes)))
          })
          f.advance(at, rowBytes)
          f.advance(n, -1)
          f.break(again, n)
        })
        sums.forEach((sum, v) => {
          if (fold.inDouble) {
            f.set(lows[v], f64x2.add(lows[v], f64x2.promoteLowF32x4(sum)))
            f.set(highs[v], f64x2.add(highs[v], f64x2.promoteLowF32x4(upperHalf(sum))))
          } else f.set(lows[v], fold.combine(f, lows[v], sum))
        })
      })
      return sums.map((_, v) =>
        fold.inDouble ? shuffle32(f32x4.demoteF64x2Zero(lows[v]), f32x4.demoteF64x2Zero(highs[v]), [0, 1, 4, 5]) : lows[v],
      )
    }

    f.while(i32.gtS(outer, 0), () => {
      f.set(column, begin)
      f.set(to, i32.add(out, scaled(begin)))
      for (const vectors of [4, 1]) {
        f.while(i32.leS(i32.add(column, 4 * vectors), end), () => {
          reduceColumns(vectors).forEach((result, v) => {
            storeLanes(f, dtype, to, result, 4 * v * bytes)
          })
          f.advance(to, 4 * vectors * bytes)
          f.advance(column, 4 * vectors)
        })
      }
      f.if(i32.ltS(column, end), () => {
        const rest = f.let(i32.sub(end, column))
        storeSome(f, dtype, to, reduceColumns(1)[0], rest)
      })
      f.advance(out, rowBytes)
      f.advance(x, i32.mul(rowBytes, length))
      f.advance(outer, -1)
    })
  })
}

/** Writes `kernel(out, x, outer, length, inner)`: the position of the first best value. A NaN is best of all. */
function emitArgument(module: ModuleBuilder, dtype: DType, largest: boolean): void {
  const parameters = { out: 'i32', x: 'i32', outer: 'i32', length: 'i32', inner: 'i32' } as const
  const float = dtype === 'float32'
  module.export('kernel', parameters, null, (f, { out, x, outer, length, inner }) => {
    const [at, position] = [f.local('i32'), f.local('i32')]
    const bytes = elementBytes(dtype)
    const rowBytes = f.let(bytes === 1 ? inner : i32.shl(inner, 2))
    const [best, value] = float ? [f.local('f32'), f.local('f32')] : [undefined, undefined]
    const [bestInt, valueInt] = [f.local('i32'), f.local('i32')]
    f.while(i32.gtS(outer, 0), () => {
      f.for(0, inner, 1, () => {
        f.set(at, x)
        f.set(position, 0)
        f.for(0, length, 1, (l) => {
          if (best && value) {
            f.set(value, f32.load(at))
            const better = largest ? f32.gt(value, best) : f32.lt(value, best)
            const firstNaN = i32.and(f32.ne(value, value), f32.eq(best, best))
            f.if(i32.or(i32.eqz(l), i32.or(better, firstNaN)), () => {
              f.set(best, value)
              f.set(position, l)
            })
          } else {
            f.set(valueInt, bytes === 1 ? i32.load8U(at) : i32.load(at))
            const better = largest ? i32.gtS(valueInt, bestInt) : i32.ltS(valueInt, bestInt)
            f.if(i32.or(i32.eqz(l), better), () => {
              f.set(bestInt, valueInt)
              f.set(position, l)
            })
          }
          f.advance(at, rowBytes)
        })
        f.do(i32.store(out, position))
        f.advance(out, 4)
        f.advance(x, bytes)
      })
      f.advance(x, i32.mul(rowBytes, i32.sub(length, 1)))
      f.advance(outer, -1)
    })
  })
}

/** The primitive `reduce`. */
export function createReduce(engine: Engine): Kernels['reduce'] {
  const rows = new Map<ReduceKernel, Map<DType, KernelFunction>>()
  const columns = new Map<ReduceKernel, Map<DType, KernelFunction>>()

  const compile = (tables: typeof rows, kernel: ReduceKernel, dtype: DType): KernelFunction =>
    engine.compileOne((module) => {
      const fold = (dtype === 'float32' ? floatFolds : intFolds)[kernel]
      if (kernel === 'argMax' || kernel === 'argMin') emitArgument(module, dtype, kernel === 'argMax')
      else if (tables === rows) emitRows(module, dtype, fold)
      else emitColumns(module, dtype, fold)
    })
  const kernelFor = (tables: typeof rows, kernel: ReduceKernel, dtype: DType): KernelFunction =>
    entry(
      entry(tables, kernel, () => new Map<DType, KernelFunction>()),
      dtype,
      () => compile(tables, kernel, dtype),
    )

  const longColumns = createLongColumns(engine, BLOCK)

  /** Sums and products of whole numbers; throws if a result does not fit int32. */
  const reduceWhole = (out: Operand, x: Operand, kernel: IntFold, { outer, length, inner }: ReduceExtent): void => {
    const run = entry(
      entry(rows, kernel, () => new Map<DType, KernelFunction>()),
      x.dtype,
      () => engine.compileOne((module) => emitIntReduce(module, x.dtype, kernel)),
    )
    const group = length * inner * elementBytes(x.dtype)
    withinInt32(engine, kernel, (bad) => {
      const [to, from] = [address(out), address(x)]
      if (outer >= 8 || inner < 64)
        engine.split(outer, Math.ceil(16 / inner), x.size * 0.5, (begin, end, call) =>
          call(run, to + 4 * begin * inner, from + begin * group, end - begin, length, inner, 0, inner, bad),
        )
      else engine.split(inner, 16, x.size * 0.5, (begin, end, call) => call(run, to, from, outer, length, inner, begin, end, bad))
    })
  }

  return (out, x, kernel, extent) => {
    if (out.size === 0) return
    if (x.dtype !== 'float32' && (kernel === 'sum' || kernel === 'prod')) return reduceWhole(out, x, kernel, extent)
    const { outer, length, inner } = extent
    const argument = kernel === 'argMax' || kernel === 'argMin'
    const [to, from] = [address(out), address(x)]
    const toGroup = inner * elementBytes(out.dtype)
    const fromGroup = length * inner * elementBytes(x.dtype)
    if (kernel === 'sum' && inner > 1 && length > 2 * BLOCK && outer < 8) {
      for (let o = 0; o < outer; o++) longColumns(to + 4 * o * inner, from + 4 * o * length * inner, length, inner)
      return
    }
    const run = kernelFor(argument || inner === 1 ? rows : columns, kernel, x.dtype)
    const nanoseconds = outer * length * inner * (argument ? 1.5 : 0.25)
    if (!argument && inner >= 64 && outer < 8)
      // There are few groups of many columns, so each thread takes a band of columns.
      engine.split(inner, 16, nanoseconds, (begin, end, call) => call(run, to, from, outer, length, inner, begin, end))
    else
      engine.split(outer, Math.ceil(64 / toGroup), nanoseconds, (begin, end, call) => {
        const [out, x, count] = [to + begin * toGroup, from + begin * fromGroup, end - begin]
        if (argument) call(run, out, x, count, length, inner)
        else if (inner === 1) call(run, out, x, count, length)
        else call(run, out, x, count, length, inner, 0, inner)
      })
  }
}
