/**
 * Random data from a seed, the same for every library. A small generator of our own makes it (mulberry32, Tommy Ettinger, public
 * domain), so that no library under test takes part.
 */
import type { TrainWorkload } from './networks.js'
import { outputsOf, sizeOf, vocabularyOf } from './placed.js'
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

/** `size` values, uniform in [−1, 1). */
export function uniformValues(seed: number, size: number): Float32Array {
  const next = stream(seed)
  const values = new Float32Array(size)
  for (let i = 0; i < size; i++) values[i] = 2 * next() - 1
  return values
}

/** The input of an elementwise function: uniform in [−1, 1); for the logarithm in [0.5, 2.5). */
export function operandOf(op: ElementwiseOp, seed: number, size: number): Float32Array {
  const values = uniformValues(seed, size)
  return op === 'log' ? values.map((x) => x + 1.5) : values
}

/** A batch on the host: x [batch, ..inputShape], whole numbers for an embedding; y [batch, outputs], with classes one-hot. */
export interface Batch {
  x: Float32Array | Int32Array
  y: Float32Array
}

/** The most samples before the first one comes again, and the most numbers they may have (40 MB). */
const POOL = 12_000
const POOL_VALUES = 10_000_000

/** Fills the inputs of one sample, and returns its class or target. */
type Sampler = (x: Batch['x']) => number

/** Images: each class lights a fifth of the inputs, with random strength, as pen strokes do; the rest is 0. */
function strokes(next: () => number, inputSize: number, classes: number): Sampler {
  const lit = Array.from({ length: classes }, () => Uint8Array.from({ length: inputSize }, () => (next() < 0.2 ? 1 : 0)))
  return (x) => {
    const kind = Math.floor(next() * classes)
    for (let i = 0; i < inputSize; i++) if (lit[kind][i]) x[i] = next()
    return kind
  }
}

/** Texts of two kinds: even numbers, or odd ones. Small numbers come more often, as frequent words do. */
function words(next: () => number, vocabulary: number): Sampler {
  return (x) => {
    const kind = Math.floor(next() * 2)
    for (let i = 0; i < x.length; i++) {
      const u = next()
      const word = Math.floor(u * u * u * vocabulary)
      x[i] = word - (word % 2) + kind
    }
    return kind
  }
}

/** Measurements: noise around a target in [−1, 1). Each channel shows the target with a strength of its own. */
function measurements(next: () => number, channels: number): Sampler {
  const strengths = Float64Array.from({ length: channels }, () => 2 * next() - 1)
  return (x) => {
    const target = 2 * next() - 1
    for (let i = 0; i < x.length; i++) x[i] = 2 * next() - 1 + target * strengths[i % channels]
    return target
  }
}

/**
 * Batches that a network can learn from. One label in five is drawn anew, so the loss falls but not to 0. A network that knew everything by heart would compute
 * with denormal gradients, which are slow and untypical of training.
 */
export function batchesOf(workload: TrainWorkload, seed: number): Batch[] {
  const { batch, inputShape, loss } = workload
  const inputSize = sizeOf(inputShape)
  const outputs = outputsOf(workload)
  const vocabulary = vocabularyOf(workload)
  const classes = loss === 'categoricalCrossentropy' ? outputs : 2
  const next = stream(seed)
  const ofMeasures = loss === 'meanAbsoluteError'
  const sample = vocabulary
    ? words(next, vocabulary)
    : ofMeasures
      ? measurements(next, inputShape[inputShape.length - 1])
      : strokes(next, inputSize, classes)
  const pool = Math.min(POOL, Math.floor(POOL_VALUES / inputSize))
  return Array.from({ length: Math.max(1, Math.ceil(pool / batch)) }, () => {
    const x = new (vocabulary ? Int32Array : Float32Array)(batch * inputSize)
    const y = new Float32Array(batch * outputs)
    for (let i = 0; i < batch; i++) {
      const target = sample(x.subarray(i * inputSize, (i + 1) * inputSize))
      const label = next() >= 0.2 ? target : ofMeasures ? 2 * next() - 1 : Math.floor(next() * classes)
      if (outputs === 1) y[i] = label
      else y[i * outputs + label] = 1
    }
    return { x, y }
  })
}
