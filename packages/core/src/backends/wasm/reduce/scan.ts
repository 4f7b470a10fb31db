/**
 * Running sums of x [outer, length, inner] along `length`: out[o, l, i] = Σ x[o, j, i] over j ≤ l. Four columns run at a time.
 * A float sum is carried in float64, and each output is that sum rounded once. An int32 sum checks every addition.
 */
import type { DType } from '../../../tensor/dtype.js'
import type { Kernels } from '../../backend.js'
import type { Local, ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, loadLanes, storeLanes, storeSome } from '../assembler/elements.js'
import { f32x4, f64x2, i32, i32x4, shuffle32, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { withinInt32 } from './reduce-int.js'

/**
 * Writes `kernel(out, x, outer, length, inner, step)`. out and x point at the first row to take; `step` bytes lead to the next. The int32 kernel has one more
 * parameter, the address `bad`. It sets the int32 there to 1 if a stored sum does not fit int32: then the sum's sign differs from the signs of both terms.
 */
function emitScan(module: ModuleBuilder, dtype: DType, exclusive: boolean): void {
  const parameters = { out: 'i32', x: 'i32', outer: 'i32', length: 'i32', inner: 'i32', step: 'i32' } as const
  const float = dtype === 'float32'
  module.export('kernel', float ? parameters : { ...parameters, bad: 'i32' }, null, (f, locals) => {
    const { out, x, outer, length, inner, step } = locals
    const [from, to, column, rest, n] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
    const [low, high, value] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const store = float ? shuffle32(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), [0, 1, 4, 5]) : low
    const tail = f.local('i32')
    const wrapped = float ? low : f.local('v128')
    // An exclusive scan does not store its last sum, so that sum may overflow.
    const wrong = float || !exclusive ? wrapped : f.local('v128')
    const put = (): void => {
      if (wrong !== wrapped) f.set(wrong, v128.or(wrong, wrapped))
      f.if(
        i32.geS(rest, 4),
        () => storeLanes(f, dtype, to, store),
        () => {
          f.set(tail, to)
          storeSome(f, dtype, tail, store, rest)
        },
      )
    }
    const groupBytes = f.let(i32.shl(i32.mul(length, inner), 2))
    f.while(i32.gtS(outer, 0), () => {
      f.set(column, 0)
      f.while(i32.ltS(column, inner), () => {
        f.set(from, i32.add(x, i32.shl(column, 2)))
        f.set(to, i32.add(out, i32.shl(column, 2)))
        f.set(rest, i32.sub(inner, column))
        for (const sum of float ? [low, high] : [low, wrapped, wrong]) f.set(sum, f.splatInt(0))
        f.set(n, length)
        f.while(i32.gtS(n, 0), () => {
          if (exclusive) put()
          f.set(value, loadLanes(dtype, from))
          if (float) {
            f.set(low, f64x2.add(low, f64x2.promoteLowF32x4(value)))
            f.set(high, f64x2.add(high, f64x2.promoteLowF32x4(shuffle32(value, value, [2, 3, 2, 3]))))
          } else {
            f.set(high, i32x4.add(low, value))
            f.set(wrapped, v128.or(wrapped, v128.and(v128.xor(low, high), v128.xor(value, high))))
            f.set(low, high)
          }
          if (!exclusive) put()
          f.advance(from, step)
          f.advance(to, step)
          f.advance(n, -1)
        })
        if (!float) {
          const signs = v128.and(i32x4.ltS(wrong, f.splatInt(0)), firstLanes(f, rest))
          f.if(v128.anyTrue(signs), () => f.do(i32.store((locals as typeof locals & { bad: Local<'i32'> }).bad, 1)))
        }
        f.advance(column, 4)
      })
      f.advance(x, groupBytes)
      f.advance(out, groupBytes)
      f.advance(outer, -1)
    })
  })
}

/** The primitive `scan`. */
export function createScan(engine: Engine): Kernels['scan'] {
  const inclusiveKernels = new Map<DType, KernelFunction>()
  const exclusiveKernels = new Map<DType, KernelFunction>()
  return (out, x, { outer, length, inner }, exclusive, reverse) => {
    if (out.size === 0) return
    const run = entry(exclusive ? exclusiveKernels : inclusiveKernels, x.dtype, (dtype) =>
      engine.compileOne((module) => emitScan(module, dtype, exclusive)),
    )
    const first = reverse ? 4 * (length - 1) * inner : 0
    const [to, from, group] = [address(out) + first, address(x) + first, 4 * length * inner]
    const step = reverse ? -4 * inner : 4 * inner
    const nanoseconds = outer * length * inner
    if (x.dtype === 'float32')
      engine.split(outer, 1, nanoseconds, (begin, end, call) =>
        call(run, to + begin * group, from + begin * group, end - begin, length, inner, step),
      )
    else
      withinInt32(engine, 'cumSum', (bad) =>
        engine.split(outer, 1, nanoseconds, (begin, end, call) =>
          call(run, to + begin * group, from + begin * group, end - begin, length, inner, step, bad),
        ),
      )
  }
}
