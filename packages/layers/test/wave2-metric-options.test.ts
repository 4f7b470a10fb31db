/** Options of metrics compared with the running Keras 3.16: read from its objects, and written as it writes them. */
import { tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { places, toleranceOf } from '../../core/test/wave2.js'
import { dense, metrics, modelFromBytes, modelToBytes, Sequential } from '../src/index.js'
import type { Json, KerasObject } from '../src/io/keras-object.js'
import { readMetric } from '../src/io/read-training.js'
import { eachThreshold, metricWord } from '../src/io/training-words.js'

type Values = Readonly<Record<'value' | 'weighted', GoldenTensor>>
const golden = loadGolden<{ logits: boolean }, Record<string, GoldenTensor>, Values>('wave2/metric_options')
const { batches } = golden as unknown as { batches: Readonly<Record<'y_true' | 'y_pred' | 'logits' | 'sample_weight', GoldenTensor>> }
const cases = golden.cases as readonly ((typeof golden.cases)[number] & { keras_config: KerasObject })[]

/** The metrics that an object of Keras means. */
const madeOf = (object: unknown): metrics.Metric[] => eachThreshold(object).map((one) => metrics.getMetric(readMetric(one, {})))

test('has its cases', () => expect(cases.length).toBe(21))

describe.each(places)('options of metrics, $name', (place) => {
  const { backend, floats } = place
  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, { params, keras_config, expected }) => {
    const { atol, rtol } = toleranceOf(golden, place)
    const half = (given: GoldenTensor, second: boolean) => {
      const size = given.shape[0] / 2
      return tensorOf(given, backend, floats).slice(
        [second ? size : 0, ...given.shape.slice(1).map(() => 0)],
        [size, ...given.shape.slice(1)],
      )
    }
    for (const [kind, weights] of [['value', undefined] as const, ['weighted', batches.sample_weight] as const]) {
      const wanted = expected[kind].data
      const list = madeOf(keras_config)
      expect(list).toHaveLength(wanted.length)
      for (const [i, metric] of list.entries()) {
        const state = metric.start()
        for (const second of [false, true]) {
          const p = half(params.logits ? batches.logits : batches.y_pred, second)
          state.update(half(batches.y_true, second), p, undefined, weights && half(weights, second))
        }
        const got = await state.result()
        expect(Math.abs(got - wanted[i]), `${metric.name}: ${got} for ${wanted[i]}`).toBeLessThanOrEqual(atol + rtol * Math.abs(wanted[i]))
        state.dispose()
      }
    }
  })
})

test.each(cases.map((each) => [each.name, each] as const))('written as Keras has it: %s', (_, { keras_config }) => {
  const one = eachThreshold(keras_config)[0] as KerasObject
  const [metric] = madeOf(one)
  const word = metricWord(metric, 'mse', [null, 4], true) as KerasObject
  expect(word.class_name).toBe(keras_config.class_name)
  const plain = (config: Json): Json =>
    Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null && value !== false && value !== 0))
  const { dtype: _dtype, num_labels: _labels, axis: _axis, label_weights: weights, ...given } = one.config
  const own = plain({ ...given, label_weights: (weights as { config?: Json } | null)?.config?.value ?? null })
  const { thresholds = 0.5, ...rest } = own
  const usual = 'thresholds' in one.config && one.config.top_k === null ? { thresholds } : 'thresholds' in own ? { thresholds } : {}
  expect(plain(word.config)).toEqual({ ...rest, ...usual })
})

test('lists of thresholds are metrics of their own, in models and files; options stay in files of both kinds', async () => {
  const list = [
    ...metrics.precision({ threshold: [0.2, 0.8] }),
    metrics.recall({ topK: 1, classId: 2 }),
    metrics.auc({ multiLabel: true, labelWeights: [1, 2, 3], fromLogits: true }),
    metrics.ofLoss({ loss: 'categoricalCrossentropy', labelSmoothing: 0.1, name: 'smooth' }),
  ]
  const model = new Sequential([dense(3, { inputShape: [2] })], { seed: 1 })
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: list })
  const data = [
    tensor([
      [1, 2],
      [0, 1],
    ]),
    tensor([
      [0, 0, 1],
      [1, 0, 0],
    ]),
  ] as const
  const wanted = await model.evaluate(...data, { returnDict: true })
  expect(Object.keys(wanted)).toEqual(['loss', 'precision_0.2', 'precision_0.8', 'recall', 'auc', 'smooth'])
  for (const format of ['keras', 'h5'] as const) {
    const bytes = await modelToBytes(model, { format })
    expect(await (await modelFromBytes(bytes)).evaluate(...data, { returnDict: true })).toEqual(wanted)
  }
})

test.each<[string, () => unknown, string]>([
  ['no thresholds', () => metrics.precision({ threshold: [] }), 'precision: threshold must be a number, or a list of at least one.'],
  [
    'a class that there is not',
    () =>
      metrics
        .recall({ classId: 3 })
        .start()
        .update(tensor([[1, 0]]), tensor([[1, 0]])),
    'recall: there is no class 3 among 2 columns.',
  ],
  [
    'more than all',
    () =>
      metrics
        .recall({ topK: 3 })
        .start()
        .update(tensor([[1, 0]]), tensor([[1, 0]])),
    'recall: topK is 3, but the predictions have 2 columns.',
  ],
  [
    'weights of other labels',
    () =>
      metrics
        .auc({ labelWeights: [1] })
        .start()
        .update(tensor([[1, 0]]), tensor([[1, 0]])),
    'auc: there are 1 labelWeights for 2 columns',
  ],
  [
    'labels of steps',
    () =>
      metrics
        .auc({ multiLabel: true })
        .start()
        .update(tensor([1, 0]), tensor([1, 0])),
    'auc: with multiLabel the predictions are [n, labels], got [2].',
  ],
  ['negative weights', () => metrics.auc({ labelWeights: [-1] }), 'auc: labelWeights[0] must be a number'],
])('refuses %s', (_, run, message) => expect(run).toThrow(message))
