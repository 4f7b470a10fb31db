/**
 * The rules of generated source, the bookkeeping of engine and device, and the errors a user meets when something is missing or out of range. The file is
 * longer than 300 lines because each rule and each error has its case.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend, Operand } from '../../src/backends/backend.js'
import { createDevice } from '../../src/backends/gpu/device/device.js'
import { loadGpuJs } from '../../src/backends/gpu/device/gpujs.js'
import { enterMode } from '../../src/backends/gpu/device/modes.js'
import { createGpuBackend } from '../../src/backends/gpu/index.js'
import { address, indexSpace, mergeAxes } from '../../src/backends/gpu/source/addressing.js'
import {
  brokenRules,
  kernelSettings,
  kernelSource,
  LIMITS,
  literal,
  sumInto,
  tanhInto,
  turnsOf,
} from '../../src/backends/gpu/source/rules.js'
import { BackendError, DTypeError } from '../../src/errors.js'
import { type DType, hostArray } from '../../src/tensor/dtype.js'
import { type Shape, sizeOf } from '../../src/tensor/shape.js'

/** A new operand on a backend, filled if values are given. */
function operand(backend: Backend, shape: Shape, data?: ArrayLike<number>, dtype: DType = 'float32'): Operand {
  const size = sizeOf(shape)
  const made = { shape, dtype, size, storage: { handle: backend.alloc(size, dtype), backend, dtype, size, references: 1 } }
  const host = hostArray(dtype, size)
  if (data) {
    host.set(Array.from(data))
    backend.write(made.storage, host)
  }
  return made
}
const read = (x: Operand) => Array.from(x.storage.backend.readSync!(x.storage))

describe('sources', () => {
  test('settings of every kernel', () => {
    expect(kernelSettings([3])).toMatchObject({ precision: 'single', tactic: 'precision', loopMaxIterations: 0x7fffffff, immutable: true })
  })

  test.each([
    ['for (let k = 0; k < n; k++) {}', 'literal'],
    ['for (let k = this.thread.x; k < 3; k++) {}', 'literal'],
    ['for (let k = 3; k > 0; k--) {}', 'literal'],
    ['for (let l = 0; l < 3; l++) { place = x[l] > 0 ? l : place; }', 'GLSL'],
    ['while (true) {}', 'counted'],
    ['return x === x ? 1 : Infinity;', 'infinity'],
    ['return x !== x ? 1 : 0;', 'false for NaN'],
    ['return Math.max(x, 0);', 'lose NaN'],
    ['return Math.tanh(x);', 'differ'],
    ['return Math.pow(x, 3);', 'negative'],
    ['return x ** 3;', 'pow'],
    ['return x % 3;', 'float operation'],
    ['return Math.log1p(x);', 'differ'],
    ['const k = this.constants.k;', 'mistakes'],
  ])('%s breaks a rule', (body, what) => {
    expect(brokenRules(kernelSource(['x'], body)).join()).toContain(what)
  })

  test('the safe spellings break none', () => {
    const body = `${sumInto('sum', 3000, (l) => `x[${l}]`)}\n${tanhInto('y', 'sum')}\nreturn y;`
    expect(brokenRules(kernelSource(['x'], body))).toEqual([])
  })

  test('turns of loops, in one another and in a row', () => {
    const loop = (name: string, turns: number, body: string) => `for (let ${name} = 0; ${name} < ${turns}; ${name}++) {\n${body}\n}`
    const twice = loop('i', 10, `${loop('j', 3, 'sum += x[i];')}\n${loop('k', 4, 'sum += x[k];')}`)
    expect(turnsOf(kernelSource(['x'], `let sum = 0;\n${twice}\n${loop('l', 5, 'sum += x[l];')}\nreturn sum;`))).toBe(10 * (1 + 3 + 4) + 5)
    // 3000 cells are 46 blocks of 64 and 56 more.
    expect(turnsOf(sumInto('sum', 3000, (l) => `x[${l}]`))).toBe(46 * 65 + 56)
    expect(turnsOf('function (x) {\nreturn x[0];\n}')).toBe(0)
  })

  test('a kernel with more turns than the driver takes is refused before it runs', async () => {
    const gpu = await createGpuBackend({ mode: 'cpu' }, { limits: { turns: 100 } })
    const x = operand(gpu, [101], new Float32Array(101).fill(1))
    const [sum, place] = [operand(gpu, []), operand(gpu, [])]
    const extent = { outer: 1, length: 101, inner: 1 }
    expect(() => gpu.kernels.reduce(sum, x, 'sum', extent)).toThrow(/takes 101 turns of its loops, and this driver stops after 100/)
    gpu.kernels.reduce(place, x, 'sum', { ...extent, length: 100 })
    expect(gpu.readSync?.(place.storage)).toEqual(Float32Array.of(100))
    await gpu.dispose?.()
  })

  test('literals', () => {
    expect([literal(3), literal(-2), literal(0.5)]).toEqual(['3', '(-2)', '0.5'])
    expect(() => literal(Infinity)).toThrow(BackendError)
    expect(() => literal(Number.NaN)).toThrow(BackendError)
  })
})

describe('addressing', () => {
  /** Evaluates a space on the host: the coordinates of every thread, in the order of the output. */
  function coordinates(axes: Shape, division: number, axisPerThread = false, width = Infinity): number[][] {
    const space = indexSpace(axes, { ...LIMITS, division, integer: division * 4, width }, axisPerThread)
    expect(space.output.length === 1 || Math.max(...space.output.slice(0, 2)) <= width).toBe(true)
    const body = `${space.declarations}\nreturn [${space.flat}, ${space.at.join(', ')}];`
    const cell = new Function(body) as (this: { thread: { x: number; y: number; z: number } }) => number[]
    const [w, h = 1, d = 1] = space.output
    const cells: number[][] = []
    for (let z = 0; z < d; z++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) cells.push(cell.call({ thread: { x, y, z } }))
    return cells
  }

  test.each([
    [[], 8, false],
    [[1, 1], 8, false],
    [[7], 8, false],
    [[1, 77, 1], 8, false],
    [[2, 3], 8, false],
    [[5, 4, 2], 8, false],
    [[2, 1, 3, 4, 2], 8, false],
    [[3, 40, 2], 8, false],
    [[2, 3, 4], 8, true],
    [[1, 3, 4], 8, true],
    [[1, 1, 4], 8, true],
    [[1, 1, 1], 8, true],
    [[23, 3], 8, false, 7],
    [[1, 23, 1, 3], 8, false, 7],
    [[3, 28], 8, false, 7],
    [[11, 3, 2], 12, false, 10],
  ] as [Shape, number, boolean, number?][])(
    '[%s] with divisions up to %i visits its cells in row-major order (an axis per thread: %s, width %s)',
    (axes, division, axisPerThread, width) => {
      const cells = coordinates(axes, division, axisPerThread, width)
      const size = sizeOf(axes)
      expect(cells.length).toBeGreaterThanOrEqual(size)
      for (let i = 0; i < size; i++) {
        const [flat, ...at] = cells[i]
        let rest = i
        const want = [...axes].reverse().map((n) => {
          const index = rest % n
          rest = (rest - index) / n
          return index
        })
        expect([flat, ...at]).toEqual([i, ...want.reverse()])
      }
    },
  )

  test('a space that does not fold says so', () => {
    expect(() => indexSpace([9, 9, 9, 9], { ...LIMITS, division: 8 })).toThrow(/does not fold/)
    expect(() => indexSpace([2, 11, 3], { ...LIMITS, division: 12, width: 10 })).toThrow(/11 is more than the 10 threads/)
  })

  test('merged axes and addresses', () => {
    expect(mergeAxes([2, 1, 3, 4], [[12, 12, 4, 1]])).toEqual({ shape: [24], strides: [[1]] })
    expect(
      mergeAxes(
        [2, 3, 4],
        [
          [12, 4, 1],
          [0, 4, 1],
        ],
      ),
    ).toEqual({
      shape: [2, 12],
      strides: [
        [12, 1],
        [0, 1],
      ],
    })
    expect(address(['i', '0', 'j'], [4, 2, 1], 3)).toBe('i * 4 + j + 3')
    expect(address([], [])).toBe('0')
  })
})

describe('the backend', () => {
  let gpu: Backend
  const compiled: string[] = []
  beforeAll(async () => {
    gpu = await createGpuBackend({ mode: 'webasm' }, { cachedKernels: 3, onCompile: (source) => compiled.push(source) })
  })
  afterAll(() => gpu.dispose?.())

  test('gpu.js missing: one sentence that says what to install', async () => {
    const load = () => Promise.reject(new Error("Cannot find package 'gpu.js'"))
    const failed = createGpuBackend({}, { load })
    await expect(failed).rejects.toThrow(BackendError)
    await expect(failed).rejects.toThrow(/npm i gpu\.js@2\.24\.1.*ignore-scripts.*`gl`/)
  })

  test('a kernel against the rules is refused, not compiled', async () => {
    const { context, leave } = await enterMode(await loadGpuJs(), 'webasm', LIMITS)
    const device = createDevice(context, { cachedKernels: 4 })
    const source = kernelSource(['x', 'n'], 'let sum = 0;\nfor (let k = 0; k < n; k++) { sum += x[k]; }\nreturn sum;')
    const arrays = [device.upload(Float32Array.of(1, 2))]
    expect(() => device.run({ source, output: [1], size: 1, arrays, scalars: [2] })).toThrow(
      /breaks the rules \(the loop is not counted up to a literal/,
    )
    expect(device.kernels()).toBe(0)
    // This engine makes floats of counters, so they are rewritten to whole numbers when they are read.
    expect(context.rewrite?.('for (let k = 0; k < 3; k++) { sum += x[k * 2 + kk]; }')).toBe(
      'for (let k = 0; k < 3; k++) { sum += x[(k | 0) * 2 + kk]; }',
    )
    await device.destroy()
    await leave()
  })

  test('a kernel that gpu.js moves to another engine is an error', async () => {
    const kernel = Object.assign(() => new Float32Array(1), { destroy() {}, kernel: { constructor: { mode: 'cpu' } } })
    class GPU {
      kernels = []
      createKernel = () => kernel
      destroy = async () => {}
    }
    const fake = await createGpuBackend({ mode: 'webasm' }, { load: async () => ({ default: { GPU, Input: class {} } }) })
    expect(() => fake.kernels.fill(operand(fake, [1]), 1)).toThrow(/on 'cpu' instead of 'webasm'/)
  })

  test('compiled kernels are kept by signature, the latest few', () => {
    const run = (n: number) => {
      const [x, out] = [operand(gpu, [n], new Array(n).fill(-1)), operand(gpu, [n])]
      gpu.kernels.map(out, x, 'abs')
      expect(read(out)).toEqual(new Array(n).fill(1))
      gpu.free(x.storage)
      gpu.free(out.storage)
    }
    const before = compiled.length
    for (const n of [2, 2, 3, 2, 4, 2]) run(n)
    expect(compiled.length - before).toBe(3)
    for (const n of [5, 2]) run(n)
    expect(compiled.length - before).toBe(4)
    run(3)
    expect(compiled.length - before).toBe(5)
  })

  test('a slot is filled by swapping; earlier results and inputs stay as they were', () => {
    const x = operand(gpu, [2], [1, 2])
    const [first, second] = [operand(gpu, [2]), operand(gpu, [2])]
    expect(first.storage.handle).toBeNull()
    gpu.kernels.map(first, x, 'square')
    const handle = first.storage.handle
    gpu.kernels.map(second, first, 'square')
    gpu.write(x.storage, Float32Array.of(5, 6))
    gpu.kernels.zip(second, first, first, 'mul')
    expect([read(x), read(first), read(second)]).toEqual([
      [5, 6],
      [1, 4],
      [1, 16],
    ])
    expect(first.storage.handle).toBe(handle)
    for (const { storage } of [x, first, second]) gpu.free(storage)
  })

  test('memory counts what is allocated', () => {
    const x = operand(gpu, [5], [1, 2, 3, 4, 5], 'uint8')
    expect(gpu.memory()).toEqual({ buffers: 1, bytes: 20, reservedBytes: 20 })
    gpu.free(x.storage)
    expect(gpu.memory()).toEqual({ buffers: 0, bytes: 0, reservedBytes: 0 })
  })

  test('dtypes keep their host arrays, and what float32 cannot hold is refused', async () => {
    for (const dtype of ['int32', 'uint8', 'bool'] as const) {
      const x = operand(gpu, [2], [0, 1], dtype)
      expect(await gpu.read(x.storage)).toEqual(hostArray(dtype, 2).fill(1, 1))
      gpu.free(x.storage)
    }
    const exact = operand(gpu, [2], [2 ** 24, -(2 ** 24)], 'int32')
    expect(read(exact)).toEqual([2 ** 24, -(2 ** 24)])
    expect(() => gpu.write(exact.storage, Int32Array.of(0, 2 ** 24 + 1))).toThrow(DTypeError)
    expect(() => gpu.write(exact.storage, Int32Array.of(0, 2 ** 24 + 1))).toThrow(/16777217 at position 1/)
    expect(() => gpu.kernels.fill(exact, 2 ** 31 - 1)).toThrow(DTypeError)
    gpu.free(exact.storage)
    expect(() => gpu.alloc(1, 'float64')).toThrow(DTypeError)
  })

  test('a read of nothing', () => {
    const [x, empty, out] = [operand(gpu, [2]), operand(gpu, [0]), operand(gpu, [2])]
    expect(() => gpu.readSync!(x.storage)).toThrow(/before anything was written/)
    expect(() => gpu.kernels.map(out, x, 'neg')).toThrow(/before anything was written/)
    expect(read(empty)).toEqual([])
    for (const { storage } of [x, empty, out]) gpu.free(storage)
  })

  test('at most seven arrays in a kernel', () => {
    const inputs = Array.from({ length: 8 }, (_, i) => operand(gpu, [1], [i]))
    const sum = (n: number) => ({
      name: `sum${n}`,
      steps: [
        { kernel: 'add' as const, arguments: [{ slot: 0 }, { input: 0 }] },
        ...Array.from({ length: n - 1 }, (_, i) => ({ kernel: 'add' as const, arguments: [{ step: i }, { input: i + 1 }] })),
      ],
      results: [n - 1],
    })
    gpu.fused.update!([{ slots: [inputs[7]], inputs: inputs.slice(0, 6) }], sum(6), [])
    expect(read(inputs[7])).toEqual([22])
    expect(() => gpu.fused.update!([{ slots: [inputs[7]], inputs: inputs.slice(0, 7) }], sum(7), [])).toThrow(/at most 7 arrays/)
    for (const { storage } of inputs) gpu.free(storage)
  })

  test('positions beyond what float32 decodes are refused, not rounded', async () => {
    const small = await createGpuBackend({ mode: 'webasm' }, { limits: { division: 16, integer: 32 } })
    const [x, indices, out] = [operand(small, [40], new Array(40).fill(1)), operand(small, [1], [0], 'int32'), operand(small, [1, 1])]
    expect(() => small.kernels.gather(out, { ...x, shape: [40, 1] }, indices)).toThrow(/beyond the 32/)
    small.kernels.reduce(out, x, 'sum', { outer: 1, length: 40, inner: 1 })
    expect(read(out)).toEqual([40])
    await small.dispose?.()
  })

  test('elementwise kernels are right beyond 2^24 elements', async () => {
    const fresh = await createGpuBackend({ mode: 'webasm' })
    const size = 2 ** 24 + 5
    const values = new Float32Array(size)
    for (let i = 0; i < size; i++) values[i] = i & 1023
    const [x, out] = [operand(fresh, [size]), operand(fresh, [size])]
    fresh.write(x.storage, values)
    fresh.kernels.map(out, x, 'neg')
    const got = fresh.readSync!(out.storage)
    expect(got.length).toBe(size)
    expect(got.findIndex((value, i) => value !== -values[i])).toBe(-1)
    await fresh.dispose?.()
  })
})
