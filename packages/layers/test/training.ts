/** One small training by which pages, workers, processes and numbers of threads are compared. It runs anywhere. */

import { type BackendInfo, configure, currentBackend, type WasmOptions } from '@cotangent/core'
import { digest } from '../../core/test/digest.js'
import { threadedBackend } from '../../core/test/threads.js'
import { batchNormalization, conv2d, dense, dropout, flatten, type Layer, maxPooling2d, Sequential } from '../src/index.js'

const [rows, classes] = [160, 10]

export interface Trained {
  /** The loss of each step. */
  losses: number[]
  /** A digest of the final weights' bits. */
  weights: string
}

/** Integer arithmetic, since Math.sin is not the same everywhere. */
const pseudo = (i: number): number => (((i * 7919) % 10_007) - 5_000) / 4_096

/** Networks whose kernels are large enough to be split. */
const networks: Record<'perceptron' | 'convolutional', { inputShape: number[]; layers: () => Layer[] }> = {
  perceptron: {
    inputShape: [403],
    layers: () => [dense(201, { activation: 'relu', inputShape: [403] }), dropout(0.3), dense(classes, { activation: 'softmax' })],
  },
  convolutional: {
    inputShape: [15, 14, 3],
    layers: () => [
      conv2d(13, 3, { activation: 'relu', padding: 'same', inputShape: [15, 14, 3] }),
      batchNormalization(),
      maxPooling2d(),
      flatten(),
      dense(classes, { activation: 'softmax' }),
    ],
  },
}
export type NetworkName = keyof typeof networks

/** Trains a network. */
export async function train(backend = currentBackend(), steps = 30, name: NetworkName = 'perceptron'): Promise<Trained> {
  const { inputShape, layers } = networks[name]
  const columns = inputShape.reduce((a, b) => a * b)
  const model = new Sequential(layers(), { seed: 3, backend })
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
  const x = Float32Array.from({ length: rows * columns }, (_, i) => pseudo(i))
  const y = Float32Array.from({ length: rows * classes }, (_, i) => Number(i % classes === Math.floor(i / classes) % classes))
  const { history } = await model.fit(
    { data: x, shape: [rows, ...inputShape] },
    { data: y, shape: [rows, classes] },
    { epochs: steps, batchSize: rows, verbose: 0 },
  )
  return { losses: history.loss, weights: digest((await model.getWeights()).map(({ data }) => data)) }
}

/** Threads that the default backend has now. */
export const threadsNow = (): number | undefined => currentBackend().info?.().threads

/** Trains as a user would who configured this. */
export async function trainConfigured(options: WasmOptions): Promise<Trained & { info?: BackendInfo }> {
  configure(options)
  return { ...(await train()), info: currentBackend().info?.() }
}

/** Trains on threads that really share the work, or throws. */
export async function trainShared(options: WasmOptions, name?: NetworkName): Promise<Trained & { info?: BackendInfo }> {
  const { backend, helped } = await threadedBackend(options, 30_000)
  try {
    // On a busy machine the main thread may finish before a worker gets a core.
    for (let attempt = 0; attempt < 100 && backend.info?.().threads !== 1; attempt++) {
      const trained = await train(backend, undefined, name)
      if (helped() > 0) return { ...trained, info: backend.info?.() }
    }
    throw new Error('trainShared: no worker ran any part')
  } finally {
    await backend.dispose?.()
  }
}
