/**
 * The WebAssembly backend, the default on every machine. Its kernels are written in TypeScript, emitted as WebAssembly and
 * compiled when first used. All tensors live in one memory; a tensor's handle is its address, a plain number.
 *
 * Read on in README.md beside this file: it says what each folder holds and in which order to read.
 */
import { requireBoolean, requireNumber, requireOptions, requireWhole } from '../../arguments.js'
import { BackendError } from '../../errors.js'
import type { DType, TypedArray } from '../../tensor/dtype.js'
import type { Backend, FusedKernels, KernelFamily, Kernels, Storage } from '../backend.js'
import { elementBytes } from './assembler/elements.js'
import { createMap } from './elementwise/map.js'
import { createRandom } from './elementwise/random.js'
import { createSelect } from './elementwise/select.js'
import { createUpdate } from './elementwise/update.js'
import { createZip } from './elementwise/zip.js'
import { Engine, type WasmOptions } from './engine/engine.js'
import { MOST_THREADS } from './engine/worker-program.js'
import { createMatMul } from './product/gemm.js'
import { createReduce } from './reduce/reduce.js'
import { createScan } from './reduce/scan.js'
import { createSoftmax } from './reduce/softmax.js'
import { createCopy } from './shape/copy.js'
import { createGather } from './shape/gather.js'
import { TouchedRows } from './shape/touched-rows.js'

export type { WasmOptions } from './engine/engine.js'

/** Those kernels of families that are primitives; all others are fused. */
const primitives: ReadonlySet<string> = new Set(['unfold', 'fold'] satisfies (keyof Kernels)[])

/** Throws for options that do not exist or have a wrong value. */
export function requireWasmOptions(what: string, options: WasmOptions): void {
  requireOptions(what, options ?? null, ['v8Flags', 'relaxedSimd', 'simd256', 'maximumBytes', 'threads'], `${what}({ threads: 2 })`)
  const { maximumBytes, threads, ...switches } = options
  for (const [name, value] of Object.entries(switches)) if (value !== undefined) requireBoolean(what, name, value)
  if (maximumBytes !== undefined) requireNumber(what, 'maximumBytes', maximumBytes, { above: 0 })
  if (threads !== undefined && threads !== 'auto') requireWhole(what, 'threads', threads, { least: 1, most: MOST_THREADS })
}

/** A new WebAssembly backend with a memory of its own. Throws a BackendError where WebAssembly is missing. */
export function createWasmBackend(options: WasmOptions = {}): Backend {
  requireWasmOptions('createWasmBackend', options)
  if (typeof WebAssembly === 'undefined') throw new BackendError('wasm: this host has no WebAssembly.')
  return createBackendOn(new Engine(options))
}

const engines = new WeakMap<Backend, Engine>()

/** The engine under a wasm backend: its memory, and its threads. Undefined for any other backend. */
export const engineOf = (backend: Backend): Engine | undefined => engines.get(backend)

/** A backend on a given engine; tests look into the engine. */
export function createBackendOn(engine: Engine): Backend {
  const { memory } = engine
  const touched = new TouchedRows()

  /** The values of a tensor where they lie. The view is good until the memory grows, which happens only when a tensor is made. */
  const valuesAt = ({ storage, size }: { storage: Storage; size: number }): TypedArray => {
    const address = storage.handle as number
    if (storage.dtype === 'uint8') return memory.bytes8.subarray(address, address + size)
    const words = storage.dtype === 'float32' ? memory.floats : memory.ints
    return words.subarray(address / 4, address / 4 + size)
  }

  const { matMul, affine } = createMatMul(engine)
  const kernels: Partial<Kernels> = {
    ...createCopy(engine),
    map: createMap(engine),
    zip: createZip(engine),
    select: createSelect(engine),
    reduce: createReduce(engine),
    scan: createScan(engine),
    matMul,
    ...createGather(engine, touched),
    host: (out, inputs, f) => f(valuesAt(out), inputs.map(valuesAt)),
  }
  const fused: FusedKernels = {
    affine,
    ...createSoftmax(engine),
    update: createUpdate(engine, touched),
    ...createRandom(engine),
  }

  const families = new Set<KernelFamily>()
  const add = (family: KernelFamily): void => {
    if (families.has(family)) return
    families.add(family)
    for (const [name, kernel] of Object.entries(family.wasm(engine)))
      Object.assign(primitives.has(name) ? kernels : fused, { [name]: kernel })
  }

  const readSync = (storage: Storage): TypedArray => {
    const address = storage.handle as number
    switch (storage.dtype) {
      case 'float32':
        return memory.floats.slice(address / 4, address / 4 + storage.size)
      case 'int32':
        return memory.ints.slice(address / 4, address / 4 + storage.size)
      case 'uint8':
        return memory.bytes8.slice(address, address + storage.size)
      default:
        return Uint8Array.from(memory.ints.subarray(address / 4, address / 4 + storage.size))
    }
  }

  const backend: Backend = {
    name: 'wasm',
    dtypes: new Set<DType>(['float32', 'int32', 'uint8', 'bool']),
    kernels: kernels as Kernels,
    fused,
    add,
    alloc(size, dtype) {
      if (dtype === 'float64') throw new BackendError('wasm: only the reference backend has float64; cast to float32.')
      return memory.alloc(size * elementBytes(dtype))
    },
    write(storage, values) {
      const address = storage.handle as number
      if (storage.dtype === 'float32') memory.floats.set(values, address / 4)
      else if (storage.dtype === 'uint8') memory.bytes8.set(values, address)
      else memory.ints.set(values, address / 4)
    },
    read: async (storage) => readSync(storage),
    readSync,
    // A bool is a word here and a byte on the host.
    values: (storage) => (storage.dtype === 'bool' ? undefined : valuesAt({ storage, size: storage.size })),
    free(storage) {
      const address = storage.handle as number
      if (address < 0) throw new BackendError('wasm: this memory has already been freed.')
      memory.free(address, storage.size * elementBytes(storage.dtype))
      storage.handle = -1
    },
    memory: () => memory.use(),
    info: () => ({ threads: engine.threads, relaxedSimd: engine.relaxed, simd256: engine.simd256, sharedMemory: memory.shared }),
    async dispose() {
      memory.dispose()
      await engine.pool?.stop()
    },
  }
  engines.set(backend, engine)
  return backend
}
