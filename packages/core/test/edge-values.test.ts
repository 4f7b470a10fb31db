/** The values at the edges (edge-values.ts) on the reference and on wasm, and what is refused there. */
import { describe, expect, test } from 'vitest'
import {
  createReferenceBackend,
  createWasmBackend,
  cumSum,
  grad,
  gruSequence,
  lstmSequence,
  mean,
  prod,
  scope,
  simpleRnnSequence,
  sum,
  type Tensor,
  tensor,
} from '../src/index.js'
import { edgeValues, wrongValues, zeroSigns } from './edge-values.js'

describe.each([
  ['reference', createReferenceBackend()],
  ['wasm', createWasmBackend()],
  ['wasm without relaxed SIMD', createWasmBackend({ relaxedSimd: false })],
])('%s', (_, backend) => {
  test('values at the edges', async () => expect(await wrongValues(edgeValues, backend)).toEqual([]))
  test('signs of zeros', async () => expect(await wrongValues(zeroSigns, backend, true)).toEqual([]))

  const ints = (values: unknown) => tensor(values as number[], { dtype: 'int32', backend })
  const beyond = /is beyond int32, which holds −2147483648 to 2147483647\. Cast first: x\.cast\('float32'\)/

  test('whole numbers whose sum, product or running sum is no int32 are refused', () => {
    const before = backend.memory().buffers
    scope(() => {
      expect(() => sum(ints([2e9, 2e9]))).toThrow(beyond)
      expect(() => sum(ints([-2e9, -2e9]))).toThrow(/^sum: the result/)
      expect(() =>
        sum(
          ints([
            [1, 2, 3, 4, 2e9],
            [1, 2, 3, 4, 2e9],
          ]),
          { axis: 0 },
        ),
      ).toThrow(beyond) // a column beyond the last multiple of four
      expect(() =>
        sum(
          ints([
            [2e9, 1, 1, 1],
            [2e9, 1, 1, 1],
          ]),
          { axis: 0 },
        ),
      ).toThrow(beyond)
      expect(() => prod(ints([65536, 65536]))).toThrow(/^prod: the result/)
      expect(() => cumSum(ints([2e9, 2e9, -2e9]))).toThrow(/^cumSum: the result/)
      expect(() =>
        cumSum(
          ints([
            [1, 1, 1],
            [1, 1, 2e9],
            [1, 1, 2e9],
          ]),
          { axis: 0 },
        ),
      ).toThrow(beyond)
    })
    expect(backend.memory().buffers, 'leaked memory').toBe(before)
  })

  test('a sum or product that leaves int32 only on the way is exact', async () => {
    const results = scope(() => [
      sum(ints([2e9, 2e9, -2e9, -1_999_999_999])),
      sum(ints([-(2 ** 31), 0])),
      prod(ints([65536, 65536, 0])),
      prod(ints(Array.from({ length: 40 }, (_, i) => (i === 39 ? 0 : 2e9)))), // 2e9³⁹ is beyond float64
      prod(ints([-32768, 65536])),
      cumSum(ints([2e9, 2e9]), { exclusive: true }),
      cumSum(ints([2e9, -2e9, 2e9])),
    ])
    const values = await Promise.all(results.map(async (y) => [...(await y.data())]))
    for (const y of results) y.dispose()
    expect(values).toEqual([[1], [-(2 ** 31)], [0], [0], [-(2 ** 31)], [0, 2e9], [2e9, 0, 2e9]])
  })
})

describe.each([createReferenceBackend(), createWasmBackend()])('$name', (backend) => {
  test.each([
    ['lstmSequence', 4, lstmSequence],
    ['gruSequence', 3, gruSequence],
    ['simpleRnnSequence', 1, simpleRnnSequence],
  ] as const)('%s: the value of x at a masked step reaches nothing, even if it is NaN', async (_, gates, sequence) => {
    const x = Float32Array.from({ length: 2 * 3 * 2 }, (_, i) => Math.sin(i))
    const weights = (rows: number) =>
      Array.from({ length: rows }, (_, i) => Array.from({ length: 2 * gates }, (_, j) => Math.cos(3 * i + j)))
    const run = async (atMask: number): Promise<number[][]> => {
      const values = x.slice()
      values.fill(atMask, 8, 10) // the second sample's second step
      const results = scope(() => {
        const inputs = [tensor(values, { shape: [2, 3, 2], backend }), tensor(weights(2), { backend }), tensor(weights(2), { backend })]
        const mask = tensor(
          [
            [true, true, true],
            [true, false, true],
          ],
          { dtype: 'bool', backend },
        )
        const h = (a: Tensor, w: Tensor, u: Tensor): Tensor => sequence(a, w, u, undefined, { mask }).outputs as Tensor
        const [a, w, u] = inputs
        return [h(a, w, u), ...grad((a: Tensor, w: Tensor, u: Tensor) => h(a, w, u).square().sum())(a, w, u)]
      })
      const read = await Promise.all(results.map(async (y) => [...(await y.data())]))
      for (const y of results) y.dispose()
      return read
    }
    const clean = await run(0)
    expect(clean.flat().every(Number.isFinite)).toBe(true)
    expect(await run(Number.NaN)).toEqual(clean)
    expect(await run(Infinity)).toEqual(clean)
  })
})

test('nine million bytes of 255 have the mean 255, and their sum is refused', async () => {
  const backend = createWasmBackend()
  using light = tensor(new Uint8Array(9_000_000).fill(255), { dtype: 'uint8', backend })
  using average = mean(light)
  expect(await average.data()).toEqual(Float32Array.of(255))
  expect(() => sum(light)).toThrow('beyond int32')
})
