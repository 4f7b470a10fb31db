/** How jobs are cut, for machines that this one is not; and the room that sixteen threads need. */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Engine } from './engine.js'
import { SCRATCH_BYTES, scratchOf, WasmMemory } from './memory.js'
import { jobsOf, rangeOf } from './parts.js'
import { automaticThreads } from './start-worker.js'
import { BUSY_START, CALLS_PER_PART, CALLS_START, CONTROL_BYTES, MOST_THREADS, PARTS_PER_THREAD, words } from './worker-program.js'

describe('parts', () => {
  it('hold every item once, in even shares of whole units, and their calls fit', () => {
    const cases = fc.record({
      total: fc.integer({ min: 1, max: 3000 }),
      unit: fc.constantFrom(1, 3, 16, 64),
      nanoseconds: fc.constantFrom(0, 30_000, 10_000_000),
      threads: fc.integer({ min: 1, max: MOST_THREADS }),
      valuesPerItem: fc.constantFrom(0, 7, 22, 400),
      leastPart: fc.constantFrom(undefined, 0),
    })
    fc.assert(
      fc.property(cases, ({ total, unit, nanoseconds, threads, valuesPerItem, leastPart }) => {
        let next = 0
        for (const job of jobsOf(total, unit, nanoseconds, threads, valuesPerItem, leastPart)) {
          expect(job.count).toBeLessThanOrEqual(PARTS_PER_THREAD * threads)
          const ranges = Array.from({ length: job.count }, (_, part) => rangeOf(job, part, unit))
          expect(ranges.map(([first]) => first)).toEqual([next, ...ranges.slice(0, -1).map(([, last]) => last)])
          next = ranges[ranges.length - 1][1]
          const sizes = ranges.map(([first, last]) => Math.ceil((last - first) / unit))
          expect(Math.min(...sizes)).toBeGreaterThan(0)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          // A unit whose own calls do not fit is the caller's fault.
          if (unit * valuesPerItem < CALLS_PER_PART) expect(Math.max(...sizes) * unit * valuesPerItem).toBeLessThan(CALLS_PER_PART)
        }
        expect(next).toBe(total)
      }),
      { numRuns: 150 },
    )
  })

  it.each([
    [30_000, 16, 3],
    [30_000, 2, 2],
    [100_000, 16, 12],
    [1_000_000, 16, 16],
    [1_600_000, 16, 32],
    [1_600_000, 4, 8],
    [1000, 16, 2],
  ])('%d ns on %d threads are %d parts', (nanoseconds, threads, count) => {
    expect(jobsOf(1000, 1, nanoseconds, threads, 0).map((job) => job.count)).toEqual([count])
  })
})

describe('the room of sixteen threads', () => {
  it('control words, times and calls lie one behind the other, before the scratch areas', () => {
    const parts = PARTS_PER_THREAD * MOST_THREADS
    expect(8 * BUSY_START).toBeGreaterThanOrEqual(4 * (words.claims + 16 * parts))
    expect(CALLS_START).toBeGreaterThanOrEqual(BUSY_START + 8 * MOST_THREADS)
    expect(8 * (CALLS_START + parts * CALLS_PER_PART)).toBeLessThanOrEqual(CONTROL_BYTES)
    expect(CONTROL_BYTES).toBeLessThanOrEqual(scratchOf(0))
  })

  it('has a scratch area for each part, of which no memory is taken before it is used', () => {
    const memory = new WasmMemory({ threads: MOST_THREADS })
    expect(memory.alloc(8)).toBeGreaterThanOrEqual(scratchOf(PARTS_PER_THREAD * MOST_THREADS - 1) + SCRATCH_BYTES)
    const before = process.memoryUsage().rss
    new WasmMemory({ threads: MOST_THREADS })
    expect(process.memoryUsage().rss - before).toBeLessThan((PARTS_PER_THREAD * MOST_THREADS * SCRATCH_BYTES) / 4)
  })
})

describe('the number of threads', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
  const withCores = (cores: number): void => {
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(((id: string) =>
      id === 'node:os' ? { availableParallelism: () => cores } : undefined) as never)
  }

  it('follows the cores up to sixteen', () => {
    for (const [cores, threads] of [
      [1, 1],
      [6, 6],
      [16, 16],
      [64, 16],
    ]) {
      withCores(cores)
      expect(automaticThreads()).toBe(threads)
    }
  })

  it('follows hardwareConcurrency in a page', () => {
    vi.spyOn(process, 'getBuiltinModule').mockImplementation((() => undefined) as never)
    vi.stubGlobal('navigator', { hardwareConcurrency: 12 })
    expect(automaticThreads()).toBe(12)
    vi.stubGlobal('navigator', undefined)
    expect(automaticThreads()).toBe(1)
  })

  it('may come from the environment, which is checked', async () => {
    vi.resetModules()
    const { configure, currentBackend } = await import('../../index.js')
    for (const text of ['17', '0', '1.5', 'many']) {
      vi.stubEnv('COTANGENT_THREADS', text)
      expect(currentBackend).toThrow(`COTANGENT_THREADS must be a whole number from 1 to 16 or auto, got text "${text}".`)
    }
    configure({ threads: 1 }) // comes first
    expect(currentBackend().info?.().threads).toBe(1)
    vi.unstubAllEnvs()
  })

  it('leaves half of a small memory for tensors, unless it is asked for', () => {
    withCores(64)
    vi.spyOn(console, 'warn').mockImplementation(() => undefined) // that this host, whose modules are hidden, starts no threads
    const heapOf = (threads: number | 'auto', maximumBytes: number): number =>
      maximumBytes - new Engine({ threads, maximumBytes }).memory.alloc(8)
    for (const megabytes of [16, 64, 200]) expect(heapOf('auto', megabytes * 2 ** 20)).toBeGreaterThan((megabytes * 2 ** 20) / 2 - 2 ** 21)
    expect(new Engine({ threads: 16, maximumBytes: 2 ** 25 }).memory.alloc(8)).toBeGreaterThan(2 ** 27)
  })
})
