/** Whole trainings by `fit` compared with the golden trainings, in float32 and float64. */
import { createReferenceBackend, createWasmBackend, type TypedArray } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { conv2d, dense, embedding, flatten, getOptimizer, type Layer, l2, lstm, maxPooling2d, Sequential } from '../src/index.js'
import { goldenTensor, loadGolden } from './golden.js'

interface LayerSpec {
  type: string
  units: number
  filters: number
  kernel_size: [number, number]
  activation: 'relu' | 'softmax' | 'tanh' | 'sigmoid' | 'linear'
  kernel_l2?: number
  input_dim: number
  output_dim: number
  trainable?: boolean
  return_sequences?: boolean
}

/** The layer that a fixture describes; `first` has the further options of a first layer. */
function layerOf(spec: LayerSpec, first: { inputShape?: number[] }): Layer {
  const { type, units, filters, kernel_size, activation, kernel_l2, trainable } = spec
  if (type === 'Embedding') return embedding(spec.input_dim, spec.output_dim, { trainable, ...first })
  if (type === 'LSTM') return lstm(units, { returnSequences: spec.return_sequences, ...first })
  if (type === 'Conv2D') return conv2d(filters, kernel_size, { activation, ...first })
  if (type === 'MaxPooling2D') return maxPooling2d(first)
  if (type === 'Flatten') return flatten(first)
  return dense(units, { activation, kernelRegularizer: kernel_l2 ? l2(kernel_l2) : undefined, ...first })
}
interface FitParams {
  layers: LayerSpec[]
  input_shape: number[]
  loss: 'categorical_crossentropy' | 'binary_crossentropy' | 'sparse_categorical_crossentropy' | 'mae'
  optimizer: { name: string; [option: string]: unknown }
  batch_size: number
  epochs: number
  validation_split: number | null
  metrics: 'accuracy'[]
}

/** float32: the README of the vectors allows about 1e-3 for whole trainings; float64 vectors have 10 digits. */
const runs = [
  { name: 'reference, float64', backend: createReferenceBackend(), dtype: 'float64', tolerance: 1e-6 },
  { name: 'wasm, float32', backend: createWasmBackend(), dtype: 'float32', tolerance: 1e-3 },
] as const

const close = (actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void => {
  expect(actual.length, what).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(actual[i] - wanted[i]), `${what}[${i}]: ${actual[i]} instead of ${wanted[i]}`).toBeLessThanOrEqual(
      tolerance * (Math.abs(wanted[i]) + 0.1),
    )
  }
}

describe.each(runs)('fit equals the golden trainings ($name)', ({ backend, dtype, tolerance }) => {
  for (const { name, params, inputs, expected } of loadGolden('fit.json')) {
    const spec = params as unknown as FitParams
    test(name, async () => {
      const layers = spec.layers.map((layer, i) => layerOf(layer, i === 0 ? { inputShape: spec.input_shape } : {}))
      const model = new Sequential(layers, { seed: 1, dtype, backend })
      model.setWeights((inputs.initial_weights as unknown[][]).flat().map(goldenTensor))
      const { name: optimizer, ...options } = spec.optimizer
      model.compile({ optimizer: getOptimizer({ className: optimizer, config: options }), loss: spec.loss, metrics: spec.metrics })

      const x = goldenTensor(inputs.x)
      const y = goldenTensor(inputs.y)
      const batchLosses: number[] = []
      let seen = 0
      let epoch = 0
      const { history } = await model.fit(x, y, {
        batchSize: spec.batch_size,
        epochs: spec.epochs,
        shuffle: false,
        validationSplit: spec.validation_split ?? 0,
        verbose: 0,
        callbacks: [
          {
            onEpochBegin: (e) => {
              epoch = e
            },
            onBatchEnd: (batch, logs) => {
              if (epoch > 0) return
              // Undo the running mean.
              const samples = Math.min(
                spec.batch_size,
                Math.trunc(x.shape[0] * (1 - (spec.validation_split ?? 0))) - batch * spec.batch_size,
              )
              const total = batchLosses.reduce((sum, loss, i) => sum + loss * (i < batch ? spec.batch_size : samples), 0)
              batchLosses.push((logs.loss * (seen + samples) - total) / samples)
              seen += samples
            },
          },
        ],
      })
      const wanted = expected.history as Record<string, number[]>
      expect(Object.keys(history).sort()).toEqual(Object.keys(wanted).sort())
      for (const key of Object.keys(wanted)) close(history[key], wanted[key], tolerance, key)
      close(batchLosses, expected.first_epoch_batch_losses as number[], tolerance * 5, 'first epoch batch losses')

      const weights = await model.getWeights()
      const finals = (expected.final_weights as unknown[][]).flat().map(goldenTensor)
      weights.forEach((weight, i) => {
        close(weight.data, finals[i].data, tolerance, `final weight ${weight.name}`)
      })
      close(await model.evaluate(x, y, { batchSize: spec.batch_size }), expected.evaluate_all as number[], tolerance, 'evaluate')
      const prediction = await model.predict(x)
      close((await prediction.data()) as TypedArray, goldenTensor(expected.predict).data, tolerance, 'predict')
      prediction.dispose()
      model.dispose()
      expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
    })
  }
})
