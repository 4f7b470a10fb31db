/**
 * WebGPU in Node, through the npm package `webgpu` and a Vulkan driver (vulkan.ts). `withoutWebGpu` is the reason why it does not run, for the names of skipped
 * tests; empty if it runs.
 */
import { createGpuBackend } from '../src/index.js'

async function reason(): Promise<string> {
  try {
    await (await createGpuBackend({ mode: 'webgpu' })).dispose?.()
    return ''
  } catch (error) {
    return ` (skipped: ${(error as Error).message}; a Vulkan driver is needed, and Chromium's package has one in software)`
  }
}
export const withoutWebGpu = await reason()
