/**
 * @cotangent/core/gpu: the gpu backend for bundles.
 *
 * gpu.js is optional, so the main entry does not import it in a way that a bundler sees. In Node it is found by its name when the program runs. A bundle has
 * no names left, so a bundled program imports this entry once. That brings gpu.js into the bundle, in a chunk of its own if the bundler splits chunks.
 *
 * ```ts
 * import '@cotangent/core/gpu'
 * import { useBackend } from '@cotangent/core'
 *
 * await useBackend('gpu')
 * ```
 */
import { provideGpuJs } from './backends/gpu/device/gpujs.js'

provideGpuJs(() => import('gpu.js'))

export type { GpuMode } from './backends/gpu/device/gpujs.js'
export type { GpuBackendOptions } from './backends/gpu/index.js'
export { createGpuBackend } from './backends/index.js'
export { type GpuSource, gpuSources } from './backends/kernel-sources.js'
