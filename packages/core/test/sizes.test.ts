/** Sizes must be whole numbers in range. Each is refused before memory is asked for. */
import { afterAll, describe, expect, test } from 'vitest'
import { createGpuBackend } from '../src/backends/gpu/index.js'
import { WasmMemory } from '../src/backends/wasm/engine/memory.js'
import * as c from '../src/index.js'
import { foldWindows, unfoldWindows } from '../src/ops/windows/window.js'
import { newStorage } from '../src/tensor/tensor.js'

const { CotangentError, createReferenceBackend, createWasmBackend, key, scope, tensor, withBackend } = c

const MiB = 2 ** 20
const backends = [createWasmBackend(), createReferenceBackend(), await createGpuBackend({ mode: 'cpu' })]
afterAll(async () => {
  for (const backend of backends) await backend.dispose?.()
})

/** Whether `ones([3]).add(1)` still gives the right values, so whether the engine still works. */
const still = async (backend: c.Backend): Promise<unknown> => {
  const [x, y] = withBackend(backend, () => {
    const ones = c.ones([3])
    return [ones, ones.add(1)]
  })
  const values = await y.array()
  x.dispose()
  y.dispose()
  return values
}

describe.each(backends.map((backend) => [backend.name, backend] as const))('%s', (_, backend) => {
  test.each([Number.NaN, -1, 1.5, Infinity, -Infinity, 2 ** 60])(
    'memory of %d elements is refused, and the byte counts stay right',
    async (size) => {
      const before = backend.memory()
      expect(() => newStorage(backend, size, 'float32')).toThrow(CotangentError)
      expect(backend.memory()).toEqual(before)
      expect(await still(backend)).toEqual([2, 2, 2])
    },
  )
})

test.each([Number.NaN, -1, 1.5, Infinity, 2 ** 60])('a block of %d bytes is refused', (bytes) => {
  const memory = new WasmMemory()
  expect(() => memory.alloc(bytes)).toThrow(`wasm: asked for a block of ${bytes} bytes.`)
  expect(memory.use()).toMatchObject({ buffers: 0, bytes: 0 })
})

const window = { kernelSize: [2, 2], strides: [1, 1], dilation: [1, 1], padBefore: [0, 0], outSize: [1, 1] } as const

test.each(backends)(
  'an op whose rule gives a size that is none fails, says what went in, and leaves the engine whole ($name)',
  async (backend) => {
    const x = c.scalar(2, { backend })
    const before = backend.memory()
    const calls: [() => c.Tensor, string][] = [
      [() => c.layerNorm(x), 'layerNorm'],
      [() => unfoldWindows(x, window), 'unfold'],
      [() => unfoldWindows(x, { ...window, outSize: [-1, 0.5] }), 'unfold'],
      [() => foldWindows(x, [1, Number.NaN, 2, 1], window), 'fold'],
      [() => foldWindows(x, [-2, -3, 1, 1], window), 'fold'],
    ]
    for (const [call, name] of calls) {
      expect(call).toThrow(CotangentError)
      expect(call).toThrow(name)
      expect(backend.memory()).toEqual(before)
      expect(await still(backend)).toEqual([2, 2, 2])
    }
    x.dispose()
  },
)

describe('a tensor that is too large', () => {
  const backend = createWasmBackend({ maximumBytes: 32 * MiB })
  const n = 16 * MiB // elements
  const makers: Record<string, () => unknown> = {
    zeros: () => c.zeros([n], { backend }),
    arange: () => c.arange(0, n, 1, { backend }),
    linspace: () => c.linspace(0, 1, n, { backend }),
    eye: () => c.eye(4096, 4096, { backend }),
    uniform: () => c.uniform(key(1), [n], { backend, low: -1 }),
    normal: () => c.normal(key(1), [n], { backend }),
    truncatedNormal: () => c.truncatedNormal(key(1), [n], { backend }),
    bernoulli: () => c.bernoulli(key(1), [n], 0.5, { backend }),
    oneHot: () => c.oneHot(tensor([0, 1], { dtype: 'int32', backend }), n),
  }
  test.each(Object.entries(makers))('is refused before the host makes its values: %s', (_, make) => {
    scope(() => {
      const before = process.memoryUsage().arrayBuffers
      expect(make).toThrow(/wasm: out of memory: asked for \d+ bytes/)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MiB)
    })
    expect(backend.memory().buffers).toBe(0)
  })

  test('than any memory, too', () => {
    for (const make of [
      () => c.zeros([2 ** 30, 2 ** 30]),
      () => c.eye(2 ** 31),
      () => c.arange(1e300),
      () => c.normal(key(1), [2 ** 31]),
      () => tensor([0]).oneHot(2 ** 31),
      () => c.zeros([2 ** 53], { backend: createReferenceBackend() }),
      () => c.normal(key(1), [2 ** 40], { backend: createReferenceBackend() }),
    ])
      expect(make).toThrow(CotangentError)
  })
})
