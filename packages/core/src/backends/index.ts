/** Which backends there are, and choosing one. */
import { BackendError } from '../errors.js'
import { defaultBackend, setDefaultBackend, setDefaultFactory } from '../runtime.js'
import type { Backend } from './backend.js'
import { createReferenceBackend } from './reference/index.js'
import { createWasmBackend, type WasmOptions } from './wasm/index.js'

/** `wasm` (the default), `reference` (slow, exact, float64), or `gpu` (gpu.js, which must be installed). */
export type BackendName = 'wasm' | 'reference' | 'gpu'

const made = new Map<BackendName, Backend>()
let settings: WasmOptions = {}

/**
 * Settings of the wasm engine, for before its first use.
 *
 * @example
 * ```ts
 * configure({ relaxedSimd: false })   // the same bits on every machine, without fused multiply-add
 * configure({ simd256: true })         // in Node 24: heavy kernels on 256-bit vectors, the same bits
 * configure({ threads: 1 })            // no worker threads; by default there are as many as cores, at most four, with the same bits
 * ```
 */
export function configure(options: WasmOptions): void {
  if (made.has('wasm'))
    throw new BackendError('configure: the wasm engine is already running. Call configure before the first tensor is made.')
  settings = { ...settings, ...options }
}

/** COTANGENT_THREADS, a number or `auto`. */
function threadsOfEnvironment(): number | 'auto' {
  const asked = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.COTANGENT_THREADS
  return asked === undefined || asked === '' || asked === 'auto' ? 'auto' : Number(asked)
}

function wasm(): Backend {
  let backend = made.get('wasm')
  if (!backend) {
    backend = createWasmBackend({ threads: threadsOfEnvironment(), ...settings })
    made.set('wasm', backend)
  }
  return backend
}
setDefaultFactory(wasm)

const starters: Record<Exclude<BackendName, 'wasm'>, () => Backend | Promise<Backend>> = {
  reference: createReferenceBackend,
  gpu: async () => (await import('./gpu/index.js')).createGpuBackend(),
}

/** A backend by name, started if need be. There is one of each in a process. */
export async function getBackend(name: BackendName): Promise<Backend> {
  if (name === 'wasm') return wasm()
  const before = made.get(name)
  if (before) return before
  const start = starters[name]
  if (!start) throw new BackendError(`There is no backend "${name as string}". There are wasm, reference and gpu.`)
  const backend = await start()
  made.set(name, backend)
  return backend
}

/** Makes a backend the one that new tensors go to. */
export async function useBackend(name: BackendName): Promise<Backend> {
  const backend = await getBackend(name)
  setDefaultBackend(backend)
  return backend
}

/** The backend that new tensors go to. */
export const currentBackend = (): Backend => defaultBackend()
