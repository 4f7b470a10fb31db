/**
 * Softmax, out = e^(x − max) / Σ e^(x − max), and softmax cross-entropy with its gradient, over the last axis, row by row: first the maximum, then
 * e^(x − max) and its sum, then the result. A sum runs in four lanes, by column mod 4, which are added at the end. Rows are
 * independent.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, storeSome } from '../assembler/elements.js'
import { exp, log } from '../assembler/functions-float32.js'
import { f32x4, i32, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { lazy } from '../engine/made-once.js'
import { emitRowSum } from './reduce.js'

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

/** Emits the maximum of a row, into all lanes of `maximum`. */
function emitRowMaximum(f: FunctionBuilder, x: Local<'i32'>, columns: Local<'i32'>, maximum: Local<'v128'>): void {
  const [at, n] = [f.let(x), f.local('i32')]
  f.set(maximum, f.splat(-Infinity))
  alongRow(
    f,
    n,
    columns,
    () => f.advance(at, 16),
    () => f.set(maximum, f32x4.max(maximum, v128.load(at))),
    () => f.set(maximum, f32x4.max(maximum, v128.bitselect(v128.load(at), f.splat(-Infinity), firstLanes(f, n)))),
  )
  f.set(maximum, across(f, maximum, f32x4.max))
}

/** Emits e^(x − max) of a row into `out`, and their sum into all lanes of `sum`. */
function emitRowExponentials(f: FunctionBuilder, out: Local<'i32'>, x: Local<'i32'>, columns: Local<'i32'>, sum: Local<'v128'>): void {
  const [to, from, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [maximum, value] = [f.local('v128'), f.local('v128')]
  const exponential = (): Vector => exp(f, f.let(f32x4.sub(v128.load(from), maximum)))
  emitRowMaximum(f, x, columns, maximum)
  f.set(to, out)
  f.set(from, x)
  f.set(sum, f.splat(0))
  alongRow(
    f,
    n,
    columns,
    () => {
      f.advance(from, 16)
      f.advance(to, 16)
    },
    () => {
      f.set(value, exponential())
      f.set(sum, f32x4.add(sum, value))
      f.do(v128.store(to, value))
    },
    () => {
      f.set(value, v128.and(exponential(), firstLanes(f, n)))
      f.set(sum, f32x4.add(sum, value))
      storeSome(f, 'float32', to, value, n)
    },
  )
  f.set(sum, across(f, sum, f32x4.add))
}

/** Emits out = f(out, …others) along a row of the output and of other arrays; `pointers`, the output first, move behind the row. */
function emitAlongRow(
  f: FunctionBuilder,
  columns: Local<'i32'>,
  pointers: readonly Local<'i32'>[],
  result: (...values: Vector[]) => Vector,
): void {
  const n = f.local('i32')
  const four = (): Vector => result(...pointers.map((pointer) => v128.load(pointer)))
  alongRow(
    f,
    n,
    columns,
    () => {
      for (const pointer of pointers) f.advance(pointer, 16)
    },
    () => f.do(v128.store(pointers[0], four())),
    () => {
      storeSome(f, 'float32', f.let(pointers[0]), f.let(four()), n)
      for (const pointer of pointers) f.advance(pointer, i32.shl(n, 2))
    },
  )
}

/** Writes `kernel(out, x, rows, columns)`. */
function emitSoftmax(module: ModuleBuilder): void {
  module.export('kernel', { out: 'i32', x: 'i32', rows: 'i32', columns: 'i32' }, null, (f, { out, x, rows, columns }) => {
    const sum = f.local('v128')
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      emitRowExponentials(f, out, x, columns, sum)
      emitAlongRow(f, columns, [out], (value) => f32x4.div(value, sum))
      f.advance(x, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, x, labels, dY, rows, columns)`: (softmax(x)·Σ labels − labels)·dY. */
function emitCrossEntropyGradient(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', dY: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, dY, rows, columns }) => {
    const [sum, weight, scale] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const label = f.local('i32')
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      emitRowExponentials(f, out, x, columns, sum)
      f.set(label, labels)
      f.set(weight, emitRowSum(f, label, columns))
      f.set(weight, shuffle32(weight, weight, [0, 0, 0, 0]))
      f.set(scale, v128.load32Splat(dY))
      emitAlongRow(f, columns, [out, labels], (value, of) => f32x4.mul(f32x4.sub(f32x4.mul(f32x4.div(value, sum), weight), of), scale))
      f.advance(x, rowBytes)
      f.advance(dY, 4)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, logits, labels, rows, columns)`: Σ labels·(ln Σ e^(x − max) − (x − max)). A label of 0 contributes 0, whatever its logit. */
function emitCrossEntropy(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, rows, columns }) => {
    const [from, label, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const [maximum, sum, loss] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    const shifted = (): Vector => f32x4.sub(v128.load(from), maximum)
    f.while(i32.gtS(rows, 0), () => {
      emitRowMaximum(f, x, columns, maximum)
      f.set(from, x)
      f.set(sum, f.splat(0))
      alongRow(
        f,
        n,
        columns,
        () => f.advance(from, 16),
        () => f.set(sum, f32x4.add(sum, exp(f, f.let(shifted())))),
        () => f.set(sum, f32x4.add(sum, v128.and(exp(f, f.let(shifted())), firstLanes(f, n)))),
      )
      f.set(sum, across(f, sum, f32x4.add))
      f.set(sum, log(f, sum))
      f.set(loss, f.splat(0))
      f.set(from, x)
      f.set(label, labels)
      const term = (): Vector => {
        const weight = f.let(v128.load(label))
        return v128.and(f32x4.mul(weight, f32x4.sub(sum, shifted())), f32x4.ne(weight, f.splat(0)))
      }
      alongRow(
        f,
        n,
        columns,
        () => {
          f.advance(from, 16)
          f.advance(label, 16)
        },
        () => f.set(loss, f32x4.add(loss, term())),
        () => f.set(loss, f32x4.add(loss, v128.and(term(), firstLanes(f, n)))),
      )
      f.do(v128.store32Lane(out, across(f, loss, f32x4.add), 0))
      f.advance(out, 4)
      f.advance(x, rowBytes)
      f.advance(labels, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Rows that together fill a cache line: two threads should not write to the same line. */
const rowsPerLine = (columns: number): number => Math.ceil(16 / columns)

/** The fused kernels `softmax`, `softmaxCrossEntropy` and its gradient. */
export function createSoftmax(
  engine: Engine,
): Required<Pick<FusedKernels, 'softmax' | 'softmaxCrossEntropy' | 'softmaxCrossEntropyGradient'>> {
  const softmax = lazy((): KernelFunction => engine.compileOne(emitSoftmax))
  const crossEntropy = lazy((): KernelFunction => engine.compileOne(emitCrossEntropy))
  const crossEntropyGradient = lazy((): KernelFunction => engine.compileOne(emitCrossEntropyGradient))
  const classesOf = (x: Operand): number => x.shape[x.shape.length - 1]
  return {
    softmax(out, x) {
      if (out.size === 0) return
      const [run, to, from, columns] = [softmax(), address(out), address(x), classesOf(x)]
      const rows = x.size / columns
      engine.split(rows, rowsPerLine(columns), 2 * x.size + 10 * rows, (begin, end, call) =>
        call(run, to + 4 * begin * columns, from + 4 * begin * columns, end - begin, columns),
      )
    },
    softmaxCrossEntropy(out, logits, labels) {
      if (out.size === 0) return
      const [run, to, from, label, columns] = [crossEntropy(), address(out), address(logits), address(labels), classesOf(logits)]
      engine.split(out.size, 16, 2 * logits.size + 10 * out.size, (begin, end, call) =>
        call(run, to + 4 * begin, from + 4 * begin * columns, label + 4 * begin * columns, end - begin, columns),
      )
    },
    softmaxCrossEntropyGradient(out, logits, labels, dY) {
      if (out.size === 0) return
      const [run, columns] = [crossEntropyGradient(), classesOf(logits)]
      const [to, from, label, cotangent] = [out, logits, labels, dY].map(address)
      engine.split(dY.size, rowsPerLine(columns), 2 * out.size + 20 * dY.size, (begin, end, call) => {
        const row = 4 * begin * columns
        call(run, to + row, from + row, label + row, cotangent + 4 * begin, end - begin, columns)
      })
    },
  }
}
