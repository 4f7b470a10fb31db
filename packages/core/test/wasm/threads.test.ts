/**
 * Threads: every kernel has the same bits for any number of them, and the pool neither hangs nor leaks. The file is longer than 300 lines because it has a
 * case for each kernel.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Backend, UpdateProgram } from '../../src/backends/backend.js'
import { assemble } from '../../src/backends/wasm/assembler/assembler.js'
import { Engine } from '../../src/backends/wasm/engine/engine.js'
import { words } from '../../src/backends/wasm/engine/worker-program.js'
import { createBackendOn, createWasmBackend } from '../../src/backends/wasm/index.js'
import type { DType, TypedArray } from '../../src/tensor/dtype.js'
import { type Shape, slidingWindow, type Window } from '../../src/tensor/shape.js'
import { type Call, compute, type Host, host, operandOn } from './harness.js'

const counts = [1, 2, 4, 16]
const engines = counts.map((threads) => new Engine({ threads }))
const backends = engines.map(createBackendOn)

/** Waits until all workers have started, however busy the machine is. */
async function started(engine: Engine): Promise<void> {
  const { pool } = engine
  while (pool && pool.ready < pool.threads - 1) await new Promise((resolve) => setTimeout(resolve, 2))
}

beforeAll(async () => {
  for (const engine of engines) {
    engine.splitAbove = 0
    if (engine.pool) engine.pool.choice.always = true
    await started(engine)
  }
})
afterAll(async () => {
  for (const backend of backends) await backend.dispose?.()
})

const bytesOf = (values: TypedArray): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

/** Runs a kernel with each number of threads, a few times, and compares bytes. Of sixteen threads one time is enough: there are 32 parts in it. */
function same(shape: Shape, dtype: DType, inputs: readonly Host[], call: Call): void {
  const expected = bytesOf(compute(backends[0], shape, dtype, inputs, call))
  for (let i = 1; i < backends.length; i++)
    for (let turn = 0; turn < (counts[i] > 4 ? 1 : 3); turn++) {
      const actual = bytesOf(compute(backends[i], shape, dtype, inputs, call))
      if (!actual.equals(expected)) expect.fail(`${counts[i]} threads differ from 1`)
    }
}

const float = (seed: number, ...shape: number[]): Host => host(seed, shape, 'float32')

describe('the same bits for 1, 2, 4 and 16 threads', () => {
  it.each([
    [256, 256, 256],
    [200, 784, 784],
    [67, 131, 901],
    [3500, 37, 50],
    [1, 517, 301],
    [517, 1, 301],
    [3, 900, 77],
    [900, 10, 77],
    [5, 1, 1],
    [14, 30, 8100],
  ])('matMul %i × %i × %i, all transposes', (m, n, k) => {
    for (const ta of [false, true])
      for (const tb of [false, true])
        same([m, n], 'float32', [ta ? float(1, k, m) : float(1, m, k), tb ? float(2, n, k) : float(2, k, n)], (k, _, out, a, b) =>
          k.matMul(out, a, b, ta, tb),
        )
  })

  it('affine', () => {
    for (const [m, n, k] of [
      [401, 1, 90],
      [200, 300, 410],
      [37, 1600, 33],
      [600, 9, 70],
      [1500, 20, 40],
    ])
      same([m, n], 'float32', [float(1, m, k), float(2, k, n), float(3, n)], (_, fused, out, x, w, b) => fused.affine?.(out, x, w, b, true))
  })

  it('matMul of batches, small and large products', () => {
    for (const [batch, m, n, k] of [
      [301, 7, 9, 11],
      [5, 33, 65, 40],
      [3, 200, 60, 500],
    ])
      for (const tb of [false, true])
        same([batch, m, n], 'float32', [float(1, batch, m, k), tb ? float(2, batch, n, k) : float(2, batch, k, n)], (k, _, out, a, b) =>
          k.matMul(out, a, b, false, tb),
        )
  })

  it.each([
    [[9, 12, 11, 3], [3, 3], 13, 'same'],
    [[2, 40, 30, 5], [5, 4], 8, 'valid'],
    [[45, 9, 9, 1], [3, 3], 32, 'valid'],
    [[170, 6, 5, 4], [2, 3], 13, 'same'], // more than one job for a group of images, and bands of filters for sixteen threads
    [[1, 200, 20, 16], [3, 3], 20, 'same'], // more than one job for the blocks of an image
  ] as const)('convolution of %j by %j to %i channels, %s', (x, kernelSize, filters, padding) => {
    const window = slidingWindow('test', x, kernelSize, [1, 1], padding)
    const filter = [...kernelSize, x[3], filters]
    const y = [x[0], ...window.outSize, filters]
    same(y, 'float32', [float(1, ...x), float(2, ...filter), float(3, filters)], (_, fused, out, a, b, bias) =>
      fused.conv2d?.(out, a, b, bias, window, true),
    )
    same([...x], 'float32', [float(1, ...y), float(2, ...filter)], (_, fused, out, a, b) => fused.conv2dInput?.(out, a, b, window))
    same(filter, 'float32', [float(1, ...x), float(2, ...y)], (_, fused, out, a, b) => fused.conv2dFilter?.(out, a, b, window))
  })

  it.each([
    [[9, 12, 11, 3], [2, 2], [2, 2], 'same'],
    [[3, 40, 30, 20], [3, 3], [1, 1], 'same'],
    [[1, 50, 9, 1], [3, 2], [2, 2], 'valid'],
    [[37, 6, 6, 8], [2, 2], [2, 2], 'valid'],
  ] as const)('pooling of %j by %j, strides %j, %s', (x, kernelSize, strides, padding) => {
    const window = slidingWindow('test', x, kernelSize, strides, padding)
    const y = [x[0], ...window.outSize, x[3]]
    same(y, 'float32', [float(1, ...x)], (_, fused, out, a) => fused.maxPool2d?.(out, a, window))
    same(y, 'float32', [float(1, ...x)], (_, fused, out, a) => fused.averagePool2d?.(out, a, window))
    same([...x], 'float32', [float(1, ...x), float(2, ...y)], (_, fused, out, a, b) => fused.maxPool2dGradient?.(out, a, b, window))
    same([...x], 'float32', [float(2, ...y)], (_, fused, out, a) => fused.averagePool2dGradient?.(out, a, window))
  })

  it.each([
    [[9, 12, 11, 3], [3, 3], [1, 1], 'same'],
    [[3, 40, 30, 20], [5, 4], [2, 2], 'same'],
    [[1, 50, 9, 1], [3, 2], [1, 1], 'valid'],
  ] as const)('depthwise convolution of %j by %j, strides %j, %s', (x, kernelSize, strides, padding) => {
    const window = slidingWindow('test', x, kernelSize, strides, padding)
    const [y, filter] = [
      [x[0], ...window.outSize, x[3]],
      [...kernelSize, x[3]],
    ]
    same(y, 'float32', [float(1, ...x), float(2, ...filter)], (_, fused, out, a, b) => fused.depthwiseConv2d?.(out, a, b, window))
    same([...x], 'float32', [float(1, ...y), float(2, ...filter)], (_, fused, out, a, b) => fused.depthwiseConv2dInput?.(out, a, b, window))
    same(filter, 'float32', [float(1, ...x), float(2, ...y)], (_, fused, out, a, b) => fused.depthwiseConv2dFilter?.(out, a, b, window))
  })

  it.each([
    [4099, 1],
    [3001, 3],
    [2500, 32],
    [300, 130],
    [70, 1024],
  ])('moments, sums and normalisation of %i × %i', (rows, c) => {
    const [x, dY, center] = [float(1, rows, c), float(2, rows, c), float(3, c)]
    same([2, c], 'float32', [x], (_, fused, out, a) => fused.moments?.(out, a))
    same([2, c], 'float32', [x, dY, center], (_, fused, out, a, b, m) => fused.channelSums?.(out, a, b, m))
    same([rows, c], 'float32', [x, center, float(4, c), float(5, c)], (_, fused, out, a, m, s, b) => fused.normalize?.(out, a, m, s, b))
  })

  it('layer normalisation', () => {
    for (const [rows, c] of [
      [999, 10],
      [33, 1001],
      [77, 3],
    ]) {
      const [x, dY, gamma] = [float(1, rows, c), float(2, rows, c), float(3, c)]
      same([rows, c], 'float32', [x, gamma, float(4, c)], (_, fused, out, a, g, b) => fused.layerNorm?.(out, a, g, b, 0.001))
      same([rows, c], 'float32', [x, dY, gamma], (_, fused, out, a, d, g) => fused.layerNormGradient?.(out, a, d, g, 0.001))
      same([2, c], 'float32', [x, dY], (_, fused, out, a, d) => fused.layerNormSums?.(out, a, d, 0.001))
      same([rows, c], 'float32', [x, gamma], (_, fused, out, a, g) => fused.rmsNorm?.(out, a, g, 0.001))
      same([rows, c], 'float32', [x, dY, gamma], (_, fused, out, a, d, g) => fused.rmsNormGradient?.(out, a, d, g, 0.001))
      same([c], 'float32', [x, dY], (_, fused, out, a, d) => fused.rmsNormSums?.(out, a, d, 0.001))
    }
  })

  it.each(['gelu', 'geluTanh', 'silu'] as const)('%s and its gradient', (kernel) => {
    for (const size of [1, 63, 30_011]) {
      const [x, dY] = [host(size, [size], 'float32', { special: true }), float(2, size)]
      same([size], 'float32', [x], (_, fused, out, a) => fused.activate?.(out, a, kernel))
      same([size], 'float32', [x, dY], (_, fused, out, a, d) => fused.activateGradient?.(out, a, d, kernel))
    }
  })

  it('map', () => {
    for (const size of [1, 63, 65, 1001, 30_011])
      for (const kernel of ['exp', 'tanh', 'log1p', 'square', 'sign'] as const)
        same([size], 'float32', [host(size, [size], 'float32', { special: true })], (k, _, out, x) => k.map(out, x, kernel))
    for (const from of ['float32', 'int32', 'uint8', 'bool'] as const)
      for (const to of ['float32', 'int32', 'uint8', 'bool'] as const)
        same([5003], to, [host(4, [5003], from)], (k, _, out, x) => k.map(out, x, 'cast'))
  })

  it.each([
    [[4099], [4099], [4099]],
    [[4099], [4099], []],
    [[130, 31], [130, 31], [31]],
    [
      [130, 31],
      [130, 1],
      [130, 31],
    ],
    [
      [3, 1700],
      [1, 1700],
      [3, 1],
    ],
    [
      [11, 6, 13, 5],
      [11, 1, 13, 1],
      [1, 6, 1, 5],
    ],
    [
      [301, 2, 3, 2],
      [301, 1, 3, 1],
      [2, 1, 2],
    ],
  ])('zip and select on %j from %j and %j', (shape, a, b) => {
    for (const kernel of ['add', 'pow', 'less'] as const)
      same(shape, kernel === 'less' ? 'bool' : 'float32', [float(1, ...a), float(2, ...b)], (k, _, out, x, y) => k.zip(out, x, y, kernel))
    same(shape, 'float32', [host(3, a, 'bool'), float(1, ...b), float(2, ...shape)], (k, _, out, c, x, y) => k.select(out, c, x, y))
    same(shape, 'uint8', [host(3, shape, 'bool'), host(1, a, 'uint8'), host(2, b, 'uint8')], (k, _, out, c, x, y) => k.select(out, c, x, y))
  })

  it.each([
    [1, 70_001, 1],
    [37, 901, 1],
    [1, 700, 97],
    [1, 7003, 37],
    [2, 2000, 10],
    [9, 33, 65],
    [300, 5, 3],
    [5000, 2, 1],
  ])('reduce and scan [%i, %i, %i]', (outer, length, inner) => {
    const extent = { outer, length, inner }
    for (const kernel of ['sum', 'prod', 'max', 'argMax'] as const)
      same([outer, inner], kernel === 'argMax' ? 'int32' : 'float32', [float(5, outer, length, inner)], (k, _, out, x) =>
        k.reduce(out, x, kernel, extent),
      )
    same([outer, inner], 'bool', [host(6, [outer, length, inner], 'bool')], (k, _, out, x) => k.reduce(out, x, 'max', extent))
    for (const reverse of [false, true])
      same([outer, length, inner], 'float32', [float(5, outer, length, inner)], (k, _, out, x) => k.scan(out, x, extent, !reverse, reverse))
  })

  it('fill and copy: whole, transposed, permuted, sliced, flipped, padded, repeated', () => {
    for (const dtype of ['float32', 'uint8'] as const) {
      const copy = (shape: number[], from: number[], axis: number[], start = axis.map(() => 0), step = axis.map(() => 1)): void =>
        same(shape, dtype, [host(7, from, dtype)], (k, _, out, x) => k.copy(out, x, { axis, start, step, fill: 3 }))
      same([10_007], dtype, [], (k, _, out) => k.fill(out, 2))
      copy([10_007], [10_007], [0])
      copy([301, 77], [77, 301], [1, 0])
      copy([31, 7, 50], [7, 31, 50], [1, 0, 2])
      copy([13, 31, 7, 5], [7, 13, 5, 31], [1, 3, 0, 2])
      copy([100, 60], [120, 70], [0, 1], [10, 5])
      copy([120, 70], [120, 70], [0, 1], [119, 69], [-1, -1])
      copy([33, 72, 75], [33, 70, 70], [0, 1, 2], [0, -1, -3])
      copy([500, 33], [33, 1], [-1, 0])
      copy([3, 5000], [3, 1], [0, -1])
    }
  })

  it('unfold and fold', () => {
    const window: Window = { kernelSize: [3, 2], strides: [1, 2], dilation: [1, 1], padBefore: [1, 1], outSize: [9, 6] }
    same([7, 9, 6, 3, 2, 5], 'float32', [float(8, 7, 9, 11, 5)], (k, _, out, x) => k.unfold(out, x, window, 0.5))
    same([7, 9, 11, 5], 'float32', [float(9, 7, 9, 6, 3, 2, 5)], (k, _, out, x) => k.fold(out, x, window))
  })

  it('gather and scatterAdd', () => {
    for (const inner of [1, 32, 50]) {
      const indices: Host = { shape: [999], dtype: 'int32', values: Int32Array.from({ length: 999 }, (_, i) => (i * 37) % 100) }
      same([999, inner], 'float32', [float(1, 100, inner), indices], (k, _, out, x, i) => k.gather(out, x, i))
      same([100, inner], 'float32', [float(1, 999, inner), indices], (k, _, out, x, i) => k.scatterAdd(out, x, i))
    }
  })

  it('softmax, cross-entropy and uniform', () => {
    for (const [rows, classes] of [
      [999, 10],
      [33, 1001],
      [77, 3],
    ]) {
      same([rows, classes], 'float32', [float(1, rows, classes)], (_, fused, out, x) => fused.softmax?.(out, x))
      same([rows], 'float32', [float(1, rows, classes), float(2, rows, classes)], (_, fused, out, x, y) =>
        fused.softmaxCrossEntropy?.(out, x, y),
      )
      same([rows, classes], 'float32', [float(1, rows, classes), float(2, rows, classes), float(3, rows)], (_, fused, out, x, y, dY) =>
        fused.softmaxCrossEntropyGradient?.(out, x, y, dY),
      )
      // Some numbers are no classes.
      const [logits, numbers] = [float(1, rows, classes), host(3, [rows], 'int32', { low: -1, high: classes + 1 })]
      same([rows], 'float32', [logits, numbers], (_, fused, out, x, y) => fused.classCrossEntropy?.(out, x, y))
      same([rows, classes], 'float32', [logits, numbers, float(4, rows)], (_, fused, out, x, y, d) =>
        fused.classCrossEntropyGradient?.(out, x, y, d),
      )
    }
    for (const size of [5, 1001, 40_003]) {
      same([size], 'float32', [], (_, fused, out) => fused.uniform?.(out, [123, -456]))
      for (const dtype of ['float32', 'uint8'] as const)
        same([size], dtype, [], (_, fused, out) => fused.bernoulli?.(out, [123, -456], 0.3))
      const mask: Host = { shape: [size], dtype: 'uint8', values: Uint8Array.from({ length: size }, (_, i) => (i * i) % 3) }
      same([size], 'float32', [float(1, size), mask], (_, fused, out, x, kept) => fused.maskedScale?.(out, x, kept, 1 / 0.7))
    }
  })

  it('update', () => {
    const program: UpdateProgram = {
      name: 'momentum (threads.test)',
      steps: [
        { kernel: 'mul', arguments: [{ slot: 1 }, { scalar: 0 }] },
        { kernel: 'add', arguments: [{ step: 0 }, { input: 0 }] },
        { kernel: 'sub', arguments: [{ slot: 0 }, { step: 1 }] },
      ],
      results: [2, 1],
    }
    for (const size of [3, 1001, 50_001]) {
      const run = (backend: Backend): Buffer[] => {
        const [x, v, g] = [1, 2, 3].map((seed) => operandOn(backend, float(seed, size)))
        for (let step = 0; step < 3; step++) backend.fused.update?.([{ slots: [x, v], inputs: [g] }], program, [0.9])
        const results = [x, v].map(({ storage }) => bytesOf(backend.readSync?.(storage) as TypedArray))
        for (const { storage } of [x, v, g]) backend.free(storage)
        return results
      }
      const [expected, ...others] = backends.map(run)
      for (const other of others) expect(other.map((bytes, i) => bytes.equals(expected[i]))).toEqual([true, true])
    }
  })

  it('update of more targets than a part has room for', () => {
    const program: UpdateProgram = {
      name: 'descent (threads.test)',
      steps: [
        { kernel: 'mul', arguments: [{ input: 0 }, { scalar: 0 }] },
        { kernel: 'sub', arguments: [{ slot: 0 }, { step: 0 }] },
      ],
      results: [1],
    }
    const sizes = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? 3001 : 1 + (i % 9)))
    const run = (backend: Backend): string[] => {
      const targets = sizes.map((size, i) => ({
        slots: [operandOn(backend, float(i, size))],
        inputs: [operandOn(backend, float(i + 1, size))],
      }))
      backend.fused.update?.(targets, program, [0.1])
      const values = targets.map(({ slots }) => bytesOf(backend.readSync?.(slots[0].storage) as TypedArray).toString('hex'))
      for (const { slots, inputs } of targets) for (const { storage } of [...slots, ...inputs]) backend.free(storage)
      return values
    }
    const [expected, ...others] = backends.map(run)
    for (const other of others) expect(other).toEqual(expected)
  })

  it('and workers have run parts of the jobs', async () => {
    for (const engine of engines.slice(1)) {
      const before = engine.pool?.helped ?? 0
      for (let turn = 0; engine.pool?.helped === before && turn < 10_000; turn++) {
        same([256, 256], 'float32', [float(1, 256, 256), float(2, 256, 256)], (k, _, out, a, b) => k.matMul(out, a, b, false, false))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(engine.pool?.helped).toBeGreaterThan(before)
    }
  })
})

describe('the pool', () => {
  const sum = (backend: Backend): number =>
    compute(backend, [1], 'float32', [float(1, 50, 100)], (k, _, out, x) =>
      k.reduce(out, x, 'sum', { outer: 1, length: 5000, inner: 1 }),
    )[0]

  it('says how it runs', () => {
    expect(backends.map((backend) => backend.info?.().threads)).toEqual(counts)
    expect(backends[0].info?.()).toEqual({ threads: 1, relaxedSimd: engines[0].relaxed, simd256: engines[0].simd256, sharedMemory: true })
    const automatic = createWasmBackend({ threads: 'auto' })
    expect(automatic.info?.().threads).toBeGreaterThanOrEqual(1)
    void automatic.dispose?.()
    for (const threads of [0, 17, 1.5, NaN]) expect(() => createWasmBackend({ threads })).toThrow('whole number from 1 to 16')
  })

  it('starts unasked workers a few at a time, as jobs have work for them', async () => {
    const os = vi.spyOn(process.getBuiltinModule('node:os'), 'availableParallelism').mockReturnValue(8)
    const engine = new Engine({ threads: 'auto' })
    os.mockRestore()
    const { pool } = engine
    if (!pool) return expect.fail('no pool')
    const job = (nanoseconds: number): void => engine.split(8, 1, nanoseconds, () => undefined)
    const settled = async (workers: number): Promise<void> => {
      while (pool.ready < workers) await new Promise((resolve) => setTimeout(resolve, 2))
      expect(pool.ready).toBe(workers)
    }
    try {
      expect(pool.ready).toBe(0)
      job(29_000) // too small to be shared
      await settled(0)
      job(40_000)
      await settled(3)
      for (let i = 0; i < 20; i++) job(40_000)
      await settled(3)
      job(70_000)
      await settled(6)
      job(1e6)
      await settled(7)
      expect(engine.threads).toBe(8)
    } finally {
      await pool.stop()
    }
  })

  it('survives errors in kernels', () => {
    for (const backend of backends) {
      const indices: Host = { shape: [400], dtype: 'int32', values: new Int32Array(400).fill(400) }
      expect(() => compute(backend, [400, 3], 'float32', [float(1, 400, 3), indices], (k, _, out, x, i) => k.gather(out, x, i))).toThrow(
        'out of range',
      )
      expect(sum(backend)).toBe(sum(backends[0]))
    }
  })

  it('reports a kernel that traps, in whatever thread, and goes on', () => {
    const [, engine] = engines
    const trap = engine.compileOne((module) =>
      module.export('kernel', { at: 'i32' }, null, (f, { at }) =>
        f.do({ emit: (code) => at.emit(code) }, { emit: (code) => code.byte(0x1a) }, { emit: (code) => code.byte(0x00) }),
      ),
    )
    for (let turn = 0; turn < 20; turn++) expect(() => engine.split(4, 1, 1e9, (begin, _, call) => call(trap, begin))).toThrow()
    same([300, 300], 'float32', [float(1, 300, 300), float(2, 300, 300)], (k, _, out, a, b) => k.matMul(out, a, b, false, true))
  })

  it('works before its workers have started, after the memory grew, and after they are gone', async () => {
    const engine = new Engine({ threads: 3 })
    engine.splitAbove = 0
    const backend = createBackendOn(engine)
    const product = (): TypedArray =>
      compute(backend, [90, 90], 'float32', [float(1, 90, 90), float(2, 90, 90)], (k, _, out, a, b) => k.matMul(out, a, b, false, false))
    const expected = product()
    await started(engine)
    const large = Array.from({ length: 4 }, () => backend.alloc(30e6, 'float32'))
    expect(large.length).toBe(4)
    for (let turn = 0; turn < 50; turn++) expect(bytesOf(product()).equals(bytesOf(expected))).toBe(true)
    await engine.pool?.stop()
    expect(engine.threads).toBe(1)
    expect(product()).toEqual(expected)
  })

  it.each([
    ['spinning, as in a page', false],
    ['asleep', true],
  ])('counts a worker that never ends its part as lost, and goes on with one thread: the main thread is %s', async (_, mayWait) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const atomicsWait = vi.spyOn(Atomics, 'wait').mockImplementation(() => (mayWait ? 'timed-out' : expect.fail('a page may not wait')))
    const engine = new Engine({ threads: 2 })
    const backend = createBackendOn(engine)
    const { pool } = engine
    try {
      await started(engine)
      if (!pool) return expect.fail('no pool')
      engine.splitAbove = 0
      pool.choice.always = true
      const endless = new WebAssembly.Module(
        assemble({ shared: true, relaxed: false }, (module) => module.export('kernel', {}, null, (f) => f.loop((again) => f.break(again)))),
      )
      // Workers run the kernel of the module. The main thread runs this function instead, which ends when the worker has begun.
      const control = engine.memory.ints
      const raw = (): number => {
        while (Atomics.load(control, words.claims + 16) % 2 === 0);
        return 0
      }
      const kernel = Object.assign(() => raw(), { raw })
      pool.register(endless, { kernel })
      let time = performance.now()
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => (time += 1000))
      expect(() => engine.split(2, 1, 1000, (_, __, call) => call(kernel))).toThrow('lost in the middle of a kernel')
      // A look at the clock, or a sleep, counts for at most 100 ms, however long it took. So half a minute takes 300 of them.
      expect((mayWait ? atomicsWait : clock).mock.calls.length).toBeGreaterThanOrEqual(300)
      expect(engine.threads).toBe(1)
      expect(sum(backend)).toBe(sum(backends[0]))
      expect(warn.mock.calls.filter(([text]) => !text.includes('was lost'))).toEqual([])
    } finally {
      vi.restoreAllMocks()
      await backend.dispose?.()
    }
  })

  it('runs on one thread without shared memory or worker_threads, and says so once', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const shared = globalThis.SharedArrayBuffer
    const { getBuiltinModule } = process
    try {
      // @ts-expect-error: this is missing in a page that is not cross-origin isolated
      globalThis.SharedArrayBuffer = undefined
      for (let i = 0; i < 2; i++) expect(createWasmBackend({ threads: 2 }).info?.()).toMatchObject({ threads: 1, sharedMemory: false })
      globalThis.SharedArrayBuffer = shared
      process.getBuiltinModule = undefined as unknown as typeof getBuiltinModule
      const backend = createWasmBackend({ threads: 2 })
      expect(backend.info?.().threads).toBe(1)
      expect(sum(backend)).toBeCloseTo(sum(backends[0]), 3)
      expect(warn.mock.calls.map(([text]) => text)).toEqual([
        expect.stringContaining('shared memory'),
        expect.stringContaining('starts no threads'),
      ])
    } finally {
      globalThis.SharedArrayBuffer = shared
      process.getBuiltinModule = getBuiltinModule
      warn.mockRestore()
    }
  })

  it('ends its workers when the backend is disposed, and does not keep a process alive', () => {
    const script = fileURLToPath(new URL('../threads-process.ts', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@cotangent/source', '--import', 'tsx', script], {
      encoding: 'utf8',
      timeout: 100_000,
    })
    expect({ status, stdout, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stdout: 'disposed\nworked\n', stderr: '' })
  })
})
