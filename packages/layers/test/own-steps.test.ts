/** Losses and metrics that layers add; training steps of one's own; values of evaluate by name; early stopping that starts late. */
import { expectNoLeaks, foldKey, normal, type Tensor, tensor, valueAndGrad } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  adam,
  type BatchShape,
  dense,
  dropout,
  earlyStopping,
  embedding,
  Layer,
  lstm,
  modelFromBytes,
  modelToBytes,
  Sequential,
  type StepParts,
  sgd,
  type TestBatch,
  type TrainBatch,
} from '../src/index.js'

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(i)])
const y = x.map(([a, b]) => [a - b])
const quiet = { verbose: 0 } as const

/** Passes x on; adds the mean of x² to the loss, and reports the mean of x. */
class Watch extends Layer {
  readonly className = 'Watch'
  constructor() {
    super('Watch', {}, [])
  }
  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
  override call(x: Tensor): Tensor {
    this.addLoss(x.square().mean())
    this.addMetric(x.mean(), 'level')
    return x
  }
}
describe('addLoss and addMetric', () => {
  const net = (layer: Layer): Sequential => {
    const model = new Sequential([dense(1, { inputShape: [2], useBias: false, kernelInitializer: 'ones' }), layer])
    model.compile({ optimizer: sgd(0.1), loss: 'mse', metrics: ['mae'] })
    return model
  }
  test.each([['a layer', () => new Watch()]] as const)('%s: the loss is larger by it, and its gradient counts', async (_, layer) => {
    const model = net(layer())
    const values = await model.evaluate(
      [
        [1, 2],
        [0, 1],
      ],
      [[3], [1]],
      { returnDict: true },
    )
    expect(values).toEqual({ loss: 5, mae: 0, level: 2 })
    await model.fit(
      [
        [1, 2],
        [0, 1],
      ],
      [[3], [1]],
      { ...quiet, batchSize: 2 },
    )
    // d/dw of mean (x·w)²: [3, 2·(6 + 1)/2]
    const w = await model.weights[0].data()
    expect([...w].map((v) => Number(v.toFixed(4)))).toEqual([0.7, 0.3])
  })
  test('the history has them, those of validation too; each batch counts as its samples', async () => {
    const model = net(new Watch())
    const { history } = await model.fit(x, y, { ...quiet, epochs: 2, batchSize: 5, validationSplit: 0.25 })
    expect(Object.keys(history)).toEqual(['loss', 'mae', 'level', 'val_loss', 'val_mae', 'val_level'])
    expect(await model.trainOnBatch(x, y)).toHaveLength(3)
  })
  test('a loop of one’s own gets them from apply', () => {
    const model = net(new Watch())
    const losses: Tensor[] = []
    model.apply(tensor([[1, 2]]), { losses })
    expect(losses).toHaveLength(1)
  })
  test('anything but a scalar is refused, with the layer’s name', () => {
    class Wrong extends Watch {
      override call(x: Tensor): Tensor {
        this.addLoss(x)
        return x
      }
    }
    expect(() => net(new Wrong()).apply(tensor([[1, 2]]))).toThrow(
      /layer "watch_\d+" \(Watch\): addLoss takes a scalar tensor, such as .*; got a tensor \[1, 1\]/,
    )
  })
})

describe('trainStep', () => {
  /** Two networks against each other, each with an optimizer of its own. */
  class Gan extends Sequential {
    readonly critic = new Sequential([dense(4, { inputShape: [2], activation: 'tanh' }), dense(1)], { seed: 2 })
    readonly criticOptimizer = adam(0.01)
    /** x is noise, y what is real. */
    override trainStep({ x, y, key }: TrainBatch) {
      const critic = valueAndGrad(this.critic.trainableWeights, () => {
        const [real, made] = [this.critic.apply(y), this.critic.apply(this.apply(x))]
        return real.neg().softplus().mean().add(made.softplus().mean())
      })
      this.criticOptimizer.step(this.critic.trainableWeights, critic.grads)
      const generator = valueAndGrad(this.trainableWeights, () =>
        this.critic
          .apply(this.apply(normal(foldKey(key, 1), x.shape)))
          .neg()
          .softplus()
          .mean(),
      )
      this.optimizer.step(this.trainableWeights, generator.grads)
      return { critic: critic.value, generator: generator.value }
    }
  }
  const gan = (): Gan => {
    const model = new Gan([dense(4, { inputShape: [2], activation: 'tanh' }), dense(2)], { seed: 1 })
    model.compile({ optimizer: adam(0.01), loss: 'mse' })
    return model
  }
  test('a GAN: two optimizers, and history, callbacks and stopping as always', async () => {
    const model = gan()
    const seen: string[][] = []
    const { history, epoch } = await model.fit(x, x, {
      ...quiet,
      epochs: 5,
      batchSize: 4,
      callbacks: [
        { onBatchEnd: (_, logs) => void seen.push(Object.keys(logs)) },
        earlyStopping({ monitor: 'generator', minDelta: 100, patience: 2 }),
      ],
    })
    expect(Object.keys(history)).toEqual(['critic', 'generator'])
    expect(epoch).toHaveLength(3)
    expect(seen[0]).toEqual(['critic', 'generator'])
    expect([model.optimizer.iterations, model.criticOptimizer.iterations]).toEqual([9, 9])
    const again = gan()
    await again.fit(x, x, { ...quiet, epochs: 3, batchSize: 4 })
    expect(await again.weights[0].data()).toEqual(await model.weights[0].data())
  })
  test('it leaves nothing behind', async () => {
    const model = gan()
    await model.fit(x, x, quiet)
    await expectNoLeaks(() => model.fit(x, x, { ...quiet, epochs: 2 }))
  })
  test('a VAE: a loss of two parts, and its own draws', async () => {
    class Vae extends Sequential {
      readonly decoder = new Sequential([dense(2, { inputShape: [1] })], { seed: 3 })
      get all() {
        return [...this.trainableWeights, ...this.decoder.trainableWeights]
      }
      override trainStep({ x, key }: TrainBatch) {
        const { value, grads, far } = valueAndGrad(this.all, () => {
          const code = this.apply(x)
          const [mean, spread] = [0, 1].map((column) => code.slice([0, column], [x.shape[0], 1]))
          const drawn = mean.add(
            spread
              .mul(0.5)
              .exp()
              .mul(normal(key, [x.shape[0], 1])),
          )
          const far = mean.square().add(spread.exp()).sub(spread).sub(1).mean().mul(0.5)
          return { value: this.decoder.apply(drawn).sub(x).square().mean().add(far), far }
        })
        this.optimizer.step(this.all, grads)
        return { loss: value, far }
      }
    }
    const model = new Vae([dense(2, { inputShape: [2] })], { seed: 1 })
    model.compile({ optimizer: adam(0.05), loss: 'mse' })
    const { history } = await model.fit(x, x, { ...quiet, epochs: 30, batchSize: 6 })
    expect(history.loss.at(-1)).toBeLessThan(history.loss[0])
  })
  test('neither a loss nor targets are needed: without them y is x, and only training works', async () => {
    class Squeeze extends Sequential {
      seen: number[][] = []
      override trainStep({ x, y, xs, ys }: TrainBatch) {
        this.seen.push([...xs[0].shape, ...ys[0].shape])
        const { value, grads } = valueAndGrad(this.trainableWeights, () => this.apply(x).sub(y).square().mean())
        this.optimizer.step(this.trainableWeights, grads)
        return { error: value }
      }
    }
    const squeeze = (): Squeeze => {
      const model = new Squeeze([dense(1, { inputShape: [2] }), dense(2)], { seed: 1 })
      model.compile({ optimizer: adam(0.05) })
      return model
    }
    const model = squeeze()
    const { history } = await model.fit(x, { ...quiet, epochs: 20, batchSize: 4 })
    expect(Object.keys(history)).toEqual(['error'])
    expect(history.error[19]).toBeLessThan(history.error[0])
    // The same as with targets, in whatever form x has them.
    for (const run of [
      (other: Squeeze) => other.fit(x, x, { ...quiet, epochs: 20, batchSize: 4 }),
      (other: Squeeze) => other.fit(tensor(x), { ...quiet, epochs: 20, batchSize: 4 }),
    ]) {
      const other = squeeze()
      await run(other)
      expect(await other.weights[0].data()).toEqual(await model.weights[0].data())
    }
    // Targets of any shape reach the step.
    await model.fit(x, y, { ...quiet, batchSize: 12 })
    expect(model.seen.at(-1)).toEqual([12, 2, 12, 1])
    await expect(model.evaluate(x, x)).rejects.toThrow(/evaluate needs a loss: compile\(\{ optimizer, loss \}\)/)
    await expect(model.fit(x, x, { ...quiet, validationSplit: 0.5 })).rejects.toThrow(/the validation of fit needs a loss/)
    await expect(model.testOnBatch(x, x)).rejects.toThrow(/testOnBatch needs a loss/)
    await expect(model.fit(x, { ...quiet, classWeight: { 0: 1 } })).rejects.toThrow(/classWeight goes with targets/)
    expect(() => model.compile({ optimizer: 'sgd', metrics: ['mae'] })).toThrow(/metrics need a loss/)
    // With a loss there is validation, too.
    model.compile({ optimizer: adam(0.05), loss: 'mse' })
    const held = x.slice(8)
    await model.fit(x, { ...quiet, validationSplit: 1 / 3, batchSize: 4 })
    expect(model.history?.history.val_loss[0]).toBeCloseTo((await model.evaluate(held, held))[0], 5)
    const plain = new Sequential([dense(2, { inputShape: [2] })])
    plain.compile({ optimizer: 'sgd', loss: 'mse' })
    await expect(plain.fit(x, quiet)).rejects.toThrow(/the targets y are missing/)
    await expect(plain.trainOnBatch(x, undefined as never)).rejects.toThrow(/trainOnBatch: y: expected a tensor/)
    expect((await modelFromBytes(await modelToBytes(model))).countParams()).toBe(model.countParams())
  })
  test('what it must return', async () => {
    const wrong = async (result: unknown): Promise<void> => {
      class Wrong extends Sequential {
        override trainStep() {
          return result as never
        }
      }
      const model = new Wrong([dense(2, { inputShape: [2] })], { name: 'mine' })
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      await model.fit(x, x, quiet)
    }
    await expect(wrong(undefined)).rejects.toThrow(/mine.trainStep: must return a record of scalars, such as \{ loss \}, got undefined/)
    await expect(wrong({ loss: 3 })).rejects.toThrow(/mine.trainStep: "loss" must be a scalar tensor, got 3/)
    await expect(wrong(Promise.resolve({}))).rejects.toThrow(/mine.trainStep: must return a record/)
  })
})

test('metricsNames', () => {
  const model = new Sequential([dense(1, { inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] })
  expect(model.metricsNames).toEqual(['loss', 'mae'])
})

test('earlyStopping from an epoch on', async () => {
  const model = new Sequential([dense(1, { inputShape: [2] })], { seed: 1 })
  model.compile({ optimizer: sgd(0), loss: 'mse' })
  const stopping = earlyStopping({ monitor: 'loss', minDelta: 1, startFromEpoch: 3, patience: 1 })
  const { epoch } = await model.fit(x, y, { ...quiet, epochs: 10, callbacks: [stopping] })
  expect([stopping.bestEpoch, epoch.length]).toEqual([3, 5])
  expect(() => earlyStopping({ startFromEpoch: -1 })).toThrow(/startFromEpoch must be a whole number, at least 0/)
})

describe('testStep, predictStep, computeLoss, computeMetrics', () => {
  const compiled = <M extends Sequential>(model: M): M => {
    model.compile({ optimizer: sgd(0.1), loss: 'mse', metrics: ['mae'] })
    return model
  }
  const layers = () => [dense(1, { inputShape: [2], kernelInitializer: 'ones' }), dropout(0.3), new Watch()]
  const weightsOf = async (model: Sequential) => (await model.getWeights()).map(({ data }) => [...data])

  /** The step that fit does, written out. */
  class Same extends Sequential {
    override trainStep(batch: TrainBatch) {
      const losses: Tensor[] = []
      const masks: (Tensor | undefined)[] = []
      const { value, grads, outputs } = valueAndGrad(this.trainableWeights, () => {
        const outputs = this.apply(batch.x, { training: true, key: batch.key, losses, masks })
        return { value: this.computeLoss(batch, outputs, { losses, masks }), outputs, masks }
      })
      this.optimizer.step(this.trainableWeights, grads)
      return { loss: value, ...this.computeMetrics(batch, outputs, { masks }) }
    }
    override testStep(batch: TestBatch) {
      const losses: Tensor[] = []
      const outputs = this.apply(batch.x, { losses })
      return { loss: this.computeLoss(batch, outputs, { losses }), ...this.computeMetrics(batch, outputs) }
    }
  }
  test('a step written out is the step of fit, with weights of samples', async () => {
    const [plain, own] = [compiled(new Sequential(layers(), { seed: 3 })), compiled(new Same(layers(), { seed: 3 }))]
    const options = { ...quiet, epochs: 3, batchSize: 5, validationSplit: 0.25, sampleWeight: x.map((_, i) => 1 + (i % 2)) }
    const [a, b] = [await plain.fit(x, y, options), await own.fit(x, y, options)]
    expect(await weightsOf(own)).toEqual(await weightsOf(plain))
    for (const name of ['loss', 'mae', 'val_loss', 'val_mae']) expect(b.history[name]).toEqual(a.history[name])
    expect(Object.keys(b.history)).toEqual(['loss', 'mae', 'val_loss', 'val_mae'])
    expect(await own.testOnBatch(x, y)).toEqual((await plain.testOnBatch(x, y)).slice(0, 2))
    await expectNoLeaks(() => own.fit(x, y, options))
  })
  test('masks go with them', async () => {
    const texts = [
      [1, 2, 0],
      [3, 0, 0],
    ]
    const make = (Kind: typeof Sequential) => {
      const model = new Kind([embedding(4, 2, { maskZero: true, inputLength: 3 }), lstm(1, { returnSequences: true })], { seed: 1 })
      return compiled(model)
    }
    const targets = texts.map((row) => row.map((n) => [n]))
    const [plain, own] = [make(Sequential), make(Same)]
    const [a, b] = [await plain.fit(texts, targets, quiet), await own.fit(texts, targets, quiet)]
    expect(b.history).toEqual(a.history)
    expect(await weightsOf(own)).toEqual(await weightsOf(plain))
  })
  test('a loss of one’s own without a trainStep: what layers add is among its parts', async () => {
    class Cubed extends Sequential {
      override computeLoss({ y }: TestBatch, predictions: Tensor, { losses = [] }: StepParts): Tensor {
        return losses.reduce((sum, term) => sum.add(term), predictions.sub(y).abs().pow(3).mean())
      }
      override computeMetrics(batch: TestBatch, predictions: Tensor, parts: StepParts) {
        return { ...super.computeMetrics(batch, predictions, parts), highest: predictions.max() }
      }
    }
    const one = [dense(1, { inputShape: [2], kernelInitializer: 'ones' }), new Watch()]
    const model = compiled(new Cubed(one))
    // Prediction 3, target 1: 2³ + 3².
    expect(await model.evaluate([[1, 2]], [[1]], { returnDict: true })).toEqual({ loss: 17, mae: 2, level: 3, highest: 3 })
    const { history } = await model.fit([[1, 2]], [[1]], quiet)
    expect(history.loss).toEqual([17])
    // d/dw: 3·2²·x + 2·3·x = 18·x
    const w = [...(await model.weights[0].data())]
    expect(w.map((v) => Number(v.toFixed(4)))).toEqual([-0.8, -2.6])
  })
  test('predictStep: a tensor or a list, with a row for each sample', async () => {
    class Both extends Sequential {
      override predictStep({ x }: { x: Tensor }) {
        const y = this.apply(x)
        return [y, y.mul(2)]
      }
    }
    const model = new Both([dense(1, { inputShape: [2], kernelInitializer: 'ones' })])
    const [one, two] = await model.predictAll(x, { batchSize: 5 })
    expect([one.shape, two.shape]).toEqual([
      [12, 1],
      [12, 1],
    ])
    expect(await two.data()).toEqual(await one.mul(2).data())
    await expect(model.predict(x)).rejects.toThrow(/predictStep of ".*" gave 2 tensors. Take them all: await model.predictAll\(x\)/)
    class Wrong extends Sequential {
      override predictStep = () => tensor([1, 2]) as never
    }
    await expect(new Wrong([dense(1, { inputShape: [2] })], { name: 'mine' }).predict(x)).rejects.toThrow(
      /mine.predictStep: must return a tensor with a row for each of the 12 samples, or a list of such, got a tensor of float32 \[2\]/,
    )
  })
  test('outside of a step, computeMetrics says so; a wrong result of computeLoss is named', async () => {
    const model = compiled(new Sequential(layers(), { name: 'mine' }))
    const batch = { x: tensor(x), xs: [tensor(x)], y: tensor(y), ys: [tensor(y)], weights: [] }
    expect(() => model.computeMetrics(batch, tensor(y))).toThrow(/mine.computeMetrics: adds to the metrics of fit and evaluate/)
    expect(await model.computeLoss(batch, tensor(y)).item()).toBe(0)
    class Wrong extends Sequential {
      override computeLoss = () => 3 as never
    }
    await expect(compiled(new Wrong(layers(), { name: 'mine' })).fit(x, y, quiet)).rejects.toThrow(
      /mine.computeLoss: must return a scalar tensor, got 3/,
    )
  })
})
