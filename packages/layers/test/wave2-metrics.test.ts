/** Metrics of Keras 3 compared with golden vectors, fed batch by batch. */
import { describe, expect, test } from 'vitest'
import { type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { places, toleranceOf } from '../../core/test/wave2.js'
import { metrics } from '../src/index.js'
import { lossOf } from '../src/io/training-words.js'

interface Batch {
  readonly y_true: GoldenTensor
  readonly y_pred: GoldenTensor
  readonly sample_weight?: GoldenTensor | null
  readonly mask?: GoldenTensor
}
const golden = loadGolden<Record<string, unknown>, { readonly batches: readonly Batch[] }, { readonly value: GoldenTensor }>(
  'wave2/metrics',
)
const masks = loadGolden<Record<string, unknown>, Batch, { readonly value: GoldenTensor }>('wave2/masks')

const ours: Readonly<Record<string, string>> = { IoU: 'iou', LogCoshError: 'LogCosh' }
/** The metric of a case. Scores of all classes are no one number: then they are asked for one by one. */
function made({ metric, ...options }: Record<string, unknown>, classId: number): metrics.Metric {
  const name = ours[metric as string] ?? (metric as string)
  const loss = lossOf(name)
  if (loss) return metrics.ofLoss({ loss, ...(loss === 'binaryCrossentropy' && { form: '3' }), ...options })
  const single = Object.entries(options).filter(([key, value]) => !(['average', 'classAggregation'].includes(key) && value === null))
  const config = { ...Object.fromEntries(single), ...(single.length < Object.keys(options).length && { classId }) }
  return metrics.getMetric({ className: name, config })
}

describe.each(places)('golden metrics of Keras 3, $name', (place) => {
  const { backend, floats } = place
  const make = (given: GoldenTensor) => tensorOf(given, backend, floats).cast(floats)
  test.each(golden.cases.map((each) => [each.name, each] as const))('%s', async (_, { params, inputs, expected }) => {
    const { atol, rtol } = toleranceOf(golden, place)
    for (const [i, wanted] of expected.value.data.entries()) {
      const state = made(params, i).start()
      for (const { y_true, y_pred, sample_weight } of inputs.batches)
        state.update(make(y_true), make(y_pred), undefined, sample_weight ? make(sample_weight) : undefined)
      expect(Math.abs((await state.result()) - wanted), `${await state.result()} for ${wanted}`).toBeLessThanOrEqual(
        atol + rtol * Math.abs(wanted),
      )
      state.dispose()
    }
  })
  test('under a mask', async () => {
    const cases = masks.cases.filter(({ params }) => params.metric)
    expect(cases).toHaveLength(1)
    const [{ params, inputs, expected }] = cases
    const state = metrics.getMetric(params.metric as 'acc').start()
    state.update(make(inputs.y_true), make(inputs.y_pred), inputs.mask && tensorOf(inputs.mask, backend, floats))
    expect(await state.result()).toBeCloseTo(expected.value.data[0], 6)
    state.dispose()
  })
})

test('a function in metrics is a mean over its values, named after it', async () => {
  const metric = metrics.getMetric(function ranks(t, p) {
    return p.sub(t).abs()
  })
  expect(metric.name).toBe('ranks')
})
test('wrong options are named', () => {
  expect(() => metrics.meanIoU({} as never)).toThrow(/meanIoU: numClasses is missing. Write metrics.meanIoU\(\{ numClasses: 3 \}\)/)
  expect(() => metrics.iou({ numClasses: 2, targetClassIds: [2] })).toThrow(/iou: there is no class 2 among 2/)
  expect(() => metrics.recallAtPrecision({} as never)).toThrow(/recallAtPrecision: precision is missing/)
  expect(() => metrics.r2Score({ classAggregation: null as never })).toThrow(/For one column give its classId/)
  expect(() => metrics.ofLoss({ loss: 'mse', delta: 2 } as never)).toThrow(/meanSquaredError: there is no option "delta"/)
})
