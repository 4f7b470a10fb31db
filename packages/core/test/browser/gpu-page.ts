/** What the gpu backend's browser tests run in the page, and how a device is taken away there. */
import '../../src/gpu.js'
import { losing } from '../gpu/checks.js'

export * from '../gpu/checks.js'

interface Losable {
  getExtension(name: 'WEBGL_lose_context'): { loseContext(): void } | null
}
const page = globalThis as unknown as {
  HTMLCanvasElement: { prototype: { getContext(kind: string, settings: object): Losable } }
  GPUAdapter: { prototype: { requestDevice(options: object): Promise<{ destroy(): void; lost: Promise<unknown> }> } }
  navigator: { gpu?: { requestAdapter(): Promise<unknown> } }
}

/** Loses a WebGL context in the middle. */
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

/** Loses a WebGPU device in the middle. */
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

/** An adapter that never answers. */
export function silenceAdapter(): void {
  Object.defineProperty(page.navigator, 'gpu', { value: { requestAdapter: () => new Promise(() => {}) }, configurable: true })
}

/** Whether the page's own `GPU`, WebGPU's interface, is still there. */
export const nativeGpu = (): boolean => String((globalThis as { GPU?: unknown }).GPU).includes('[native code]')
