/** The page module of the gpu backend's browser tests: the checks, and ways to take a device away. */
import '../../src/gpu.js'
import * as core from '../../src/index.js'
import { losing } from '../gpu/checks.js'

export * from '../gpu/checks.js'

// A bundler leaves out families of ops that nobody names; the sweep wants them all.
Object.assign(globalThis, { everyOp: core })

interface Losable {
  getExtension(name: 'WEBGL_lose_context'): { loseContext(): void } | null
}
const page = globalThis as unknown as {
  HTMLCanvasElement: { prototype: { getContext(kind: string, settings: object): Losable } }
  GPUAdapter: { prototype: { requestDevice(options: object): Promise<{ destroy(): void; lost: Promise<unknown> }> } }
  navigator: { gpu?: { requestAdapter(): Promise<unknown> } }
}

/** Loses a WebGL context between two calls. */
export function loseWebGl(): ReturnType<typeof losing> {
  const { prototype } = page.HTMLCanvasElement
  const { getContext } = prototype
  const contexts: Losable[] = []
  prototype.getContext = function (kind, settings) {
    const context = getContext.call(this, kind, settings)
    contexts.push(context)
    return context
  }
  return losing('webgl2', () => {
    prototype.getContext = getContext
    for (const context of contexts) context.getExtension('WEBGL_lose_context')?.loseContext()
  })
}

/** Loses a WebGPU device between two calls. */
export function loseWebGpu(): ReturnType<typeof losing> {
  const { prototype } = page.GPUAdapter
  const { requestDevice } = prototype
  let device: Awaited<ReturnType<typeof requestDevice>>
  prototype.requestDevice = async function (options) {
    device = await requestDevice.call(this, options)
    return device
  }
  return losing('webgpu', async () => {
    prototype.requestDevice = requestDevice
    device.destroy()
    await device.lost
  })
}

/** Replaces the adapter by one that never answers. */
export function silenceAdapter(): void {
  Object.defineProperty(page.navigator, 'gpu', { value: { requestAdapter: () => new Promise(() => {}) }, configurable: true })
}

/** Whether the page still has its own `GPU`, which is WebGPU's interface. */
export const nativeGpu = (): boolean => String((globalThis as { GPU?: unknown }).GPU).includes('[native code]')
