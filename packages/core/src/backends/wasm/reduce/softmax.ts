/**
 * Softmax, out = e^(x − max) / Σ e^(x − max), over the last axis, row by row: first the maximum, then e^(x − max) and its sum, then the result. A sum runs in four
 * lanes, by column mod 4, which are added at the end. Rows are independent.
 */
import type { FusedKernels } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, storeSome } from '../assembler/elements.js'
import { exp } from '../assembler/functions-float32.js'
import { f32x4, i32, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'

/** Combines the four lanes pairwise; the result is in all lanes. */
export function across(f: FunctionBuilder, x: Local<'v128'>, combine: (a: Vector, b: Vector) => Vector): Vector {
  const pairs = f.let(combine(x, shuffle32(x, x, [2, 3, 0, 1])))
  return combine(pairs, shuffle32(pairs, pairs, [1, 0, 3, 2]))
}

/** Emits a walk along a row of n floats: `whole` handles four at a time, `rest` the last one to three. */
export function alongRow(
  f: FunctionBuilder,
  n: Local<'i32'>,
  columns: Local<'i32'>,
  advance: () => void,
  whole: () => void,
  rest: () => void,
): void {
  f.set(n, columns)
  f.while(i32.geS(n, 4), () => {
    whole()
    advance()
    f.advance(n, -4)
  })
  f.if(n, rest)
}

/** Emits the maximum of a row, into all lanes of `maximum`. Four maxima go along a long row, so that one need not wait for the other. */
export function emitRowMaximum(f: FunctionBuilder, x: Local<'i32'>, columns: Local<'i32'>, maximum: Local<'v128'>): void {
  const [at, n] = [f.let(x), f.let(columns)]
  const along = (maxima: readonly Local<'v128'>[]): void =>
    f.while(i32.geS(n, 4 * maxima.length), () => {
      for (const [v, each] of maxima.entries()) f.set(each, f32x4.max(each, v128.load(at, 16 * v)))
      f.advance(at, 16 * maxima.length)
      f.advance(n, -4 * maxima.length)
    })
  f.set(maximum, f.splat(-Infinity))
  f.if(i32.geS(n, 32), () => {
    const others = Array.from({ length: 3 }, () => f.let(maximum))
    along([maximum, ...others])
    for (const other of others) f.set(maximum, f32x4.max(maximum, other))
  })
  along([maximum])
  f.if(n, () => f.set(maximum, f32x4.max(maximum, v128.bitselect(v128.load(at), f.splat(-Infinity), firstLanes(f, n)))))
  f.set(maximum, across(f, maximum, f32x4.max))
}

/** Emits Σ e^(x − max) of a row, into all lanes of `sum`; also writes each e to `out`, if given. */
export function emitRowSum(
  f: FunctionBuilder,
  x: Local<'i32'>,
  columns: Local<'i32'>,
  maximum: Local<'v128'>,
  sum: Local<'v128'>,
  out?: Local<'i32'>,
): void {
  const [from, n, value] = [f.let(x), f.local('i32'), f.local('v128')]
  const to = out && f.let(out)
  const exponential = (): Vector => exp(f, f.let(f32x4.sub(v128.load(from), maximum)))
  f.set(sum, f.splat(0))
  alongRow(
    f,
    n,
    columns,
    () => {
      f.advance(from, 16)
      if (to) f.advance(to, 16)
    },
    () => {
      f.set(value, exponential())
      f.set(sum, f32x4.add(sum, value))
      if (to) f.do(v128.store(to, value))
    },
    () => {
      f.set(value, v128.and(exponential(), firstLanes(f, n)))
      f.set(sum, f32x4.add(sum, value))
      if (to) storeSome(f, 'float32', to, value, n)
    },
  )
  f.set(sum, across(f, sum, f32x4.add))
}

/** Writes `kernel(out, x, rows, columns)`. */
function emitSoftmax(module: ModuleBuilder): void {
  module.export('kernel', { out: 'i32', x: 'i32', rows: 'i32', columns: 'i32' }, null, (f, { out, x, rows, columns }) => {
    const [to, n] = [f.local('i32'), f.local('i32')]
    const [maximum, sum, value] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      emitRowMaximum(f, x, columns, maximum)
      emitRowSum(f, x, columns, maximum, sum, out)
      f.set(to, out)
      alongRow(
        f,
        n,
        columns,
        () => f.advance(to, 16),
        () => f.do(v128.store(to, f32x4.div(v128.load(to), sum))),
        () => {
          f.set(value, f32x4.div(v128.load(to), sum))
          storeSome(f, 'float32', to, value, n)
        },
      )
      f.advance(out, rowBytes)
      f.advance(x, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Rows that together fill a cache line: two threads should not write to the same line. */
export const rowsPerLine = (columns: number): number => Math.ceil(16 / columns)

/** The fused kernel `softmax`. */
export function createSoftmax(engine: Engine): Required<Pick<FusedKernels, 'softmax'>> {
  let kernel: KernelFunction | undefined
  return {
    softmax(out, x) {
      if (out.size === 0) return
      kernel ??= engine.compileOne(emitSoftmax)
      const run = kernel
      const [to, from, columns] = [address(out), address(x), x.shape[x.shape.length - 1]]
      const rows = x.size / columns
      engine.split(rows, rowsPerLine(columns), 2 * x.size + 10 * rows, (begin, end, call) =>
        call(run, to + 4 * begin * columns, from + 4 * begin * columns, end - begin, columns),
      )
    },
  }
}
