/**
 * How a job is cut into parts. Everything here follows from numbers alone, so that it can be counted for machines that one does not have
 * (`npm run bench -- scaling`).
 */
import { CALLS_PER_PART, PARTS_PER_THREAD } from './worker-program.js'

/** From this many nanoseconds of work for each thread on, each thread gets more than one part. */
const WORTH_MORE_PARTS = 100_000

/**
 * The least nanoseconds of work that make a part. Making a part, claiming it and waking who runs it takes one to a few microseconds, so many threads would
 * do less of a small job than they cost.
 */
const LEAST_PART = 8_000

/** A job: items `begin` to `end` in `count` parts. */
export interface Job {
  readonly begin: number
  readonly end: number
  readonly count: number
}

/**
 * The jobs for items 0 to `total` on some threads: one, or several if the calls do not fit into one. `valuesPerItem`: the values that an item's calls take, where
 * that number grows with the items. `leastPart`: nanoseconds (0 in tests, which share the smallest jobs, too).
 */
export function jobsOf(
  total: number,
  unit: number,
  nanoseconds: number,
  threads: number,
  valuesPerItem: number,
  leastPart = LEAST_PART,
): Job[] {
  const worth = leastPart === 0 ? threads : Math.max(2, Math.floor(nanoseconds / leastPart))
  const parts = nanoseconds < threads * WORTH_MORE_PARTS ? Math.min(threads, worth) : PARTS_PER_THREAD * threads
  const most = valuesPerItem === 0 ? total : parts * Math.max(1, Math.floor((CALLS_PER_PART - 1) / valuesPerItem / unit)) * unit
  const jobs: Job[] = []
  for (let begin = 0; begin < total; begin += most) {
    const end = Math.min(total, begin + most)
    jobs.push({ begin, end, count: Math.min(parts, Math.ceil((end - begin) / unit)) })
  }
  return jobs
}

/** The items of a part. Every part but the last has a multiple of `unit` items, and no two differ by more than one unit. */
export function rangeOf({ begin, end, count }: Job, part: number, unit: number): [first: number, last: number] {
  const units = Math.ceil((end - begin) / unit)
  const start = (index: number): number => begin + Math.floor((index * units) / count) * unit
  return [start(part), Math.min(end, start(part + 1))]
}
