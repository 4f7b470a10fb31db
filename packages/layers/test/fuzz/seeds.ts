/** Small valid files of every format, made by this package and by others. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNpy, writeNpz } from '@cotangent/datasets'
import { python } from '../../../datasets/test/pickles.js'
import {
  batchNormalization,
  bidirectional,
  concatenate,
  conv2d,
  dense,
  embedding,
  flatten,
  gru,
  input,
  lstm,
  type Model,
  maxPooling2d,
  model,
  modelToBytes,
  modelToJSON,
  modelToTfjs,
  reshape,
  Sequential,
  type TfjsModel,
  timeDistributed,
  weightsToBytes,
} from '../../src/index.js'

/** Models for seeds: one of each kind that files describe in a different way. */
export async function models(): Promise<Model[]> {
  const stack = new Sequential(
    [dense(3, { inputShape: [4], activation: 'relu', kernelRegularizer: 'l2' }), batchNormalization(), dense(2)],
    { seed: 1 },
  )
  stack.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] })
  await stack.trainOnBatch([[1, 2, 3, 4]], [[0, 1]])
  const sequence = new Sequential(
    [
      embedding(7, 3, { inputLength: 4, maskZero: true }),
      bidirectional(lstm(2, { returnSequences: true })),
      timeDistributed(dense(2)),
      gru(2, { kernelConstraint: 'maxNorm' }),
      dense(1, { activation: 'sigmoid' }),
    ],
    { seed: 1 },
  )
  sequence.compile({ optimizer: { className: 'SGD', config: { momentum: 0.5 } }, loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  const image = new Sequential(
    [conv2d(2, 3, { inputShape: [6, 6, 1], padding: 'same' }), maxPooling2d(), reshape([18]), dense(3, { activation: 'softmax' })],
    { seed: 1 },
  )
  image.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy', 'topKCategoricalAccuracy'] })
  const a = input({ shape: [3], name: 'a' })
  const b = input({ shape: [2, 2], name: 'b' })
  const inner = new Sequential([dense(2, { inputShape: [3] })], { seed: 2 })
  const left = inner.apply(a)
  const graph = model({
    inputs: [a, b],
    outputs: [dense(2, { name: 'y' }).apply(concatenate().apply([left, flatten().apply(b)])), left],
    seed: 1,
  })
  graph.compile({ optimizer: 'adagrad', loss: ['mse', 'mae'], lossWeights: [1, 0.5] })
  return [stack, sequence, image, graph]
}

const golden = (path: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, path)))

export const goldenH5 = (): Uint8Array[] =>
  ['keras22_dense_adam.h5', 'weights_lstm.h5'].map((name) => golden(`../../../core/test/golden/h5/${name}`))
export const goldenNewH5 = (): Uint8Array[] => [
  golden('../../../core/test/golden/h5/newest.h5'),
  golden('../../../core/test/golden/h5/oldest.h5'),
]
export const goldenKeras = (): Uint8Array[] =>
  ['tabular_adamw', 'siamese_nested', 'seq2seq'].map((name) => golden(`../../../core/test/golden/keras/${name}.keras`))

export const h5Files = async (): Promise<Uint8Array[]> => [
  ...(await Promise.all((await models()).map((one) => modelToBytes(one)))),
  ...goldenH5(),
]
export const kerasFiles = async (): Promise<Uint8Array[]> => [
  ...(await Promise.all((await models()).map((one) => modelToBytes(one, { format: 'keras' })))),
  ...goldenKeras(),
]
export const weightFiles = async (format: 'h5' | 'safetensors' | 'npz'): Promise<Uint8Array[]> =>
  Promise.all((await models()).map((one) => weightsToBytes(one, { format })))
export const jsonTexts = async (): Promise<string[]> => (await models()).map((one) => modelToJSON(one))
export const tfjsModels = async (): Promise<TfjsModel[]> => Promise.all((await models()).map((one) => modelToTfjs(one, { shardBytes: 64 })))

export const npyFiles = (): Uint8Array[] => [
  writeNpy({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }),
  writeNpy({ shape: [4], data: Int32Array.of(1, 2, 3, 4) }),
  writeNpy({ shape: [], data: Float64Array.of(0.5) }),
]
export const npzFiles = (): Uint8Array[] => [
  writeNpz([
    ['a', { shape: [2], data: Float32Array.of(1, 2) }],
    ['b', { shape: [1, 2], data: Int32Array.of(1, 2) }],
  ]),
]
export const pickleFiles = (): Uint8Array[] => [new Uint8Array(Buffer.from(python.npy, 'base64'))]
export const idxFiles = (): Uint8Array[] => [
  Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4),
  Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0),
]
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const csvFiles = (): Uint8Array[] => [
  utf8(
    'Date Time,p (mbar),T (degC),rh (%),VPmax (mbar)\n01.01.2009 00:10:00,996.52,-8.02,93.3,3.33\n01.01.2009 00:20:00,996.57,-8.41,93.4,3.23\n',
  ),
  utf8('"Date Time","p (mbar)","T (degC)","rh (%)","VPmax (mbar)"\r\n31.12.2016 23:50:00,1.5e3,1,50,7\r\n'),
]
export const gloveFiles = (): Uint8Array[] => [utf8('the 0.1 -0.2 0.3\nof 1e-3 2 3\n, 0 0 0\n')]
