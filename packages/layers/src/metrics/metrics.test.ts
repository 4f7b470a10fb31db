/**
 * Metrics compared with the golden vectors in both arithmetics; AUC, F1 and confusion matrices with numbers worked out by hand; names and messages. One file, since
 * metrics of all kinds are tested with the same masks, weights and batches. Over 300 lines: each metric has its table of values. */
import { createReferenceBackend, expectNoLeaks, key, type Tensor, tensor, uniform } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, golden, numbers } from '../../test/arithmetic.js'
import { loadGolden } from '../../test/golden.js'
import { getLoss } from '../losses/index.js'
import {
  auc,
  confusionMatrix,
  confusionMatrixOfBatches,
  f1Score,
  getMetric,
  type Metric,
  type MetricIdentifier,
  meanMetric,
  precision,
  resolveAccuracy,
  thresholdAccuracy,
  topKAccuracy,
  topKCategoricalAccuracy,
} from './index.js'

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
    for (const id of [
      'accuracy',
      'acc',
      'mae',
      'meanAbsoluteError',
      'mean_absolute_error',
      'precision',
      'binary_accuracy',
      'auc',
      'f1_score',
    ] as const) {
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

  test('f1: macro, micro, weighted, one class; the largest of a row, or a threshold', async () => {
    const t = on([
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
    const p = on([
      [0.6, 0.3, 0.1],
      [0.5, 0.4, 0.1],
      [0.1, 0.8, 0.1],
      [0.1, 0.8, 0.1],
    ])
    // By class: 1 of (1 true, 2 predicted), 1 of (2, 2), 0 of (1, 0).
    const scores = [2 / 3, 1 / 2, 0]
    expect(await valueOf(f1Score(), [t, p])).toBeCloseTo((scores[0] + scores[1]) / 3, 6)
    expect(await valueOf(f1Score({ average: 'micro' }), [t, p])).toBeCloseTo(0.5, 6)
    expect(await valueOf(f1Score({ average: 'weighted' }), [t, p])).toBeCloseTo((scores[0] + 2 * scores[1]) / 4, 6)
    expect(await valueOf(f1Score({ class_id: 1 }), [t, p])).toBeCloseTo(0.5, 6)
    expect(await valueOf(f1Score(), [on([0, 1, 1, 2]), p]), 'class numbers').toBeCloseTo((scores[0] + scores[1]) / 3, 6)
    expect(await valueOf(f1Score({ threshold: 0.35, classId: 1 }), [t, p])).toBeCloseTo((2 * 2) / (2 + 3), 6)
    // One column: above ½.
    expect(await valueOf(getMetric('f1_score'), [on([[1], [0], [1]]), on([[0.9], [0.8], [0.2]])])).toBeCloseTo(0.5, 6)
    expect(await valueOf(f1Score({ average: 'micro' }), [on([[0, 0]]), on([[0, 0]])])).toBe(0)
    expect(() => f1Score({ average: 'none' as 'macro' })).toThrow(/f1Score: average must be 'macro', 'micro' or 'weighted'/)
    expect(() => f1Score({ average: null as unknown as 'macro' })).toThrow(/For one class give its classId/)
    await expect(valueOf(f1Score({ classId: 3 }), [t, p])).rejects.toThrow(/no class 3 among 3 columns/)
  })

  describe('auc', () => {
    const t = on([[0], [0], [1], [1]])
    const p = on([[0], [0.5], [0.3], [0.9]])
    test("the examples of tf.keras' documentation", async () => {
      expect(await valueOf(auc({ numThresholds: 3 }), [t, p])).toBeCloseTo(0.75, 6)
      // Thresholds −ε, ½, 1 + ε; precision at them 1/2, 1, 0; recall 1, 1/2, 0.
      expect(await valueOf(auc({ numThresholds: 3, curve: 'PR', summationMethod: 'minoring' }), [t, p])).toBeCloseTo(0.5 * 0.5 + 0, 6)
      expect(await valueOf(auc({ numThresholds: 3, curve: 'PR', summationMethod: 'majoring' }), [t, p])).toBeCloseTo(0.5 * 1 + 0.5 * 1, 6)
      const weighted = auc({ num_thresholds: 3 }).start()
      weighted.update(t, p, undefined, on([1, 0, 0, 1]))
      expect(await weighted.result()).toBeCloseTo(1, 6)
      weighted.dispose()
    })

    property.prop({ seed: fc.nat(1e6), size: fc.integer({ min: 2, max: 60 }) })(
      'over a grid of predictions ROC is the share of pairs in order, ties half',
      async ({ seed, size }) => {
        // Whole hundredths lie strictly between thresholds (of 0.0025) or on them on the same side.
        const scores = [...(await uniform(key(seed), [size], { backend }).data())].map((x) => Math.round(x * 100) / 100)
        const truth = [...(await uniform(key(seed + 1), [size], { backend }).data())].map((x) => Math.round(x))
        truth[0] = 0
        truth[1] = 1
        let order = 0
        let pairs = 0
        for (const [i, a] of scores.entries()) {
          for (const [j, b] of scores.entries()) {
            if (!(truth[i] === 1 && truth[j] === 0)) continue
            pairs++
            order += a > b ? 1 : a === b ? 0.5 : 0
          }
        }
        const column = (values: number[]): Tensor => on(values.map((x) => [x]))
        expect(await valueOf(auc({ numThresholds: 401 }), [column(truth), column(scores)])).toBeCloseTo(order / pairs, 5)
      },
    )

    test('the precision-recall curve, as tf.keras interpolates it', async () => {
      // Counts above the thresholds −ε, ¼, ½, ¾, 1 + ε: TP 2, 2, 1, 1, 0 and FP 2, 1, 0, 0, 0.
      const value = await valueOf(auc({ numThresholds: 5, curve: 'PR' }), [t, on([[0.1], [0.4], [0.3], [0.9]])])
      const [s1, s2] = [0, 1 / 2]
      const first = s1 * 0
      const second = s2 * (1 + (1 - s2 * 1) * Math.log(3 / 1))
      const third = 1 * (1 + 0)
      expect(value).toBeCloseTo((first + second + third) / 2, 6)
    })

    test('of one kind alone it is 0; what is not finite counts as 0', async () => {
      expect(await valueOf(auc(), [on([[1], [1]]), on([[0.2], [0.9]])])).toBe(0)
      expect(await valueOf(getMetric('auc'), [t, on([[0], [Number.NaN], [0.3], [0.9]])])).toBe(1)
      expect(() => auc({ numThresholds: 1 })).toThrow(/whole number, at least 2, got 1/)
      expect(() => auc({ curve: 'roc' as 'ROC' })).toThrow(/curve must be 'ROC', 'PR' or 'PRGAIN'/)
    })
  })

  test('counts, root mean squared error, thresholds, top k', async () => {
    const [t, p] = [on([[1], [1], [0], [0], [0]]), on([[0.9], [0.2], [0.8], [0.1], [0.4]])]
    const values = await Promise.all(
      (['truePositives', 'false_positives', 'trueNegatives', 'falseNegatives'] as const).map((id) =>
        valueOf(getMetric(id), [t, p], [t, p]),
      ),
    )
    expect(values).toEqual([2, 2, 4, 2])
    expect(await valueOf(thresholdAccuracy({ threshold: 0.15 }), [t, p])).toBeCloseTo(3 / 5, 6)
    expect(await valueOf(getMetric('rootMeanSquaredError'), [on([[1], [2]]), on([[1], [6]])])).toBeCloseTo(Math.sqrt(8), 6)
    const rows = on([
      [0.1, 0.2, 0.7],
      [0.6, 0.3, 0.1],
    ])
    expect(await valueOf(topKAccuracy({ k: 2, sparse: true }), [on([1, 2]), rows])).toBe(0.5)
    expect(topKAccuracy({ sparse: true }).name).toBe('sparse_top_k_categorical_accuracy')
    expect(() => topKAccuracy({ k: 0 })).toThrow(/k must be a whole number, at least 1, got 0/)
  })

  test('weights: as many copies of a sample as its weight says', async () => {
    const t = on([
      [1, 0],
      [0, 1],
      [1, 0],
    ])
    const p = on([
      [0.9, 0.3],
      [0.6, 0.7],
      [0.2, 0.8],
    ])
    const copies = (x: Tensor): Tensor => x.gather(tensor([0, 1, 1, 2, 2, 2], { dtype: 'int32', backend }))
    for (const id of [
      'categoricalAccuracy',
      'mse',
      'precision',
      'recall',
      'truePositives',
      'f1Score',
      'auc',
      'rootMeanSquaredError',
    ] as const) {
      const state = getMetric(id).start()
      state.update(t, p, undefined, on([1, 2, 3]))
      expect(await state.result(), id).toBeCloseTo(await valueOf(getMetric(id), [copies(t), copies(p)]), 6)
      // Beside a batch without weights, whose samples count 1 each.
      state.update(t, p)
      expect(await state.result(), `${id}, then without`).toBeCloseTo(await valueOf(getMetric(id), [copies(t), copies(p)], [t, p]), 6)
      state.dispose()
    }
  })

  test('weights and a mask together', async () => {
    const state = getMetric('mse').start()
    const [t, p] = [
      on([
        [[0], [0]],
        [[0], [0]],
      ] as never),
      on([
        [[1], [2]],
        [[3], [4]],
      ] as never),
    ]
    state.update(
      t,
      p,
      tensor(
        [
          [1, 0],
          [1, 1],
        ],
        { backend },
      ).cast('bool'),
      on([1, 2]),
    )
    expect(await state.result()).toBeCloseTo((1 + 2 * 9 + 2 * 16) / 5, 6)
    state.dispose()
  })

  test('a confusion matrix of batches, and of none', async () => {
    const confusion = confusionMatrixOfBatches(2)
    expect(await confusion.result()).toEqual([
      [0, 0],
      [0, 0],
    ])
    confusion.update(
      on([0, 1]),
      on([
        [0.2, 0.8],
        [0.2, 0.8],
      ]),
    )
    confusion.update(on([1]), on([1]), undefined, on([3]))
    expect(await confusion.result()).toEqual([
      [0, 1],
      [0, 4],
    ])
    confusion.dispose()
  })

  test('sums are freed', async () => {
    await expectNoLeaks(async () => {
      for (const id of ['accuracy', 'precision', 'mse', 'f1Score', 'auc'] as const) {
        const [t, p] = [tensor([[1], [0]]), tensor([[0.4], [0.6]])]
        await valueOf(getMetric(id, 'mse', [null, 1]), [t, p], [t, p])
        t.dispose()
        p.dispose()
      }
    })
  })
})

/** Values of Keras 3.16's AUC(curve="PRGAIN"). */
test.each([
  [[0, 0, 1, 1], [0, 0.5, 0.3, 0.9], {}, undefined, 0.25],
  [[0, 1, 1, 0, 1, 1, 0, 0], [0.1, 0.4, 0.35, 0.8, 0.9, 0.7, 0.2, 0.6], { numThresholds: 11 }, undefined, 0.25],
  [[0, 1, 1, 0, 1, 1, 0, 0], [0.1, 0.4, 0.35, 0.8, 0.9, 0.7, 0.2, 0.6], { summationMethod: 'majoring' }, undefined, 0.3888889],
  [
    [0, 1, 1, 0, 1, 1, 0, 0],
    [0.1, 0.4, 0.35, 0.8, 0.9, 0.7, 0.2, 0.6],
    { summationMethod: 'minoring' },
    [1, 2, 1, 3, 0.5, 1, 1, 2],
    -0.9179508,
  ],
  [[1, 1, 1], [0.2, 0.5, 0.9], {}, undefined, 1],
] as const)('auc, PRGAIN: %j %j %j', async (y, p, options, weights, value) => {
  const column = (row: readonly number[]): Tensor => tensor([...row]).reshape([row.length, 1])
  const state = auc({ curve: 'PRGAIN', ...options }).start()
  state.update(column(y), column(p), undefined, weights && tensor([...weights]))
  expect(await state.result()).toBeCloseTo(value, 5)
  state.dispose()
})
