/**
 * The WebAssembly engine under the kernels: what it can do, how modules are compiled, and the memory they share.
 *
 * V8 compiles lazily and with its baseline compiler first; a kernel then runs three to five times slower until it is replaced
 * between two calls. Kernels here are small and hot, so where V8 lets itself be told (`v8.setFlagsFromString`) each
 * compilation goes straight to the optimising compiler. The flags belong to the whole process: they are set before a
 * compilation and reset after it, and code compiled under them stays as it is.
 *
 * Other engines, browsers, and `v8Flags: false` compile as they like.
 *
 * With `simd256` (Node 24), V8 pairs adjacent 128-bit operations of chosen modules into 256-bit ones. It then leaves the upper
 * halves of the vector registers in use, and on many processors the C++ behind `Math.exp` and the like runs ten times slower until
 * they are cleared. WebAssembly cannot clear them; a native call that ends its own wide code can (`clearUpperHalves`).
 */
import { BackendError } from '../../../errors.js'
import { assemble, type ModuleBuilder } from '../assembler/assembler.js'
import { f32x4 } from '../assembler/instructions.js'
import { WasmMemory } from './memory.js'
import { automaticThreads } from './start-worker.js'
import { direct, Pool, type Split, sayOnce } from './threads.js'
import { MOST_THREADS } from './worker-program.js'

/** Settings that a user may choose. */
export interface WasmOptions {
  /** Let V8 compile kernels with its optimising compiler at once, and enable relaxed SIMD in Node 20 (default true). */
  v8Flags?: boolean
  /** Use fused multiply-add where the engine has it (default true). Off, results have the same bits on every machine. */
  relaxedSimd?: boolean
  /**
   * Compile the heaviest kernels to 256-bit instructions (default false). It takes an experimental flag of V8, in Node 24 or later; elsewhere
   * it is said once that it is not to be had. Results keep their bits.
   */
  simd256?: boolean
  /** The most memory to take, in bytes (default 4 GiB, the most there can be). */
  maximumBytes?: number
  /**
   * Threads that large kernels are shared between: a number up to 8, or `'auto'` for the cores there are, at most four, started when the first
   * large kernel runs. Results have the same bits for any number. Needs shared memory (in a page: cross-origin isolation), else it is 1. Default:
   * the environment variable COTANGENT_THREADS, else `'auto'`.
   */
  threads?: number | 'auto'
}

/** An exported kernel; addresses and sizes are numbers. */
export type KernelFunction = (...values: number[]) => number

interface V8Module {
  setFlagsFromString(flags: string): void
}

/** The flag that pairs vectors, and the first major version of V8 that pairs fused multiply-adds. */
const REVECTORIZE = '--experimental-wasm-revectorize'
const PAIRS_FUSED = 13

/**
 * The first major version of V8 whose optimising compiler inlines calls by what the baseline compiler saw of them. Code that was never compiled by the
 * baseline compiler has nothing to show, and where functions call each other V8 then ends the process (`Check failed: function_feedback != …`). So kernels
 * are compiled without that speculation (`--no-wasm-deopt`, a flag that older versions do not know).
 */
const SPECULATES = 14

interface NodeProcess {
  getBuiltinModule?(id: string): unknown
  execArgv?: readonly string[]
  versions?: { v8?: string }
}

/**
 * Nanoseconds of estimated work above which a kernel is split. Handing over a part takes half a microsecond while workers
 * spin and about ten when they sleep; estimates are rough.
 */
const WORTH_SPLITTING = 30_000

/** Node encodes so many bytes with 256-bit code of its own, which clears the upper halves when it ends. */
const nativeBytes = (globalThis as { Buffer?: { alloc(size: number): { toString(encoding: string): string } } }).Buffer?.alloc(96)

const nodeProcess = (): NodeProcess | undefined => (globalThis as { process?: NodeProcess }).process

/** Compiles kernels and owns their memory. */
export class Engine {
  readonly memory: WasmMemory
  /** Whether kernels use relaxed multiply-add. */
  readonly relaxed: boolean
  /** Major version of V8, or 0 elsewhere: GEMM tiles depend on its register allocation. */
  readonly v8Version: number
  /** Whether modules that ask for it are compiled to 256-bit instructions. */
  readonly simd256: boolean
  /** The workers, if there is more than one thread. */
  readonly pool: Pool | undefined
  /** Nanoseconds of work above which a kernel is split (tests lower it). */
  splitAbove = WORTH_SPLITTING
  private readonly v8: V8Module | undefined
  /** Whether relaxed SIMD needs a flag (Node 20). */
  private readonly relaxedNeedsFlag: boolean = false

  constructor(options: WasmOptions) {
    const process = nodeProcess()
    this.v8Version = Number.parseInt(process?.versions?.v8 ?? '0', 10)
    if (options.v8Flags !== false) this.v8 = process?.getBuiltinModule?.('node:v8') as V8Module | undefined
    const threads = threadsAsked(options.threads)
    this.memory = new WasmMemory({ maximumBytes: options.maximumBytes, threads })

    let relaxed = options.relaxedSimd !== false && validatesRelaxed()
    if (options.relaxedSimd !== false && !relaxed && this.v8) {
      relaxed = this.withFlags([['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd']], validatesRelaxed)
      this.relaxedNeedsFlag = relaxed
    }
    this.relaxed = relaxed
    this.simd256 = options.simd256 === true && relaxed && this.v8 !== undefined && this.v8Version >= PAIRS_FUSED
    if (options.simd256 && !this.simd256)
      sayOnce('wasm: simd256 needs Node 24 or later, with relaxedSimd and v8Flags on; kernels stay 128 bits wide.')
    if (threads > 1) {
      if (this.memory.shared) this.pool = new Pool(this.memory.memory, threads, options.threads !== 'auto')
      else if (options.threads !== 'auto')
        sayOnce('wasm: threads need shared memory (in a page: cross-origin isolation); the engine runs on one.')
    }
  }

  /** Threads in force. */
  get threads(): number {
    return this.pool?.threads ?? 1
  }

  /**
   * Runs work on items 0 to `total`, in parts on several threads if it is estimated to take long enough. `body` says what
   * calls a range of items takes; each must write outputs of its own alone, in a way that does not depend on the range.
   * `unit`: ranges start at its multiples. `valuesPerItem`: values of an item's calls (arguments and two more per call), where
   * that grows with the items.
   */
  readonly split: Split = (total, unit, nanoseconds, body, valuesPerItem = 0) => {
    const { pool } = this
    if (pool !== undefined && nanoseconds >= this.splitAbove && total > unit && pool.free)
      pool.run(total, unit, nanoseconds, body, valuesPerItem)
    else body(0, total, direct, 0)
  }

  /**
   * Assembles, compiles and links a module; its exported functions by name. `wide`: for 256 bits where `simd256` is in force; whoever
   * calls its functions calls `clearUpperHalves` after them.
   */
  compile(build: (module: ModuleBuilder) => void, wide = false): Record<string, KernelFunction> {
    const bytes = assemble({ shared: this.memory.shared, relaxed: this.relaxed }, build)
    const flags: [string, string][] = [
      ['--no-liftoff', '--liftoff'],
      ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
    ]
    if (this.relaxedNeedsFlag) flags.push(['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd'])
    if (this.v8Version >= SPECULATES) flags.push(['--no-wasm-deopt', '--wasm-deopt'])
    if (wide && this.simd256) flags.push([REVECTORIZE, REVECTORIZE.replace('--', '--no-')])
    return this.withFlags(flags, () => {
      try {
        const module = new WebAssembly.Module(bytes)
        const instance = new WebAssembly.Instance(module, { env: { memory: this.memory.memory } })
        const kernels = instance.exports as Record<string, KernelFunction>
        this.pool?.register(module, kernels)
        return kernels
      } catch (error) {
        throw new BackendError(`wasm: the engine refused a kernel, it may lack WebAssembly SIMD (${error}).`)
      }
    })
  }

  /** Compiles a module whose one export is `kernel`. */
  compileOne(build: (module: ModuleBuilder) => void): KernelFunction {
    return this.compile(build).kernel
  }

  /** After 256-bit kernels: leaves the processor as C++ expects it. Takes about 0.2 µs. */
  clearUpperHalves(): void {
    if (this.simd256) nativeBytes?.toString('base64')
  }

  /** Runs `work` with V8 flags set, and resets them. */
  private withFlags<T>(flags: readonly (readonly [set: string, reset: string])[], work: () => T): T {
    const v8 = this.v8
    if (!v8) return work()
    // A flag of the command line stays set.
    const given = nodeProcess()?.execArgv ?? []
    const ours = flags.filter(([set]) => !given.includes(set))
    for (const [set] of ours) v8.setFlagsFromString(set)
    try {
      return work()
    } finally {
      for (const [, reset] of ours) v8.setFlagsFromString(reset)
    }
  }
}

function threadsAsked(threads: number | 'auto' = 1): number {
  if (threads === 'auto') return automaticThreads()
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads
  throw new BackendError(`wasm: threads is a whole number from 1 to ${MOST_THREADS} or 'auto', got ${threads}.`)
}

/** Whether a function with a relaxed multiply-add is valid code here. */
function validatesRelaxed(): boolean {
  const bytes = assemble({ shared: false, relaxed: true }, (module) => {
    module.export('kernel', { x: 'v128' }, 'v128', (_, { x }) => f32x4.relaxedMadd(x, x, x))
  })
  return WebAssembly.validate(bytes)
}
