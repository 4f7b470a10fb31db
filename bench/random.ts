/**
 * Seeded data for timing, the same for every library: made here with a small generator of its own (mulberry32, Tommy Ettinger, public
 * domain), so that no library under test has a part in it.
 */
import { classesOf, sizeOf, type TrainWorkload } from './networks.js'
import type { ElementwiseOp } from './workloads.js'

/** A stream of numbers in [0, 1). */
export function stream(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `size` values uniform in [−1, 1). */
export function uniformValues(seed: number, size: number): Float32Array {
  const next = stream(seed)
  const values = new Float32Array(size)
  for (let i = 0; i < size; i++) values[i] = 2 * next() - 1
  return values
}

/** What an elementwise function is applied to: uniform in [−1, 1), for the logarithm in [0.5, 2.5). */
export function operandOf(op: ElementwiseOp, seed: number, size: number): Float32Array {
  const values = uniformValues(seed, size)
  return op === 'log' ? values.map((x) => x + 1.5) : values
}

/** One batch on the host: x [batch, ..inputShape], y [batch, classes] one-hot. */
export interface Batch {
  x: Float32Array
  y: Float32Array
}

/** As many samples as a library is shown before it sees the first again. */
const POOL = 12_000

/**
 * Batches that a network can learn from: each class lights a fifth of the inputs, at random strengths, as pen strokes do; the rest is 0.
 * One label in five is drawn anew, so the loss falls and then stays up: a network that had learned everything by heart would compute
 * with denormal gradients, which are slow and not what training looks like.
 */
export function batchesOf(workload: TrainWorkload, seed: number): Batch[] {
  const { batch } = workload
  const inputSize = sizeOf(workload.inputShape)
  const classes = classesOf(workload)
  const next = stream(seed)
  const lit = Array.from({ length: classes }, () => Uint8Array.from({ length: inputSize }, () => (next() < 0.2 ? 1 : 0)))
  return Array.from({ length: Math.max(1, Math.ceil(POOL / batch)) }, () => {
    const x = new Float32Array(batch * inputSize)
    const y = new Float32Array(batch * classes)
    for (let sample = 0; sample < batch; sample++) {
      const kind = Math.floor(next() * classes)
      for (let i = 0; i < inputSize; i++) if (lit[kind][i]) x[sample * inputSize + i] = next()
      y[sample * classes + (next() < 0.2 ? Math.floor(next() * classes) : kind)] = 1
    }
    return { x, y }
  })
}
