/**
 * Decides by measurement whether a job is shared between threads or run alone. Other programs may be using the other cores, and
 * a part given to a worker without a core waits.
 *
 * A training asks for the same jobs over and over. For each kind of job (told apart by its estimated time, which follows from
 * kernel and shape) this keeps the mean time alone and the mean time shared, and takes the better way. From time to time two calls go
 * the other way, to notice when a core becomes free or busy: two of every 64 if both take as long, and the more rarely the longer the other way takes.
 *
 * While jobs are shared, a core that becomes busy shows in their own time. So the time alone need not be measured often, and two calls alone of every 64 would
 * cost a step on two threads 3 %, on sixteen half of its time. While they run alone, nothing but a trial tells that a core has become free.
 */

interface Times {
  calls: number
  /** Milliseconds; 0 before the first measurement. */
  alone: number
  shared: number
  /** The way that was better at the last call. */
  better: boolean
  /** The call with which the next trials begin; 0 if that is not decided. */
  trial: number
}

/** The most kinds of jobs remembered; one more, and all are forgotten. */
const MOST_KINDS = 1024
const PERIOD = 64
const TRIALS = 2
/** At most this many times 64 calls pass between trials of sharing, and between trials alone. */
const RAREST = 16
const RAREST_ALONE = 64
/** The first calls of a kind alternate between the two ways. Of each way the best time counts, since the first calls meet cold caches and sleeping workers. */
const FIRST = 8
/** A job of more milliseconds tries each way once: cold caches count for little there, and of a few long steps four alone would be felt. */
const LONG = 4
const FIRST_LONG = 2

export class Choice {
  private readonly kinds = new Map<number, Times>()
  /** Share every job (for tests). */
  always = false

  /** Decides whether to share the next job of a kind. */
  share(kind: number): boolean {
    if (this.always) return true
    let times = this.kinds.get(kind)
    if (!times) {
      if (this.kinds.size >= MOST_KINDS) this.kinds.clear()
      times = { calls: 0, alone: 0, shared: 0, better: false, trial: 0 }
      this.kinds.set(kind, times)
    }
    const call = times.calls++
    if (call < (Math.max(times.alone, times.shared) > LONG ? FIRST_LONG : FIRST)) return call % 2 === 1
    const share = times.shared <= times.alone
    if (times.trial === 0 || call >= times.trial + TRIALS || share !== times.better) {
      const slower = (share ? (times.alone / times.shared) ** 3 : times.shared / times.alone) || 1 // NaN if every job so far has thrown
      times.trial = call + PERIOD * Math.min(slower, share ? RAREST_ALONE : RAREST)
    }
    times.better = share
    return call >= times.trial ? !share : share
  }

  /** Records the time of a job. A time above three times the mean counts as three times the mean. */
  note(kind: number, shared: boolean, elapsed: number): void {
    const times = this.kinds.get(kind)
    if (!times) return
    const milliseconds = Math.max(elapsed, 1e-3) // the clock of a page is coarse
    const way = shared ? 'shared' : 'alone'
    const before = times[way]
    if (times.calls <= FIRST) times[way] = before === 0 ? milliseconds : Math.min(before, milliseconds)
    else times[way] += 0.3 * (Math.min(milliseconds, 3 * before) - before)
  }
}
