/**
 * The errors of the float32 functions: a sweep over bit patterns of float32 against float64, in units in the last place; and the
 * special values by name.
 */
import { describe, expect, it } from 'vitest'
import type { MapKernel, Operand } from '../../src/backends/backend.js'
import { mapKernels } from '../../src/backends/reference/scalar-kernels.js'
import { createWasmBackend } from '../../src/backends/wasm/index.js'

const words = new Int32Array(1)
const floats = new Float32Array(words.buffer)
const position = (x: number): number => {
  floats[0] = x
  return words[0] < 0 ? -(words[0] & 0x7fffffff) : words[0]
}

/** The distance to the exact result in units of the float32 next to it; 0 if the exact result rounds to the actual one. */
function ulps(actual: number, exact: number): number {
  const rounded = Math.fround(exact)
  if (Object.is(actual, rounded) || (Number.isNaN(actual) && Number.isNaN(exact)) || actual === rounded) return 0
  if (!Number.isFinite(rounded) || !Number.isFinite(actual)) return Math.abs(position(actual) - position(rounded))
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(rounded))))
  return Math.abs(actual - exact) / 2 ** (exponent - 23)
}

const STEP = 29_989 // every 29,989th bit pattern: 143 thousand floats, all exponents, both signs

const bounds: Partial<Record<MapKernel, number>> = {
  exp: 1.5,
  log: 2,
  tanh: 5,
  sigmoid: 3,
  softplus: 3,
  expm1: 0.51,
  log1p: 0.51,
  sin: 0.51,
  cos: 0.51,
  tan: 0.51,
  asin: 0.51,
  acos: 0.51,
  atan: 0.51,
  sinh: 0.51,
  cosh: 0.51,
  erf: 1.3,
  sqrt: 0.51,
  rsqrt: 1.6,
}

describe.each([true, false])('with relaxedSimd %s', (relaxedSimd) => {
  const backend = createWasmBackend({ relaxedSimd })
  const operand = (size: number): Operand => ({
    storage: { handle: backend.alloc(size, 'float32'), backend, dtype: 'float32', size, references: 1 },
    shape: [size],
    dtype: 'float32',
    size,
  })
  const evaluate = (kernel: MapKernel, inputs: Float32Array): Float32Array => {
    const [x, out] = [operand(inputs.length), operand(inputs.length)]
    backend.write(x.storage, inputs)
    backend.kernels.map(out, x, kernel)
    const values = backend.readSync!(out.storage) as Float32Array
    backend.free(x.storage)
    backend.free(out.storage)
    return values
  }

  const patterns = Int32Array.from({ length: Math.floor(2 ** 32 / STEP) }, (_, i) => i * STEP)
  const sweep = new Float32Array(patterns.buffer).filter((x) => !Number.isNaN(x))

  it.each(Object.entries(bounds) as [Exclude<MapKernel, 'cast'>, number][])('%s is within %d ulp', (kernel, bound) => {
    const values = evaluate(kernel, sweep)
    let [worst, at] = [0, 0]
    for (let i = 0; i < sweep.length; i++) {
      const error = ulps(values[i], mapKernels[kernel](sweep[i]))
      if (!(error <= worst)) [worst, at] = [error, sweep[i]]
    }
    if (process.env.SHOW_ACCURACY) console.log(`${kernel} relaxed ${relaxedSimd}: ${worst.toFixed(3)} ulp at ${at}`)
    expect(worst, `worst at ${at}`).toBeLessThanOrEqual(bound)
  })

  it.each(['sin', 'cos', 'tan'] as const)('%s is right to the last place up to 10⁶ and never leaves its range', (kernel) => {
    const near = sweep.filter((x) => Math.abs(x) < 1e6)
    const values = evaluate(kernel, near)
    const wrong = near.filter((x, i) => !(ulps(values[i], mapKernels[kernel](x)) <= 0.6))
    expect([...wrong]).toEqual([])
    if (kernel !== 'tan') expect(evaluate(kernel, sweep).every((value) => Number.isNaN(value) || Math.abs(value) <= 1)).toBe(true)
    expect([...evaluate(kernel, Float32Array.of(Infinity, -Infinity, NaN))]).toEqual([NaN, NaN, NaN])
  })

  it('gives the right results for special values', () => {
    const inputs = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 1e-45, 88.8, -104, 100, -200)
    expect([...evaluate('exp', inputs)].slice(0, 6)).toEqual([1, 1, Infinity, 0, NaN, 1])
    expect([...evaluate('exp', inputs)].slice(6)).toEqual([Infinity, 0, Infinity, 0])
    expect([...evaluate('exp', Float32Array.of(-103, -95))]).toEqual([Math.fround(Math.exp(-103)), Math.fround(Math.exp(-95))]) // subnormal
    expect([...evaluate('log', inputs)].slice(0, 5)).toEqual([-Infinity, -Infinity, Infinity, NaN, NaN])
    expect([...evaluate('log', Float32Array.of(-1, 1))]).toEqual([NaN, 0])
    expect([...evaluate('tanh', inputs)].slice(0, 6)).toEqual([0, -0, 1, -1, NaN, Math.fround(1e-45)])
    expect([...evaluate('sigmoid', inputs)].slice(0, 5)).toEqual([0.5, 0.5, 1, 0, NaN])
    expect([...evaluate('softplus', inputs)].slice(2, 5)).toEqual([Infinity, 0, NaN])
    expect([...evaluate('erf', inputs)].slice(0, 5)).toEqual([0, -0, 1, -1, NaN])
    expect([...evaluate('sign', inputs)].slice(0, 5)).toEqual([0, -0, 1, -1, NaN])
    expect([...evaluate('rsqrt', inputs)].slice(0, 5)).toEqual([Infinity, -Infinity, 0, NaN, NaN])
    expect([...evaluate('round', Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5))]).toEqual([0, 2, 2, -0, -2])
  })

  it('keeps tanh and sigmoid inside their ranges, and tanh odd', () => {
    const values = evaluate('tanh', sweep)
    const mirrored = evaluate(
      'tanh',
      sweep.map((x) => -x),
    )
    expect(values.every((value, i) => Math.abs(value) <= 1 && value === -mirrored[i])).toBe(true)
    expect(evaluate('sigmoid', sweep).every((value) => value >= 0 && value <= 1)).toBe(true)
  })
})
