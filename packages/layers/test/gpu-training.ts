/** Small trainings by which the gpu backend's engines are compared, in Node and in pages. */
import '@cotangent/core/gpu'
import { type Backend, createGpuBackend, type GpuInfo, type GpuMode, getBackend } from '@cotangent/core'
import { conv2d, dense, flatten, type Layer, lstm, maxPooling2d, Sequential, SGD } from '../src/index.js'

const [rows, classes] = [48, 3]

const networks = {
  perceptron: { inputShape: [8], layers: () => [dense(12, { activation: 'relu', inputShape: [8] })] },
  convolutional: {
    inputShape: [8, 8, 1],
    layers: () => [conv2d(4, 3, { activation: 'relu', inputShape: [8, 8, 1] }), maxPooling2d(), flatten()],
  },
  recurrent: { inputShape: [5, 3], layers: () => [lstm(6, { inputShape: [5, 3] })] },
} satisfies Record<string, { inputShape: number[]; layers: () => Layer[] }>
export type GpuNetwork = keyof typeof networks
export const networkNames = Object.keys(networks) as GpuNetwork[]

/** Integer arithmetic, since Math.sin is not the same everywhere. */
const pseudo = (i: number): number => (((i * 7919) % 10_007) - 5_000) / 5_000

export type Place = GpuMode | 'wasm' | 'reference'

/** Runs work on a backend. A backend that was made here is disposed afterwards. */
export async function on<R>(place: Place, work: (backend: Backend) => Promise<R>): Promise<R> {
  if (place === 'wasm' || place === 'reference') return work(await getBackend(place))
  const gpu = await createGpuBackend({ mode: place })
  try {
    return await work(gpu)
  } finally {
    await gpu.dispose?.()
  }
}

function prepare(backend: Backend, name: GpuNetwork, optimizer: 'adam' | number) {
  const { inputShape, layers } = networks[name]
  const columns = inputShape.reduce((a, b) => a * b)
  const model = new Sequential([...layers(), dense(classes, { activation: 'softmax' })], { seed: 7, backend })
  model.compile({
    optimizer: optimizer === 'adam' ? 'adam' : new SGD({ learningRate: optimizer }),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  })
  // each class has its own direction under the noise
  const x = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    return pseudo(i) + (column % classes === row % classes ? 0.6 : 0)
  })
  const y = Float32Array.from({ length: rows * classes }, (_, i) => Number(i % classes === Math.floor(i / classes) % classes))
  const data = [
    { data: x, shape: [rows, ...inputShape] },
    { data: y, shape: [rows, classes] },
  ] as const
  /** Does `steps` steps, each on all rows. Returns the loss of each. */
  const steps = async (count: number): Promise<{ loss: number[]; accuracy: number[] }> => {
    const { history } = await model.fit(data[0], data[1], { epochs: count, batchSize: rows, verbose: 0 })
    return { loss: history.loss, accuracy: history.accuracy }
  }
  return { model, steps }
}

/** The losses of a training and its last accuracy. */
export const trainOn = (
  place: Place,
  name: GpuNetwork,
  optimizer: 'adam' | number,
  count: number,
): Promise<{ losses: number[]; accuracy: number }> =>
  on(place, async (backend) => {
    const { loss, accuracy } = await prepare(backend, name, optimizer).steps(count)
    return { losses: loss, accuracy: accuracy[count - 1] }
  })

/** All gradients of a network's first step, one after another. */
export const gradientsOn = (place: Place, name: GpuNetwork): Promise<number[]> =>
  on(place, async (backend) => {
    const { model, steps } = prepare(backend, name, 1)
    const flat = async (): Promise<number[]> => (await model.getWeights()).flatMap(({ data }) => [...data])
    await steps(1)
    const after = await flat()
    // the same seed, before its first step
    const before = (await prepare(backend, name, 1).model.getWeights()).flatMap(({ data }) => [...data])
    return before.map((w, i) => w - after[i])
  })

/** The live resources after each fifth of a training: on the device, and as the backend counts. */
export const memoryOn = (place: Place, count: number): Promise<{ objects: number; kernels: number; buffers: number }[]> =>
  on(place, async (backend) => {
    const { steps } = prepare(backend, 'perceptron', 'adam')
    const counts = []
    for (let i = 0; i < 5; i++) {
      await steps(count / 5)
      const info = backend.info?.().gpu as GpuInfo
      counts.push({ objects: info.objects, kernels: info.kernels, buffers: backend.memory().buffers })
    }
    return counts
  })
