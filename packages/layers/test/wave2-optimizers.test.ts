/** Optimizers and schedules of Keras 3 compared with golden vectors: weights after each step, running means, and the order of their states in files. */
import { Parameter } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { places, toleranceOf } from '../../core/test/wave2.js'
import { getOptimizer } from '../src/index.js'
import { togetherState } from '../src/io/optimizer-state.js'
import type { SavedArray } from '../src/io/saved-weights.js'
import { getSchedule } from '../src/optimizers/schedules.js'

type Pair = { readonly kernel: GoldenTensor; readonly bias: GoldenTensor }
type Inputs = Pair & { readonly gradients: readonly Pair[] }
interface Expected {
  readonly steps: readonly Pair[]
  readonly averages?: readonly GoldenTensor[]
  readonly keras_state: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

const optimizers = loadGolden<Record<string, unknown>, Inputs, Expected>('wave2/optimizers')

describe.each(places)('golden optimizers of Keras 3, $name', (place) => {
  const { backend, floats } = place
  const tolerance = toleranceOf(optimizers, place)
  test.each(optimizers.cases.map((each) => [each.name, each] as const))('%s', async (_, { params, inputs, expected }) => {
    const { optimizer: className, ...config } = params
    const optimizer = getOptimizer({ className: className as string, config: { variant: 'keras3', ...config } })
    const weights = (['kernel', 'bias'] as const).map((name) => new Parameter(tensorOf(inputs[name], backend, floats), { name }))
    for (const [i, step] of expected.steps.entries()) {
      const { kernel, bias } = inputs.gradients[i]
      optimizer.step(
        weights,
        [kernel, bias].map((g) => tensorOf(g, backend, floats)),
      )
      await expectClose(weights[0], step.kernel, tolerance, `kernel after step ${i}`)
      await expectClose(weights[1], step.bias, tolerance, `bias after step ${i}`)
    }
    const state = togetherState(optimizer, (await optimizer.getWeights()) as SavedArray[], weights)
    expect(state.map(({ shape }) => shape)).toEqual(expected.keras_state.map(({ shape }) => shape))
    if (expected.averages) {
      optimizer.finalizeWeights(weights)
      for (const [i, average] of expected.averages.entries()) await expectClose(weights[i], average, tolerance, `average ${i}`)
    }
    for (const w of weights) w.dispose()
    optimizer.dispose()
  })
})

describe('golden schedules of Keras 3', () => {
  const schedules = loadGolden<Record<string, unknown>, { steps: readonly number[] }, { rates: readonly number[] }>('wave2/schedules')
  test.each(schedules.cases.map((each) => [each.name, each] as const))('%s', (_, { params, inputs, expected }) => {
    const { schedule: className, ...config } = params
    const schedule = getSchedule({ className: className as string, config })
    for (const [i, step] of inputs.steps.entries()) expect(schedule.at(step), `step ${step}`).toBeCloseTo(expected.rates[i], 9)
    expect(getSchedule({ className: className as string, config: schedule.getConfig() }).getConfig()).toEqual(schedule.getConfig())
  })
})
