/**
 * A context that runs nothing. gpu.js translates each kernel to WGSL, which needs no device, and the text is kept; a value is memory that is not there and reads as
 * zeros. So the source of a kernel can be shown on a machine without a GPU.
 */
import { LIMITS } from '../source/rules.js'
import type { Context } from './context.js'
import type { CompiledKernel, DeviceResult, GpuJs, KernelInput, KernelSettings } from './gpujs.js'

/** A kernel of the gpu backend as text. */
export interface GpuSource {
  /** JavaScript for gpu.js, as the backend writes it. */
  readonly javascript: string
  /** The WGSL that gpu.js makes of it for WebGPU. */
  readonly wgsl: string
  /** The threads that run it, along x, y and z. */
  readonly threads: readonly number[]
}

/** The output of a kernel: gpu.js knows it by its `type` as a buffer of WebGPU. */
function nothing(output: readonly number[]): DeviceResult {
  const size = output.reduce((a, b) => a * b, 1)
  return {
    type: 'WebGPUBuffer',
    output: [...output],
    dimensions: [...output],
    componentCount: 1,
    size: [size, 1],
    delete() {},
    toArray: async () => new Float32Array(size),
    renderValues: () => new Float32Array(size),
  }
}

/** The context; `sources` gets each kernel once, uploads left out. */
export function translatingContext(gpujs: GpuJs, sources: GpuSource[]): Context {
  const kernels: unknown[] = []
  return {
    mode: 'webgpu',
    kernelMode: 'webgpu',
    gpu: {
      kernels,
      createKernel(source: string, settings: KernelSettings): CompiledKernel {
        let known = false
        const call = async (...args: (KernelInput | number)[]): Promise<DeviceResult> => {
          const isUpload = args[0] instanceof gpujs.Input
          if (!known && !isUpload) {
            const kernel = new gpujs.WebGPUKernel(source, settings)
            // The rest, after the translation, needs a device; a fault of the translation itself is thrown by the call.
            kernel.build(...args).catch(() => undefined)
            sources.push({ javascript: source, wgsl: kernel.compiledSource, threads: settings.output })
          }
          known = true
          return nothing(settings.output)
        }
        return Object.assign(call, { kernel: { constructor: { mode: 'webgpu' } }, destroy() {} })
      },
      async destroy() {},
    },
    Input: gpujs.Input,
    resident: true,
    async: true,
    tiling: 'columns',
    limits: LIMITS,
    adapter: 'none, sources alone',
    layout: () => '',
    adopt(result, size) {
      const buffer = result as DeviceResult
      buffer.componentCount = 1
      buffer.output = [size]
      return buffer
    },
    argument: (value) => value,
    read: (value) => (value as DeviceResult).toArray(),
    objects: () => 0,
    lost: () => undefined,
    onLost() {},
    takeError: () => undefined,
    async close() {},
  }
}
