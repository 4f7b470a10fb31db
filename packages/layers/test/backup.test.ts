/** A training that is cut off and goes on from its backup has the bits of one that was not. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foldKey, normal, valueAndGrad } from '@cotangent/core'
import { afterAll, describe, expect, test } from 'vitest'
import {
  adam,
  BackupAndRestore,
  batchNormalization,
  type Callback,
  dense,
  dropout,
  exponentialDecay,
  learningRateScheduler,
  lstm,
  type Optimizer,
  reshape,
  Sequential,
  sgd,
  type TrainBatch,
} from '../src/index.js'
import { backupAndRestore } from '../src/node/index.js'

const folder = mkdtempSync(join(tmpdir(), 'backup-'))
afterAll(() => rmSync(folder, { recursive: true }))

const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 5) / 5])
const y = x.map(([a, b, c]) => [a * b - c])
const options = { batchSize: 4, epochs: 4, verbose: 0 } as const

/** Makes a model. Without a seed it has weights and draws of its own. */
type Make = (seed?: number) => Sequential

const network =
  (optimizer: () => Optimizer = adam): Make =>
  (seed) => {
    const layers = [dense(4, { activation: 'tanh', inputShape: [3] }), batchNormalization(), dropout(0.3), dense(1)]
    const model = new Sequential(layers, { seed })
    model.compile({ optimizer: optimizer(), loss: 'mse', metrics: ['mae'] })
    return model
  }

/** Two networks, the second in a property, each with an optimizer; draws of its own. */
class Gan extends Sequential {
  readonly critic = new Sequential([dense(1, { inputShape: [1] })], { seed: this.seed + 1 })
  readonly criticOptimizer = adam(0.01)
  override trainStep({ x, y, key }: TrainBatch) {
    const { weights } = this.critic
    const critic = valueAndGrad(weights, () => this.critic.apply(y).softplus().mean())
    this.criticOptimizer.step(weights, critic.grads)
    const noise = normal(foldKey(key, 1), x.shape)
    const made = valueAndGrad(this.trainableWeights, () =>
      this.critic
        .apply(this.apply(x.add(noise)))
        .square()
        .mean(),
    )
    this.optimizer.step(this.trainableWeights, made.grads)
    return { critic: critic.value, made: made.value }
  }
}
const gan: Make = (seed) => {
  const model = new Gan([dense(1, { inputShape: [3] })], { seed })
  model.compile({ optimizer: adam(), loss: 'mse' })
  return model
}
const stateful: Make = (seed) => {
  const model = new Sequential([reshape([3, 1], { batchInputShape: [4, 3] }), lstm(3, { stateful: true }), dense(1)], { seed })
  model.compile({ optimizer: adam(), loss: 'mse' })
  return model
}

/** Crashes before the batch with that number in all. */
function crashAt(batch: number): Callback {
  let seen = 0
  return {
    onBatchBegin() {
      if (seen++ === batch) throw new Error('power cut')
    },
  }
}

const falling = (): Callback => learningRateScheduler((_, rate) => rate * 0.9)
const decaying = (): Optimizer => sgd(exponentialDecay({ initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.9 }))
const averaging = (): Optimizer => sgd({ momentum: 0.9, gradientAccumulationSteps: 3, useEma: true })

/** Batches that go on from epoch to epoch. */
function* stream() {
  for (let i = 0; ; i++) yield [[[Math.sin(i), Math.cos(i), i % 3]], [[Math.sin(i + 1)]]] as const
}
const again = { *[Symbol.iterator]() { for (let i = 0; i < 5; i++) yield [[x[i], x[i + 5]], [y[i], y[i + 5]]] as const } } // biome-ignore format: one line

type Fit = (model: Sequential, callbacks: Callback[]) => ReturnType<Sequential['fit']>
const arrays: Fit = (model, callbacks) => model.fit(x, y, { ...options, validationData: [x.slice(0, 8), y.slice(0, 8)], callbacks })
const streams: Fit = (model, callbacks) =>
  model.fit(stream(), {
    epochs: 4,
    stepsPerEpoch: 5,
    verbose: 0,
    validationData: stream(),
    validationSteps: 2,
    validationFreq: 2,
    callbacks,
  })
const passes: Fit = (model, callbacks) => model.fit(again, { epochs: 4, verbose: 0, callbacks })

/** 5 batches an epoch. */
const cases: [string, Make, 'epoch' | number, number, Fit?, (() => Callback)?][] = [
  ['by epochs', network(), 'epoch', 13],
  ['by batches', network(), 3, 13],
  ['by batches, at the end of an epoch', network(), 5, 12],
  ['before there is a backup', network(), 'epoch', 2],
  ['a schedule', network(decaying), 3, 14],
  ['accumulation and means', network(averaging), 2, 8],
  ['a rate that falls from itself', network(() => sgd(0.1)), 3, 13, arrays, falling],
  ['the same by epochs', network(() => sgd(0.1)), 'epoch', 13, arrays, falling],
  ['two networks, a step of one’s own', gan, 3, 13],
  ['a stateful layer', stateful, 3, 13],
  ['a generator', network(), 3, 13, streams],
  ['a generator, by epochs', network(), 'epoch', 18, streams],
  ['an iterable that starts anew', network(), 3, 13, passes],
]

const bitsOf = async (model: Sequential): Promise<unknown> => ({
  weights: (await model.getWeights()).map(({ data }) => data),
  critic: model instanceof Gan && (await model.critic.getWeights()).map(({ data }) => data),
  state: (await model.optimizer.getWeights()).map(({ data }) => [...data]),
  rate: model.optimizer.learningRate,
})

test.each(cases)('the same bits: %s', async (name, make, saveFreq, crash, fit = arrays, further) => {
  const path = join(folder, name)
  const callbacks = (more: Callback[] = []): Callback[] => [...(further ? [further()] : []), ...more]
  const whole = make(7)
  const { history } = await fit(whole, callbacks())
  const backup = (): Callback => backupAndRestore(path, { saveFreq })
  await expect(fit(make(7), callbacks([crashAt(crash), backup()]))).rejects.toThrow('power cut')
  const resumed = make(crash === 2 ? 7 : undefined)
  const { history: rest, epoch } = await fit(resumed, callbacks([backup()]))
  expect(await bitsOf(resumed)).toEqual(await bitsOf(whole))
  if (crash > 5) expect(epoch.length).toBeLessThan(4)
  for (const [of, values] of Object.entries(rest)) expect([of, values]).toEqual([of, history[of].slice(-values.length)])
  expect(existsSync(path)).toBe(false)
})

describe('the backup', () => {
  const cut = async (path: string, crash = 7): Promise<void> => {
    const callbacks = [backupAndRestore(path, { saveFreq: 2 }), crashAt(crash)]
    await expect(arrays(network()(1), callbacks)).rejects.toThrow('power cut')
  }
  test('it stays with deleteCheckpoint: false, and training goes on from its end', async () => {
    const path = join(folder, 'kept')
    const keep = (): Callback => backupAndRestore(path, { deleteCheckpoint: false })
    const whole = network()(3)
    await whole.fit(x, y, { ...options, epochs: 3 })
    await network()(3).fit(x, y, { ...options, epochs: 2, callbacks: [keep()] })
    expect(readdirSync(path)).toEqual(['training.safetensors'])
    const more = network()()
    const { epoch } = await more.fit(x, y, { ...options, epochs: 3, callbacks: [keep()] })
    expect(epoch).toEqual([2])
    expect(await bitsOf(more)).toEqual(await bitsOf(whole))
  })
  test('other files in the folder stay', async () => {
    const path = join(folder, 'shared')
    await cut(path)
    writeFileSync(join(path, 'notes'), '')
    await arrays(network()(1), [backupAndRestore(path)])
    expect(readdirSync(path)).toEqual(['notes'])
  })
  test('a damaged one, and one of another model, are errors before training, and nothing has changed', async () => {
    const path = join(folder, 'damaged')
    await cut(path)
    const other = new Sequential([dense(4, { inputShape: [3] }), dense(1)], { seed: 1 })
    other.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = await bitsOf(other)
    await expect(arrays(other, [backupAndRestore(path)])).rejects.toThrow(
      /backupAndRestore: the backup is of another training than that of "sequential_\d+": it has 8 weights, and the model 4. Build the same model/,
    )
    await expect(arrays(network(() => sgd())(), [backupAndRestore(path)])).rejects.toThrow(
      /its optimizer is Adam, and that of the model SGD/,
    )
    const file = join(path, 'training.safetensors')
    writeFileSync(file, readFileSync(file).subarray(0, 900))
    await expect(arrays(other, [backupAndRestore(path)])).rejects.toThrow(
      /is no backup that can be read: .* Remove it to train from the start/,
    )
    expect(await bitsOf(other)).toEqual(before)
  })
  test('a save that fails leaves the one before it', async () => {
    const states: unknown[] = []
    const store = {
      read: async () => undefined,
      write: async (state: unknown) => {
        if (states.length === 2) throw new Error('full')
        states.push(state)
      },
      remove: async () => {},
    }
    await expect(arrays(network()(), [new BackupAndRestore(store)])).rejects.toThrow('full')
    expect(states).toHaveLength(2)
  })
  test('what is wrong is said', async () => {
    expect(() => backupAndRestore('x', { saveFreq: 0 })).toThrow(
      /backupAndRestore: saveFreq, if it is not 'epoch', must be a whole number, at least 1, got 0/,
    )
    expect(() => backupAndRestore('')).toThrow(/the backup directory/)
    expect(() => new BackupAndRestore({} as never)).toThrow(/the store must be an object with functions read, write and remove/)
    writeFileSync(join(folder, 'file'), '')
    await expect(arrays(network()(), [backupAndRestore(join(folder, 'file'))])).rejects.toThrow(
      /backupAndRestore: .*file" cannot be written/,
    )
  })
})
