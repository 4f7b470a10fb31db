/** Random draws by their moments, with fixed keys: a mean of n values is within five standard errors σ/√n, a variance within five of its own. */
import { describe, expect, test } from 'vitest'
import { make, reference, valuesOf } from '../../../test/helpers.js'
import { beta, categorical, gamma, grad, key, poisson, randomInteger, sampleLogits, shuffle, type Tensor, tensor } from '../../index.js'

const n = 20000

/** Compares mean and variance; `kurtosis` is the fourth central moment over the variance squared. */
function expectMoments(x: Tensor, mean: number, variance: number, kurtosis: number): void {
  const values = valuesOf(x)
  const m = values.reduce((a, b) => a + b, 0) / n
  const v = values.reduce((a, b) => a + (b - m) ** 2, 0) / n
  expect(values).toHaveLength(n)
  expect(Math.abs(m - mean)).toBeLessThan(5 * Math.sqrt(variance / n))
  expect(Math.abs(v - variance)).toBeLessThan(5 * variance * Math.sqrt((kurtosis - 1) / n))
}
const shares = (values: number[], count: number): number[] =>
  Array.from({ length: count }, (_, i) => values.filter((v) => v === i).length / values.length)

test.each([0.1, 0.7, 1, 2.5, 40])('gamma of shape %s', (alpha) => {
  expectMoments(gamma(key(1), [n], alpha), alpha, alpha, 3 + 6 / alpha)
})
test.each([
  [0.5, 0.5],
  [2, 5],
  [0.001, 0.001],
])('beta of %s and %s', (a, b) => {
  const x = beta(key(2), [n], a, b)
  const s = a + b
  const kurtosis = 3 + (6 * ((a - b) ** 2 * (s + 1) - a * b * (s + 2))) / (a * b * (s + 2) * (s + 3))
  expectMoments(x, a / s, (a * b) / (s * s * (s + 1)), kurtosis)
  expect(valuesOf(x).every((v) => v >= 0 && v <= 1)).toBe(true)
})
test.each([0.3, 4, 9.9, 10, 60, 5000])('poisson of rate %s', (rate) => {
  const x = poisson(key(3), [n], rate)
  expect(x.dtype).toBe('int32')
  expectMoments(x, rate, rate, 3 + 1 / rate)
})
test('poisson has the frequencies of its formula', () => {
  for (const rate of [3, 12]) {
    const got = shares(valuesOf(poisson(key(4), [n], rate)), 40)
    let p = Math.exp(-rate)
    for (let k = 0; k < 40; p *= rate / ++k) expect(Math.abs(got[k] - p)).toBeLessThan(5 * Math.sqrt(p / n) + 5 / n)
  }
  expect(valuesOf(poisson(key(4), [3], 0))).toEqual([0, 0, 0])
})
test('randomInteger takes each number equally often, and the whole range', () => {
  for (const share of shares(valuesOf(randomInteger(key(5), [n], 0, 7)), 7)) {
    expect(Math.abs(share - 1 / 7)).toBeLessThan(5 * Math.sqrt(1 / 7 / n))
  }
  const wide = valuesOf(randomInteger(key(5), [n], -(2 ** 31), 2 ** 31))
  expect(Math.min(...wide)).toBeLessThan(-(2 ** 31) * 0.999)
  expect(Math.max(...wide)).toBeGreaterThan(2 ** 31 * 0.999)
  expect(() => randomInteger(key(5), [1], 3, 3)).toThrow(/randomInteger: there is no whole number from 3 to below 3/)
})
test('categorical and sampleLogits draw with the probabilities of softmax', () => {
  const p = [0.1, 0.6, 0, 0.3]
  const logits = tensor(p.map(Math.log)).broadcastTo([n, 4])
  for (const draws of [categorical(key(6), logits), sampleLogits(key(7), logits)]) {
    expect([draws.dtype, draws.shape]).toEqual(['int32', [n]])
    for (const [i, share] of shares(valuesOf(draws), 4).entries())
      expect(Math.abs(share - p[i])).toBeLessThanOrEqual(5 * Math.sqrt(p[i] / n))
  }
  expect(valuesOf(categorical(key(6), tensor([-Infinity, 0])))).toEqual([1])
  expect(new Set(valuesOf(sampleLogits(key(8), logits, { topK: 2 })))).toEqual(new Set([1, 3]))
})
test('shuffle keeps the entries, and sends gradients back to them', () => {
  const x = make([0, 1, 2, 3, 4, 5], [3, 2])
  const y = shuffle(key(9), x, { axis: 0 })
  expect(valuesOf(y)).not.toEqual(valuesOf(x))
  expect(valuesOf(y).toSorted()).toEqual(valuesOf(x))
  const weights = make([1, 2, 3])
  const slope = grad((t: Tensor) => shuffle(key(9), t).mul(weights).sum())(make([0, 0, 0]))
  expect(valuesOf(slope.mul(shuffle(key(9), make([0, 1, 2]))).sum()).length).toBe(1)
  expect(valuesOf(slope).toSorted()).toEqual([1, 2, 3])
})
describe('a draw', () => {
  test('is a pure function of its key and position: a longer one begins the same', () => {
    const draws = (count: number) => [gamma(key(1), [count], 0.5), beta(key(1), [count], 2, 3), poisson(key(1), [count], 30)].map(valuesOf)
    for (const [i, long] of draws(9).entries()) expect(long.slice(0, 4)).toEqual(draws(4)[i])
    expect(valuesOf(gamma(key(1), [4], 2))).not.toEqual(valuesOf(gamma(key(2), [4], 2)))
  })
  test('is the same on every backend, in float64 where there is one', () => {
    const exact = valuesOf(gamma(key(1), [5], 2, { backend: reference, dtype: 'float64' }))
    expect(valuesOf(gamma(key(1), [5], 2))).toEqual(exact.map(Math.fround))
  })
})
