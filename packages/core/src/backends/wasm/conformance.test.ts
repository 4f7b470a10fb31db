/**
 * Every primitive and every kernel name against the reference backend, on random shapes (empty, rank 0, size-1 axes, sizes that
 * are no multiple of a vector, above tile thresholds), broadcast inputs and special values, with relaxed SIMD and without.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type DType, hostArray, type TypedArray } from '../../dtype.js'
import { key, uniformInto } from '../../random.js'
import { type Shape, sizeOf, slidingWindow } from '../../shape.js'
import type { Backend, FusedKernels, Kernels, MapKernel, Operand, ReduceKernel, UpdateProgram, ZipKernel } from '../backend.js'
import { createReferenceBackend } from '../reference/index.js'
import { createWasmBackend } from './index.js'

const reference = createReferenceBackend()

/** A host tensor. */
interface Host {
  shape: Shape
  dtype: DType
  values: TypedArray
}

type Call = (kernels: Kernels, fused: FusedKernels, out: Operand, ...inputs: Operand[]) => void

function operandOn(backend: Backend, { shape, dtype, values }: Host): Operand {
  const size = sizeOf(shape)
  const storage = { handle: backend.alloc(size, dtype), backend, dtype, size, references: 1 }
  backend.write(storage, values)
  return { storage, shape, dtype, size }
}

/** Runs a kernel on a backend and gives everything back. */
function compute(backend: Backend, shape: Shape, dtype: DType, inputs: readonly Host[], call: Call): TypedArray {
  const garbage = hostArray(dtype, sizeOf(shape)).fill(dtype === 'float32' ? NaN : 1)
  const out = operandOn(backend, { shape, dtype, values: garbage })
  const operands = inputs.map((input) => operandOn(backend, input))
  try {
    call(backend.kernels, backend.fused, out, ...operands)
    return backend.readSync!(out.storage)
  } finally {
    for (const { storage } of [out, ...operands]) backend.free(storage)
  }
}

/** Numbers from a seed, evenly spread over [0, 1). */
function draws(seed: number, size: number): Float32Array {
  const out = new Float32Array(size)
  uniformInto(out, key(seed))
  return out
}

const SPECIAL = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-30, -1e30, 3e38, 1e-45, 0.5, 2.5, -1.5]

interface Values {
  low?: number
  high?: number
  special?: boolean
  integer?: boolean
}

function host(seed: number, shape: Shape, dtype: DType, { low = -3, high = 3, special = false, integer = false }: Values = {}): Host {
  const size = sizeOf(shape)
  const u = draws(seed, 2 * size)
  const values = hostArray(dtype, size)
  for (let i = 0; i < size; i++) {
    const x = low + u[2 * i] * (high - low)
    if (dtype === 'bool') values[i] = u[2 * i] < 0.5 ? 0 : 1
    else if (dtype === 'uint8') values[i] = Math.floor(u[2 * i] * 256)
    else if (dtype === 'int32') values[i] = Math.round(x * 100)
    else values[i] = special && u[2 * i + 1] < 0.2 ? SPECIAL[Math.floor(u[2 * i] * SPECIAL.length)] : integer ? Math.round(x) : x
  }
  return { shape, dtype, values }
}

const bits = new Float32Array(1)
const words = new Int32Array(bits.buffer)
/** A float32's position among all of them, so that neighbours differ by 1; both zeros are 0. */
function position(x: number): number {
  bits[0] = x
  return words[0] < 0 ? -(words[0] & 0x7fffffff) : words[0]
}

/** Asserts equality up to so many units in the last place, or an absolute distance per element. */
function expectClose(actual: TypedArray, expected: TypedArray, ulps: number, within: (i: number) => number = () => 0): void {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]]
    if (Number.isNaN(a) && Number.isNaN(e)) continue
    if (Math.abs(position(a) - position(e)) <= ulps || Math.abs(a - e) <= within(i)) continue
    expect.fail(`element ${i}: ${a}, expected ${e} (${Math.abs(position(a) - position(e))} ulp apart)`)
  }
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const shapes = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  fc.tuple(fc.integer({ min: 1, max: 70 })),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 23 })),
)
/** A shape and `count` shapes that broadcast to it. */
const broadcasts = (count: number) =>
  fc
    .tuple(
      shapes,
      fc.array(fc.tuple(fc.nat({ max: 4 }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })), {
        minLength: count,
        maxLength: count,
      }),
    )
    .map(([shape, drops]) => ({
      shape,
      operands: drops.map(([lead, ones]) =>
        // Half of the time the operand is whole.
        lead < 2 ? shape : shape.slice(Math.min(lead - 2, shape.length)).map((size, i) => (ones[i] ? 1 : size)),
      ),
    }))

const runs = { numRuns: 40 }

for (const relaxedSimd of [true, false]) {
  describe(`wasm with relaxedSimd ${relaxedSimd}`, () => {
    const wasm = createWasmBackend({ relaxedSimd })
    afterEach(() => {
      const { buffers, bytes } = wasm.memory()
      expect({ buffers, bytes }).toEqual({ buffers: 0, bytes: 0 })
    })

    /** Runs on both backends; results are compared by `ulps` and `within`. */
    function same(shape: Shape, dtype: DType, inputs: readonly Host[], call: Call, ulps = 0, within?: (i: number) => number): void {
      expectClose(compute(wasm, shape, dtype, inputs, call), compute(reference, shape, dtype, inputs, call), ulps, within)
    }

    const maps: Record<Exclude<MapKernel, 'cast' | 'logicalNot'>, number> = {
      neg: 0,
      abs: 0,
      sign: 0,
      square: 0,
      sqrt: 0,
      rsqrt: 1,
      reciprocal: 0,
      exp: 2,
      expm1: 1,
      log: 2,
      log1p: 1,
      sin: 1,
      cos: 1,
      tan: 1,
      asin: 1,
      acos: 1,
      atan: 1,
      sinh: 1,
      cosh: 1,
      tanh: 5,
      sigmoid: 3,
      softplus: 3,
      erf: 1,
      floor: 0,
      ceil: 0,
      round: 0,
      isNaN: 0,
      isFinite: 0,
    }
    it.each(Object.entries(maps) as [MapKernel, number][])('map %s', (kernel, ulps) => {
      const outType = kernel === 'isNaN' || kernel === 'isFinite' ? 'bool' : 'float32'
      const trigonometric = kernel === 'sin' || kernel === 'cos' || kernel === 'tan'
      fc.assert(
        fc.property(shapes, seeds, fc.constantFrom(1, 3, 30, 1000), (shape, seed, range) => {
          const x = host(seed, shape, 'float32', { low: -range, high: range, special: true })
          if (trigonometric) x.values.set(x.values.map((value) => (Math.abs(value) > 1e6 ? 1 : value)))
          same(shape, outType, [x], (k, _, out, a) => k.map(out, a, kernel), ulps)
        }),
        runs,
      )
    })

    it.each(['neg', 'abs', 'sign', 'square'] as const)('map %s of int32', (kernel) => {
      fc.assert(
        fc.property(shapes, seeds, (shape, seed) => {
          same(shape, 'int32', [host(seed, shape, 'int32')], (k, _, out, a) => k.map(out, a, kernel))
        }),
        runs,
      )
    })

    it('map logicalNot', () => {
      fc.assert(
        fc.property(shapes, seeds, (shape, seed) => {
          same(shape, 'bool', [host(seed, shape, 'bool')], (k, _, out, a) => k.map(out, a, 'logicalNot'))
        }),
        runs,
      )
    })

    const types = ['float32', 'int32', 'uint8', 'bool'] as const
    it.each(types.flatMap((from) => types.map((to) => [from, to] as const)))('map cast %s to %s', (from, to) => {
      fc.assert(
        fc.property(shapes, seeds, fc.constantFrom(3, 300, 3e9), (shape, seed, high) => {
          const x = host(seed, shape, from, { low: -high, high, special: true })
          same(shape, to, [x], (k, _, out, a) => k.map(out, a, 'cast'))
        }),
        runs,
      )
    })

    const floatZips: Partial<Record<ZipKernel, number>> = { pow: 1, atan2: 1 }
    const arithmetic = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow', 'atan2', 'mod', 'floorDiv'] as const
    const comparisons = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const
    it.each([...arithmetic, ...comparisons])('zip %s of float32', (kernel) => {
      const outType = (comparisons as readonly string[]).includes(kernel) ? 'bool' : 'float32'
      fc.assert(
        fc.property(broadcasts(2), seeds, fc.boolean(), ({ shape, operands: [a, b] }, seed, integer) => {
          const inputs = [host(seed, a, 'float32', { special: true, integer }), host(seed + 1, b, 'float32', { special: true, integer })]
          same(shape, outType, inputs, (k, _, out, x, y) => k.zip(out, x, y, kernel), floatZips[kernel] ?? 0)
        }),
        runs,
      )
    })

    it.each(['add', 'sub', 'mul', 'maximum', 'minimum', 'mod', 'floorDiv', ...comparisons] as const)('zip %s of int32', (kernel) => {
      const outType = (comparisons as readonly string[]).includes(kernel) ? 'bool' : 'int32'
      fc.assert(
        fc.property(broadcasts(2), seeds, fc.constantFrom(0.03, 3, 1e4), ({ shape, operands: [a, b] }, seed, high) => {
          const inputs = [host(seed, a, 'int32', { low: -high, high }), host(seed + 1, b, 'int32', { low: -high, high })]
          same(shape, outType, inputs, (k, _, out, x, y) => k.zip(out, x, y, kernel))
        }),
        runs,
      )
    })

    it('zip of int32 wraps at the ends of its range', () => {
      const ends = Int32Array.of(-(2 ** 31), -(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 7, -7, 7, -7, 0)
      const others = Int32Array.of(-1, 0, -1, 1, -2, 2, 0, 0, 0)
      const inputs: Host[] = [ends, others].map((values) => ({ shape: [9], dtype: 'int32', values }))
      for (const kernel of ['add', 'sub', 'mul', 'mod', 'floorDiv'] as const)
        same([9], 'int32', inputs, (k, _, out, x, y) => k.zip(out, x, y, kernel))
      // Past 2^53 a product in float64 has lost its low bits; int32 arithmetic has not.
      const large: Host[] = [0x7fffffff, 0x12345679].map((value) => ({ shape: [1], dtype: 'int32', values: Int32Array.of(value) }))
      const product = compute(wasm, [1], 'int32', large, (k, _, out, x, y) => k.zip(out, x, y, 'mul'))
      expect(product[0]).toBe(Math.imul(0x7fffffff, 0x12345679))
    })

    it.each(['uint8', 'bool'] as const)('zip comparisons of %s', (dtype) => {
      fc.assert(
        fc.property(broadcasts(2), seeds, fc.constantFrom(...comparisons), ({ shape, operands: [a, b] }, seed, kernel) => {
          same(shape, 'bool', [host(seed, a, dtype), host(seed + 1, b, dtype)], (k, _, out, x, y) => k.zip(out, x, y, kernel))
        }),
        runs,
      )
    })

    it.each(['logicalAnd', 'logicalOr', 'logicalXor'] as const)('zip %s', (kernel) => {
      fc.assert(
        fc.property(broadcasts(2), seeds, ({ shape, operands: [a, b] }, seed) => {
          same(shape, 'bool', [host(seed, a, 'bool'), host(seed + 1, b, 'bool')], (k, _, out, x, y) => k.zip(out, x, y, kernel))
        }),
        runs,
      )
    })

    it('zip of an operand with itself', () => {
      const x = host(1, [33], 'float32')
      same([33], 'float32', [x], (k, _, out, a) => k.zip(out, a, a, 'mul'))
    })

    it.each(types)('select of %s', (dtype) => {
      fc.assert(
        fc.property(broadcasts(3), seeds, ({ shape, operands: [c, a, b] }, seed) => {
          const inputs = [host(seed, c, 'bool'), host(seed + 1, a, dtype), host(seed + 2, b, dtype)]
          same(shape, dtype, inputs, (k, _, out, condition, x, y) => k.select(out, condition, x, y))
        }),
        runs,
      )
    })

    it.each(types)('fill of %s', (dtype) => {
      fc.assert(
        fc.property(shapes, fc.constantFrom(0, 1, 200, -7.5), (shape, value) => {
          const legal =
            dtype === 'bool'
              ? Number(value !== 0)
              : dtype === 'uint8'
                ? Math.abs(Math.trunc(value))
                : dtype === 'int32'
                  ? Math.trunc(value)
                  : value
          same(shape, dtype, [], (k, _, out) => k.fill(out, legal))
        }),
        runs,
      )
    })

    it.each(types)('copy of %s through any view', (dtype) => {
      const axis = fc.record({
        size: fc.integer({ min: 0, max: 9 }),
        start: fc.integer({ min: -3, max: 9 }),
        step: fc.constantFrom(1, 1, 2, -1, -2),
      })
      const views = fc
        .array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 })
        .chain((input) =>
          fc.tuple(
            fc.constant(input),
            fc.shuffledSubarray(
              input.map((_, i) => i),
              { minLength: input.length },
            ),
            fc.array(axis, { minLength: input.length, maxLength: input.length }),
            fc.boolean(),
            fc.boolean(),
          ),
        )
        .map(([input, order, axes, plain, repeat]) => {
          const walked = order.map((of, i) => ({ axis: of, ...(plain ? { size: input[of], start: 0, step: 1 } : axes[i]) }))
          const all = repeat ? [...walked, { axis: -1, size: 3, start: 0, step: 0 }] : walked
          return { input, all }
        })
      fc.assert(
        fc.property(views, seeds, ({ input, all }, seed) => {
          const view = { axis: all.map((a) => a.axis), start: all.map((a) => a.start), step: all.map((a) => a.step), fill: 1 }
          const shape = all.map((a) => a.size)
          same(shape, dtype, [host(seed, input, dtype)], (k, _, out, x) => k.copy(out, x, view))
        }),
        { numRuns: 150 },
      )
      const wide = host(3, [37, 50, 3], dtype)
      for (const order of [
        [1, 0, 2],
        [2, 1, 0],
        [1, 2, 0],
        [0, 2, 1],
      ]) {
        const view = { axis: order, start: [0, 0, 0], step: [1, 1, 1], fill: 0 }
        same(
          order.map((of) => wide.shape[of]),
          dtype,
          [wide],
          (k, _, out, x) => k.copy(out, x, view),
        )
      }
    })

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
          // Finite values whose partial sums overflow float32 but not float64 are no fair comparison.
          if (kernel === 'sum') x.values.set(x.values.map((value) => (Number.isFinite(value) && Math.abs(value) > 1e37 ? 1 : value)))
          const exact = dtype !== 'float32' || (kernel !== 'sum' && !product)
          const outType = position ? 'int32' : (dtype as DType)
          const magnitude = (i: number): number => {
            const [o, column] = [Math.floor(i / inner), i % inner]
            let sum = 0
            for (let l = 0; l < length; l++) sum += Math.abs(x.values[(o * length + l) * inner + column])
            return Number.isFinite(sum) ? 2e-7 * sum : 0
          }
          same(
            [outer, inner],
            outType,
            [x],
            (k, _, out, a) => k.reduce(out, a, kernel, extent),
            exact ? 0 : product ? 40 : 1,
            exact || product ? undefined : magnitude,
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
    /** |error| of a product of k terms of magnitude below 3, summed in order: k·2⁻²⁴ of the sum of magnitudes at worst. */
    const matMul = (batch: Shape, m: number, n: number, k: number, tA: boolean, tB: boolean, seed: number): void => {
      const a = host(seed, [...batch, ...(tA ? [k, m] : [m, k])], 'float32')
      const b = host(seed + 1, [...batch, ...(tB ? [n, k] : [k, n])], 'float32')
      const bound = 2 ** -24 * 4 * Math.sqrt(k + 1) * 9 * (1 + Math.sqrt(k))
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
    ])('matMul %i × %i × %i', (m, n, k) => {
      for (const tA of [false, true]) for (const tB of [false, true]) matMul([], m, n, k, tA, tB, 11)
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
            backend.fused.update!([w, m, v], [g], ADAM, [0.9, 0.1, 0.999, 0.001, 0.01, 1e-7])
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

/** softmax and log softmax in float64, of differences from the maximum rounded to float32 as a float32 tensor has them. */
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
