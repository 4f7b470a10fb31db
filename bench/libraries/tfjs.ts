/**
 * TensorFlow.js on its wasm or cpu backend, from bench/peers. Its packages are loaded from there (the CommonJS builds). The few types used
 * here are declared again, since its own are there only if the peers are installed.
 */
import { createRequire } from 'node:module'
import type { Adapter, Prepared } from '../adapter.js'
import type { LayerSpec, TrainWorkload } from '../networks.js'
import { EMBEDDING_LIMIT, outputsOf, placed } from '../placed.js'
import { batchesOf, operandOf, uniformValues } from '../random.js'
import { type ConvWorkload, convOutput, type DispatchWorkload, type ElementwiseWorkload, type MatMulWorkload } from '../workloads.js'

interface TfTensor {
  readonly shape: readonly number[]
  data(): Promise<ArrayLike<number>>
  dispose(): void
}
interface TfCore {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tidy<T>(fn: () => T): T
  tensor(values: Float32Array | Int32Array, shape: readonly number[], dtype?: 'int32' | 'float32'): TfTensor
  scalar(value: number): TfTensor
  matMul(a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor
  add(a: TfTensor, b: TfTensor): TfTensor
  mul(a: TfTensor, b: TfTensor): TfTensor
  exp(x: TfTensor): TfTensor
  tanh(x: TfTensor): TfTensor
  log(x: TfTensor): TfTensor
  sigmoid(x: TfTensor): TfTensor
  relu(x: TfTensor): TfTensor
  clone(x: TfTensor): TfTensor
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor
  conv2d(x: TfTensor, filter: TfTensor, strides: number, padding: string): TfTensor
  grad(f: (x: TfTensor) => TfTensor): (x: TfTensor) => TfTensor
  valueAndGrads(f: (...xs: TfTensor[]) => TfTensor): (xs: TfTensor[], dy: TfTensor) => { value: TfTensor; grads: TfTensor[] }
}
type TfLayer = object
interface RecurrentOptions {
  units: number
  inputShape?: readonly number[]
  kernelInitializer: object
  recurrentInitializer: object
}
interface TfModel {
  compile(options: { optimizer: string; loss: string }): void
  trainOnBatch(x: TfTensor, y: TfTensor): Promise<number>
  dispose(): void
}
interface TfLayers {
  sequential(options: { layers: TfLayer[] }): TfModel
  initializers: {
    constant(options: { value: number }): object
    glorotUniform(options: { seed: number }): object
    randomUniform(options: { minval: number; maxval: number; seed: number }): object
  }
  layers: {
    dense(options: { units: number; activation: string; inputShape?: readonly number[]; kernelInitializer: object }): TfLayer
    conv2d(options: {
      filters: number
      kernelSize: number
      padding: string
      activation: string
      inputShape?: readonly number[]
      kernelInitializer: object
    }): TfLayer
    maxPooling2d(options: { poolSize: number }): TfLayer
    flatten(): TfLayer
    embedding(options: { inputDim: number; outputDim: number; inputShape?: readonly number[]; embeddingsInitializer: object }): TfLayer
    lstm(
      options: RecurrentOptions & { recurrentActivation: string; unitForgetBias: boolean; dropout: number; recurrentDropout: number },
    ): TfLayer
    simpleRNN(options: RecurrentOptions): TfLayer
    bidirectional(options: { layer: TfLayer; mergeMode: string; inputShape?: readonly number[] }): TfLayer
    conv1d(options: { filters: number; kernelSize: number; activation: string; kernelInitializer: object }): TfLayer
    maxPooling1d(options: { poolSize: number }): TfLayer
    globalMaxPooling1d(options: object): TfLayer
    dropout(options: { rate: number; seed: number }): TfLayer
  }
}

/** @param inputShape for the first layer only */
function layerOf(
  { layers: make, initializers }: TfLayers,
  layer: LayerSpec,
  seed: number,
  inputShape?: readonly number[],
  constantWeights?: number,
): TfLayer {
  const constant = constantWeights === undefined ? undefined : initializers.constant({ value: constantWeights })
  const kernelInitializer = constant ?? initializers.glorotUniform({ seed })
  const recurrentInitializer = constant ?? initializers.glorotUniform({ seed: seed + 100 })
  switch (layer.type) {
    case 'dense':
      return make.dense({ units: layer.units, activation: layer.activation, inputShape, kernelInitializer })
    case 'dropout':
      return make.dropout({ rate: layer.rate, seed })
    case 'conv': {
      const { filters, size: kernelSize, padding, activation } = layer
      return make.conv2d({ filters, kernelSize, padding, activation, inputShape, kernelInitializer })
    }
    case 'maxPool':
      return make.maxPooling2d({ poolSize: layer.size })
    case 'flatten':
      return make.flatten()
    case 'embedding': {
      const embeddingsInitializer = constant ?? initializers.randomUniform({ minval: -EMBEDDING_LIMIT, maxval: EMBEDDING_LIMIT, seed })
      return make.embedding({ inputDim: layer.vocabulary, outputDim: layer.size, inputShape, embeddingsInitializer })
    }
    case 'lstm': {
      const { units, dropout, recurrentDropout, bidirectional } = layer
      const options = {
        units,
        dropout,
        recurrentDropout,
        recurrentActivation: 'sigmoid',
        unitForgetBias: true,
        kernelInitializer,
        recurrentInitializer,
      }
      if (bidirectional) return make.bidirectional({ layer: make.lstm(options), mergeMode: 'concat', inputShape })
      return make.lstm({ ...options, inputShape })
    }
    case 'simpleRnn': {
      return make.simpleRNN({ units: layer.units, kernelInitializer, recurrentInitializer, inputShape })
    }
    case 'conv1d':
      return make.conv1d({ filters: layer.filters, kernelSize: layer.size, activation: layer.activation, kernelInitializer })
    case 'maxPool1d':
      return make.maxPooling1d({ poolSize: layer.size })
    case 'globalMaxPool1d':
      return make.globalMaxPooling1d({})
  }
}

function train(tf: TfCore, library: TfLayers, workload: TrainWorkload, seed: number): Prepared {
  const { batch, inputShape, loss: ofModel, optimizer } = workload
  const batches = batchesOf(workload, seed)
  const outputs = outputsOf(workload)
  const model = library.sequential({
    layers: placed(workload).map(({ layer }, i) =>
      layerOf(library, layer, seed + i, i === 0 ? inputShape : undefined, workload.constantWeights),
    ),
  })
  model.compile({ optimizer, loss: ofModel })
  let t = 0
  return {
    async run(steps) {
      let loss = Number.NaN
      for (let i = 0; i < steps; i++) {
        const { x, y } = batches[t++ % batches.length]
        const inputs = tf.tensor(x, [batch, ...inputShape], x instanceof Int32Array ? 'int32' : 'float32')
        const labels = tf.tensor(y, [batch, outputs])
        loss = await model.trainOnBatch(inputs, labels)
        inputs.dispose()
        labels.dispose()
      }
      return loss
    },
    dispose: () => model.dispose(),
  }
}

/** Repeats an op that makes one tensor or several. Reads the first element of the last result, or the sum of the first elements. */
function repeat(tf: TfCore, work: () => TfTensor | TfTensor[], held: readonly TfTensor[]): Prepared {
  const first = (x: TfTensor): TfTensor => {
    if (x.shape.length === 0) return tf.clone(x) // tfjs cannot slice a scalar
    return tf.slice(
      x,
      x.shape.map(() => 0),
      x.shape.map(() => 1),
    )
  }
  return {
    async run(steps) {
      const probes = tf.tidy(() => {
        for (let i = 1; i < steps; i++) tf.tidy(() => void work())
        return [work()].flat().map(first)
      })
      let value = 0
      for (const probe of probes) {
        value += (await probe.data())[0]
        probe.dispose()
      }
      return value
    },
    dispose() {
      for (const each of held) each.dispose()
    },
  }
}

function product(tf: TfCore, { m, k, n, transposeA, transposeB }: MatMulWorkload, seed: number): Prepared {
  const a = tf.tensor(uniformValues(seed, m * k), transposeA ? [k, m] : [m, k])
  const b = tf.tensor(uniformValues(seed + 1, k * n), transposeB ? [n, k] : [k, n])
  return repeat(tf, () => tf.matMul(a, b, transposeA, transposeB), [a, b])
}

function convolution(tf: TfCore, workload: ConvWorkload, seed: number): Prepared {
  const { batch, image, filters, size, padding, backward, first: leaf } = workload
  const random = (from: number, shape: readonly number[]): TfTensor =>
    tf.tensor(
      uniformValues(
        seed + from,
        shape.reduce((a, b) => a * b),
      ),
      shape,
    )
  const x = random(0, [batch, ...image])
  const filter = random(1, [size, size, image[2], filters])
  if (!backward) return repeat(tf, () => tf.conv2d(x, filter, 1, padding), [x, filter])
  const dy = random(2, convOutput(workload))
  const derivative = tf.valueAndGrads((f, images = x) => tf.conv2d(images, f, 1, padding))
  const both = (): TfTensor[] => {
    const { value, grads } = derivative(leaf ? [filter] : [filter, x], dy)
    return [value, ...grads]
  }
  return repeat(tf, both, [x, filter, dy])
}

function elementwise(tf: TfCore, { op, size }: ElementwiseWorkload, seed: number): Prepared {
  const a = tf.tensor(operandOf(op, seed, size), [size])
  const b = tf.tensor(uniformValues(seed + 1, size), [size])
  return repeat(tf, () => (op === 'add' ? tf.add(a, b) : tf[op](a)), [a, b])
}

function dispatch(tf: TfCore, { what, count }: DispatchWorkload, seed: number): Prepared {
  if (what === 'add') {
    const a = tf.tensor(uniformValues(seed, 10), [10])
    const b = tf.tensor(uniformValues(seed + 1, 10), [10])
    const many = (): TfTensor => {
      for (let i = 1; i < count; i++) tf.add(a, b)
      return tf.add(a, b)
    }
    return repeat(tf, many, [a, b])
  }
  const [x, c] = [tf.scalar(0.5), tf.scalar(1.1)]
  const derivative = tf.grad((start) => {
    let y = start
    for (let i = 0; i < 10; i++) y = tf.tanh(tf.mul(y, c))
    return y
  })
  const many = (): TfTensor => {
    for (let i = 1; i < count; i++) derivative(x)
    return derivative(x)
  }
  return repeat(tf, many, [x, c])
}

export async function tfjs(backend: 'wasm' | 'cpu'): Promise<Adapter> {
  const load = createRequire(new URL('../peers/package.json', import.meta.url))
  const tf = load('@tensorflow/tfjs-core') as TfCore
  const layers = load('@tensorflow/tfjs-layers') as TfLayers
  load(`@tensorflow/tfjs-backend-${backend}`)
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs refused its ${backend} backend.`)
  await tf.ready()
  return {
    async prepare(workload, seed) {
      switch (workload.kind) {
        case 'train':
          return train(tf, layers, workload, seed)
        case 'gpt':
          throw new Error('it has no layer of attention')
        case 'matMul':
          return product(tf, workload, seed)
        case 'conv':
          return convolution(tf, workload, seed)
        case 'elementwise':
          return elementwise(tf, workload, seed)
        case 'update':
          throw new Error('its optimizers are not timed alone here')
        case 'dispatch':
          return dispatch(tf, workload, seed)
        case 'operation':
          throw new Error('its operations are not timed here')
      }
    },
  }
}
