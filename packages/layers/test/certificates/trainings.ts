/**
 * Six short trainings whose final weights are certified: their SHA-256 stands in certificates.json. They have the same bits on every machine, in every browser, on any
 * number of threads, recorded or eager, and after a stop, as long as fused multiply-add is off. So they run anywhere: Node, Deno, Bun, a page, a worker.
 */
import type { Backend, TypedArray } from '@cotangent/core'
import { threadedBackend } from '../../../core/test/threads.js'
import {
  add,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAveragePooling1d,
  gru,
  type HostArray,
  input,
  layerNormalization,
  lstm,
  type Model,
  masking,
  maxPooling2d,
  model,
  modelFromBytes,
  modelToBytes,
  multiHeadAttention,
  type OptimizerName,
  Sequential,
  type SymbolicTensor,
} from '../../src/index.js'

const ROWS = 72
const CLASSES = 5
export const EPOCHS = 6
/** 72 rows are two batches of 32 and one of 8, so that steps of two shapes take turns. */
const BATCH = 32
const SEED = 11

/** Whole numbers and a division by a power of two: Math.sin is not the same everywhere. */
const pseudo = (i: number): number => (((i * 7919) % 10_007) - 5_000) / 4_096

const numbers = (...shape: number[]): HostArray => ({
  shape: [ROWS, ...shape],
  data: Float32Array.from({ length: ROWS * shape.reduce((a, b) => a * b, 1) }, (_, i) => pseudo(i)),
})
const words = (length: number, count: number): HostArray => ({
  shape: [ROWS, length],
  data: Int32Array.from({ length: ROWS * length }, (_, i) => (i * 7919) % count),
})
/** Sequences of 4 to 12 steps, filled up with zeros, which masks leave out. */
function padded(steps: number, features: number): HostArray {
  const { shape, data } = numbers(steps, features)
  for (let row = 0; row < ROWS; row++) data.fill(0, (row * steps + 4 + (row % (steps - 3))) * features, (row + 1) * steps * features)
  return { shape, data }
}

const classes: HostArray = {
  shape: [ROWS, CLASSES],
  data: Float32Array.from({ length: ROWS * CLASSES }, (_, i) => Number(i % CLASSES === (Math.floor(i / CLASSES) * 7) % CLASSES)),
}

interface Training {
  /** Network and optimizer, for the table. */
  title: string
  optimizer: OptimizerName
  x: HostArray
  build(backend: Backend): Model
}

const softmax = () => dense(CLASSES, { activation: 'softmax' })

/** An encoder block: attention and a dense part, each added to its input. */
function block(x: SymbolicTensor): SymbolicTensor {
  const seen = layerNormalization().apply(add().apply([x, multiHeadAttention(2, 6, { dropout: 0.1 }).apply([x, x])]))
  return layerNormalization().apply(add().apply([seen, dense(12, { activation: 'gelu' }).apply(seen)]))
}

export const trainings = {
  perceptron: {
    title: 'Dense 96 relu – Dropout 0.3 – Dense 5; Adam',
    optimizer: 'adam',
    x: numbers(60),
    build: (backend) =>
      new Sequential([dense(96, { activation: 'relu', inputShape: [60] }), dropout(0.3), softmax()], { seed: SEED, backend }),
  },
  convolution: {
    title: 'Conv 8 3×3 – batch normalisation – pool – Dense 5; SGD',
    optimizer: 'sgd',
    x: numbers(12, 12, 2),
    build: (backend) =>
      new Sequential(
        [conv2d(8, 3, { activation: 'relu', inputShape: [12, 12, 2] }), batchNormalization(), maxPooling2d(), flatten(), softmax()],
        { seed: SEED, backend },
      ),
  },
  lstm: {
    title: 'LSTM 24 over 12 steps, dropouts 0.2 – Dense 5; RMSprop',
    optimizer: 'rmsprop',
    x: numbers(12, 10),
    build: (backend) =>
      new Sequential([lstm(24, { dropout: 0.2, recurrentDropout: 0.2, inputShape: [12, 10] }), softmax()], { seed: SEED, backend }),
  },
  gru: {
    title: 'masks – GRU 20 – GRU 12 over 4 to 12 steps – Dense 5; Nadam',
    optimizer: 'nadam',
    x: padded(12, 8),
    build: (backend) =>
      new Sequential([masking({ inputShape: [12, 8] }), gru(20, { returnSequences: true }), gru(12), softmax()], { seed: SEED, backend }),
  },
  attention: {
    title: 'two blocks of attention, 2 heads, width 12, layer normalisation, gelu – mean – Dense 5; AdamW',
    optimizer: 'adamw',
    x: numbers(10, 12),
    build(backend) {
      const x = input({ shape: [10, 12] })
      return model({ inputs: x, outputs: softmax().apply(globalAveragePooling1d().apply(block(block(x)))), seed: SEED, backend })
    },
  },
  embedding: {
    title: 'Embedding 300 × 16 of 20 words – mean – Dense 5; Adagrad',
    optimizer: 'adagrad',
    x: words(20, 300),
    build: (backend) =>
      new Sequential([embedding(300, 16, { inputLength: 20 }), globalAveragePooling1d(), softmax()], { seed: SEED, backend }),
  },
} satisfies Record<string, Training>

export type TrainingName = keyof typeof trainings
export const trainingNames = Object.keys(trainings) as TrainingName[]

/** SHA-256 of arrays as little-endian bytes, in hexadecimal. A NaN is always 7fc00000. */
export async function sha256Of(arrays: readonly TypedArray[]): Promise<string> {
  const parts = arrays.map((array) => {
    const bits = new Uint32Array(array.length)
    new Float32Array(bits.buffer).set(array as Float32Array)
    for (let i = 0; i < bits.length; i++) if (Number.isNaN(array[i])) bits[i] = 0x7fc00000
    return new Uint8Array(bits.buffer)
  })
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface Way {
  threads?: number
  /** Every step runs its program instead of a recorded list of kernels. */
  eager?: boolean
  /** After this epoch the model is saved, dropped, loaded from its bytes and trained on. */
  stopAfter?: number
  /** The format of those bytes. */
  format?: 'h5' | 'keras'
}

export interface Certified {
  sha256: string
  /** How the last step ran. */
  steps: Model['stepInfo']
  /** Threads that were there, and parts of kernels that other threads than the first ran. */
  threads: number
  helped: number
}

/** Trains, and certifies the final weights. With more than one thread, whatever can be shared is, whether that pays or not. */
export async function certify(name: TrainingName, way: Way = {}): Promise<Certified> {
  const { threads = 1, eager = false, stopAfter, format = 'keras' } = way
  const { optimizer, x, build } = trainings[name] as Training
  const { backend, helped } = await threadedBackend({ threads, relaxedSimd: false })
  try {
    const settings = { batchSize: BATCH, verbose: 0 } as const
    let network = build(backend)
    network.compile({ optimizer, loss: 'categoricalCrossentropy', ...(eager && { runEagerly: true }) })
    if (stopAfter !== undefined) {
      await network.fit(x, classes, { ...settings, epochs: stopAfter })
      const bytes = await modelToBytes(network, { format })
      network.dispose()
      network = await modelFromBytes(bytes, { seed: SEED, backend })
    }
    await network.fit(x, classes, { ...settings, epochs: EPOCHS, initialEpoch: stopAfter ?? 0 })
    const sha256 = await sha256Of((await network.getWeights()).map(({ data }) => data))
    const steps = network.stepInfo
    network.dispose()
    return { sha256, steps, threads: backend.info?.().threads ?? 1, helped: helped() }
  } finally {
    await backend.dispose?.()
  }
}

/** The hashes of all six. */
export async function certifyAll(way: Way = {}): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const name of trainingNames) hashes[name] = (await certify(name, way)).sha256
  return hashes
}
