/**
 * Elementwise primitives and copies against the reference backend: every kernel name and dtype, on random shapes (empty, rank
 * 0, axes of size 1, sizes that are no multiple of a vector), with broadcast inputs and special values, with relaxed SIMD and
 * without.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { MapKernel, ZipKernel } from '../../src/backends/backend.js'
import { createReferenceBackend } from '../../src/backends/reference/index.js'
import { createWasmBackend } from '../../src/backends/wasm/index.js'
import type { DType } from '../../src/tensor/dtype.js'
import type { Shape } from '../../src/tensor/shape.js'
import { type Call, compute, expectClose, type Host, host } from './harness.js'

const reference = createReferenceBackend()

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
        // Half of the time the operand has the whole shape.
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

    /** Runs on both backends and compares the results, up to `ulps` and `within`. */
    function same(shape: Shape, dtype: DType, inputs: readonly Host[], call: Call, ulps = 0, within?: (i: number) => number): void {
      expectClose(compute(wasm, shape, dtype, inputs, call), compute(reference, shape, dtype, inputs, call), ulps, within)
    }

    const maps: Record<Exclude<MapKernel, 'cast' | 'logicalNot'>, number> = {
      neg: 0,
      abs: 0,
      sign: 0,
      square: 0,
      relu: 0,
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
      erf: 2,
      floor: 0,
      ceil: 0,
      round: 0,
      isNaN: 0,
      isFinite: 0,
    }
    it.each(Object.entries(maps) as [MapKernel, number][])('map %s', (kernel, ulps) => {
      const outType = kernel === 'isNaN' || kernel === 'isFinite' ? 'bool' : 'float32'
      fc.assert(
        fc.property(shapes, seeds, fc.constantFrom(1, 3, 30, 1000), (shape, seed, range) => {
          const x = host(seed, shape, 'float32', { low: -range, high: range, special: true })
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
    const arithmetic = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow', 'atan2', 'gate', 'mod', 'floorDiv'] as const
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
  })
}
