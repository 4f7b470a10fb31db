/**
 * The WebAssembly engine under the kernels: what it can do, how modules are compiled, and the memory they share.
 *
 * V8 compiles lazily and with its baseline compiler first; a kernel then runs three to five times slower until it is replaced
 * between two calls. Kernels here are small and hot, so where V8 lets itself be told (`v8.setFlagsFromString`) each
 * compilation goes straight to the optimising compiler. The flags belong to the whole process: they are set before a
 * compilation and reset after it, and code compiled under them stays as it is.
 *
 * Other engines, browsers, and `v8Flags: false` compile as they like.
 */
import { BackendError } from '../../errors.js'
import { assemble, type ModuleBuilder } from './assembler.js'
import { f32x4 } from './instructions.js'
import { WasmMemory } from './memory.js'

/** What a user may choose. */
export interface WasmOptions {
  /** Let V8 compile kernels with its optimising compiler at once, and enable relaxed SIMD in Node 20 (default true). */
  v8Flags?: boolean
  /** Use fused multiply-add where the engine has it (default true). Off, results have the same bits on every machine. */
  relaxedSimd?: boolean
  /** The most memory to take, in bytes (default 4 GiB, the most there can be). */
  maximumBytes?: number
}

/** An exported kernel; addresses and sizes are numbers. */
export type KernelFunction = (...values: number[]) => number

interface V8Module {
  setFlagsFromString(flags: string): void
}

interface NodeProcess {
  getBuiltinModule?(id: string): unknown
  execArgv?: readonly string[]
  versions?: { v8?: string }
}

const nodeProcess = (): NodeProcess | undefined => (globalThis as { process?: NodeProcess }).process

/** Compiles kernels and owns their memory. */
export class Engine {
  readonly memory: WasmMemory
  /** Whether kernels use relaxed multiply-add. */
  readonly relaxed: boolean
  /** Major version of V8, or 0 elsewhere: GEMM tiles depend on its register allocation. */
  readonly v8Version: number
  private readonly v8: V8Module | undefined
  /** Whether relaxed SIMD needs a flag (Node 20). */
  private readonly relaxedNeedsFlag: boolean = false

  constructor(options: WasmOptions) {
    const process = nodeProcess()
    this.v8Version = Number.parseInt(process?.versions?.v8 ?? '0', 10)
    if (options.v8Flags !== false) this.v8 = process?.getBuiltinModule?.('node:v8') as V8Module | undefined
    this.memory = new WasmMemory({ maximumBytes: options.maximumBytes })

    let relaxed = options.relaxedSimd !== false && validatesRelaxed()
    if (options.relaxedSimd !== false && !relaxed && this.v8) {
      relaxed = this.withFlags([['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd']], validatesRelaxed)
      this.relaxedNeedsFlag = relaxed
    }
    this.relaxed = relaxed
  }

  /** Assembles, compiles and links a module; its exported functions by name. */
  compile(build: (module: ModuleBuilder) => void): Record<string, KernelFunction> {
    const bytes = assemble({ shared: this.memory.shared, relaxed: this.relaxed }, build)
    const flags: [string, string][] = [
      ['--no-liftoff', '--liftoff'],
      ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
    ]
    if (this.relaxedNeedsFlag) flags.push(['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd'])
    const instance = this.withFlags(flags, () => {
      try {
        return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.memory.memory } })
      } catch (error) {
        throw new BackendError(`wasm: the engine refused a kernel, it may lack WebAssembly SIMD (${error}).`)
      }
    })
    return instance.exports as Record<string, KernelFunction>
  }

  /** Compiles a module whose one export is `kernel`. */
  compileOne(build: (module: ModuleBuilder) => void): KernelFunction {
    return this.compile(build).kernel
  }

  /** Runs `work` with V8 flags set, and resets them. */
  private withFlags<T>(flags: readonly (readonly [set: string, reset: string])[], work: () => T): T {
    const v8 = this.v8
    if (!v8) return work()
    // What the command line sets stays set.
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

/** Whether a function with a relaxed multiply-add is valid code here. */
function validatesRelaxed(): boolean {
  const bytes = assemble({ shared: false, relaxed: true }, (module) => {
    module.export('kernel', { x: 'v128' }, 'v128', (_, { x }) => f32x4.relaxedMadd(x, x, x))
  })
  return WebAssembly.validate(bytes)
}
