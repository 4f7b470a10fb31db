/**
 * Layer normalisation and its gradient for x (Ba, Kiros and Hinton, 2016), row by row. A row's passes follow each other, so it is read from memory
 * once and then from the cache. With r = 1/√(variance + ε), u = (x − mean)·r and g = dY·gamma:
 *
 *   y  = u·gamma + beta
 *   dX = r·(g − mean(g) − u·mean(g·u))
 *
 * A sum over a row runs in four lanes, by column mod 4; the lanes are added at the end. Rows are independent.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, storeSome } from '../assembler/elements.js'
import { f32x4, type I32, i32, i32x4, type Value, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine } from '../engine/engine.js'
import { lazy } from '../engine/made-once.js'
import { across, alongRow } from './softmax.js'

/** The number of columns of a row, as a number and as a float in all lanes. */
interface Row {
  readonly columns: Local<'i32'>
  readonly count: Local<'v128'>
}

/** Emits the mean of `term` over a row, in all lanes of `mean`. `term` reads at the pointers, which start at `starts` and move along the row. */
function emitMean(
  f: FunctionBuilder,
  { columns, count }: Row,
  mean: Local<'v128'>,
  pointers: readonly Local<'i32'>[],
  starts: readonly I32[],
  term: () => Vector,
): void {
  const n = f.local('i32')
  pointers.forEach((pointer, i) => {
    f.set(pointer, starts[i])
  })
  f.set(mean, f.splat(0))
  alongRow(
    f,
    n,
    columns,
    () => {
      for (const pointer of pointers) f.advance(pointer, 16)
    },
    () => f.set(mean, f32x4.add(mean, term())),
    () => f.set(mean, f32x4.add(mean, v128.and(term(), firstLanes(f, n)))),
  )
  f.set(mean, f32x4.div(across(f, mean, f32x4.add), count))
}

/** Emits the loop that computes and stores one row of results. */
function emitRow(
  f: FunctionBuilder,
  { columns }: Row,
  to: Local<'i32'>,
  pointers: readonly Local<'i32'>[],
  starts: readonly I32[],
  value: () => Vector,
): void {
  const n = f.local('i32')
  pointers.forEach((pointer, i) => {
    f.set(pointer, starts[i])
  })
  alongRow(
    f,
    n,
    columns,
    () => {
      for (const pointer of pointers) f.advance(pointer, 16)
    },
    () => f.do(v128.store(to, value())),
    () => storeSome(f, 'float32', to, value(), n),
  )
}

/** Emits mean and 1/√(variance + ε) of the row at x. */
function emitStatistics(
  f: FunctionBuilder,
  row: Row,
  x: Local<'i32'>,
  epsilon: Value<'f32'>,
): { mean: Local<'v128'>; factor: Local<'v128'> } {
  const [mean, factor, difference, at] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('i32')]
  emitMean(f, row, mean, [at], [x], () => v128.load(at))
  emitMean(f, row, factor, [at], [x], () => {
    f.set(difference, f32x4.sub(v128.load(at), mean))
    return f32x4.mul(difference, difference)
  })
  f.set(factor, f32x4.div(f.splat(1), f32x4.sqrt(f32x4.add(factor, f32x4.splat(epsilon)))))
  return { mean, factor }
}

/** Writes `forward(out, x, gamma, beta, rows, columns, epsilon)`. */
function emitForward(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', gamma: 'i32', beta: 'i32', rows: 'i32', columns: 'i32', epsilon: 'f32' } as const
  module.export('forward', parameters, null, (f, { out, x, gamma, beta, rows, columns, epsilon }) => {
    const row: Row = { columns, count: f.let(f32x4.convertI32x4S(i32x4.splat(columns))) }
    const [to, at, a, b] = Array.from({ length: 4 }, () => f.local('i32'))
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      const { mean, factor } = emitStatistics(f, row, x, epsilon)
      emitRow(f, row, to, [to, at, a, b], [out, x, gamma, beta], () =>
        f.madd(f32x4.mul(f32x4.sub(v128.load(at), mean), factor), v128.load(a), v128.load(b)),
      )
      f.advance(out, rowBytes)
      f.advance(x, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `gradient(out, x, dY, gamma, rows, columns, epsilon)`. */
function emitGradient(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', dY: 'i32', gamma: 'i32', rows: 'i32', columns: 'i32', epsilon: 'f32' } as const
  module.export('gradient', parameters, null, (f, { out, x, dY, gamma, rows, columns, epsilon }) => {
    const row: Row = { columns, count: f.let(f32x4.convertI32x4S(i32x4.splat(columns))) }
    const [to, at, above, a] = Array.from({ length: 4 }, () => f.local('i32'))
    const [average, along] = [f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    const g = (): Vector => f32x4.mul(v128.load(above), v128.load(a))
    f.while(i32.gtS(rows, 0), () => {
      const { mean, factor } = emitStatistics(f, row, x, epsilon)
      const unit = (): Vector => f32x4.mul(f32x4.sub(v128.load(at), mean), factor)
      emitMean(f, row, average, [above, a], [dY, gamma], g)
      emitMean(f, row, along, [at, above, a], [x, dY, gamma], () => f32x4.mul(g(), unit()))
      emitRow(f, row, to, [to, at, above, a], [out, x, dY, gamma], () =>
        f32x4.mul(factor, f32x4.sub(f32x4.sub(g(), average), f32x4.mul(unit(), along))),
      )
      for (const pointer of [out, x, dY]) f.advance(pointer, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** The layer normalisation kernels. */
export function createLayerNorm(engine: Engine): Required<Pick<FusedKernels, 'layerNorm' | 'layerNormGradient'>> {
  const { memory } = engine
  const kernels = lazy(() =>
    engine.compile((module) => {
      emitForward(module)
      emitGradient(module)
    }),
  )
  /** Runs with the addresses of gamma and beta; if one is missing, ones or zeros take its place. */
  const withWeights = (
    c: number,
    gamma: Operand | undefined,
    beta: Operand | undefined,
    work: (gamma: number, beta: number) => void,
  ): void => {
    const at = memory.alloc(8 * c)
    try {
      memory.floats.fill(1, at / 4, at / 4 + c).fill(0, at / 4 + c, at / 4 + 2 * c)
      work(gamma ? address(gamma) : at, beta ? address(beta) : at + 4 * c)
    } finally {
      memory.free(at, 8 * c)
    }
  }
  const columnsOf = (x: Operand): number => x.shape[x.shape.length - 1]
  /** Rows that together fill a cache line. */
  const unit = (columns: number): number => Math.ceil(16 / columns)
  return {
    layerNorm(out, x, gamma, beta, epsilon) {
      if (out.size === 0) return
      const c = columnsOf(x)
      const run = kernels().forward
      const [to, from] = [address(out), address(x)]
      withWeights(c, gamma, beta, (gammaAt, betaAt) => {
        engine.split(x.size / c, unit(c), x.size * 0.8, (begin, end, call) =>
          call(run, to + 4 * begin * c, from + 4 * begin * c, gammaAt, betaAt, end - begin, c, epsilon),
        )
      })
    },
    layerNormGradient(out, x, dY, gamma, epsilon) {
      if (out.size === 0) return
      const c = columnsOf(x)
      const run = kernels().gradient
      const [to, from, above] = [address(out), address(x), address(dY)]
      withWeights(c, gamma, undefined, (gammaAt) => {
        engine.split(x.size / c, unit(c), x.size * 1.5, (begin, end, call) =>
          call(run, to + 4 * begin * c, from + 4 * begin * c, above + 4 * begin * c, gammaAt, end - begin, c, epsilon),
        )
      })
    },
  }
}
