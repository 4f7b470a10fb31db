/**
 * The self-test of 256-bit kernels. The flag of V8 that makes them is experimental, so nobody is asked to trust it: each family of kernels brings a small piece
 * of its work, which is compiled with the flag and without it and run on the same values. All bytes of both memories must be equal.
 *
 * V8 keeps the code of a module and gives it to every module of the same bytes, whatever flags are set by then. So the two modules differ in the name of an
 * export that does nothing; otherwise the second would be the first, and would always be equal to it.
 */
import type { ModuleBuilder } from '../assembler/assembler.js'
import type { KernelFunction } from './engine.js'
import type { HostMemory } from './memory.js'

/** A piece of a family's work, small enough to compile and run in a few milliseconds. */
export interface WidthCheck {
  /** The family, for messages. */
  readonly name: string
  /** Writes the kernels. */
  emit(module: ModuleBuilder): void
  /** Runs them on memory that holds numbers between −1 and 1. Its results are whatever it leaves there. */
  run(kernels: Readonly<Record<string, KernelFunction>>, bytes: Uint8Array): void
  /** The wider code must be faster, too. If it is not, the flag does nothing on this processor. */
  readonly timed?: boolean
}

/** Compiles a check's module on a memory of its own, with the flag or without. */
export type CompileCheck = (build: (module: ModuleBuilder) => void, memory: HostMemory, wide: boolean) => Record<string, KernelFunction>

/** The memory of a check, with the same numbers in it each time. A recurrent kernel spreads its scratch memory over more than one page. */
const PAGES = 4
export const CHECK_BYTES = 65536 * PAGES

/** How many times as fast timed work must be with 256 bits (its products are twice as fast), and how often both are tried until it is. */
const GAIN = 1.2
const LEAST_TRIES = 16
const TRIES = 200

export type Verdict = 'same bits' | 'other bits' | 'not faster'

/** Runs a check in both widths. `mustPay`: timed work must be faster. */
export function checkWidth(check: WidthCheck, shared: boolean, mustPay: boolean, compile: CompileCheck): Verdict {
  const [narrow, wide] = [false, true].map((isWide) => {
    const memory: HostMemory = new WebAssembly.Memory(shared ? { initial: PAGES, maximum: PAGES, shared } : { initial: PAGES })
    const kernels = compile(
      (module) => {
        check.emit(module)
        module.export(isWide ? 'wide' : 'narrow', {}, null, () => undefined)
      },
      memory,
      isWide,
    )
    const bytes = new Uint8Array(memory.buffer)
    fill(new Float32Array(memory.buffer))
    check.run(kernels, bytes)
    return { kernels, bytes }
  })
  if (wide.bytes.some((byte, i) => byte !== narrow.bytes[i])) return 'other bits'
  if (!(check.timed && mustPay)) return 'same bits'
  // The best time of each: a core that is shared with other programs makes any single one long.
  const best = { narrow: Infinity, wide: Infinity }
  const now = (): number => (globalThis as { performance?: { now(): number } }).performance?.now() ?? 0
  for (let turn = 0; turn < TRIES; turn++) {
    for (const [width, { kernels, bytes }] of [
      ['narrow', narrow],
      ['wide', wide],
    ] as const) {
      const started = now()
      check.run(kernels, bytes)
      best[width] = Math.min(best[width], now() - started)
    }
    if (turn >= LEAST_TRIES && best.narrow > GAIN * best.wide) return 'same bits'
  }
  return 'not faster'
}

/** Numbers between −1 and 1 of a linear congruential generator (Knuth, "The Art of Computer Programming" 2, section 3.3.4, table 1, line 16). */
function fill(floats: Float32Array): void {
  let state = 7
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    floats[i] = state / 2 ** 31
  }
}
