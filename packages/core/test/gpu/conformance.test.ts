/**
 * Every kernel of the gpu backend against the reference, on several engines: gpu.js' WebAssembly, its JavaScript, and its WebAssembly
 * with limits so small that nearly every output is folded.
 *
 * Tolerances. WebAssembly computes in float32, as GPUs do. Measured errors there, relative to the largest value or to terms of that size: products of 300
 * terms within 2e-5, long sums within 6e-6; elementwise formulas state 1e-7 to 2e-6. So elementwise kernels may differ by 1e-5 relative plus 1e-6 absolute,
 * sums by 2e-5 relative to Σ|terms|. Values pass through float32 first, so both sides see the same inputs. Integers, comparisons and moves must be equal.
 *
 * The file is longer than 300 lines because it has a case for each kernel.
 */
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Backend, MapKernel, Operand, ReduceKernel, UpdateProgram, View, ZipKernel } from '../../src/backends/backend.js'
import { createGpuBackend, type GpuBackendOptions, type GpuBackendSeams } from '../../src/backends/gpu/index.js'
import { brokenRules, LIMITS } from '../../src/backends/gpu/source/rules.js'
import { createReferenceBackend } from '../../src/backends/reference/index.js'
import { convert, type DType, type TypedArray } from '../../src/tensor/dtype.js'
import { broadcastShapes, type Shape, sizeOf, slidingWindow } from '../../src/tensor/shape.js'

const runs = { numRuns: 12 }
const reference = createReferenceBackend()

/** Host values with a shape, as a test states them. */
interface Values {
  shape: Shape
  dtype: DType
  data: TypedArray
}
const values = (shape: Shape, data: ArrayLike<number>, dtype: DType = 'float32'): Values => ({ shape, dtype, data: convert(data, dtype) })

type Call = (out: Operand, inputs: Operand[], backend: Backend) => void

/** Runs a kernel on one backend and returns what `out` holds; frees everything. */
function evaluate(backend: Backend, outShape: Shape, dtype: DType, inputs: Values[], call: Call): TypedArray {
  const operand = (shape: Shape, type: DType): Operand => {
    const size = sizeOf(shape)
    return { shape, dtype: type, size, storage: { handle: backend.alloc(size, type), backend, dtype: type, size, references: 1 } }
  }
  const operands = inputs.map((x) => {
    const made = operand(x.shape, x.dtype)
    backend.write(made.storage, x.data)
    return made
  })
  const out = operand(outShape, dtype)
  try {
    call(out, operands, backend)
    return backend.readSync!(out.storage)
  } finally {
    for (const x of [...operands, out]) backend.free(x.storage)
  }
}

/** Numbers by a fixed formula, within ±scale. */
const wave = (shape: Shape, scale = 1, seed = 1): Values =>
  values(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(i * 12.9898 + seed * 78.233)),
  )

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })

/** Where each map kernel is compared: values of its domain, and large arguments where formulas tend to break. */
const domains: Partial<Record<MapKernel, number[]>> = {
  sqrt: [0, 1e-6, 2, 1e6],
  rsqrt: [1e-6, 2, 1e6],
  reciprocal: [-3, 1e-3, 1e6],
  log: [1e-6, 0.5, 1, 2, 1e6],
  log1p: [-0.999, -0.51, -0.49, -1e-6, 0, 1e-6, 0.49, 0.51, 1e6],
  asin: [-1, -0.5, 0, 0.5, 1],
  acos: [-1, -0.5, 0, 0.5],
  exp: [-200, -5, 0, 5, 80],
  expm1: [-200, -0.51, -0.49, -1e-6, 1e-6, 0.49, 0.51, 80],
  sinh: [-88, -1.01, -0.99, 1e-6, 0.99, 1.01, 88],
  cosh: [-88, 0, 1, 88],
  tanh: [-500, -50, -1, -1e-6, 1e-6, 1, 50, 500],
  sigmoid: [-200, -20, -1, 0, 1, 20, 200],
  softplus: [-200, -20, -1e-3, 0, 1e-3, 20, 100, 200],
  erf: [-10, -1.01, -0.99, -1e-6, 1e-6, 0.99, 1.01, 2, 10],
  round: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 8388607.5, 7],
  sin: [-1e4, -100 * Math.PI, -7, -1e-6, 0, 0.785, Math.PI / 2, Math.PI, 22, 1000.5, 1e4],
  cos: [-1e4, -100 * Math.PI, -7, -1e-6, 0, 0.785, Math.PI / 2, Math.PI, 22, 1000.5, 1e4],
  tan: [-1.5, -0.3, 0.3, 1.5],
  isNaN: [Number.NaN, 1, Infinity],
  isFinite: [Number.NaN, 1, Infinity, -Infinity],
  sign: [-3, 0, 3, Number.NaN],
}
const mapKernels: MapKernel[] = [
  ...([
    'neg',
    'abs',
    'sign',
    'square',
    'relu',
    'sqrt',
    'rsqrt',
    'reciprocal',
    'exp',
    'expm1',
    'log',
    'log1p',
    'sin',
    'cos',
    'tan',
  ] as const),
  ...(['asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'sigmoid', 'softplus', 'erf', 'floor', 'ceil', 'round'] as const),
  ...(['isNaN', 'isFinite'] as const),
]
const arithmetic: ZipKernel[] = ['add', 'sub', 'mul', 'div', 'pow', 'atan2', 'gate', 'maximum', 'minimum']
const integer: ZipKernel[] = ['add', 'sub', 'mul', 'maximum', 'minimum', 'mod', 'floorDiv']
const comparing: ZipKernel[] = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual']

const engines: [string, GpuBackendOptions, GpuBackendSeams][] = [
  ['webasm', { mode: 'webasm' }, {}],
  ['cpu', { mode: 'cpu' }, {}],
  ['webasm, folded', { mode: 'webasm' }, { limits: { ...LIMITS, division: 64 } }],
]

describe.each(engines)('gpu kernels on %s', (_, options, seams) => {
  let gpu: Backend
  const sources: string[] = []
  beforeAll(async () => {
    gpu = await createGpuBackend(options, { ...seams, onCompile: (source) => sources.push(source) })
  })
  afterAll(async () => {
    expect(gpu.memory()).toEqual({ buffers: 0, bytes: 0, reservedBytes: 0 })
    expect(sources.filter((source) => brokenRules(source).length > 0)).toEqual([])
    await gpu.dispose?.()
  })

  /** Asserts that both backends agree: within `relative`·max(|want|, floor), and NaN where NaN is wanted; exactly if `relative` is 0. */
  function agree(shape: Shape, dtype: DType, inputs: Values[], call: Call, relative = 0, floor = 0) {
    const got = evaluate(gpu, shape, dtype, inputs, call)
    const want = evaluate(reference, shape, dtype, inputs, call)
    expect(got.length).toBe(want.length)
    for (let i = 0; i < want.length; i++) {
      const close =
        Object.is(got[i], want[i]) || got[i] === want[i] || Math.abs(got[i] - want[i]) <= relative * Math.max(Math.abs(want[i]), floor)
      if (!close) expect.fail(`element ${i} of [${shape}]: got ${got[i]}, reference ${want[i]}`)
    }
  }
  const elementwise = [1e-5, 0.1] as const

  describe('elementwise', () => {
    test.prop([shapes, fc.constantFrom(0, 1.5, -Infinity)], runs)('fill', (shape, value) => {
      agree(shape, 'float32', [], (out, _, b) => b.kernels.fill(out, value))
    })

    test.each(mapKernels)('map %s', (kernel) => {
      const points = domains[kernel] ?? [-9.5, -1, -1e-3, 0, 1e-3, 0.5, 1, 9.5]
      const type = kernel.startsWith('is') ? 'bool' : 'float32'
      for (const shape of [[points.length], [points.length, 1, 1]])
        agree(shape, type, [values(shape, points)], (out, [x], b) => b.kernels.map(out, x, kernel), 1e-5, 1e-6)
      agree([0], type, [values([0], [])], (out, [x], b) => b.kernels.map(out, x, kernel))
      agree([], type, [values([], [0.25])], (out, [x], b) => b.kernels.map(out, x, kernel), 1e-5)
    })

    test('map on int32 and bool', () => {
      for (const kernel of ['neg', 'abs', 'sign', 'square', 'relu'] as const)
        agree([5], 'int32', [values([5], [-4096, -1, 0, 1, 4096], 'int32')], (out, [x], b) => b.kernels.map(out, x, kernel))
      agree([2], 'bool', [values([2], [0, 1], 'bool')], (out, [x], b) => b.kernels.map(out, x, 'logicalNot'))
    })

    test('cast between every two dtypes', () => {
      const points = [-3e9, -300.7, -1.5, -0.5, 0, 0.5, 1.5, 254.9, 255.5, 300, 70000, 3e9, Number.NaN, Infinity, -Infinity]
      const types: DType[] = ['float32', 'int32', 'uint8', 'bool']
      for (const from of types) {
        const data = from === 'float32' ? points : points.filter((v) => Math.abs(v) < 1e6)
        for (const to of types)
          agree([data.length], to, [values([data.length], data, from)], (out, [x], b) => b.kernels.map(out, x, 'cast'))
      }
    })

    const pairs = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.nat(shape.length)))
    test.prop([pairs, fc.constantFrom(...arithmetic), fc.boolean()], { numRuns: 40 })(
      'zip broadcasts',
      ([shape, ones, dropped], kernel, swapped) => {
        const small = shape.map((size, i) => (ones.includes(i) && size !== 0 ? 1 : size)).slice(dropped)
        const positive = kernel === 'pow' ? { data: (v: number) => Math.abs(v) + 0.1 } : { data: (v: number) => v }
        const [a, b] = [wave(shape, 3, 1), wave(small, 2, 5)].map((x) => values(x.shape, Array.from(x.data, positive.data)))
        const inputs = swapped ? [b, a] : [a, b]
        const out = broadcastShapes('zip', inputs[0].shape, inputs[1].shape)
        agree(out, 'float32', inputs, (o, [x, y], k) => k.kernels.zip(o, x, y, kernel), ...elementwise)
      },
    )

    test.each([...arithmetic, ...integer, ...comparing])('zip %s of two tables', (kernel) => {
      const floats = [-2, -1, -0.5, 0.25, 1, 2, 3]
      const column = values([floats.length, 1], floats)
      const call: Call = (out, [a, b], k) => k.kernels.zip(out, a, b, kernel)
      const n = floats.length
      agree([n, n], comparing.includes(kernel) ? 'bool' : 'float32', [column, values([n], floats)], call, ...elementwise)
      if (integer.includes(kernel) || comparing.includes(kernel)) {
        const ints = [-1000003, -7, -3, -1, 0, 1, 2, 3, 7, 4000]
        const rows = kernel === 'mul' ? ints.slice(1) : ints
        const dtype = comparing.includes(kernel) ? 'bool' : 'int32'
        agree([rows.length, rows.length], dtype, [values([rows.length, 1], rows, 'int32'), values([rows.length], rows, 'int32')], call)
      }
    })

    test.each(['mod', 'floorDiv'] as ZipKernel[])('zip %s of a dividend that is tiny beside the divisor', (kernel) => {
      const [small, large] = [
        [1e-30, -1e-30, 1e-3, -1e-3, 0.5, -0.5],
        [1, -1, 2 ** 24, -(2 ** 24), 1e30, -1e30],
      ]
      agree([6, 6], 'float32', [values([6, 1], small), values([6], large)], (out, [a, b], k) => k.kernels.zip(out, a, b, kernel), 1e-6)
    })

    test.each(['maximum', 'minimum', ...comparing] as ZipKernel[])('zip %s with NaN and infinity', (kernel) => {
      const special = [Number.NaN, Infinity, -Infinity, 0, 1]
      const dtype = comparing.includes(kernel) ? 'bool' : 'float32'
      agree([5, 5], dtype, [values([5, 1], special), values([5], special)], (out, [a, b], k) => k.kernels.zip(out, a, b, kernel))
    })

    test('logic', () => {
      for (const kernel of ['logicalAnd', 'logicalOr', 'logicalXor'] as const)
        agree([2, 2], 'bool', [values([2, 1], [0, 1], 'bool'), values([2], [0, 1], 'bool')], (out, [a, b], k) =>
          k.kernels.zip(out, a, b, kernel),
        )
    })

    test.prop([pairs], runs)('select', ([shape, ones, dropped]) => {
      const small = shape.map((size, i) => (ones.includes(i) && size !== 0 ? 1 : size)).slice(dropped)
      const condition = values(
        small,
        Array.from(wave(small).data, (v) => (v > 0 ? 1 : 0)),
        'bool',
      )
      agree(shape, 'float32', [condition, wave(shape, 1, 2), wave([], 1, 3)], (out, [c, a, b], k) => k.kernels.select(out, c, a, b))
    })

    test.prop([fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }), fc.infiniteStream(fc.integer({ min: -2, max: 5 }))], {
      numRuns: 40,
    })('copy walks any axes from anywhere, with a border', (shape, stream) => {
      const next = () => stream.next().value as number
      const order = shape.map((_, i) => i).sort(() => next() - 1)
      const view: View = { axis: order, start: order.map(next), step: order.map(() => Math.max(-2, Math.min(2, next() - 1))), fill: next() }
      const out = order.map(() => Math.abs(next()))
      agree(out, 'float32', [wave(shape)], (o, [x], k) => k.kernels.copy(o, x, view))
      const repeated = { axis: [-1, ...order], start: [0, ...view.start], step: [0, ...view.step], fill: -Infinity }
      agree([2, ...out], 'float32', [wave(shape)], (o, [x], k) => k.kernels.copy(o, x, repeated))
    })

    test('copy pads an empty tensor', () => {
      agree([3], 'float32', [wave([0])], (o, [x], k) => k.kernels.copy(o, x, { axis: [0], start: [-1], step: [1], fill: 7 }))
    })
  })

  describe('loops', () => {
    const extents = fc.record({
      outer: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 1, max: 200 }),
      inner: fc.integer({ min: 0, max: 3 }),
    })
    test.each(['sum', 'prod', 'max', 'min', 'argMax', 'argMin'] as ReduceKernel[])('reduce %s', (kernel) => {
      const type = kernel.startsWith('arg') ? 'int32' : 'float32'
      const check = (extent: { outer: number; length: number; inner: number }, x: Values, relative: number, floor: number) =>
        agree([extent.outer, extent.inner], type, [x], (o, [a], k) => k.kernels.reduce(o, a, kernel, extent), relative, floor)
      const isSum = kernel === 'sum'
      fc.assert(
        fc.property(extents, (extent) => {
          const shape = [extent.outer, extent.length, extent.inner]
          check(
            extent,
            kernel === 'prod'
              ? values(
                  shape,
                  Array.from(wave(shape, 0.1).data, (v) => 1 + v),
                )
              : wave(shape, 10),
            isSum || kernel === 'prod' ? 2e-5 : 0,
            isSum ? extent.length * 10 : 1,
          )
        }),
        runs,
      )
      if (isSum || kernel === 'prod') check({ outer: 2, length: 0, inner: 2 }, wave([2, 0, 2]), 0, 0)
      else {
        const special = [1, Number.NaN, 5, Number.NaN, 2, 5, Number.NaN, 1, 1, -Infinity, -Infinity, -Infinity]
        check({ outer: 4, length: 3, inner: 1 }, values([4, 3, 1], special), 0, 0)
        agree([2, 1], kernel.startsWith('arg') ? 'int32' : 'bool', [values([2, 2, 1], [0, 1, 1, 0], 'bool')], (o, [a], k) =>
          k.kernels.reduce(o, a, kernel, { outer: 2, length: 2, inner: 1 }),
        )
      }
    })

    test('a sum of 3000 is not cut off at 1000', () => {
      const extent = { outer: 1, length: 3000, inner: 1 }
      const ones = values([3000], new Array(3000).fill(1))
      const call: Call = (o, [a], k) => k.kernels.reduce(o, a, 'sum', extent)
      agree([], 'float32', [ones], call)
      agree([], 'float32', [wave([3000], 10)], call, 2e-5, 30000)
      agree([], 'int32', [values([3000], new Array(3000).fill(-5000), 'int32')], call)
      agree([], 'int32', [wave([3000])], (o, [a], k) => k.kernels.reduce(o, a, 'argMax', extent))
    })

    test.prop([extents, fc.boolean(), fc.boolean()], runs)('scan', (extent, exclusive, reverse) => {
      const shape = [extent.outer, extent.length, extent.inner]
      agree(shape, 'float32', [wave(shape)], (o, [x], k) => k.kernels.scan(o, x, extent, exclusive, reverse), 2e-5, extent.length)
    })

    const size = fc.integer({ min: 0, max: 9 })
    test.prop([size, size, size, fc.constantFrom([], [1], [3], [2, 2]), fc.boolean(), fc.boolean()], { numRuns: 40 })(
      'matMul, all transposes, batched',
      (m, k, n, batch, tA, tB) => {
        const a = wave([...batch, ...(tA ? [k, m] : [m, k])], 1, 1)
        const b = wave([...batch, ...(tB ? [n, k] : [k, n])], 1, 2)
        agree([...batch, m, n], 'float32', [a, b], (o, [x, y], kernels) => kernels.kernels.matMul(o, x, y, tA, tB), 2e-5, k)
      },
    )
    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])('matMul large enough for cells by fours, transposes %s %s', (tA, tB) => {
      for (const [m, k, n] of [
        [40, 50, 24],
        [21, 150, 26],
      ]) {
        const a = wave([2, ...(tA ? [k, m] : [m, k])], 1, 1)
        const b = wave([2, ...(tB ? [n, k] : [k, n])], 1, 2)
        agree([2, m, n], 'float32', [a, b], (o, [x, y], kernels) => kernels.kernels.matMul(o, x, y, tA, tB), 2e-5, k)
      }
    })
    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])('matMul over k = 1500, transposes %s %s', (tA, tB) => {
      const [a, b] = [wave(tA ? [1500, 5] : [5, 1500], 1, 1), wave(tB ? [6, 1500] : [1500, 6], 1, 2)]
      agree([5, 6], 'float32', [a, b], (o, [x, y], k) => k.kernels.matMul(o, x, y, tA, tB), 2e-5, 30)
    })
  })

  describe('windows and rows', () => {
    const windows = fc
      .record({
        x: fc.tuple(
          fc.integer({ min: 0, max: 2 }),
          fc.integer({ min: 3, max: 7 }),
          fc.integer({ min: 3, max: 7 }),
          fc.integer({ min: 1, max: 3 }),
        ),
        kernelSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
      })
      .map(({ x, kernelSize, strides, dilation }) => {
        const [n, h, w, c] = x
        return {
          shape: [n, h + 2, w + 2, c],
          window: (padding: 'same' | 'valid') => slidingWindow('test', [n, h + 2, w + 2, c], kernelSize, strides, padding, dilation),
        }
      })

    test.prop([windows, fc.constantFrom('same' as const, 'valid' as const)], runs)('unfold, fold, conv2d', (made, padding) => {
      const { shape } = made
      const window = made.window(padding)
      const { kernelSize, outSize } = window
      const patches = [shape[0], ...outSize, ...kernelSize, shape[3]]
      agree(patches, 'float32', [wave(shape)], (o, [x], k) => k.kernels.unfold(o, x, window, -Infinity))
      agree(shape, 'float32', [wave(patches)], (o, [x], k) => k.kernels.fold(o, x, window), 1e-5, 9)
      // The definition, on the reference: unfold, then a product with the filter as a matrix.
      const filters = 3
      const taps = kernelSize[0] * kernelSize[1] * shape[3]
      const call: Call = (o, [x, filter], backend) => {
        if (backend === gpu) return gpu.fused.conv2d!(o, x, filter, undefined, window, false)
        const rows = evaluate(reference, patches, 'float32', [wave(shape)], (out, [source]) =>
          reference.kernels.unfold(out, source, window, 0),
        )
        const m = rows.length / taps
        const product = evaluate(
          reference,
          [m, filters],
          'float32',
          [values([m, taps], rows), wave([taps, filters], 1, 2)],
          (out, [a, b]) => reference.kernels.matMul(out, a, b, false, false),
        )
        reference.write(o.storage, product)
      }
      agree([shape[0], ...outSize, filters], 'float32', [wave(shape), wave([...kernelSize, shape[3], filters], 1, 2)], call, 2e-5, taps)
    })

    test.prop([fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 5 }), fc.array(fc.nat(1000), { maxLength: 300 })], runs)(
      'gather and scatterAdd',
      (rows, inner, picks) => {
        const indices = values(
          [picks.length],
          picks.map((i) => i % rows),
          'int32',
        )
        agree([picks.length, inner], 'float32', [wave([rows, inner]), indices], (o, [x, i], k) => k.kernels.gather(o, x, i))
        agree(
          [rows, inner],
          'float32',
          [wave([picks.length, inner]), indices],
          (o, [x, i], k) => k.kernels.scatterAdd(o, x, i),
          2e-5,
          picks.length,
        )
      },
    )

    // More than 64 and more than 64² indices for a row, none for another, and the first and the last row.
    test.each([
      [40, 5000],
      [700, 9000],
      [2, 70_000],
      [20_000, 7],
    ])('scatterAdd into %i rows of %i cells, most into few of them', (rows, count) => {
      const places = Array.from({ length: count }, (_, i) => (i % 4 === 0 ? (i * 37) % rows : i % 7 === 0 ? rows - 1 : 0))
      const cells = values(
        [count, 3],
        Array.from({ length: 3 * count }, (_, i) => (i * 29) % 13),
      )
      agree([rows, 3], 'float32', [cells, values([count], places, 'int32')], (o, [x, i], k) => k.kernels.scatterAdd(o, x, i))
    })

    test('a bad index is named', () => {
      const bad = [wave([3, 2]), values([3], [0, 3, -1], 'int32')]
      for (const backend of [gpu, reference])
        expect(() => evaluate(backend, [3, 2], 'float32', bad, (o, [x, i]) => backend.kernels.gather(o, x, i))).toThrow(
          /index 3 at position 1/,
        )
    })
  })

  test.each([
    [1, 1, 1],
    [3, 5, 4],
    [2, 0, 2],
    [2, 150, 7],
  ])('lstmCell with batch %i, %i inputs, %i units', (n, inputs, units) => {
    const [x, h, c] = [wave([n, inputs], 2, 1), wave([n, units], 1, 2), wave([n, units], 3, 3)]
    const [kernel, recurrent, bias] = [wave([inputs, 4 * units], 1, 4), wave([units, 4 * units], 1, 5), wave([4 * units], 1, 6)]
    const got = evaluate(gpu, [2, n, units], 'float32', [x, h, c, kernel, recurrent, bias], (o, [a, b, d, e, f, g]) =>
      gpu.fused.lstmCell!(o, a, b, d, e, f, g),
    )
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v))
    for (let row = 0; row < n; row++) {
      for (let unit = 0; unit < units; unit++) {
        const [i, f, g, o] = [0, 1, 2, 3].map((gate) => {
          const column = gate * units + unit
          let z = bias.data[column]
          for (let l = 0; l < inputs; l++) z += x.data[row * inputs + l] * kernel.data[l * 4 * units + column]
          for (let l = 0; l < units; l++) z += h.data[row * units + l] * recurrent.data[l * 4 * units + column]
          return z
        })
        const next = sigmoid(f) * c.data[row * units + unit] + sigmoid(i) * Math.tanh(g)
        expect(Math.abs(got[n * units + row * units + unit] - next)).toBeLessThan(2e-5)
        expect(Math.abs(got[row * units + unit] - sigmoid(o) * Math.tanh(next))).toBeLessThan(2e-5)
      }
    }
  })
  test('update changes all slots from the values they had', () => {
    // Adam with a bias-corrected rate. Slots p, m, v; input g; scalars β1, 1 − β1, β2, 1 − β2, rate, ε.
    const at = (slot: number) => ({ slot })
    const scalar = (i: number) => ({ scalar: i })
    const step = (i: number) => ({ step: i })
    const program: UpdateProgram = {
      name: 'adam',
      steps: [
        { kernel: 'mul', arguments: [at(1), scalar(0)] },
        { kernel: 'mul', arguments: [{ input: 0 }, scalar(1)] },
        { kernel: 'add', arguments: [step(0), step(1)] },
        { kernel: 'mul', arguments: [at(2), scalar(2)] },
        { kernel: 'square', arguments: [{ input: 0 }] },
        { kernel: 'mul', arguments: [step(4), scalar(3)] },
        { kernel: 'add', arguments: [step(3), step(5)] },
        { kernel: 'sqrt', arguments: [step(6)] },
        { kernel: 'add', arguments: [step(7), scalar(5)] },
        { kernel: 'div', arguments: [step(2), step(8)] },
        { kernel: 'mul', arguments: [step(9), scalar(4)] },
        { kernel: 'sub', arguments: [at(0), step(10)] },
        { kernel: 'maximum', arguments: [step(11), scalar(6)] },
      ],
      results: [12, 2, 6],
    }
    const shape = [3, 5]
    const squares = values(shape, Array.from(wave(shape, 1, 4).data, Math.abs))
    for (const read of [0, 1, 2]) {
      const call: Call = (out, [p, m, v, g], backend) => {
        backend.fused.update!([{ slots: [p, m, v], inputs: [g] }], program, [0.9, 0.1, 0.999, 0.001, 0.01, 1e-7, -0.5])
        backend.kernels.map(out, [p, m, v][read], 'cast')
      }
      agree(shape, 'float32', [wave(shape), wave(shape, 1, 2), squares, wave(shape, 1, 3)], call, ...elementwise)
    }
  })
})
