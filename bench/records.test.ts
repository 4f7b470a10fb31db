/** The rows of `--json`, the arithmetic of limits, the Markdown, and the comparison of two files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { UsageError } from './cli.js'
import { compare, compareRows } from './compare.js'
import type { Contestant } from './contestant.js'
import { markdown } from './markdown.js'
import { measureLimits, probeModule } from './probes.js'
import { type RecordRow, recordRows, shareOfPeak } from './records.js'
import { table } from './report.js'
import { sharesOf, timeWorkload, type WorkloadResult } from './rounds.js'
import { amountOf, commands } from './workloads.js'

const [product] = commands.kernels
const [mlp] = commands.models
/** The milliseconds in which a product of 256³ reaches some GFLOP/s. */
const msAt = (gflops: number): number => (2 * 256 ** 3) / gflops / 1e6

function fake(library: string, ms: readonly number[], peaks?: readonly number[]): Contestant {
  let call = 0
  let probe = 0
  return {
    library,
    async prepare() {},
    run: async (steps) => ({ ms: steps * ms[call++ % ms.length], value: 1 / call }),
    ...(peaks ? { probe: async () => ({ gflops: peaks[probe++ % peaks.length], gigabytesPerSecond: 1 }) } : {}),
    close() {},
  }
}

async function productResult(): Promise<WorkloadResult> {
  const ours = fake('cotangent-core', [9999, msAt(20), msAt(40), msAt(30)], [40, 50, 40])
  const torch = fake('torch-2', [9999, msAt(80), msAt(80), msAt(60)])
  const steady = (entrant: Contestant): Contestant => ({ ...entrant, run: async (n) => ({ ...(await entrant.run(n)), value: 1 }) })
  const broken: Contestant = { ...fake('gpujs-cpu', [1]), prepare: () => Promise.reject(new Error('no | such\nkernel')) }
  return timeWorkload(product, [steady(ours), steady(torch), broken], { rounds: 3, steps: 1, seed: 7 })
}

describe('limits', () => {
  test('the share is taken round by round', () => {
    const limits = [40, 50, 40].map((gflops) => ({ gflops, gigabytesPerSecond: 3 }))
    const { limit, share } = sharesOf({ flops: 2 * 256 ** 3 }, [msAt(20), msAt(40), msAt(30)], limits)
    expect(limit).toEqual({ median: 40, min: 40, max: 50, rounds: [40, 50, 40], unit: 'GFLOP/s' })
    expect(share?.min).toBeCloseTo(0.5)
    expect(share?.median).toBeCloseTo(0.75)
    expect(share?.max).toBeCloseTo(0.8)
  })

  test('the limit of bytes is the memory; without flops and bytes there is no limit', () => {
    const limits = [{ gflops: 1, gigabytesPerSecond: 10 }]
    expect(sharesOf({ bytes: 1e6 }, [0.2], limits).share?.median).toBeCloseTo(0.5)
    expect(sharesOf({ operations: 10 }, [1], limits)).toEqual({})
    expect(sharesOf({ flops: 1 }, [1], [])).toEqual({})
  })

  test('of a rate and of a time', () => {
    expect(shareOfPeak({ unit: 'GFLOP/s', median: 30, peak: 40 })).toBe(0.75)
    expect(shareOfPeak({ unit: 'ms', median: 4, peak: 3 })).toBe(0.75)
    expect(shareOfPeak({ unit: 'ms', median: 4 })).toBeUndefined()
  })

  test('the probes are valid code and find positive limits', () => {
    expect(WebAssembly.validate(probeModule(false))).toBe(true)
    const { gflops, gigabytesPerSecond } = measureLimits(2 ** 20)
    expect(gflops).toBeGreaterThan(0)
    expect(gigabytesPerSecond).toBeGreaterThan(0)
  })
})

describe('rows', () => {
  test('of a product: rates, the limit, and an error in place of figures', async () => {
    const [ours, torch, broken] = recordRows('kernels', await productResult())
    expect(ours).toEqual({
      suite: 'kernels',
      name: 'matmul-256',
      shape: '256x256x256',
      library: 'cotangent-core',
      threads: 1,
      unit: 'GFLOP/s',
      min: expect.closeTo(20),
      median: expect.closeTo(30),
      max: expect.closeTo(40),
      peak: 40,
      best: expect.closeTo(40),
    })
    expect(torch).toMatchObject({ library: 'torch', threads: 2, median: expect.closeTo(80) })
    expect(torch).not.toHaveProperty('peak')
    expect(broken).toEqual({
      suite: 'kernels',
      name: 'matmul-256',
      shape: '256x256x256',
      library: 'gpujs-cpu',
      threads: 1,
      unit: 'GFLOP/s',
      error: 'no | such\nkernel',
    })
  })

  test('of a network: milliseconds, and the time its products would take at the limit', async () => {
    const result = await timeWorkload(mlp, [fake('cotangent', [9999, 10], [50])], { rounds: 1, steps: 1, seed: 7 })
    const [row] = recordRows('models', result)
    expect(row).toMatchObject({ unit: 'ms', median: 10, shape: '200 × 784–784–10' })
    expect(row.peak).toBeCloseTo((amountOf(mlp).flops ?? 0) / 50e6)
  })
})

test('tables show the share of the limit; Markdown the ratios and what failed', async () => {
  const result = await productResult()
  expect(table(result)).toContain('75 % of 40.0')
  const text = markdown({
    command: 'kernels',
    machine: { cpu: 'Abacus', cores: 2, memoryGiB: 1, platform: 'linux x64', node: 'v20', v8: '11', simd256: false },
    load: { before: [1, 1, 1], after: [2, 1, 1] },
    versions: { peer: '4.2' },
    seed: 7,
    rounds: 3,
    startedAt: '2026-01-02T03:04:05.000Z',
    notes: ['A note.'],
    results: [result],
  })
  const row =
    '| K1 matmul-256 | 256x256x256 | GFLOP/s | 20.0–**30.0**–40.0 | 40.0 GFLOP/s | 75 % | – | 40.0 | 80.0, 0.250–**0.500**–0.500×; best 0.500× | ✗ no \\| such kernel |'
  for (const part of ['2026-01-02; Abacus, 2 cores', 'load 1 before, 2 after', 'peer 4.2', 'A note.', row]) expect(text).toContain(part)
})

describe('compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const row: RecordRow = { suite: 'kernels', name: 'add', shape: '8', library: 'x', threads: 1, unit: 'GB/s', min: 9, median: 10, max: 11 }
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const run = (rows: RecordRow[], cpu = 'Abacus'): unknown => ({ machine: { cpu, node: 'v20' }, versions: {}, date: '2026-01-02', rows })

  test('faster is a ratio above 1 in rates and in times', () => {
    const time: RecordRow = { ...row, name: 'mlp', unit: 'ms' }
    const gone: RecordRow = { ...row, name: 'gone' }
    const added: RecordRow = { ...row, name: 'new' }
    const after = [{ ...row, min: 19, median: 20, max: 21 }, { ...time, min: 10, median: 20, max: 21 }, added]
    const [rate, slower, lost, fresh] = compareRows([row, time, gone], after)
    expect(rate).toMatchObject({ before: 10, after: 20, faster: 2, apart: true })
    expect(slower).toMatchObject({ faster: 0.5, apart: false })
    expect([lost.after, lost.faster, fresh.before]).toEqual([undefined, undefined, undefined])
  })

  test('quiet medians and bests are compared where both runs have them', () => {
    const quiet = (median: number) => ({ samples: 1, of: 2, min: median, median, max: median })
    const [first] = compareRows([{ ...row, best: 10, quiet: quiet(10) }], [{ ...row, best: 20, quiet: quiet(15) }])
    expect(first).toMatchObject({ faster: 1, quiet: 1.5, best: 2 })
    const [second] = compareRows(
      [{ ...row, unit: 'ms', best: 10, quiet: quiet(10) }],
      [{ ...row, unit: 'ms', best: 20, quiet: { samples: 0, of: 2 } }],
    )
    expect(second).toMatchObject({ quiet: undefined, best: 0.5 })
  })

  test('the table, with a warning where machines differ', () => {
    const [a, b] = [file('a.json', run([row])), file('b.json', run([{ ...row, min: 19, median: 20, max: 21 }], 'Quipu'))]
    expect(compare(a, b)).toMatch(/Different machines[\s\S]*kernels add +8 +x +GB\/s +10\.0 +20\.0 +2\.00× +– +– +faster$/)
    expect(compare(a, a)).toContain('ranges overlap')
    expect(compare(a, a)).not.toContain('Different machines')
  })

  test.each([
    ['missing', undefined, 'cannot read'],
    ['text', 'not json', 'cannot read'],
    ['other', { rows: [] }, 'is not a file of bench --json'],
    ['rows', run([{ ...row, median: undefined }]), 'is not a file of bench --json'],
  ])('a file that is no record is refused in one line: %s', (name, content, message) => {
    const path = content === undefined ? join(folder, 'nothing.json') : file(`${name}.json`, content)
    expect(() => compare(path, path)).toThrow(UsageError)
    expect(() => compare(path, path)).toThrow(message)
  })
})
