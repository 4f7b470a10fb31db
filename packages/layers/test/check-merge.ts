/**
 * The harness of layers with several inputs: shapes; config and weights make an equal layer; derivatives by inputs and weights; training in a graph.
 */
import {
  concat,
  expectNoLeaks,
  getBackend,
  gradCheck,
  key,
  normal,
  type Parameter,
  type Shape,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@cotangent/core'
import { expect } from 'vitest'
import { Dot, dense, flatten, input, type Layer, model } from '../src/index.js'

export interface MergeCheck {
  make: () => Layer
  fromConfig: (config: never) => Layer
  /** Shapes of one sample. */
  inputShapes: readonly Shape[]
  outputShape: Shape
  weightShapes?: readonly Shape[]
}

const saved = (config: object): never => JSON.parse(JSON.stringify(config)) as never

export async function checkMerge({ make, fromConfig, inputShapes, outputShape, weightShapes = [] }: MergeCheck): Promise<void> {
  const reference = await getBackend('reference')
  const shapes = inputShapes.map((shape) => [null, ...shape])
  const layer = make()
  expect(layer.outputShapes(shapes)).toEqual([[null, ...outputShape]])
  const context = { key: key(3), dtype: 'float64', backend: reference } as const
  layer.buildAll(shapes, context)
  expect(layer.weights.map((w) => w.shape)).toEqual(weightShapes)
  const xs = inputShapes.map((shape, i) => normal(key(i), [3, ...shape], { backend: reference, dtype: 'float64' }).keep())
  const masks = xs.map(() => undefined)
  const run = (l: Layer, inputs: readonly Tensor[]): Tensor => scope(() => l.callAll(inputs, { training: false, masks }).outputs[0])
  const y = run(layer, xs)
  expect(y.shape).toEqual([3, ...outputShape])

  const copy = fromConfig(saved(layer.getConfig()))
  copy.buildAll(shapes, context)
  copy.setWeights(layer.weights)
  expect(copy.getConfig()).toEqual(layer.getConfig())
  expect(await run(copy, xs).array()).toEqual(await y.array())

  await gradCheck((...inputs) => run(layer, inputs).mul(y).sum(), xs)
  for (const weight of layer.weights) await checkWeight(weight, () => run(layer, xs).mul(y).sum())

  const inputs = inputShapes.map((shape) => input({ shape }))
  const hidden = inputs.map((x, i) => dense(inputShapes[i].at(-1) as number).apply(x))
  const merged = make().apply(hidden)
  const graph = model({ inputs, outputs: dense(1).apply(outputShape.length > 1 ? flatten().apply(merged) : merged), seed: 5 })
  graph.compile({ optimizer: 'adam', loss: 'mse' })
  graph.optimizer.learningRate = 0.02
  const data = inputShapes.map((shape, i) => normal(key(20 + i), [8, ...shape]))
  const targets = normal(key(30), [8, 1])
  const [first] = await graph.evaluate(data, targets)
  await graph.fit(data, targets, { epochs: 1, batchSize: 8, verbose: 0 })
  await expectNoLeaks(async () => {
    await graph.fit(data, targets, { epochs: 120, batchSize: 8, verbose: 0 })
  })
  expect((await graph.evaluate(data, targets))[0], 'loss after 120 steps').toBeLessThan(first * 0.5)
  for (const t of [...data, targets, ...xs, y]) t.dispose()
  for (const l of [layer, copy, graph]) l.dispose()
  await checkFrozen(make, inputShapes)
  await checkMask(make, inputShapes)
}

/** In a frozen model its weights stay. In a free one they change. */
async function checkFrozen(make: () => Layer, inputShapes: readonly Shape[]): Promise<void> {
  const inputs = inputShapes.map((shape) => input({ shape }))
  const body = model({ inputs, outputs: make().apply(inputs), seed: 6 })
  const outer = inputShapes.map((shape) => input({ shape }))
  const merged = body.apply(outer)
  const whole = model({ inputs: outer, outputs: dense(1).apply(merged.shape.length > 2 ? flatten().apply(merged) : merged), seed: 7 })
  const data = inputShapes.map((shape, i) => normal(key(40 + i), [4, ...shape]))
  const before = await body.getWeights()
  for (const trainable of [false, true]) {
    body.trainable = trainable
    whole.compile({ optimizer: 'sgd', loss: 'mse' })
    await whole.fit(data, normal(key(50), [4, 1]), { batchSize: 4, verbose: 0 })
    if (trainable && before.length > 0) expect(await body.getWeights(), 'free').not.toEqual(before)
    else expect(await body.getWeights(), 'frozen').toEqual(before)
  }
}

/** Masked steps behind the sequences do not change the steps of the output that count. */
async function checkMask(make: () => Layer, inputShapes: readonly Shape[]): Promise<void> {
  const layer = make()
  // Dot multiplies along any axis, steps included. In Keras it ignores masks.
  if (layer instanceof Dot) return
  if (!layer.supportsMasking || inputShapes.some((shape) => shape.length !== 2)) return
  const backend = await getBackend('reference')
  layer.buildAll(
    inputShapes.map(([, features]) => [null, null, features]),
    { key: key(3), dtype: 'float32', backend },
  )
  const alone = inputShapes.map((shape, i) => normal(key(60 + i), [2, ...shape], { backend }))
  const longer = alone.map((x, i) => concat([x, normal(key(70 + i), [2, 2, x.shape[2]], { backend })], 1))
  /** The rows of the output that its mask counts; all if it has no mask. */
  const counted = async (xs: readonly Tensor[]): Promise<number[]> => {
    const masks = xs.map((x, i) =>
      tensor(
        [0, 1].map(() => Array.from({ length: x.shape[1] }, (_, step) => step < inputShapes[i][0])),
        { dtype: 'bool', backend },
      ),
    )
    const { outputs, masks: after } = layer.callAll(xs, { training: false, masks })
    const rows = ((await outputs[0].array()) as unknown[][]).map((sample) => sample.map((row) => [row].flat() as number[]))
    const counts = (await after[0]?.array()) as number[][] | undefined
    return rows.flatMap((sample, n) => sample.filter((_, step) => counts?.[n][step] ?? true)).flat()
  }
  const [got, wanted] = [await counted(longer), await counted(alone)]
  expect(got.length, 'values that count').toBe(wanted.length)
  for (const [i, v] of wanted.entries()) expect(Math.abs(got[i] - v), `masked padding, value ${i}`).toBeLessThan(1e-5)
}

/** The derivative by the first few elements of a weight, against central differences in float64. */
async function checkWeight(weight: Parameter, objective: () => Tensor): Promise<void> {
  const grad = await valueAndGrad([weight], objective).grads[0].data()
  const values = await weight.data()
  const at = async (i: number, step: number): Promise<number> => {
    const moved = Float64Array.from(values, (v, j) => (j === i ? v + step : v))
    scope(() => weight.assign(tensor(moved, { shape: weight.shape, dtype: 'float64', backend: weight.backend })))
    const result = objective()
    const value = await result.item()
    result.dispose()
    return value
  }
  for (let i = 0; i < Math.min(5, values.length); i++) {
    const expected = ((await at(i, 1e-5)) - (await at(i, -1e-5))) / 2e-5
    expect(Math.abs(grad[i] - expected), `${weight.name}[${i}]`).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)))
  }
  await at(-1, 0)
}
