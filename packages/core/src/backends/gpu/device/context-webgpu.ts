/**
 * WebGPU: values are buffers, and every call gives a Promise. In Node `navigator.gpu` comes from the npm package `webgpu`, if the user has installed
 * it; its process ends only after the device is destroyed, so `dispose` the backend there.
 *
 * gpu.js keeps one device in a process and prints what goes wrong on it; here that is kept for the next read instead.
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

/** Threads of a workgroup along x and y of outputs with more than one dimension, in gpu.js. */
const WORKGROUP = 8

/** Parts that tests replace. */
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
 * Whether a Linux has no Vulkan loader: then there is no adapter, and the package would say so on the error stream. The linker alone knows where it looks;
 * a library that it finds is no addon of Node's, and is refused with another message.
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

/** Node's entries to WebGPU, by what made them: kept for ever, since the process aborts when one is collected whose device still lives. */
const entries = new Map<object, Navigator['gpu']>()

/** Gives Node a `navigator.gpu` and returns what takes it away again; does nothing where there is one. */
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

/** A context on WebGPU, or a BackendError that says why not. */
export async function webgpuContext(gpujs: GpuJs, limits: Limits, seams: WebGpuSeams = {}): Promise<Context> {
  const { adapterTimeout = 10_000, loadBinding = importBinding } = seams
  const withdraw = await provideNavigatorGpu(loadBinding)
  try {
    // asked here first: gpu.js would wait for ever for one that does not answer
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
        // numbers in a row, however many a cell
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
        // after a loss gpu.js' device is another one
        if (lost === undefined) await gpujs.WebGPUContext.destroy()
      },
    }
  } finally {
    withdraw()
  }
}
