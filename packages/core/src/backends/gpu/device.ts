/**
 * What the kernels run on: a gpu.js instance, its handles, and the bounded cache of compiled kernels.
 *
 * On the engines here a handle is a host array and every call returns at once. A device engine gets the same four verbs with
 * handles that live on the device: `upload` becomes an identity kernel (kernels built for arrays cannot take handles later),
 * `run` queues, `download` returns a Promise, `release` deletes. Nothing outside this file looks into a handle.
 */
import { BackendError } from '../../errors.js'
import type { CompiledKernel, GpuJs, GpuMode, KernelResult } from './gpujs.js'
import { kernelSettings, MAX_ARRAYS } from './rules.js'

/** Flat float32 values. */
export type Handle = Float32Array

/** One call of one kernel. Array arguments come first, then scalars. */
export interface Launch {
  readonly source: string
  readonly output: readonly number[]
  /** Cells wanted; the output's dimensions may hold a few more. */
  readonly size: number
  readonly arrays: readonly Handle[]
  readonly scalars: readonly number[]
}

export interface Device {
  upload(values: Float32Array): Handle
  run(launch: Launch): Handle
  /** The values behind a handle; not a copy. */
  download(handle: Handle): Float32Array
  release(handle: Handle): void
  destroy(): Promise<void>
}

export interface DeviceOptions {
  mode: GpuMode
  /** Compiled kernels to keep; each pins memory for its arguments and its output. */
  cachedKernels: number
  /** Told each source when it is first compiled. */
  onCompile?: (source: string) => void
}

/** An empty array cannot be an argument; a kernel that gets this instead never reads it. */
const NOTHING = new Float32Array(1)

export function createDevice({ GPU, Input }: GpuJs, { mode, cachedKernels, onCompile }: DeviceOptions): Device {
  const gpu = new GPU({ mode })
  const cache = new Map<string, CompiledKernel>()

  function drop(signature: string, kernel: CompiledKernel): void {
    cache.delete(signature)
    kernel.destroy()
    // the JavaScript engine's kernels stay in the instance's list after destroy
    const listed = gpu.kernels.indexOf(kernel.kernel)
    if (listed >= 0) gpu.kernels.splice(listed, 1)
  }

  /** The kernel of a signature, moved to the young end of the cache. */
  function kernelFor(signature: string, { source, output }: Launch): CompiledKernel {
    let kernel = cache.get(signature)
    if (kernel) cache.delete(signature)
    else {
      kernel = gpu.createKernel(source, kernelSettings(output))
      onCompile?.(source)
    }
    cache.set(signature, kernel)
    if (cache.size > cachedKernels) {
      const [oldest] = cache
      drop(...oldest)
    }
    return kernel
  }

  return {
    upload: (values) => values.slice(),

    run(launch) {
      if (launch.arrays.length > MAX_ARRAYS) {
        throw new BackendError(`gpu: a kernel takes at most ${MAX_ARRAYS} arrays, got ${launch.arrays.length}.`)
      }
      const arrays = launch.arrays.map((values) => (values.length > 0 ? values : NOTHING))
      const signature = `${launch.output.join('x')}|${arrays.map((values) => values.length).join(',')}|${launch.source}`
      const kernel = kernelFor(signature, launch)
      let result: KernelResult
      try {
        result = kernel(...arrays.map((values) => new Input(values, [values.length])), ...launch.scalars)
      } catch (error) {
        drop(signature, kernel)
        throw new BackendError(`gpu: ${error instanceof Error ? error.message : error}\n${launch.source}`, { cause: error })
      }
      // gpu.js falls back to its JavaScript engine silently, which sums in float64 and would hide the difference
      const ran = kernel.kernel.constructor.mode
      if (ran && ran !== mode) throw new BackendError(`gpu: gpu.js ran a kernel on '${ran}' instead of '${mode}'.\n${launch.source}`)
      return flatten(result, launch.size)
    },

    download: (handle) => handle,

    release() {},

    async destroy() {
      for (const [signature, kernel] of cache) drop(signature, kernel)
      await gpu.destroy()
    },
  }
}

/** The first `size` values of a result, as one array that nothing else holds. */
function flatten(result: KernelResult, size: number): Float32Array {
  if (result instanceof Float32Array) return result.length === size ? result : result.slice(0, size)
  const rows = result.flat() as Float32Array[]
  const width = rows[0].length
  const { buffer } = rows[0]
  // most engines return the rows as views over one buffer
  const shared = buffer.byteLength === rows.length * width * 4 && rows[rows.length - 1].buffer === buffer
  if (shared && rows.length * width === size) return new Float32Array(buffer)
  const flat = new Float32Array(size)
  rows.forEach((row, i) => {
    flat.set(row.subarray(0, Math.max(0, size - i * width)), i * width)
  })
  return flat
}
