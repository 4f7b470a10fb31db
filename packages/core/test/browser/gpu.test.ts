/** The gpu backend on a browser's devices: WebGL 2 and WebGPU, both in software. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GpuMode, registry } from '../../src/index.js'
import type * as there from './gpu-page.js'
import { gpuFlags, type OpenPage, openSite, type Site, withoutChromium } from './harness.js'

const ops = [...registry.values()].filter((op) => op.samples.length > 0)
/** Remarks of drivers about speed, which the console may show. */
const remarks = /GL Driver Message|GPU stall/

describe.skipIf(withoutChromium)(`the gpu backend in Chromium${withoutChromium}`, () => {
  let site: Site<typeof there>
  beforeAll(async () => {
    site = await openSite(new URL('./gpu-page.ts', import.meta.url), { flags: gpuFlags })
  })
  afterAll(() => site?.close())

  async function inPage<R>(work: (page: OpenPage<typeof there>) => Promise<R>, said: unknown[] = []): Promise<R> {
    const page = await site.open()
    try {
      const result = await work(page)
      expect(page.said.filter((line) => !remarks.test(line))).toEqual(said)
      return result
    } finally {
      await page.close()
    }
  }

  test.each<GpuMode>(['webgl2', 'webgpu'])(
    'the op sweep on %s',
    async (mode) => {
      const found = await inPage((page) => page.call('sweep', mode))
      expect(found).toEqual({ mode, ops: ops.length, cases: expect.any(Number), wrong: [], buffers: 0 })
    },
    1_200_000,
  )

  describe.each<GpuMode>(['webgl2', 'webgpu'])('%s', (mode) => {
    test('NaN and infinity, bad indices, evicted kernels, backends in a row', () =>
      inPage(async (page) => {
        expect(await page.call('notFinite', mode)).toEqual([
          [0, 1, 0, 0, 0],
          [1, 0, 0, 0, 1],
          [1, 0, 1, 1, 1],
        ])
        expect(await page.call('misplacedNaN', mode)).toEqual([])
        const indices = await page.call('badIndices', mode)
        expect(indices.uploaded).toMatch(/ValueError: .*index 3 at position 1/)
        expect(mode === 'webgpu' ? indices.atRead : indices.atCall).toContain('index 3 at position 1')
        expect(indices).toMatchObject({ afterwards: [1, 2, 3, 4, 5, 6], good: [3, 4, 5, 6] })
        const { values, kernels, afterwards } = await page.call('evicted', mode)
        expect(values).toEqual([1, 2, 3, 4, 5, 6].map((n) => new Array(n).fill(n * n)))
        expect(kernels).toBe(12)
        expect(afterwards.kernels).toBeLessThanOrEqual(3)
        expect(await page.call('again', mode, 20)).toEqual([361, 4])
      }))

    test('rows taken many times', () => inPage(async (page) => expect(await page.call('manyIndices', mode)).toBe(0)))

    test('long reductions', () => inPage(async (page) => expect(await page.call('longReductions', mode)).toEqual([])))

    test('outputs wider than a texture, and more elements than float32 counts', () =>
      inPage(async (page) => {
        expect(await page.call('wide', mode, 20_000)).toBe(0)
        expect(await page.call('long', mode)).toBe(0)
        // Without folding this happens.
        if (mode === 'webgl2') await expect(page.call('wide', mode, 20_000, true)).rejects.toThrow(/larger than/)
        expect(await page.call('huge', mode)).toBe(0)
      }))
  })

  test('a lost WebGL context: later calls and reads throw, and a new backend works', () =>
    inPage(async (page) => {
      const found = await page.call('loseWebGl')
      expect(found).toMatchObject({ before: [1, 4, 9], fresh: [0, 4], info: expect.stringContaining('took the WebGL context away') })
      for (const message of [found.call, found.read]) expect(message).toMatch(/^BackendError: .*took the WebGL context away/)
    }))

  test('a lost WebGPU device: the same', () =>
    inPage(async (page) => {
      const found = await page.call('loseWebGpu')
      expect(found).toMatchObject({ before: [1, 4, 9], fresh: [0, 4], info: expect.stringContaining('device is lost') })
      for (const message of [found.call, found.read]) expect(message).toMatch(/^BackendError: .*device is lost/)
    }))

  test('WebGPU is taken before WebGL 2, which is taken when no adapter answers; the page keeps its own GPU', () =>
    inPage(async (page) => {
      expect(await page.call('chosen')).toMatchObject({ mode: 'webgpu', passedOver: [], adapter: expect.stringContaining('swiftshader') })
      expect(await page.call('nativeGpu')).toBe(true)
      await page.call('silenceAdapter')
      expect(await page.call('chosen', 50)).toMatchObject({
        mode: 'webgl2',
        passedOver: [expect.stringContaining('answered within 0.05 s')],
      })
      expect(await page.call('refusal', 'webgpu', 50)).toMatch(/^BackendError: gpu: the mode 'webgpu' was asked for, but no WebGPU adapter/)
    }))
})
