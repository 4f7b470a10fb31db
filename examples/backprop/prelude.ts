/** The names that examples in doc comments use without making them: a small model, its data, a few tensors. Each is made when an example names it. */
import * as core from '@cotangent/core'
import type * as Layers from '@cotangent/layers'

const { key, normal, tensor, uniform, zeros } = core

/** Four classes, as one-hot rows. */
const oneHot = (rows: number): core.Tensor =>
  tensor(
    Array.from({ length: rows }, (_, i) => [0, 1, 2, 3].map((label) => Number(label === i % 4))),
    {},
  )

function makeModel({ Sequential, dense }: typeof Layers): Layers.Sequential {
  const model = new Sequential()
  model.add(dense(4, { activation: 'softmax', inputShape: [8] }))
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

type Make = (name: string) => unknown

const makers: Readonly<Record<string, (layers: typeof Layers, make: Make) => unknown>> = {
  x: () => normal(key(1), [64, 8]),
  y: () => oneHot(64),
  xTrain: () => normal(key(2), [64, 8]),
  yTrain: () => oneHot(64),
  xTest: () => normal(key(3), [16, 8]),
  yTest: () => oneHot(16),
  yTrue: () => oneHot(16),
  yPred: () => uniform(key(4), [16, 4], { low: 0.1, high: 0.9 }),
  logits: () => normal(key(5), [16, 4]),
  labels: () => oneHot(16),
  images: () => zeros([60000, 28, 28], { dtype: 'uint8' }),
  bytes: () => new Uint8Array(60000 * 784),
  epoch: () => 1,
  model: makeModel,
  optimizer: ({ sgd }) => sgd(),
  params: (_, make) => (make('model') as Layers.Sequential).params,
  parameters: (_, make) => make('params'),
  /** With predictions and targets: one number a sample. Without arguments: the model's mean loss. */
  loss: (_, make) => {
    const [model, x, y] = [make('model') as Layers.Sequential, make('x') as core.Tensor, make('y') as core.Tensor]
    return (p?: core.Tensor, t?: core.Tensor) =>
      p && t ? core.softmaxCrossEntropy(p, t) : core.softmaxCrossEntropy(model.apply(x), y).mean()
  },
}

/** The values of those names that the code mentions. */
export function preludeFor(code: string, layers: typeof Layers): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  const make: Make = (name) => {
    if (!(name in made)) made[name] = makers[name](layers, make)
    return made[name]
  }
  const mentioned = Object.keys(makers).filter((name) => new RegExp(`\\b${name}\\b`).test(code))
  return Object.fromEntries(mentioned.map((name) => [name, make(name)]))
}
