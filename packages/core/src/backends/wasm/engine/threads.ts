/**
 * The thread pool: workers that share the engine's memory and take over parts of large kernels.
 *
 * A job has parts, and each part is a list of kernel calls in the control area of the memory. The parts are independent: which
 * thread runs a part, and when, changes no bit. Each thread begins with its own parts. A thread that is done takes parts that
 * are still free, the main thread too. So a worker that never started, died, or gets no core only fails to help: the main
 * thread waits for nothing but the parts that a worker has begun.
 *
 * A thread that waits spins for a short time, then sleeps. Only the main thread of a page may not sleep. sharing.ts measures
 * for each kind of job whether sharing pays; where other programs keep the cores busy it often does not.
 *
 * Compiled modules reach the workers as messages, sent before the first job that needs them. Workers do not keep a process alive.
 */
import { BackendError } from '../../../errors.js'
import { warnOnce } from '../../../platform.js'
import type { KernelFunction } from './engine.js'
import type { HostMemory } from './memory.js'
import { type Job, jobsOf, rangeOf } from './parts.js'
import { Choice } from './sharing.js'
import { mayWait, pageMayHaveWorkers, startWorker, type WorkerHandle } from './start-worker.js'
import { BUSY_START, CALLS_PER_PART, CALLS_START, WOKEN, words } from './worker-program.js'

/** Runs a kernel with these values, at once or as a part of a job. */
export type Call = (kernel: KernelFunction, ...values: number[]) => void

/** Runs it at once. */
export const direct: Call = (kernel, ...values) => void kernel.raw(...values)

/** Makes the calls for items `begin` to `end`. `part` says which scratch area they may use. */
export type Body = (begin: number, end: number, call: Call, part: number) => void

/** Cuts `total` items into parts and runs them. Every part but the last has a multiple of `unit` items. */
export type Split = (total: number, unit: number, nanoseconds: number, body: Body, valuesPerItem?: number) => void

/**
 * Unasked workers start a few at a time, each few by a job that has this many nanoseconds of work for every thread that there is. A worker costs some 7 MB, and a
 * millisecond of the main thread.
 */
const STARTED_AT_ONCE = 3
const WORTH_A_WORKER = 16_000
/** Milliseconds that the main thread spins for the last parts before it sleeps. */
const SPIN = 0.1
/** A worker counts as lost once a part takes this many milliseconds more than a hundred times its estimate. */
const PATIENCE = 30_000
/** The most milliseconds that one look at the clock, or one sleep, counts for while waiting. */
const STEP = 100

const now: () => number = (() => {
  const { performance } = globalThis as { performance?: { now(): number } }
  return performance ? () => performance.now() : Date.now
})()

const REFUSED =
  'wasm: this page is cross-origin isolated, but its workers do not start; the engine runs on one thread. Its content security policy may lack "worker-src blob:"; ' +
  'configure({ threads: 1 }) asks for none and is silent.'

/** The workers of one engine. */
export class Pool {
  private readonly memory: HostMemory
  private readonly control: Int32Array
  private readonly calls: Float64Array
  private readonly workers: WorkerHandle[] = []
  /** Compiled modules, with the number of their first kernel. The first `sent` modules have gone to the workers. */
  private readonly modules: { first: number; module: object; names: string[] }[] = []
  private readonly numbers = new Map<KernelFunction, number>()
  private readonly kernels: KernelFunction[] = []
  private sent = 0
  private epoch = 0
  private running = false
  private readonly mayWait: boolean
  /** Decides whether a job is shared. */
  readonly choice = new Choice()
  /** Milliseconds that the main thread has waited for workers, for profiles. */
  waited = 0
  /** Where the next value of the current part goes, and where its room ends. */
  private at = 0
  private limit = 0

  /** Workers to start when jobs come that have work for them; 0 once they have been started. */
  private toStart: number
  /** Workers that were started so far, lost ones included. */
  private started = 0
  /** The user asked for threads, so a message says if there are none. */
  private readonly asked: boolean

  /** Starts `threads` − 1 workers, or fewer if the host refuses. They start now if the user asked for threads, else with the first jobs. */
  constructor(memory: HostMemory, threads: number, asked: boolean) {
    this.memory = memory
    this.control = new Int32Array(memory.buffer)
    this.calls = new Float64Array(memory.buffer)
    this.mayWait = mayWait(this.control)
    this.toStart = threads - 1
    this.asked = asked
    if (asked) this.start(this.toStart)
  }

  private start(most: number): void {
    const all = this.toStart
    for (let count = Math.min(most, all); count > 0; count--) {
      const worker = startWorker({ memory: this.memory, thread: ++this.started }, (why) => this.lose(worker, why))
      this.toStart--
      if (worker) this.workers.push(worker)
      else {
        this.toStart = 0
        if (pageMayHaveWorkers()) warnOnce(REFUSED)
        else if (this.asked) warnOnce(`wasm: this host starts no threads (${all + 1} were asked for); the engine runs on one thread.`)
        return
      }
    }
  }

  /** Threads that run now, the main thread included. */
  get threads(): number {
    return 1 + this.toStart + this.workers.length
  }

  /** Workers that have started. */
  get ready(): number {
    return this.workers.length === 0 ? 0 : Math.min(this.workers.length, Atomics.load(this.control, words.ready))
  }

  /** Parts that workers have run. */
  get helped(): number {
    return Atomics.load(this.control, words.helped)
  }

  /** Milliseconds that the workers have spent in parts of jobs, one after the other. */
  get busy(): number[] {
    return Array.from({ length: this.threads - 1 }, (_, i) => this.calls[BUSY_START + 8 * (1 + i)])
  }

  /** Gives the kernels of a module their numbers, so that jobs can name them. */
  register(module: object, exports: Readonly<Record<string, KernelFunction>>): void {
    this.modules.push({ first: this.kernels.length, module, names: Object.keys(exports) })
    for (const kernel of Object.values(exports)) {
      this.numbers.set(kernel, this.kernels.length)
      this.kernels.push(kernel)
    }
  }

  /** Whether a job can be shared now: some worker has started, and no other job is being made. */
  get free(): boolean {
    if (this.toStart > 0 && this.workers.length === 0) this.start(STARTED_AT_ONCE)
    return !this.running && this.ready > 0
  }

  /** Runs items 0 to `total`, in parts if that pays. */
  run(total: number, unit: number, nanoseconds: number, body: Body, valuesPerItem: number): void {
    if (this.toStart > 0 && nanoseconds >= WORTH_A_WORKER * (1 + this.workers.length)) this.start(STARTED_AT_ONCE)
    const share = this.choice.share(nanoseconds)
    const started = now()
    if (share) {
      const jobs = jobsOf(total, unit, nanoseconds, 1 + this.ready, valuesPerItem, this.choice.always ? 0 : undefined)
      for (const job of jobs) this.share(job, unit, nanoseconds, body)
    } else body(0, total, direct, 0)
    this.choice.note(nanoseconds, share, now() - started)
  }

  private share(job: Job, unit: number, nanoseconds: number, body: Body): void {
    this.running = true
    try {
      for (let part = 0; part < job.count; part++) {
        const start = CALLS_START + part * CALLS_PER_PART
        this.at = start + 1
        this.limit = start + CALLS_PER_PART
        const [first, last] = rangeOf(job, part, unit)
        body(first, last, this.put, part)
        this.calls[start] = this.at - start - 1
      }
      this.sendModules()
      this.finish(job.count, nanoseconds)
    } finally {
      this.running = false
    }
  }

  private readonly put: Call = (kernel, ...values) => {
    const { calls } = this
    if (this.at + 2 + values.length > this.limit) throw new Error('wasm: a part has more calls than there is room for')
    calls[this.at++] = this.numbers.get(kernel) as number
    calls[this.at++] = values.length
    for (const value of values) calls[this.at++] = value
  }

  private sendModules(): void {
    for (; this.sent < this.modules.length; this.sent++) for (const worker of this.workers) worker.send(this.modules[this.sent])
  }

  /** Posts the job, takes part in it, and waits until it is done. */
  private finish(parts: number, nanoseconds: number): void {
    const { control } = this
    this.epoch = (this.epoch + 1) | 0
    const free = (2 * this.epoch) | 0
    Atomics.store(control, words.kernels, this.kernels.length)
    Atomics.store(control, words.parts, parts)
    Atomics.store(control, words.threads, this.threads)
    Atomics.store(control, words.remaining, parts)
    for (let part = 0; part < parts; part++) Atomics.store(control, words.claims + 16 * part, free)
    Atomics.store(control, words.epoch, this.epoch)
    // Waking takes a few microseconds each. So two are woken, and whoever wakes up wakes two more while there is work.
    if (Atomics.load(control, words.sleepers) > 0) Atomics.notify(control, words.epoch, Math.min(WOKEN, parts - 1))

    let problem: unknown
    for (let part = 0; part < parts; part++) {
      const claim = words.claims + 16 * part
      if (Atomics.load(control, claim) !== free || Atomics.compareExchange(control, claim, free, free + 1) !== free) continue
      try {
        this.runPart(part)
      } catch (error) {
        problem ??= error
      }
      Atomics.sub(control, words.remaining, 1)
    }
    if (Atomics.load(control, words.remaining) > 0) {
      const started = now()
      this.wait(PATIENCE + nanoseconds / 1e4)
      this.waited += now() - started
    }
    const failedElsewhere = Atomics.exchange(control, words.failed, 0) === 1
    if (problem !== undefined) throw problem
    if (failedElsewhere) throw new BackendError('wasm: a kernel failed in a worker thread.')
  }

  private runPart(part: number): void {
    const { calls } = this
    let at = CALLS_START + part * CALLS_PER_PART
    const end = at + 1 + calls[at++]
    while (at < end) {
      const kernel = this.kernels[calls[at++]]
      const values: number[] = []
      for (let count = calls[at++]; count > 0; count--) values.push(calls[at++])
      kernel.raw(...values)
    }
  }

  /**
   * Waits for the parts that workers have begun. Time is counted in steps, not by the clock, so a process or a machine that was
   * stopped for a while has lost no time.
   *
   * The main thread of a page spins here to the end. Meanwhile no event reaches it, not even a worker's death. It cannot run a
   * lost part again, since a kernel may update in place. This matters only if a debugger halts a worker: anything else that ends
   * a worker inside a kernel ends its page, too.
   */
  private wait(patience: number): void {
    const { control } = this
    const { remaining, waiting } = words
    for (let waited = 0, last = now(); waited < (this.mayWait ? SPIN : patience); ) {
      for (let i = 0; i < 64; i++) if (Atomics.load(control, remaining) === 0) return
      const time = now()
      waited += Math.min(time - last, STEP)
      last = time
    }
    if (this.mayWait) {
      Atomics.store(control, waiting, 1)
      for (let waited = 0; waited < patience; waited += STEP) {
        const left = Atomics.load(control, remaining)
        if (left === 0) break
        if (Atomics.wait(control, remaining, left, STEP) !== 'timed-out') waited -= STEP
      }
      Atomics.store(control, waiting, 0)
      if (Atomics.load(control, remaining) === 0) return
    }
    void this.stop()
    warnOnce('wasm: a worker thread was lost; the engine runs on one thread from here on.')
    throw new BackendError('wasm: a worker thread was lost in the middle of a kernel; its result is not complete.')
  }

  private lose(worker: WorkerHandle | undefined, why: string): void {
    const index = worker ? this.workers.indexOf(worker) : -1
    if (index < 0) return
    this.workers.splice(index, 1)
    if (Atomics.load(this.control, words.ready) === 0) {
      // The worker never started. A page that is isolated wants threads and should be told why it has none. Elsewhere only a user who asked for threads is told.
      if (pageMayHaveWorkers()) {
        warnOnce(REFUSED)
        return
      }
      if (!this.asked) return
    }
    warnOnce(
      `wasm: a worker thread ended (${why}); the engine goes on with ${this.threads === 1 ? 'one thread' : `${this.threads} threads`}.`,
    )
  }

  /** Ends the workers and resolves when they have ended. Kernels then run on one thread. */
  async stop(): Promise<void> {
    this.toStart = 0
    const workers = this.workers.splice(0)
    Atomics.store(this.control, words.stop, 1)
    Atomics.add(this.control, words.epoch, 1)
    Atomics.notify(this.control, words.epoch)
    await Promise.all(workers.map((worker) => worker.end()))
  }
}
