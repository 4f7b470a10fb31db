/**
 * Training is alone with the weights of its model. Calls that would read or change them meanwhile are refused, unless training waits for the caller.
 */
import { memory } from '@cotangent/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type BatchData,
  type Callback,
  dense,
  earlyStopping,
  input,
  type Model,
  model,
  modelToBytes,
  modelToTfjs,
  resetNames,
  Sequential,
  weightAveraging,
  weightsFromBytes,
  weightsToBytes,
} from '../src/index.js'

beforeEach(() => resetNames())

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const y = x.map(([a, b]) => [a - b])
const quiet = { verbose: 0, batchSize: 4 } as const

function regression(): Sequential {
  const net = new Sequential([dense(4, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 3 })
  net.compile({ optimizer: 'adam', loss: 'mse' })
  return net
}
const values = async (net: Model): Promise<number[][]> => (await net.getWeights()).map(({ data }) => [...data])

/** Every method that takes time, and whether it changes weights. */
const calls: Record<string, { changes: boolean; call: (net: Sequential, bytes: Uint8Array) => Promise<unknown> }> = {
  fit: { changes: true, call: (net) => net.fit(x, y, quiet) },
  trainOnBatch: { changes: true, call: (net) => net.trainOnBatch(x, y) },
  evaluate: { changes: false, call: (net) => net.evaluate(x, y) },
  predict: { changes: false, call: (net) => net.predict(x) },
  predictAll: { changes: false, call: (net) => net.predictAll(x) },
  predictProba: { changes: false, call: (net) => net.predictProba(x) },
  predictClasses: { changes: false, call: (net) => net.predictClasses(x) },
  testOnBatch: { changes: false, call: (net) => net.testOnBatch(x, y) },
  getWeights: { changes: false, call: (net) => net.getWeights() },
  modelToBytes: { changes: false, call: (net) => modelToBytes(net) },
  weightsToBytes: { changes: false, call: (net) => weightsToBytes(net, { format: 'npz' }) },
  modelToTfjs: { changes: false, call: (net) => modelToTfjs(net) },
  weightsFromBytes: { changes: true, call: (net, bytes) => weightsFromBytes(net, bytes) },
}

describe('beside each other', () => {
  test('a fit that was not awaited: everything else is refused, and it ends as if alone', async () => {
    const [alone, net] = [regression(), regression()]
    const bytes = await weightsToBytes(net, { format: 'npz' })
    const epochs = 6
    await alone.fit(x, y, { ...quiet, epochs })
    const fit = net.fit(x, y, { ...quiet, epochs })
    const refused = Object.entries(calls).map(([name, { call }]) =>
      expect(call(net, bytes)).rejects.toThrow(
        new RegExp(`^${name}: fit of the model "sequential_2" is still running.*Wait for it first: await model\\.fit\\(…\\)\\.`),
      ),
    )
    expect(() => net.setWeights([[[0]]])).toThrow(/^setWeights: fit of the model/)
    expect(() => net.compile({ optimizer: 'sgd', loss: 'mae' })).toThrow(/^compile: fit of the model/)
    await Promise.all(refused)
    expect((await fit).history.loss).toHaveLength(epochs)
    expect(await values(net)).toEqual(await values(alone))
    // Afterwards every call is allowed again.
    for (const { call } of Object.values(calls)) await call(net, bytes)
    net.compile({ optimizer: 'sgd', loss: 'mae' })
    for (const one of [alone, net]) one.dispose()
  })

  test.each(Object.entries(calls))(
    '%s that was not awaited: what changes weights is refused, what reads is not unless it changes',
    async (name, one) => {
      const net = regression()
      const bytes = await weightsToBytes(net, { format: 'npz' })
      const running = one.call(net, bytes)
      const outcomes = Object.entries(calls).map(async ([other, { changes, call }]) => {
        const refused = changes || one.changes
        // Two calls that only read do not conflict.
        const result = call(net, bytes)
        if (refused) await expect(result, other).rejects.toThrow(new RegExp(`^${other}: \\w+ of the model "sequential_1" is still running`))
        else await result
      })
      await Promise.all([running, ...outcomes])
      await net.fit(x, y, quiet)
      expect(name).toBeTruthy()
      net.dispose()
    },
  )

  test('after a call that failed all is free', async () => {
    const net = regression()
    await expect(net.fit(x, [[1]], quiet)).rejects.toThrow(/has 1 samples/)
    const before = memory().buffers
    await expect(net.fit(x, y, { ...quiet, callbacks: [{ onBatchBegin: () => Promise.reject(new Error('mine')) }] })).rejects.toThrow(
      'mine',
    )
    await net.fit(x, y, quiet)
    expect(memory().buffers - before, 'the state of the optimizer alone').toBeLessThanOrEqual(8)
    net.dispose()
  })

  test('models that share layers are at work on the same weights', async () => {
    const a = input({ shape: [2] })
    const h = dense(4, { activation: 'tanh' }).apply(a)
    const encoder = model({ inputs: a, outputs: h })
    const whole = model({ inputs: a, outputs: dense(1).apply(h) })
    const other = model({ inputs: a, outputs: dense(1).apply(a) })
    for (const one of [whole, other]) one.compile({ optimizer: 'sgd', loss: 'mse' })
    const fit = whole.fit(x, y, quiet)
    await expect(encoder.predict(x)).rejects.toThrow(/^predict: fit of the model "model_2" is still running and works on the same weights/)
    // This model shares only an input.
    await Promise.all([fit, other.fit(x, y, quiet), other.history])
    await encoder.predict(x)
  })

  test('what training leaves alone may be read beside it', async () => {
    const base = new Sequential([dense(3, { inputShape: [2], trainable: false })], { seed: 1 })
    const whole = new Sequential([base, dense(1)], { seed: 2 })
    whole.compile({ optimizer: 'sgd', loss: 'mse' })
    const fit = whole.fit(x, y, quiet)
    await base.predict(x)
    await fit
  })
})

describe('while fit waits for code of the user', () => {
  /** The same with callbacks and without. */
  const trained = async (callbacks: (net: Sequential) => Callback[]): Promise<{ net: Sequential; weights: number[][] }> => {
    const net = regression()
    await net.fit(x, y, { ...quiet, epochs: 2, callbacks: callbacks(net) })
    return { net, weights: await values(net) }
  }
  test('callbacks may read, at every stage, and training has the same bits', async () => {
    const plain = await trained(() => [])
    const seen: number[] = []
    const look = (net: Sequential) => async (): Promise<void> => {
      seen.push((await net.evaluate(x, y))[0])
      ;(await net.predict(x)).dispose()
      await net.getWeights()
    }
    const save = (net: Sequential) => async (): Promise<void> => void (await modelToBytes(net))
    const watched = await trained((net) => [
      {
        onTrainBegin: look(net),
        onEpochBegin: look(net),
        onBatchBegin: look(net),
        onBatchEnd: look(net),
        onEpochEnd: look(net),
        onTrainEnd: look(net),
      },
      { onBatchBegin: (batch) => (batch === 0 ? save(net)() : undefined), onEpochEnd: save(net) },
    ])
    expect(watched.weights).toEqual(plain.weights)
    expect(seen).toHaveLength(2 + 2 * 2 + 2 * 2 * 10)
    expect(seen.at(-1)).toBeLessThan(seen[0])
  })

  test('training waits for what a callback called and did not wait for', async () => {
    const net = regression()
    const pending: Promise<number[]>[] = []
    const first = (await net.evaluate(x, y, { batchSize: 1 }))[0]
    await net.fit(x, y, { ...quiet, callbacks: [{ onTrainBegin: () => void pending.push(net.evaluate(x, y, { batchSize: 1 })) }] })
    expect((await Promise.all(pending))[0][0]).toBe(first)
    expect((await net.evaluate(x, y, { batchSize: 1 }))[0]).not.toBe(first)
  })

  test('callbacks may change weights, but not fit or compile the model that trains', async () => {
    const seen: string[] = []
    const refused = async (run: () => unknown): Promise<void> => {
      try {
        await run()
      } catch (error) {
        seen.push((error as Error).message.replace(/ of the model.*/, ''))
      }
    }
    await trained((net) => [
      {
        async onEpochEnd() {
          net.setWeights((await net.getWeights()).map(({ shape, data }) => ({ shape, data: data.map((v) => v / 2) })))
          await net.trainOnBatch(x, y)
          await refused(() => net.fit(x, y, quiet))
          await refused(() => net.compile({ optimizer: 'sgd', loss: 'mse' }))
        },
      },
      weightAveraging(),
      earlyStopping({ monitor: 'loss', patience: 0, restoreBestWeights: true }),
    ])
    expect(seen.slice(0, 2)).toEqual(['fit: fit', 'compile: fit'])
  })

  test('another model with the same layers may train in a callback, as in adversarial training', async () => {
    const a = input({ shape: [2] })
    const critic = new Sequential([dense(4, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 1 })
    const generator = new Sequential([dense(2, { inputShape: [2] })], { seed: 2 })
    const whole = model({ inputs: a, outputs: critic.apply(generator.apply(a)) })
    for (const one of [critic, whole]) one.compile({ optimizer: 'sgd', loss: 'mse' })
    let epochs = 0
    const onEpochBegin = async (): Promise<void> => {
      const made = await generator.predict(x)
      await critic.fit(made, y, { ...quiet, callbacks: [{ onEpochEnd: async () => void (await critic.predict(x)) }] })
      epochs++
    }
    await whole.fit(x, y, { ...quiet, epochs: 2, callbacks: [{ onEpochBegin }] })
    expect(epochs).toBe(2)
  })

  test('a generator of batches may ask the model for targets', async () => {
    const net = regression()
    async function* source(): AsyncGenerator<BatchData> {
      for (;;) {
        const guess = await net.predict(x)
        yield [x, (await guess.data()).map((v) => v * 0.9) as Float32Array]
        guess.dispose()
      }
    }
    await net.fit(source(), { stepsPerEpoch: 3, epochs: 2, verbose: 0 })
    expect(net.optimizer.steps).toBe(6)
  })
})

describe('an error of an iterator', () => {
  const failing = (stage: 'next' | 'return' | 'both', batch: BatchData = [x, y]): Iterable<BatchData> => ({
    [Symbol.iterator]: () => ({
      next() {
        if (stage !== 'return') throw new Error('next is broken')
        return { value: batch, done: false }
      },
      return() {
        if (stage !== 'next') throw new Error('return is broken')
        return { value: undefined, done: true }
      },
    }),
  })
  const bad: BatchData = [x, [[1]]]
  afterEach(() => resetNames())
  test.each<[string, Iterable<BatchData>, RegExp]>([
    ['in next', failing('next'), /^fit: the iterable failed at batch 1 of epoch 1: next is broken/],
    ['in next, with a return that would fail, too', failing('both'), /^fit: the iterable failed at batch 1 of epoch 1: next is broken/],
    ['in return alone', failing('return'), /^fit: the iterable failed when it was closed: return is broken/],
    ['in return, after another error', failing('return', bad), /^fit: batch 1 of epoch 1: y: has 1 samples, but x has 40/],
  ])('%s', async (_, source, message) => {
    const net = regression()
    await expect(net.fit(source, { stepsPerEpoch: 1, verbose: 0 })).rejects.toThrow(message)
    const trained = net.optimizer.steps
    await expect(net.fit(x, y, { ...quiet, validationData: source, validationSteps: 1 })).rejects.toThrow(
      /next is broken|return is broken|has 1 samples/,
    )
    // A fault of the first validation batch is reported before training, one at the end after it.
    expect(net.optimizer.steps).toBe(trained + (String(message).includes('closed') ? 10 : 0))
    net.dispose()
  })
})
