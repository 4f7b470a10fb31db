/** Catches the modules that are compiled while some work runs, and counts what they do. */
import { countsOf, type Exports, withCounters, withoutCounters } from './counting.js'
import { type Disassembled, disassemble } from './disassemble.js'

/** Runs `work` and returns the bytes of the modules that were compiled during it. */
export function caught(work: () => void): Uint8Array[] {
  const modules: Uint8Array[] = []
  const original = WebAssembly.Module
  WebAssembly.Module = class extends original {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes)
      modules.push(bytes)
    }
  } as unknown as typeof original
  try {
    work()
  } finally {
    WebAssembly.Module = original
  }
  return modules
}

/** A function of a module, and how often each of its instructions ran. */
export interface CountedFunction extends Disassembled {
  /** For each line. */
  runs: number[]
}

/** Functions of one module, in their order; those that call each other know each other by it. */
export type CountedModule = CountedFunction[]

/** Runs `work`, whose modules get counters when they are compiled. It must compile its kernels anew, on a backend of its own, and run on one thread. */
export function countedIn(work: () => void): CountedModule[] {
  const { Module, Instance } = WebAssembly
  const functionsOf = new WeakMap<WebAssembly.Module, Disassembled[]>()
  const instances: { functions: Disassembled[]; exports: Exports }[] = []
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      const functions = disassemble(bytes)
      super(withCounters(bytes, functions))
      functionsOf.set(this, functions)
    }
  } as unknown as typeof Module
  // An instance's exports cannot be changed; an object with fewer stands in its place.
  WebAssembly.Instance = function instance(module: WebAssembly.Module, imports: Record<string, Record<string, never>>) {
    const { exports } = new Instance(module, imports)
    const functions = functionsOf.get(module)
    if (functions) instances.push({ functions, exports })
    return { exports: withoutCounters(exports) }
  } as unknown as typeof Instance
  try {
    work()
  } finally {
    WebAssembly.Module = Module
    WebAssembly.Instance = Instance
  }
  return instances.map(({ functions, exports }) => {
    const counts = countsOf(functions, exports)
    return functions.map((each, i) => ({ ...each, runs: counts[i] }))
  })
}
