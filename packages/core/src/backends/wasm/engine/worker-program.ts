/**
 * The program of a worker of the thread pool, and the layout of the control area through which it and the main thread
 * (threads.ts) talk.
 *
 * The program is a string of plain JavaScript: a worker cannot load TypeScript, and no bundler has to find a file for it.
 */

/** The most threads of a pool, the main thread included. */
export const MOST_THREADS = 16

/**
 * The most parts for each thread. With two, a slow thread, or one that shares its core with another program, does less of the
 * work. With more, matrices would only be packed more often.
 */
export const PARTS_PER_THREAD = 2

/**
 * The words of the control area, as indices of 32-bit integers; each has a cache line to itself.
 *
 * - `epoch`: the number of the job. Posting a job changes it; idle workers watch it or sleep on it. `sleepers`: how many sleep.
 * - `parts`: the number of parts of the job. `threads`: the number of threads they are meant for. `kernels`: a worker must know
 *   this many kernels to run the job.
 * - `claims` + 16·p: 2·epoch while part p of that job is free, 2·epoch + 1 once a thread has taken it. A worker that comes late
 *   holds an old epoch, so it takes nothing.
 * - `remaining`: parts that are not finished. The main thread sleeps on it while `waiting` is 1.
 * - `failed`: 1 if a kernel threw in a worker. `stop`: 1 if workers should end. `ready`: workers that have started.
 * - `helped`: parts that workers have run so far (for tests).
 */
export const words = {
  epoch: 0,
  sleepers: 16,
  remaining: 32,
  waiting: 48,
  stop: 64,
  ready: 80,
  kernels: 96,
  parts: 112,
  failed: 128,
  helped: 144,
  threads: 160,
  claims: 176,
} as const

/**
 * Where each thread counts the milliseconds that it has spent in parts of jobs: behind the claims, in 64-bit floats, a cache line each.
 */
export const BUSY_START = (words.claims + 16 * PARTS_PER_THREAD * MOST_THREADS) / 2

/** Where the calls of part 0 start, and the room of each part, both in 64-bit floats. */
export const CALLS_START = BUSY_START + 8 * MOST_THREADS
export const CALLS_PER_PART = 496

/** Bytes of the control area: what stands above, and the calls of all parts. */
export const CONTROL_BYTES = Math.ceil((8 * (CALLS_START + CALLS_PER_PART * PARTS_PER_THREAD * MOST_THREADS)) / 65536) * 65536

/** Sleeping workers that a new job wakes; each of them wakes as many. */
export const WOKEN = 2

/** Milliseconds that a worker watches for the next job before it sleeps. */
const SPIN = 0.06

/**
 * The common part of the program. A part of a job is a list of 64-bit floats, which hold addresses and scalars exactly: the
 * length, then for each call the number of the kernel, the number of values, and the values.
 *
 * `receive` returns the next waiting message, or undefined if there is none. In a page a message needs a turn of the event
 * loop. So there `work` returns if it lacks a kernel, and the message that brings the kernel calls it again.
 */
const common = `
'use strict'
const kernels = []
let control, calls, memory, thread, seen = 0

function begin(data) {
  memory = data.memory
  thread = data.thread
  control = new Int32Array(memory.buffer)
  calls = new Float64Array(memory.buffer)
  seen = Atomics.load(control, ${words.epoch})
  Atomics.add(control, ${words.ready}, 1)
}

function learn({ first, module, names }) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  names.forEach((name, i) => { kernels[first + i] = exports[name] })
}

function runPart(part) {
  let at = ${CALLS_START} + part * ${CALLS_PER_PART}
  const end = at + 1 + calls[at++]
  while (at < end) {
    const kernel = kernels[calls[at++]]
    const values = []
    for (let count = calls[at++]; count > 0; count--) values.push(calls[at++])
    kernel(...values)
  }
}

function nextEpoch() {
  for (;;) {
    const until = performance.now() + ${SPIN}
    do {
      for (let i = 0; i < 64; i++) {
        const epoch = Atomics.load(control, ${words.epoch})
        if (epoch !== seen) return epoch
      }
    } while (performance.now() < until)
    Atomics.add(control, ${words.sleepers}, 1)
    Atomics.wait(control, ${words.epoch}, seen)
    const sleepers = Atomics.sub(control, ${words.sleepers}, 1) - 1
    // Woken for a new job, it wakes others while there is work for them.
    const isNew = Atomics.load(control, ${words.epoch}) !== seen
    if (isNew && sleepers > 0 && Atomics.load(control, ${words.remaining}) > ${WOKEN}) Atomics.notify(control, ${words.epoch}, ${WOKEN})
  }
}

function work(receive) {
  for (;;) {
    const epoch = nextEpoch()
    if (Atomics.load(control, ${words.stop}) === 1) return
    const needed = Atomics.load(control, ${words.kernels})
    while (kernels.length < needed) {
      const message = receive()
      if (message === undefined) return
      learn(message)
    }
    seen = epoch
    const parts = Atomics.load(control, ${words.parts})
    const first = Math.floor((thread * parts) / Atomics.load(control, ${words.threads}))
    const free = (2 * epoch) | 0
    for (let i = 0; i < parts; i++) {
      const part = (first + i) % parts
      const claim = ${words.claims} + 16 * part
      // A look is cheaper than an exchange, which takes the cache line away from all others.
      if (Atomics.load(control, claim) !== free || Atomics.compareExchange(control, claim, free, free + 1) !== free) continue
      const started = performance.now()
      try {
        runPart(part)
      } catch {
        Atomics.store(control, ${words.failed}, 1)
      }
      calls[${BUSY_START} + 8 * thread] += performance.now() - started
      Atomics.add(control, ${words.helped}, 1)
      Atomics.sub(control, ${words.remaining}, 1)
      if (Atomics.load(control, ${words.waiting}) === 1) Atomics.notify(control, ${words.remaining})
    }
  }
}
`

/**
 * The program for worker_threads. It reads messages without leaving its loop. The main thread sends a module before it posts
 * the job, so the message is there. Deno's workers cannot read their port in this way: there, as in a page, a message arrives
 * in a turn of the event loop.
 */
export const nodeSource = `${common}
const { workerData, parentPort, receiveMessageOnPort } = require('node:worker_threads')
let byTurns = false
function receive() {
  if (byTurns) return undefined
  try {
    return receiveMessageOnPort(parentPort)?.message
  } catch {
    byTurns = true
    parentPort.on('message', (message) => {
      learn(message)
      work(receive)
    })
  }
}
begin(workerData)
work(receive)
`

/** The program for a page's Worker. */
export const pageSource = `${common}
onmessage = ({ data }) => {
  if (data.memory) begin(data)
  else learn(data)
  work(() => undefined)
}
`
