/** Training and evaluation on iterables of batches have the same bits as on arrays, and hold one batch at a time. Wrong iterables are refused. */
import { key, memory, normal, type Tensor, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { adam, type BatchData, batches, dense, dropout, Sequential } from '../src/index.js'
import { loadGolden } from './golden.js'

const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i % 3])
const y = x.map(([a, b, c]) => [a - b + 0.1 * c])

function regression(): Sequential {
  const model = new Sequential([dense(8, { activation: 'tanh', inputShape: [3] }), dropout(0.2), dense(1)], { seed: 5 })
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] })
  return model
}
const cut = (size: number): [number[][], number[][]][] =>
  Array.from({ length: Math.ceil(x.length / size) }, (_, i) => [x.slice(i * size, (i + 1) * size), y.slice(i * size, (i + 1) * size)])
const weightsOf = async (model: Sequential): Promise<number[][]> => (await model.getWeights()).map((w) => [...w.data])
const quiet = { verbose: 0 } as const

/** Sources of the same batches for `epochs` epochs. */
const sources: Record<string, () => { source: Iterable<BatchData> | AsyncIterable<BatchData>; stepsPerEpoch?: number }> = {
  'an array': () => ({ source: cut(6) }),
  'an array, in steps': () => ({ source: cut(6), stepsPerEpoch: 4 }),
  'an object that starts anew': () => ({
    source: {
      *[Symbol.iterator]() {
        yield* cut(6)
      },
    },
  }),
  'an endless generator': () => ({
    source: (function* (): Generator<BatchData> {
      for (;;) yield* cut(6)
    })(),
    stepsPerEpoch: 4,
  }),
  'an endless async generator of tensors': () => ({
    source: (async function* (): AsyncGenerator<BatchData> {
      for (;;) {
        for (const [xs, ys] of cut(6)) {
          await new Promise((resolve) => setTimeout(resolve, 0))
          const pair: [Tensor, Tensor] = [tensor(xs), tensor(ys)]
          yield pair
          for (const t of pair) t.dispose()
        }
      }
    })(),
    stepsPerEpoch: 4,
  }),
}

describe('fit on batches', () => {
  test.each(Object.entries(sources))('%s trains to the bits of the arrays', async (_, make) => {
    const [fromArrays, fromBatches] = [regression(), regression()]
    const wanted = await fromArrays.fit(x, y, { batchSize: 6, epochs: 3, shuffle: false, validationData: [x, y], ...quiet })
    const { source, stepsPerEpoch } = make()
    const got = await fromBatches.fit(source, { stepsPerEpoch, epochs: 3, validationData: new Set(cut(7)), ...quiet })
    expect(await weightsOf(fromBatches)).toEqual(await weightsOf(fromArrays))
    expect(got.history.loss).toEqual(wanted.history.loss)
    for (const [i, value] of got.history.val_mae.entries()) expect(value).toBeCloseTo(wanted.history.val_mae[i], 6)
    const before = memory().buffers
    await fromBatches.fit(make().source, { stepsPerEpoch, epochs: 2, ...quiet })
    expect(memory().buffers - before, 'left behind').toBeLessThanOrEqual(2) // the paused generator holds a batch
  })

  test('a batch is asked for only when the one before was trained on', async () => {
    let given = 0
    let trained = 0
    const model = regression()
    const source = (function* (): Generator<BatchData> {
      for (;;) {
        expect(given).toBe(trained)
        given++
        yield cut(6)[0]
      }
    })()
    await model.fit(source, { stepsPerEpoch: 5, epochs: 2, ...quiet, callbacks: [{ onBatchEnd: () => void trained++ }] })
    expect([given, trained]).toEqual([10, 10])
    // The generator is still open.
    expect(source.next().done).toBe(false)
  })

  test('a model without an input shape is built for the first batch, which is trained on too', async () => {
    const make = (): Sequential => {
      const model = new Sequential([dense(4), dense(1)], { seed: 5 })
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      return model
    }
    const [a, b] = [make(), make()]
    await a.fit(x, y, { batchSize: 6, shuffle: false, ...quiet })
    await b.fit(cut(6), quiet)
    expect(await weightsOf(b)).toEqual(await weightsOf(a))
    expect(await make().evaluate(cut(5))).toHaveLength(1)
  })

  test('our own batches are batches', async () => {
    const [a, b] = [regression(), regression()]
    await a.fit(x, y, { batchSize: 6, shuffle: false, ...quiet })
    await b.fit(batches(x, y, { batchSize: 6 }), { stepsPerEpoch: 4, ...quiet })
    expect(await weightsOf(b)).toEqual(await weightsOf(a))
  })

  test('weights of samples are factors of their losses, and the mean is over all of them', async () => {
    const model = regression()
    const singles = await Promise.all(x.map((row, i) => model.evaluate([row], [y[i]])))
    const w = x.map((_, i) => (i % 4) / 2)
    const [loss, mae] = await model.evaluate([[x, y, w]] as BatchData[])
    expect(loss).toBeCloseTo(singles.reduce((sum, [l], i) => sum + l * w[i], 0) / 20, 5)
    expect(mae).toBeCloseTo(singles.reduce((sum, [, m]) => sum + m, 0) / 20, 5)
    const before = await weightsOf(model)
    await model.fit([[x, y, x.map(() => 0)]] as BatchData[], { epochs: 2, ...quiet })
    expect(await weightsOf(model)).toEqual(before)
  })

  test('the bar counts steps; where their number is not known, from the second epoch on', async () => {
    const lines: string[] = []
    const output = { write: (text: string) => void lines.push(text) }
    await regression().fit(new Set(cut(6)), { epochs: 2, verbose: 1, output, validationData: [x, y] })
    const text = lines.join('')
    expect(text).not.toMatch(/Train on/)
    expect(text.match(/\n4\/4 \[=+\] - \d+s .*val_loss/g)).toHaveLength(2)
    expect(text).toMatch(/\/Unknown/)
  })
})

describe('evaluate on batches', () => {
  test('weighs batches by their samples, as Keras up to 2.2.5 and not 2.3', async () => {
    const { inputs, expected } = loadGolden('generator.json').find((c) => c.case_kind === 'evaluate_generator') as {
      inputs: Record<string, number[]>
      expected: Record<string, unknown>
    }
    const model = new Sequential([dense(1, { kernelInitializer: 'zeros', inputShape: [1] })], { seed: 1 })
    model.compile({ optimizer: 'sgd', loss: 'mae' })
    const source = inputs.batch_losses.map((loss, i): BatchData => {
      const rows = (value: number): number[][] => Array.from({ length: inputs.batch_sizes[i] }, () => [value])
      return [rows(0), rows(loss)]
    })
    expect((await model.evaluate(source))[0]).toBeCloseTo(expected.keras_le_2_2_5 as number, 6)
    expect(expected.keras_2_3_0_and_2_3_1).not.toBe(expected.keras_le_2_2_5)
  })
  test('takes as many as it is told, from a generator the next ones', async () => {
    const model = regression()
    const all = await Promise.all(cut(5).map((batch) => model.evaluate([batch])))
    const generator = cut(5)[Symbol.iterator]() as unknown as Generator<BatchData>
    expect(await model.evaluate(generator, { steps: 1 })).toEqual(all[0])
    expect(await model.evaluate(generator, { steps: 1 })).toEqual(all[1])
    expect(await model.evaluate(cut(5), { steps: 1 })).toEqual(all[0])
  })
})

describe('refused', () => {
  function* endless(): Generator<BatchData> {
    for (;;) yield cut(6)[0]
  }
  function* failing(): Generator<BatchData> {
    yield* cut(6).slice(0, 2)
    throw new RangeError('the disk is gone')
  }
  const of = (...items: unknown[]): BatchData[] => items as BatchData[]
  test.each<[string, (model: Sequential) => Promise<unknown>, RegExp]>([
    ['an endless generator without steps', (m) => m.fit(endless(), quiet), /a generator may have no end.*stepsPerEpoch.*Symbol\.iterator/s],
    ['one for evaluate', (m) => m.evaluate(endless()), /evaluate: a generator may have no end.*with steps how many/s],
    [
      'one for validation',
      (m) => m.fit(x, y, { validationData: endless(), ...quiet }),
      /fit: validationData: a generator.*validationSteps/s,
    ],
    [
      'one that throws',
      (m) => m.fit(failing(), { stepsPerEpoch: 4, ...quiet }),
      /fit: the iterable failed at batch 3 of epoch 1: the disk is gone/,
    ],
    [
      'one that ends too early',
      (m) => m.fit(cut(6).values() as never, { stepsPerEpoch: 3, epochs: 2, ...quiet }),
      /ended after 4 batches, before batch 2 of epoch 2; stepsPerEpoch is 3\. Let it go on for ever/,
    ],
    ['nothing at all', (m) => m.fit([], quiet), /the iterable gave no batches/],
    [
      'one that does not start anew',
      (m) => {
        const once = cut(6).values()
        return m.fit({ [Symbol.iterator]: () => once } as never, { epochs: 2, ...quiet })
      },
      /gave 4 batches and then none for batch 1 of epoch 2: it must start anew/,
    ],
    [
      'a wrong shape',
      (m) => m.fit(of(...cut(6).slice(0, 1), [[[1, 2]], [[1]]]), quiet),
      /batch 2 of epoch 1: x: the data have shape \[\?, 2\].*takes \[\?, 3\]/,
    ],
    ['fewer targets than inputs', (m) => m.fit(of([x, y.slice(1)]), quiet), /batch 1 of epoch 1: y: has 19 samples, but x has 20/],
    ['an empty batch', (m) => m.fit(of([tensor([], { shape: [0, 3] }), tensor([], { shape: [0, 1] })]), quiet), /there are no samples/],
    [
      'no pair',
      (m) => m.fit(of([x]), quiet),
      /batch 1 of epoch 1: expected \[x, y\] or \[x, y, sampleWeight\], the iterable gave an array of 1/,
    ],
    ['a number', (m) => m.fit(new Set(of(7)), quiet), /the iterable gave 7/],
    [
      'weights of another shape',
      (m) => m.fit(of([x, y, [1, 2]]), quiet),
      /sampleWeight has shape \[2\], expected one number for each sample, \[20\]/,
    ],
    [
      'no targets',
      (m) => m.fit(normal(key(1), [4, 3]) as never, quiet),
      /fit: the targets y are missing: fit\(x, y\).*expected an iterable of batches \[x, y\], got a tensor/,
    ],
    ['a split of what has no end', (m) => m.fit(cut(6), { validationSplit: 0.2, ...quiet }), /validationSplit needs arrays/],
    ['steps of arrays', (m) => m.fit(x, y, { stepsPerEpoch: 3, ...quiet }), /stepsPerEpoch goes with an iterable/],
    ['no steps', (m) => m.fit(endless(), { stepsPerEpoch: 0, ...quiet }), /fit: stepsPerEpoch must be a whole number, at least 1, got 0/],
  ])('%s', async (_, run, message) => {
    const model = regression()
    const before = memory().buffers
    await expect(run(model)).rejects.toThrow(message)
    model.dispose()
    expect(memory().buffers).toBeLessThan(before)
  })
  test('what the iterable threw is the cause', async () => {
    const error = await regression()
      .fit(failing(), { stepsPerEpoch: 4, ...quiet })
      .catch((e: Error) => e)
    expect((error as Error).cause).toBeInstanceOf(RangeError)
  })
})
