/** Sections that look into a model: values by hand, what the layers themselves give, hostile input; and that a look changes no training. */
import { expectNoLeaks, key, normal, ShapeError, type Tensor, ValueError } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  bidirectional,
  conv1d,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  type GraphModel,
  input,
  LSTM,
  lstm,
  maxPooling2d,
  model as modelOf,
  Sequential,
} from '../../index.js'
import type { ImageSheet } from '../record.js'
import { activationSections, confusionSection, filtersSection, gateSections, lstmGates, readings } from './index.js'

const bytesOf = ({ bytes }: ImageSheet): number[] => [...Buffer.from(bytes, 'base64')]
const f32 = (...values: number[]): Float32Array => Float32Array.from(values)

describe('filters', () => {
  const withWeights = (layer: Parameters<Sequential['add']>[0], values: readonly { data: number[]; shape: number[] }[]): Sequential => {
    const model = new Sequential([layer])
    model.setWeights(values.map(({ data, shape }) => ({ data: Float32Array.from(data), shape })))
    return model
  }

  test('grey is 0, white the largest weight, black its negative', async () => {
    // Two filters of 1 × 2: [1, 0.5] and [−1, 0].
    const model = withWeights(conv2d(2, [1, 2], { inputShape: [4, 4, 1], useBias: false }), [
      { data: [1, -1, 0.5, 0], shape: [1, 2, 1, 2] },
    ])
    const { images, says } = await filtersSection(model)
    expect([images.count, images.height, images.width, images.channels]).toEqual([2, 1, 2, 1])
    expect(bytesOf(images)).toEqual([255, 191, 0, 128])
    expect(says).toContain('All 2 filters. Mid grey is 0, white +1, black −1')
    expect((await filtersSection(model, { most: 1 })).images.count).toBe(1)
  })

  test('three channels are a colour, other numbers images of their own', async () => {
    const colour = withWeights(conv2d(1, [1, 1], { inputShape: [4, 4, 3], useBias: false }), [{ data: [2, 0, -2], shape: [1, 1, 3, 1] }])
    expect(bytesOf((await filtersSection(colour)).images)).toEqual([255, 128, 0])
    const two = withWeights(conv2d(2, [1, 1], { inputShape: [4, 4, 2], useBias: false }), [{ data: [1, 0, -1, 0.5], shape: [1, 1, 2, 2] }])
    const { images, captions } = await filtersSection(two)
    expect([images.channels, bytesOf(images), captions]).toEqual([
      1,
      [255, 0, 128, 191],
      ['0, channel 0', '0, channel 1', '1, channel 0', '1, channel 1'],
    ])
  })

  test('of a sequence: a row for each step; inside another model, too', async () => {
    const inner = withWeights(conv1d(1, 2, { inputShape: [4, 3], useBias: false }), [{ data: [1, 0, -1, 0, 0, 1], shape: [2, 3, 1] }])
    const { images } = await filtersSection(new Sequential([inner, flatten(), dense(1)]))
    expect([images.height, images.width, bytesOf(images)]).toEqual([2, 3, [255, 128, 0, 128, 128, 255]])
  })

  test('all zeros are grey; hostile input is refused', async () => {
    const zeros = new Sequential([conv2d(1, 1, { inputShape: [2, 2, 1], kernelInitializer: 'zeros' }), dense(3, { name: 'last' })])
    expect(bytesOf((await filtersSection(zeros)).images)).toEqual([128])
    await expect(filtersSection(new Sequential([dense(1, { inputShape: [2] })], { name: 'plain' }))).rejects.toThrow(
      'plain has no convolution',
    )
    await expect(filtersSection(zeros, { layer: 'last' })).rejects.toThrow('"last" is no conv1d or conv2d')
    await expect(filtersSection(zeros, { layer: 'first' })).rejects.toThrow(/has no layer "first"\. Its convolutions: conv2d_\d+\./)
    zeros.setWeights((await zeros.getWeights()).map(({ data, shape }) => ({ data: data.fill(Number.NaN), shape })))
    await expect(filtersSection(zeros)).rejects.toThrow('weights that are not finite')
  })
})

describe('activations', () => {
  const image = { data: Float32Array.from({ length: 32 }, (_, i) => (i >= 16 ? i - 16 : 0)), shape: [2, 4, 4, 1] }
  /** Filters +1 and −1, then pooling, then a sum. */
  const layers = () => [
    conv2d(2, 1, { inputShape: [4, 4, 1], useBias: false, activation: 'relu', name: 'signs' }),
    maxPooling2d({ name: 'pool' }),
    dropout(0.5),
    flatten(),
    dense(2, { kernelInitializer: 'ones', useBias: false, name: 'sum' }),
  ]
  const made = (): Sequential => {
    const model = new Sequential(layers())
    model.setWeights([
      { data: f32(1, -1), shape: [1, 1, 1, 2] },
      { data: new Float32Array(16).fill(1), shape: [8, 2] },
    ])
    return model
  }

  test('by hand, for the sample that was asked for', async () => {
    await expectNoLeaks(async () => {
      const model = made()
      const [signs, pool, sum, ...rest] = await activationSections(model, image, { sample: 1, labels: ['a', 'b'], name: 'Digit' })
      model.dispose()
      expect(rest).toEqual([])
      if (signs.kind !== 'images' || pool.kind !== 'images' || sum.kind !== 'heat') throw new Error('other kinds')
      expect(signs.title).toBe('Digit after signs')
      expect(signs.says).toBe('All 2 channels, 4 × 4 each: black is 0, white 15.')
      const rising = Array.from({ length: 16 }, (_, i) => i * 17)
      expect(bytesOf(signs.images)).toEqual([...rising, ...new Array<number>(16).fill(0)])
      expect(bytesOf(pool.images)).toEqual([5, 7, 13, 15].map((value) => value * 17).concat(0, 0, 0, 0))
      expect(sum.values).toEqual([[40, 40]])
      expect(sum.columns.names).toEqual(['a', 'b'])
    })
  })

  test('where values are below 0, mid grey is 0; fewer channels of large images', async () => {
    const model = new Sequential([conv2d(3, 1, { inputShape: [500, 300, 1], useBias: false, kernelInitializer: 'ones' })])
    const data = new Float32Array(150_000).fill(-2)
    data[0] = 1
    const [section] = await activationSections(model, { data, shape: [1, 500, 300, 1] })
    if (section.kind !== 'images') throw new Error('another kind')
    expect(section.images.count).toBe(1)
    expect(section.says).toBe('1 of 3 channels, 500 × 300 each: mid grey is 0, white 2, black −2.')
    expect(bytesOf(section.images).slice(0, 2)).toEqual([191, 0])
  })

  test('channels first give the same images', async () => {
    const shape = { first: [1, 4, 4], last: [4, 4, 1] } as const
    const sheets = []
    for (const order of ['first', 'last'] as const) {
      const dataFormat = order === 'first' ? 'channelsFirst' : 'channelsLast'
      const model = new Sequential([conv2d(3, 3, { inputShape: shape[order], dataFormat }), maxPooling2d({ dataFormat })], { seed: 4 })
      sheets.push(
        (await activationSections(model, { data: image.data, shape: [2, ...shape[order]] }, { sample: 1 })).map(
          (one) => one.kind === 'images' && one.images.bytes,
        ),
      )
    }
    expect(sheets[0]).toEqual(sheets[1])
  })

  test('refuses what does not fit', async () => {
    await expect(activationSections(made(), { data: new Float32Array(9), shape: [1, 3, 3, 1] })).rejects.toThrow(ShapeError)
    await expect(activationSections(made(), image, { sample: 2 })).rejects.toThrow('sample must be a whole number from 0 to 1, got 2')
    await expect(activationSections(made(), image, { labels: ['a'] })).rejects.toThrow('1 labels for the 2 outputs of sum')
    await expect(activationSections(made(), { data: new Float32Array(16).fill(Number.NaN), shape: [1, 4, 4, 1] })).rejects.toThrow(
      /signs gives values that are not finite/,
    )
    const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
    const two = modelOf({ inputs: [a, b], outputs: [dense(1).apply(a), dense(1).apply(b)] })
    await expect(activationSections(two, [[1, 2]])).rejects.toThrow('has 2 inputs')
  })
})

describe('gates of an LSTM', () => {
  const x = (): Tensor => normal(key(3), [1, 7, 3])
  /** Equal to five digits; maps have four, as a record does. */
  const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 5): void => {
    expect(actual.length).toBe(expected.length)
    for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i], digits)
  }

  test.each<[string, Parameters<typeof lstm>[1]]>([
    ['as it is', {}],
    ['with the gates of older Keras', { recurrentActivation: 'hardSigmoid' }],
    ['without a bias', { useBias: false }],
    ['with other activations', { activation: 'relu', recurrentActivation: 'tanh' }],
    ['backwards', { goBackwards: true }],
  ])('every hidden state is what the layer gives: %s', async (_, options) => {
    const layer = lstm(5, { ...options, returnSequences: true })
    const model = new Sequential([layer], { seed: 9 })
    model.build([null, 7, 3])
    await expectNoLeaks(async () => {
      const given = x()
      const { output, states } = layer.run(given)
      const gates = await lstmGates(layer, given)
      close(gates.hidden.data, await output.data())
      close(gates.hidden.data.subarray(-5), await states[0].data())
      close(gates.cell.data.subarray(-5), await states[1].data())
      expect(gates.steps).toEqual(options?.goBackwards ? [6, 5, 4, 3, 2, 1, 0] : [0, 1, 2, 3, 4, 5, 6])
      // c = f·c₋ + i·c̃
      const { cell, forget, input: ofInput, candidate } = gates
      close(
        cell.data,
        Float32Array.from(cell.data, (_, at) => forget.data[at] * (at < 5 ? 0 : cell.data[at - 5]) + ofInput.data[at] * candidate.data[at]),
      )
      for (const each of [given, output, ...states]) each.dispose()
    })
  })

  test('masked steps are left out', async () => {
    const layer = lstm(4, { name: 'reader' })
    const model = new Sequential([embedding(10, 3, { maskZero: true, inputLength: 6 }), layer], { seed: 9 })
    const words = { data: Int32Array.of(0, 0, 3, 9, 0, 4), shape: [1, 6] }
    const maps = await gateSections(model, words, { step: (step) => `word ${words.data[step]}`, steps: 'word' })
    const [before] = await model.predictAll(words)
    expect(maps[5].columns).toEqual({ label: 'word', names: ['word 3', 'word 9', 'word 4'] })
    close(
      maps[5].values.map((row) => row.at(-1) as number),
      await before.data(),
      4,
    )
  })

  test('in a graph, and the forward half of a bidirectional layer', async () => {
    const words = input({ shape: [6], dtype: 'int32' })
    const both = bidirectional(lstm(4, { name: 'inner' }), { name: 'both' })
    const read: GraphModel = modelOf({ inputs: words, outputs: both.apply(embedding(10, 3).apply(words)), seed: 2 })
    const row = { data: Int32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 6] }
    const output = await (await read.predict(row)).data()
    for (const options of [{}, { layer: 'both' }, { layer: 'forward_inner' }]) {
      const maps = await gateSections(read, row, options)
      close(
        maps[5].values.map((values) => values.at(-1) as number),
        output.slice(0, 4),
        4,
      )
    }
  })

  test('the liveliest units, the last steps, of the sample that was asked for', async () => {
    const model = new Sequential([lstm(12, { inputShape: [30, 3] })], { seed: 1 })
    const data = normal(key(5), [2, 30, 3])
    const shown = await gateSections(model, data, { sample: 1, units: 4, most: 10 })
    expect(shown.map(({ values }) => [values.length, values[0].length])).toEqual(new Array(6).fill([4, 10]))
    expect(shown[0].columns.names).toEqual(['20', '21', '22', '23', '24', '25', '26', '27', '28', '29'])
    expect(shown[0].says).toContain('The 4 of 12 units that change most. The last 10 of 30 steps.')
    const h = await (await model.predict(data)).data()
    close(
      shown[5].values.map((row) => row.at(-1) as number),
      shown[5].rows.names.map((unit) => h[12 + Number(unit)]),
      4,
    )
    for (const gate of shown.slice(0, 3)) for (const value of gate.values.flat()) expect(value).toBeGreaterThanOrEqual(0)
    expect(shown.map(({ diverging }) => diverging)).toEqual([undefined, undefined, undefined, true, true, true])
  })

  test('refuses what has no gates or does not fit', async () => {
    const plain = new Sequential([dense(1, { inputShape: [2] })], { name: 'plain' })
    await expect(gateSections(plain, [[1, 2]])).rejects.toThrow('plain has no LSTM.')
    const model = new Sequential([lstm(2, { inputShape: [4, 3], name: 'memory' })])
    await expect(gateSections(model, [[[1, 2, 3]]])).rejects.toThrow(ShapeError)
    await expect(gateSections(model, { data: new Float32Array(12), shape: [1, 4, 3] }, { layer: 'other' })).rejects.toThrow(
      'There are: memory.',
    )
    await expect(lstmGates(plain.layers[0] as LSTM, x())).rejects.toThrow(ValueError)
    await expect(lstmGates(new LSTM(2), x())).rejects.toThrow('has no weights yet')
    await expect(lstmGates(model.layers[0] as LSTM, normal(key(1), [2, 4, 3]))).rejects.toThrow(
      'x must be one sequence, [1, steps, 3], got [2, 4, 3]',
    )
  })
})

test('a training goes on with the same bits, whether sections are made or not', async () => {
  const x = await normal(key(1), [64, 8, 8, 1]).data()
  const y = Int32Array.from({ length: 64 }, (_, i) => i % 3)
  const run = async (look: boolean) => {
    const part = new Sequential([conv2d(4, 3, { activation: 'relu', inputShape: [8, 8, 1] }), dropout(0.3)])
    const model = new Sequential([part, flatten(), dense(3, { activation: 'softmax' })], { seed: 5 })
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const data = { data: x, shape: [64, 8, 8, 1] }
    const fit = () => model.fit(data, y, { epochs: 2, batchSize: 8, verbose: 0 })
    const before = await model.getWeights()
    if (look) await activationSections(model, data)
    expect(await model.getWeights()).toEqual(before)
    await fit()
    if (look) {
      await activationSections(model, data)
      await filtersSection(model)
      confusionSection(await readings(model, data, y))
    }
    const { history } = await fit()
    return { history, weights: (await model.getWeights()).map(({ data }) => data) }
  }
  expect(await run(true)).toEqual(await run(false))
})
