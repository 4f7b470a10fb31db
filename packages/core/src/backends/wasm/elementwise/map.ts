/**
 * Elementwise functions of one argument, out[i] = f(x[i]). This is the file to read first if you want to follow one kernel from
 * TypeScript to WebAssembly.
 *
 * A kernel is a WebAssembly function `kernel(out, x, n)`: two addresses and a count. `emitMap` writes it as three loops. The
 * first takes eight elements a turn, as two vectors, so that the second can start while the first is not done. The next loop
 * takes four elements. The last one to three elements are computed as a whole vector, but only the existing ones are stored.
 *
 * The function itself is a row of the table `floatFunctions`: an emitter that gets four elements in a local and returns the
 * expression of its result. For `square` the inner loop comes out as
 *
 * ```wat
 * loop
 *   (local.set $a (v128.load          (local.get $x)))
 *   (local.set $b (v128.load offset=16 (local.get $x)))
 *   (v128.store           (local.get $out) (f32x4.mul (local.get $a) (local.get $a)))
 *   (v128.store offset=16 (local.get $out) (f32x4.mul (local.get $b) (local.get $b)))
 *   ;; x += 32, out += 32, n -= 8, again while n >= 8
 * ```
 *
 * `createMap` is the host's side. It compiles a kernel when it is first asked for (one for each function and pair of dtypes) and
 * keeps it in a table; after that a call is three look-ups and the jump. The kernel writes only `out[0..n)`. So a range of the
 * elements needs just other addresses and another count, and `engine.split` can give ranges to other threads.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { Kernels, MapKernel } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, loadLanes, storeLanes, storeSome } from '../assembler/elements.js'
import type { Emit1 } from '../assembler/functions-float32.js'
import * as fast from '../assembler/functions-float32.js'
import * as precise from '../assembler/functions-float64.js'
import { f32x4, i32, i32x4, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { emitPairs, oneWidth, twoWidths, type Widths } from '../engine/two-widths.js'
import type { WidthCheck } from '../engine/width.js'

type FloatFunction = Exclude<MapKernel, 'cast' | 'logicalNot'>

/** Functions float32 → float32; isNaN and isFinite give bool. */
export const floatFunctions: Readonly<Record<FloatFunction, Emit1>> = {
  neg: (_, x) => f32x4.neg(x),
  abs: (_, x) => f32x4.abs(x),
  sign: fast.sign,
  square: (_, x) => f32x4.mul(x, x),
  relu: (f, x) => f32x4.max(f.splat(0), x),
  sqrt: (_, x) => f32x4.sqrt(x),
  rsqrt: (f, x) => f32x4.div(f.splat(1), f32x4.sqrt(x)),
  reciprocal: (f, x) => f32x4.div(f.splat(1), x),
  exp: fast.exp,
  expm1: precise.expm1,
  log: fast.log,
  log1p: precise.log1p,
  sin: precise.sin,
  cos: precise.cos,
  tan: precise.tan,
  asin: precise.asin,
  acos: precise.acos,
  atan: precise.atan,
  sinh: precise.sinh,
  cosh: precise.cosh,
  tanh: fast.tanh,
  sigmoid: fast.sigmoid,
  softplus: fast.softplus,
  erf: fast.erf,
  floor: (_, x) => f32x4.floor(x),
  ceil: (_, x) => f32x4.ceil(x),
  round: (_, x) => f32x4.nearest(x),
  isNaN: (_, x) => fast.truth(f32x4.ne(x, x)),
  isFinite: (f, x) => fast.truth(f32x4.lt(f32x4.abs(x), f.splat(Infinity))),
}

/** Functions int32 → int32. */
const intFunctions: Readonly<Partial<Record<MapKernel, Emit1>>> = {
  neg: (_, x) => i32x4.neg(x),
  abs: (_, x) => i32x4.abs(x),
  sign: (f, x) => i32x4.sub(i32x4.shrS(x, 31), i32x4.shrS(i32x4.neg(i32x4.minS(x, f.splatInt(1))), 31)),
  square: (_, x) => i32x4.mul(x, x),
  relu: (f, x) => i32x4.maxS(x, f.splatInt(0)),
}

const boolFunctions: Readonly<Partial<Record<MapKernel, Emit1>>> = {
  logicalNot: (f, x) => v128.xor(x, f.splatInt(1)),
}

/** Converts lanes from one dtype to another, as `cast` does: floats are truncated, uint8 saturates, NaN becomes 0 (but true as bool). */
function emitCast(from: DType, to: DType): Emit1 {
  return (f, x) => {
    if (from === to) return x
    if (to === 'bool') return from === 'float32' ? fast.truth(f32x4.ne(x, f.splat(0))) : fast.truth(i32x4.ne(x, f.splatInt(0)))
    if (to === 'float32') return f32x4.convertI32x4S(x)
    const whole = from === 'float32' ? i32x4.truncSatF32x4S(x) : x
    return to === 'uint8' ? i32x4.minS(i32x4.maxS(whole, f.splatInt(0)), f.splatInt(255)) : whole
  }
}

function emitterOf(kernel: MapKernel, from: DType, to: DType): Emit1 {
  const emit =
    kernel === 'cast'
      ? emitCast(from, to)
      : from === 'float32'
        ? floatFunctions[kernel as FloatFunction]
        : from === 'bool'
          ? boolFunctions[kernel]
          : intFunctions[kernel]
  if (!emit) throw new Error(`wasm: no kernel ${kernel} for ${from}`)
  return emit
}

/** A function computed in float64 has long code. It is emitted once a turn, and the loop takes four elements a turn. */
const isLong = (kernel: MapKernel): boolean => kernel in precise

/** Functions of one or two instructions: their time is the time of the memory. */
const cheap = new Set<MapKernel>([
  'cast',
  'neg',
  'abs',
  'sign',
  'square',
  'relu',
  'floor',
  'ceil',
  'round',
  'isNaN',
  'isFinite',
  'logicalNot',
])

/** Functions that take their time in computing, not in memory: 256 bits make them 1.8 to 2 times as fast. (The branch in `log` keeps its vectors apart.) */
export const wideMaps = ['exp', 'tanh', 'sigmoid', 'softplus', 'erf'] as const
const isWide = (kernel: string): boolean => (wideMaps as readonly string[]).includes(kernel)

/** Writes `kernel(out, x, n)`. */
export function emitMap(module: ModuleBuilder, from: DType, to: DType, emit: Emit1, vectors: 1 | 2): void {
  const step = (f: FunctionBuilder, out: Local<'i32'>, x: Local<'i32'>, count: number): void => {
    const inputs: Local<'v128'>[] = []
    for (let v = 0; v < count; v++) inputs.push(f.let(loadLanes(from, x, 4 * v * elementBytes(from))))
    const results: Vector[] = inputs.map((input) => f.let(emit(f, input)))
    results.forEach((result, v) => {
      storeLanes(f, to, out, result, 4 * v * elementBytes(to))
    })
    f.advance(x, 4 * count * elementBytes(from))
    f.advance(out, 4 * count * elementBytes(to))
  }
  module.export('kernel', { out: 'i32', x: 'i32', n: 'i32' }, null, (f, { out, x, n }) => {
    for (const count of vectors === 2 ? [2, 1] : [1]) {
      f.while(i32.geS(n, 4 * count), () => {
        step(f, out, x, count)
        f.advance(n, -4 * count)
      })
    }
    f.if(n, () => storeSome(f, to, out, emit(f, f.let(loadLanes(from, x))), n))
  })
}

/** The self-test of functions at 256 bits. */
export const mapCheck: WidthCheck = {
  name: 'function',
  emit: (module) => emitPairs(module, Object.fromEntries(wideMaps.map((kernel) => [kernel, floatFunctions[kernel]]))),
  run(kernels) {
    for (const [i, kernel] of wideMaps.entries()) kernels[kernel](4096 * i, 131072 + 4096 * i, 0, 520)
  },
}

/** The primitive `map`. */
export function createMap(engine: Engine): Kernels['map'] {
  const tables = new Map<MapKernel, Map<DType, Map<DType, Widths>>>()

  const compile = (kernel: MapKernel, from: DType, to: DType): Widths => {
    const emit = emitterOf(kernel, from, to)
    const build = (module: ModuleBuilder): void => emitMap(module, from, to, emit, isLong(kernel) ? 1 : 2)
    const compiled = isWide(kernel) ? twoWidths(engine, mapCheck, build) : oneWidth(engine, build)
    const byInput = entry(tables, kernel, () => new Map<DType, Map<DType, Widths>>())
    entry(byInput, from, () => new Map<DType, Widths>()).set(to, compiled)
    return compiled
  }

  return (out, x, kernel) => {
    const widths = tables.get(kernel)?.get(x.dtype)?.get(out.dtype) ?? compile(kernel, x.dtype, out.dtype)
    const [to, from] = [address(out), address(x)]
    const [toBytes, fromBytes] = [elementBytes(out.dtype), elementBytes(x.dtype)]
    widths(out.size, (run) =>
      engine.split(out.size, 64, out.size * (isLong(kernel) ? 8 : cheap.has(kernel) ? 0.3 : 1), (begin, end, call) =>
        call(run, to + begin * toBytes, from + begin * fromBytes, end - begin),
      ),
    )
  }
}
