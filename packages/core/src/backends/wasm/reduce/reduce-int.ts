/**
 * Exact sums and products of whole numbers. Sums run in 64-bit integers. Products run in float64: it is exact up to 2⁵³, and a
 * larger product never comes back below 2⁵³ except by a factor 0. If a result does not fit int32, the kernel says so.
 */

import { beyondInt32 } from '../../../errors.js'
import type { DType } from '../../../tensor/dtype.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, loadLanes } from '../assembler/elements.js'
import { f64, f64x2, i32, i64, i64x2, shuffle32, type Value, type Vector } from '../assembler/instructions.js'
import type { Engine } from '../engine/engine.js'

/** One reduction: its steps on two wide lanes, and on one wide number. */
interface WideFold<T extends 'i64' | 'f64'> {
  type: T
  neutral(f: FunctionBuilder): Vector
  low(x: Vector): Vector
  combine(a: Vector, b: Vector): Vector
  lane(x: Vector, lane: number): Value<T>
  widen(x: Value<'i32'>): Value<T>
  combineOne(a: Value<T>, b: Value<T>): Value<T>
  narrow(x: Local<T>): Value<'i32'>
  /** Not 0 if the number does not fit int32. */
  beyond(x: Local<T>): Value<'i32'>
}

const folds = {
  sum: {
    type: 'i64',
    neutral: (f) => f.splatLong(0n),
    low: i64x2.extendLowI32x4S,
    combine: i64x2.add,
    lane: i64x2.extractLane,
    widen: i64.extendI32S,
    combineOne: i64.add,
    narrow: i32.wrapI64,
    beyond: (x) => i64.ne(i64.extendI32S(i32.wrapI64(x)), x),
  } satisfies WideFold<'i64'>,
  prod: {
    type: 'f64',
    neutral: (f) => f.splat64(1),
    low: f64x2.convertLowI32x4S,
    combine: f64x2.mul,
    lane: f64x2.extractLane,
    widen: f64.convertI32S,
    combineOne: f64.mul,
    narrow: i32.truncSatF64S, // ∞·0 gives 0
    beyond: (x) => i32.or(f64.gt(x, f64.const(2 ** 31 - 1)), f64.lt(x, f64.const(-(2 ** 31)))),
  } satisfies WideFold<'f64'>,
}

/** The names of these reductions. */
export type IntFold = keyof typeof folds

const upper = (x: Local<'v128'>): Vector => shuffle32(x, x, [2, 3, 2, 3])

/**
 * Writes `kernel(out, x, outer, length, inner, begin, end, bad)` for columns begin to end of `inner`. It sets the int32 at `bad` to 1 if a result does not
 * fit int32. It takes four columns at a time, or four elements of an only column.
 */
export function emitIntReduce(module: ModuleBuilder, dtype: DType, kernel: IntFold): void {
  emitWide(module, dtype, folds[kernel] as WideFold<'i64' | 'f64'>)
}

function emitWide<T extends 'i64' | 'f64'>(module: ModuleBuilder, dtype: DType, fold: WideFold<T>): void {
  const bytes = elementBytes(dtype)
  const parameters = {
    out: 'i32',
    x: 'i32',
    outer: 'i32',
    length: 'i32',
    inner: 'i32',
    begin: 'i32',
    end: 'i32',
    bad: 'i32',
  } as const
  module.export('kernel', parameters, null, (f, { out, x, outer, length, inner, begin, end, bad }) => {
    const [left, at, column, to] = Array.from({ length: 4 }, () => f.local('i32'))
    const [low, high, lanes] = Array.from({ length: 3 }, () => f.local('v128'))
    const one = f.local(fold.type) as Local<T>
    const scaled = (count: Value<'i32'>): Value<'i32'> => (bytes === 1 ? count : i32.shl(count, 2))
    const rowBytes = f.let(scaled(inner))

    const takeFour = (): void => {
      f.set(lanes, loadLanes(dtype, at))
      f.set(low, fold.combine(low, fold.low(lanes)))
      f.set(high, fold.combine(high, fold.low(upper(lanes))))
    }
    const takeOne = (): void => {
      const value = bytes === 1 ? i32.load8U(at) : i32.load(at)
      setWide(f, one, fold.combineOne(one, fold.widen(value)))
    }
    const finish = (value: Value<T>, place: number): void => {
      setWide(f, one, value)
      f.do(i32.store(to, fold.narrow(one), 4 * place))
      f.if(fold.beyond(one), () => f.do(i32.store(bad, 1)))
    }
    const start = (): void => {
      f.set(low, fold.neutral(f))
      f.set(high, fold.neutral(f))
      f.set(left, length)
      f.set(at, i32.add(x, scaled(column)))
    }

    f.while(i32.gtS(outer, 0), () => {
      f.set(column, begin)
      f.set(to, i32.add(out, i32.shl(begin, 2)))
      f.while(i32.leS(i32.add(column, 4), end), () => {
        start()
        f.while(i32.gtS(left, 0), () => {
          takeFour()
          f.advance(at, rowBytes)
          f.advance(left, -1)
        })
        for (let place = 0; place < 4; place++) finish(fold.lane(place < 2 ? low : high, place % 2), place)
        f.advance(to, 16)
        f.advance(column, 4)
      })
      f.while(i32.ltS(column, end), () => {
        start()
        f.if(i32.eq(inner, 1), () =>
          f.while(i32.geS(left, 4), () => {
            takeFour()
            f.advance(at, 4 * bytes)
            f.advance(left, -4)
          }),
        )
        const all = f.let(fold.combine(low, high))
        setWide(f, one, fold.combineOne(fold.lane(all, 0), fold.lane(all, 1)))
        f.while(i32.gtS(left, 0), () => {
          takeOne()
          f.advance(at, rowBytes)
          f.advance(left, -1)
        })
        finish(one, 0)
        f.advance(to, 4)
        f.advance(column, 1)
      })
      f.advance(out, i32.shl(inner, 2))
      f.advance(x, i32.mul(rowBytes, length))
      f.advance(outer, -1)
    })
  })
}

const setWide = <T extends 'i64' | 'f64'>(f: FunctionBuilder, local: Local<T>, value: Value<T>): void =>
  f.set(local as Local<'i64'>, value as Value<'i64'>)

/** Runs kernels that report a result beyond int32 by setting the int32 at an address to 1; throws if one did. */
export function withinInt32(engine: Engine, op: Parameters<typeof beyondInt32>[0], work: (bad: number) => void): void {
  const { memory } = engine
  const bad = memory.alloc(4)
  try {
    memory.ints[bad / 4] = 0
    work(bad)
    if (memory.ints[bad / 4] !== 0) throw beyondInt32(op)
  } finally {
    memory.free(bad, 4)
  }
}
