/** The state of optimizers in the order of Keras 3, array by array. Source: `build` of each class in keras/src/optimizers 3.16. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  adam,
  dense,
  exponentialDecay,
  type Model,
  modelFromBytes,
  modelToBytes,
  nadam,
  resetNames,
  Sequential,
  sgd,
} from '../src/index.js'
import { restoreState } from '../src/io/optimizer-state.js'
import type { SavedArray } from '../src/io/saved-weights.js'
import { arraysOfZip } from './keras-files.js'

beforeEach(() => resetNames())

/** Two layers whose weights have equal shapes, so that only their order tells them apart. */
const stack = (): Sequential => new Sequential([dense(2, { inputShape: [2] }), dense(2)], { seed: 4 })
const x = [
  [0.5, -1],
  [2, 0.25],
]

async function trained(optimizer: Parameters<Model['compile']>[0]['optimizer'], steps = 3): Promise<Sequential> {
  const model = stack()
  model.compile({ optimizer, loss: 'mse' })
  for (let i = 0; i < steps; i++)
    await model.trainOnBatch(x, [
      [1, 2],
      [3, i],
    ])
  return model
}

const stateOf = async (model: Model): Promise<Record<string, number[]>> =>
  Object.fromEntries((await model.optimizer.getWeights()).map(({ name, data }) => [name, [...data]]))
const strict = { onWarning: (message: string) => expect.fail(message) }

/** Arrays of a file of Keras 3 by their places in `optimizer/vars`. */
const kerasState = async (model: Model): Promise<number[][]> => {
  const arrays = await arraysOfZip(await modelToBytes(model, { format: 'keras' }))
  const places = [...arrays.keys()].filter((path) => path.startsWith('optimizer/vars/'))
  return places.map((_, i) => Array.from(arrays.get(`optimizer/vars/${i}`)?.data ?? [], Number))
}

describe('as Keras 3 orders it', () => {
  test('Adam: the two slots of each weight together; with AMSGrad the largest values of all weights at the end', async () => {
    for (const amsgrad of [false, true]) {
      const model = await trained(adam({ amsgrad, learningRate: 0.25 }))
      const own = await stateOf(model)
      const pairs = [0, 1, 2, 3].flatMap((i) => [own[`m_${i}`], own[`v_${i}`]])
      const largest = amsgrad ? [0, 1, 2, 3].map((i) => own[`vhat_${i}`]) : []
      expect(await kerasState(model)).toEqual([[3], [0.25], ...pairs, ...largest])
      const again = await modelFromBytes(await modelToBytes(model, { format: 'keras' }), strict)
      expect(await stateOf(again)).toEqual(own)
    }
  })

  test("Nadam's product of momenta is the last array, and was before the slots in 3.3", async () => {
    const model = await trained(nadam())
    const own = await stateOf(model)
    const state = await kerasState(model)
    expect(state.at(-1)?.[0]).toBeCloseTo(own.mSchedule[0], 6)
    const weights = model.weights
    const slots = state.slice(2, -1).map(
      (data, i): SavedArray => ({
        name: `optimizer/vars/${i}`,
        shape: weights[Math.floor(i / 2)].shape,
        data: Float32Array.from(data),
      }),
    )
    const scalar = (value: number): SavedArray => ({ name: 'optimizer/vars/0', shape: [], data: Float32Array.of(value) })
    const [first, rate, product] = [scalar(3), scalar(0.002), scalar(0.5)]
    for (const arrays of [
      [first, rate, product, ...slots],
      [first, rate, ...slots, product],
    ]) {
      const other = await trained(nadam(), 1)
      restoreState(other, arrays, ['dense_1', 'dense_2'], true)
      expect(await stateOf(other)).toEqual({ ...own, mSchedule: [0.5] })
    }
  })

  test('averages and sums of gradients come before the slots', async () => {
    const model = await trained(sgd({ momentum: 0.5, useEma: true, gradientAccumulationSteps: 2 }))
    const own = await stateOf(model)
    const all = (slot: string): number[][] => [0, 1, 2, 3].map((i) => own[`${slot}_${i}`])
    expect((await kerasState(model)).slice(2)).toEqual([...all('average'), ...all('gradientAccumulator'), ...all('moment')])
    expect(await stateOf(await modelFromBytes(await modelToBytes(model, { format: 'keras' }), strict))).toEqual(own)
  })

  test('with a schedule no rate is kept, and the steps go on from where they were', async () => {
    const rate = exponentialDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.5 })
    for (const optimizer of [sgd({ learningRate: rate }), adam({ learningRate: rate })]) {
      const model = await trained(optimizer)
      const state = await kerasState(model)
      expect(state[0]).toEqual([3])
      expect(state).toHaveLength(optimizer.className === 'SGD' ? 1 : 9)
      const again = await modelFromBytes(await modelToBytes(model, { format: 'keras' }), strict)
      expect([again.optimizer.steps, again.optimizer.learningRate]).toEqual([3, 0.0625])
    }
  })

  test('before the first step: the counter and the rate', async () => {
    const model = await trained(adam({ learningRate: 0.25 }), 0)
    expect(await kerasState(model)).toEqual([[0], [0.25]])
    expect((await modelFromBytes(await modelToBytes(model, { format: 'keras' }), strict)).optimizer.steps).toBe(0)
  })

  test('of another optimizer: an error, and nothing changes', async () => {
    const model = await trained(adam())
    const before = await stateOf(model)
    const scalar: SavedArray = { name: 'optimizer/vars/0', shape: [], data: Float32Array.of(3) }
    expect(() => restoreState(model, [scalar, scalar, scalar], ['dense_1', 'dense_2'], true)).toThrow(
      'its 3 arrays do not fit Adam with the 4 trainable weights of the model',
    )
    expect(await stateOf(model)).toEqual(before)
  })
})
