/**
 * Elementwise functions of two arguments, out[i] = f(a[i], b[i]), with broadcasting.
 *
 * A kernel is `kernel(out, a, b, rows, columns, aRow, bRow)`. out is contiguous. a and b move by aRow and bRow bytes from one
 * row to the next; within a row each either moves with out or repeats its one element. Examples:
 *
 * - [m, n]·[m, n]: one row with all elements.
 * - [m, n]·scalar: one row, b repeated.
 * - [m, n]·[n]: m rows, bRow = 0.
 * - [m, n]·[m, 1]: m rows, b repeated in each.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { Kernels, Operand, ZipKernel } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, loadLanes, loadSplat, storeLanes, storeSome } from '../assembler/elements.js'
import { truth } from '../assembler/functions-float32.js'
import { atan2, floorDiv, mod, pow } from '../assembler/functions-float64.js'
import { f32x4, f64x2, i32, i32x4, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { planBroadcast, runBroadcast } from './broadcast.js'

/** Emits f(a, b) for four lanes. */
export type Emit2 = (f: FunctionBuilder, a: Local<'v128'>, b: Local<'v128'>) => Vector

type Comparison = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual'
type Logical = 'logicalAnd' | 'logicalOr' | 'logicalXor'

/** Functions of two float32: arithmetic gives float32, comparisons give bool. */
export const floatZips: Readonly<Record<Exclude<ZipKernel, Logical>, Emit2>> = {
  add: (_, a, b) => f32x4.add(a, b),
  sub: (_, a, b) => f32x4.sub(a, b),
  mul: (_, a, b) => f32x4.mul(a, b),
  div: (_, a, b) => f32x4.div(a, b),
  mulNoNaN: (f, a, b) => v128.and(f32x4.mul(a, b), f32x4.ne(b, f.splat(0))),
  maximum: (_, a, b) => f32x4.max(a, b),
  minimum: (_, a, b) => f32x4.min(a, b),
  pow,
  atan2,
  gate: (f, a, b) => v128.and(a, f32x4.gt(b, f.splat(0))),
  mod,
  floorDiv,
  equal: (_, a, b) => truth(f32x4.eq(a, b)),
  notEqual: (_, a, b) => truth(f32x4.ne(a, b)),
  less: (_, a, b) => truth(f32x4.lt(a, b)),
  lessEqual: (_, a, b) => truth(f32x4.le(a, b)),
  greater: (_, a, b) => truth(f32x4.gt(a, b)),
  greaterEqual: (_, a, b) => truth(f32x4.ge(a, b)),
}

/** ⌊a/b⌋ of the two integers in the lower half, 0 for b = 0. The floor of the quotient is exact in float64; −2³¹/−1 wraps. */
function quotientHalf(f: FunctionBuilder, a: Vector, b: Vector): Vector {
  const q = f.let(f64x2.floor(f64x2.div(f64x2.convertLowI32x4S(a), f64x2.convertLowI32x4S(b))))
  const tooLarge = f64x2.eq(q, f.splat64(2 ** 31))
  return i32x4.truncSatF64x2SZero(f64x2.sub(q, v128.and(tooLarge, f.splat64(2 ** 32))))
}

function quotient(f: FunctionBuilder, a: Local<'v128'>, b: Local<'v128'>): Vector {
  const low = quotientHalf(f, a, b)
  const high = quotientHalf(f, shuffle32(a, a, [2, 3, 2, 3]), shuffle32(b, b, [2, 3, 2, 3]))
  return v128.andNot(shuffle32(low, high, [0, 1, 4, 5]), i32x4.eq(b, f.splatInt(0)))
}

/** Functions of two int32: arithmetic gives int32 and wraps, comparisons give bool. Lanes of uint8 and bool are int32, too, so they use the same functions. */
const intZips: Readonly<Partial<Record<ZipKernel, Emit2>>> = {
  add: (_, a, b) => i32x4.add(a, b),
  sub: (_, a, b) => i32x4.sub(a, b),
  mul: (_, a, b) => i32x4.mul(a, b),
  maximum: (_, a, b) => i32x4.maxS(a, b),
  minimum: (_, a, b) => i32x4.minS(a, b),
  floorDiv: quotient,
  mod: (f, a, b) => v128.andNot(i32x4.sub(a, i32x4.mul(b, quotient(f, a, b))), i32x4.eq(b, f.splatInt(0))),
  equal: (_, a, b) => truth(i32x4.eq(a, b)),
  notEqual: (_, a, b) => truth(i32x4.ne(a, b)),
  less: (_, a, b) => truth(i32x4.ltS(a, b)),
  lessEqual: (_, a, b) => truth(i32x4.leS(a, b)),
  greater: (_, a, b) => truth(i32x4.gtS(a, b)),
  greaterEqual: (_, a, b) => truth(i32x4.geS(a, b)),
  logicalAnd: (_, a, b) => v128.and(a, b),
  logicalOr: (_, a, b) => v128.or(a, b),
  logicalXor: (_, a, b) => v128.xor(a, b),
}

function emitterOf(kernel: ZipKernel, dtype: DType): Emit2 {
  const emit = dtype === 'float32' ? floatZips[kernel as Exclude<ZipKernel, Logical | Comparison>] : intZips[kernel]
  if (!emit) throw new Error(`wasm: no kernel ${kernel} for ${dtype}`)
  return emit
}

/** Writes the kernel for operands of dtype `from` and results of dtype `to`; a or b may repeat along a row. */
function emitZip(module: ModuleBuilder, from: DType, to: DType, emit: Emit2, aRepeats: boolean, bRepeats: boolean): void {
  // A function computed in float64 has long code; more copies would only take longer to compile.
  const widest = emit === pow || emit === atan2 ? 1 : 2
  const parameters = { out: 'i32', a: 'i32', b: 'i32', rows: 'i32', columns: 'i32', aRow: 'i32', bRow: 'i32' } as const
  const bytes = elementBytes(from)
  module.export('kernel', parameters, null, (f, { out, a, b, rows, columns, aRow, bRow }) => {
    const [x, y, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const [xValue, yValue] = [f.local('v128'), f.local('v128')]
    const operand = (repeats: boolean, value: Local<'v128'>, pointer: Local<'i32'>, vector: number): Local<'v128'> =>
      repeats ? value : f.let(loadLanes(from, pointer, 4 * vector * bytes))
    const step = (count: number): void => {
      const pairs: [Local<'v128'>, Local<'v128'>][] = []
      for (let v = 0; v < count; v++) pairs.push([operand(aRepeats, xValue, x, v), operand(bRepeats, yValue, y, v)])
      const results = pairs.map(([p, q]) => f.let(emit(f, p, q)))
      results.forEach((result, v) => {
        storeLanes(f, to, out, result, 4 * v * elementBytes(to))
      })
      if (!aRepeats) f.advance(x, 4 * count * bytes)
      if (!bRepeats) f.advance(y, 4 * count * bytes)
      f.advance(out, 4 * count * elementBytes(to))
      f.advance(n, -4 * count)
    }
    f.while(i32.gtS(rows, 0), () => {
      f.set(x, a)
      f.set(y, b)
      f.set(n, columns)
      if (aRepeats) f.set(xValue, loadSplat(from, a))
      if (bRepeats) f.set(yValue, loadSplat(from, b))
      if (widest === 2) f.while(i32.geS(n, 8), () => step(2))
      f.while(i32.geS(n, 4), () => step(1))
      f.if(n, () => {
        storeSome(f, to, out, emit(f, operand(aRepeats, xValue, x, 0), operand(bRepeats, yValue, y, 0)), n)
        f.advance(out, i32.mul(i32.and(n, 1), elementBytes(to))) // storeSome has advanced by two elements if n ≥ 2; this is the odd one
      })
      f.advance(a, aRow)
      f.advance(b, bRow)
      f.advance(rows, -1)
    })
  })
}

/** Rough nanoseconds per element. */
const perElement = (kernel: ZipKernel): number => (kernel === 'pow' || kernel === 'atan2' ? 15 : 0.4)

/** The primitive `zip`. */
export function createZip(engine: Engine): Kernels['zip'] {
  /** For each function and dtype: four kernels, since each operand may repeat or not. */
  const tables = new Map<ZipKernel, Map<DType, (KernelFunction | undefined)[]>>()

  function kernelFor(kernel: ZipKernel, from: DType, to: DType, aRepeats: boolean, bRepeats: boolean): KernelFunction {
    const variant = (aRepeats ? 2 : 0) + (bRepeats ? 1 : 0)
    const known = tables.get(kernel)?.get(from)?.[variant]
    if (known) return known
    const compiled = engine.compileOne((module) => emitZip(module, from, to, emitterOf(kernel, from), aRepeats, bRepeats))
    const byDType = entry(tables, kernel, () => new Map<DType, (KernelFunction | undefined)[]>())
    entry(byDType, from, () => new Array<KernelFunction | undefined>(4).fill(undefined))[variant] = compiled
    return compiled
  }

  return (out: Operand, a: Operand, b: Operand, kernel: ZipKernel) => {
    const size = out.size
    if (size === 0) return
    const aWhole = a.size === size
    const bWhole = b.size === size
    // Each operand is either whole or a single element: one row.
    if ((aWhole || a.size === 1) && (bWhole || b.size === 1)) {
      const run = kernelFor(kernel, a.dtype, out.dtype, !aWhole, !bWhole)
      const [outAddress, aAddress, bAddress] = [address(out), address(a), address(b)]
      const outBytes = elementBytes(out.dtype)
      const aBytes = aWhole ? elementBytes(a.dtype) : 0
      const bBytes = bWhole ? elementBytes(b.dtype) : 0
      engine.split(size, 64, size * perElement(kernel), (begin, end, call) =>
        call(run, outAddress + begin * outBytes, aAddress + begin * aBytes, bAddress + begin * bBytes, 1, end - begin, 0, 0),
      )
      return
    }
    const plan = planBroadcast(out.shape, [a, b])
    const run = kernelFor(kernel, a.dtype, out.dtype, plan.repeats[0], plan.repeats[1])
    runBroadcast(engine.split, run, plan, address(out), elementBytes(out.dtype), [a, b], perElement(kernel))
  }
}
