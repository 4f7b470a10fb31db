/** The gpu backend's device layer in Node: handles, the queue, the choice of an engine, and devices that break on purpose. */
import { afterEach, describe, expect, test } from 'vitest'
import { createGpuBackend } from '../../src/backends/gpu/index.js'
import { type GpuMode, getBackend, tensor } from '../../src/index.js'
import { withoutWebGpu } from '../webgpu-node.js'
import * as checks from './checks.js'

const modes: GpuMode[] = ['webasm', 'cpu', ...(withoutWebGpu ? [] : (['webgpu'] as const))]

describe.each(modes)('%s', (mode) => {
  test('NaN and infinity in the middle of a chain', async () => {
    expect(await checks.notFinite(mode)).toEqual([
      [0, 1, 0, 0, 0],
      [1, 0, 0, 0, 1],
      [1, 0, 1, 1, 1],
    ])
  })

  test('NaN comes out where it went in, and where a function is not defined', async () => {
    expect(await checks.misplacedNaN(mode)).toEqual([])
  })

  test('a bad index throws at the call; one computed on WebGPU at the next read, once', async () => {
    const found = await checks.badIndices(mode)
    expect(found.uploaded).toMatch(/ValueError: .*index 3 at position 1/)
    const [now, later] = mode === 'webgpu' ? ['nothing failed', 'index 3 at position 1'] : ['index 3 at position 1', 'nothing failed']
    expect(found.atCall).toContain(now)
    expect(found.atRead).toContain(later)
    if (mode === 'webgpu') expect(found.atRead).toContain('in op gather with indices [2]')
    expect(found.afterwards).toEqual([1, 2, 3, 4, 5, 6])
    expect(found.good).toEqual([3, 4, 5, 6])
  })

  test('results outlive their kernels in a small cache, and the kernels go with them', async () => {
    const { values, kernels, afterwards } = await checks.evicted(mode)
    expect(values).toEqual([1, 2, 3, 4, 5, 6].map((n) => new Array(n).fill(n * n)))
    expect(kernels).toBe(mode === 'webgpu' ? 12 : 2)
    expect(afterwards.kernels).toBeLessThanOrEqual(3)
  })

  test('rows taken many times', async () => {
    expect(await checks.manyIndices(mode)).toBe(0)
  })

  test('long reductions', async () => {
    expect(await checks.longReductions(mode)).toEqual([])
    if (mode === 'webgpu') expect(await checks.longReductions(mode, { integer: 1000, turns: 500 })).toEqual([])
  })

  test('outputs with a thread dimension for each axis', async () => {
    expect(await checks.wide(mode, 20_000)).toBe(0)
    expect(await checks.long(mode)).toBe(0)
  })

  test('a read gets its values though the kernel falls out of the cache meanwhile, or the backend is disposed of', async () => {
    const gpu = await createGpuBackend({ mode }, { cachedKernels: 1 })
    const x = tensor([1, 2], { backend: gpu })
    const y = x.square()
    const reads = [y.data()]
    y.dispose()
    const z = x.neg()
    reads.push(x.data(), z.data())
    await gpu.dispose?.()
    expect((await Promise.all(reads)).map((values) => [...values])).toEqual([
      [1, 4],
      [1, 2],
      [-1, -2],
    ])
  })

  test('backends come and go', async () => {
    expect(await checks.again(mode, 3)).toEqual([4, 4])
  })
})

describe.skipIf(withoutWebGpu)(`webgpu in Node${withoutWebGpu}`, () => {
  test('more elements than float32 counts', async () => {
    expect(await checks.huge('webgpu')).toBe(0)
  })

  test('calls give no values at once, and reads keep their order', async () => {
    const gpu = await createGpuBackend({ mode: 'webgpu' })
    expect(gpu.readSync).toBeUndefined()
    const x = tensor([1, 2], { backend: gpu })
    const y = x.square()
    x.dispose()
    const z = y.square()
    y.dispose()
    const values = z.data()
    z.dispose()
    expect([...(await values)]).toEqual([1, 16])
    expect(gpu.memory().buffers).toBe(0)
    await gpu.dispose?.()
    expect(() => tensor([1], { backend: gpu })).toThrow(/the backend was disposed of/)
  })

  test('a device lost in the middle: later calls and reads throw, and a new backend works', async () => {
    interface Device {
      destroy(): void
      lost: Promise<unknown>
    }
    let device: Device | undefined
    const loadBinding = async () => {
      const { create } = (await import('webgpu')) as unknown as {
        create(options: string[]): Record<'requestAdapter', () => Promise<object>>
      }
      return {
        create(options: string[]) {
          const gpu = create(options)
          const requestAdapter = gpu.requestAdapter.bind(gpu)
          gpu.requestAdapter = async () => {
            const adapter = (await requestAdapter()) as { requestDevice(options: object): Promise<Device> }
            const requestDevice = adapter.requestDevice.bind(adapter)
            adapter.requestDevice = async (wanted) => {
              device = await requestDevice(wanted)
              return device
            }
            return adapter
          }
          return gpu
        },
      }
    }
    const lose = async () => {
      device?.destroy()
      await device?.lost
    }
    const found = await checks.losing('webgpu', lose, { loadBinding })
    expect(found.before).toEqual([1, 4, 9])
    expect(found.call).toMatch(/^BackendError: .*the WebGPU device is lost/)
    expect(found.read).toMatch(/^BackendError: .*the WebGPU device is lost/)
    expect(found.info).toContain('lost')
    expect(found.fresh).toEqual([0, 4])
  })
})

describe('the choice of an engine', () => {
  afterEach(() => {
    delete process.env.COTANGENT_GPU
  })
  const silent = { loadBinding: async () => ({ create: () => ({ requestAdapter: () => new Promise(() => {}) }) }), adapterTimeout: 30 }

  test('an adapter that does not answer is passed over, or an error when it was asked for', async () => {
    const gpu = await createGpuBackend({}, silent)
    expect(gpu.name).toBe('gpu:webasm')
    expect(gpu.info?.().gpu?.passedOver).toEqual([
      expect.stringMatching(/^webgpu: no WebGPU adapter answered within 0.03 s/),
      expect.stringMatching(/^webgl2: there is no WebGL 2/),
      expect.stringMatching(/^headlessgl: there is no headless-gl/),
    ])
    await gpu.dispose?.()
    await expect(createGpuBackend({ mode: 'webgpu' }, silent)).rejects.toThrow(
      /^gpu: the mode 'webgpu' was asked for, but no WebGPU adapter answered within 0.03 s\.$/,
    )
    expect((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu).toBeUndefined()
  })

  test('no adapter, no package: the reason is given', async () => {
    const none = { loadBinding: async () => ({ create: () => ({ requestAdapter: async () => null }) }) }
    await expect(createGpuBackend({ mode: 'webgpu' }, none)).rejects.toThrow(/there is no adapter/)
    await expect(createGpuBackend({ mode: 'webgpu' }, { loadBinding: () => Promise.reject(new Error('no such package')) })).rejects.toThrow(
      /`webgpu` did not load \(no such package\)/,
    )
    await expect(createGpuBackend({ mode: 'webgpu' }, { loadBinding: async () => ({}) })).rejects.toThrow(/`webgpu` is not installed/)
    expect(await checks.refusal('webgl2')).toMatch(/the mode 'webgl2' was asked for, but there is no WebGL 2/)
    expect(await checks.refusal('vulkan')).toMatch(/gpu: mode must be one of webgpu, .*, got text "vulkan"/)
  })

  test('headless-gl, if there is one that draws into float textures', async () => {
    const none = { loadBinding: async () => ({}) }
    /** gpu.js with the package `gl` installed. A kernel returns its argument; the first kernel returns the turns of its loop. */
    const withGl = (isTextureFloat: boolean) => async () => {
      const gpujs = await import('gpu.js')
      const createKernel = () => {
        const kernel = (input: { value: Float32Array } | number) => {
          if (typeof input === 'number') return Float32Array.of(2 ** 17)
          const { value } = input
          return {
            size: [value.length, 1],
            delete() {},
            renderValues: () => Float32Array.from({ length: 4 * value.length }, (_, i) => (i % 4 === 0 ? value[i / 4] : 0)),
          }
        }
        return Object.assign(kernel, { destroy() {}, kernel: { constructor: { mode: 'gpu' } } })
      }
      class Headless extends gpujs.GPU {
        static override isHeadlessGLSupported = true
        constructor({ mode }: { mode: string }) {
          super({ mode: mode === 'headlessgl' ? 'cpu' : (mode as 'webasm') })
          if (mode === 'headlessgl') Object.assign(this, { createKernel })
        }
      }
      const context = { getParameter: () => 4096, getExtension: () => null, createTexture: () => ({}), deleteTexture() {} }
      const HeadlessGLKernel = { features: { isFloatRead: true, isTextureFloat }, prototype: { initContext: () => context } }
      return { GPU: Headless, Input: gpujs.Input, HeadlessGLKernel }
    }
    const gpu = await createGpuBackend({}, { ...none, load: withGl(true) })
    expect([gpu.name, gpu.info?.().gpu?.passedOver.length]).toEqual(['gpu:headlessgl', 2])
    const x = tensor([1, 2, 3], { backend: gpu })
    expect([...(await x.data())]).toEqual([1, 2, 3])
    x.dispose()
    await gpu.dispose?.()

    const other = await createGpuBackend({}, { ...none, load: withGl(false) })
    expect([other.name, other.info?.().gpu?.passedOver[2]]).toEqual([
      'gpu:webasm',
      'headlessgl: this headless-gl does not draw into float textures',
    ])
    await other.dispose?.()
    expect(await checks.refusal('headlessgl')).toMatch(/'headlessgl' was asked for, but there is no headless-gl/)
  })

  test('by name and by environment, one backend each', async () => {
    const cpu = await getBackend('gpu:cpu')
    expect([cpu.name, cpu.info?.().gpu?.mode]).toEqual(['gpu:cpu', 'cpu'])
    process.env.COTANGENT_GPU = 'cpu'
    expect(await getBackend('gpu')).toBe(cpu)
    expect(await getBackend('gpu')).toBe(cpu)
  })
})
