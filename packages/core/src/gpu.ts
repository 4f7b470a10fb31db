/**
 * @cotangent/core/gpu: the gpu backend for bundles.
 *
 * gpu.js is optional, so the main entry has no import of it that a bundler could see: it is found by name where the program runs, in Node and
 * wherever names resolve. A bundle has no names left. It imports this entry once, and gpu.js comes along, in a chunk of its own where bundles are split.
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
