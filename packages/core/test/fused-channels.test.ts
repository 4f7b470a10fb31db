/** The fused kernels of normalisation, for any number of rows and channels, against float64 and against their compositions. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as c from '../src/index.js'
import { alive, near, reference, valuesOf, wasm } from './helpers.js'

const on = (backend: c.Backend, f: () => c.Tensor): number[] => c.withBackend(backend, () => c.scope(() => valuesOf(f())))

/** Numbers of rows that do and do not fill wide rows, and groups of 512 wide rows. */
const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 })),
  fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 3 })),
  fc.tuple(fc.integer({ min: 500, max: 1100 }), fc.constantFrom(16, 32, 48)),
)

describe('moments', () => {
  test('differ from float64 by a few roundings, however far the mean is from 0', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(0, 3, -100, 1000), fc.nat(), ([rows, channels], shift, seed) => {
        const x = on(reference, () => c.add(c.normal(c.key(seed), [rows, channels]), shift))
        const exact = Float64Array.from(x, Math.fround)
        const got = on(wasm, () => c.moments(c.tensor(x, { shape: [rows, channels] })))
        for (let channel = 0; channel < channels; channel++) {
          let [mean, variance] = [0, 0]
          for (let i = channel; i < exact.length; i += channels) mean += exact[i] / rows
          for (let i = channel; i < exact.length; i += channels) variance += (exact[i] - mean) ** 2 / rows
          // A sum of 512 differences has an error of about 2^-24·√512 = 1.3e-6 of the deviation; the mean is rounded once more.
          expect(Math.abs(got[channel] - mean)).toBeLessThan(4e-6 + 2 ** -24 * Math.abs(mean))
          expect(Math.abs(got[channels + channel] - variance)).toBeLessThan(1e-5 * (variance + 0.1))
        }
      }),
      { numRuns: 40 },
    )
  })
})

test('an infinity or a NaN stays in its channel; a constant has variance 0', () => {
  const x = Array.from({ length: 300 }, (_, i) => (i === 30 ? Infinity : i === 61 ? NaN : 0.1))
  const got = [wasm, reference].map((backend) => on(backend, () => c.moments(c.tensor(x, { shape: [100, 3] }))))
  expect(got[0][0]).toBe(Infinity)
  expect([1, 3, 4].map((i) => got[0][i])).toEqual([NaN, NaN, NaN])
  expect(got[0][2]).toBeCloseTo(0.1, 7)
  expect(got[0][5]).toBeGreaterThanOrEqual(0)
  expect(got[0][5]).toBeLessThan(1e-15)
  expect(near(got[0], got[1], 1e-6)).toBe(true)
})

describe('batch normalisation', () => {
  test('and its derivatives in training equal the composition', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), ([rows, channels], seed) => {
        const normalised = (x: c.Tensor, gamma: c.Tensor, beta: c.Tensor): c.Tensor => {
          const [mean, variance] = c.split(c.moments(x), 2, 0).map((row) => row.reshape([channels]))
          return c.batchNorm(x, mean, variance, { gamma, beta })
        }
        const before = alive(wasm)
        const [got, want] = [wasm, reference].map((backend) =>
          on(backend, () => {
            const draw = (i: number, shape: number[]): c.Tensor => c.normal(c.key(seed + i), shape)
            const inputs = [draw(0, [rows, channels]), draw(1, [channels]), draw(2, [channels])]
            const { value, grads } = c.vjp((...[x, g, b]: c.Tensor[]) => normalised(x, g, b), inputs, draw(3, [rows, channels]))
            return c.concat([value, ...grads].map((t) => t.reshape([t.size])))
          }),
        )
        // Sums of up to 20 000 terms of either sign, relative to the root of their number.
        if (!near(got, want, 2e-6 * Math.sqrt(rows) + 1e-4)) expect(got).toEqual(want)
        expect(alive(wasm)).toEqual(before)
      }),
      { numRuns: 15 },
    )
  })
})
