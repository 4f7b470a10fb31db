/**
 * A process for threads-soak.test.ts. For some seconds it trains on two threads while other threads occupy every core, and compares the bits of each training with
 * those of one thread. It ends by itself, without disposing of anything.
 */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { createWasmBackend } from '@cotangent/core'
import { threadedBackend } from '../../core/test/threads.js'
import { train } from './training.js'

const [seconds] = process.argv.slice(2).map(Number)
const steps = 10

const expected = await train(createWasmBackend(), steps)
const hogs = Array.from({ length: availableParallelism() }, () => new Worker('for (;;);', { eval: true }))
await Promise.all(hogs.map((hog) => new Promise((resolve) => hog.once('online', resolve))))

const { backend, helped } = await threadedBackend({ threads: 2 }, 30_000)
// One backend always shares work; this one shares when it pays.
const backends = [backend, createWasmBackend({ threads: 2 })]
let trainings = 0
for (const until = performance.now() + 1000 * seconds; performance.now() < until || helped() === 0; trainings++)
  assert.deepEqual(await train(backends[trainings % 2], steps), expected)
assert.deepEqual(
  backends.map((each) => each.info?.().threads),
  [2, 2],
)
console.log(`${trainings} trainings, ${helped()} parts run by the worker`)
await Promise.all(hogs.map((hog) => hog.terminate()))
