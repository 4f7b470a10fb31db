/** The sources of the kernels that a piece of work takes on a GPU. */
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Backend } from './backend.js'
import { loadGpuJs } from './gpu/device/gpujs.js'
import { type GpuSource, translatingContext } from './gpu/device/translator.js'
import { createBackendOn } from './gpu/index.js'

export type { GpuSource } from './gpu/device/translator.js'

/**
 * Translates the kernels of an op for WebGPU and returns their text, in the order of their first calls. It needs gpu.js, but no GPU: nothing runs, and results are zeros.
 * On a device with smaller limits than WebGPU's usual ones, a kernel may address its cells in other ways.
 *
 * @param work gets a backend and returns a tensor on it
 * @throws BackendError if gpu.js is missing or refuses a kernel
 * @example
 * ```ts
 * const [{ wgsl }] = await gpuSources((backend) => tanh(ones([8], { backend })))
 * console.log(wgsl.includes('@compute')) // true
 * ```
 */
export async function gpuSources(work: (backend: Backend) => Tensor): Promise<GpuSource[]> {
  const sources: GpuSource[] = []
  const context = translatingContext(await loadGpuJs(), sources)
  const backend = createBackendOn({ context, leave: async () => undefined, passedOver: [] })
  const result = scope(() => work(backend))
  await result.data() // waits for the queue, and throws what a call has found
  result.dispose()
  await backend.dispose?.()
  return sources
}
