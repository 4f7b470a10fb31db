/**
 * Architectures against lists of Keras 3.16: names and classes of layers, names and shapes of weights in order, numbers of parameters (architectures.json; the
 * weights as a digest of their list).
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { key, normal } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import {
  efficientNetB0,
  type Model,
  mobileNetV2,
  mobileNetV3Large,
  mobileNetV3Small,
  model,
  modelFromBytes,
  modelToBytes,
  resNet50,
  weightsFromBytes,
} from '../src/index.js'

interface Listed {
  readonly name: string
  readonly parameters: number
  readonly layers: string
  readonly weights: string
}
const listed = JSON.parse(readFileSync(new URL('architectures.json', import.meta.url), 'utf8')) as Record<string, Listed>
const all = { mobileNetV2, mobileNetV3Small, mobileNetV3Large, efficientNetB0, resNet50 }

const digest = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex')
/** Names as in Keras 3, which calls the kernel of a depthwise convolution `kernel`. */
const weightsOf = (net: Model): string[] =>
  net.weights.map(({ name, shape }) => `${name.replace('/depthwise_kernel', '/kernel')} ${shape.join('×')}`)

describe.each(Object.entries(all))('%s', (name, make) => {
  test('has the layers and weights of Keras', () => {
    const net = make({ seed: 1 })
    const { parameters, layers, weights, name: modelName } = listed[name]
    const count = net.countParams()
    const own = net.layers.map((layer) => `${layer.name} ${layer.className}`).join(', ')
    const digestOfWeights = digest(weightsOf(net))
    net.dispose()
    expect([net.name, count]).toEqual([modelName, parameters])
    expect(own).toBe(layers)
    expect(digestOfWeights).toBe(weights)
  })

  test('ends in features without the classifier', () => {
    const width = { mobileNetV2: 1280, mobileNetV3Small: 576, mobileNetV3Large: 960, efficientNetB0: 1280, resNet50: 2048 }[name]
    const shape = { inputShape: [64, 96, 3], includeTop: false, seed: 1 } as const
    const [whole, ...pooled] = [
      [null, [null, 2, 3, width]],
      ['avg', [null, width]],
      ['max', [null, width]],
    ] as const
    // Pooling is the same code in all; making weights takes the time.
    for (const [pooling, output] of name === 'mobileNetV3Small' ? [whole, ...pooled] : [whole]) {
      const net = make({ ...shape, pooling })
      const got = net.output.shape
      net.dispose()
      expect(got).toEqual(output)
    }
  })

  test.each([
    [{ inputShape: [16, 64, 3] }, /inputShape must be \[height, width, channels\], both sides at least 32/],
    [{ inputShape: [64, 64] }, /inputShape must be/],
    [{ classes: 0 }, /classes/],
    [{ pooling: 'mean' }, /pooling/],
    [{ includeTop: 1 }, /includeTop/],
    [{ weights: 'imagenet' }, /weights/],
    [{ include_tops: true }, /include_tops/],
  ])('refuses %j', (options, message) => {
    expect(() => make(options as never)).toThrow(message)
    expect(() => make(options as never)).toThrow(name)
  })
})

test('rows and columns may be open without the classifier, and in MobileNetV3', async () => {
  const net = mobileNetV2({ alpha: 0.35, includeTop: false, seed: 1 })
  expect([net.name, net.inputs[0].shape]).toEqual(['mobilenetv2_0.35_None', [null, null, null, 3]])
  expect((await net.predict(normal(key(1), [1, 64, 96, 3]))).shape).toEqual([1, 2, 3, 1280])
  const small = mobileNetV3Small({ alpha: 0.75, classes: 3, seed: 1 })
  expect((await small.predict(normal(key(1), [2, 33, 64, 3]))).shape).toEqual([2, 3])
})

test('names do not depend on what was made before', () => {
  const names = (): string[] => mobileNetV3Small({ minimalistic: true, alpha: 0.75, seed: 1 }).layers.map((layer) => layer.name)
  expect(names()).toEqual(names())
})

test('alpha above 1 widens the end, too; a minimalistic MobileNetV3 has as many weights as Keras’', () => {
  expect(mobileNetV2({ alpha: 1.4, includeTop: false, seed: 1 }).output.shape.at(-1)).toBe(1792)
  expect(mobileNetV3Small({ minimalistic: true, seed: 1 }).countParams()).toBe(2056848)
})

test('scalesDeviation adds a layer without weights, as Keras does for its weights of ImageNet', () => {
  const net = efficientNetB0({ inputShape: [32, 32, 3], includeTop: false, scalesDeviation: true, seed: 1 })
  expect(net.layers.slice(1, 4).map(({ name }) => name)).toEqual(['rescaling', 'normalization', 'rescaling_1'])
  expect(digest(weightsOf(net))).toBe(digest(weightsOf(efficientNetB0({ includeTop: false, seed: 1 }))))
})

describe('a narrow MobileNetV2 on small images', () => {
  const make = (seed: number): Model => mobileNetV2({ alpha: 0.35, inputShape: [32, 32, 3], classes: 4, seed })

  test('trains: one step moves every weight, and a few make the loss smaller', async () => {
    const net = make(3)
    const before = await net.getWeights()
    net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const [x, y] = [normal(key(1), [8, 32, 32, 3]), [0, 1, 2, 3, 0, 1, 2, 3]]
    const [first] = await net.trainOnBatch(x, y)
    const after = await net.getWeights()
    expect(after.filter(({ data }, i) => data.every((value, j) => value === before[i].data[j])).map(({ name }) => name)).toEqual([])
    let last = first
    for (let step = 0; step < 4; step++) [last] = await net.trainOnBatch(x, y)
    expect(last).toBeLessThan(first)
  })

  test.each(['keras', 'h5'] as const)('comes back from %s files, and its weights fit a new one', async (format) => {
    const net = make(3)
    const bytes = await modelToBytes(net, { format })
    const x = normal(key(1), [2, 32, 32, 3])
    const expected = await net.apply(x).array()
    expect(await (await modelFromBytes(bytes)).apply(x).array()).toEqual(expected)
    const other = make(4)
    await weightsFromBytes(other, bytes, { byName: format === 'h5' })
    expect(await other.apply(x).array()).toEqual(expected)
  })

  test('is a layer, or a part of another model', () => {
    const net = make(3)
    const features = model({ inputs: net.inputs, outputs: net.getLayer('block_3_expand_relu').output })
    expect(features.output.shape).toEqual([null, 8, 8, 48])
  })
})

test('MobileNetV3 has operations, and comes back from files with them', async () => {
  const net = mobileNetV3Small({ alpha: 0.75, classes: 3, seed: 1 })
  const x = normal(key(1), [1, 32, 32, 3]).mul(50).add(128)
  const copy = await modelFromBytes(await modelToBytes(net, { format: 'keras' }))
  expect(copy.layers.map(({ className }) => className)).toEqual(net.layers.map(({ className }) => className))
  expect(await copy.apply(x).array()).toEqual(await net.apply(x).array())
})
