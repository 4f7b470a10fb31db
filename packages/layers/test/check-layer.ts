/**
 * One harness for every layer: it builds; its shapes are the expected ones; its config and weights make an equal layer; its derivative is right; a small model
 * with it learns eight points.
 */
import { concat, expectNoLeaks, flip, getBackend, gradCheck, key, normal, type Shape, scope, type Tensor, tensor } from '@cotangent/core'
import { expect } from 'vitest'
import {
  bidirectional,
  dense,
  flatten,
  type Layer,
  type LayerOutputs,
  RecurrentLayer,
  Sequential,
  timeDistributed,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'

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
  /** Whether training and inference give the same output. */
  deterministic?: boolean
  /** Whether training also changes weights without a gradient, such as moving averages. */
  stateful?: boolean
  /** Whether steps of training are recorded: not those of the user's classes. */
  recorded?: boolean
}

/** Properties of every layer in other places: in a frozen model, in timeDistributed, behind a mask, in files saved frozen and loaded free. */
async function checkPlaces({ make, inputShape, outputShape, stateful = false }: LayerCheck): Promise<void> {
  const numbers = async (layer: Layer): Promise<number[][]> => (await layer.getWeights()).map(({ data }) => [...data])
  const x = normal(key(21), [4, ...inputShape]).keep()
  const build = (shape: Shape, layer: Layer, name: string): Sequential => {
    const body = new Sequential([layer], { seed: 6, name })
    body.build([null, ...shape])
    return body
  }

  // In a frozen model no weight changes. Once it is free, all trainable ones do.
  const body = build(inputShape, make(), 'body')
  const whole = new Sequential([body, ...(outputShape.length > 1 ? [flatten()] : []), dense(1)], { seed: 5 })
  const before = await numbers(body)
  const targets = normal(key(22), [4, 1])
  const train = async (trainable: boolean): Promise<void> => {
    body.trainable = trainable
    whole.compile({ optimizer: 'sgd', loss: 'mse' })
    await whole.fit(x, targets, { batchSize: 4, verbose: 0 })
  }
  await train(false)
  expect(await numbers(body), 'weights and averages in a frozen model').toEqual(before)
  const [head] = await numbers(whole.layers.at(-1) as Layer)
  await train(true)
  expect(await numbers(whole.layers.at(-1) as Layer)).not.toEqual([head])
  if (body.trainableWeights.length > 0) expect(await numbers(body), 'weights in one that is free').not.toEqual(before)
  if (stateful) expect((await numbers(body)).at(-1), 'averages').not.toEqual(before.at(-1))

  // A file saved frozen and loaded free, and the other way, gives the same.
  const wanted = await body.apply(x).array()
  const pair = (trainable: boolean): { whole: Sequential; inner: Layer } => {
    const inner = make()
    inner.trainable = trainable
    return { whole: new Sequential([build(inputShape, inner, 'body')], { seed: 7 }), inner }
  }
  for (const frozen of [true, false]) {
    const [saved, loaded] = [pair(!frozen), pair(frozen)]
    saved.inner.setWeights(body.weights)
    await weightsFromBytes(loaded.whole, await weightsToBytes(saved.whole))
    expect(await loaded.whole.apply(x).array(), `saved ${frozen ? 'frozen' : 'free'}`).toEqual(wanted)
  }

  // timeDistributed is a loop over the steps; a mask of steps goes on untouched.
  if (inputShape.length > 0) {
    const layer = make()
    const each = timeDistributed(layer, { inputShape: [3, ...inputShape] })
    const net = new Sequential([each], { seed: 8 })
    const steps = normal(key(23), [2, 3, ...inputShape])
    const rest = [...inputShape].map(() => 0)
    const mask = tensor(
      [
        [1, 1, 0],
        [1, 0, 0],
      ],
      { dtype: 'bool' },
    )
    const result = scope(() => {
      const { outputs, masks } = net.callAll([steps], { training: false, masks: [mask] })
      return [...outputs, ...masks].map((t) => t?.keep())
    })
    expect(await result[1]?.array(), 'mask behind timeDistributed').toEqual(await mask.array())
    const all = (await (result[0] as Tensor).array()) as unknown[][]
    for (let t = 0; t < 3; t++) {
      const step = scope(() =>
        layer.call(steps.slice([0, t, ...rest], [2, 1, ...inputShape]).reshape([2, ...inputShape]), { training: false }),
      )
      const [got, one] = [all.map((sample) => sample[t]), await step.array()].map((v) => [v].flat(9) as number[])
      for (const [i, v] of got.entries())
        expect(Math.abs(v - one[i]), `step ${t} of timeDistributed`).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)))
    }
  }

  await checkMask(make, inputShape)
  await checkBidirectional(make, inputShape)
}

/** Bidirectional is the layer on the sequence, beside a copy of it on the reversed sequence. */
async function checkBidirectional(make: () => Layer, inputShape: Shape): Promise<void> {
  const turned = make()
  if (!(turned instanceof RecurrentLayer)) return
  const context = { key: key(4), dtype: 'float32', backend: await getBackend('reference') } as const
  const both = bidirectional(make() as RecurrentLayer)
  for (const layer of [turned, both]) layer.build([null, ...inputShape], context)
  turned.setWeights(both.backward.weights)
  const x = normal(key(26), [2, ...inputShape], { backend: context.backend })
  const [got, wanted] = scope(() => {
    const back = turned.call(flip(x, 1), { training: false })
    const forward = both.forward.call(x, { training: false })
    return [both.call(x, { training: false }), concat([forward, turned.returnSequences ? flip(back, 1) : back], -1)]
  })
  expect(await got.array(), 'in both directions').toEqual(await wanted.array())
  await checkMask(() => bidirectional(make() as RecurrentLayer), inputShape)
}

/** For a layer that takes a mask, masked steps behind a sequence do not change the output. */
async function checkMask(make: () => Layer, inputShape: Shape): Promise<void> {
  const layer = make()
  const backend = await getBackend('reference')
  if (inputShape.length !== 2 || !layer.supportsMasking) return
  const [steps, features] = inputShape
  const x = normal(key(24), [2, steps, features], { backend })
  const build = (steps: number | null): Layer | undefined => {
    try {
      layer.build([null, steps, features], { key: key(3), dtype: 'float32', backend })
      return layer
    } catch {
      return undefined // its weights fit one number of steps only
    }
  }
  if (!build(null)) return
  const longer = concat([x, normal(key(25), [2, 2, features], { backend })], 1)
  const counts = (n: number): Tensor =>
    tensor(
      [0, 1].map(() => Array.from({ length: n }, (_, i) => i < steps)),
      { dtype: 'bool', backend },
    )
  const run = (input: Tensor, n: number): LayerOutputs => layer.callAll([input], { training: false, masks: [counts(n)] })
  const [alone, padded] = [run(x, steps), run(longer, steps + 2)]
  const sequence = padded.masks[0] !== undefined
  const got = sequence ? padded.outputs[0].slice([0, 0, 0], [2, steps, padded.outputs[0].shape[2]]) : padded.outputs[0]
  const [a, b] = await Promise.all([got.data(), alone.outputs[0].data()])
  expect(a.length).toBe(b.length)
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i]), `masked padding, value ${i}`).toBeLessThan(1e-5)
}

/** Recorded steps of training give the weights that the program gives, bit by bit. */
export async function checkRecorded(network: () => Sequential, x: Tensor, y: Tensor, recorded = true): Promise<void> {
  const bits: string[] = []
  for (const runEagerly of [true, undefined]) {
    const model = network()
    model.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'], runEagerly })
    const { history } = await model.fit(x, y, { epochs: 2, batchSize: 2, verbose: 0 })
    const weights = await Promise.all(model.weights.map((weight) => weight.data()))
    bits.push(JSON.stringify([history, weights.map((data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'))]))
    expect(model.stepInfo.recorded, model.stepInfo.reason).toBe(runEagerly ? false : recorded)
    model.dispose()
  }
  expect(bits[1]).toBe(bits[0])
}

/** Goes through JSON, as a saved model would: undefined entries disappear. */
const saved = (config: object): never => JSON.parse(JSON.stringify(config)) as never

export async function checkLayer({
  make,
  fromConfig,
  inputShape,
  outputShape,
  weightShapes = [],
  deterministic = true,
  stateful = false,
  recorded = true,
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

  await checkPlaces({ make, fromConfig, inputShape, outputShape, weightShapes, deterministic, stateful })

  // Eight points.
  const network = (): Sequential => {
    const model = new Sequential([], { seed: 5 })
    model.add(make())
    if (!model.built) model.build([null, ...inputShape])
    if (outputShape.length > 1) model.add(flatten())
    model.add(dense(16, { activation: 'tanh' }))
    model.add(dense(1))
    return model
  }
  const points = normal(key(9), [8, ...inputShape])
  const values = normal(key(10), [8, 1])
  await checkRecorded(network, points, values, recorded)
  const model = network()
  model.compile({ optimizer: 'adam', loss: 'mse' })
  model.optimizer.learningRate = 0.02
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
