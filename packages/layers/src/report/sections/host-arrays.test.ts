/** Sections made of outputs and host arrays: values by hand, and hostile input. */
import { expectNoLeaks, key, normal, ShapeError, tensor, ValueError } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { dense, embedding, flatten, type Model, Sequential } from '../../index.js'
import type { ImageSheet } from '../record.js'
import { base64 } from './base64.js'
import {
  confusionSection,
  forecastSection,
  imagesSection,
  neighboursSection,
  readings,
  readingsOf,
  seriesSection,
  wrongSection,
} from './index.js'

const bytesOf = ({ bytes }: ImageSheet): number[] => [...Buffer.from(bytes, 'base64')]
const f32 = (...values: number[]): Float32Array => Float32Array.from(values)

test('base64 is that of Node, at every length', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 100, 20_001]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 97 + (i >> 3)) % 256)
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
  }
})

describe('images', () => {
  test('bytes as they are, numbers of 0 … 1 and of a range', () => {
    expect(imagesSection({ data: Uint8Array.of(0, 7, 255, 1), shape: [2, 1, 2] }, { ink: true, captions: ['a', 'b'] })).toEqual({
      kind: 'images',
      title: 'Images',
      images: { count: 2, height: 1, width: 2, channels: 1, bytes: base64(Uint8Array.of(0, 7, 255, 1)), ink: true },
      captions: ['a', 'b'],
    })
    expect(bytesOf(imagesSection([[[0, 0.5, 1]]]).images)).toEqual([0, 128, 255])
    expect(bytesOf(imagesSection([[[-1, 0, 1]]], { range: [-1, 1] }).images)).toEqual([0, 128, 255])
    expect(imagesSection([[[1]], [[0]], [[1]]], { most: 2 }).images.count).toBe(2)
  })

  test('channels first are the same picture as channels last', () => {
    const last = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), shape: [1, 1, 2, 3] }
    const first = { data: Uint8Array.of(1, 4, 2, 5, 3, 6), shape: [1, 3, 1, 2] }
    expect(bytesOf(imagesSection(first, { dataFormat: 'channelsFirst' }).images)).toEqual(bytesOf(imagesSection(last).images))
    const grey = { data: Uint8Array.of(9, 8), shape: [1, 1, 2] }
    expect(bytesOf(imagesSection(grey, { dataFormat: 'channelsFirst' }).images)).toEqual([9, 8])
  })

  test('several arrays stand one after the other, bytes beside numbers', () => {
    const both = [
      { data: Uint8Array.of(255, 0), shape: [2, 1, 1] },
      { data: f32(1, 0.5), shape: [2, 1, 1, 1] },
    ]
    expect(bytesOf(imagesSection(both, { columns: 2 }).images)).toEqual([255, 0, 255, 128])
    expect(bytesOf(imagesSection(both, { most: 3 }).images)).toEqual([255, 0, 255])
  })

  test.each<[string, () => unknown, string]>([
    ['a flat row', () => imagesSection({ data: new Uint8Array(784), shape: [1, 784] }), 'images must be [images, height, width]'],
    ['two channels', () => imagesSection({ data: new Uint8Array(8), shape: [1, 2, 2, 2] }), 'got [1, 2, 2, 2]'],
    [
      'channels first that are not said',
      () => imagesSection({ data: new Uint8Array(784), shape: [1, 1, 28, 28] }),
      'say the other dataFormat',
    ],
    ['NaN', () => imagesSection([[[0, Number.NaN]]]), 'image 0 has NaN in row 0, column 1'],
    ['bytes as numbers', () => imagesSection([[[0]], [[254]]]), 'image 1 has 254 in row 0, column 0, which is not in 0 … 1'],
    [
      'two sizes',
      () =>
        imagesSection([
          { data: f32(1), shape: [1, 1, 1] },
          { data: f32(1, 1), shape: [1, 1, 2] },
        ]),
      'one size',
    ],
    ['too few captions', () => imagesSection([[[0]], [[0]]], { captions: ['a'] }), '1 captions for 2 images'],
    ['a falling range', () => imagesSection([[[0]]], { range: [1, 0] }), 'range must be [low, high]'],
    ['a wrong option', () => imagesSection([[[0]]], { colums: 3 } as never), 'Did you mean "columns"?'],
    ['no images', () => imagesSection(undefined as never), 'imagesSection: expected'],
  ])('refuses %s', (_, make, message) => expect(make).toThrow(message))
})

describe('readings and mistakes', () => {
  const outputs = [
    [0.9, 0.06, 0.04],
    [0.2, 0.7, 0.1],
    [0.8, 0.1, 0.1],
    [0.3, 0.3, 0.4],
    [0.6, 0.3, 0.1],
  ]
  const read = readingsOf(outputs, [0, 1, 1, 0, 1])

  test('the class with the largest probability; ½ with one output', () => {
    expect([...read.predicted]).toEqual([0, 1, 0, 2, 0])
    expect([...read.confidence]).toEqual([0.9, 0.7, 0.8, 0.4, 0.6])
    const oneHot = [0, 1, 1, 0, 1].map((c) => [0, 1, 2].map((k) => Number(k === c)))
    expect(readingsOf(outputs, oneHot)).toEqual(read)
    const binary = readingsOf([[0.5], [0.75], [0.25]], [0, 1, 1], { labels: ['bad', 'good'] })
    expect([[...binary.predicted], [...binary.confidence]]).toEqual([
      [0, 1, 0],
      [0.5, 0.75, 0.75],
    ])
  })

  test('logits are those of softmax and sigmoid; raw outputs are cut as the loss cuts them', () => {
    const two = readingsOf([[1000, 1000 + Math.log(3)]], [1], { outputs: 'logits' })
    expect(two.confidence[0]).toBeCloseTo(0.75, 12)
    expect(readingsOf([[Math.log(3)]], [1], { outputs: 'logits' }).confidence[0]).toBeCloseTo(0.75, 12)
    expect([...readingsOf([[7], [-3]], [1, 0], { outputs: 'clipped' }).confidence]).toEqual([1, 1])
  })

  test('a model reads as its outputs say', async () => {
    const model = new Sequential([dense(3, { activation: 'softmax', inputShape: [4] })], { seed: 1 })
    const x = normal(key(2), [10, 4])
    const y = Int32Array.from({ length: 10 }, (_, i) => i % 3)
    const probabilities = await model.predict(x)
    const same = readingsOf({ data: await probabilities.data(), shape: [10, 3] }, y)
    await expectNoLeaks(async () => expect(await readings(model, x, y, { batchSize: 4 })).toEqual(same))
    expect(await readings(model, x, tensor(y))).toEqual(same)
  })

  test('the matrix counts every sample and opens mistakes with their images', () => {
    const images = { data: Uint8Array.from({ length: 20 }, (_, i) => i), shape: [5, 2, 2] }
    const { counts, samples, images: sheet } = confusionSection(read, { images })
    expect(counts).toEqual([
      [1, 0, 1],
      [2, 1, 0],
      [0, 0, 0],
    ])
    expect(samples).toEqual([
      { index: 2, truth: 1, predicted: 0, confidence: 0.8, image: 0 },
      { index: 4, truth: 1, predicted: 0, confidence: 0.6, image: 1 },
      { index: 3, truth: 0, predicted: 2, confidence: 0.4, image: 2 },
    ])
    expect(bytesOf(sheet as ImageSheet)).toEqual([8, 9, 10, 11, 16, 17, 18, 19, 12, 13, 14, 15])
    // A limit takes the surest of every cell before the second of one.
    expect(confusionSection(read, { most: 2 }).samples?.map(({ index }) => index)).toEqual([2, 3])
    expect(confusionSection(read, { perCell: 1 }).samples?.map(({ index }) => index)).toEqual([2, 3])
  })

  test('the surest mistakes come first, with their texts', () => {
    expect(wrongSection(read, { most: 2, text: (row) => `review ${row}` }).samples).toEqual([
      { index: 2, truth: 1, predicted: 0, confidence: 0.8, text: 'review 2' },
      { index: 4, truth: 1, predicted: 0, confidence: 0.6, text: 'review 4' },
    ])
    const right = readingsOf([[0.9, 0.1]], [0])
    expect(wrongSection(right, { images: [[[0]]] })).toEqual(expect.objectContaining({ samples: [], says: 'It misread 0 samples of 1.' }))
    expect(wrongSection(right, { images: [[[0]]] })).not.toHaveProperty('images')
  })

  test.each<[string, () => unknown, string]>([
    ['NaN', () => readingsOf([[0.5, Number.NaN]], [0]), 'the output for sample 0 is NaN'],
    ['NaN of one output', () => readingsOf([[0.5], [Number.NaN]], [0, 1]), 'the output for sample 1 is NaN'],
    [
      'logits that are not said',
      () => readingsOf([[0.5, 3]], [0]),
      "is 3, which is no probability. Say what it is: outputs: 'logits' or 'clipped'.",
    ],
    ['a class too many', () => readingsOf(outputs, [0, 1, 1, 0, 3]), 'y has 3 for sample 4, but the model tells 3 classes apart'],
    ['half a class', () => readingsOf(outputs, [0, 1, 1, 0, 0.5]), 'y has 0.5 for sample 4'],
    ['too few classes', () => readingsOf(outputs, [0, 1]), 'y must have the classes of 5 samples'],
    ['one-hot rows of others', () => readingsOf([[1, 0]], [[0, 1, 0]]), 'one-hot [1, 2], got [1, 3]'],
    ['labels of others', () => readingsOf(outputs, [0, 1, 1, 0, 1], { labels: ['a', 'b'] }), '2 labels for 3 classes'],
    ['images of others', () => confusionSection(read, { images: [[[0]]] }), 'there are 1 images for 5 samples'],
    ['flat images', () => wrongSection(read, { images: outputs }), 'images must be [images, height, width]'],
    ['no readings', () => confusionSection(outputs as never), 'expected what readings(model, x, y) gives, got an array of 5'],
    ['a text for the texts', () => wrongSection(read, { text: 'a' as never }), 'text must be a function'],
  ])('refuses %s', (_, make, message) => expect(make).toThrow(message))

  test('refuses what is no model', async () => {
    await expect(readings({} as Model, [[1]], [0])).rejects.toThrow('readings: expected a model, got an empty object')
  })
})

describe('series and forecasts', () => {
  test('a short series is kept whole, with gaps', () => {
    const { x, series } = seriesSection({ t: [1, Number.NaN, 3] }, { x: { label: 'day', unit: 'd', step: 0.1, from: 2 } })
    expect(x).toEqual({ label: 'day', unit: 'd', values: [2, 2.1, 2.2] })
    expect(series).toEqual([{ name: 't', values: [1, null, 3] }])
  })

  test('a long one keeps its extremes in order, and has at most the asked number of points', () => {
    const values = Float64Array.from({ length: 10_007 }, (_, i) => Math.sin(i / 50))
    values[7_777] = 40
    values[3_333] = -40
    values.fill(Number.NaN, 5_000, 5_400)
    const { x, series } = seriesSection({ values, other: values.map((v) => -v) }, { most: 101 })
    expect(x.values.length).toBe(100)
    for (const list of series) expect(list.values.length).toBe(100)
    for (let i = 1; i < 100; i++) expect(x.values[i]).toBeGreaterThan(x.values[i - 1])
    const [kept, negated] = series.map((list) => list.values)
    expect([Math.max(...kept.map(Number)), Math.min(...kept.map(Number))]).toEqual([40, -40])
    expect(kept).toContain(null)
    expect(kept.map((v) => (v === null ? null : -v || 0))).toEqual(negated.map((v) => v && v))
  })

  const windows = (values: number[], targets: number[]) =>
    [
      { data: Float32Array.from(values), shape: [targets.length, 2, 1] },
      { data: Float32Array.from(targets), shape: [targets.length] },
    ] as const
  const last = () => {
    // Twice the last value of a window.
    const model = new Sequential([flatten({ inputShape: [2, 1] }), dense(1, { useBias: false })])
    model.setWeights([{ data: f32(0, 2), shape: [2, 1] }])
    return model
  }

  test('prediction, truth and the naive forecast in units, over batches', async () => {
    await expectNoLeaks(async () => {
      const model = last()
      const batches = [windows([1, 2, 2, 3], [3, 4]), windows([3, 4, 4, 5], [5, 6])]
      const { series, x } = await forecastSection(model, batches, { windows: 3, column: 0, scale: { mean: 10, deviation: 5 } })
      expect(x.values).toEqual([0, 1, 2])
      expect(series).toEqual([
        { name: 'measured', values: [25, 30, 35] },
        { name: 'network', values: [30, 40, 50] },
        { name: 'naive', values: [20, 25, 30] },
      ])
      expect((await forecastSection(model, batches)).series.map(({ name }) => name)).toEqual(['measured', 'network'])
      model.dispose()
    })
  })

  test('refuses what does not fit', async () => {
    expect(() => seriesSection({})).toThrow('expected series by their names')
    expect(() => seriesSection({ a: [1], b: [1, 2] })).toThrow('"a" has 1 values and "b" 2')
    expect(() => seriesSection({ a: [] })).toThrow(ShapeError)
    expect(() => seriesSection({ a: ['1'] as never })).toThrow(ValueError)
    expect(() => seriesSection({ a: [1] }, { x: { lable: 'day' } as never })).toThrow('seriesSection: x: there is no option "lable"')
    await expect(forecastSection(last(), [])).rejects.toThrow('there are no windows')
    await expect(forecastSection(last(), [windows([1, 2], [1])], { column: 1 })).rejects.toThrow('there is no column 1; windows have 1')
    await expect(forecastSection(last(), [[windows([1, 2], [1])[0], [1, 2]]])).rejects.toThrow('one number for each of the 1 windows')
    await expect(forecastSection(last(), [5 as never])).rejects.toThrow('expected batches [x, y], got 5')
    const wide = new Sequential([flatten({ inputShape: [2, 1] }), dense(3)])
    await expect(forecastSection(wide, [windows([1, 2], [1])])).rejects.toThrow('the model must give one number')
  })
})

describe('nearest words', () => {
  const vectors = [
    [0, 0],
    [2, 0],
    [1, 1],
    [0, 3],
    [-1, 0],
  ]
  const words = [undefined, 'good', 'fine', 'long', 'bad']

  test('by the cosine, of a matrix and of a layer', async () => {
    const byHand = {
      columns: ['word', 'nearest', '2'],
      rows: [
        ['good', 'fine 0.71', 'long 0.00'],
        ['long', 'fine 0.71', 'good 0.00'],
      ],
    }
    expect(await neighboursSection(vectors, words, ['good', 'long'], { count: 2 })).toMatchObject(byHand)
    const layer = embedding(5, 2)
    const model = new Sequential([layer])
    model.setWeights([{ data: Float32Array.from(vectors.flat()), shape: [5, 2] }])
    expect(await neighboursSection(layer, words, ['good', 'long'], { count: 2 })).toMatchObject(byHand)
    expect((await neighboursSection(vectors, words, ['good', 'bad'], { among: 3 })).rows).toEqual([
      ['good', 'fine 0.71', null],
      ['bad', 'fine -0.71', 'good -1.00'],
    ])
  })

  test('refuses what does not fit', async () => {
    await expect(neighboursSection(vectors, words, ['great'])).rejects.toThrow('text "great" is none of the 5 words')
    await expect(neighboursSection(vectors, [...words, 'more'], ['good'])).rejects.toThrow('at most 5')
    await expect(neighboursSection(vectors, words, [])).rejects.toThrow('say whose neighbours')
    await expect(neighboursSection([1, 2], words, ['good'])).rejects.toThrow('vectors must be [words, dimensions], got [2]')
    await expect(neighboursSection([[1], [Number.NaN]], ['a', 'b'], ['a'])).rejects.toThrow('the vector of word 1 is not finite')
    await expect(neighboursSection(embedding(5, 2), words, ['good'])).rejects.toThrow('has no weights yet')
  })
})
