/** How many threads a step has work for, counted on made-up jobs; the table; and a small step of ours that is really counted. */
import { configure } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { libraryEntry } from './adapter.js'
import { parseCommandLine } from './cli.js'
import { busiest, type Counted, count, countFor, serialParts } from './counted.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { models } from './networks.js'
import type { Job, ProfileRow } from './profile.js'
import type { LibraryResult } from './rounds.js'
import { scalingLegend, scalingTable, threadCounts } from './scaling.js'
import { amountOf } from './workloads.js'

const [mlp] = models

describe('counting', () => {
  test('the busiest thread: each takes the next part when it is free', () => {
    expect(busiest([3, 3, 3], 4)).toBe(3)
    expect(busiest([3, 3, 3], 2)).toBe(6)
    expect(busiest([5, 1, 1, 1, 2], 2)).toBe(5)
    // Each begins with its own: the first two of the second thread are 2 and 1.
    expect(busiest([1, 2, 2, 1], 2)).toBe(3)
    expect(busiest([], 2)).toBe(0)
  })

  /** A job of one call of two values for each part. */
  const job = (more: Partial<Job> = {}): Job => ({
    ms: 8,
    total: 800,
    unit: 1,
    nanoseconds: 8e6,
    valuesPerItem: 0,
    body: (begin, end, call) =>
      call(
        Object.assign(() => 0, { raw: () => 0 }),
        begin,
        end,
      ),
    ...more,
  })

  test('even work and no serial part: as many times as fast as there are threads', () => {
    const found = countFor([job()], 0, 4)
    expect(found).toMatchObject({ threads: 4, jobs: 1, parts: 8, imbalance: 1, callBytes: 8 * 8 * (1 + 2 + 2) })
    expect(found.atBestMs - found.makingMs).toBeCloseTo(2)
  })

  test('Amdahl: what is in no job stays as long as it is', () => {
    const { atBest, atBestMs, makingMs } = countFor([job()], 2, 16)
    expect(atBestMs - makingMs).toBeCloseTo(2 + 8 / 16)
    expect(atBest).toBeCloseTo(10 / atBestMs)
  })

  test('few units fill many threads unevenly, and a small job has few parts', () => {
    expect(countFor([job({ total: 8 })], 0, 16)).toMatchObject({ parts: 8, imbalance: 2 })
    expect(countFor([job({ nanoseconds: 40_000 })], 0, 16)).toMatchObject({ parts: 5, imbalance: 16 / 5 })
    expect(countFor([], 3, 8)).toMatchObject({ jobs: 0, parts: 0, imbalance: 1, callBytes: 0 })
  })

  test('work whose calls do not fit into one job is several', () => {
    expect(countFor([job({ valuesPerItem: 100 })], 0, 2).jobs).toBeGreaterThan(40)
  })

  test('the serial parts are what kernels do outside of jobs, and the rest', () => {
    const row = (name: string, ms: number, shareable: number): ProfileRow => ({
      name,
      ms,
      shareable,
      calls: 1,
      waiting: 0,
      workers: 0,
      bytes: 0,
    })
    const rows = [row('a', 5, 4.5), row('b', 1, 0)]
    expect(serialParts({ steps: 1, threads: 1, plainMs: 8, ms: 8, rows, typescript: 2 })).toEqual([
      { name: 'TypeScript between the calls', ms: 2 },
      { name: 'b', ms: 1 },
      { name: 'a', ms: 0.5 },
    ])
  })

  test('a step of ours: its parts add up, and nothing is changed by counting', async () => {
    configure({ threads: 1 })
    const layers = [
      { type: 'dense', units: 200, activation: 'relu' },
      { type: 'dense', units: 10, activation: 'softmax' },
    ] as const
    const prepared = await cotangentCore().prepare({ ...mlp, inputShape: [300], batch: 200, layers }, 7)
    const before = Number(await prepared.run(1))
    const found = await count(prepared, 4, [2, 16])
    expect(found.serial.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(found.serialMs, 6)
    expect(found.serialMs).toBeLessThan(found.ms)
    expect(found.counts.map(({ threads }) => threads)).toEqual([2, 16])
    for (const { jobs, parts, callBytes, imbalance } of found.counts) {
      expect(jobs).toBeGreaterThan(2) // products at least
      expect(parts).toBeGreaterThanOrEqual(2 * jobs)
      expect(callBytes).toBeGreaterThan(0)
      expect(imbalance).toBeGreaterThanOrEqual(1)
    }
    expect(Number(await prepared.run(20))).toBeLessThan(before)
    prepared.dispose()
  })
})

describe('the table', () => {
  test('threads: powers of two, and the cores of the machine', () => {
    expect(threadCounts(2)).toEqual([1, 2, 4, 8, 16])
    expect(threadCounts(6)).toEqual([1, 2, 4, 6, 8, 16])
    expect(threadCounts(64)).toEqual([1, 2, 4, 8, 16])
  })

  test('measured where there are cores, counted everywhere', () => {
    const at = (library: string, ms: number): LibraryResult => ({
      library,
      steps: 1,
      coldMs: 1,
      msPerStep: { median: ms, min: ms, max: ms, rounds: [ms] },
      bestMs: ms,
      rates: {},
      value: { first: 2, last: 1, steps: 1 },
    })
    const two: LibraryResult = { ...at('cotangent#2', 5), ratio: { median: 0.5, min: 0.4, max: 0.8, rounds: [] }, bestRatio: 0.5 }
    const counted: Counted = {
      ms: 10,
      serialMs: 2,
      serial: [
        { name: 'cumSum', ms: 1.95 },
        { name: 'fill', ms: 0.05 },
      ],
      counts: [2, 4].map((threads) =>
        countFor([{ ms: 8, total: 80, unit: 1, nanoseconds: 8e6, valuesPerItem: 0, body: () => undefined }], 2, threads),
      ),
    }
    const result = { workload: mlp, amount: amountOf(mlp), comparedWith: 'cotangent#1', libraries: [at('cotangent#1', 10), two] }
    const lines = scalingTable(result, counted, [1, 2, 4]).split('\n')
    expect(lines[2]).toMatch(/^ {2}1 +10\.0 \(10\.0–10\.0\) +1 +1$/)
    expect(lines[3]).toMatch(/^ {2}2 +5\.00 \(5\.00–5\.00\) +2\.00 \(1\.25–2\.50\) +2\.00 +1\.6\d +1 +4\.00 +1\.00/)
    expect(lines[4]).toMatch(/^ {2}4 +not measured +2\.[45]\d? +1 +8\.00/)
    expect(lines[5]).toBe('  in no job: 20 % of 10.0 ms on one thread: cumSum 20 %')
    expect(scalingLegend(2)).toContain('counted, not measured')
  })

  test('a library on some number of threads', () => {
    expect(libraryEntry('cotangent#4')).toMatchObject({ title: 'cotangent, 4 threads', threads: 4, recordedAs: 'cotangent' })
    expect(libraryEntry('cotangent-256#1')).toMatchObject({ threads: 1, simd256: true })
  })

  test('the command line', () => {
    expect(parseCommandLine(['scaling', '--only', 'A', '--rounds', '2'])).toMatchObject({
      kind: 'scaling',
      workloads: [mlp],
      rounds: 2,
      seed: 7,
    })
    expect(() => parseCommandLine(['scaling', '--json', 'a'])).toThrow('scaling takes no flags but')
    expect(() => parseCommandLine(['scaling', 'A'])).toThrow('no further argument')
  })
})
