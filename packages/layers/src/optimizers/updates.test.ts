/** The work of optimizers around their rules: AdamW's decay, accumulation of gradients, running means of parameters, Keras 3's global clipping. */
import { expectNoLeaks, key, normal, Parameter, type Tensor, tensor, valueAndGrad } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, float64 } from '../../test/arithmetic.js'
import { constraints } from '../index.js'
import { savedForm } from '../spelling/names.js'
import { constrain } from '../weights/constrained.js'
import { adam, adamw, getOptimizer, muon, type Optimizer, optimizerNames, rmsprop, scheduleFreeAdamW, sgd } from './index.js'

const { backend } = float64
const row = (...values: number[]): Tensor => tensor(values, { dtype: 'float64', backend })
const parameter = (values: number[], name = 'w'): Parameter => new Parameter(row(...values), { name })
const gradients = (seed: number, parameters: readonly Parameter[]): Tensor[] =>
  parameters.map((w, i) => normal(key(100 * seed + i), w.shape, { dtype: w.dtype, backend: w.backend }))
const values = async (w: Tensor): Promise<number[]> => [...(await w.data())]

describe('rmsprop with a momentum, and centered', () => {
  // By the running Keras 3.16.
  test.each([
    [{ centered: true }, [-0.22707944013248976, -1.4589831539802298, -0.5237422497966895]],
    [{ momentum: 0.9 }, [-1.5927654936713247, -1.5423023210269542, -1.7447183548306064]],
    [{ centered: true, momentum: 0.8, rho: 0.7 }, [-0.8991119580293038, -1.6299667853647577, -1.245563196573383]],
  ])('%j', async (options, wanted) => {
    for (const arithmetic of arithmetics) {
      const { backend, dtype } = arithmetic
      const w = new Parameter(tensor([1, -2, 0.5], { backend, dtype }))
      const optimizer = getOptimizer(savedForm(rmsprop(0.1, { ...options, variant: 'keras3' })))
      for (let t = 0; t < 4; t++) optimizer.step([w], [tensor([1 + t, -0.5 * t + 0.2, 0.3], { backend, dtype })])
      expectClose('w', await w.data(), wanted, arithmetic)
    }
  })
  test('the same gradient again and again leaves no variance, and no NaN', async () => {
    const w = new Parameter(tensor([1, 2]))
    const optimizer = rmsprop({ centered: true, variant: 'keras3', learningRate: 1e-6 })
    for (let t = 0; t < 300; t++) optimizer.step([w], [tensor([123.4, 5678.9])])
    expect((await values(w)).every(Number.isFinite)).toBe(true)
  })
})

describe('adamw', () => {
  test.each(arithmetics)('decays beside the gradient ($name)', async (arithmetic) => {
    const { backend, dtype } = arithmetic
    const w = new Parameter(tensor([1, -2], { backend, dtype }), { name: 'kernel' })
    const optimizer = adamw({ learningRate: 0.1, weightDecay: 0.5, decay: 1 })
    // The algorithm of the paper, written out.
    const [state, m, v] = [
      [1, -2],
      [0, 0],
      [0, 0],
    ]
    for (let t = 1; t <= 4; t++) {
      const g = [0.5 * t, -1]
      optimizer.step([w], [tensor(g, { backend, dtype })])
      const rate = 0.1 / t
      for (const i of [0, 1]) {
        m[i] = 0.9 * m[i] + 0.1 * g[i]
        v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2
        const corrected = (rate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t)
        state[i] = state[i] - rate * 0.5 * state[i] - (corrected * m[i]) / (Math.sqrt(v[i]) + 1e-7)
      }
      expectClose(`step ${t}`, await w.data(), state, arithmetic)
    }
  })

  test.each([false, true])('excluded parameters go as with Adam, amsgrad %s', async (amsgrad) => {
    const make = (): Parameter[] => [parameter([1, 2], 'dense/kernel'), parameter([3], 'dense/bias')]
    const [ours, theirs] = [make(), make()]
    const [a, b] = [adamw({ amsgrad, weightDecay: 0.1, excludeFromWeightDecay: ['bias'] }), adam({ amsgrad })]
    for (let i = 0; i < 3; i++) {
      a.step(ours, gradients(i, ours))
      b.step(theirs, gradients(i, theirs))
    }
    expect(await values(ours[1])).toEqual(await values(theirs[1]))
    expect((await values(ours[0]))[0]).toBeLessThan((await values(theirs[0]))[0])
  })

  test("Keras 3's defaults; mistakes", () => {
    expect(adamw().getConfig()).toMatchObject({ learningRate: 0.001, weightDecay: 0.004, epsilon: 1e-7 })
    expect(getOptimizer('AdamW').className).toBe('AdamW')
    expect(() => adamw({ weightDecay: -1 })).toThrow(/weightDecay must be a number, at least 0, got -1/)
    expect(() => muon({ excludeLayers: 'dense' as never })).toThrow(/muon: excludeLayers must be a list/)
    expect(() => scheduleFreeAdamW({ beta1: 0 })).toThrow(/scheduleFreeAdamW: beta1 must be a number above 0/)
  })
})

describe('gradient accumulation', () => {
  test.each(optimizerNames)('%s: n batches are one update by the mean of their gradients', async (name) => {
    const n = 3
    const [a, b] = [
      [parameter([1, -2]), parameter([0.5], 'b')],
      [parameter([1, -2]), parameter([0.5], 'b')],
    ]
    const accumulating = getOptimizer({
      className: name,
      config: { gradientAccumulationSteps: n, clipnorm: 0.5, decay: name === 'nadam' ? 0 : 0.1 },
    })
    const plain = getOptimizer({ className: name, config: { clipnorm: 0.5, decay: name === 'nadam' ? 0 : 0.1 } })
    for (let update = 0; update < 4; update++) {
      const before = await values(a[0])
      for (let batch = 0; batch < n; batch++) {
        expect(await values(a[0]), 'unchanged until the last').toEqual(before)
        accumulating.step(a, gradients(n * update + batch, a))
      }
      const sums = [0, 1].map((i) => {
        const all = Array.from({ length: n }, (_, batch) => gradients(n * update + batch, b)[i])
        return all.reduce((x, y) => x.add(y)).div(n)
      })
      plain.step(b, sums)
      for (const i of [0, 1]) expectClose(`update ${update}`, await a[i].data(), await values(b[i]), { rtol: 1e-12, atol: 1e-15 })
    }
    expect([accumulating.steps, accumulating.iterations, plain.iterations]).toEqual([12, 4, 4])
  })

  test('constraints are applied when parameters change', async () => {
    const w = parameter([1])
    constrain(w, constraints.getConstraint('nonNeg') as never)
    const optimizer = sgd({ learningRate: 10, gradientAccumulationSteps: 2 })
    optimizer.step([w], [row(1)])
    expect(await values(w)).toEqual([1])
    optimizer.step([w], [row(1)])
    expect((await values(w))[0]).toBeCloseTo(0, 15)
  })
})

describe('running means of the parameters', () => {
  test('start at the first update, and finalizeWeights puts them in place', async () => {
    const w = parameter([0])
    const optimizer = sgd({ learningRate: 1, useEma: true, emaMomentum: 0.75 })
    for (const g of [-1, -1, -2]) optimizer.step([w], [row(g)])
    expect(await values(w)).toEqual([4]) // 1, 2, 4
    optimizer.finalizeWeights([w])
    expect(await values(w)).toEqual([0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 4])
    // The mean does not move with the parameter that took it.
    optimizer.step([w], [row(-100)])
    expect((await optimizer.getWeights()).at(-1)?.data[0]).toBeCloseTo(0.75 * 1.9375 + 0.25 * 101.9375, 12)
  })

  test('emaOverwriteFrequency', async () => {
    const w = parameter([0])
    const optimizer = sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 2 })
    optimizer.step([w], [row(-1)])
    expect(await values(w)).toEqual([1])
    optimizer.step([w], [row(-2)])
    expect(await values(w)).toEqual([2]) // the mean of 1 and 3
  })

  test('without useEma nothing is put anywhere', async () => {
    const w = parameter([1])
    sgd().finalizeWeights([w])
    expect(await values(w)).toEqual([1])
  })
})

describe('state beyond the rule', () => {
  property.prop({
    name: fc.constantFrom(...optimizerNames),
    before: fc.integer({ min: 1, max: 7 }),
    after: fc.integer({ min: 1, max: 5 }),
    accumulation: fc.constantFrom(undefined, 2, 3),
    useEma: fc.boolean(),
  })(
    'is saved and restored: identical bits, in the middle of an accumulation too',
    async ({ name, before, after, accumulation, useEma }) => {
      const parameters = [parameter([1, -2, 3], 'a'), parameter([0.5, 0.25], 'b')]
      const config = { gradientAccumulationSteps: accumulation, useEma, emaMomentum: 0.9 }
      const original: Optimizer = getOptimizer({ className: name, config })
      for (let i = 0; i < before; i++) original.step(parameters, gradients(i, parameters))
      const copies = parameters.map((w) => new Parameter(w.add(0), { name: w.name }))
      const restored = getOptimizer(JSON.parse(JSON.stringify(savedForm(original))))
      restored.setWeights(await original.getWeights(), copies)
      for (let i = before; i < before + after; i++) {
        original.step(parameters, gradients(i, parameters))
        restored.step(copies, gradients(i, copies))
      }
      for (const [i, w] of parameters.entries()) expect(await copies[i].data()).toEqual(await w.data())
      expect(await restored.getWeights()).toEqual(await original.getWeights())
      expect(restored.steps).toBe(before + after)
    },
  )

  test('a state without it is refused, not taken for something else', async () => {
    const w = parameter([1, 2])
    const plain = sgd()
    plain.step([w], gradients(0, [w]))
    const averaging = sgd({ useEma: true })
    const state = await plain.getWeights() // iterations, and the zeros that Keras saves for no momentum
    expect(() => averaging.setWeights(state, [w])).toThrow(
      /2 arrays do not fit 1 parameters, which need 3 \(iterations, moment …, average …\)/,
    )
  })

  test('is freed, and loops do not grow', async () => {
    await expectNoLeaks(async () => {
      const w = new Parameter(tensor([1, -2, 3]))
      const optimizer = adamw({ useEma: true, gradientAccumulationSteps: 2, globalClipnorm: 1, emaOverwriteFrequency: 2 })
      const steps = (count: number): void => {
        for (let i = 0; i < count; i++) {
          const { value, grads } = valueAndGrad([w], () => w.square().sum())
          optimizer.step([w], grads)
          value.dispose()
        }
      }
      steps(4)
      await expectNoLeaks(() => steps(8))
      optimizer.dispose()
      w.dispose()
    })
  })
})

describe('globalClipnorm', () => {
  test('limits the norm of all gradients, in both variants', async () => {
    for (const variant of ['keras2', 'keras3'] as const) {
      const [a, b] = [parameter([0]), parameter([0])]
      sgd({ learningRate: 1, globalClipnorm: 1, variant }).step([a, b], [row(3), row(4)])
      expect([await values(a), await values(b)]).toEqual([[-0.6000000000000001], [-0.8]])
    }
  })

  test('goes with no other clipping; Keras 3 clips one way only', () => {
    expect(() => sgd({ globalClipnorm: 1, clipnorm: 1 })).toThrow(/only one of .* got clipnorm and globalClipnorm/)
    expect(() => sgd({ variant: 'keras3', clipvalue: 1, clipnorm: 1 })).toThrow(/got clipnorm and clipvalue/)
    expect(sgd({ clipvalue: 1, clipnorm: 1 }).clipvalue).toBe(1)
    expect(sgd({ global_clipnorm: 2 }).getConfig()).toMatchObject({ globalClipnorm: 2 })
  })

  test('other bad values', () => {
    expect(() => sgd({ gradientAccumulationSteps: 0 })).toThrow(/gradientAccumulationSteps must be a whole number, at least 1, got 0/)
    expect(() => sgd({ useEma: true, emaMomentum: 2 })).toThrow(/emaMomentum must be a number from 0 to 1, got 2/)
    expect(() => sgd({ useEma: true, emaOverwriteFrequency: 1.5 })).toThrow(/emaOverwriteFrequency must be a whole number/)
  })
})
