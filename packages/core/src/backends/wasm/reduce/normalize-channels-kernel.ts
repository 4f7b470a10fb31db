/**
 * The inner loops of normalize-channels.ts, in WebAssembly. They work on rows of `width` columns, a multiple of 4. Sums run down the columns of one group of
 * rows, in float32, in the order of the rows.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, i32, i32x4, type Vector, v128 } from '../assembler/instructions.js'

/** Emits a walk along the columns of a row, several vectors at a time; `column` is the offset of the first, in bytes. */
function alongColumns(
  f: FunctionBuilder,
  width: Local<'i32'>,
  vectorsAtOnce: readonly number[],
  step: (column: Local<'i32'>, vectors: number) => void,
): void {
  const [column, left] = [f.local('i32'), f.local('i32')]
  f.set(column, 0)
  f.set(left, width)
  for (const vectors of vectorsAtOnce)
    f.while(i32.geS(left, 4 * vectors), () => {
      step(column, vectors)
      f.advance(column, 16 * vectors)
      f.advance(left, -4 * vectors)
    })
}

/** Emits sums down `rows` rows of several vectors, starting at `at`; `add` adds the element at an offset to its sum. */
function downRows(
  f: FunctionBuilder,
  rows: Local<'i32'>,
  pointers: readonly Local<'i32'>[],
  rowBytes: Local<'i32'>,
  sums: readonly Local<'v128'>[],
  add: (v: number) => void,
): void {
  const left = f.let(rows)
  for (const sum of sums) f.set(sum, f.splat(0))
  f.loop((again) => {
    sums.forEach((_, v) => {
      add(v)
    })
    for (const pointer of pointers) f.advance(pointer, rowBytes)
    f.advance(left, -1)
    f.break(again, left)
  })
}

/** Writes `moments(out, x, rows, width)`: for one group the means m, then Σ (x − m), then Σ (x − m)²; 3·width numbers. */
export function emitMoments(module: ModuleBuilder): void {
  module.export('moments', { out: 'i32', x: 'i32', rows: 'i32', width: 'i32' }, null, (f, { out, x, rows, width }) => {
    const rowBytes = f.let(i32.shl(width, 2))
    const count = f.let(f32x4.convertI32x4S(i32x4.splat(rows)))
    const [at, to] = [f.local('i32'), f.local('i32')]
    const difference = f.local('v128')
    alongColumns(f, width, [4, 1], (column, vectors) => {
      const means = Array.from({ length: vectors }, () => f.local('v128'))
      const sums = means.map(() => f.local('v128'))
      const squares = means.map(() => f.local('v128'))
      f.set(at, i32.add(x, column))
      downRows(f, rows, [at], rowBytes, means, (v) => f.set(means[v], f32x4.add(means[v], v128.load(at, 16 * v))))
      for (const mean of means) f.set(mean, f32x4.div(mean, count))
      for (const sum of sums) f.set(sum, f.splat(0))
      f.set(at, i32.add(x, column))
      downRows(f, rows, [at], rowBytes, squares, (v) => {
        f.set(difference, f32x4.sub(v128.load(at, 16 * v), means[v]))
        f.set(sums[v], f32x4.add(sums[v], difference))
        f.set(squares[v], f.madd(difference, difference, squares[v]))
      })
      f.set(to, i32.add(out, column))
      for (const values of [means, sums, squares]) {
        storeAll(f, to, values)
        f.advance(to, rowBytes)
      }
    })
  })
}

/** Writes `sums(out, x, dY, center, rows, width)`: for one group Σ dY, then Σ dY·(x − center); 2·width numbers. */
export function emitSums(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', dY: 'i32', center: 'i32', rows: 'i32', width: 'i32' } as const
  module.export('sums', parameters, null, (f, { out, x, dY, center, rows, width }) => {
    const rowBytes = f.let(i32.shl(width, 2))
    const [a, b, to] = [f.local('i32'), f.local('i32'), f.local('i32')]
    alongColumns(f, width, [8, 4, 1], (column, vectors) => {
      const sums = Array.from({ length: 2 * vectors }, () => f.local('v128'))
      const cotangents = sums.slice(vectors).map(() => f.local('v128'))
      f.set(to, i32.add(center, column))
      const centers = cotangents.map((_, v) => f.let(v128.load(to, 16 * v)))
      f.set(a, i32.add(x, column))
      f.set(b, i32.add(dY, column))
      downRows(f, rows, [a, b], rowBytes, sums, (i) => {
        const v = i % vectors
        if (i < vectors) {
          f.set(cotangents[v], v128.load(b, 16 * v))
          f.set(sums[i], f32x4.add(sums[i], cotangents[v]))
        } else f.set(sums[i], f.madd(cotangents[v], f32x4.sub(v128.load(a, 16 * v), centers[v]), sums[i]))
      })
      f.set(to, i32.add(out, column))
      storeAll(f, to, sums.slice(0, vectors))
      f.advance(to, rowBytes)
      storeAll(f, to, sums.slice(vectors))
    })
  })
}

function storeAll(f: FunctionBuilder, to: Local<'i32'>, values: readonly Vector[]): void {
  values.forEach((value, v) => {
    f.do(v128.store(to, value, 16 * v))
  })
}

/** Writes `normalize(out, x, n, width, center, scale, shift)`: (x − center)·scale + shift for n numbers, starting at the beginning of a row. */
export function emitNormalize(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', n: 'i32', width: 'i32', center: 'i32', scale: 'i32', shift: 'i32' } as const
  module.export('normalize', parameters, null, (f, { out, x, n, width, center, scale, shift }) => {
    const [a, b, d, left] = Array.from({ length: 4 }, () => f.local('i32'))
    const value = (v: number): Vector =>
      f.madd(f32x4.sub(v128.load(x, 16 * v), v128.load(a, 16 * v)), v128.load(b, 16 * v), v128.load(d, 16 * v))
    f.while(i32.gtS(n, 0), () => {
      f.set(a, center)
      f.set(b, scale)
      f.set(d, shift)
      f.set(left, n)
      f.if(i32.gtS(left, width), () => f.set(left, width))
      f.advance(n, i32.sub(0, left))
      for (const vectors of [4, 1])
        f.while(i32.geS(left, 4 * vectors), () => {
          const values = Array.from({ length: vectors }, (_, v) => f.let(value(v)))
          storeAll(f, out, values)
          for (const pointer of [out, x, a, b, d]) f.advance(pointer, 16 * vectors)
          f.advance(left, -4 * vectors)
        })
      f.if(left, () => storeSome(f, 'float32', out, value(0), left)) // only at the very end of x
    })
  })
}
