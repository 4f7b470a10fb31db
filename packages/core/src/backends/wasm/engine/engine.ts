/**
 * The WebAssembly engine under the kernels: it detects the machine's features, compiles modules, and owns the memory they share.
 *
 * V8 compiles lazily, and with its baseline compiler first. A kernel then runs three to five times slower until optimised code
 * replaces it between two calls. Kernels here are small and hot. So where V8 can be asked (`v8.setFlagsFromString`), it
 * optimises a kernel before its first call; optimizer.ts says how, and why no flag does it. The flags that remain add instructions. They belong to the whole process:
 * they are set before a compilation and reset after it, and code compiled under them stays as it is.
 *
 * Other engines, browsers, and `v8Flags: false` compile as they like.
 *
 * In Node 24 to 26 on x64, V8 pairs adjacent 128-bit operations of chosen modules into 256-bit ones, by an experimental flag. What can go wrong:
 *
 * - Wrong code. So each family of kernels has a self-test (width.ts), which runs when its first wide kernel is wanted. If it fails, kernels stay 128 bits wide.
 * - A flag that does nothing, on another processor: the self-test takes the time, too.
 * - A flag that ends the process, or that is gone, of which V8 complains on stderr. Neither can be caught. So without being asked, only those versions of V8
 *   use it on which all kernels have been tested.
 * - Upper halves. Such code leaves the upper halves of the vector registers in use. On many processors the C++ behind `Math.exp` and the like then runs ten
 *   times slower until they are cleared. WebAssembly cannot clear them, but a native call that ends its own wide code can (`clearUpperHalves`). Deno and Bun,
 *   whose native code is another, are left alone for this reason.
 */
import { BackendError } from '../../../errors.js'
import { warnOnce } from '../../../platform.js'
import { assemble, isInner, type ModuleBuilder } from '../assembler/assembler.js'
import { f32x4 } from '../assembler/instructions.js'
import { type HostMemory, SCRATCH_BYTES, WasmMemory } from './memory.js'
import { NATIVES, optimizer } from './optimizer.js'
import { automaticThreads } from './start-worker.js'
import { type Body, direct, Pool, type Split } from './threads.js'
import { checkWidth, type WidthCheck } from './width.js'
import { MOST_THREADS, PARTS_PER_THREAD } from './worker-program.js'

/** The user's settings of the wasm engine. */
export interface WasmOptions {
  /** Let V8 compile kernels with its optimising compiler at once, and enable relaxed SIMD in Node 20 (default true). */
  v8Flags?: boolean
  /** Use fused multiply-add where the engine has it (default true). Without it, results have the same bits on every machine. */
  relaxedSimd?: boolean
  /**
   * Compile the heaviest kernels to 256-bit instructions, by an experimental flag of V8. Results keep their bits: a self-test compares them when the first such
   * kernel is wanted. By default this happens in Node 24 to 26 on x64 processors, if the wider code is also faster. `false` forbids it. `true` asks for
   * it in later versions and on other processors, too; where it cannot be had, a message says so once. `currentBackend().info()` says what runs.
   */
  simd256?: boolean
  /** The most memory to take, in bytes (default 4 GiB, which is also the limit). */
  maximumBytes?: number
  /**
   * Threads that share large kernels: a number up to 16, or `'auto'`, which is the number of cores that the process may use, but at most 16. (Nobody has measured
   * more than 2 yet: `npm run bench -- scaling` does.) They start when the first large kernel runs. Results have the same bits for any number. Threads need shared memory (in a page: cross-origin isolation); without it there is one.
   * Default: the environment variable COTANGENT_THREADS, else `'auto'`.
   */
  threads?: number | 'auto'
}

/** An exported kernel; addresses and sizes are numbers. */
export interface KernelFunction {
  (...values: number[]): number
  /** The export itself, which runs even while calls are collected. */
  readonly raw: (...values: number[]) => number
}

/** Takes the calls of kernels in the place of running them (recorded/lower.ts). */
export interface Collector {
  /** A kernel that is called outside of a job. */
  call(kernel: KernelFunction, values: readonly number[]): number
  /** A job, as `split` gets it. */
  job(total: number, unit: number, nanoseconds: number, body: Body, valuesPerItem: number): void
  /** The end of 256-bit kernels. */
  clear(): void
}

interface V8Module {
  setFlagsFromString(flags: string): void
}

/** The flag that pairs vectors, the first major version of V8 that pairs fused multiply-adds, and the last on which all kernels have been tested with it. */
const REVECTORIZE = '--experimental-wasm-revectorize'
const PAIRS_FUSED = 13
const LAST_TESTED = 14

interface NodeProcess {
  getBuiltinModule?(id: string): unknown
  arch?: string
  execArgv?: readonly string[]
  versions?: { v8?: string }
}

/**
 * A kernel estimated to take more nanoseconds than this is split. Handing over a part takes half a microsecond while workers
 * spin and about ten when they sleep; the estimates are rough.
 */
const WORTH_SPLITTING = 30_000

/** Node encodes this many bytes with 256-bit code of its own, which clears the upper halves when it ends. */
const nativeBytes = (globalThis as { Buffer?: { alloc(size: number): { toString(encoding: string): string } } }).Buffer?.alloc(96)

const nodeProcess = (): NodeProcess | undefined => (globalThis as { process?: NodeProcess }).process

/** Deno and Bun have a `process`, too. */
const isNode = (): boolean => nodeProcess() !== undefined && !('Deno' in globalThis) && !('Bun' in globalThis)

/** Compiles kernels and owns their memory. */
export class Engine {
  readonly memory: WasmMemory
  /** Kernels may use the fused multiply-add of relaxed SIMD. */
  readonly relaxed: boolean
  /** Major version of V8, or 0 for another engine: the best tile of a product depends on V8's register allocation. */
  readonly v8Version: number
  /** The workers; undefined if there is only one thread. */
  readonly pool: Pool | undefined
  /** A kernel estimated to take more nanoseconds than this is split (tests lower it). */
  splitAbove = WORTH_SPLITTING
  /** Runs each kernel of a recorded step, for profiles. */
  observer: ((name: string, values: readonly unknown[], work: () => void) => void) | undefined
  /** While it is set, nothing runs. */
  collector: Collector | undefined
  private readonly v8: V8Module | undefined
  /** Relaxed SIMD needs a flag here (Node 20). */
  private readonly relaxedNeedsFlag: boolean = false
  /** Kernels may be 256 bits wide: `asked` for, `automatic` (they must pay, then), or not. A self-test that fails ends it. */
  private width: 'asked' | 'automatic' | 'narrow'
  private readonly checks = new Set<WidthCheck>()
  /** The self-tests of families that have not run. */
  private readonly untested: WidthCheck[] = []
  /** Wide code has run, or may have. */
  private widened = false

  constructor(options: WasmOptions) {
    const process = nodeProcess()
    this.v8Version = Number.parseInt(process?.versions?.v8 ?? '0', 10)
    if (options.v8Flags !== false) this.v8 = process?.getBuiltinModule?.('node:v8') as V8Module | undefined
    const threads = threadsAsked(options)
    this.memory = new WasmMemory({ maximumBytes: options.maximumBytes, threads })

    let relaxed = options.relaxedSimd !== false && validatesRelaxed()
    if (options.relaxedSimd !== false && !relaxed && this.v8) {
      relaxed = this.withFlags([['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd']], validatesRelaxed)
      this.relaxedNeedsFlag = relaxed
    }
    this.relaxed = relaxed
    const pairs = relaxed && this.v8 !== undefined && nativeBytes !== undefined && this.v8Version >= PAIRS_FUSED
    const tested = isNode() && process?.arch === 'x64' && this.v8Version <= LAST_TESTED
    this.width = !pairs || options.simd256 === false ? 'narrow' : options.simd256 ? 'asked' : tested ? 'automatic' : 'narrow'
    if (options.simd256 && !pairs)
      warnOnce('wasm: simd256 needs Node 24 or later, with relaxedSimd and v8Flags on; kernels stay 128 bits wide.')
    if (threads > 1) {
      if (this.memory.shared) this.pool = new Pool(this.memory.memory, threads, options.threads !== 'auto')
      else if (options.threads !== 'auto')
        warnOnce('wasm: threads need shared memory (in a page: cross-origin isolation); the engine runs on one thread.')
    }
  }

  /** Threads that run now, the main thread included. */
  get threads(): number {
    return this.pool?.threads ?? 1
  }

  /**
   * Runs work on items 0 to `total`: at once, or in parts on several threads if it is estimated to take long enough. `body` gives
   * the kernel calls for a range of items. Each call must write only its own outputs, and no output may depend on the range.
   * `unit`: a range starts at a multiple of it. `valuesPerItem`: the values that an item's calls take in the job's list (arguments
   * and two more a call), where that number grows with the items. (A profile puts a function with a clock in its place.)
   */
  split: Split = (total, unit, nanoseconds, body, valuesPerItem = 0) => {
    const { pool, collector } = this
    if (collector) collector.job(total, unit, nanoseconds, body, valuesPerItem)
    else if (pool !== undefined && nanoseconds >= this.splitAbove && total > unit && pool.free)
      pool.run(total, unit, nanoseconds, body, valuesPerItem)
    else body(0, total, direct, 0)
  }

  /** Adds the self-test of a family that has wide kernels, once. It runs when `simd256` is next read. */
  addWidthCheck(check: WidthCheck): void {
    if (this.checks.has(check)) return
    this.checks.add(check)
    this.untested.push(check)
  }

  /** Modules that ask for it are compiled to 256-bit instructions. The first look at it runs the self-tests of the families that are there. */
  get simd256(): boolean {
    while (this.width !== 'narrow' && this.untested.length > 0) this.testWidth(this.untested.shift() as WidthCheck)
    return this.width !== 'narrow'
  }

  private testWidth(check: WidthCheck): void {
    let verdict: string
    // The test runs its kernels, also where the first look at the width comes while calls are collected.
    const { collector } = this
    this.collector = undefined
    try {
      this.widened = true
      verdict = checkWidth(
        check,
        this.memory.shared,
        this.width === 'automatic',
        (build, memory, wide) => this.link(build, memory, wide).kernels,
      )
    } catch (error) {
      verdict = String(error)
    }
    this.clearUpperHalves()
    this.collector = collector
    if (verdict === 'same bits') return
    this.width = 'narrow'
    if (verdict === 'not faster') return
    warnOnce(
      `wasm: 256-bit kernels failed their self-test (${check.name}: ${verdict}), so kernels stay 128 bits wide. configure({ simd256: false }) leaves it out.`,
    )
  }

  /**
   * Assembles, compiles and links a module; returns its exported functions by name. `wide`: compile to 256-bit instructions if `simd256` is on. Who calls
   * such functions must call `clearUpperHalves` after them.
   */
  compile(build: (module: ModuleBuilder) => void, wide = false): Record<string, KernelFunction> {
    const { module, kernels } = this.link(build, this.memory.memory, wide && this.simd256)
    this.pool?.register(module, kernels)
    return kernels
  }

  private link(
    build: (module: ModuleBuilder) => void,
    memory: HostMemory,
    wide: boolean,
  ): { module: object; kernels: Record<string, KernelFunction> } {
    const optimize = this.v8 ? optimizer((read) => this.withFlags([NATIVES], read)) : null
    const bytes = assemble({ shared: this.memory.shared, relaxed: this.relaxed, exportsAll: optimize !== null }, (module) => {
      build(module)
      // V8 has one code for modules of the same bytes, whatever flags are set.
      if (wide) module.export('256 bits', {}, null, () => undefined)
    })
    const flags: (readonly [string, string])[] = optimize ? [NATIVES] : []
    if (this.relaxedNeedsFlag) flags.push(['--experimental-wasm-relaxed-simd', '--no-experimental-wasm-relaxed-simd'])
    if (wide) flags.push([REVECTORIZE, REVECTORIZE.replace('--', '--no-')])
    return this.withFlags(flags, () => {
      try {
        const module = new WebAssembly.Module(bytes)
        const instance = new WebAssembly.Instance(module, { env: { memory } })
        const exported = instance.exports as Record<string, KernelFunction['raw']>
        if (optimize) for (const raw of Object.values(exported)) optimize(raw)
        const kernels = Object.entries(exported).flatMap(([name, raw]) => (isInner(name) ? [] : [[name, this.#collectable(raw)] as const]))
        return { module, kernels: Object.fromEntries(kernels) }
      } catch (error) {
        throw new BackendError(`wasm: the engine refused a kernel, it may lack WebAssembly SIMD (${error}).`)
      }
    })
  }

  /** The kernel as others call it. */
  #collectable(raw: KernelFunction['raw']): KernelFunction {
    const call = (...values: number[]): number => (this.collector ? this.collector.call(kernel, values) : raw(...values))
    const kernel: KernelFunction = Object.assign(call, { raw })
    return kernel
  }

  /** Compiles a module with one export, `kernel`. */
  compileOne(build: (module: ModuleBuilder) => void): KernelFunction {
    return this.compile(build).kernel
  }

  /** Clears the upper halves of the vector registers after 256-bit kernels, for C++ code that comes next. Takes about 0.2 µs. */
  clearUpperHalves(): void {
    if (this.collector) this.collector.clear()
    else if (this.widened) nativeBytes?.toString('base64')
  }

  /** Sets V8 flags, runs `work`, and resets the flags. */
  private withFlags<T>(flags: readonly (readonly [set: string, reset: string])[], work: () => T): T {
    const v8 = this.v8
    if (!v8) return work()
    // A flag that was given on the command line stays set.
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

function threadsAsked({ threads = 1, maximumBytes = Infinity }: WasmOptions): number {
  // The scratch areas of unasked threads take at most half of the memory.
  if (threads === 'auto')
    return Math.max(1, Math.min(automaticThreads(), Math.floor(maximumBytes / 2 / (PARTS_PER_THREAD * SCRATCH_BYTES))))
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads
  throw new BackendError(`wasm: threads is a whole number from 1 to ${MOST_THREADS} or 'auto', got ${threads}.`)
}

/** Relaxed SIMD exists here: a module with a relaxed multiply-add is valid. */
function validatesRelaxed(): boolean {
  const bytes = assemble({ shared: false, relaxed: true }, (module) => {
    module.export('kernel', { x: 'v128' }, 'v128', (_, { x }) => f32x4.relaxedMadd(x, x, x))
  })
  return WebAssembly.validate(bytes)
}
