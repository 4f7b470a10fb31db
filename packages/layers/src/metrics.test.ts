import { createReferenceBackend, expectNoLeaks, key, type Tensor, tensor, uniform } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, golden, numbers } from '../test/arithmetic.js'
import { loadGolden } from '../test/golden.js'
import { getLoss } from './losses.js'
import {
  confusionMatrix,
  getMetric,
  type Metric,
  type MetricIdentifier,
  meanMetric,
  precision,
  resolveAccuracy,
  topKCategoricalAccuracy,
} from './metrics.js'

async function valueOf(metric: Metric, ...batches: [Tensor, Tensor][]): Promise<number> {
  const state = metric.start()
  for (const [t, p] of batches) state.update(t, p)
  const value = await state.result()
  state.dispose()
  return value
}

describe.each(arithmetics)('golden metrics, $name', (arithmetic) => {
  loadGolden('metrics.json').forEach(({ name, params, inputs, expected }, index) => {
    test(`${name} ${index}`, async () => {
      const t = golden(inputs.y_true, arithmetic)
      if (name === 'confusion_matrix') {
        const classes = (expected.matrix as { shape: number[] }).shape[0]
        const matrix = confusionMatrix(t, golden(inputs.y_pred_classes, arithmetic), classes)
        expect([...(await matrix.data())]).toEqual(numbers(expected.matrix))
        return
      }
      const p = golden(inputs.y_pred, arithmetic)
      const metric =
        params.k === undefined
          ? getMetric(name as MetricIdentifier)
          : meanMetric(name, (a, b) => topKCategoricalAccuracy(a, b, params.k as number))
      expectClose(name, [await valueOf(metric, [t, p])], [expected.value as number], arithmetic)
      // The same in two batches.
      const at = Math.floor(t.shape[0] / 3)
      const parts = ([from, size]: [number, number]): [Tensor, Tensor] => [t.slice([from], [size]), p.slice([from], [size])]
      expectClose(name, [await valueOf(metric, parts([0, at]), parts([at, -1]))], [expected.value as number], arithmetic)
    })
  })
})

const backend = createReferenceBackend()
const on = (values: number[] | number[][]): Tensor => tensor(values, { backend })

describe('metrics', () => {
  test('accuracy is resolved by loss and output', () => {
    expect(resolveAccuracy('meanSquaredError', [null, 1])).toBe('binaryAccuracy')
    expect(resolveAccuracy('binaryCrossentropy', [null, 10])).toBe('binaryAccuracy')
    expect(resolveAccuracy('sparseCategoricalCrossentropy', [null, 10])).toBe('sparseCategoricalAccuracy')
    expect(resolveAccuracy('categoricalCrossentropy', [null, 10])).toBe('categoricalAccuracy')
    expect(resolveAccuracy(undefined, [null, 5, 3])).toBe('categoricalAccuracy')
  })

  test("'accuracy' of a sigmoid vector under binary crossentropy is element by element", async () => {
    const accuracy = getMetric('accuracy', getLoss('binary_crossentropy'), [null, 4])
    expect(await valueOf(accuracy, [on([[1, 0, 0, 0]]), on([[0.2, 0.1, 0.3, 0.4]])])).toBe(0.75)
  })

  test('a metric by name keeps the name as typed', () => {
    for (const id of ['accuracy', 'acc', 'mae', 'meanAbsoluteError', 'mean_absolute_error', 'precision', 'binary_accuracy'] as const) {
      expect(getMetric(id).name).toBe(id)
    }
    expect(precision({ name: 'p9', threshold: 0.9 }).name).toBe('p9')
    expect(
      getMetric(function top1(t, p) {
        return topKCategoricalAccuracy(t, p, 1)
      }).name,
    ).toBe('top1')
    expect(() => getMetric('acuracy' as 'accuracy')).toThrow(/no metric "acuracy"\. Did you mean "accuracy"\?/)
  })

  test('losses as metrics; cosine with the positive sign', async () => {
    expect(await valueOf(getMetric('mae'), [on([[1], [2]]), on([[2], [4]])])).toBe(1.5)
    expect(await valueOf(getMetric('cosine'), [on([[1, 0]]), on([[2, 0]])])).toBe(1)
    expect(await valueOf(getMetric('ce', 'categoricalCrossentropy', [null, 2]), [on([[1, 0]]), on([[0.5, 0.5]])])).toBeCloseTo(Math.LN2, 6)
  })

  test('labels of shape [n, 1] count as class numbers, and deeper outputs are averaged', async () => {
    const accuracy = getMetric('accuracy', 'sparseCategoricalCrossentropy', [null, 3])
    const p = on([
      [0.1, 0.8, 0.1],
      [0.6, 0.2, 0.2],
    ])
    expect(await valueOf(accuracy, [on([[1], [2]]), p])).toBe(0.5)
    expect(
      await valueOf(getMetric('categorical_accuracy'), [
        on([
          [0, 1, 0],
          [0, 1, 0],
        ]).reshape([1, 2, 3]),
        p.reshape([1, 2, 3]),
      ]),
    ).toBe(0.5)
  })

  test('top k counts ties in and what is not finite out', async () => {
    const top = (k: number, p: number[]) =>
      valueOf(
        meanMetric('top', (a, b) => topKCategoricalAccuracy(a, b, k)),
        [on([[0, 1, 0]]), on([p])],
      )
    expect(await top(1, [0.5, 0.5, 0.1])).toBe(1)
    expect(await top(1, [0.6, 0.5, 0.1])).toBe(0)
    expect(await top(2, [0.6, 0.5, 0.1])).toBe(1)
    expect(await top(3, [0.6, Number.NaN, 0.1])).toBe(0)
  })

  test('precision and recall of nothing are 0; before any batch a metric is NaN', async () => {
    for (const id of ['precision', 'recall'] as const) expect(await valueOf(getMetric(id), [on([[0]]), on([[0.1]])])).toBe(0)
    expect(await valueOf(getMetric('mae'))).toBeNaN()
  })

  test('confusion matrix of scores, and of what does not fit', async () => {
    const matrix = confusionMatrix(
      on([0, 1, 1]),
      on([
        [0.9, 0.1],
        [0.2, 0.8],
        [0.7, 0.3],
      ]),
      2,
    )
    expect(await matrix.array()).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(() => confusionMatrix(on([[1, 2, 3]]), on([0]), 2)).toThrow(/class numbers \[n\] or rows \[n, 2\]/)
  })

  property.prop({ seed: fc.nat(1e6), cut: fc.integer({ min: 1, max: 19 }) })('batches do not matter', async ({ seed, cut }) => {
    const t = uniform(key(seed), [20, 1], { backend }).round()
    const p = uniform(key(seed + 1), [20, 1], { backend })
    for (const id of ['accuracy', 'precision', 'recall'] as const) {
      const metric = getMetric(id, 'binaryCrossentropy', [null, 1])
      const halves = [0, cut].map((from, i): [Tensor, Tensor] => [t.slice([from], [i ? -1 : cut]), p.slice([from], [i ? -1 : cut])])
      expect(await valueOf(metric, ...halves)).toBeCloseTo(await valueOf(metric, [t, p]), 6)
    }
  })

  test('sums are freed', async () => {
    await expectNoLeaks(async () => {
      for (const id of ['accuracy', 'precision', 'mse'] as const) {
        const [t, p] = [tensor([[1], [0]]), tensor([[0.4], [0.6]])]
        await valueOf(getMetric(id, 'mse', [null, 1]), [t, p], [t, p])
        t.dispose()
        p.dispose()
      }
    })
  })
})
