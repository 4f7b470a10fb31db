/** The backends by name: how one is configured, started, and made the default. */
import { describeValue, requireOptions } from '../arguments.js'
import { BackendError, ValueError } from '../errors.js'
import { environment } from '../platform.js'
import { defaultBackend, setDefaultBackend, setDefaultFactory } from '../runtime.js'
import type { Backend } from './backend.js'
import type { GpuMode } from './gpu/device/gpujs.js'
import type { GpuBackendOptions } from './gpu/index.js'
import { createReferenceBackend, type ReferenceOptions, requireReferenceOptions } from './reference/index.js'
import { MOST_THREADS } from './wasm/engine/worker-program.js'
import { createWasmBackend, requireWasmOptions, type WasmOptions } from './wasm/index.js'

/**
 * `wasm` is the default. `reference` is slow, exact, and has float64. `gpu` runs on gpu.js, which must be installed: it takes the best engine that
 * works here, or the one that COTANGENT_GPU names. `gpu:webgl2` and its like take that engine or fail.
 */
export type BackendName = 'wasm' | 'reference' | 'gpu' | `gpu:${GpuMode}`

const KINDS: readonly string[] = ['wasm', 'reference', 'gpu']

/** The started backends by name; a reference backend whose default is float64 is `reference:float64`. */
const made = new Map<string, Backend>()
let settings: WasmOptions = {}

/**
 * Settings of the wasm engine. Call it before the first tensor is made.
 *
 * @example
 * ```ts
 * configure({ relaxedSimd: false })   // the same bits on every machine, without fused multiply-add
 * configure({ simd256: false })        // heavy kernels on 128-bit vectors in Node 24, too; they have the same bits
 * configure({ threads: 1 })            // no worker threads; by default there are as many as cores, at most 16, with the same bits
 * ```
 */
export function configure(options: WasmOptions): void {
  requireWasmOptions('configure', options)
  if (made.has('wasm'))
    throw new BackendError('configure: the wasm engine is already running. Call configure before the first tensor is made.')
  settings = { ...settings, ...options }
}

/** The number of threads that COTANGENT_THREADS says: a number or `auto`. */
function threadsOfEnvironment(): number | 'auto' {
  const asked = environment('COTANGENT_THREADS')
  if (asked === undefined || asked === 'auto') return 'auto'
  const threads = Number(asked)
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads
  throw new ValueError(`COTANGENT_THREADS must be a whole number from 1 to ${MOST_THREADS} or auto, got ${describeValue(asked)}.`)
}

function wasm(): Backend {
  let backend = made.get('wasm')
  if (!backend) {
    backend = createWasmBackend({ ...settings, threads: settings.threads ?? threadsOfEnvironment() })
    made.set('wasm', backend)
  }
  return backend
}
setDefaultFactory(wasm)

/** The reference backend of the process with this default. */
function reference(options: ReferenceOptions): Backend {
  const backend = made.get(options.dtype === 'float64' ? 'reference:float64' : 'reference') ?? createReferenceBackend(options)
  made.set(backend.name, backend)
  return backend
}

/**
 * Makes a second gpu backend, beside the one that `useBackend('gpu')` gives. This call loads gpu.js.
 *
 * Throws a BackendError if gpu.js is not installed, or if the mode asked for does not run here.
 */
export async function createGpuBackend(options: GpuBackendOptions = {}): Promise<Backend> {
  requireOptions('createGpuBackend', options, ['mode'], "await createGpuBackend({ mode: 'webgl2' })")
  return (await import('./gpu/index.js')).createGpuBackend(options)
}

/** Starts a backend. `gpu` and the name of the engine it takes are one backend. */
async function start(name: BackendName): Promise<Backend> {
  const [, mode] = name.split(':')
  const asked = mode ?? environment('COTANGENT_GPU')
  const before = asked === undefined ? undefined : usable(`gpu:${asked as GpuMode}`)
  return before ?? createGpuBackend({ mode: asked as GpuMode | undefined })
}

/** The backend of this name if it has been made and its device is not lost. */
function usable(name: string): Backend | undefined {
  const backend = made.get(name)
  return backend?.info?.().gpu?.lost === undefined ? backend : undefined
}

/**
 * A backend by name, started if it is not running. A process has one of each name; one whose device was lost is replaced. With `dtype: 'float64'`, new floats
 * are float64 unless their dtype is asked for; `reference` alone has it, and it is a backend beside the one whose default is float32.
 */
export async function getBackend(name: BackendName, options: ReferenceOptions = {}): Promise<Backend> {
  return named('getBackend', name, options)
}

async function named(what: string, name: BackendName, options: ReferenceOptions): Promise<Backend> {
  if (typeof name !== 'string' || !KINDS.includes(name.split(':')[0]) || (name.includes(':') && !name.startsWith('gpu:'))) {
    throw new BackendError(`${what}: there is no backend ${describeValue(name)}. There are 'wasm', 'reference' and 'gpu'.`)
  }
  requireReferenceOptions(what, options, `await ${what}('reference', { dtype: 'float64' })`)
  if (name === 'reference') return reference(options)
  if (options.dtype === 'float64') {
    throw new BackendError(`${what}: ${name} has no float64. Write await ${what}('reference', { dtype: 'float64' }).`)
  }
  if (name === 'wasm') return wasm()
  const before = usable(name)
  if (before) return before
  const backend = await start(name)
  made.set(name, backend)
  if (name === 'gpu') made.set(backend.name, backend)
  return backend
}

/**
 * Makes a backend the default: new tensors go to it. With `dtype: 'float64'`, new floats are float64 unless their dtype is asked for; `reference` alone has it.
 *
 * @example
 * ```ts no-run="it would change the default backend of the other examples"
 * await useBackend('reference', { dtype: 'float64' })
 * tensor([0.1]).dtype   // 'float64'
 * ```
 */
export async function useBackend(name: BackendName, options: ReferenceOptions = {}): Promise<Backend> {
  const backend = await named('useBackend', name, options)
  setDefaultBackend(backend)
  return backend
}

/** The default backend, which new tensors go to. */
export const currentBackend = (): Backend => defaultBackend()
