/** Layers of images: the harness, what is drawn, inference, wrong options, and a model of them in files. */
import { expectNoLeaks, key, scope, type Tensor, tensor, uniform } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import * as l from '../src/index.js'
import { checkLayer, type LayerCheck } from './check-layer.js'

const image = { inputShape: [5, 4, 2], outputShape: [5, 4, 2], deterministic: false }
const first = { dataFormat: 'channelsFirst' as const }
const valueRange = [-20, 20] as const
const checks: Record<string, LayerCheck> = {
  Resizing: {
    make: () => l.resizing(4, 3, { interpolation: 'bicubic', antialias: true }),
    fromConfig: l.Resizing.fromConfig,
    inputShape: [5, 4, 2],
    outputShape: [4, 3, 2],
  },
  'Resizing with borders, channels first': {
    make: () => l.resizing(6, 3, { padToAspectRatio: true, fillValue: 1, ...first }),
    fromConfig: l.Resizing.fromConfig,
    inputShape: [2, 4, 3],
    outputShape: [2, 6, 3],
  },
  CenterCrop: { make: () => l.centerCrop(4, 3), fromConfig: l.CenterCrop.fromConfig, inputShape: [5, 4, 2], outputShape: [4, 3, 2] },
  RandomFlip: { make: () => l.randomFlip({ mode: 'vertical' }), fromConfig: l.RandomFlip.fromConfig, ...image },
  RandomRotation: { make: () => l.randomRotation(0.005), fromConfig: l.RandomRotation.fromConfig, ...image },
  'RandomZoom, channels first': {
    make: () => l.randomZoom(0.02, { widthFactor: [0, 0.03], ...first }),
    fromConfig: l.RandomZoom.fromConfig,
    inputShape: [2, 5, 4],
    outputShape: [2, 5, 4],
    deterministic: false,
  },
  RandomTranslation: {
    make: () => l.randomTranslation(0.01, 0.02, { fillMode: 'nearest' }),
    fromConfig: l.RandomTranslation.fromConfig,
    ...image,
  },
  RandomCrop: {
    make: () => l.randomCrop(5, 5),
    fromConfig: l.RandomCrop.fromConfig,
    inputShape: [6, 6, 2],
    outputShape: [5, 5, 2],
    deterministic: false,
  },
  RandomContrast: { make: () => l.randomContrast(0.05, { valueRange }), fromConfig: l.RandomContrast.fromConfig, ...image },
  RandomBrightness: {
    make: () => l.randomBrightness([0, 0.001], { valueRange }),
    fromConfig: l.RandomBrightness.fromConfig,
    ...image,
  },
}
// Random layers draw on the host, so their steps are not recorded.
test.each(Object.entries(checks))('checkLayer: %s', (name, check) => checkLayer({ ...check, recorded: !name.startsWith('Random') }))

const values = async (x: Tensor): Promise<number[]> => Array.from(await x.data())
const train = (layer: l.Layer, x: Tensor, seed = 1): Tensor => scope(() => layer.call(x, { training: true, key: key(seed) }))

describe('in training', () => {
  const x = uniform(key(3), [64, 3, 4, 2], { high: 200 }).keep()

  test('each image has draws of its own, by the key, and they reach both ends of the factor', async () => {
    const layer = l.randomBrightness([-0.1, 0.2], { valueRange: [-100, 400] })
    const moved = async (seed: number): Promise<number[]> =>
      values(
        scope(() =>
          train(layer, x, seed)
            .sub(x)
            .mean({ axis: [1, 2, 3] })
            .div(500)
            .keep(),
        ),
      )
    const [a, again, b] = [await moved(1), await moved(1), await moved(2)]
    expect(again).toEqual(a)
    expect(b).not.toEqual(a)
    expect(new Set(a).size).toBe(64)
    expect(Math.min(...a)).toBeGreaterThan(-0.101)
    expect(Math.min(...a)).toBeLessThan(-0.08)
    expect(Math.max(...a)).toBeLessThan(0.201)
    expect(Math.max(...a)).toBeGreaterThan(0.18)
  })

  test('half the images are mirrored, in both directions at once', async () => {
    const [before, after] = [await values(x), await values(train(l.randomFlip(), x))]
    const images = [...Array(64).keys()].map((i) => {
      const [was, is] = [before, after].map((all) => all.slice(i * 24, i * 24 + 24))
      if (is.every((v, j) => v === was[j])) return 'same'
      const pixel = (at: number): number[] => was.slice(at * 2, at * 2 + 2)
      const turned = [...Array(12).keys()].flatMap((at) => pixel(11 - at))
      return is.every((v, j) => v === turned[j]) ? 'both' : 'other'
    })
    const count = (what: string): number => images.filter((each) => each === what).length
    expect(count('other')).toBe(0)
    expect(count('both')).toBeGreaterThan(20)
    expect(count('same')).toBeGreaterThan(20)
  })

  test('one number zooms both ways alike, contrast keeps means, and a crop is a part of the images', async () => {
    const squares = tensor([...Array(25).keys()], { shape: [1, 5, 5, 1] })
    const zoomed = await values(train(l.randomZoom([-0.5, -0.5]), squares))
    expect(zoomed[12]).toBeCloseTo(12)
    expect(zoomed[24] - zoomed[12]).toBeCloseTo(6, 4)
    const means = await values(
      scope(() =>
        train(l.randomContrast(0.9, { valueRange: [-1e4, 1e4] }), x)
          .mean({ axis: [1, 2] })
          .keep(),
      ),
    )
    const wanted = await values(x.mean({ axis: [1, 2] }))
    for (const [i, mean] of means.entries()) expect(mean).toBeCloseTo(wanted[i], 2)
    const places = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const [a, b, c, d] = await values(train(l.randomCrop(2, 2), squares, seed))
      expect([b - a, c - a, d - a]).toEqual([1, 5, 6])
      places.add(`${a}`)
    }
    expect(places.size).toBeGreaterThan(10)
  })

  test('a crop of smaller images is what inference gives, an empty batch is empty, whole numbers become floats', async () => {
    const layer = l.randomCrop(6, 8)
    const [a, b] = [train(layer, x), scope(() => layer.call(x, { training: false }))]
    expect(a.shape).toEqual([64, 6, 8, 2])
    expect(await values(a)).toEqual(await values(b))
    for (const each of [l.randomFlip(), l.randomRotation(0.1), l.randomCrop(2, 2), l.randomContrast(0.1)])
      expect(train(each, tensor([], { shape: [0, 3, 4, 2] })).shape[0]).toBe(0)
    const bytes = tensor([0, 255], { shape: [1, 1, 2, 1], dtype: 'uint8' })
    expect(await values(train(l.resizing(1, 1), bytes))).toEqual([127.5])
    expect(train(l.randomFlip(), bytes).dtype).toBe('float32')
  })

  test('nothing leaks', () =>
    expectNoLeaks(() => {
      for (const { make, inputShape } of Object.values(checks)) {
        const input = uniform(key(1), [2, ...inputShape])
        train(make(), input).dispose()
        input.dispose()
      }
    }))
})

test('wrong options say what is right', () => {
  const wrong: [() => unknown, string | RegExp][] = [
    [() => l.resizing(3, 3, { cropToAspectRatio: true, padToAspectRatio: true }), 'exclude each other'],
    [() => l.resizing(0, 3), 'Resizing: height must be a whole number, at least 1'],
    [() => l.randomRotation(2), 'RandomRotation: factor must be a number from -1 to 1'],
    [() => l.randomContrast(-0.1), 'RandomContrast: factor must be a number from 0 to 1'],
    [() => l.randomZoom([0.1, 0.2, 0.3] as never), 'RandomZoom: heightFactor must be'],
    [() => l.randomTranslation(0.1, undefined as never), 'RandomTranslation: widthFactor must be'],
    [() => l.randomBrightness(0.1, { valueRange: [1, 0] }), 'RandomBrightness: valueRange must be the least and the greatest value'],
    [() => l.randomFlip({ mode: 'left' as never }), /RandomFlip: mode must be .*horizontal/],
    [() => l.randomZoom(0.1, { fill_mode: 'wrap' } as never), 'Did you mean "fillMode"?'],
    [() => l.randomFlip().call(tensor([[[[1]]]]), { training: true }), 'RandomFlip: training needs a key'],
    [() => l.centerCrop(2, 2).call(tensor([[[1]]]), { training: false }), 'takes inputs of 4 axes'],
  ]
  for (const [make, message] of wrong) expect(make).toThrow(message)
})

test('a classifier with all of them learns, and its files predict the same', async () => {
  const model = new l.Sequential(
    [
      l.randomFlip({ mode: 'horizontal', inputShape: [6, 6, 1] }),
      l.randomRotation(0.02),
      l.randomZoom(0.05),
      l.randomTranslation(0.05, 0.05),
      l.randomContrast(0.1, { valueRange: [0, 1] }),
      l.randomBrightness(0.05, { valueRange: [0, 1] }),
      l.randomCrop(5, 5),
      l.centerCrop(4, 5),
      l.resizing(4, 4),
      l.flatten(),
      l.dense(1, { activation: 'sigmoid' }),
    ],
    { seed: 3 },
  )
  // Bright above or bright below.
  const rows = [...Array(24).keys()].map((i) =>
    [...Array(6).keys()].map((r) => [...Array(6).keys()].map((c) => [r < 3 === i % 2 < 1 ? 0.8 : ((i + c) % 3) / 10])),
  )
  const labels = rows.map((_, i) => [i % 2])
  model.compile({ optimizer: l.adam({ learningRate: 0.05 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  await model.fit(rows, labels, { epochs: 8, batchSize: 8, verbose: 0 })
  const [, accuracy] = await model.evaluate(rows, labels)
  expect(accuracy).toBe(1)
  const wanted = await values(await model.predict(rows))
  for (const format of ['keras', 'h5'] as const) {
    const again = await l.modelFromBytes(await l.modelToBytes(model, { format }))
    expect(await values(await again.predict(rows))).toEqual(wanted)
    expect(again.layers.map((layer) => layer.getConfig())).toEqual(model.layers.map((layer) => layer.getConfig()))
    again.dispose()
  }
})
