/** The primitive `host`: a function in TypeScript as an op, on every backend, in its turn among kernels. */
import { afterAll, describe, expect, test } from 'vitest'
import {
  type Backend,
  compileStep,
  createGpuBackend,
  createReferenceBackend,
  createWasmBackend,
  defineOp,
  registry,
  scope,
  type Tensor,
  tensor,
  writeTensor,
} from '../src/index.js'
import { withoutWebGpu } from './webgpu-node.js'

const sorted = defineOp<object>({
  name: 'testSorted',
  rule: '(none)',
  shape: ([x]) => x,
  forward: (k, out, [x]) => k.host(out, [x], (y, [values]) => void y.set(values.toSorted())),
  vjp: 'a test needs none',
  samples: [],
})
const places = defineOp<object>({
  name: 'testPlaces',
  rule: '(none)',
  shape: ([x]) => ({ shape: x.shape, dtype: 'int32' }),
  // The position of each value of `of` in x, or -1.
  forward: (k, out, [x, of]) =>
    k.host(out, [x, of], (y, [values, wanted]) => {
      for (let i = 0; i < y.length; i++) y[i] = values.indexOf(wanted[i])
    }),
  vjp: 'a test needs none',
  samples: [],
})
afterAll(() => {
  for (const name of ['testSorted', 'testPlaces']) registry.delete(name)
})

const backends: [string, () => Backend | Promise<Backend>, string?][] = [
  ['reference', createReferenceBackend],
  ['wasm', createWasmBackend],
  ['gpu: cpu', () => createGpuBackend({ mode: 'cpu' })],
  ['gpu: webasm', () => createGpuBackend({ mode: 'webasm' })],
  ['gpu: webgpu', () => createGpuBackend({ mode: 'webgpu' }), withoutWebGpu],
]

describe.each(backends)('%s', (_, make, without = '') => {
  test.skipIf(without)(`between kernels, with floats and whole numbers${without}`, async () => {
    const backend = await make()
    const y = scope(() => {
      const x = tensor(
        [
          [3, 1],
          [2, -0.5],
        ],
        { backend },
      ).mul(2)
      return sorted([x], {}).add(1)
    })
    expect(await y.array()).toEqual([
      [0, 3],
      [5, 7],
    ])
    const at = scope(() =>
      places([tensor([5, 6, 7], { dtype: 'int32', backend }), tensor([7, 5, 9], { dtype: 'int32', backend })], {}).mul(10),
    )
    expect([at.dtype, await at.array()]).toEqual(['int32', [20, 0, -10]])
    const nothing = scope(() => sorted([tensor([], { backend })], {}))
    expect(await nothing.array()).toEqual([])
    await backend.dispose?.()
  })
})

describe.each(backends)('writeTensor on %s', (_, make, without = '') => {
  test.skipIf(without)(`gives what was written, and nothing is left of a write that failed${without}`, async () => {
    const backend = await make()
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      if (!backend.dtypes.has(dtype)) continue
      const x = writeTensor([2, 3], (values) => values.set([1, 0, 1, 1, 0, 1]), { dtype, backend })
      expect([x.shape, x.dtype, [...(await x.data())]]).toEqual([[2, 3], dtype, [1, 0, 1, 1, 0, 1]])
      x.dispose()
    }
    const { buffers } = backend.memory()
    const fails = (): void => {
      throw new Error('no')
    }
    expect(() => writeTensor([4], fails, { backend })).toThrow('no')
    expect(() => writeTensor([4], async (values) => void values.fill(1), { backend })).toThrow('Promise')
    expect(() => writeTensor([-1], () => {}, { backend })).toThrow('writeTensor')
    expect(backend.memory().buffers).toBe(buffers)
    await backend.dispose?.()
  })
})

test('what a compiled step writes is there in each step', async () => {
  const backend = createWasmBackend()
  const step = compileStep((x: Tensor) => x.mul(writeTensor([3], (values) => values.set([1, 2, 3]), { backend })))
  for (let i = 0; i < 5; i++) {
    const [x, other] = [tensor([i, 1, 1], { backend }), tensor([7, 7, 7], { backend })]
    const y = step(x)
    expect([...(await y.data())]).toEqual([i, 2, 3])
    for (const t of [x, y, other]) t.dispose()
  }
  expect(step.info().recorded).toBe(true)
  step.dispose()
})
