/** Fourier transforms of many lengths against the definition and against each other, and what they refuse. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as c from '../../index.js'
import { planReal } from './real-transform.js'
import { type Complex, complexArray, rootOfUnity } from './roots.js'
import { planTransform } from './transform.js'

/** Σ x[j]·e^(−2πi·jk/n) for one k. */
function definition([xr, xi]: Complex, k: number): [number, number] {
  let [re, im] = [0, 0]
  for (let j = 0; j < xr.length; j++) {
    const angle = (-2 * Math.PI * ((j * k) % xr.length)) / xr.length
    re += xr[j] * Math.cos(angle) - xi[j] * Math.sin(angle)
    im += xr[j] * Math.sin(angle) + xi[j] * Math.cos(angle)
  }
  return [re, im]
}

/** Numbers in [−1, 1) that depend on the seed alone. */
const drawn = (n: number, seed: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => c.threefry2x32([seed, 0], [i, 0])[0] / 2 ** 31 - 1)

test('roots of unity are near those of Math, and symmetric to the bit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 26 }), fc.nat({ max: 2 ** 26 }), (n, k) => {
      const [re, im] = rootOfUnity(k % n, n)
      const angle = (-2 * Math.PI * (k % n)) / n // rounded twice, so that it is off by up to 9e-16 itself
      expect(Math.abs(re - Math.cos(angle)) + Math.abs(im - Math.sin(angle))).toBeLessThan(3e-15)
      // At odd eighths of a turn the two come from different quarters.
      if ((8 * k) % n > 0) expect(rootOfUnity(n - (k % n), n).map((v) => v + 0)).toEqual([re + 0, 0 - im])
    }),
    { numRuns: 2000 },
  )
  expect([0, 1, 2, 3].map((k) => rootOfUnity(k, 4).map((v) => v + 0))).toEqual([
    [1, 0],
    [0, -1],
    [-1, 0],
    [0, 1],
  ])
})

describe('every length', () => {
  // All small ones, products of large factors, primes beyond the largest factor, and squares of such.
  const lengths = [...Array.from({ length: 70 }, (_, i) => i + 1), 31 * 29, 2 * 31 * 3, 961, 37 * 37, 1009, 2048, 3 * 5 * 7 * 11, 4099]
  test.each(lengths)('n = %i', (n) => {
    const x: Complex = [drawn(n, 1), drawn(n, 2)]
    const y = complexArray(n)
    planTransform(n)([x[0].slice(), x[1].slice()], y)
    const step = Math.ceil(n / 100)
    for (let k = 0; k < n; k += step) {
      const [re, im] = definition(x, k)
      expect(Math.abs(y[0][k] - re) + Math.abs(y[1][k] - im)).toBeLessThan(1e-13 * n)
    }
    const half = complexArray(Math.floor(n / 2) + 1)
    planReal(n).forward(x[0], half)
    for (let k = 0; k < half[0].length; k += step) {
      const [re, im] = definition([x[0], new Float64Array(n)], k)
      expect(Math.abs(half[0][k] - re) + Math.abs(half[1][k] - im)).toBeLessThan(1e-13 * n)
    }
  })

  test('2¹⁸ and a prime near it, at some frequencies, in float32', async () => {
    const wasm = c.createWasmBackend()
    for (const n of [2 ** 18, 262139]) {
      const host: Complex = [drawn(n, 3).map(Math.fround), drawn(n, 4).map(Math.fround)]
      const { real, imag } = c.scope(() => {
        const [re, im] = host.map((values) => c.tensor(values, { backend: wasm }))
        return c.fft(re, im)
      })
      const [re, im] = [await real.data(), await imag.data()]
      for (const k of [0, 1, 1000, 131071, n - 1]) {
        const [wantRe, wantIm] = definition(host, k)
        expect(Math.hypot(re[k] - wantRe, im[k] - wantIm)).toBeLessThan(1e-6 * Math.sqrt(n))
      }
      real.dispose()
      imag.dispose()
    }
  })
})

describe('laws', () => {
  const reference = c.createReferenceBackend()
  const signals = fc
    .integer({ min: 1, max: 100 })
    .chain((n) => fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n }))
  const on = (f: () => c.Tensor): number => {
    const values = c.withBackend(reference, () => c.scope(() => reference.readSync?.(f().storage)))
    return Math.max(0, ...Array.from(values ?? [Number.NaN], Math.abs))
  }
  const signal = (values: number[]): c.Tensor => c.tensor(values, { dtype: 'float64' })

  test('ifft undoes fft, and irfft undoes rfft', () => {
    fc.assert(
      fc.property(signals, (values) => {
        const complex = on(() => {
          const { real, imag } = c.fft(signal(values), signal([...values].reverse()))
          const back = c.ifft(real, imag)
          return c.concat([back.real.sub(signal(values)), back.imag.sub(signal([...values].reverse()))])
        })
        const halved = on(() => {
          const { real, imag } = c.rfft(signal(values))
          return c.irfft(real, imag, { n: values.length }).sub(signal(values))
        })
        expect(Math.max(complex, halved)).toBeLessThan(1e-13)
      }),
      { numRuns: 60, seed: 1 },
    )
  })
  test('the energy of a spectrum is n times that of the signal (Parseval)', () => {
    fc.assert(
      fc.property(signals, (values) => {
        const difference = on(() => {
          const { real, imag } = c.fft(signal(values), signal(values))
          return real.square().add(imag.square()).sum().div(values.length).sub(signal(values).square().sum().mul(2))
        })
        expect(difference).toBeLessThan(1e-12)
      }),
      { numRuns: 30, seed: 2 },
    )
  })
})

describe('refusals', () => {
  test('say what to do', () => {
    expect(() => c.fft(c.ones([3]), c.ones([4]))).toThrow('fft: real and imaginary part have different shapes')
    expect(() => c.fft(c.scalar(1), c.scalar(1))).toThrow('fft: axis -1 is out of range')
    expect(() => c.rfft(c.zeros([2, 0]))).toThrow(/^rfft: the length n must be a whole number.*got 0/)
    expect(() => c.irfft(c.ones([1]), c.ones([1]))).toThrow(/^irfft: the length n must be a whole number.*got 0/)
    expect(() => c.fft2(c.ones([2, 2]), c.ones([2, 2]), { axes: [1, -1] })).toThrow('fft2: axes [1, -1] name one axis twice.')
    expect(() => c.stft(c.ones([3]), { sequenceLength: 8, sequenceStride: 2 })).toThrow('stft: the signal has 3 elements, it needs')
    expect(() => c.stft(c.ones([30]), { sequenceLength: 8, sequenceStride: 2, window: c.ones([7]) })).toThrow('stft: the window must have')
  })
})

test('an infinity stays in its row', async () => {
  const { real, imag } = c.rfft(
    c.tensor([
      [1, 2, Infinity, 4],
      [1, 2, 3, 4],
    ]),
  )
  expect(Array.from(await real.data()).slice(3)).toEqual([10, -2, -2])
  for (const x of [real, imag]) x.dispose()
})

test('a window that is a tensor has a gradient', async () => {
  const reference = c.createReferenceBackend()
  const report = await c.gradCheck(
    (x, window) => {
      const { real, imag } = c.stft(x, { sequenceLength: 4, sequenceStride: 3, fftLength: 6, window })
      return real.square().add(imag).sum()
    },
    c.withBackend(reference, () => [c.normal(c.key(1), [2, 9], { dtype: 'float64' }), c.normal(c.key(2), [4], { dtype: 'float64' })]),
  )
  expect(report.checked).toBe(22)
})
