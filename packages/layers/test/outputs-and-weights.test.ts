/**
 * Losses, metrics and weights of several outputs, samples, steps and classes, compared with numbers worked out by hand. One file, since all cases share two models.
 */
import { expectNoLeaks, key, normal, scope, type Tensor, tensor } from '@cotangent/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  activation,
  type CompileOptions,
  dense,
  type EvaluateOptions,
  embedding,
  type FitOptions,
  flatten,
  input,
  l2,
  losses,
  lstm,
  model,
  resetNames,
  Sequential,
  timeDistributed,
} from '../src/index.js'

beforeEach(resetNames)

const quiet = { verbose: 0 } as const

/** The outputs are the inputs, `a` [n, 2] and `b` [n, 1], so losses can be computed from the data by hand. */
function identity() {
  const [a, b] = [input({ shape: [2], name: 'in_a' }), input({ shape: [1], name: 'in_b' })]
  return model({
    inputs: [a, b],
    outputs: [activation('linear', { name: 'a' }).apply(a), activation('linear', { name: 'b' }).apply(b)],
    seed: 1,
  })
}
const xs = [
  [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
  [[1], [2], [3]],
]
const ys = [
  [
    [0, 0],
    [3, 3],
    [1, 6],
  ],
  [[0], [4], [3]],
]
/** Mean squared errors of the samples, and absolute ones. */
const [mseA, mseB, maeB] = [
  [2.5, 0.5, 8],
  [1, 4, 0],
  [1, 2, 0],
]
const mean = (values: readonly number[], weights: readonly number[] = values.map(() => 1)): number =>
  values.reduce((sum, v, i) => sum + v * weights[i], 0) / values.length

async function evaluated(options: Omit<CompileOptions, 'optimizer'>, more: EvaluateOptions = {}) {
  const graph = identity()
  graph.compile({ optimizer: 'sgd', ...options })
  const values = await graph.evaluate(xs, ys, { batchSize: 2, ...more })
  return { names: graph.trainer().names, values }
}

describe('losses and metrics by output', () => {
  test('one loss for all, named as Keras 2.3 does', async () => {
    const { names, values } = await evaluated({ loss: 'mse', metrics: ['mae'] })
    expect(names).toEqual(['loss', 'a_loss', 'b_loss', 'a_mae', 'b_mae'])
    const maeA = mean([1.5, 0.5, 2])
    for (const [i, v] of [mean(mseA) + mean(mseB), mean(mseA), mean(mseB), maeA, mean(maeB)].entries()) expect(values[i]).toBeCloseTo(v, 5)
  })
  test.each<[string, Omit<CompileOptions, 'optimizer'>]>([
    ['lists', { loss: ['mse', 'mae'], lossWeights: [0.5, 3], metrics: [[], ['mse', 'mae']] }],
    ['records', { loss: { b: 'mae', a: 'mse' }, lossWeights: { a: 0.5, b: 3 }, metrics: { b: ['mse', 'mae'] } }],
  ])('each its own, in %s', async (_, options) => {
    const { names, values } = await evaluated(options)
    expect(names).toEqual(['loss', 'a_loss', 'b_loss', 'b_mse', 'b_mae'])
    const expected = [0.5 * mean(mseA) + 3 * mean(maeB), mean(mseA), mean(maeB), mean(mseB), mean(maeB)]
    for (const [i, v] of expected.entries()) expect(values[i]).toBeCloseTo(v, 5)
  })
  test('an output whose loss is null has no targets', async () => {
    const graph = identity()
    graph.compile({ optimizer: 'sgd', loss: { a: null, b: 'mse' }, metrics: ['mae'], weightedMetrics: { b: 'mae' } })
    const [loss, ofB, mae] = await graph.evaluate(xs, ys[1], { sampleWeight: [1, 0, 1] })
    expect(graph.trainer().names).toEqual(['loss', 'b_loss', 'b_mae', 'b_mae_1'])
    expect([loss, ofB, mae]).toEqual([mean(mseB, [1, 0, 1]), mean(mseB, [1, 0, 1]), mean(maeB)].map((v) => expect.closeTo(v, 5)))
    expect((await graph.testOnBatch(xs, { b: ys[1] }))[0]).toBeCloseTo(mean(mseB), 5)
    await expect(graph.evaluate(xs, ys)).rejects.toThrow(/evaluate: y: nested arrays must be regular/)
    expect(await graph.predictAll(xs)).toHaveLength(2)
  })
  test('a weight left out is 1, a metric listed twice gets a number', async () => {
    const { names, values } = await evaluated({
      loss: 'mse',
      lossWeights: { b: 2 },
      metrics: { a: 'mae' },
      weightedMetrics: { a: ['mae'] },
    })
    expect(names).toEqual(['loss', 'a_loss', 'b_loss', 'a_mae', 'a_mae_1'])
    expect(values[0]).toBeCloseTo(mean(mseA) + 2 * mean(mseB), 5)
  })
  test('fit tells them all, with val_', async () => {
    const graph = identity()
    const [pa, pb] = graph.layers.filter((layer) => layer.className === 'Activation')
    expect([pa.name, pb.name]).toEqual(['a', 'b'])
    const [x, z] = [input({ shape: [2] }), input({ shape: [1] })]
    const trained = model({
      inputs: [x, z],
      outputs: [dense(2, { name: 'a', kernelRegularizer: l2(0.1) }).apply(x), dense(1, { name: 'b' }).apply(z)],
      seed: 2,
    })
    trained.compile({ optimizer: 'adam', loss: 'mse', metrics: { b: 'mae' } })
    const { history } = await trained.fit(xs, { a: ys[0], b: ys[1] }, { epochs: 2, validationData: [xs, ys], ...quiet })
    expect(Object.keys(history).sort()).toEqual(['a_loss', 'b_loss', 'b_mae', 'loss', 'val_a_loss', 'val_b_loss', 'val_b_mae', 'val_loss'])
    // The rest of the loss is the penalty.
    const penalty = history.val_loss[1] - history.val_a_loss[1] - history.val_b_loss[1]
    const [expected] = trained.penalties()
    expect(penalty).toBeCloseTo(await expected.item(), 4)
  })
  test.each<[string, Omit<CompileOptions, 'optimizer'>, RegExp]>([
    ['an unknown output', { loss: { a: 'mse', c: 'mse' } }, /no output in loss called "c"/],
    ['an output without loss', { loss: { a: 'mse' } }, /no loss for the output "b"; null says/],
    ['no loss at all', { loss: [null, null] }, /at least one output needs a loss/],
    ['too many losses', { loss: ['mse', 'mse', 'mse'] }, /loss has 3 entries for 2 outputs \(a, b\)/],
    ['an unknown weight', { loss: 'mse', lossWeights: { c: 1 } }, /no output in lossWeights called "c"/],
    ['metrics for three', { loss: 'mse', metrics: [['mae'], ['mae'], ['mae']] }, /metrics has 3 entries/],
  ])('refuses %s', (_, options, message) => {
    expect(() => identity().compile({ optimizer: 'sgd', ...options })).toThrow(message)
  })
  test('softmax outputs get logits, one used further its values, too', async () => {
    const x = input({ shape: [2] })
    const classes = dense(3, { activation: 'softmax', name: 'classes' }).apply(x)
    const graph = model({ inputs: x, outputs: [classes, dense(1, { name: 'score' }).apply(classes)], seed: 4 })
    graph.compile({ optimizer: 'adam', loss: ['sparseCategoricalCrossentropy', 'mse'], metrics: { classes: 'accuracy' } })
    expect(graph.trainer().outputs.map(({ fromLogits }) => fromLogits)).toEqual([true, false])
    const data = scope(() => normal(key(1), [12, 2]).keep())
    const targets = [Array.from({ length: 12 }, (_, i) => i % 3), Array.from({ length: 12 }, () => [1])]
    const [p, score] = await graph.predictAll(data)
    const [pv, sv] = [await p.data(), await score.data()]
    const [loss, ce, mse] = await graph.evaluate(data, targets)
    expect(ce).toBeCloseTo(mean(targets[0].map((c, i) => -Math.log(pv[3 * i + (c as number)]))), 5)
    expect(mse).toBeCloseTo(mean([...sv].map((v) => (v - 1) ** 2)), 5)
    expect(loss).toBeCloseTo(ce + mse, 5)
    await graph.fit(data, targets, { epochs: 2, ...quiet })
    await expect(graph.predict(data)).rejects.toThrow(/has 2 outputs.*predictAll/)
    expect(() => graph.apply(data)).toThrow(/has 2 outputs.*applyAll/)
    await expect(graph.fit(data, [Array(12).fill(7), targets[1]], quiet)).rejects.toThrow(/Label 7 at position 0/)
  })
  test('the penalty on activities is on probabilities, though the loss has the logits', async () => {
    const m = new Sequential([dense(3, { activation: 'softmax', inputShape: [2], activityRegularizer: l2(0.5) })], { seed: 1 })
    m.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    const data = scope(() => normal(key(1), [4, 2]).keep())
    const p = [...(await (await m.predict(data)).data())]
    const [loss] = await m.evaluate(data, [0, 1, 2, 0])
    const crossentropy = mean([0, 1, 2, 0].map((c, i) => -Math.log(p[3 * i + c])))
    expect(loss).toBeCloseTo(crossentropy + 0.5 * p.reduce((sum, v) => sum + v * v, 0), 5)
  })
  test('batches from an iterable, by name, with weights', async () => {
    const graph = identity()
    graph.compile({ optimizer: 'sgd', loss: 'mse' })
    const batch = [{ in_a: xs[0], in_b: xs[1] }, { a: ys[0], b: ys[1] }, { b: [1, 0, 2] }] as const
    const [loss, a, b] = await graph.evaluate([batch] as never)
    expect([a, b]).toEqual([expect.closeTo(mean(mseA), 5), expect.closeTo(mean(mseB, [1, 0, 2]), 5)])
    expect(loss).toBeCloseTo(a + b, 5)
  })
})

describe('sample weights', () => {
  const weights = [2, 0, 0.5]
  test('are factors of the losses, over the number of samples', async () => {
    const one = await evaluated({ loss: 'mse', metrics: ['mae'], weightedMetrics: ['mae'] }, { sampleWeight: [weights, [1, 1, 0]] })
    expect(one.values[1]).toBeCloseTo(mean(mseA, weights), 5)
    expect(one.values[2]).toBeCloseTo(mean(mseB, [1, 1, 0]), 5)
    const byName = Object.fromEntries(one.names.map((name, i) => [name, one.values[i]]))
    expect(byName.b_mae).toBeCloseTo(mean(maeB), 5)
    // A weighted metric is over the sum of weights.
    expect(byName.b_mae_1).toBeCloseTo((1 + 2) / 2, 5)
    expect(byName.a_mae_1).toBeCloseTo((2 * 1.5 + 0.5 * 2) / 2.5, 5)
    const both = await evaluated({ loss: 'mse' }, { sampleWeight: weights })
    expect(both.values.slice(1)).toEqual([expect.closeTo(mean(mseA, weights), 5), expect.closeTo(mean(mseB, weights), 5)])
    const some = await evaluated({ loss: 'mse' }, { sampleWeight: { b: weights } })
    expect(some.values.slice(1)).toEqual([expect.closeTo(mean(mseA), 5), expect.closeTo(mean(mseB, weights), 5)])
  })

  const data = scope(() => ({ x: normal(key(1), [8, 3]).keep(), y: normal(key(2), [8, 1]).keep() }))
  const net = () => {
    const m = new Sequential([dense(4, { activation: 'tanh', inputShape: [3] }), dense(1)], { seed: 3 })
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    return m
  }
  const trained = async (x: Tensor, y: Tensor, options: FitOptions): Promise<number[]> => {
    const m = net()
    await m.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false, ...quiet, ...options })
    const values = (await m.getWeights()).flatMap((w) => [...w.data])
    m.dispose()
    return values
  }

  test('of 0 and 2 are training on half of the samples', async () => {
    const half = await trained(data.x.slice([0, 0], [4, 3]), data.y.slice([0, 0], [4, 1]), { batchSize: 4 })
    const weighted = await trained(data.x, data.y, { sampleWeight: [2, 2, 2, 2, 0, 0, 0, 0] })
    for (const [i, v] of half.entries()) expect(weighted[i]).toBeCloseTo(v, 5)
  })

  test('any whole numbers are as many copies, times a factor', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 }), async (counts) => {
        const total = counts.reduce((a, b) => a + b, 0)
        fc.pre(total > 0)
        const rows = counts.flatMap((count, i) => Array(count).fill(i))
        const [x, y] = scope(() => [data.x, data.y].map((t) => t.gather(tensor(Int32Array.from(rows))).keep()))
        const copies = await trained(x, y, { batchSize: total, epochs: 1 })
        const weighted = await trained(data.x, data.y, { epochs: 1, sampleWeight: counts.map((c) => (c * 8) / total) })
        for (const [i, v] of copies.entries()) expect(weighted[i]).toBeCloseTo(v, 4)
        x.dispose()
        y.dispose()
      }),
      { numRuns: 10 },
    )
  })

  test('go with their samples when shuffled and split, and into validation', async () => {
    // The target says the weight, so mixing up samples would show.
    const y = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1].map((v) => [v])
    const weight = y.map(([v]) => 1 - v)
    const x = y.map((row) => [...row, ...row, ...row])
    const m = new Sequential([dense(1, { inputShape: [3], kernelInitializer: 'zeros' })], { seed: 3 })
    m.compile({ optimizer: 'sgd', loss: 'mse' })
    const { history } = await m.fit(x, y, { epochs: 2, batchSize: 3, sampleWeight: weight, validationSplit: 0.4, ...quiet })
    // All samples that count are predicted without error from the start.
    expect(history.loss).toEqual([0, 0])
    expect(history.val_loss).toEqual([0, 0])
    const other = await m.fit(x, y, { epochs: 1, sampleWeight: weight, validationData: [x, y, y.map(() => 3)], ...quiet })
    expect(other.history.val_loss).toEqual([1.5])
  })

  test('of steps', async () => {
    const m = new Sequential([activation('linear', { inputShape: [3, 2] })], { seed: 1 })
    m.compile({ optimizer: 'sgd', loss: 'mse', weightedMetrics: ['mae'] })
    const x = [
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ]
    const zeros = x.map((rows) => rows.map((row) => row.map(() => 0)))
    const [loss, mae] = await m.evaluate(x, zeros, { sampleWeight: [[1, 0, 2]] })
    expect(loss).toBeCloseTo((1 * 1 + 0 * 4 + 2 * 9) / 3, 5)
    expect(mae).toBeCloseTo((1 * 1 + 0 * 2 + 2 * 3) / 3, 5)
  })

  test('with a mask: what is masked counts nothing, whatever its weight', async () => {
    const m = new Sequential(
      [embedding(9, 3, { maskZero: true, inputLength: 3 }), lstm(2, { returnSequences: true }), timeDistributed(dense(1))],
      { seed: 1 },
    )
    m.compile({ optimizer: 'sgd', loss: 'mae', metrics: ['mae'], weightedMetrics: ['mae'] })
    const x = [
      [1, 2, 0],
      [3, 0, 0],
    ]
    const p = (await (await m.predict(x)).array()) as number[][][]
    const zeros = p.map((rows) => rows.map((row) => row.map(() => 0)))
    const size = (i: number, t: number): number => Math.abs(p[i][t][0])
    const [loss, mae, weighted] = await m.evaluate(x, zeros, { sampleWeight: [1, 4] })
    expect(loss).toBeCloseTo((size(0, 0) + size(0, 1) + 4 * size(1, 0)) / 6, 5)
    expect(mae).toBeCloseTo((size(0, 0) + size(0, 1) + size(1, 0)) / 3, 5)
    expect(weighted).toBeCloseTo((size(0, 0) + size(0, 1) + 4 * size(1, 0)) / 6, 5)
    const [ofSteps] = await m.evaluate(x, zeros, {
      sampleWeight: [
        [1, 1, 9],
        [4, 9, 9],
      ],
    })
    expect(ofSteps).toBeCloseTo(loss, 5)
  })

  test('precision weighs true and predicted positives once', async () => {
    const m = new Sequential([activation('linear', { inputShape: [1] })])
    m.compile({ optimizer: 'sgd', loss: 'mse', weightedMetrics: ['precision', 'recall'] })
    // Predicted 1, 1, 0; true 1, 0, 1; weights 3, 1, 2.
    const [, precision, recall] = await m.evaluate([[1], [1], [0]], [[1], [0], [1]], { sampleWeight: [3, 1, 2] })
    expect([precision, recall]).toEqual([expect.closeTo(3 / 4, 6), expect.closeTo(3 / 5, 6)])
  })

  test('are refused where they do not fit', async () => {
    const fit = (options: FitOptions) => net().fit(data.x, data.y, { ...quiet, ...options })
    await expect(fit({ sampleWeight: [1, 2] })).rejects.toThrow(
      /fit: sampleWeight has shape \[2\], expected one number for each sample, \[8\]/,
    )
    await expect(fit({ sampleWeight: Array(8).fill([1, 2]) })).rejects.toThrow(/sampleWeight has shape \[8, 2\]/)
    await expect(fit({ sampleWeight: { output: Array(8).fill(1) } as never })).rejects.toThrow(/sampleWeight/)
    const graph = identity()
    graph.compile({ optimizer: 'sgd', loss: 'mse' })
    await expect(graph.evaluate(xs, ys, { sampleWeight: { c: [1, 2, 3] } })).rejects.toThrow(
      /sampleWeight: there is no output "c". Outputs: a, b/,
    )
    await expect(graph.evaluate(xs, ys, { sampleWeight: [[1, 2, 3], [1]] })).rejects.toThrow(/sampleWeight of "b" has shape \[1\]/)
    const batches = [[data.x, data.y]] as const
    await expect(net().fit(batches, { sampleWeight: [1], ...quiet })).rejects.toThrow(
      /fit: sampleWeight goes with arrays; an iterable gives .*\[x, y, sampleWeight\]/,
    )
    await expect(net().evaluate(batches, { sampleWeight: [1] })).rejects.toThrow(/evaluate: sampleWeight goes with arrays/)
  })

  test('leave nothing behind', async () => {
    const m = net()
    const weight = Array(8).fill(2)
    await m.fit(data.x, data.y, { sampleWeight: weight, ...quiet })
    await expectNoLeaks(async () => {
      await m.fit(data.x, data.y, { sampleWeight: weight, classWeight: undefined, validationSplit: 0.5, ...quiet })
      await m.trainOnBatch(data.x, data.y, { sampleWeight: weight })
      await m.testOnBatch(data.x, data.y, { sampleWeight: weight })
    })
    m.dispose()
  })
})

describe('class weights', () => {
  const x = scope(() => normal(key(1), [6, 4]).keep())
  const classes = [0, 2, 1, 1, 0, 2]
  const factors = { 0: 1, 1: 5, 2: 0.5 }
  const oneHot = classes.map((c) => [0, 1, 2].map((i) => (i === c ? 1 : 0)))
  const make = (loss: 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy') => {
    const m = new Sequential([dense(3, { activation: 'softmax', inputShape: [4] })], { seed: 3 })
    m.compile({ optimizer: 'adam', loss })
    return m
  }
  test('are sample weights by class, of numbers, one-hot rows and tensors', async () => {
    const weights = classes.map((c) => factors[c as 0])
    const reference = make('categoricalCrossentropy')
    const { history } = await reference.fit(x, oneHot, { epochs: 3, sampleWeight: weights, batchSize: 4, ...quiet })
    for (const y of [oneHot, classes, tensor(oneHot), tensor(classes)]) {
      const m = make(y === oneHot || (y as Tensor).rank === 2 ? 'categoricalCrossentropy' : 'sparseCategoricalCrossentropy')
      const result = await m.fit(x, y as never, { epochs: 3, classWeight: factors, batchSize: 4, ...quiet })
      for (const [i, loss] of result.history.loss.entries()) expect(loss).toBeCloseTo(history.loss[i], 5)
    }
  })
  test('multiply sample weights, and count with batches of an iterable', async () => {
    const m = make('sparseCategoricalCrossentropy')
    const [weights, product] = [[1, 2, 3, 1, 2, 3], classes.map((c, i) => factors[c as 0] * [1, 2, 3, 1, 2, 3][i])]
    const [expected] = await m.evaluate(x, classes, { sampleWeight: product })
    expect((await m.trainOnBatch(x, classes, { sampleWeight: weights, classWeight: factors }))[0]).toBeCloseTo(expected, 5)
    const [again, other] = [make('sparseCategoricalCrossentropy'), make('sparseCategoricalCrossentropy')]
    const batch = [x, classes, weights] as const
    const one = await again.fit([batch], { classWeight: factors, epochs: 2, ...quiet })
    const two = await other.fit(x, classes, { sampleWeight: product, epochs: 2, shuffle: false, ...quiet })
    for (const [i, loss] of one.history.loss.entries()) expect(loss).toBeCloseTo(two.history.loss[i], 5)
  })
  test('yes and no, and one output of several', async () => {
    const inputs = input({ shape: [4] })
    const yes = dense(1, { activation: 'sigmoid', name: 'yes' }).apply(inputs)
    const graph = model({ inputs, outputs: [yes, dense(2, { name: 'rest' }).apply(inputs)], seed: 1 })
    graph.compile({ optimizer: 'sgd', loss: ['binaryCrossentropy', 'mse'] })
    const targets = [[[1], [0], [1], [1], [0], [0]], Array.from({ length: 6 }, () => [0, 0])]
    const [loss, ...parts] = await graph.evaluate(x, targets, { sampleWeight: { yes: [9, 1, 9, 9, 1, 1] } })
    const values = await graph.testOnBatch(x, targets, { sampleWeight: { yes: [9, 1, 9, 9, 1, 1] } })
    const trained = await graph.trainOnBatch(x, targets, { classWeight: { yes: { 0: 1, 1: 9 } } })
    for (const [i, v] of [loss, ...parts].entries()) {
      expect(values[i]).toBeCloseTo(v, 5)
      expect(trained[i]).toBeCloseTo(v, 5)
    }
  })
  test('are refused where a class has none, or samples have no class', async () => {
    const fit = (y: unknown, classWeight: FitOptions['classWeight']) =>
      make('sparseCategoricalCrossentropy').fit(x, y as never, { classWeight, ...quiet })
    await expect(fit(classes, { 0: 1, 2: 1 })).rejects.toThrow(
      /fit: classWeight: sample 2 is of class 1, which has no factor. Classes with one: 0, 2/,
    )
    const m = new Sequential([flatten({ inputShape: [2, 2] }), activation('linear')])
    m.compile({ optimizer: 'sgd', loss: losses.meanSquaredError })
    const cube = [[[[1]], [[2]]]]
    await expect(
      m.fit(
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        cube as never,
        { classWeight: factors, ...quiet },
      ),
    ).rejects.toThrow(/do not have one class for each sample/)
  })
})
