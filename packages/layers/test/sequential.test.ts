/** Sequential models: they learn, their randomness follows from the seed, layers are added and removed. */
import { debug, expectNoLeaks, foldKey, key, memory, normal, permutation, type Tensor, valueAndGrad } from '@cotangent/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { activation, adam, batches, dense, dropout, flatten, l2, losses, type ModelOptions, resetNames, Sequential } from '../src/index.js'
import { classifier, corners, quiet, weightsOf } from './corners.js'

beforeEach(() => resetNames())
afterEach(() => void debug({ nonFinite: false }))

describe('learning', () => {
  test('three corners are learned, and nothing leaks', async () => {
    const { x, y, labels } = corners(150)
    const model = classifier()
    await model.fit(x, y, { epochs: 1, ...quiet })
    await expectNoLeaks(async () => {
      const { history } = await model.fit(x, y, { epochs: 20, batchSize: 16, validationSplit: 0.2, ...quiet })
      expect(history.loss.length).toBe(20)
      expect(history.val_accuracy.at(-1)).toBeGreaterThan(0.95)
    })
    const [loss, accuracy] = await model.evaluate(x, y)
    expect(accuracy).toBeGreaterThan(0.97)
    expect(loss).toBeLessThan(0.2)
    const classes = await model.predictClasses(x)
    expect([...classes].filter((c, i) => c === labels[i]).length / 150).toBeCloseTo(accuracy, 6)
    const probabilities = await model.predictProba(x, { batchSize: 64 })
    for (const row of (await probabilities.array()) as number[][]) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    probabilities.dispose()
    const before = memory().buffers
    model.dispose()
    expect(memory().buffers).toBeLessThan(before)
  })

  test('a loop by hand is flat in memory: 2,000 steps without a scope call', async () => {
    const { x, y } = corners(64)
    const model = new Sequential([dense(16, { activation: 'relu', inputShape: [2] }), dropout(0.2), dense(3)], { seed: 3 })
    const optimizer = adam()
    let atTen: ReturnType<typeof memory> | undefined
    let step = 0
    let last = Infinity
    for (let epoch = 0; step < 2000; epoch++) {
      for (const [xs, ys] of batches(x, y, { batchSize: 10, order: permutation(foldKey(key(5), epoch), 64) })) {
        const { value, grads } = valueAndGrad(model.params, () =>
          losses.categoricalCrossentropy(ys, model.apply(xs, { training: true, key: foldKey(key(6), step) }), { fromLogits: true }).mean(),
        )
        optimizer.step(model.params, grads)
        if (++step === 10) atTen = memory()
        if (step === 2000) {
          last = await value.item()
          expect(memory()).toEqual({ ...atTen })
          break
        }
      }
    }
    expect(last).toBeLessThan(0.4)
    model.dispose()
    optimizer.dispose()
  })

  test('regression with targets of one axis', async () => {
    const x = normal(key(1), [64, 3])
    const y = (await x.data()).slice().filter((_, i) => i % 3 === 0) // the first column
    const model = new Sequential([dense(1, { inputShape: [3] })], { seed: 1 })
    model.compile({ optimizer: { className: 'SGD', config: { learningRate: 0.1 } }, loss: 'mse', metrics: ['mae'] })
    await model.fit(x, { data: y as Float32Array, shape: [64] }, { epochs: 30, ...quiet })
    const [mse, mae] = await model.evaluate(x, [...y])
    expect(mse).toBeLessThan(1e-3)
    expect(mae).toBeLessThan(0.03)
    x.dispose()
    model.dispose()
  })
})

describe('randomness', () => {
  test('the same seed gives the same bits, whatever was made before; another seed does not', async () => {
    const { x, y } = corners(60)
    const train = async (options: ModelOptions): Promise<number[][]> => {
      const model = classifier(options)
      await model.fit(x, y, { epochs: 2, batchSize: 7, ...quiet })
      const weights = await weightsOf(model)
      model.dispose()
      return weights
    }
    const first = await train({ seed: 7 })
    dense(3)
    expect(await train({ seed: 7 })).toEqual(first)
    expect(await train({ seed: 8 })).not.toEqual(first)
  })
  test('fit({ seed }) changes the order of samples only', async () => {
    const { x, y } = corners(60)
    const losses = await Promise.all(
      [{}, { seed: 1 }, { seed: 1 }, { shuffle: false }].map(async (options) => {
        const model = classifier({ seed: 7 })
        const { history } = await model.fit(x, y, { epochs: 2, batchSize: 7, ...quiet, ...options })
        model.dispose()
        return history.loss
      }),
    )
    expect(losses[1]).toEqual(losses[2])
    expect(losses[0]).not.toEqual(losses[1])
    expect(losses[3]).not.toEqual(losses[1])
  })
  test('without a seed one is drawn and kept', () => {
    const [a, b] = [new Sequential(), new Sequential()]
    expect(a.seed).not.toBe(b.seed)
    expect(Number.isInteger(a.seed)).toBe(true)
  })
  test("shuffle: 'batch' keeps batches whole", async () => {
    const seen: number[][] = []
    const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 })
    // A loss that only looks.
    const watch = (_t: Tensor, p: Tensor): Tensor => p.square().mean({ axis: -1 })
    model.compile({ optimizer: 'sgd', loss: watch })
    const take = model.run.bind(model)
    model.run = (xs, context, logits) => {
      const [x] = xs
      seen.push([...((x.backend.readSync as (s: typeof x.storage) => Float32Array)(x.storage) ?? [])])
      return take(xs, context, logits)
    }
    const x = Array.from({ length: 10 }, (_, i) => [i])
    await model.fit(x, x, { batchSize: 4, shuffle: 'batch', seed: 3, ...quiet })
    expect(seen.map((batch) => batch.length)).toEqual([4, 4, 2])
    for (const batch of seen.slice(0, 2)) expect([[0, 1, 2, 3].join(), [4, 5, 6, 7].join()]).toContain(batch.join())
    expect(seen[2]).toEqual([8, 9])
    model.dispose()
  })
})

describe('structure', () => {
  test('add, pop, lazy build', async () => {
    const model = new Sequential([dense(4), activation('relu')], { seed: 1 })
    expect(model.built).toBe(false)
    expect(model.weights).toEqual([])
    expect(() => model.summaryLines()).toThrow(/not built/)
    model.add(dense(2))
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit([[1, 2, 3]], [[0, 1]], quiet)
    expect(model.weights.map((w) => w.shape)).toEqual([[3, 4], [4], [4, 2], [2]])
    model.pop()
    expect(model.outputShapeOf()).toEqual([null, 4])
    expect(() => new Sequential().pop()).toThrow(/no layers/)
    expect(() => model.add('dense' as never)).toThrow(/expected a layer/)
    expect(() => model.add(model.layers[0])).toThrow(/already/)
    model.dispose()
  })
  test('a layer that does not fit leaves the model as it was', () => {
    const model = new Sequential([dense(4, { inputShape: [3] })], { seed: 1 })
    expect(() => model.add(flattenThenReshape())).toThrow(/do not fill/)
    expect(model.layers.length).toBe(1)
    expect(model.built).toBe(true)
    model.dispose()
  })
  test('summary of document 003, in both styles', () => {
    const layers = () => [
      dense(128, { inputShape: [784] }),
      activation('relu'),
      dropout(0.3),
      dense(128),
      activation('relu'),
      dropout(0.3),
      dense(10),
      activation('softmax'),
    ]
    const model = new Sequential(layers(), { seed: 1 })
    const lines = model.summaryLines()
    expect(lines[0]).toBe('Model: "sequential_1"')
    expect(lines).toContain('dense_1 (Dense)              (None, 128)               100480    ')
    expect(lines).toContain('Total params: 118,282')
    expect(model.summaryLines('2.2.4')).toEqual(lines.slice(1))
    expect(model.countParams()).toBe(118_282)
    model.dispose()
  })
  test('trainable is read by compile', async () => {
    const model = new Sequential([dense(3, { inputShape: [2] }), dense(1)], { seed: 1 })
    model.layers[0].trainable = false
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    expect(model.summaryLines().slice(-4)).toEqual(['Total params: 13', 'Trainable params: 4', 'Non-trainable params: 9', '_'.repeat(65)])
    const [kernel] = await weightsOf(model)
    await model.fit([[1, 2]], [[3]], { epochs: 3, ...quiet })
    expect((await weightsOf(model))[0]).toEqual(kernel)
    model.layers[0].trainable = true
    await model.fit([[1, 2]], [[3]], { epochs: 3, ...quiet })
    expect((await weightsOf(model))[0], 'no effect before the next compile').toEqual(kernel)
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit([[1, 2]], [[3]], { epochs: 3, ...quiet })
    expect((await weightsOf(model))[0]).not.toEqual(kernel)
    model.dispose()
  })
  test('getWeights and setWeights; a wrong set changes nothing', async () => {
    const model = new Sequential([dense(2, { inputShape: [2] })], { seed: 1 })
    const before = await weightsOf(model)
    expect(() => model.setWeights([[[1, 2]], [1, 2]])).toThrow(
      /setWeights: value 0 \("dense_1\/kernel"\): has shape \[1, 2\], the weight \[2, 2\]/,
    )
    expect(() =>
      model.setWeights([
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    ).toThrow(/has 2 weights, got 1/)
    expect(() =>
      model.setWeights([
        [
          [1, 2],
          [3, 4],
        ],
        [1, 2, 3],
      ]),
    ).toThrow(/bias/)
    expect(await weightsOf(model)).toEqual(before)
    model.setWeights([
      [
        [1, 2],
        [3, 4],
      ],
      { shape: [2], data: Float32Array.of(5, 6) },
    ])
    expect(await weightsOf(model)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ])
    model.dispose()
  })
  test('penalties count in training and validation loss', async () => {
    const model = new Sequential([dense(1, { inputShape: [1], kernelRegularizer: l2(0.5), kernelInitializer: 'ones' })], { seed: 1 })
    model.compile({ optimizer: { className: 'SGD', config: { learningRate: 0 } }, loss: 'mse' })
    const { history } = await model.fit([[2]], [[2]], { validationData: [[[2]], [[2]]], ...quiet })
    expect(history).toEqual({ loss: [0.5], val_loss: [0.5] })
    expect(await model.evaluate([[2]], [[3]])).toEqual([1.5])
    model.dispose()
  })
})

const flattenThenReshape = () => {
  const layer = flatten()
  layer.outputShape = () => {
    throw new Error('do not fill')
  }
  return layer
}
