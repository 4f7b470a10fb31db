/** Learning-rate schedules: rates by Keras 3's formulas, schedules in optimizers and files, messages. */
import { Parameter, type Tensor, tensor } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { float64 } from '../../test/arithmetic.js'
import { savedForm } from '../spelling/names.js'
import {
  adam,
  cosineDecay,
  exponentialDecay,
  getOptimizer,
  inverseTimeDecay,
  LearningRateSchedule,
  piecewiseConstantDecay,
  polynomialDecay,
  sgd,
} from './index.js'

const { backend } = float64
const parameter = (...values: number[]): Parameter => new Parameter(tensor(values, { dtype: 'float64', backend }), { name: 'w' })
const ones = (): Tensor[] => [tensor([1], { dtype: 'float64', backend })]

/** Rates written down from the formulas of Keras 3's documentation. */
const rates: [string, LearningRateSchedule, [step: number, rate: number][]][] = [
  [
    'exponential',
    exponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 }),
    [
      [0, 0.1],
      [5, 0.1 * Math.SQRT1_2],
      [10, 0.05],
      [30, 0.0125],
    ],
  ],
  [
    'exponential, by stairs',
    exponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5, staircase: true }),
    [
      [9, 0.1],
      [10, 0.05],
      [19, 0.05],
    ],
  ],
  [
    'inverse time',
    inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 }),
    [
      [0, 0.1],
      [10, 0.1 / 1.5],
      [20, 0.05],
      [25, 0.1 / 2.25],
    ],
  ],
  [
    'inverse time, by stairs',
    inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5, staircase: true }),
    [
      [9, 0.1],
      [25, 0.05],
    ],
  ],
  [
    'polynomial',
    polynomialDecay({ initialLearningRate: 0.1, decaySteps: 10 }),
    [
      [0, 0.1],
      [5, 0.05005],
      [10, 1e-4],
      [99, 1e-4],
    ],
  ],
  [
    'polynomial, a root',
    polynomialDecay({ initialLearningRate: 0.1, decaySteps: 100, endLearningRate: 0.01, power: 0.5 }),
    [[75, 0.09 * 0.5 + 0.01]],
  ],
  [
    'polynomial, again',
    polynomialDecay({ initialLearningRate: 0.1, decaySteps: 10, endLearningRate: 0, cycle: true }),
    [
      [0, 0.1],
      [5, 0.05],
      [10, 0],
      [15, 0.025],
      [20, 0],
      [25, 0.1 / 6],
    ],
  ],
  [
    'piecewise',
    piecewiseConstantDecay({ boundaries: [100, 110], values: [1, 0.5, 0.1] }),
    [
      [0, 1],
      [100, 1],
      [101, 0.5],
      [110, 0.5],
      [111, 0.1],
    ],
  ],
  [
    'cosine',
    cosineDecay({ initialLearningRate: 0.1, decaySteps: 100 }),
    [
      [0, 0.1],
      [50, 0.05],
      [100, 0],
      [200, 0],
    ],
  ],
  [
    'cosine to a tenth',
    cosineDecay({ initialLearningRate: 0.1, decaySteps: 100, alpha: 0.1 }),
    [
      [50, 0.055],
      [100, 0.01],
      [200, 0.01],
    ],
  ],
  [
    'cosine after a warm-up',
    cosineDecay({ initialLearningRate: 0, decaySteps: 100, warmupTarget: 0.2, warmupSteps: 10 }),
    [
      [0, 0],
      [5, 0.1],
      [10, 0.2],
      [60, 0.1],
      [110, 0],
    ],
  ],
]

describe('schedules', () => {
  test.each(rates)('%s', (_, schedule, expected) => {
    for (const [step, rate] of expected) expect(schedule.at(step), `step ${step}`).toBeCloseTo(rate, 14)
  })

  test.each(rates)('%s: comes back with an optimizer that is saved', (_, schedule) => {
    const saved = JSON.parse(JSON.stringify(savedForm(adam({ learningRate: schedule }))))
    expect(saved.config.learningRate.className).toBe(schedule.className)
    expect(getOptimizer(saved).getConfig()).toEqual(adam({ learningRate: schedule }).getConfig())
  })

  test("Keras' own saved form, with its spellings and a name", () => {
    const optimizer = getOptimizer({
      class_name: 'Adam',
      config: {
        name: 'Adam',
        learning_rate: {
          module: 'keras.optimizers.schedules',
          class_name: 'CosineDecay',
          config: { name: 'CosineDecay', initial_learning_rate: 0.5, decay_steps: 10, alpha: 0, warmup_target: null, warmup_steps: 0 },
          registered_name: null,
        },
      },
    } as never)
    expect(optimizer.learningRate).toBe(0.5)
  })

  property.prop({ step: fc.nat(500), alpha: fc.double({ min: 0, max: 1, noNaN: true }) })(
    'cosine stays between its ends',
    ({ step, alpha }) => {
      const rate = cosineDecay({ initialLearningRate: 0.3, decaySteps: 200, alpha }).at(step)
      expect(rate).toBeLessThanOrEqual(0.3)
      expect(rate).toBeGreaterThanOrEqual(0.3 * alpha - 1e-12)
    },
  )

  test('the optimizer takes the rate of each step, and the decay of Keras 2 comes on top', async () => {
    const w = parameter(0)
    const optimizer = sgd({ learningRate: piecewiseConstantDecay({ boundaries: [0, 1], values: [1, 10, 100] }), decay: 1 })
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      seen.push(optimizer.learningRate)
      optimizer.step([w], ones())
    }
    expect(seen).toEqual([1, 10, 100])
    expect((await w.data())[0]).toBeCloseTo(-(1 + 10 / 2 + 100 / 3), 12)
  })

  test('a schedule of one’s own; a rate that follows one cannot be set, but replaced', () => {
    class Half extends LearningRateSchedule {
      override readonly className = 'Half'
      override at(step: number): number {
        return 0.5 ** step
      }
      override getConfig(): Record<string, unknown> {
        return {}
      }
    }
    const optimizer = sgd({ learningRate: new Half() })
    expect(() => {
      optimizer.learningRate = 0.1
    }).toThrow(/SGD: the learning rate follows Half and cannot be set to 0\.1\. .*ReduceLROnPlateau/)
    expect(optimizer.learningRate).toBe(1)
    const plain = sgd()
    plain.learningRate = 0.25
    expect(plain.learningRate).toBe(0.25)
    expect(() => {
      plain.learningRate = Number.NaN
    }).toThrow(/learningRate must be a number, at least 0, got NaN/)
  })

  test('mistakes are named', () => {
    expect(() => exponentialDecay({ initialLearningRate: 1, decaySteps: 10 } as never)).toThrow(/exponentialDecay: decayRate is missing/)
    expect(() => exponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 })).toThrow(
      /decaySteps must be a number above 0, got 0/,
    )
    expect(() => cosineDecay({ initialLearningRate: 1, decaySteps: 10, warmUpSteps: 3 } as never)).toThrow(/Did you mean "warmupSteps"/)
    expect(() => cosineDecay({ initialLearningRate: 1, decaySteps: 10, warmupSteps: 3 })).toThrow(/needs a warmupTarget/)
    expect(() => piecewiseConstantDecay({ boundaries: [1, 2], values: [1, 2] })).toThrow(/values one longer than boundaries/)
    expect(() => piecewiseConstantDecay({ boundaries: [2, 2], values: [1, 2, 3] })).toThrow(/must ascend, but 2 follows 2/)
    expect(() => polynomialDecay({ initialLearningRate: Number.NaN, decaySteps: 1 })).toThrow(
      /initialLearningRate must be a number, at least 0, got NaN/,
    )
    expect(() => getOptimizer({ className: 'SGD', config: { learningRate: { className: 'ExponentialDekay' } } })).toThrow(
      /no learning-rate schedule "ExponentialDekay"\. Did you mean "ExponentialDecay"/,
    )
  })
})
