/** Convolutional networks in a small size: our two libraries learn them and agree, and layers that make no sense are refused. */
import { describe, expect, test } from 'vitest'
import type { Adapter } from './adapter.js'
import { batchThatFits, fitted, STEP_MS } from './batch-limit.js'
import type { Contestant } from './contestant.js'
import { cotangent } from './libraries/cotangent.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { markdown } from './markdown.js'
import { type LayerSpec, models, type TrainWorkload } from './networks.js'
import { placed } from './placed.js'
import { uniformValues } from './random.js'
import { recordRows } from './records.js'
import { table } from './report.js'
import { type LibraryResult, timeWorkload } from './rounds.js'
import { type ConvWorkload, commands, shapeOf, type Workload } from './workloads.js'

const rowNamed = (name: string): Workload =>
  Object.values(commands)
    .flat()
    .find((row) => row.name === name) as Workload
const ours: [string, () => Adapter][] = [
  ['cotangent', cotangent],
  ['cotangent core', cotangentCore],
]

/** A network of the table, with images and layers of a fraction of the size. */
function small(name: string): TrainWorkload {
  const layers = (rowNamed(name) as TrainWorkload).layers.map((layer): LayerSpec => {
    if (layer.type === 'conv') return { ...layer, filters: 8, size: 3 }
    return layer.type === 'dense' && layer.activation === 'relu' ? { ...layer, units: 64 } : layer
  })
  return { ...(rowNamed(name) as TrainWorkload), inputShape: [12, 12, 1], batch: 100, layers }
}

describe('layers', () => {
  test('shapes of D, E and F', () => {
    const outputs = (name: string) => placed(rowNamed(name) as TrainWorkload).map(({ output }) => output.join('×'))
    expect(outputs('cnn-light')).toEqual(['24×24×32', '12×12×32', '12×12×32', '4608', '128', '10'])
    expect(outputs('cnn-full')).toEqual(['28×28×32', '14×14×32', '10×10×48', '5×5×48', '1200', '256', '84', '10'])
    expect(outputs('cnn-adadelta')).toEqual(['26×26×32', '24×24×64', '12×12×64', '12×12×64', '9216', '128', '128', '10'])
  })

  test('sizes in words', () => {
    expect(models.map(shapeOf)).toEqual([
      '200 × 784–784–10',
      '128 × 784–512–512–10',
      '128 × 784–128–128–10',
      '200 × 28×28×1–32c5–p2–128–10',
      '64 × 28×28×1–32c5s–p2–48c5–p2–256–84–10',
      '128 × 28×28×1–32c3–64c3–p2–128–10',
      '128 × 28×28–lstm256–10',
      '200 × 28×28–lstm512–10',
      '128 × 500–10000e32–lstm32–1',
      '128 × 500–10000e32–rnn32–1',
      '128 × 500–10000e128–32c7–p5–32c7–gp–1',
      '128 × 240×14–lstm32–1',
      '128 × 240×14–bilstm32–1',
      '32 × 32–32–10',
    ])
    expect(shapeOf(rowNamed('conv-E1-backward'))).toBe('64x28x28x1 32c5s backward')
  })

  test.each(ours)('%s refuses a layer that is unknown, or cannot stand where it does', async (_, make) => {
    const row = small('cnn-light')
    const refused = (layers: readonly unknown[], message: string) =>
      expect(make().prepare({ ...row, layers: layers as LayerSpec[] }, 7)).rejects.toThrow(message)
    await refused([{ type: 'gru', units: 3 }, ...row.layers], 'There is no layer of type "gru".')
    await refused(
      row.layers.filter(({ type }) => type !== 'flatten'),
      'A layer of type "dense" cannot stand on [5, 5, 8].',
    )
    await refused([{ type: 'flatten' }, ...row.layers], 'A layer of type "conv" cannot stand on [144].')
  })
})

describe('convolutional networks', () => {
  test.each(['cnn-light', 'cnn-full', 'cnn-adadelta'])('ours learn %s and their losses are alike', async (name) => {
    const losses: { first: number; last: number }[] = []
    for (const [, make] of ours) {
      const prepared = await make().prepare(small(name), 7)
      const first = Number(await prepared.run(1))
      losses.push({ first, last: Number(await prepared.run(120)) })
      prepared.dispose()
    }
    for (const { first, last } of losses) {
      expect(first).toBeGreaterThan(Math.log(10) * 0.7)
      expect(first).toBeLessThan(Math.log(10) * 1.4)
      expect(last).toBeLessThan(first * 0.8)
    }
    expect(losses[0].last / losses[1].last).toBeGreaterThan(0.5)
    expect(losses[0].last / losses[1].last).toBeLessThan(2)
  })

  test.each([false, true])('a convolution row computes what its formula says; with gradients: %s', async (backward) => {
    const row: ConvWorkload = { ...(rowNamed('conv-E2') as ConvWorkload), batch: 1, image: [2, 2, 1], filters: 1, size: 2, backward }
    const [x, f, dY] = [7, 8, 9].map((seed) => uniformValues(seed, 4))
    const y = x.reduce((sum, each, i) => sum + each * f[i], 0)
    const prepared = await cotangentCore().prepare(row, 7)
    expect(Number(await prepared.run(3))).toBeCloseTo(backward ? y + x[0] * dY[0] + f[0] * dY[0] : y, 5)
    prepared.dispose()
  })
})

describe('peers that would take minutes', () => {
  /** A library with a fixed time for a step and one for each sample. Its value is the batch it runs. */
  function slow(library: string, fixed: number, perSample: number, ran: number[] = []): Contestant {
    let batch = 0
    return {
      library,
      async prepare(workload) {
        batch = (workload as { batch: number }).batch
        ran.push(batch)
      },
      run: async (steps) => ({ ms: steps * (fixed + perSample * batch), value: batch }),
      close() {},
    }
  }
  const conv = rowNamed('conv-F2') // of 128

  test('the batch is what fits into the time of a step', async () => {
    const tried: number[] = []
    const fits = (fixed: number, perSample: number, batch: number) =>
      batchThatFits(async (samples) => {
        tried.push(samples)
        return fixed + perSample * samples
      }, batch)
    expect(await fits(0, 1, 128)).toBe(128)
    expect(await fits(0, STEP_MS / 20, 128)).toBe(16)
    expect(await fits(0, 100 * STEP_MS, 128)).toBe(1)
    expect(await fits(0, STEP_MS / 100, 128)).toBe(64)
    tried.length = 0
    expect(await fits(STEP_MS / 20, 1, 128)).toBe(128) // the part of a step that does not depend on samples is not counted as theirs
    expect(tried).toEqual([1, 8])
  })

  test('our libraries, PyTorch and rows without convolutions always run the whole batch', async () => {
    for (const library of ['cotangent-core', 'torch-1']) expect(await fitted(conv, slow(library, 0, 1e6), 7)).toBe(conv)
    expect(await fitted(models[0], slow('tfjs-cpu', 0, 1e6), 7)).toBe(models[0])
  })

  test('their times are scaled and marked, and their results held against ours of the same batch', async () => {
    const log: number[] = []
    const entrants = [slow('cotangent-core', 0, 1, log), slow('tfjs-cpu', 0, STEP_MS / 8), slow('jax', 0, 1)]
    const result = await timeWorkload(conv, entrants, { rounds: 2, seed: 7 })
    const [, scaled, whole] = result.libraries as LibraryResult[]
    expect(scaled).toMatchObject({ scaledFrom: 8, bestMs: STEP_MS * 16, msPerStep: { median: STEP_MS * 16 } })
    expect(scaled.complaint).toBeUndefined()
    expect(whole.scaledFrom).toBeUndefined()
    expect(log).toEqual([128, 8, 128])
    expect(table(result)).toContain('  ~ tfjs-cpu: at batch 8, scaled')
    expect(table(result)).toContain(`~${STEP_MS * 16} (`)
    expect(recordRows('kernels', result)[1]).toMatchObject({ library: 'tfjs-cpu', scaledFrom: 8 })
    const text = markdown({
      command: 'kernels',
      machine: { cpu: 'Abacus', cores: 2, memoryGiB: 1, platform: 'linux x64', node: 'v20', v8: '11', simd256: false },
      load: { before: [1, 1, 1], after: [2, 1, 1] },
      versions: {},
      seed: 7,
      rounds: 2,
      startedAt: '2026-01-02T03:04:05.000Z',
      notes: [],
      results: [result],
    })
    expect(text).toMatch(/\| ~\S.*; at batch 8, scaled/)
  })

  test('a row with a wrong result of a smaller batch has a complaint', async () => {
    const wrong: Contestant = { ...slow('tfjs-cpu', 0, STEP_MS), run: async (steps) => ({ ms: steps * STEP_MS, value: 5 }) }
    const result = await timeWorkload(conv, [slow('cotangent-core', 0, 1), wrong], { rounds: 1, seed: 7 })
    expect((result.libraries[1] as LibraryResult).complaint).toBe('result 5, ours 1')
  })

  test('a peer without the kernel says so', async () => {
    const lacking: Contestant = { ...slow('tfjs-wasm', 0, 1), run: () => Promise.reject(new Error("Kernel 'X' not registered")) }
    const result = await timeWorkload(conv, [slow('cotangent-core', 0, 1), lacking], { rounds: 1, seed: 7 })
    expect(result.libraries[1]).toEqual({ library: 'tfjs-wasm', failed: "Kernel 'X' not registered" })
  })
})
