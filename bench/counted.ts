/**
 * How many threads a step has work for. One thread runs the step, with a clock around each job that several threads would share. Then each job is cut as the pool
 * would cut it for some number of threads: its parts are counted, the calls that go into its list are made, and the time of the busiest thread follows
 * from the sizes of the parts. So a machine with two cores can say what sixteen would reach at best. It is a bound and no measurement: sixteen threads share the
 * bandwidth of the memory, the last-level cache and the power of the processor; waking them and waiting for them takes time; and all of that is left out.
 */
import { currentBackend } from '@cotangent/core'
import { engineOf, jobsOf, rangeOf } from '@cotangent/core/kernels'
import type { Prepared } from './adapter.js'
import { type Job, type Profile, profile } from './profile.js'

/** A step on some number of threads. */
export interface ThreadCount {
  threads: number
  /** Jobs of a step, and their parts. A thread waits for the others once a job. */
  jobs: number
  parts: number
  /** The time of the busiest thread in jobs, by the mean over all threads. */
  imbalance: number
  /** Bytes of the lists of calls, and milliseconds that the main thread takes to make them. */
  callBytes: number
  makingMs: number
  /** The step, if nothing but what is counted here took time, and how many times as fast that is as one thread. */
  atBestMs: number
  atBest: number
}

export interface Counted {
  /** The step on one thread, with clocks, and the part of it that is in no job. */
  ms: number
  serialMs: number
  /** Where `serialMs` is: kernels, copying, TypeScript between the calls. */
  serial: { name: string; ms: number }[]
  counts: ThreadCount[]
}

/** The time of the busiest thread, in items. As in the pool each thread begins with its own parts, and when it is free it takes the next one that is left. */
export function busiest(sizes: readonly number[], threads: number): number {
  const busy = Array<number>(threads).fill(0)
  const left = [...sizes.keys()]
  while (left.length > 0) {
    const thread = busy.indexOf(Math.min(...busy))
    const first = Math.floor((thread * sizes.length) / threads)
    const [part] = left.splice(
      Math.max(
        0,
        left.findIndex((index) => index >= first),
      ),
      1,
    )
    busy[thread] += sizes[part]
  }
  return Math.max(...busy)
}

/** Makes the lists of calls of a job, as the pool does, and returns their length. */
function makeCalls({ total, unit, nanoseconds, valuesPerItem, body }: Job, threads: number, list: Float64Array): number {
  const numbers = new Map<unknown, number>()
  let values = 0
  for (const job of jobsOf(total, unit, nanoseconds, threads, valuesPerItem)) {
    for (let part = 0; part < job.count; part++) {
      let at = 1
      const [first, last] = rangeOf(job, part, unit)
      body(
        first,
        last,
        (kernel, ...arguments_) => {
          list[at++] = numbers.get(kernel) ?? 0
          list[at++] = arguments_.length
          for (const value of arguments_) list[at++] = value
        },
        part,
      )
      values += at
    }
  }
  return values
}

/** A step on some number of threads. @param serialMs the part of the step that is in no job */
export function countFor(jobs: readonly Job[], serialMs: number, threads: number): ThreadCount {
  const list = new Float64Array(2 ** 16)
  const found = { jobs: 0, parts: 0, callBytes: 0 }
  let [alone, longest, makingMs] = [0, 0, Infinity]
  for (const job of jobs) {
    const { total, unit, nanoseconds, valuesPerItem } = job
    const cut = jobsOf(total, unit, nanoseconds, threads, valuesPerItem)
    let items = 0
    for (const each of cut) {
      const sizes = Array.from({ length: each.count }, (_, part) => {
        const [first, last] = rangeOf(each, part, unit)
        return last - first
      })
      items += busiest(sizes, threads)
      found.jobs++
      found.parts += each.count
    }
    alone += job.ms
    longest += (job.ms * items) / total
  }
  // The best of some times: the first compiles.
  for (let turn = 0; turn < 5; turn++) {
    const start = performance.now()
    const values = jobs.reduce((sum, job) => sum + makeCalls(job, threads, list), 0)
    makingMs = Math.min(makingMs, performance.now() - start)
    found.callBytes = 8 * values
  }
  const atBestMs = serialMs + longest + makingMs
  return {
    threads,
    ...found,
    imbalance: alone === 0 ? 1 : (longest * threads) / alone,
    makingMs,
    atBestMs,
    atBest: (serialMs + alone) / atBestMs,
  }
}

/** The parts of a profile that are in no job, the longest first. */
export function serialParts({ rows, typescript }: Profile): { name: string; ms: number }[] {
  const parts = rows.map(({ name, ms, shareable }) => ({ name, ms: Math.max(0, ms - shareable) }))
  return [...parts, { name: 'TypeScript between the calls', ms: typescript }].sort((a, b) => b.ms - a.ms)
}

const msOf = (jobs: readonly { ms: number }[]): number => jobs.reduce((sum, { ms }) => sum + ms, 0)

/** The jobs of a step, and what is in none. The jobs are those of the fastest step; they take as much of the time as the profile says. */
async function jobsAndRest(prepared: Prepared, steps: number): Promise<{ ms: number; jobs: Job[]; serial: Counted['serial'] }> {
  let best: readonly Job[] = []
  const found = await profile(prepared, steps, (jobs) => {
    if (best.length === 0 || msOf(jobs) < msOf(best)) best = jobs
  })
  const serial = serialParts(found)
  const scale = (found.ms - msOf(serial)) / (msOf(best) || 1)
  return { ms: found.ms, serial, jobs: best.map((job) => ({ ...job, ms: job.ms * scale })) }
}

/** Counts for a workload whose backend has one thread. Some kernels cut their work in another way for many threads, so for each number they are told that there are as many. */
export async function count(prepared: Prepared, steps: number, threads: readonly number[]): Promise<Counted> {
  const engine = engineOf(currentBackend())
  const { ms, serial } = await jobsAndRest(prepared, steps)
  const counts: ThreadCount[] = []
  for (const each of threads) {
    if (engine) Object.defineProperty(engine, 'threads', { value: each, configurable: true })
    try {
      const { jobs, serial: rest } = await jobsAndRest(prepared, steps)
      counts.push(countFor(jobs, msOf(rest), each))
    } finally {
      if (engine) Reflect.deleteProperty(engine, 'threads')
    }
  }
  return { ms, serialMs: msOf(serial), serial, counts }
}
