/**
 * A kernel in both widths. Long arrays take 256 bits where the engine allows it. Short ones take 128: the registers' upper halves have to be cleared after the other,
 * which takes longer than it saves. Both are compiled when they are first needed.
 */
import type { ModuleBuilder } from '../assembler/assembler.js'
import type { Engine, KernelFunction } from './engine.js'
import { lazy } from './made-once.js'

/** The fewest elements for 256 bits. They save some 0.4 ns an element of a long function; clearing takes 200. */
export const WIDE_FROM = 2048

/** Calls `work` with the kernel for so many elements. */
export type Widths = (elements: number, work: (kernel: KernelFunction) => void) => void

/** `build` writes the export `kernel`; it may write another loop for 256 bits, with the same results. */
export function twoWidths(engine: Engine, build: (module: ModuleBuilder, wide: boolean) => void): Widths {
  const [narrow, wide] = [false, true].map((isWide) => lazy(() => engine.compile((module) => build(module, isWide), isWide).kernel))
  return (elements, work) => {
    const isWide = elements >= WIDE_FROM && engine.simd256
    work((isWide ? wide : narrow)())
    if (isWide) engine.clearUpperHalves()
  }
}

/** A kernel that 256 bits would not make faster. */
export function oneWidth(engine: Engine, build: (module: ModuleBuilder) => void): Widths {
  const kernel = lazy(() => engine.compileOne(build))
  return (_, work) => work(kernel())
}
