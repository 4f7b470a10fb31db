/**
 * One harness for every layer: it builds, its shapes are as said, its config and weights make an equal layer, its derivative is right, and a small model
 * with it learns eight points.
 */
import { expectNoLeaks, getBackend, gradCheck, key, normal, type Shape, scope, type Tensor } from '@cotangent/core'
import { expect } from 'vitest'
import { dense, flatten, type Layer, Sequential } from '../src/index.js'

export interface LayerCheck {
  /** Makes the layer; called several times. */
  make: () => Layer
  /** Its class's `fromConfig`. */
  fromConfig: (config: never) => Layer
  /** Shape of one sample. */
  inputShape: Shape
  /** Expected shape of the output of one sample. */
  outputShape: Shape
  /** Expected shapes of the weights. */
  weightShapes?: readonly Shape[]
  /** Whether the output is the same in training. */
  deterministic?: boolean
  /** Whether training changes weights by the way, as moving averages. */
  stateful?: boolean
}

/** Removes undefined and what JSON cannot hold, as a saved model would. */
const saved = (config: object): never => JSON.parse(JSON.stringify(config)) as never

export async function checkLayer({
  make,
  fromConfig,
  inputShape,
  outputShape,
  weightShapes = [],
  deterministic = true,
  stateful = false,
}: LayerCheck): Promise<void> {
  const backend = await getBackend('reference')
  {
    const layer = make()
    const build = (l: Layer): void => l.build([null, ...inputShape], { key: key(3), dtype: 'float32', backend })
    build(layer)
    expect(layer.outputShape([null, ...inputShape])).toEqual([null, ...outputShape])
    expect(layer.weights.map((w) => w.shape)).toEqual(weightShapes)
    expect(layer.trainableWeights.length).toBe(layer.weights.filter((w) => w.trainable).length)

    const x = normal(key(1), [5, ...inputShape], { backend }).keep()
    const run = (l: Layer, training = false): Tensor => scope(() => l.call(x, { training, key: key(2) }))
    let y = run(layer)
    expect(y.shape).toEqual([5, ...outputShape])
    if (deterministic) expect(await run(layer, true).array()).toEqual(await y.array())
    else {
      expect(await run(layer, true).array()).not.toEqual(await y.array())
      expect(await run(layer, true).array(), 'the same key draws the same').toEqual(await run(layer, true).array())
    }

    if (stateful) {
      const now = run(layer)
      expect(await now.array(), 'training moves the averages').not.toEqual(await y.array())
      y.dispose()
      y = now
    }

    // An equal layer from config and weights.
    const copy = fromConfig(saved(layer.getConfig()))
    build(copy)
    copy.setWeights(layer.weights)
    expect(copy.getConfig()).toEqual(layer.getConfig())
    expect(await run(copy).array()).toEqual(await y.array())
    const tooMany = [...layer.weights, y]
    expect(() => copy.setWeights(tooMany)).toThrow(`${layer.weights.length} weights, got ${tooMany.length}`)

    // The derivative by the input.
    const wide = make()
    wide.build([null, ...inputShape], { key: key(3), dtype: 'float64', backend })
    await gradCheck((t) => wide.call(t, { training: false }).mul(t.sum().tanh()).sum(), [x])
    x.dispose()
    for (const l of [layer, copy, wide]) l.dispose()
  }

  // Eight points.
  const model = new Sequential([], { seed: 5 })
  const first = make()
  model.add(first)
  if (!model.built) model.build([null, ...inputShape])
  if (outputShape.length > 1) model.add(flatten())
  model.add(dense(16, { activation: 'tanh' }))
  model.add(dense(1))
  model.compile({ optimizer: 'adam', loss: 'mse' })
  model.optimizer.learningRate = 0.02
  const points = normal(key(9), [8, ...inputShape])
  const values = normal(key(10), [8, 1])
  const [before] = await model.evaluate(points, values)
  await model.fit(points, values, { epochs: 1, batchSize: 8, verbose: 0 }) // makes the optimizer's state
  await expectNoLeaks(async () => {
    await model.fit(points, values, { epochs: 120, batchSize: 8, verbose: 0 })
  })
  const [after] = await model.evaluate(points, values)
  expect(after, 'loss after 120 steps').toBeLessThan(before * 0.3)
  model.dispose()
  points.dispose()
  values.dispose()
}
