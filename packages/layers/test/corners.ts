/** A small problem for whole models. */
import { key, uniform } from '@cotangent/core'
import { adam, dense, dropout, type ModelOptions, Sequential } from '../src/index.js'

/** 3 classes of points around 3 corners, as host arrays. */
export function corners(
  count: number,
  seed = 1,
): { x: { shape: number[]; data: Float32Array }; y: { shape: number[]; data: Float32Array }; labels: number[] } {
  const noise = uniformValues(seed, count * 2)
  const x = new Float32Array(count * 2)
  const y = new Float32Array(count * 3)
  const labels = Array.from({ length: count }, (_, i) => i % 3)
  labels.forEach((label, i) => {
    x[2 * i] = (label === 1 ? 1 : 0) + 0.6 * (noise[2 * i] - 0.5)
    x[2 * i + 1] = (label === 2 ? 1 : 0) + 0.6 * (noise[2 * i + 1] - 0.5)
    y[3 * i + label] = 1
  })
  return { x: { shape: [count, 2], data: x }, y: { shape: [count, 3], data: y }, labels }
}

export function uniformValues(seed: number, count: number): Float32Array {
  const t = uniform(key(seed), [count])
  const values = t.backend.readSync?.(t.storage) as Float32Array
  t.dispose()
  return values
}

export function classifier(options: ModelOptions = { seed: 7 }): Sequential {
  const model = new Sequential(
    [dense(16, { activation: 'relu', inputShape: [2] }), dropout(0.2), dense(3, { activation: 'softmax' })],
    options,
  )
  model.compile({ optimizer: adam({ learningRate: 0.02 }), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

export const quiet = { verbose: 0 } as const
export const weightsOf = async (model: Sequential): Promise<number[][]> => (await model.getWeights()).map((w) => [...w.data])
