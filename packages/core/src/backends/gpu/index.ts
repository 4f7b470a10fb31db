/**
 * The gpu backend over gpu.js: all primitives and most fused kernels, as generated source.
 *
 * Tensors stay on the device (webgpu, webgl2) between ops and between steps; only reading copies them to the host. Calls are
 * synchronous on every engine: a storage slot holds a handle, and a queue fills the handles in order. All four dtypes are held
 * as float32, in which integers are exact up to 2^24. `write` and `fill` refuse larger integers; sums, products and running sums
 * throw if they get there. Elementwise arithmetic beyond that range rounds silently.
 *
 * Read on in README.md beside this file.
 */

import { BackendError, DTypeError } from '../../errors.js'
import type { DType, TypedArray } from '../../tensor/dtype.js'
import type { Backend, Storage } from '../backend.js'
import type { WebGpuSeams } from './device/context-webgpu.js'
import { createDevice, type Handle } from './device/device.js'
import { createEngine } from './device/engine.js'
import { type GpuMode, loadGpuJs } from './device/gpujs.js'
import { type Entered, enterMode } from './device/modes.js'
import { convKernels } from './kernels/conv.js'
import { elementwiseKernels } from './kernels/elementwise.js'
import { gruKernels } from './kernels/gru.js'
import { gruResetAfterKernels } from './kernels/gru-reset-after.js'
import { computeOnHost, fromFloats, toFloats } from './kernels/host.js'
import { lstmKernels } from './kernels/lstm.js'
import { normalizeKernels } from './kernels/normalize.js'
import { poolKernels } from './kernels/pool.js'
import { productKernels } from './kernels/product.js'
import { reduceKernels } from './kernels/reduce.js'
import { rowKernels } from './kernels/rows.js'
import { simpleRnnKernels } from './kernels/simple-rnn.js'
import { softmaxKernels } from './kernels/softmax.js'
import { updateKernels } from './kernels/update.js'
import { windowKernels } from './kernels/window.js'
import { LIMITS, type Limits } from './source/rules.js'

export type { GpuMode } from './device/gpujs.js'

export interface GpuBackendOptions {
  /**
   * The engine of gpu.js. Default: `webgpu` if an adapter answers (in Node: with the npm package `webgpu`), else `webgl2` (in Node: `headlessgl`), else
   * `webasm`, which needs no GPU and computes in float32 as GPUs do. `cpu` computes in float64 inside a kernel.
   */
  mode?: GpuMode
}

/** Replacements for tests. */
export interface GpuBackendSeams extends WebGpuSeams {
  load?: () => Promise<unknown>
  limits?: Partial<Limits>
  cachedKernels?: number
  onCompile?: (source: string) => void
}

const DTYPES: ReadonlySet<DType> = new Set<DType>(['float32', 'int32', 'uint8', 'bool'])
const BYTES = 4
/** The most elements of a tensor: 2 GiB, as on the wasm backend. A device may have less room; that shows when values go there. */
const LARGEST = 2 ** 29

/**
 * Makes a backend on gpu.js. This call loads gpu.js.
 *
 * Throws a BackendError if gpu.js is not installed, or if the mode asked for does not run here.
 */
export async function createGpuBackend({ mode }: GpuBackendOptions = {}, seams: GpuBackendSeams = {}): Promise<Backend> {
  return createBackendOn(await enterMode(await loadGpuJs(seams.load), mode, LIMITS, seams), seams)
}

/** A backend on a context: one that runs, or one that only translates (device/translator.ts). */
export function createBackendOn({ context, leave, passedOver }: Entered & { passedOver: string[] }, seams: GpuBackendSeams = {}): Backend {
  // The context may be shared with other backends; the limits of a test are its own.
  const limits = { ...context.limits, ...seams.limits }
  const device = createDevice({ ...context, limits }, { cachedKernels: seams.cachedKernels ?? 512, onCompile: seams.onCompile })
  const engine = createEngine(device)
  const { matMul, affine } = productKernels(engine)
  let buffers = 0
  let bytes = 0

  /** The handle of a storage that has values; undefined if the storage has no elements. */
  function filled(storage: Storage): Handle | undefined {
    const handle = storage.handle as Handle | null
    if (!handle && storage.size > 0) throw new BackendError('gpu: a tensor is read before anything was written to it.')
    return handle ?? undefined
  }
  const { readSync } = device

  return {
    name: `gpu:${context.mode}`,
    dtypes: DTYPES,
    kernels: {
      ...elementwiseKernels(engine),
      ...reduceKernels(engine),
      matMul,
      ...windowKernels(engine),
      ...rowKernels(engine),
      host: (out, inputs, f) => computeOnHost(engine, out, inputs, f),
    },
    fused: {
      affine,
      ...convKernels(engine),
      ...poolKernels(engine),
      ...normalizeKernels(engine),
      ...softmaxKernels(engine),
      ...lstmKernels(engine),
      ...gruKernels(engine),
      ...gruResetAfterKernels(engine),
      ...simpleRnnKernels(engine),
      ...updateKernels(engine),
    },

    // Only counts: `write`, or the first kernel with this storage as `out`, fills the slot.
    alloc(size, dtype) {
      if (!DTYPES.has(dtype)) throw new DTypeError(`The gpu backend has no ${dtype}; it has ${[...DTYPES].join(', ')}.`)
      if (size > LARGEST) throw new BackendError(`gpu: asked for ${size} elements, but one tensor holds at most ${LARGEST}.`)
      buffers++
      bytes += size * BYTES
      return null
    },

    write(storage, values) {
      const before = storage.handle as Handle | null
      const handle = device.upload(toFloats(values, storage.dtype))
      if (storage.dtype === 'int32' && context.resident) handle.host = Float32Array.from(values)
      storage.handle = handle
      if (before) device.release(before)
    },

    async read(storage) {
      const handle = filled(storage)
      return fromFloats(handle ? await device.read(handle) : new Float32Array(0), storage.dtype)
    },

    readSync: readSync
      ? (storage): TypedArray => {
          const handle = filled(storage)
          return fromFloats(handle ? readSync(handle) : new Float32Array(0), storage.dtype)
        }
      : undefined,

    free(storage) {
      if (storage.handle) device.release(storage.handle as Handle)
      storage.handle = null
      buffers--
      bytes -= storage.size * BYTES
    },

    memory: () => ({ buffers, bytes, reservedBytes: bytes }),

    info: () => ({
      threads: 1,
      relaxedSimd: false,
      simd256: false,
      sharedMemory: false,
      gpu: {
        mode: context.mode,
        adapter: context.adapter,
        passedOver,
        objects: context.objects(),
        kernels: device.kernels(),
        lost: device.lost(),
      },
    }),

    async dispose() {
      await device.destroy()
      await leave()
    },
  }
}
