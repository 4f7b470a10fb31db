/**
 * Uniform random floats by Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * The bits are those that random.ts makes on the host.
 *
 * Block i of the stream (counter (i, 0)) gives elements 2i and 2i + 1. The kernel computes four blocks at once, which fill two
 * vectors.
 */
import type { FusedKernels } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { f32x4, i32, i32x4, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const
const PARITY = 0x1bd11bda

const rotate = (x: Local<'v128'>, bits: number): Vector => v128.or(i32x4.shl(x, bits), i32x4.shrU(x, 32 - bits))

/** Emits four blocks at once, in place: `x0` and `x1` hold the two words of four counters. */
function emitThreefry(f: FunctionBuilder, x0: Local<'v128'>, x1: Local<'v128'>, schedule: readonly Local<'v128'>[]): void {
  f.set(x0, i32x4.add(x0, schedule[0]))
  f.set(x1, schedule[1]) // the second word of the counter is 0
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) * 4
    for (let i = first; i < first + 4; i++) {
      f.set(x0, i32x4.add(x0, x1))
      f.set(x1, v128.xor(rotate(x1, ROTATIONS[i]), x0))
    }
    f.set(x0, i32x4.add(x0, schedule[(group + 1) % 3]))
    f.set(x1, i32x4.add(i32x4.add(x1, schedule[(group + 2) % 3]), f.splatInt(group + 1)))
  }
}

/** Writes `kernel(out, n, k0, k1, counter)`: n elements, starting with block `counter`. */
function emitUniform(module: ModuleBuilder): void {
  module.export('kernel', { out: 'i32', n: 'i32', k0: 'i32', k1: 'i32', counter: 'i32' }, null, (f, { out, n, k0, k1, counter }) => {
    const schedule = [k0, k1, i32.xor(i32.const(PARITY), i32.xor(k0, k1))].map((word) => f.let(i32x4.splat(word)))
    const counters = f.let(i32x4.add(i32x4.splat(counter), f.splatInt(0, 1, 2, 3)))
    const [x0, x1] = [f.local('v128'), f.local('v128')]
    /** The upper 24 bits times 2⁻²⁴: a float in [0, 1). */
    const fraction = (bits: Vector): Vector => f32x4.mul(f32x4.convertI32x4S(i32x4.shrU(bits, 8)), f.splat(2 ** -24))
    const [low, high] = [f.local('v128'), f.local('v128')]
    f.while(i32.gtS(n, 0), () => {
      f.set(x0, counters)
      emitThreefry(f, x0, x1, schedule)
      f.set(low, fraction(shuffle32(x0, x1, [0, 4, 1, 5])))
      f.set(high, fraction(shuffle32(x0, x1, [2, 6, 3, 7])))
      f.if(
        i32.geS(n, 8),
        () => {
          f.do(v128.store(out, low), v128.store(out, high, 16))
          f.advance(out, 32)
        },
        () => {
          f.if(i32.geS(n, 4), () => {
            f.do(v128.store(out, low))
            f.advance(out, 16)
            f.advance(n, -4)
            f.set(low, high)
          })
          f.if(n, () => storeSome(f, 'float32', out, low, n))
          f.return()
        },
      )
      f.set(counters, i32x4.add(counters, f.splatInt(4)))
      f.advance(n, -8)
    })
  })
}

/** The fused kernel `uniform`. */
export function createUniform(engine: Engine): NonNullable<FusedKernels['uniform']> {
  let kernel: KernelFunction | undefined
  return (out, key) => {
    kernel ??= engine.compileOne(emitUniform)
    const run = kernel
    const to = address(out)
    engine.split(out.size, 16, out.size, (begin, end, call) => call(run, to + 4 * begin, end - begin, key[0] | 0, key[1] | 0, begin / 2))
  }
}
