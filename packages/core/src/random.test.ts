/** Random numbers: Threefry's published vectors, keys, and the distributions by statistics with fixed keys. */
import { describe, expect, test } from 'vitest'
import { reference, valuesOf, wasm } from '../test/helpers.js'
import { bernoulli, type Key, key, normal, permutation, scope, type Tensor, threefry2x32, truncatedNormal, uniform } from './index.js'
import { fold, split } from './random.js'

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(8, '0')).join(' ')

describe('Threefry-2x32, 20 rounds', () => {
  // kat_vectors of the Random123 distribution (Salmon et al. 2011).
  test.each([
    ['zeros', [0, 0], [0, 0], '6b200159 99ba4efe'],
    ['ones', [0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '1cb996fc bb002be7'],
    ['digits of pi', [0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], 'c4923a9c 483df7a0'],
  ] as const)('known answer: %s', (_, k, counter, want) => {
    expect(hex(threefry2x32(k, counter))).toBe(want)
  })
  test('signed and unsigned words are the same key', () => {
    expect(threefry2x32([-1, -1], [-1, -1])).toEqual(threefry2x32([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]))
  })
})

describe('keys', () => {
  test('seeds up to 2^53 − 1 give different keys; anything else is an error', () => {
    const seeds = [0, 1, 2, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]
    expect(new Set(seeds.map((s) => hex(key(s)))).size).toBe(seeds.length)
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => key(bad)).toThrow(/seed must be a whole number/)
  })
  test('split and fold give keys that are all different from each other and from their origin', () => {
    const root = key(1)
    const keys: Key[] = [root, ...split(root, 100), ...split(fold(root, 7), 100), ...split(key(2), 100)]
    // fold(root, 7) is split(root)[7] by definition; the others are all new
    expect(new Set(keys.map(hex)).size).toBe(301)
    expect(split(root, 10)[7]).toEqual(fold(root, 7))
  })
  test('fold depends on the index alone, not on how many were asked for', () => {
    expect(split(key(3), 2)).toEqual(split(key(3), 5).slice(0, 2))
  })
  test('streams of sibling keys are uncorrelated', () => {
    const n = 4096
    const streams = [key(9), ...split(key(9), 3), key(10)].map((k) => valuesOf(uniform(k, [n], { backend: reference })))
    for (let i = 0; i < streams.length; i++) {
      for (let j = 0; j < i; j++) {
        const correlation = streams[i].reduce((s, x, k) => s + (x - 0.5) * (streams[j][k] - 0.5), 0) / (n / 12)
        expect(Math.abs(correlation), `${i} with ${j}`).toBeLessThan(5 / Math.sqrt(n))
      }
    }
  })
})

/** Σ (observed − expected)² / expected. */
const chiSquare = (counts: readonly number[], expected: number): number => counts.reduce((s, c) => s + (c - expected) ** 2 / expected, 0)

describe('permutation', () => {
  test.each([0, 1, 2, 17, 1000])('of %i holds every number once', (n) => {
    expect([...permutation(key(n), n)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
  })
  test('depends on the key alone', () => {
    expect(permutation(key(5), 50)).toEqual(permutation(key(5), 50))
    expect(permutation(key(5), 50)).not.toEqual(permutation(key(6), 50))
  })
  test('all 24 orders of 4 are equally frequent', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 4800; i++) {
      const order = permutation(fold(key(11), i), 4).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // 23 degrees of freedom: 49.7 is the 99.9 % point. The keys are fixed, so this either holds or does not.
    expect(chiSquare([...counts.values()], 200)).toBeLessThan(49.7)
  })
})

const moments = (values: readonly number[]): { mean: number; variance: number; skew: number; kurtosis: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const central = (p: number): number => values.reduce((s, v) => s + (v - mean) ** p, 0) / values.length
  const variance = central(2)
  return { mean, variance, skew: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 }
}

describe('distributions', () => {
  const n = 40_000
  const draw = (t: Tensor): number[] => valuesOf(t)
  test('uniform fills [0, 1) evenly', () => {
    const u = draw(uniform(key(21), [n], { backend: reference }))
    expect(Math.min(...u)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...u)).toBeLessThan(1)
    const counts = new Array<number>(100).fill(0)
    for (const v of u) counts[Math.floor(v * 100)]++
    expect(chiSquare(counts, n / 100)).toBeLessThan(149) // 99.9 % point of 99 degrees of freedom
    const { mean, variance } = moments(u)
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n))
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002)
  })
  test('uniform keeps its bounds and draws whole numbers evenly, also below 0', () => {
    const u = draw(uniform(key(22), [n], { low: -3, high: 5, backend: reference }))
    expect(Math.min(...u)).toBeGreaterThanOrEqual(-3)
    expect(Math.max(...u)).toBeLessThanOrEqual(5)
    expect(Math.abs(moments(u).mean - 1)).toBeLessThan(4 * Math.sqrt(64 / 12 / n))
    const whole = draw(uniform(key(23), [n], { low: -3, high: 3, dtype: 'int32', backend: reference }))
    const counts = [-3, -2, -1, 0, 1, 2].map((v) => whole.filter((w) => w === v).length)
    expect(counts.reduce((a, b) => a + b)).toBe(n)
    expect(chiSquare(counts, n / 6)).toBeLessThan(20.5) // 99.9 % point of 5 degrees of freedom
  })
  test('normal has the moments of the bell curve', () => {
    const { mean, variance, skew, kurtosis } = moments(draw(normal(key(24), [n], { mean: 2, stddev: 3, backend: reference })))
    expect(Math.abs(mean - 2)).toBeLessThan((4 * 3) / Math.sqrt(n))
    expect(Math.abs(variance - 9)).toBeLessThan(9 * 4 * Math.sqrt(2 / n))
    expect(Math.abs(skew)).toBeLessThan(4 * Math.sqrt(6 / n))
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / n))
  })
  test('both halves of a Box–Muller pair are independent', () => {
    const x = draw(normal(key(25), [n], { backend: reference }))
    let sum = 0
    for (let i = 0; i < n; i += 2) sum += x[i] * x[i + 1]
    expect(Math.abs(sum / (n / 2))).toBeLessThan(4 / Math.sqrt(n / 2))
  })
  test('truncatedNormal stays within two deviations and has the variance of the cut distribution', () => {
    const x = draw(truncatedNormal(key(26), [n], { mean: 1, stddev: 0.5, backend: reference }))
    expect(Math.min(...x)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...x)).toBeLessThanOrEqual(2)
    const { mean, variance } = moments(x)
    expect(Math.abs(mean - 1)).toBeLessThan(0.01)
    expect(Math.abs(variance / 0.25 - 0.774)).toBeLessThan(0.02) // 1 − 2·2·φ(2)/(2Φ(2) − 1)
  })
  test('bernoulli has the given probability, also 0 and 1', async () => {
    const x = draw(bernoulli(key(27), [n], 0.3, { backend: reference }))
    expect(new Set(x)).toEqual(new Set([0, 1]))
    expect(Math.abs(moments(x).mean - 0.3)).toBeLessThan(4 * Math.sqrt(0.21 / n))
    expect(new Set(draw(bernoulli(key(1), [999], 0, { backend: reference })))).toEqual(new Set([0]))
    expect(new Set(draw(bernoulli(key(1), [999], 1, { backend: reference })))).toEqual(new Set([1]))
    expect(bernoulli(key(1), [3], 0.5, { dtype: 'bool', backend: reference }).dtype).toBe('bool')
    expect(() => bernoulli(key(1), [3], 1.5)).toThrow(/bernoulli: p must be a number from 0 to 1, got 1.5/)
  })
  test('a draw depends on key and position: a longer tensor begins with the shorter one', () => {
    for (const f of [uniform, normal]) {
      const short = draw(f(key(28), [7], { backend: reference }))
      expect(draw(f(key(28), [2, 10], { backend: reference })).slice(0, 7)).toEqual(short)
    }
  })
  test('empty and odd sizes', () => {
    for (const f of [uniform, normal, truncatedNormal]) {
      expect(draw(f(key(1), [0, 3], { backend: reference }))).toEqual([])
      expect(draw(f(key(1), [3], { backend: reference }))).toHaveLength(3)
      expect(draw(f(key(1), [], { backend: reference }))).toHaveLength(1)
    }
  })
})

describe('the same key draws the same values on reference and wasm', () => {
  const shapes = [[], [1], [5], [3, 7], [1025], [0, 4]]
  test.each([
    ['uniform', (shape: number[], backend: typeof wasm) => uniform(key(2 ** 40 + 3), shape, { backend })],
    ['uniform with bounds', (shape: number[], backend: typeof wasm) => uniform(key(31), shape, { low: -0.1, high: 0.1, backend })],
    ['normal', (shape: number[], backend: typeof wasm) => normal(key(32), shape, { stddev: 0.05, backend })],
    ['truncatedNormal', (shape: number[], backend: typeof wasm) => truncatedNormal(key(33), shape, { backend })],
    ['bernoulli', (shape: number[], backend: typeof wasm) => bernoulli(key(34), shape, 0.3, { backend })],
  ])('%s', (_, f) => {
    for (const shape of shapes) expect(valuesOf(f(shape, wasm))).toEqual(valuesOf(f(shape, reference)))
  })
})

test('uniform never reaches its upper bound, also where float32 would round up to it', () => {
  for (const [low, high] of [
    [2, 2.0000005],
    [-1, -0.9999999],
    [99999.9, 100000],
    [-3, 0],
  ]) {
    const values = scope(() => valuesOf(uniform(key(5), [4096], { low, high })))
    expect(Math.max(...values)).toBeLessThan(Math.fround(high))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.fround(low))
  }
})
