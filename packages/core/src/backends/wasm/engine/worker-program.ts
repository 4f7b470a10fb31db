/**
 * The program of a worker of the thread pool, and the words through which it and the main thread (threads.ts) talk.
 *
 * The program is a string of plain JavaScript: workers cannot load TypeScript, and a string needs no file that a bundler would
 * have to find.
 */

/** Most threads of a pool, the main thread included. */
export const MOST_THREADS = 8

/**
 * Most parts for a thread. With two, a thread that gets less of its core than another, or a slower one, also does less of
 * the work; more would only pack matrices more often.
 */
export const PARTS_PER_THREAD = 2

/**
 * Words of the control area (indices of 32-bit integers), a cache line apart.
 *
 * - `epoch` changes when a job is posted; idle workers watch it, or sleep on it. `sleepers`: how many sleep.
 * - `parts`: parts of the job, meant for so many `threads`; `kernels`: how many kernels one must know to run it.
 * - `claims` + 16·p: 2·epoch when part p of that job is free, 2·epoch + 1 once a thread has taken it. So a worker that comes
 *   late, with an old epoch in hand, takes nothing.
 * - `remaining`: parts not finished; the main thread sleeps on it while `waiting` is 1.
 * - `failed`: a kernel threw in a worker. `stop`: workers should end. `ready`: workers that have started.
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

/** Where the calls of part 0 start, and how much room each part has, in 64-bit floats. */
export const CALLS_START = 256
export const CALLS_PER_PART = 496

/** How long a worker watches for the next job before it sleeps, in milliseconds. */
const SPIN = 0.06

/**
 * A part's calls are `length, (kernel, count, …values)…` as 64-bit floats, which hold addresses and scalars exactly.
 * `receive` returns the next message that is waiting, or undefined; in a page that takes a turn of the event loop, so there
 * `work` returns when it lacks a kernel, and the message that brings it starts it again.
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
    Atomics.sub(control, ${words.sleepers}, 1)
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
      if (Atomics.compareExchange(control, ${words.claims} + 16 * part, free, free + 1) !== free) continue
      try {
        runPart(part)
      } catch {
        Atomics.store(control, ${words.failed}, 1)
      }
      Atomics.add(control, ${words.helped}, 1)
      Atomics.sub(control, ${words.remaining}, 1)
      if (Atomics.load(control, ${words.waiting}) === 1) Atomics.notify(control, ${words.remaining})
    }
  }
}
`

/**
 * For worker_threads: messages are fetched without leaving the loop. Main sends before it posts, so one is always there. Deno gives its workers a
 * port that cannot be read so; there messages come by turns of the event loop, as in a page.
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

/** For a page's Worker. */
export const pageSource = `${common}
onmessage = ({ data }) => {
  if (data.memory) begin(data)
  else learn(data)
  work(() => undefined)
}
`
