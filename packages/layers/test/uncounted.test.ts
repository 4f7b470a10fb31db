/**
 * Values that do not count (masked steps, samples and steps of weight 0) may be anything, also NaN and ∞. Values and gradients of the rest are the same, bit by
 * bit, as with ordinary numbers in their place.
 */
import { grad, type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { dense, losses, masking, metrics, Sequential, timeDistributed } from '../src/index.js'
import { arithmetics } from './arithmetic.js'

const own = (t: Tensor, p: Tensor) => p.log().sub(t).square()
const junk = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
const { getLoss, lossNames } = losses

/** [2, 3, 2], of which the steps [0, 2] and [1, 1] do not count and hold `value`. */
const holding = (value: number, base: readonly number[]): number[] => base.map((x, i) => ([2, 4].includes(i >> 1) ? value : x))
const predictions = [0.3, 0.7, 0.6, 0.4, 0.5, 0.5, 0.9, 0.1, 0.2, 0.8, 0.45, 0.55]
const oneHot = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
const counts = [1, 1, 0, 1, 0, 1]

describe.each(arithmetics)('$name', ({ dtype, backend }) => {
  const on = { dtype, backend }
  const steps = (values: readonly number[]) => tensor(Float64Array.from(values), { ...on, shape: [2, 3, 2] })
  const labels = (value: number) => tensor(Float64Array.from([0, 1, value, 0, value, 1]), { ...on, shape: [2, 3] })
  const mask = () => tensor(Float64Array.from(counts), { ...on, shape: [2, 3] }).cast('bool')
  const weights = () =>
    tensor(
      Float64Array.from(counts, (c) => 2.5 * c),
      { ...on, shape: [2, 3] },
    )

  // In these, samples or steps meet others.
  const single = lossNames.filter((name) => !['dice', 'tversky', 'circle', 'ctc'].includes(name))
  test.each([...single, 'own'] as const)('%s: its value and gradient', async (name) => {
    const loss = name === 'own' ? getLoss(own) : getLoss(name)
    const targets = (value: number): Tensor => (loss.sparse ? labels(value) : steps(holding(value, oneHot)))
    for (const call of [loss.call, ...(loss.fromLogits ? [loss.fromLogits.call] : [])]) {
      for (const factors of [mask, weights]) {
        const of = async (t: number, p: number): Promise<number[]> => {
          const [y, x] = [targets(t), steps(holding(p, predictions))]
          const value = call(y, x, factors())
          const [slope] = [grad((z: Tensor) => call(y, z, factors()).sum())(x)]
          return [...(await value.data()), ...(await slope.data())]
        }
        const want = await of(0, 0.5)
        expect(want.every(Number.isFinite)).toBe(true)
        for (const bad of junk) {
          expect(await of(bad, 0.5)).toEqual(want)
          expect(await of(0, bad)).toEqual(want)
        }
      }
    }
  })

  const made = {
    precision: metrics.precision(),
    recall: metrics.recall(),
    truePositives: metrics.truePositives(),
    falseNegatives: metrics.falseNegatives(),
    trueNegatives: metrics.trueNegatives(),
    f1Score: metrics.f1Score(),
    auc: metrics.auc(),
    own: metrics.getMetric(own),
    mse: metrics.getMetric('mse'),
    categoricalAccuracy: metrics.getMetric('categoricalAccuracy'),
    topK: metrics.topKAccuracy({ k: 1 }),
  }
  test.each(Object.entries(made))('metric %s', async (_, metric) => {
    for (const factors of [{ mask: mask() }, { weights: weights() }, { mask: mask(), weights: weights() }]) {
      const of = async (t: number, p: number): Promise<number> => {
        const state = metric.start()
        state.update(steps(holding(t, oneHot)), steps(holding(p, predictions)), factors.mask, factors.weights)
        return state.result()
      }
      const want = await of(0, 0.5)
      expect(Number.isFinite(want)).toBe(true)
      for (const bad of junk) {
        expect(await of(bad, 0.5)).toBe(want)
        expect(await of(0, bad)).toBe(want)
      }
    }
  })
})

describe('models', () => {
  const x = [
    [[1], [2], [9]],
    [[3], [9], [4]],
  ]
  const net = () => {
    const model = new Sequential([masking({ maskValue: 9, inputShape: [3, 1] }), timeDistributed(dense(1)), dense(1)], { seed: 5 })
    model.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae', own], weightedMetrics: ['mse'] })
    return model
  }
  const weightsOf = async (model: Sequential) => (await model.getWeights()).map(({ data }) => [...data])

  test('a NaN target of a sample of weight 0 changes nothing in fit and evaluate', async () => {
    const run = async (missing: number) => {
      const model = new Sequential([dense(2, { inputShape: [1], activation: 'tanh' }), dense(1)], { seed: 5 })
      model.compile({ optimizer: 'adam', loss: 'mse', weightedMetrics: ['mae'] })
      const y = [[1], [missing], [2]]
      const sampleWeight = [1, 0, 2]
      const { history } = await model.fit([[1], [2], [3]], y, { sampleWeight, epochs: 3, batchSize: 2, verbose: 0 })
      return { history, values: await model.evaluate([[1], [2], [3]], y, { sampleWeight }), weights: await weightsOf(model) }
    }
    const want = await run(0)
    expect(want.values.every(Number.isFinite)).toBe(true)
    expect(await run(Number.NaN)).toEqual(want)
  })

  test('a NaN target at a masked step, or at a step of weight 0', async () => {
    const run = async (missing: number, sampleWeight?: number[][]) => {
      const model = net()
      const y = [
        [[1], [2], [missing]],
        [[0], [missing], [2]],
      ]
      const data = sampleWeight ? x.map((rows) => rows.map(() => [1.5])) : x
      const { history } = await model.fit(data, y, { epochs: 3, verbose: 0, sampleWeight })
      return { loss: history.loss, mse: history.mse, weights: await weightsOf(model) }
    }
    const steps = [
      [1, 1, 0],
      [1, 0, 1],
    ]
    for (const sampleWeight of [undefined, steps]) {
      const want = await run(0, sampleWeight)
      expect(want.loss.every(Number.isFinite)).toBe(true)
      expect(await run(Number.NaN, sampleWeight)).toEqual(want)
    }
  })
})
