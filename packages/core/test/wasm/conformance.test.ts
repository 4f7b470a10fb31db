/**
 * Primitives with structure (reductions, products, windows, indices) and the fused kernels against the reference backend, on
 * random shapes and on shapes above the sizes of tiles and blocks, with relaxed SIMD and without. The file is longer than 300
 * lines because it has one section for each of these kernels.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { ReduceKernel, UpdateProgram } from '../../src/backends/backend.js'
import { createReferenceBackend } from '../../src/backends/reference/index.js'
import { createWasmBackend } from '../../src/backends/wasm/index.js'
import { key, uniformInto } from '../../src/random.js'
import type { DType, TypedArray } from '../../src/tensor/dtype.js'
import { type Shape, slidingWindow } from '../../src/tensor/shape.js'
import { type Call, compute, draws, expectClose, type Host, host, operandOn } from './harness.js'

const reference = createReferenceBackend()

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const runs = { numRuns: 40 }

for (const relaxedSimd of [true, false]) {
  describe(`wasm with relaxedSimd ${relaxedSimd}`, () => {
    const wasm = createWasmBackend({ relaxedSimd })
    afterEach(() => {
      const { buffers, bytes } = wasm.memory()
      expect({ buffers, bytes }).toEqual({ buffers: 0, bytes: 0 })
    })

    /** Runs on both backends and compares the results, up to `ulps` and `within`. */
    function same(shape: Shape, dtype: DType, inputs: readonly Host[], call: Call, ulps = 0, within?: (i: number) => number): void {
      expectClose(compute(wasm, shape, dtype, inputs, call), compute(reference, shape, dtype, inputs, call), ulps, within)
    }

    const types = ['float32', 'int32', 'uint8', 'bool'] as const

    const extents = fc.record({
      outer: fc.integer({ min: 0, max: 4 }),
      length: fc.integer({ min: 1, max: 40 }),
      inner: fc.integer({ min: 0, max: 23 }),
    })
    it.each(['sum', 'prod', 'max', 'min', 'argMax', 'argMin'] as const)('reduce %s', (kernel: ReduceKernel) => {
      const position = kernel === 'argMax' || kernel === 'argMin'
      fc.assert(
        fc.property(extents, seeds, fc.constantFrom('float32', 'int32', 'bool'), fc.boolean(), (extent, seed, dtype, special) => {
          if (dtype === 'bool' && (kernel === 'sum' || kernel === 'prod')) return
          const { outer, length, inner } = extent
          const product = kernel === 'prod'
          const x = host(seed, [outer, length, inner], dtype as DType, {
            // Integer products stay below 2^53, where the reference is exact.
            low: product ? (dtype === 'int32' ? -0.02 : 0.6) : -3,
            high: product ? (dtype === 'int32' ? 0.02 : 1.5) : 3,
            special: special && !product,
          })
          // Partial sums that overflow float32 but not float64 would be no fair comparison, so large finite values become 1.
          if (kernel === 'sum') x.values.set(x.values.map((value) => (Number.isFinite(value) && Math.abs(value) > 1e37 ? 1 : value)))
          const exact = dtype !== 'float32' || (kernel !== 'sum' && !product)
          const outType = position ? 'int32' : (dtype as DType)
          // |error| ≤ (length − 1)·2⁻²⁴·Σ|x| for a sum in any order (Higham, Accuracy and Stability, 4.2), and 2⁻²⁴ for the reference's rounding.
          const bound = (i: number): number => {
            const [o, column] = [Math.floor(i / inner), i % inner]
            let sum = 0
            for (let l = 0; l < length; l++) sum += Math.abs(x.values[(o * length + l) * inner + column])
            return Number.isFinite(sum) ? length * 2 ** -24 * sum : 0
          }
          same(
            [outer, inner],
            outType,
            [x],
            (k, _, out, a) => k.reduce(out, a, kernel, extent),
            exact ? 0 : product ? 40 : 1,
            exact || product ? undefined : bound,
          )
        }),
        { numRuns: 120 },
      )
    })

    it('reduce over nothing: a sum is 0, a product 1', () => {
      const x = host(0, [2, 0, 3], 'float32')
      for (const kernel of ['sum', 'prod'] as const)
        same([2, 3], 'float32', [x], (k, _, out, a) => k.reduce(out, a, kernel, { outer: 2, length: 0, inner: 3 }))
      const row = host(0, [2, 0], 'int32')
      for (const kernel of ['sum', 'prod'] as const)
        same([2], 'int32', [row], (k, _, out, a) => k.reduce(out, a, kernel, { outer: 2, length: 0, inner: 1 }))
    })

    it('reduce sums a million floats as well as pairwise summation does', () => {
      const n = 1_000_003
      const x = host(5, [n], 'float32', { low: 0, high: 1 })
      let exact = 0
      for (const value of x.values) exact += value
      const extent = { outer: 1, length: n, inner: 1 }
      const [all] = compute(wasm, [1], 'float32', [x], (k, _, out, a) => k.reduce(out, a, 'sum', extent))
      expect(Math.abs(all - exact) / exact).toBeLessThan(20 * 2 ** -24) // log2(n) roundings
      const columns = host(5, [100_000, 5], 'float32', { low: 0, high: 1 })
      const sums = compute(wasm, [5], 'float32', [columns], (k, _, out, a) =>
        k.reduce(out, a, 'sum', { outer: 1, length: 100_000, inner: 5 }),
      )
      sums.forEach((sum, column) => {
        let total = 0
        for (let l = 0; l < 100_000; l++) total += columns.values[5 * l + column]
        expect(Math.abs(sum - total) / total).toBeLessThan(20 * 2 ** -24)
      })
    })

    it.each(['float32', 'int32'] as const)('scan of %s', (dtype) => {
      fc.assert(
        fc.property(extents, seeds, fc.boolean(), fc.boolean(), (extent, seed, exclusive, reverse) => {
          const shape = [extent.outer, extent.length, extent.inner]
          same(shape, dtype, [host(seed, shape, dtype)], (k, _, out, x) => k.scan(out, x, extent, exclusive, reverse))
        }),
        { numRuns: 80 },
      )
    })

    const dimension = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 50 }))
    /**
     * k terms of random sign and magnitude below 9 have partial sums near 9·√k, each rounded to 2⁻²⁴ of itself. k such errors
     * add up to 9·k·2⁻²⁴ if they too have random signs. Four times that is allowed.
     */
    const matMul = (batch: Shape, m: number, n: number, k: number, tA: boolean, tB: boolean, seed: number): void => {
      const a = host(seed, [...batch, ...(tA ? [k, m] : [m, k])], 'float32')
      const b = host(seed + 1, [...batch, ...(tB ? [n, k] : [k, n])], 'float32')
      const bound = 4 * 9 * k * 2 ** -24
      same(
        [...batch, m, n],
        'float32',
        [a, b],
        (kernels, _, out, x, y) => kernels.matMul(out, x, y, tA, tB),
        1,
        () => bound,
      )
    }
    it('matMul of small shapes, all transposes and batches', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
          fc.tuple(dimension, dimension, dimension),
          fc.boolean(),
          fc.boolean(),
          seeds,
          (batch, [m, n, k], tA, tB, seed) => matMul(batch, m, n, k, tA, tB, seed),
        ),
        { numRuns: 150 },
      )
    })
    it.each([
      [200, 137, 95],
      [61, 300, 70],
      [395, 57, 50], // more than one block of rows
      [37, 1600, 33], // more than one block of columns
      [31, 65, 1003], // more than one block of k
      [1, 300, 401],
      [300, 1, 401],
      [7, 5, 900],
      [1000, 20, 40], // unpacked, more than one block of rows
      [5, 45, 7001], // unpacked, more than one block of k
      [14, 30, 8100],
    ])('matMul %i × %i × %i', (m, n, k) => {
      for (const tA of [false, true]) for (const tB of [false, true]) matMul([], m, n, k, tA, tB, 11)
    })
    it.each([
      [3, 4, 5],
      [6, 1, 9],
      [1, 7, 30],
      [5, 3, 0],
      [0, 3, 4],
      [37, 1600, 33],
      [395, 57, 50],
      [31, 65, 1003],
      [1000, 20, 40],
      [5, 45, 7001],
    ])('fused affine is the product, the bias and relu, bit by bit: %i × %i × %i', (m, n, k) => {
      const inputs = [host(1, [m, k], 'float32'), host(2, [k, n], 'float32'), host(3, [n], 'float32')]
      for (const relu of [false, true]) {
        const y = compute(wasm, [m, n], 'float32', inputs, (_, fused, out, x, w, b) => fused.affine!(out, x, w, b, relu))
        const steps = compute(wasm, [m, n], 'float32', inputs, (kernels, _, out, x, w, b) => {
          kernels.matMul(out, x, w, false, false)
          kernels.zip(out, out, b, 'add')
          if (relu) kernels.map(out, out, 'relu')
        })
        expect(y).toEqual(steps)
      }
    })

    const windows = fc
      .record({
        n: fc.integer({ min: 0, max: 2 }),
        size: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
        c: fc.integer({ min: 1, max: 6 }),
        kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
        strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
        padding: fc.constantFrom('valid', 'same', 'causal' as const),
      })
      .filter(({ size, kernel, dilation, padding }) => padding !== 'valid' || size.every((n, i) => n > (kernel[i] - 1) * dilation[i]))
      .map(({ n, size, c, kernel, strides, dilation, padding }) => {
        const x = [n, ...size, c]
        return { x, window: slidingWindow('test', x, kernel, strides, padding as 'valid', dilation) }
      })
    it.each(types)('unfold of %s', (dtype) => {
      fc.assert(
        fc.property(windows, seeds, ({ x, window }, seed) => {
          const shape = [x[0], ...window.outSize, ...window.kernelSize, x[3]]
          same(shape, dtype, [host(seed, x, dtype)], (k, _, out, a) => k.unfold(out, a, window, 1))
        }),
        { numRuns: 100 },
      )
    })
    it.each(['float32', 'int32'] as const)('fold of %s', (dtype) => {
      fc.assert(
        fc.property(windows, seeds, ({ x, window }, seed) => {
          const shape = [x[0], ...window.outSize, ...window.kernelSize, x[3]]
          // At most 16 terms below 3: 16 roundings of sums below 48.
          same(
            x,
            dtype,
            [host(seed, shape, dtype)],
            (k, _, out, a) => k.fold(out, a, window),
            0,
            () => 16 * 48 * 2 ** -24,
          )
        }),
        { numRuns: 100 },
      )
    })

    const rowsOf = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      inner: fc.integer({ min: 0, max: 21 }),
      count: fc.integer({ min: 0, max: 20 }),
    })
    const indicesFor = (seed: number, count: number, rows: number): Host => ({
      shape: [count],
      dtype: 'int32',
      values: Int32Array.from(draws(seed, count), (u) => Math.floor(u * rows)),
    })
    it.each(types)('gather of %s', (dtype) => {
      fc.assert(
        fc.property(rowsOf, seeds, ({ rows, inner, count }, seed) => {
          const inputs = [host(seed, [rows, inner], dtype), indicesFor(seed + 1, count, rows)]
          same([count, inner], dtype, inputs, (k, _, out, x, indices) => k.gather(out, x, indices))
        }),
        runs,
      )
    })
    it.each(['float32', 'int32'] as const)('scatterAdd of %s', (dtype) => {
      fc.assert(
        fc.property(rowsOf, seeds, ({ rows, inner, count }, seed) => {
          const inputs = [host(seed, [count, inner], dtype), indicesFor(seed + 1, count, rows)]
          same(
            [rows, inner],
            dtype,
            inputs,
            (k, _, out, x, indices) => k.scatterAdd(out, x, indices),
            0,
            () => 20 * 60 * 2 ** -24,
          )
        }),
        runs,
      )
    })
    it('names a bad index as the reference does', () => {
      for (const bad of [-1, 5, 2 ** 31 - 1]) {
        const inputs: Host[] = [host(1, [5, 2], 'float32'), { shape: [3], dtype: 'int32', values: Int32Array.of(4, bad, 9) }]
        const message = `index ${bad} at position 1 is out of range: there are 5 rows (0 to 4).`
        for (const backend of [reference, wasm]) {
          expect(() => compute(backend, [3, 2], 'float32', inputs, (k, _, out, x, i) => k.gather(out, x, i))).toThrow(message)
          const rows = [host(1, [3, 2], 'float32'), inputs[1]]
          expect(() => compute(backend, [5, 2], 'float32', rows, (k, _, out, x, i) => k.scatterAdd(out, x, i))).toThrow(message)
        }
      }
    })

    const matrices = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 37 }), seeds, fc.constantFrom(3, 80))
    it('fused softmax', () => {
      fc.assert(
        fc.property(matrices, ([rows, classes, seed, high]) => {
          const x = host(seed, [rows, classes], 'float32', { low: -high, high })
          const y = compute(wasm, [rows, classes], 'float32', [x], (_, fused, out, a) => fused.softmax!(out, a))
          expectClose(y, softmaxOf(x.values, rows, classes).probabilities, 8, () => 1e-38)
        }),
        runs,
      )
    })
    it('fused softmaxCrossEntropy', () => {
      fc.assert(
        fc.property(matrices, ([rows, classes, seed, high]) => {
          const x = host(seed, [rows, classes], 'float32', { low: -high, high })
          const labels = host(seed + 1, [rows, classes], 'float32', { low: 0, high: 1 })
          const y = compute(wasm, [rows], 'float32', [x, labels], (_, fused, out, a, b) => fused.softmaxCrossEntropy!(out, a, b))
          const { logarithms } = softmaxOf(x.values, rows, classes)
          const expected = Float32Array.from({ length: rows }, (_, r) => {
            let sum = 0
            for (let c = 0; c < classes; c++) sum -= labels.values[r * classes + c] * logarithms[r * classes + c]
            return sum
          })
          expectClose(y, expected, 4, (i) => 4e-7 * classes * (1 + Math.abs(expected[i])))
        }),
        runs,
      )
    })

    it('fused update runs programs as the reference interprets them', () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 70 }), seeds, (size, seed) => {
          const inputs = [
            host(seed, [size], 'float32'),
            host(seed + 1, [size], 'float32'),
            host(seed + 2, [size], 'float32', { low: 0, high: 2 }),
            host(seed + 3, [size], 'float32'),
          ]
          const after = [wasm, reference].map((backend) => {
            const [w, m, v, g] = inputs.map((input) => operandOn(backend, input))
            backend.fused.update!([{ slots: [w, m, v], inputs: [g] }], ADAM, [0.9, 0.1, 0.999, 0.001, 0.01, 1e-7])
            const values = [w, m, v].map((slot) => backend.readSync!(slot.storage))
            for (const { storage } of [w, m, v, g]) backend.free(storage)
            return values
          })
          after[0].forEach((values, slot) => {
            expectClose(values, after[1][slot], 2, () => 4 * 2 ** -24)
          })
        }),
        runs,
      )
    })

    it('fused uniform gives the host generator’s bits', () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 100 }), seeds, (size, seed) => {
          const expected = new Float32Array(size)
          uniformInto(expected, key(seed))
          const values = compute(wasm, [size], 'float32', [], (_, fused, out) => fused.uniform!(out, key(seed)))
          expect(values).toEqual(expected)
        }),
        runs,
      )
    })

    it('fused bernoulli compares the same floats', () => {
      for (const [size, p] of [
        [0, 0.5],
        [31, 0],
        [100, 1],
        [1003, 0.7],
        [1003, 2 ** -24],
      ]) {
        const u = new Float32Array(size)
        uniformInto(u, key(3))
        for (const dtype of ['float32', 'int32', 'uint8', 'bool'] as const) {
          const values = compute(wasm, [size], dtype, [], (_, fused, out) => fused.bernoulli!(out, key(3), p))
          expect([...values]).toEqual([...u].map((value) => Number(value < Math.fround(p))))
        }
      }
    })
  })
}

describe('the wasm backend', () => {
  it('gives the same bits without relaxed SIMD whatever the V8 flags', () => {
    const x = host(3, [1000], 'float32', { low: -20, high: 20 })
    const [a, b] = [true, false].map((v8Flags) => createWasmBackend({ v8Flags, relaxedSimd: false }))
    for (const kernel of ['exp', 'tanh', 'log', 'sin'] as const) {
      const results = [a, b].map((backend) => compute(backend, [1000], 'float32', [x], (k, _, out, y) => k.map(out, y, kernel)))
      expect(results[0]).toEqual(results[1])
    }
  })

  it('reads copies', () => {
    const backend = createWasmBackend()
    const x = operandOn(backend, host(1, [4], 'float32'))
    const before = backend.readSync!(x.storage)
    const kept = before.slice()
    backend.kernels.fill(x, 9)
    expect(before).toEqual(kept)
    expect(before.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('has no float64', () => {
    expect(() => createWasmBackend().alloc(3, 'float64')).toThrow('float64')
  })
})

/** softmax and log softmax in float64. The differences from the maximum are first rounded to float32, as a float32 tensor holds them. */
function softmaxOf(x: TypedArray, rows: number, classes: number): { probabilities: Float32Array; logarithms: Float64Array } {
  const probabilities = new Float32Array(x.length)
  const logarithms = new Float64Array(x.length)
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.subarray(r * classes, (r + 1) * classes))
    const most = Math.max(...row)
    const shifted = row.map((value) => Math.fround(value - most))
    const sum = shifted.reduce((total, value) => total + Math.exp(value), 0)
    shifted.forEach((value, c) => {
      probabilities[r * classes + c] = Math.exp(value) / sum
      logarithms[r * classes + c] = value - Math.log(sum)
    })
  }
  return { probabilities, logarithms }
}

/** m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g², w = w − η·m/(√v + ε). */
const ADAM: UpdateProgram = {
  name: 'test-adam',
  steps: [
    { kernel: 'mul', arguments: [{ slot: 1 }, { scalar: 0 }] },
    { kernel: 'mul', arguments: [{ input: 0 }, { scalar: 1 }] },
    { kernel: 'add', arguments: [{ step: 0 }, { step: 1 }] },
    { kernel: 'square', arguments: [{ input: 0 }] },
    { kernel: 'mul', arguments: [{ slot: 2 }, { scalar: 2 }] },
    { kernel: 'mul', arguments: [{ step: 3 }, { scalar: 3 }] },
    { kernel: 'add', arguments: [{ step: 4 }, { step: 5 }] },
    { kernel: 'sqrt', arguments: [{ step: 6 }] },
    { kernel: 'add', arguments: [{ step: 7 }, { scalar: 5 }] },
    { kernel: 'mul', arguments: [{ step: 2 }, { scalar: 4 }] },
    { kernel: 'div', arguments: [{ step: 9 }, { step: 8 }] },
    { kernel: 'sub', arguments: [{ slot: 0 }, { step: 10 }] },
  ],
  results: [11, 2, 6],
}
