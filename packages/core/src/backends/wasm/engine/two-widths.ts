/**
 * A kernel in both widths. Long arrays take 256 bits where the engine allows it. Short ones take 128: the registers' upper halves have to be cleared after the other,
 * which takes longer than it saves. Both are compiled when they are first needed.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { i32, type Vector, v128 } from '../assembler/instructions.js'
import type { Engine, KernelFunction } from './engine.js'
import { lazy } from './made-once.js'
import type { WidthCheck } from './width.js'

/** The fewest elements for 256 bits. They save some 0.4 ns an element of a long function; clearing takes 200. */
export const WIDE_FROM = 2048

/** Calls `work` with the kernel for so many elements. */
export type Widths = (elements: number, work: (kernel: KernelFunction) => void) => void

/**
 * `build` writes the export `kernel`; it may write another loop for 256 bits, with the same results. `check` is the self-test of its family, which runs when 256 bits are
 * first wanted.
 */
export function twoWidths(engine: Engine, check: WidthCheck, build: (module: ModuleBuilder, wide: boolean) => void): Widths {
  const [narrow, wide] = [false, true].map((isWide) => lazy(() => engine.compile((module) => build(module, isWide), isWide).kernel))
  return (elements, work) => {
    if (elements < WIDE_FROM) return work(narrow())
    engine.addWidthCheck(check)
    if (!engine.simd256) return work(narrow())
    work(wide())
    engine.clearUpperHalves()
  }
}

/** Emits the parts of a self-test: `name(out, x, y, n)` for each function of x and y, over n elements, a multiple of 8, in pairs of vectors. */
export function emitPairs(
  module: ModuleBuilder,
  functions: Readonly<Record<string, (f: FunctionBuilder, x: Local<'v128'>, y: Local<'v128'>) => Vector>>,
): void {
  for (const [name, emit] of Object.entries(functions))
    module.export(name, { out: 'i32', x: 'i32', y: 'i32', n: 'i32' }, null, (f, { out, x, y, n }) => {
      f.while(i32.gtS(n, 0), () => {
        const results = [0, 16].map((offset) => f.let(emit(f, f.let(v128.load(x, offset)), f.let(v128.load(y, offset)))))
        for (const [i, result] of results.entries()) f.do(v128.store(out, result, 16 * i))
        for (const pointer of [out, x, y]) f.advance(pointer, 32)
        f.advance(n, -8)
      })
    })
}

/** A kernel that 256 bits would not make faster. */
export function oneWidth(engine: Engine, build: (module: ModuleBuilder) => void): Widths {
  const kernel = lazy(() => engine.compileOne(build))
  return (_, work) => work(kernel())
}
