/**
 * The context for WebGPU. A value is a buffer, and every call gives a Promise. In Node `navigator.gpu` comes from the npm package `webgpu`, which the
 * user installs. A Node process does not end before the device is destroyed, so `dispose` the backend there.
 *
 * gpu.js keeps one device in a process and prints the device's errors. Here they are kept for the next read instead.
 */
import { BackendError } from '../../../errors.js'
import { importByName } from '../../../platform.js'
import type { Limits } from '../source/rules.js'
import type { Context } from './context.js'
import type { DeviceResult, GpuJs } from './gpujs.js'

interface Navigator {
  gpu?: { requestAdapter(): Promise<object | null> }
}
interface Host {
  navigator?: Navigator
  process?: { versions?: { node?: string }; platform?: string; dlopen?(module: { exports: object }, path: string): void }
  setTimeout(work: () => void, milliseconds: number): unknown
  clearTimeout(timer: unknown): void
}
const host = globalThis as unknown as Host

/** gpu.js' workgroups are 8 × 8 threads along x and y, for outputs with more than one dimension. */
const WORKGROUP = 8

/** Replacements for tests. */
export interface WebGpuSeams {
  /** Milliseconds after which an adapter counts as absent. */
  adapterTimeout?: number
  /** Loads the npm package. */
  loadBinding?: () => Promise<unknown>
}

async function withTimeout<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: unknown
  const late = new Promise<never>((_, reject) => {
    timer = host.setTimeout(() => reject(new BackendError(`no WebGPU adapter answered within ${milliseconds / 1000} s`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    host.clearTimeout(timer)
  }
}

async function importBinding(): Promise<unknown> {
  const module = await importByName('webgpu')
  if (withoutVulkan()) throw new BackendError('there is no Vulkan loader (libvulkan.so.1) for the npm package `webgpu`')
  return module
}

/**
 * True on a Linux without a Vulkan loader. There is no adapter then, and the package would print that on the error stream. Only the linker knows where it
 * looks for libraries. So this asks it to load the library as an addon of Node: one that exists is refused with another message than one that is missing.
 */
function withoutVulkan(): boolean {
  const { process } = host
  if (process?.platform !== 'linux') return false
  try {
    process.dlopen?.({ exports: {} }, 'libvulkan.so.1')
  } catch (error) {
    return /cannot open shared object|loading shared library/i.test((error as Error).message)
  }
  return false
}

/** Node's `gpu` objects by the function that made them. They are kept for ever: the process aborts if one is collected while its device lives. */
const entries = new Map<object, Navigator['gpu']>()

/** Gives Node a `navigator.gpu`; returns a function that removes it. Does nothing if there is one. */
async function provideNavigatorGpu(load: () => Promise<unknown>): Promise<() => void> {
  if (host.navigator?.gpu) return () => {}
  if (!host.process?.versions?.node) throw new BackendError('the browser has no WebGPU here (it needs https or localhost)')
  let create: ((options: string[]) => Navigator['gpu']) | undefined
  try {
    create = ((await load()) as { create?: typeof create }).create
  } catch (error) {
    if (error instanceof BackendError) throw error
    throw new BackendError(`the npm package \`webgpu\` did not load (${error instanceof Error ? error.message.split('\n')[0] : error})`)
  }
  if (!create) throw new BackendError('the npm package `webgpu` is not installed')
  const gpu = entries.get(create) ?? create([])
  entries.set(create, gpu)
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  if (host.navigator) {
    const navigator = host.navigator
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
    return () => void delete navigator.gpu
  }
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  return () => {
    if (before) Object.defineProperty(globalThis, 'navigator', before)
    else delete host.navigator
  }
}

/** A context on WebGPU. Throws a BackendError that says why if there is none. */
export async function webgpuContext(gpujs: GpuJs, limits: Limits, seams: WebGpuSeams = {}): Promise<Context> {
  const { adapterTimeout = 10_000, loadBinding = importBinding } = seams
  const withdraw = await provideNavigatorGpu(loadBinding)
  try {
    // We ask first, with a time limit: gpu.js would wait for ever for an adapter that does not answer.
    const adapter = await withTimeout((host.navigator as Required<Navigator>).gpu.requestAdapter(), adapterTimeout)
    if (!adapter) throw new BackendError('WebGPU is present, but there is no adapter')
    const { device, adapter: used } = await withTimeout(gpujs.WebGPUContext.acquire(), adapterTimeout)
    const gpu = new gpujs.GPU({ mode: 'webgpu' })

    const alive = new Set<object>()
    const { createBuffer } = device
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(device, descriptor)
      alive.add(buffer)
      const { destroy } = buffer
      buffer.destroy = () => {
        alive.delete(buffer)
        destroy.call(buffer)
      }
      return buffer
    }
    let lost: string | undefined
    let problem: string | undefined
    device.onuncapturederror = ({ error }) => {
      problem ??= error.message
    }
    const gone = device.lost.then(({ message }) => {
      lost = `the WebGPU device is lost (${message || 'no reason given'})`
      return lost
    })

    const width = device.limits.maxComputeWorkgroupsPerDimension
    const { vendor = '', architecture = '', description = '' } = used.info ?? {}
    return {
      mode: 'webgpu',
      kernelMode: 'webgpu',
      gpu,
      Input: gpujs.Input,
      resident: true,
      async: true,
      tiling: 'columns',
      limits: { ...limits, width: Math.min(limits.width, width * WORKGROUP), depth: Math.min(limits.depth, width) },
      adapter: [vendor, architecture, description].filter((part) => part !== '').join(' '),
      layout: () => '',
      adopt(result, size) {
        const buffer = result as DeviceResult
        // one number after the other, however many a cell has
        buffer.componentCount = 1
        buffer.output = [size]
        return buffer
      },
      argument: (value) => value,
      read: (value) => (value as DeviceResult).toArray(),
      objects: () => alive.size,
      lost: () => lost,
      onLost: (tell) => void gone.then(tell),
      takeError() {
        const told = problem
        problem = undefined
        return told
      },
      async close() {
        await gpu.destroy()
        // After a loss gpu.js has another device; that one is not ours to destroy.
        if (lost === undefined) await gpujs.WebGPUContext.destroy()
      },
    }
  } finally {
    withdraw()
  }
}
