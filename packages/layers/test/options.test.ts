/** Options of optimizers, losses, callbacks and the like: a wrong value is refused before anything happens. */
import { ones, Parameter, type Tensor, tensor, ValueError, valueAndGrad } from '@cotangent/core'
import { describe, expect, test, vi } from 'vitest'
import {
  adam,
  adamw,
  constraints,
  dense,
  earlyStopping,
  exponentialDecay,
  getOptimizer,
  initializers,
  LearningRateSchedule,
  l1L2,
  l2,
  losses,
  metrics,
  rmsprop,
  Sequential,
  SGD,
  sgd,
} from '../src/index.js'

const parameter = (values: readonly number[]) => new Parameter(tensor(Float32Array.from(values)))
const any = (value: unknown): never => value as never

describe('the learning rate', () => {
  test('text is refused, when it is made and when it is set later, and the rate stays', () => {
    expect(() => sgd({ learningRate: any('0.15') })).toThrow(
      'sgd: learningRate must be a number, at least 0, got text "0.15". Convert it first: Number("0.15").',
    )
    expect(() => sgd({ lr: any('0.15') })).toThrow(ValueError)
    const optimizer = sgd(0.5)
    for (const wrong of ['0.1', null, undefined, Number.NaN, -1, Number.POSITIVE_INFINITY, [0.1], 1n, {}, adam]) {
      expect(() => {
        optimizer.learningRate = any(wrong)
      }).toThrow(/SGD: learningRate must be a number, at least 0/)
      expect(optimizer.learningRate).toBe(0.5)
    }
  })
  test('comes first, as in Keras, or among the options', () => {
    expect(adam(1e-4).learningRate).toBe(1e-4)
    expect(adam(1e-4, { beta1: 0.8 })).toMatchObject({ learningRate: 1e-4, beta1: 0.8 })
    expect(sgd(0.1, { momentum: 0.9 })).toMatchObject({ learningRate: 0.1, momentum: 0.9 })
    expect(rmsprop(exponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 })).learningRate).toBe(0.1)
    expect(() => adam(1e-4, { learningRate: 1e-3 })).toThrow(/given twice/)
    expect(() => adam({ lr: 1, learningRate: 1 })).toThrow(/lr is the older name/)
    expect(() => adam({ beta1: 0.8, beta_1: 0.9 })).toThrow(/"beta1" is given twice/)
    for (const wrong of ['0.1', [0.1], null, tensor([1]), Promise.resolve(1)]) {
      expect(() => adam(any(wrong))).toThrow(
        /adam: expected an object of options, got .* Write adam\(0.001\), or adam\(\{ learningRate: 0.001 \}\)/,
      )
    }
    expect(() => new SGD(any(0.1))).toThrow(/sgd: expected an object of options, got 0.1. Write sgd\(\{ learningRate: 0.01 \}\)/)
    expect(() => adam({}, {})).toThrow(/two objects/)
  })
  test("a schedule of one's own must give a rate", () => {
    class Broken extends LearningRateSchedule {
      readonly className = 'Broken'
      at() {
        return any('0.1')
      }
      getConfig() {
        return {}
      }
    }
    const w = parameter([1])
    const optimizer = sgd(new Broken())
    expect(() => optimizer.step([w], [ones([1])])).toThrow(/Broken.at\(0\): the rate must be a number, at least 0, got text "0.1"/)
    expect(optimizer.steps).toBe(0)
  })
})

test.each([
  ['clipnorm', -1],
  ['clipvalue', '1'],
  ['decay', -0.1],
  ['beta1', 1],
  ['beta2', '0.9'],
  ['epsilon', -1],
  ['amsgrad', 'false'],
  ['useEma', 0],
  ['clipScope', 'all'],
  ['weightDecay', '0.1'],
  ['excludeFromWeightDecay', 'bias'],
])('adamw refuses %s: %j', (name, value) => {
  expect(() => adamw({ [name]: value })).toThrow(new RegExp(`^adamw: ${name} must be`))
})

describe('functions that make something, given uncalled', () => {
  const net = (options: object) => new Sequential([dense(1, { inputShape: [1], ...options })])
  test('say how to call them', () => {
    expect(() => getOptimizer(any(adam))).toThrow('optimizer: adam is the function that makes one. Call it: adam().')
    expect(() => metrics.getMetric(any(metrics.auc))).toThrow('metrics: auc is the function that makes one. Call it: auc().')
    expect(() => net({ kernelInitializer: initializers.heNormal })).toThrow(/initializer: heNormal .* Call it: heNormal\(\)/)
    expect(() => net({ kernelRegularizer: l2 })).toThrow(/regularizer: l2 .* Call it: l2\(\)/)
    expect(() => net({ kernelConstraint: constraints.maxNorm })).toThrow(/constraint: maxNorm .* Call it: maxNorm\(\)/)
  })
  test('functions of the user that give no tensor of the right shape', async () => {
    expect(() => net({ kernelInitializer: () => 3 })).toThrow(/initializer ".*": the function must return a tensor, got 3/)
    expect(() => net({ kernelInitializer: () => ones([2, 2]) })).toThrow(/the weight is \[1, 1\], the function gave \[2, 2\]/)
    const train = async (options: object) => {
      const model = net(options)
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      await model.fit([[1]], [[2]], { verbose: 0 })
    }
    await expect(train({ kernelRegularizer: (w: Tensor) => w.square() })).rejects.toThrow(
      /regularizer ".*": the function must return a scalar/,
    )
    await expect(train({ kernelConstraint: () => undefined })).rejects.toThrow(/constraint ".*": must return a tensor, got undefined/)
    await expect(train({ activation: () => undefined })).rejects.toThrow(/activation ".*": .* must be a tensor, got undefined/)
  })
})

describe('losses and regularizers', () => {
  test('nonsense and unknown options', () => {
    const { getLoss, huber } = losses
    expect(() => getLoss('bce', { labelSmoothing: 1.5 })).toThrow(
      /binaryCrossentropy: labelSmoothing must be a number from 0 to 1, got 1.5/,
    )
    expect(() => getLoss('huber', { delta: 0 })).toThrow(/huber: delta must be a number above 0/)
    expect(() => getLoss('mse', { labelSmoothing: 0.1 })).toThrow(/meanSquaredError: there is no option "labelSmoothing"/)
    expect(() => getLoss('bce', any({ smoothing: 0.1 }))).toThrow(/binaryCrossentropy: there is no option "smoothing"/)
    expect(() => getLoss('bce', { form: any('2.1') })).toThrow(/form must be '2.3', '2.2' or '3'/)
    expect(() => huber(ones([1, 1]), ones([1, 1]), { delta: any('1') })).toThrow(/huber: delta must be a number/)
    expect(getLoss('bce', { label_smoothing: 0.1 }).options).toEqual({ labelSmoothing: 0.1 })
    expect(() => l1L2(any({ l3: 1 }))).toThrow(/l1L2: there is no option "l3"/)
    expect(() => l1L2({ l1: any('0.1') })).toThrow(/l1L2: l1 must be a number, at least 0, got text "0.1"/)
    expect(() => earlyStopping({ patience: any('3') })).toThrow(/earlyStopping: patience must be a whole number, at least 0/)
    expect(() => initializers.orthogonal({ gain: any('a') })).toThrow(/orthogonal: gain must be a number/)
    expect(() => initializers.randomNormal({ stddev: any('x') })).toThrow(/randomNormal: stddev must be a number/)
    expect(() => initializers.glorotUniform(any({ sed: 1 }))).toThrow(/glorotUniform: there is no option "sed"/)
  })
})

describe('step', () => {
  test('no parameters, other lists, plain tensors and other shapes are refused; nothing changes and nothing is freed', async () => {
    const w = parameter([1, 2])
    const g = tensor([1, 1]).keep()
    const optimizer = adam()
    expect(() => optimizer.step([], [])).toThrow(/Adam.step: there are no parameters to change/)
    expect(() => optimizer.step([w], [])).toThrow(/1 parameters but 0 gradients/)
    expect(() => optimizer.step(any([ones([2])]), [g])).toThrow(/parameters\[0\] is a tensor of float32 \[2\], which cannot be changed/)
    expect(() => optimizer.step([w], [tensor([1])])).toThrow(/gradient 0 is \[1\], its parameter ".*" \[2\]/)
    expect(() => optimizer.step([w], any([undefined]))).toThrow(/gradient 0, .* is undefined, not a tensor/)
    expect(() => optimizer.step(any(w), any(g))).toThrow(/expected a list of parameters/)
    expect(() => optimizer.step([w], [g], any({ keep: true }))).toThrow(/no option "keep"/)
    expect(optimizer.steps).toBe(0)
    expect([...(await w.data())]).toEqual([1, 2])
    const { grads } = valueAndGrad([w], () => w.mul(g).sum())
    optimizer.step([w], grads)
    expect(optimizer.steps).toBe(1)
  })
  test('a model without trainable weights is trained by nothing, and says so', async () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const model = new Sequential([dense(1, { inputShape: [1], trainable: false, kernelInitializer: 'ones' })])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    expect(said).toHaveBeenCalledOnce()
    expect(said.mock.calls[0][0]).toMatch(/no weight is trainable/)
    said.mockRestore()
    const { history } = await model.fit([[1]], [[3]], { verbose: 0, epochs: 2 })
    expect(history.loss).toEqual([4, 4])
    expect(model.optimizer.steps).toBe(2)
  })
})
