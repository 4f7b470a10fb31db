/**
 * Whether sharing a job between threads pays, measured rather than assumed: other programs may be using the other cores, and then a
 * part waits in a worker that has none.
 *
 * A training asks for the same jobs over and over. For each (known by its estimated time, which follows from kernel and
 * shape) the mean time alone and shared is kept, and the better way taken; of every 64 calls two go the other way, so that it
 * is noticed when a core becomes free or busy.
 */

interface Times {
  calls: number
  /** Milliseconds; 0 before the first. */
  alone: number
  shared: number
}

/** Kinds of jobs remembered; beyond that all are forgotten. */
const MOST_KINDS = 1024
const PERIOD = 64
const TRIALS = 2
/** First calls of a kind, which alternate; the best of each way counts, as the first ones meet cold caches and sleeping workers. */
const FIRST = 8

export class Choice {
  private readonly kinds = new Map<number, Times>()
  /** Always share (for tests). */
  always = false

  /** Whether to share the next job of a kind. */
  share(kind: number): boolean {
    if (this.always) return true
    let times = this.kinds.get(kind)
    if (!times) {
      if (this.kinds.size >= MOST_KINDS) this.kinds.clear()
      times = { calls: 0, alone: 0, shared: 0 }
      this.kinds.set(kind, times)
    }
    const call = times.calls++
    if (call < FIRST) return call % 2 === 1
    const trial = call % PERIOD < TRIALS
    return times.shared <= times.alone !== trial
  }

  /** Takes note of the time a job took. Outliers count as three times the mean. */
  note(kind: number, shared: boolean, elapsed: number): void {
    const times = this.kinds.get(kind)
    if (!times) return
    const milliseconds = Math.max(elapsed, 1e-3) // clocks of pages are coarse
    const way = shared ? 'shared' : 'alone'
    const before = times[way]
    if (times.calls <= FIRST) times[way] = before === 0 ? milliseconds : Math.min(before, milliseconds)
    else times[way] += 0.3 * (Math.min(milliseconds, 3 * before) - before)
  }
}
