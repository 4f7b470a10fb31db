/**
 * Layer normalisation (Ba, Kiros and Hinton, 2016), RMS normalisation (Zhang and Sennrich, 2019), and their gradients, row by row. A row's passes follow each other, so it
 * is read from memory once and then from the cache. With r = 1/√(mean (x − mean)² + ε), u = (x − mean)·r and g = dY·gamma:
 *
 *   y      = u·gamma + beta
 *   dX     = r·(g − mean(g) − u·mean(g·u))
 *   dGamma = Σ dY·u     dBeta = Σ dY, both over the rows
 *
 * RMS normalisation is the same with means of 0 (*not centred*), and has no beta.
 *
 * A sum over a row runs in sixteen lanes, by column mod 16, what is left of the row in four; the lanes are added at the end. Sums over rows are taken in groups of about √rows rows, whose number the shape
 * decides; then the groups are added in order. Rows are independent, and so are groups.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, i32x4, memory, type Value, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { across } from './softmax.js'

/** The number of columns of a row, as a number and as a float in all lanes. */
interface Row {
  readonly columns: Local<'i32'>
  readonly count: Local<'v128'>
}

/** Sums that a row is taken in, so that one need not wait for the other. */
const SUMS = 4

/** Emits the mean of `term` over a row, in all lanes of `mean`. `term` reads at the pointers, which start at `starts` and move along the row, plus some bytes. */
function emitMean(
  f: FunctionBuilder,
  { columns, count }: Row,
  mean: Local<'v128'>,
  pointers: readonly Local<'i32'>[],
  starts: readonly I32[],
  term: (offset: number) => Vector,
): void {
  const n = f.let(columns)
  const sums = Array.from({ length: SUMS }, () => f.local('v128'))
  for (const [i, pointer] of pointers.entries()) f.set(pointer, starts[i])
  for (const sum of sums) f.set(sum, f.splat(0))
  for (const vectors of [SUMS, 1])
    f.while(i32.geS(n, 4 * vectors), () => {
      for (let v = 0; v < vectors; v++) f.set(sums[v], f32x4.add(sums[v], term(16 * v)))
      for (const pointer of pointers) f.advance(pointer, 16 * vectors)
      f.advance(n, -4 * vectors)
    })
  f.if(n, () => f.set(sums[0], f32x4.add(sums[0], v128.and(term(0), firstLanes(f, n)))))
  f.set(mean, f32x4.add(f32x4.add(sums[0], sums[1]), f32x4.add(sums[2], sums[3])))
  f.set(mean, f32x4.div(across(f, mean, f32x4.add), count))
}

/** Emits the loop that computes and stores one row of results, two vectors a turn. `value` reads at the pointers plus some bytes. */
function emitRow(
  f: FunctionBuilder,
  { columns }: Row,
  to: Local<'i32'>,
  pointers: readonly Local<'i32'>[],
  starts: readonly I32[],
  value: (offset: number) => Vector,
): void {
  const n = f.let(columns)
  for (const [i, pointer] of pointers.entries()) f.set(pointer, starts[i])
  for (const vectors of [2, 1])
    f.while(i32.geS(n, 4 * vectors), () => {
      const results = Array.from({ length: vectors }, (_, v) => f.let(value(16 * v)))
      for (const [v, result] of results.entries()) f.do(v128.store(to, result, 16 * v))
      for (const pointer of pointers) f.advance(pointer, 16 * vectors)
      f.advance(n, -4 * vectors)
    })
  f.if(n, () => storeSome(f, 'float32', to, value(0), n))
}

/** The options that a kernel is compiled for. */
interface Variant {
  /** The mean is taken out. */
  readonly centred: boolean
  /** There is a gamma, and a beta. */
  readonly scale: boolean
  readonly center: boolean
}

const rowOf = (f: FunctionBuilder, columns: Local<'i32'>): Row => ({ columns, count: f.let(f32x4.convertI32x4S(i32x4.splat(columns))) })

/** Emits the mean of the row at x, if it is taken out, and 1/√(variance + ε). `difference` is x at an address without the mean. */
function emitStatistics(
  f: FunctionBuilder,
  { centred }: Variant,
  row: Row,
  x: Local<'i32'>,
  epsilon: Value<'f32'>,
): { factor: Local<'v128'>; difference: (at: Local<'i32'>, offset?: number) => Vector } {
  const [mean, factor, apart, at] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('i32')]
  const difference = (at: Local<'i32'>, offset = 0): Vector => (centred ? f32x4.sub(v128.load(at, offset), mean) : v128.load(at, offset))
  if (centred) emitMean(f, row, mean, [at], [x], (offset) => v128.load(at, offset))
  emitMean(f, row, factor, [at], [x], (offset) => {
    f.set(apart, difference(at, offset))
    return f32x4.mul(apart, apart)
  })
  f.set(factor, f32x4.div(f.splat(1), f32x4.sqrt(f32x4.add(factor, f32x4.splat(epsilon)))))
  return { factor, difference }
}

/** Writes `kernel(out, x, gamma, beta, rows, columns, epsilon)`. */
function emitForward(module: ModuleBuilder, variant: Variant): void {
  const parameters = { out: 'i32', x: 'i32', gamma: 'i32', beta: 'i32', rows: 'i32', columns: 'i32', epsilon: 'f32' } as const
  module.export('kernel', parameters, null, (f, { out, x, gamma, beta, rows, columns, epsilon }) => {
    const row = rowOf(f, columns)
    const [to, at, a, b] = Array.from({ length: 4 }, () => f.local('i32'))
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      const { factor, difference } = emitStatistics(f, variant, row, x, epsilon)
      emitRow(f, row, to, [to, at, a, b], [out, x, gamma, beta], (offset) => {
        const unit = f32x4.mul(difference(at, offset), factor)
        if (variant.scale && variant.center) return f.madd(unit, v128.load(a, offset), v128.load(b, offset))
        if (variant.center) return f32x4.add(unit, v128.load(b, offset))
        return variant.scale ? f32x4.mul(unit, v128.load(a, offset)) : unit
      })
      f.advance(out, rowBytes)
      f.advance(x, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, x, dY, gamma, rows, columns, epsilon)`: dX. */
function emitGradient(module: ModuleBuilder, variant: Variant): void {
  const parameters = { out: 'i32', x: 'i32', dY: 'i32', gamma: 'i32', rows: 'i32', columns: 'i32', epsilon: 'f32' } as const
  module.export('kernel', parameters, null, (f, { out, x, dY, gamma, rows, columns, epsilon }) => {
    const row = rowOf(f, columns)
    const [to, at, above, a] = Array.from({ length: 4 }, () => f.local('i32'))
    const [average, along] = [f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    const g = (offset = 0): Vector => (variant.scale ? f32x4.mul(v128.load(above, offset), v128.load(a, offset)) : v128.load(above, offset))
    f.while(i32.gtS(rows, 0), () => {
      const { factor, difference } = emitStatistics(f, variant, row, x, epsilon)
      const unit = (offset = 0): Vector => f32x4.mul(difference(at, offset), factor)
      if (variant.centred) emitMean(f, row, average, [above, a], [dY, gamma], g)
      emitMean(f, row, along, [at, above, a], [x, dY, gamma], (offset) => f32x4.mul(g(offset), unit(offset)))
      emitRow(f, row, to, [to, at, above, a], [out, x, dY, gamma], (offset) => {
        const rest = variant.centred ? f32x4.sub(g(offset), average) : g(offset)
        return f32x4.mul(factor, f32x4.sub(rest, f32x4.mul(unit(offset), along)))
      })
      for (const pointer of [out, x, dY]) f.advance(pointer, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, x, dY, rows, columns, epsilon)`: Σ dY·u of some rows, and behind it Σ dY if rows are centred; both as whole vectors. */
function emitSums(module: ModuleBuilder, variant: Variant): void {
  const parameters = { out: 'i32', x: 'i32', dY: 'i32', rows: 'i32', columns: 'i32', epsilon: 'f32' } as const
  module.export('kernel', parameters, null, (f, { out, x, dY, rows, columns, epsilon }) => {
    const row = rowOf(f, columns)
    const [to, below, at, above] = Array.from({ length: 4 }, () => f.local('i32'))
    const rowBytes = f.let(i32.shl(columns, 2))
    const wideBytes = f.let(i32.and(i32.add(rowBytes, 15), -16))
    f.do(memory.fill(out, 0, variant.centred ? i32.shl(wideBytes, 1) : wideBytes))
    f.while(i32.gtS(rows, 0), () => {
      const { factor, difference } = emitStatistics(f, variant, row, x, epsilon)
      f.set(to, out)
      f.set(below, i32.add(out, wideBytes))
      f.set(at, x)
      f.set(above, dY)
      // Numbers behind a row go into numbers that nobody reads.
      const left = f.let(wideBytes)
      for (const vectors of [2, 1])
        f.while(i32.geS(left, 16 * vectors), () => {
          const offsets = Array.from({ length: vectors }, (_, v) => 16 * v)
          const dYs = offsets.map((offset) => f.let(v128.load(above, offset)))
          const weighted = offsets.map((offset, v) =>
            f.let(f.madd(dYs[v], f32x4.mul(difference(at, offset), factor), v128.load(to, offset))),
          )
          const plain = variant.centred ? offsets.map((offset, v) => f.let(f32x4.add(dYs[v], v128.load(below, offset)))) : []
          for (const [v, offset] of offsets.entries()) f.do(v128.store(to, weighted[v], offset))
          for (const [v, sum] of plain.entries()) f.do(v128.store(below, sum, offsets[v]))
          for (const pointer of [to, below, at, above]) f.advance(pointer, 16 * vectors)
          f.advance(left, -16 * vectors)
        })
      for (const pointer of [x, dY]) f.advance(pointer, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, x, rows, columns, row)`: the sum of each of some columns, down rows that are `row` bytes apart. */
function emitTotals(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', rows: 'i32', columns: 'i32', row: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, rows, columns, row }) => {
    const [at, left, sum] = [f.local('i32'), f.local('i32'), f.local('v128')]
    f.while(i32.gtS(columns, 0), () => {
      f.set(at, x)
      f.set(left, rows)
      f.set(sum, f.splat(0))
      f.while(i32.gtS(left, 0), () => {
        f.set(sum, f32x4.add(sum, v128.load(at)))
        f.advance(at, row)
        f.advance(left, -1)
      })
      f.if(
        i32.geS(columns, 4),
        () => f.do(v128.store(out, sum)),
        () => storeSome(f, 'float32', f.let(out), sum, columns),
      )
      for (const pointer of [out, x]) f.advance(pointer, 16)
      f.advance(columns, -4)
    })
  })
}

type RowKernels = 'layerNorm' | 'layerNormGradient' | 'layerNormSums' | 'rmsNorm' | 'rmsNormGradient' | 'rmsNormSums'

/** Estimated nanoseconds of an element. */
const COST = { forward: 0.8, gradient: 1.5, sums: 1.2 }

/** The kernels of normalisation by row. */
export function createRows(engine: Engine): Required<Pick<FusedKernels, RowKernels>> {
  const kernels = new Map<string, KernelFunction>()
  const kernel = (emit: (module: ModuleBuilder, variant: Variant) => void, variant: Variant): KernelFunction => {
    const { centred, scale, center } = variant
    return entry(kernels, [emit.name, centred, scale, center].join(), () => engine.compileOne((module) => emit(module, variant)))
  }
  const columnsOf = (x: Operand): number => x.shape[x.shape.length - 1]
  /** Rows that together fill a cache line. */
  const unit = (columns: number): number => Math.ceil(16 / columns)
  const start = (x: Operand | undefined): number => (x ? address(x) : 0)

  function forward(
    centred: boolean,
    out: Operand,
    x: Operand,
    gamma: Operand | undefined,
    beta: Operand | undefined,
    epsilon: number,
  ): void {
    if (out.size === 0) return
    const c = columnsOf(x)
    const run = kernel(emitForward, { centred, scale: gamma !== undefined, center: beta !== undefined })
    const [to, from, a, b] = [address(out), address(x), start(gamma), start(beta)]
    engine.split(x.size / c, unit(c), x.size * COST.forward, (begin, end, call) =>
      call(run, to + 4 * begin * c, from + 4 * begin * c, a, b, end - begin, c, epsilon),
    )
  }

  function gradient(centred: boolean, out: Operand, x: Operand, dY: Operand, gamma: Operand | undefined, epsilon: number): void {
    if (out.size === 0) return
    const c = columnsOf(x)
    const run = kernel(emitGradient, { centred, scale: gamma !== undefined, center: false })
    const [to, from, above, a] = [address(out), address(x), address(dY), start(gamma)]
    engine.split(x.size / c, unit(c), x.size * COST.gradient, (begin, end, call) =>
      call(run, to + 4 * begin * c, from + 4 * begin * c, above + 4 * begin * c, a, end - begin, c, epsilon),
    )
  }

  function sums(centred: boolean, out: Operand, x: Operand, dY: Operand, epsilon: number): void {
    if (out.size === 0) return
    const c = columnsOf(x)
    const rows = x.size / c
    const variant = { centred, scale: false, center: false }
    const [run, total] = [kernel(emitSums, variant), kernel(emitTotals, variant)]
    const groupRows = Math.max(16, Math.ceil(Math.sqrt(rows)))
    const groups = Math.ceil(rows / groupRows)
    const wide = 16 * Math.ceil(c / 4)
    const bytes = centred ? 2 * wide : wide
    const [to, from, above] = [address(out), address(x), address(dY)]
    const at = engine.memory.alloc(groups * bytes)
    try {
      engine.split(
        groups,
        1,
        x.size * COST.sums,
        (begin, end, call) => {
          for (let group = begin; group < end; group++) {
            const first = group * groupRows
            call(run, at + group * bytes, from + 4 * first * c, above + 4 * first * c, Math.min(groupRows, rows - first), c, epsilon)
          }
        },
        8,
      )
      for (let half = 0; half < (centred ? 2 : 1); half++)
        engine.split(c, 16, groups * c * 0.3, (begin, end, call) =>
          call(total, to + 4 * (half * c + begin), at + half * wide + 4 * begin, groups, end - begin, bytes),
        )
    } finally {
      engine.memory.free(at, groups * bytes)
    }
  }

  return {
    layerNorm: (out, x, gamma, beta, epsilon) => forward(true, out, x, gamma, beta, epsilon),
    layerNormGradient: (out, x, dY, gamma, epsilon) => gradient(true, out, x, dY, gamma, epsilon),
    layerNormSums: (out, x, dY, epsilon) => sums(true, out, x, dY, epsilon),
    rmsNorm: (out, x, gamma, epsilon) => forward(false, out, x, gamma, undefined, epsilon),
    rmsNormGradient: (out, x, dY, gamma, epsilon) => gradient(false, out, x, dY, gamma, epsilon),
    rmsNormSums: (out, x, dY, epsilon) => sums(false, out, x, dY, epsilon),
  }
}
