/** Optimizers compared with the golden vectors in both arithmetics; lifetimes of tensors, clipping, saved states, options. */
import { expectNoLeaks, keep, key, matMul, normal, Parameter, scope, type Tensor, tensor, valueAndGrad } from '@cotangent/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arithmetics, expectClose, float64, golden, numbers } from '../../test/arithmetic.js'
import { loadGolden } from '../../test/golden.js'
import { camelKeys, savedForm, snakeKeys } from '../spelling/names.js'
import { adam, getOptimizer, nadam, type Optimizer, type OptimizerName, optimizerNames, rmsprop, sgd } from './index.js'

describe.each(arithmetics)('golden optimizers, $name', (arithmetic) => {
  for (const { name, params, inputs, expected } of loadGolden('optimizers.json')) {
    test(name, async () => {
      const { optimizer: className, clip_scope, ...config } = params
      const optimizer = getOptimizer({
        className: className as string,
        config: { ...config, ...(clip_scope === 'per_variable' && { clipScope: 'perVariable' }) },
      })
      const [A, b] = [golden(inputs.A, arithmetic), golden(inputs.b, arithmetic)]
      const [k] = numbers(inputs.k)
      const w = new Parameter(golden(inputs.w0, arithmetic), { name: 'w' })
      const v = new Parameter(golden(inputs.v0, arithmetic), { name: 'v' })
      // f(w, v) = ½·w·A·w − b·w + ½k·Σ(v − 1)²
      const objective = (): Tensor => {
        const column = w.reshape([3, 1])
        const quadratic = matMul(column, matMul(A, column), { transposeA: true }).sum().mul(0.5)
        return quadratic.sub(b.mul(w).sum()).add(
          v
            .sub(1)
            .square()
            .sum()
            .mul(0.5 * k),
        )
      }
      const steps = expected.steps as { loss_before: number; w: unknown; v: unknown }[]
      for (const [i, step] of steps.entries()) {
        const { value, grads } = valueAndGrad([w, v], objective)
        expectClose(`loss ${i}`, await value.data(), [step.loss_before], arithmetic)
        optimizer.step([w, v], grads)
        expectClose(`w ${i}`, await w.data(), numbers(step.w), arithmetic)
        expectClose(`v ${i}`, await v.data(), numbers(step.v), arithmetic)
      }
      expect(optimizer.iterations).toBe(5)
    })
  }
})

const { backend } = float64
const parameterOf = (values: number[] | Tensor, name = 'w'): Parameter =>
  new Parameter(Array.isArray(values) ? tensor(values, { dtype: 'float64', backend }) : values, { name })
const gradients = (step: number, parameters: readonly Parameter[]): Tensor[] =>
  parameters.map((w, i) => normal(key(100 * step + i), w.shape, { dtype: w.dtype, backend: w.backend }))

describe('lifetimes', () => {
  test('step takes the gradients, unless told to keep them', () => {
    const w = parameterOf([1, 2])
    const optimizer = sgd()
    const [taken] = gradients(1, [w])
    optimizer.step([w], [taken])
    expect(taken.disposed).toBe(true)
    const [kept] = gradients(2, [w])
    optimizer.step([w], [kept], { keepGrads: true })
    expect(kept.disposed).toBe(false)
    expect(() => optimizer.step([w], [])).toThrow(/1 parameters but 0 gradients/)
  })

  test.each(optimizerNames)('%s: a loop does not grow, and dispose frees the state', async (name) => {
    await expectNoLeaks(async () => {
      const w = new Parameter(tensor([1, -2, 3]))
      const optimizer = getOptimizer({ className: name, config: { clipnorm: 0.5, clipvalue: 0.1 } })
      const step = (): void => {
        const { value, grads } = valueAndGrad([w], () => w.square().sum())
        optimizer.step([w], grads)
        keep(value).dispose()
      }
      step()
      await expectNoLeaks(() => {
        for (let i = 0; i < 5; i++) step()
      })
      optimizer.dispose()
      expect(optimizer.iterations).toBe(0)
      w.dispose()
    })
  })

  test('parameters that are not trainable stay as they are, and do not count in the norm', async () => {
    const [w, frozen] = [parameterOf([0]), parameterOf([5])]
    frozen.trainable = false
    sgd({ learningRate: 1, clipnorm: 1 }).step([w, frozen], [parameterOf([3]), parameterOf([400])])
    expect(await w.array()).toEqual([-1])
    expect(await frozen.array()).toEqual([5])
  })
})

describe('clipping', () => {
  property.prop({
    seed: fc.nat(1e6),
    clipnorm: fc.double({ min: 0.01, max: 5, noNaN: true }),
    scope: fc.constantFrom('global', 'perVariable'),
  })('clipnorm bounds the norm and keeps the direction', async ({ seed, clipnorm, scope: clipScope }) => {
    const parameters = [parameterOf([0, 0, 0]), parameterOf([0, 0])]
    const grads = gradients(seed, parameters)
    const before = await Promise.all(grads.map((g) => g.data()))
    sgd({ learningRate: 1, clipnorm, clipScope: clipScope as 'global' }).step(parameters, grads)
    const steps = await Promise.all(parameters.map((w) => w.data()))
    const norm = (lists: ArrayLike<number>[]): number => Math.sqrt(lists.flatMap((list) => Array.from(list)).reduce((s, x) => s + x * x, 0))
    for (const i of clipScope === 'global' ? [[0, 1]] : [[0], [1]]) {
      const [old, now] = [norm(i.map((j) => before[j])), norm(i.map((j) => steps[j]))]
      expect(now).toBeCloseTo(Math.min(old, clipnorm), 10)
      for (const j of i)
        expectClose(
          'direction',
          steps[j],
          Array.from(before[j], (g) => (-g * now) / old),
          { rtol: 1e-9, atol: 1e-12 },
        )
    }
  })

  test('clipvalue comes after clipnorm; a gradient of 0 stays 0', async () => {
    const w = parameterOf([0, 0])
    sgd({ learningRate: 1, clipnorm: 10, clipvalue: 7 }).step([w], [tensor([30, 40], { dtype: 'float64', backend })])
    expectClose('w', await w.data(), [-6, -7], float64)
    sgd({ learningRate: 1, clipnorm: 1 }).step([w], [tensor([0, 0], { dtype: 'float64', backend })])
    expectClose('w', await w.data(), [-6, -7], float64)
  })
})

describe('state', () => {
  property.prop({
    name: fc.constantFrom(...optimizerNames, 'amsgrad', 'momentum', 'keras3'),
    before: fc.integer({ min: 1, max: 6 }),
    after: fc.integer({ min: 1, max: 4 }),
  })('a saved and restored optimizer goes on with identical bits', async ({ name, before, after }) => {
    const make = (): Optimizer =>
      name === 'amsgrad'
        ? adam({ amsgrad: true, decay: 0.1 })
        : name === 'momentum'
          ? sgd({ momentum: 0.9, nesterov: true })
          : name === 'keras3'
            ? getOptimizer({ className: 'Adagrad', config: { variant: 'keras3' } })
            : getOptimizer(name as OptimizerName)
    const parameters = [parameterOf([1, -2, 3], 'a'), parameterOf([0.5, 0.25], 'b')]
    const original = make()
    for (let i = 0; i < before; i++) original.step(parameters, gradients(i, parameters))

    const restored = getOptimizer(JSON.parse(JSON.stringify(savedForm(original))))
    const copies = parameters.map((w) => parameterOf(w.add(0), w.name))
    restored.setWeights(await original.getWeights(), copies)
    expect(restored.iterations).toBe(before)
    expect(restored.getConfig()).toEqual(original.getConfig())

    for (let i = before; i < before + after; i++) {
      original.step(parameters, gradients(i, parameters))
      restored.step(copies, gradients(i, copies))
    }
    for (const [i, w] of parameters.entries()) expect(await copies[i].data()).toEqual(await w.data())
    expect(await restored.getWeights()).toEqual(await original.getWeights())
  })

  test("Keras' order: iterations, then slot by slot, with the zeros it saves for nothing", async () => {
    const parameters = [parameterOf([1, 2, 3]), parameterOf([4])]
    const shapes = async (optimizer: Optimizer) => {
      optimizer.step(parameters, gradients(0, parameters))
      return (await optimizer.getWeights()).map(({ name, shape }) => `${name} [${shape}]`)
    }
    expect(await shapes(adam())).toEqual(['iterations []', 'm_0 [3]', 'm_1 [1]', 'v_0 [3]', 'v_1 [1]', 'vhat_0 [1]', 'vhat_1 [1]'])
    expect(await shapes(adam({ amsgrad: true }))).toContain('vhat_0 [3]')
    expect(await shapes(sgd())).toEqual(['iterations []', 'moment_0 [3]', 'moment_1 [1]'])
    expect(await shapes(rmsprop())).toEqual(['iterations []', 'accumulator_0 [3]', 'accumulator_1 [1]'])
    expect((await shapes(getOptimizer('adadelta'))).slice(3)).toEqual(['deltaAccumulator_0 [3]', 'deltaAccumulator_1 [1]'])
    expect((await shapes(nadam())).slice(0, 3)).toEqual(['iterations []', 'mSchedule []', 'm_0 [3]'])
  })

  test('states of older Keras: without iterations, without the momentum product', async () => {
    const parameters = [parameterOf([1, 2]), parameterOf([3])]
    const old = rmsprop()
    old.setWeights([{ data: [0.5, 0.25] }, { data: [0.125] }], parameters)
    expect((await old.getWeights()).map(({ data }) => Array.from(data))).toEqual([[0], [0.5, 0.25], [0.125]])

    const original = nadam()
    for (let i = 0; i < 3; i++) original.step(parameters, gradients(i, parameters))
    const [iterations, product, ...rest] = await original.getWeights()
    const restored = nadam()
    restored.setWeights([iterations, ...rest], parameters)
    expect((await restored.getWeights())[1].data[0]).toBeCloseTo(product.data[0], 14)
  })

  test('a state that does not fit changes nothing', async () => {
    const w = parameterOf([1, 2])
    const optimizer = adam()
    optimizer.step([w], gradients(0, [w]))
    const before = await optimizer.getWeights()
    expect(() => optimizer.setWeights([{ data: [1] }], [w])).toThrow(/Adam.setWeights: 1 arrays do not fit 1 parameters, which need 4/)
    expect(() => optimizer.setWeights([{ data: [1] }, { data: [1, 2, 3] }, { data: [1, 2] }, { data: [0] }], [w])).toThrow(
      /"m" of parameter "w" has 3 values, not 2/,
    )
    expect(await optimizer.getWeights()).toEqual(before)
  })
})

describe('options', () => {
  test("Keras 2.3's defaults, names and config", () => {
    expect(snakeKeys(adam().getConfig())).toEqual({
      learning_rate: 0.001,
      decay: 0,
      beta_1: 0.9,
      beta_2: 0.999,
      epsilon: 1e-7,
      amsgrad: false,
    })
    expect(camelKeys({ beta_1: 0.5, learning_rate: 1 })).toEqual({ beta1: 0.5, learningRate: 1 })
    expect(getOptimizer('adadelta').learningRate).toBe(1)
    expect(Object.keys(nadam().getConfig())).toEqual(['learningRate', 'beta1', 'beta2', 'epsilon', 'scheduleDecay'])
    for (const id of ['rmsprop', 'RMSprop', 'Rmsprop'] as const) expect(getOptimizer(id).className).toBe('RMSprop')
    expect(getOptimizer({ className: 'Adagrad', config: { variant: 'keras3' } }).getConfig()).toEqual({
      learningRate: 0.001,
      decay: 0,
      epsilon: 1e-7,
      variant: 'keras3',
    })
  })

  test('lr, learning_rate and beta_1 are accepted; learningRate may change between steps', async () => {
    expect(adam({ lr: 0.5 }).learningRate).toBe(0.5)
    expect(adam({ learning_rate: 0.25, beta_1: 0.8 }).beta1).toBe(0.8)
    const w = parameterOf([0])
    const optimizer = sgd({ learningRate: 1 })
    const one = (): Tensor[] => [tensor([1], { dtype: 'float64', backend })]
    optimizer.step([w], one())
    optimizer.learningRate = 0.5
    optimizer.step([w], one())
    expect(await w.array()).toEqual([-1.5])
  })

  test('mistakes are named', () => {
    expect(() => getOptimizer('adma' as 'adam')).toThrow(/no optimizer "adma"\. Did you mean "adam"\?/)
    expect(() => adam({ learnigRate: 1 } as object)).toThrow(/adam: there is no option "learnigRate"\. Did you mean "learningRate"\?/)
    expect(() => sgd({ learningRate: Number.NaN })).toThrow(/learningRate must be a number, at least 0/)
    expect(() => nadam({ decay: 0.1 } as object)).toThrow(/no decay/)
  })

  test('steps inside a scope keep their state', () => {
    const w = parameterOf([1])
    const optimizer = adam()
    scope(() => optimizer.step([w], gradients(0, [w])))
    expect(() => scope(() => optimizer.step([w], gradients(1, [w])))).not.toThrow()
  })
})
