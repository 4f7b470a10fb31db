/** Layers of preprocessing: the harness, wrong data, and models of them in files. */
import { getBackend, key, tensor, uniform } from '@cotangent/core'
import { expect, test } from 'vitest'
import * as l from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

const checks: Record<string, LayerCheck> = {
  Rescaling: {
    make: () => l.rescaling([0.5, 2], { offset: 1 }),
    fromConfig: l.Rescaling.fromConfig,
    inputShape: [3, 2],
    outputShape: [3, 2],
  },
  Normalization: {
    make: () => l.normalization({ mean: [1, 2], variance: [4, 0.25] }),
    fromConfig: l.Normalization.fromConfig,
    inputShape: [3, 2],
    outputShape: [3, 2],
  },
  'Normalization to be adapted': {
    make: () => l.normalization({ axis: [1, 2], invert: true }),
    fromConfig: l.Normalization.fromConfig,
    inputShape: [3, 2],
    outputShape: [3, 2],
    weightShapes: [[3, 2], [3, 2], []],
  },
  'Normalization of all values': {
    make: () => l.normalization({ axis: null }),
    fromConfig: l.Normalization.fromConfig,
    inputShape: [4],
    outputShape: [4],
    weightShapes: [[], [], []],
  },
}
test.each(Object.entries(checks))('checkLayer: %s', (_, check) => checkLayer(check))

test('a table of numbers and categories: adapted, trained, written and read in each format', async () => {
  const x = (await uniform(key(3), [64, 3], { low: -4, high: 9 }).array()) as number[][]
  const normalized = l.normalization()
  const bins = l.discretization(4, { outputMode: 'one_hot' })
  await normalized.adapt(x)
  await bins.adapt(x.map(([first]) => first))
  const numbers = l.input({ shape: [3], name: 'numbers' })
  const first = l.input({ shape: [1], name: 'first' })
  const kind = l.input({ shape: [2], name: 'kind', dtype: 'int32' })
  const joined = l
    .concatenate()
    .apply([normalized.apply(numbers), bins.apply(first), l.categoryEncoding(5, { outputMode: 'count' }).apply(kind)])
  const model = l.model({ inputs: [numbers, first, kind], outputs: l.dense(1).apply(joined), seed: 1 })
  const data = {
    numbers: x,
    first: x.map(([value]) => [value]),
    kind: tensor(
      x.map((_, i) => [i % 5, 3]),
      { dtype: 'int32' },
    ),
  }
  model.compile({ optimizer: 'adam', loss: 'mse' })
  await model.fit(
    data,
    x.map((row) => [row[0] > 2 ? 1 : 0]),
    { epochs: 2, verbose: 0 },
  )
  const wanted = await (await model.predict(data)).array()
  for (const format of ['keras', 'h5'] as const) {
    const again = await l.modelFromBytes(await l.modelToBytes(model, { format }))
    expect(await (await again.predict(data)).array(), format).toEqual(wanted)
  }
  const { modelJson, shards } = await l.modelToTfjs(model)
  expect(await (await (await l.modelFromTfjs(modelJson, shards)).predict(data)).array()).toEqual(wanted)
  // Training moved neither the mean nor the boundaries.
  const columns = [0, 1, 2].map((j) => x.reduce((sum, row) => sum + row[j], 0) / x.length)
  for (const [j, mean] of [...(await normalized.getWeights())[0].data].entries()) expect(mean).toBeCloseTo(columns[j], 5)
})

test('adapt takes batches of any kind, and starts anew each time', async () => {
  const rows = [
    [0, 1],
    [2, 5],
    [4, 0],
    [10, 2],
  ]
  async function* batches() {
    yield tensor(rows.slice(0, 1))
    yield { shape: [2, 2], data: Float32Array.from(rows.slice(1, 3).flat()) }
    yield rows.slice(3)
  }
  const layer = l.normalization()
  layer.build([null, 2], { key: [0, 0], dtype: 'float64', backend: await getBackend('reference') })
  const sources = [() => rows, () => tensor(rows), () => [tensor(rows.slice(0, 2)), tensor(rows.slice(2))], batches]
  for (const source of sources) {
    await layer.adapt(source())
    expect((await layer.getWeights()).map(({ data }) => [...data])).toEqual([[4, 2], [14, 3.5], [0]])
  }
})

test.each<[string, () => unknown, string]>([
  [
    'the mean alone',
    () => l.normalization({ mean: 2 }),
    'Normalization: mean goes with variance. Give both, or none and call adapt(data).',
  ],
  [
    'an axis twice',
    () => new l.Sequential([l.normalization({ axis: [1, -1], inputShape: [3] })]),
    'axis [1,-1] must name axes of a sample',
  ],
  ['the axis of the samples', () => new l.Sequential([l.normalization({ axis: 0, inputShape: [3] })]), 'axis [0] must name axes'],
  [
    'adapting what was given',
    () => l.normalization({ mean: 1, variance: 2 }).adapt([[1]]),
    'mean and variance were given, so it cannot be adapted.',
  ],
  ['no samples', () => l.normalization().adapt([]), 'Normalization.adapt: data:'],
  ['text', () => l.normalization().adapt('abc' as never), 'Normalization.adapt: data: expected a tensor'],
  [
    'batches that differ',
    () => l.normalization().adapt([tensor([[1, 2]]), tensor([[1, 2, 3]])]),
    'batches have the sizes [2] and [3] on axis [-1].',
  ],
  [
    'boundaries that fall',
    () => l.discretization([2, 1]),
    'Discretization: bins must be a number of bins, or the numbers between them in rising order',
  ],
  ['adapting boundaries', () => l.discretization([1]).adapt([1, 2]), 'its boundaries were given, so it cannot be adapted.'],
  ['too few values', () => l.discretization(3).adapt([1, 2]), 'Discretization.adapt: data: there are 2 values for 3 bins.'],
  [
    'a call before adapt',
    () => l.discretization(3).call(tensor([1]), { training: false }),
    'has no boundaries yet. Call adapt(data) first.',
  ],
  [
    'a category outside',
    () => l.categoryEncoding(3).call(tensor([[1, 3]]), { training: false }),
    'number 3 (at position 1 of the input) is no category: they are whole numbers from 0 to 2.',
  ],
  [
    'weights with another mode',
    () => l.categoryEncoding(3).apply([l.input({ shape: [2] }), l.input({ shape: [2] })]),
    "weights go with outputMode: 'count', which is 'multi_hot' here.",
  ],
  ['Keras spelling', () => l.categoryEncoding(3, { output_mode: 'count' } as never), 'Did you mean "outputMode"?'],
])('refuses %s', async (_, run, message) => {
  await expect((async () => run())()).rejects.toThrow(message)
})

test('data of another width than the input', async () => {
  const layer = l.normalization()
  await layer.adapt([[1, 2]])
  expect(() => new l.Sequential([layer, l.dense(1)]).build([null, 3])).toThrow(
    'was adapted to data with the sizes [2] on axis [-1], but its input has [3].',
  )
})
