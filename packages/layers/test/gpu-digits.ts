/**
 * The networks of the MNIST experiments, trained for a few steps on real digits. Engines of the gpu backend are compared by these losses, in Node and in pages.
 */
import '@cotangent/core/gpu'
import { withBackend } from '@cotangent/core'
import { lightCnn } from '../../../examples/000-keras-tutorial/cnn.js'
import { confusionLstm } from '../../../examples/001-lstm-cnn/mnist-lstm-confusion.js'
import { dense, Sequential, SGD } from '../src/index.js'
import { on, type Place } from './gpu-training.js'

/** By experiment: the shape of an image, and the network. */
const networks = {
  'mnist-mlp': {
    image: [784],
    // as in examples/000-keras-tutorial/mnist-mlp.ts
    make: (seed: number) =>
      new Sequential(
        [
          dense(784, { inputShape: [784], kernelInitializer: 'normal', activation: 'relu' }),
          dense(10, { kernelInitializer: 'normal', activation: 'softmax' }),
        ],
        { seed },
      ),
  },
  'mnist-cnn-light': { image: [1, 28, 28], make: lightCnn },
  'mnist-lstm-confusion': { image: [28, 28], make: confusionLstm },
} satisfies Record<string, { image: number[]; make: (seed: number) => Sequential }>
export type DigitNetwork = keyof typeof networks

export interface Digits {
  /** Bytes, 784 for each digit. */
  pixels: Uint8Array
  labels: Uint8Array
}

/** The losses of `steps` steps of descent. Each step takes the next digits, and starts again with the first when they end. */
export const trainDigits = (place: Place, name: DigitNetwork, digits: Digits, batch: number, steps: number): Promise<number[]> =>
  on(place, async (backend) => {
    const { image, make } = networks[name]
    const model = withBackend(backend, () => make(1))
    model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'categoricalCrossentropy' })
    const losses: number[] = []
    for (let step = 0; step < steps; step++) {
      const first = (step * batch) % digits.labels.length
      const x = Float32Array.from(digits.pixels.subarray(first * 784, (first + batch) * 784), (byte) => byte / 255)
      const y = new Float32Array(batch * 10)
      for (let i = 0; i < batch; i++) y[i * 10 + digits.labels[first + i]] = 1
      const { history } = await model.fit(
        { data: x, shape: [batch, ...image] },
        { data: y, shape: [batch, 10] },
        { batchSize: batch, verbose: 0 },
      )
      losses.push(history.loss[0])
    }
    return losses
  })
