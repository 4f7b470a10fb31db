/** Convolution by Winograd's algorithm: equal to the definition up to a stated rounding error, and with the same bits for any number of threads. */
import { describe, expect, it } from 'vitest'
import { type Call, compute, type Host, host } from '../../../../test/wasm/harness.js'
import { type Padding, slidingWindow, type Window } from '../../../tensor/shape.js'
import type { Backend } from '../../backend.js'
import { createReferenceBackend } from '../../reference/index.js'
import { createWasmBackend } from '../index.js'

const reference = createReferenceBackend()
const wasm = createWasmBackend({ simd256: false })

/** The definition, unfold and a product, in float64 on the reference. */
function definition(x: Host, filter: Host, bias: Host, window: Window, relu: boolean): Float64Array {
  const [n, , , c] = x.shape
  const [kh, kw, , filters] = filter.shape
  const steps = kh * kw * c
  const positions = n * window.outSize[0] * window.outSize[1]
  const wide = ({ shape, values }: Host): Host => ({ shape, dtype: 'float64', values: Float64Array.from(values) })
  const rows = compute(reference, [positions, steps], 'float64', [wide(x)], (k, _, out, a) => k.unfold(out, a, window, 0))
  const unfolded: Host = { shape: [positions, steps], dtype: 'float64', values: rows }
  const weights: Host = { ...wide(filter), shape: [steps, filters] }
  return compute(reference, [positions, filters], 'float64', [unfolded, weights, wide(bias)], (k, _, out, a, b, shift) => {
    k.matMul(out, a, b, false, false)
    k.zip(out, out, shift, 'add')
    if (relu) k.map(out, out, 'relu')
  }) as Float64Array
}

const largestError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let worst = 0
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]))
  expect(actual.length).toBe(expected.length)
  return worst
}

const cases: [x: number[], filters: number, padding: Padding][] = [
  [[3, 6, 10, 16], 20, 'same'],
  [[2, 8, 6, 20], 16, 'valid'],
  [[1, 30, 34, 16], 36, 'causal'],
  [[26, 4, 4, 32], 64, 'valid'],
]

describe.each(cases)('%j to %i filters, %s', (shape, filters, padding) => {
  const window = slidingWindow('test', shape, [3, 3], [1, 1], padding)
  const filterShape = [3, 3, shape[3], filters]
  const y = [shape[0], ...window.outSize, filters]
  const [x, filter, bias, dY] = [shape, filterShape, [filters], y].map((size, i) => host(7 + i, size, 'float32'))
  /** Values have size 1, so a sum of k products has a rounding error of about √k·2⁻²⁴. The transforms multiply it by less than 8. */
  const bound = (k: number): number => 8 * 9 * Math.sqrt(k) * 2 ** -24

  it.each([false, true])('the forward sum, relu %s', (relu) => {
    const actual = compute(wasm, y, 'float32', [x, filter, bias], (_, fused, out, a, b, c) => fused.conv2d?.(out, a, b, c, window, relu))
    expect(largestError(actual, definition(x, filter, bias, window, relu))).toBeLessThan(bound(9 * shape[3]))
  })

  it('is what the adjoint of both gradients says: ⟨dY, conv(x, F)⟩ = ⟨dX, x⟩ = ⟨dF, F⟩', () => {
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, v, i) => sum + v * b[i], 0)
    const nothing: Host = { shape: [filters], dtype: 'float32', values: new Float32Array(filters) }
    const expected = dot(dY.values, definition(x, filter, nothing, window, false))
    const dX = compute(wasm, shape, 'float32', [dY, filter], (_, fused, out, a, b) => fused.conv2dInput?.(out, a, b, window))
    const dF = compute(wasm, filterShape, 'float32', [x, dY], (_, fused, out, a, b) => fused.conv2dFilter?.(out, a, b, window))
    const scale = Math.sqrt(dY.values.length * 9 * shape[3])
    expect(Math.abs(dot(dX, x.values) - expected) / scale).toBeLessThan(1e-5)
    expect(Math.abs(dot(dF, filter.values) - expected) / scale).toBeLessThan(1e-5)
  })

  it('element by element, both gradients', () => {
    // A cotangent that is 1 in one place picks one window: dF is that window of x, dX is the filter around it.
    const position = Math.floor(y[1] / 2) * y[2] + Math.floor(y[2] / 2)
    const [oy, ox] = [Math.floor(position / y[2]), position % y[2]]
    const values = new Float32Array(dY.values.length)
    values[position * filters + 3] = 1
    const hot: Host = { shape: y, dtype: 'float32', values }
    const dF = compute(wasm, filterShape, 'float32', [x, hot], (_, fused, out, a, b) => fused.conv2dFilter?.(out, a, b, window))
    const dX = compute(wasm, shape, 'float32', [hot, filter], (_, fused, out, a, b) => fused.conv2dInput?.(out, a, b, window))
    const [, h, w, c] = shape
    const [expectedF, expectedX] = [new Float32Array(dF.length), new Float32Array(dX.length)]
    for (let ky = 0; ky < 3; ky++)
      for (let kx = 0; kx < 3; kx++)
        for (let i = 0; i < c; i++) {
          const [row, column] = [oy + ky - window.padBefore[0], ox + kx - window.padBefore[1]]
          if (row < 0 || row >= h || column < 0 || column >= w) continue
          const weight = ((ky * 3 + kx) * c + i) * filters + 3
          expectedF[weight] = x.values[(row * w + column) * c + i]
          expectedX[(row * w + column) * c + i] = filter.values[weight]
        }
    expect(largestError(dF, expectedF)).toBeLessThan(bound(1))
    expect(largestError(dX, expectedX)).toBeLessThan(bound(1))
  })

  it('has the same bits on one thread and on a wide engine', () => {
    const wide: Backend = createWasmBackend({ simd256: true })
    const call: Call = (_, fused, out, a, b, c) => fused.conv2d?.(out, a, b, c, window, true)
    expect(compute(wide, y, 'float32', [x, filter, bias], call)).toEqual(compute(wasm, y, 'float32', [x, filter, bias], call))
  })
})
