/** Dropout is the product with a scaled mask, bit by bit. */
import { describe, expect, test, vi } from 'vitest'
import { make, onReference, valuesOf } from '../../../test/helpers.js'
import { bernoulli, createReferenceBackend, createWasmBackend, dropout, grad, key, type Tensor, tensor } from '../../index.js'

const x = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => (i % 7 === 0 ? 0 : i % 2 === 0 ? -i / 3 : i / 3))
const composed = (draw: readonly [number, number], t: Tensor, rate: number): Tensor =>
  t.mul(bernoulli(draw, t.shape, 1 - rate, { dtype: t.dtype, backend: t.backend }).mul(1 / (1 - rate)))

describe('dropout', () => {
  const [wasm, reference] = [createWasmBackend({ threads: 1 }), createReferenceBackend()]
  test.each([
    [0, 0.5],
    [5, 0.3],
    [1003, 0.3],
    [4096, 0.75],
    [64, 0],
  ])('%i elements, rate %f: the bits of the composition, forwards and backwards', (n, rate) => {
    const input = tensor(x(n), { backend: wasm })
    const [got, want] = [dropout, composed].map((f) => valuesOf(f(key(7), input, rate)))
    expect(got.every((value, i) => Object.is(value, want[i]))).toBe(true)
    const [dX, dWant] = [dropout, composed].map((f) => valuesOf(grad((t: Tensor) => f(key(7), t, rate).square().sum())(input)))
    expect(dX).toEqual(dWant)
  })
  test('drops the same elements on the reference, and NaN and infinity as a product does', () => {
    const special = [Number.NaN, Infinity, -Infinity, -0, 1, 2, 3, -4]
    const [got, want] = [wasm, reference].map((backend) => valuesOf(dropout(key(11), tensor(special, { backend }), 0.5)))
    expect(got).toEqual(want)
  })
  test('is one kernel for the mask and one for the product, forwards, and one backwards', () => {
    const fused = wasm.fused as Required<typeof wasm.fused>
    const [bernoulliCalls, scaleCalls] = [vi.spyOn(fused, 'bernoulli'), vi.spyOn(fused, 'maskedScale')]
    valuesOf(grad((t: Tensor) => dropout(key(5), t, 0.5).sum())(tensor(x(64), { backend: wasm })))
    expect([bernoulliCalls.mock.calls.length, scaleCalls.mock.calls.length]).toEqual([1, 2])
    vi.restoreAllMocks()
  })
  test('keeps the mean and the share', () => {
    const values = valuesOf(dropout(key(3), tensor(new Float32Array(40_000).fill(1), { backend: wasm }), 0.25))
    const kept = values.filter((value) => value !== 0)
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]))
    expect(Math.abs(kept.length / 40_000 - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 40_000)) // five standard deviations
  })
  test('names what is wrong', () => {
    onReference(() => {
      expect(() => dropout(key(1), make([1]), 1)).toThrow(/dropout: rate must be a number/)
      expect(() => dropout(7 as never, make([1]), 0.5)).toThrow(/dropout: expected a random key/)
      expect(() => dropout(key(1), tensor([1], { dtype: 'int32' }), 0.5)).toThrow(/dropout: x/)
    })
  })
})
