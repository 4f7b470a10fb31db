/**
 * The gpu backend over gpu.js: every primitive, and the fused conv2d, lstmCell and update, as generated kernels.
 *
 * So far it runs gpu.js' two engines that need no GPU, `webasm` and `cpu`, to prove that the contract fits: kernels are source
 * strings, results are swapped into slots, nothing writes in place. All four dtypes are held as float32; integers are exact to
 * 2^24, `write` and `fill` refuse larger ones, and arithmetic that leaves that range rounds without a word.
 *
 * rules.ts holds what must be true of every kernel; device.ts is the only file that calls gpu.js.
 */
import type { DType, TypedArray } from '../../dtype.js'
import { BackendError, DTypeError } from '../../errors.js'
import type { Backend, Storage } from '../backend.js'
import { createDevice, type Handle } from './device.js'
import { createEngine } from './engine.js'
import { type GpuMode, loadGpuJs } from './gpujs.js'
import { fromFloats, toFloats } from './host-kernels.js'
import { elementwiseKernels } from './kernels-elementwise.js'
import { fusedKernels } from './kernels-fused.js'
import { reduceKernels } from './kernels-reduce.js'
import { rowKernels } from './kernels-rows.js'
import { windowFused, windowKernels } from './kernels-window.js'
import { LIMITS, type Limits } from './rules.js'

export type { GpuMode } from './gpujs.js'

export interface GpuBackendOptions {
  /** The gpu.js engine: `webasm` (the default) computes in float32 as GPUs do, `cpu` keeps float64 inside a kernel. */
  mode?: GpuMode
}

/** What tests replace. */
export interface GpuBackendSeams {
  load?: () => Promise<unknown>
  limits?: Limits
  cachedKernels?: number
  onCompile?: (source: string) => void
}

const DTYPES: ReadonlySet<DType> = new Set<DType>(['float32', 'int32', 'uint8', 'bool'])
const BYTES = 4

/**
 * A backend on gpu.js, which is loaded now.
 *
 * Throws a BackendError if gpu.js is not installed.
 */
export async function createGpuBackend({ mode = 'webasm' }: GpuBackendOptions = {}, seams: GpuBackendSeams = {}): Promise<Backend> {
  const device = createDevice(await loadGpuJs(seams.load), {
    mode,
    cachedKernels: seams.cachedKernels ?? 256,
    onCompile: seams.onCompile,
  })
  const engine = createEngine(device, seams.limits ?? LIMITS)
  let buffers = 0
  let bytes = 0

  const readSync = (storage: Storage): TypedArray => {
    const handle = storage.handle as Handle | null
    if (!handle && storage.size > 0) throw new BackendError('gpu: a tensor is read before anything was written to it.')
    return fromFloats(handle ? device.download(handle) : new Float32Array(0), storage.dtype)
  }

  return {
    name: `gpu:${mode}`,
    dtypes: DTYPES,
    kernels: {
      ...elementwiseKernels(engine),
      ...reduceKernels(engine),
      ...windowKernels(engine),
      ...rowKernels(engine),
    },
    fused: { ...windowFused(engine), ...fusedKernels(engine) },

    // only counted: the slot is filled by `write` or by the first kernel that has it as `out`
    alloc(size, dtype) {
      if (!DTYPES.has(dtype)) throw new DTypeError(`The gpu backend has no ${dtype}; it has ${[...DTYPES].join(', ')}.`)
      buffers++
      bytes += size * BYTES
      return null
    },

    write(storage, values) {
      const before = storage.handle as Handle | null
      storage.handle = device.upload(toFloats(values, storage.dtype))
      if (before) device.release(before)
    },

    read: async (storage) => readSync(storage),
    readSync,

    free(storage) {
      if (storage.handle) device.release(storage.handle as Handle)
      storage.handle = null
      buffers--
      bytes -= storage.size * BYTES
    },

    memory: () => ({ buffers, bytes, reservedBytes: bytes }),
    dispose: () => device.destroy(),
  }
}
