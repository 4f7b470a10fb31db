/**
 * Random numbers by Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), uniform or compared with a level, and dropout.
 * The bits are those that random.ts makes on the host.
 *
 * Block i of the stream (counter (i, 0)) gives elements 2i and 2i + 1. Four blocks at once fill two vectors. In a block each step waits for the one before, so
 * sixteen blocks run side by side: that takes 0.6 of the time of four.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { FusedKernels, Operand } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { elementBytes, loadLanes, storeLanes, storeSome } from '../assembler/elements.js'
import { f32x4, i16x8, i32, i32x4, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry, lazy } from '../engine/made-once.js'
import { oneWidth, twoWidths, type Widths } from '../engine/two-widths.js'
import type { WidthCheck } from '../engine/width.js'

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const
const PARITY = 0x1bd11bda
/** Groups of four blocks that run side by side; twice as many at 256 bits. */
const GROUPS = 4

const rotate = (x: Local<'v128'>, bits: number): Vector => v128.or(i32x4.shl(x, bits), i32x4.shrU(x, 32 - bits))

/** The two words of four counters, which become random words. */
type Words = readonly [x0: Local<'v128'>, x1: Local<'v128'>]

/** Emits four blocks for each of the groups, in place. The second word of the counters is 0. */
function emitThreefry(f: FunctionBuilder, groups: readonly Words[], schedule: readonly Local<'v128'>[]): void {
  for (const [x0, x1] of groups) {
    f.set(x0, i32x4.add(x0, schedule[0]))
    f.set(x1, schedule[1])
  }
  for (let turn = 0; turn < 5; turn++) {
    const first = (turn & 1) * 4
    for (let i = first; i < first + 4; i++) {
      for (const [x0, x1] of groups) f.set(x0, i32x4.add(x0, x1))
      for (const [x0, x1] of groups) f.set(x1, v128.xor(rotate(x1, ROTATIONS[i]), x0))
    }
    for (const [x0, x1] of groups) {
      f.set(x0, i32x4.add(x0, schedule[(turn + 1) % 3]))
      f.set(x1, i32x4.add(i32x4.add(x1, schedule[(turn + 2) % 3]), f.splatInt(turn + 1)))
    }
  }
}

/** The upper 24 bits of random words, as whole numbers. */
const upperBits = (words: Vector): Vector => i32x4.shrU(words, 8)

const drawParameters = { out: 'i32', n: 'i32', k0: 'i32', k1: 'i32', counter: 'i32' } as const

/**
 * Emits the loop over n elements, which starts with block `counter`. `result` makes four elements of their random words. `pair`, for bytes, makes the two elements of each of
 * four blocks, in the lower half of a lane; without a shuffle, so that the groups pair to 256 bits.
 */
function emitDraws(
  f: FunctionBuilder,
  dtype: DType,
  { out, n, k0, k1, counter }: Record<keyof typeof drawParameters, Local<'i32'>>,
  result: (words: Vector) => Vector,
  pair?: (x0: Vector, x1: Vector) => Vector,
  sideBySide = GROUPS,
): void {
  const bytes = elementBytes(dtype)
  const schedule = [k0, k1, i32.xor(i32.const(PARITY), i32.xor(k0, k1))].map((word) => f.let(i32x4.splat(word)))
  const counters = f.let(i32x4.add(i32x4.splat(counter), f.splatInt(0, 1, 2, 3)))
  const all = Array.from({ length: sideBySide }, (): Words => [f.local('v128'), f.local('v128')])
  const threefry = (groups: readonly Words[]): void => {
    groups.forEach(([x0], g) => {
      f.set(x0, g === 0 ? counters : i32x4.add(counters, f.splatInt(4 * g)))
    })
    emitThreefry(f, groups, schedule)
    f.set(counters, i32x4.add(counters, f.splatInt(4 * groups.length)))
  }
  const draw = (groups: readonly Words[]): Vector[] => {
    threefry(groups)
    return groups.flatMap(([x0, x1]) => [f.let(result(shuffle32(x0, x1, [0, 4, 1, 5]))), f.let(result(shuffle32(x0, x1, [2, 6, 3, 7])))])
  }
  f.while(i32.geS(n, 8 * all.length), () => {
    if (pair) {
      threefry(all)
      const both = all.map((words) => f.let(pair(...words)))
      const packed = both.flatMap((lanes, g) => (g % 2 === 0 ? [f.let(i16x8.narrowI32x4S(lanes, both[g + 1]))] : []))
      for (const [i, each] of packed.entries()) f.do(v128.store(out, each, 16 * i))
    } else
      draw(all).forEach((lanes, v) => {
        storeLanes(f, dtype, out, lanes, 4 * v * bytes)
      })
    f.advance(out, 8 * all.length * bytes)
    f.advance(n, -8 * all.length)
  })
  f.while(i32.gtS(n, 0), () => {
    const [low, high] = draw(all.slice(0, 1)) as Local<'v128'>[]
    f.if(
      i32.geS(n, 8),
      () => {
        storeLanes(f, dtype, out, low)
        storeLanes(f, dtype, out, high, 4 * bytes)
      },
      () => {
        f.if(i32.geS(n, 4), () => {
          storeLanes(f, dtype, out, low)
          f.advance(out, 4 * bytes)
          f.advance(n, -4)
          f.set(low, high)
        })
        f.if(n, () => storeSome(f, dtype, out, low, n))
        f.return()
      },
    )
    f.advance(out, 8 * bytes)
    f.advance(n, -8)
  })
}

/** Writes `kernel(out, n, k0, k1, counter)`: floats in [0, 1), the upper 24 bits times 2⁻²⁴. */
function emitUniform(module: ModuleBuilder): void {
  module.export('kernel', drawParameters, null, (f, p) => {
    emitDraws(f, 'float32', p, (words) => f32x4.mul(f32x4.convertI32x4S(upperBits(words)), f.splat(2 ** -24)))
  })
}

/** Writes `kernel(out, n, k0, k1, counter, limit)`: 1 where the upper 24 bits are below `limit`, else 0. */
function emitBernoulli(module: ModuleBuilder, dtype: DType, wide = false): void {
  module.export('kernel', { ...drawParameters, limit: 'i32' }, null, (f, { limit, ...p }) => {
    const limits = f.let(i32x4.splat(limit))
    const one = dtype === 'float32' ? f.splat(1) : f.splatInt(1)
    const whereBelow = (words: Vector, value: Vector): Vector => v128.and(value, i32x4.gtS(limits, upperBits(words)))
    const pair = (x0: Vector, x1: Vector): Vector => v128.or(whereBelow(x0, one), whereBelow(x1, f.splatInt(256)))
    emitDraws(f, dtype, p, (words) => whereBelow(words, one), dtype === 'uint8' ? pair : undefined, wide ? 2 * GROUPS : GROUPS)
  })
}

/** Writes `kernel(out, x, mask, n, factor)`: out = x·(mask·factor). */
function emitMaskedScale(module: ModuleBuilder): void {
  module.export('kernel', { out: 'i32', x: 'i32', mask: 'i32', n: 'i32', factor: 'f32' }, null, (f, { out, x, mask, n, factor }) => {
    const factors = f.let(f32x4.splat(factor))
    const four = (v: number): Vector =>
      f32x4.mul(v128.load(x, 16 * v), f32x4.mul(f32x4.convertI32x4S(loadLanes('uint8', mask, 4 * v)), factors))
    for (const vectors of [2, 1]) {
      f.while(i32.geS(n, 4 * vectors), () => {
        const results = Array.from({ length: vectors }, (_, v) => f.let(four(v)))
        results.forEach((result, v) => {
          f.do(v128.store(out, result, 16 * v))
        })
        for (const pointer of [out, x]) f.advance(pointer, 16 * vectors)
        f.advance(mask, 4 * vectors)
        f.advance(n, -4 * vectors)
      })
    }
    f.if(n, () => storeSome(f, 'float32', out, four(0), n))
  })
}

/** The self-test of random numbers at 256 bits. */
export const randomCheck: WidthCheck = {
  name: 'random numbers',
  emit: (module) => emitBernoulli(module, 'uint8', true),
  run: ({ kernel }) => void kernel(0, 4096, 123, 456, 0, 2 ** 23),
}

/** Estimated nanoseconds for an element: of a draw, and of a scaled one. */
const DRAW = 1.3
const SCALE = 0.3

/** The fused kernels `uniform`, `bernoulli` and `maskedScale`. */
export function createRandom(engine: Engine): Required<Pick<FusedKernels, 'uniform' | 'bernoulli' | 'maskedScale'>> {
  const uniform = oneWidth(engine, emitUniform)
  const bernoulli = new Map<DType, Widths>()
  const maskedScale = lazy((): KernelFunction => engine.compileOne(emitMaskedScale))
  const draw = (widths: Widths, out: Operand, [k0, k1]: readonly [number, number], ...more: number[]): void => {
    const [to, bytes] = [address(out), elementBytes(out.dtype)]
    // A range starts with a block, and with a cache line of its own.
    widths(out.size, (run) =>
      engine.split(out.size, 64, out.size * DRAW, (begin, end, call) =>
        call(run, to + begin * bytes, end - begin, k0 | 0, k1 | 0, begin / 2, ...more),
      ),
    )
  }
  return {
    uniform: (out, key) => draw(uniform, out, key),
    bernoulli(out, key, p) {
      const widths = entry(bernoulli, out.dtype, (dtype) =>
        dtype === 'uint8'
          ? twoWidths(engine, randomCheck, (module, wide) => emitBernoulli(module, dtype, wide))
          : oneWidth(engine, (module) => emitBernoulli(module, dtype)),
      )
      // i·2⁻²⁴ < p for a float p, in whole numbers.
      draw(widths, out, key, Math.ceil(Math.fround(p) * 2 ** 24))
    },
    maskedScale(out, x, mask, factor) {
      const [run, to, from, bytes] = [maskedScale(), address(out), address(x), address(mask)]
      engine.split(out.size, 64, out.size * SCALE, (begin, end, call) =>
        call(run, to + 4 * begin, from + 4 * begin, bytes + begin, end - begin, factor),
      )
    },
  }
}
