/** Pairs are timed in turns of a length, also by a clock that moves once in a millisecond, as Firefox's does. */
import { afterEach, expect, test, vi } from 'vitest'
import { timed } from './pairs.js'

afterEach(() => void vi.restoreAllMocks())

/** A piece of work that keeps the processor for some microseconds. */
const busy = (microseconds: number, now = performance.now.bind(performance)) => {
  const work = Object.assign(
    () => {
      work.runs++
      const end = now() + microseconds / 1000
      while (now() < end);
    },
    { runs: 0 },
  )
  return work
}

test.each([
  ['a fine clock', 1e-3],
  ['a clock of whole milliseconds', 1],
])('%s: a turn has the length that was asked for, and both times come out', (_, tick) => {
  const now = performance.now.bind(performance)
  const [ours, theirs] = [busy(100, now), busy(300, now)]
  vi.spyOn(performance, 'now').mockImplementation(() => Math.floor(now() / tick) * tick)
  const pairs = timed(ours, theirs, { turnMs: 20, leastPairs: 5, mostPairs: 5, quietPairs: 0 })
  expect(pairs).toHaveLength(5)
  // A run takes at least its time, so a turn of 20 ms has at most 200 and 67 runs; the clock may be a tick late at both ends.
  expect(ours.runs / 5).toBeLessThan(240)
  expect(theirs.runs / 5).toBeLessThan(80)
  expect(ours.runs / 5).toBeGreaterThan(1)
  for (const pair of pairs) {
    expect(pair.ours).toBeGreaterThan(0)
    expect(pair.theirs).toBeGreaterThan(0)
  }
})
